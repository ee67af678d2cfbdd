"""A user's machine: a home of its own with the logins for the registries, where the real programs run."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from byoa.bootstrap import terminal as bootstrap
from byoa.engine.mirroring import Wanted, mirror
from byoa.oci.reference import Reference
from byoa.trust.credentials import Credential
from local.demo import ARTIFACTS, TAG
from tests.interop.registries import Place, program_of, start

if TYPE_CHECKING:
    from contextlib import ExitStack

    from byoa.oci.digest import Digest

BYOA: Final = Path(sys.executable).parent / "byoa"
_SECONDS: Final = 60


class Machine:
    """Registries start at their first use and run until ``until`` is closed.

    What isn't on the PATH skips the test, by its name.
    """

    def __init__(self, home: Path, until: ExitStack) -> None:
        self.home = home
        self._until = until
        self._places: dict[str, Place] = {}
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "DOCKER_CONFIG": str(home / "docker"),
            "HELM_REGISTRY_CONFIG": str(home / "docker" / "config.json"),
            "REGCTL_CONFIG": str(home / "regctl.json"),
            "COSIGN_PASSWORD": "",
        }

    def place(self, kind: str) -> Place:
        """The registry of a kind, logged in to."""
        if kind not in self._places:
            needs(program_of(kind))
            folder = self.home / kind.replace(" ", "-")
            self._places[kind] = start(kind, folder, self._until, self.environment)
            self._log_in()
        return self._places[kind]

    def _log_in(self) -> None:
        logins = {each.address: ":".join(each.login).encode() for each in self._places.values() if each.login}
        hosts = {each.address: {"hostname": each.address, "tls": "disabled"} for each in self._places.values()}
        auths = {address: {"auth": base64.b64encode(pair).decode()} for address, pair in logins.items()}
        folder = Path(self.environment["DOCKER_CONFIG"])
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps({"auths": auths}))
        Path(self.environment["REGCTL_CONFIG"]).write_text(json.dumps({"version": 1, "hosts": hosts}))

    def run(self, program: str | Path, *arguments: str | Path, folder: Path | None = None) -> str:
        """What the program prints when it succeeds, run in ``folder``."""
        done = self._run(program, arguments, folder)
        said = f"{Path(program).name} {' '.join(map(str, arguments))}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert done.returncode == 0, said
        return done.stdout

    def fails(self, program: str | Path, *arguments: str | Path) -> str:
        """What the program says when it fails, which it has to."""
        done = self._run(program, arguments, None)
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def _run(
        self, program: str | Path, arguments: tuple[str | Path, ...], folder: Path | None
    ) -> subprocess.CompletedProcess[str]:
        needs(program)
        return subprocess.run(
            [program, *arguments],
            cwd=folder or self.home,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def mirror(self, *arguments: str | Path) -> dict[str, Any]:
        """What `byoa mirror` says of what it did."""
        return dict(json.loads(self.run(BYOA, "mirror", *arguments, "--json", *self._plain_http())))

    def refuses_to_mirror(self, *arguments: str | Path) -> str:
        """What `byoa mirror` says when it fails, which it has to."""
        return self.fails(BYOA, "mirror", *arguments, *self._plain_http())

    def _plain_http(self) -> list[str]:
        return [f"--plain-http={place.address}" for place in self._places.values()]


@dataclass(frozen=True)
class Route:
    """From a vendor's registry to the one that keeps the mirror."""

    machine: Machine
    source: Place
    target: Place

    def origin(self, name: str) -> str:
        """The reference of ``name`` (``repository:tag`` or ``repository@digest``) at the vendor's."""
        return f"{self.source.address}/vendor/{name}"

    def mirrored(self, name: str) -> str:
        """The reference of ``name`` in the mirror."""
        return f"{self.target.address}/mirror/{name}"

    def put(self, layout: str, repository: str) -> Digest:
        """Put an artifact of the test data and what is attached to it into the vendor's registry, under ``TAG``.

        Here and now: the command line is for the mirror.
        """
        reference = Reference.parse(f"oci://{self.origin(repository)}")
        credential = Credential(*self.source.login) if self.source.login else None
        target = bootstrap.repository(reference, "target", credential, plain_http=True)
        return mirror(bootstrap.layout(ARTIFACTS / layout), target, Wanted(TAG, TAG)).copied.digest

    def mirror(self, name: str, *switches: str) -> dict[str, Any]:
        """Mirror it under the same name."""
        return self.machine.mirror(f"oci://{self.origin(name)}", f"oci://{self.mirrored(name)}", *switches)


def needs(*programs: str | Path | None) -> None:
    """Skip the test unless all of these are on the PATH."""
    for program in programs:
        if program and shutil.which(program) is None:
            pytest.skip(f"{program} is not on the PATH")


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of every file below ``folder``, by path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
