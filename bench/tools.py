"""The tools that are compared, and how each copies an artifact from one registry to another."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.bytecode import without_python_settings
from bench.figures import OURS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WITH_REFERRERS = f"{OURS} --referrers"
"""Ours as it is by default; the peers leave attached signatures behind, so the comparison does too."""
PEERS = ("crane", "regctl", "skopeo", "oras")
_OURS = Path(sys.executable).parent / "byoa"
_VERSION = re.compile(r"v?\d+\.\d+\.\d+[\w.+-]*")


@dataclass(frozen=True, slots=True)
class Copy:
    """From where to where; each is ``HOST:PORT/REPOSITORY:TAG``."""

    source: str
    target: str


def tools() -> list[str]:
    """Ours, and the peers that are on PATH."""
    return [OURS, *(peer for peer in PEERS if shutil.which(peer))]


def program() -> Path:
    """Ours."""
    return _OURS


def environment(home: Path) -> dict[str, str]:
    """For every tool: a home of its own without logins, no proxies, nothing of AWS."""
    dropped = ("AWS_", "BYOA_", "DOCKER_", "REGISTRY_", "REGCTL_", "XDG_", "ORAS_")
    kept = {
        name: value
        for name, value in without_python_settings(os.environ).items()
        if not name.startswith(dropped) and "proxy" not in name.lower()
    }
    return kept | {"HOME": str(home), "DOCKER_CONFIG": str(home / ".docker")}


def prepare(home: Path, hosts: Iterable[str]) -> None:
    """Tell the tools that keep such settings that these registries have no TLS."""
    (home / ".docker").mkdir(parents=True, exist_ok=True)
    regctl = shutil.which("regctl")
    for host in hosts if regctl else ():
        command = [str(regctl), "registry", "set", "--skip-check", "--tls", "disabled", host]
        subprocess.run(command, env=environment(home), check=True, capture_output=True)


def copy_command(tool: str, copy: Copy) -> list[str]:
    """The command that makes this tool copy one artifact, as its users write it."""
    ours = ["mirror", f"oci://{copy.source}", f"oci://{copy.target}", *_plain(copy), "--json"]
    commands: dict[str, list[str]] = {
        OURS: [*ours, "--no-referrers"],
        WITH_REFERRERS: [*ours, "--referrers"],
        "crane": ["copy", "--insecure", copy.source, copy.target],
        "regctl": ["image", "copy", copy.source, copy.target],
        "skopeo": [
            *("--insecure-policy", "copy", "--quiet", "--all", "--src-tls-verify=false", "--dest-tls-verify=false"),
            *(f"docker://{copy.source}", f"docker://{copy.target}"),
        ],
        "oras": ["cp", "--no-tty", "--from-plain-http", "--to-plain-http", copy.source, copy.target],
    }
    return [_program(tool), *commands[tool]]


def list_command(copies: Sequence[Copy], file: Path, *, jobs: int) -> list[str]:
    """The command that makes us copy many artifacts in one process; the list goes to ``file``."""
    file.write_text("".join(f"oci://{copy.source} oci://{copy.target}\n" for copy in copies))
    options = ["--jobs", str(jobs), *_plain(copies[0]), "--json", "--no-referrers"]
    return [_program(OURS), "mirror", "--from", str(file), *options]


def version(program: str, *arguments: str) -> str | None:
    """What a program on PATH says its version is."""
    found = shutil.which(program)
    if not found:
        return None
    done = subprocess.run([found, *(arguments or ("version",))], capture_output=True, text=True, check=False)
    match = _VERSION.search(done.stdout + done.stderr)
    return match[0].removeprefix("v") if match else "unknown"


def _plain(copy: Copy) -> list[str]:
    hosts = dict.fromkeys(place.partition("/")[0] for place in (copy.source, copy.target))
    return [word for host in hosts for word in ("--plain-http", host)]


def _program(tool: str) -> str:
    return str(_OURS) if tool in (OURS, WITH_REFERRERS) else str(shutil.which(tool))
