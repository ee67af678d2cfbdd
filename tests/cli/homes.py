"""Homes of people and scripts that meet the API: the command line as a process, the real API behind loopback."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from byoa.builds.lookups import FetchPlan
from byoa.builds.messages import Failure, MirroredArtifact, Outcome
from byoa.builds.records import entry
from byoa_cli import main, output
from local.pages.lookups import Samples
from tests.api.served import APP
from tests.terminal import BYOA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from byoa.builds.lookups import LookedUp, LookUp, ReadContents
    from byoa.errors import ByoaError
    from tests.api.loopback import Loopback

FINE, MEND, USAGE, FAULT = 0, 1, 2, 3
DIGEST = "sha256:fac2bf4015b35638ed9d43cff4f53e09743639903d7b6f839127b6589d27b581"
WATCHED = "import sys; from byoa_cli.main import run\ntry: run()\nfinally: sys.stderr.write(' '.join(sys.modules))"


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.out.count("\n") == 1, "one document on one line"
        return json.loads(self.out)


class Vendors:
    """The functions of lookups: samples, but for tags that mean what ``tags`` says and what fails by ``errors``.

    Both are by the last part of a repository's name; what fails in ``reading`` is resolved and can't be read.
    """

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self.tags: dict[str, str] = {}
        self.errors: dict[str, ByoaError] = {}
        self.reading: dict[str, ByoaError] = {}
        self.refused: set[str] = set()
        self.asked: list[LookUp] = []

    def look_up(self, asked: LookUp) -> LookedUp:
        self.asked.append(asked)
        names = [_name(each.url) for each in asked.artifacts]
        for name in names:
            if name in self.errors:
                raise self.errors[name]
        found = self.samples.look_up(asked)
        artifacts = [
            each.model_copy(update={"digest": self.tags.get(name, each.digest)}) if sought.digest is None else each
            for each, name, sought in zip(found.artifacts, names, asked.artifacts, strict=True)
        ]
        plan = (
            FetchPlan(missing_permissions=["pull: refused"]) if found.plan and names[0] in self.refused else found.plan
        )
        return found.model_copy(update={"artifacts": artifacts, "plan": plan})

    def read(self, found: LookedUp) -> ReadContents:
        for each in found.artifacts:
            error = self.reading.get(_name(each.reference.partition("@")[0]))
            if error:
                raise error
        return self.samples.read(found)


def _name(url: str) -> str:
    return url.rpartition("/")[2].partition(":")[0]


class Home:
    """A home, an API that one is logged in to there, and an app of two components."""

    def __init__(self, api: Loopback, folder: Path) -> None:
        self.api = api
        self.folder = folder
        self.token = api.served.token("admin")
        self.variables: dict[str, str] = {}
        self.vendors = Vendors(Samples(api.served.clock))
        api.served.functions = self.vendors

    @property
    def file(self) -> Path:
        return self.folder / ".config" / "byoa" / "config.toml"

    @property
    def environment(self) -> dict[str, str]:
        plain = {"PATH": os.defpath, "HOME": str(self.folder), "COLUMNS": "200", "AWS_DEFAULT_REGION": "us-east-1"}
        return plain | self.variables

    def byoa(self, *arguments: str | Path, stdin: str = "", **variables: str) -> Done:
        done = subprocess.run(
            [BYOA, *arguments], capture_output=True, text=True, env=self.environment | variables, cwd=self.folder,
            timeout=60, check=False, input=stdin,
        )  # fmt: skip
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        assert self.token not in done.stdout + done.stderr, "a token is never printed"
        return Done(done.returncode, done.stdout, done.stderr)

    def here(self, *arguments: str | Path, stdin: str = "", **variables: str) -> Done:
        """The same in this process, a tenth as long: for what is said, not for how a command starts and ends."""
        said, told, code = io.StringIO(), io.StringIO(), FINE
        _forget_consoles()
        with (
            patch.dict(os.environ, self.environment | variables, clear=True),
            patch.object(sys, "argv", [BYOA, *map(str, arguments)]),
            patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()))),
            patch.object(main, "gc"),
            chdir(self.folder),
            redirect_stdout(said),
            redirect_stderr(told),
        ):
            try:
                main.run()
            except SystemExit as end:
                code = int(end.code or 0)
            finally:
                _forget_consoles()
        assert self.token not in said.getvalue() + told.getvalue(), "a token is never printed"
        return Done(code, said.getvalue(), told.getvalue())

    def login(self, *more: str, token: str | None = None) -> Done:
        return self.byoa("login", "--api", self.api.address, *more, stdin=f"{token or self.token}\n")

    def write(self, *names: str, tag: str = "v1") -> Path:
        components = self.folder / "app" / "components"
        components.mkdir(parents=True, exist_ok=True)
        for name in names:
            text = f'name = "{name}"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\n'
            text += f'[oci_artifact]\nurl = "oci://ghcr.io/vendor/{name}"\ntag = "{tag}"\n'
            (components / f"{name}.toml").write_text(text)
        return components.parent

    def hand_in(self, *names: str) -> None:
        """What ``byoa sync`` hands in of the app that ``write`` writes, without a process for it."""
        for name in sorted(names):
            text = (self.write(*names) / "components" / f"{name}.toml").read_text()
            place = f"/v1/apps/{APP}/components/{name}/configs/kubernetes-manifest"
            assert self.api.served.ask("POST", place, {"toml": text}, token=self.token).status == 201

    def finish(self, status: str = "active", code: str = "ReferenceNotFound") -> None:
        """Let the pipeline end all builds that wait."""
        ledger = self.api.served.ledger
        with self.api.lock:
            for build in [each for each in ledger.records.values() if not each.ended]:
                ledger.begin(build.key, "one", entry("planning", "looking", ledger.clock.now(), step="validate"))
                failure = Failure(code=code, cause="It isn't there.", remedy="Push it.") if status == "error" else None
                mirror = MirroredArtifact(
                    target="ecr", reference=f"oci://1.example/{build.component}@{DIGEST}", tag=build.build_id,
                    digest=DIGEST, blobs_copied=2, blobs_skipped=0, bytes_copied=477,
                )  # fmt: skip
                mirrors = [] if failure else [mirror]
                digest = None if failure else DIGEST
                outcome = Outcome(status=status, digest=digest, tag="v1", mirrors=mirrors, failure=failure)
                ledger.finish(build.key, "one", outcome, [entry(status, "over", ledger.clock.now())])  # type: ignore[arg-type]

    def build_ids(self) -> list[str]:
        return [build.build_id for build in self.api.served.ledger.records.values()]


def _forget_consoles() -> None:
    """What draws has the colours of the variables that it was made under."""
    for each in (output.out, output.err):
        each.cache_clear()


def until(something: Callable[[], object]) -> None:
    for _ in range(600):
        if something():
            return
        time.sleep(0.05)
    pytest.fail("it didn't come to that")


def ended_by(home: Home, status: str, *words: str | Path, code: str = "ReferenceNotFound", looks: int = 1) -> Done:
    """What the command says while the pipeline ends all builds, after it has looked at them so often."""

    def work() -> None:
        until(lambda: sum(path.startswith("/v1/builds/bld") for path in home.api.paths("GET")) >= looks)
        while not over.wait(0.05):  # what is handed in after the first as well
            home.finish(status, code)

    over = threading.Event()
    home.api.requests.clear()
    thread = threading.Thread(target=work)
    thread.start()
    try:
        return home.here(*words)
    finally:
        over.set()
        thread.join()
