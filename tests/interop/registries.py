"""The registries that artifacts travel between: other people's, and the desk's in each of its modes.

``ROUTES`` lead from one kind of registry to the next, so that each kind is a source once and a target once.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from local.processes import LOOPBACK, Process, free_port
from local.registry import EcrSettings, MemoryControlPlane, Registry, RepositoryFacts, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import ExitStack
    from pathlib import Path

ROUTES: Final = (
    ("docker-registry", "olareg"),
    ("olareg", "docker-registry"),
    ("olareg with passwords", "desk with tokens"),
    ("desk with tokens", "desk as ECR"),
    ("desk as ECR", "olareg with a rate limit"),
    ("olareg with a rate limit", "desk without referrers"),
    ("desk without referrers", "olareg with tokens"),
    ("olareg with tokens", "desk with passwords"),
    ("desk with passwords", "desk"),
    ("desk", "olareg with passwords"),
)


class _Account(MemoryControlPlane):
    """An account in which every repository has been made, with tags that may not move but for signatures'."""

    def repository(self, name: str) -> RepositoryFacts:
        return RepositoryFacts("IMMUTABLE_WITH_EXCLUSION", ("sha256-*",))


_OURS: Final = ("byoa", "desk")
_DESK: Final = {
    "desk": (Settings(), None),
    "desk with passwords": (Settings(auth="basic"), _OURS),
    "desk with tokens": (Settings(auth="bearer"), _OURS),
    "desk without referrers": (Settings(referrers=False), None),
    "desk as ECR": (Settings(ecr=EcrSettings(control=_Account())), ("AWS", "desk")),
}
_OLAREG: Final = {
    "olareg": ((), None),
    "olareg with a rate limit": (("--rate-limit", "40"), None),  # requests a second: fewer than a mirror would send
    "olareg with passwords": (("--auth-basic", "logins.json"), _OURS),
    "olareg with tokens": (("--auth-token-opaque", "logins.json"), _OURS),
}
_OLAREG_LOGINS: Final = {
    "users": {"byoa": {"cred": "$2a$04$itnhRE.StGKPsHz8w41ReeaFML78IBPULpIxdc7vng3kGxsqWwpHy"}},  # of "desk"
    "acls": [{"repo": "*", "members": ["byoa"], "access": ["*"]}],
}


@dataclass(frozen=True)
class Place:
    """A registry that runs at ``address``, and the login for it where it wants one."""

    kind: str
    address: str
    login: tuple[str, str] | None = None


def program_of(kind: str) -> str | None:
    """The program that registries of this kind are; ``None`` for the desk's own."""
    return None if kind.startswith("desk") else kind.partition(" ")[0]


def start(kind: str, folder: Path, until: ExitStack, environment: Mapping[str, str]) -> Place:
    """Start a registry of ``kind`` that keeps its files in ``folder`` and runs until ``until`` is closed."""
    if kind in _DESK:
        settings, login = _DESK[kind]
        return Place(kind, until.enter_context(Registry(settings)).address, login)
    folder.mkdir()
    address = f"{LOOPBACK}:{(port := free_port())}"
    command, login = _docker_registry(folder, address) if kind == "docker-registry" else _olareg(kind, folder, port)
    server = until.enter_context(Process(kind, command, folder, environment=environment))
    server.wait_until(lambda: _listens(port))
    return Place(kind, address, login)


def _docker_registry(folder: Path, address: str) -> tuple[list[str], None]:
    config = {
        "version": "0.1",
        "log": {"accesslog": {"disabled": True}, "level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "content")}},
        "http": {"addr": address},
    }
    (folder / "config.json").write_text(json.dumps(config))
    return ["docker-registry", "serve", str(folder / "config.json")], None


def _olareg(kind: str, folder: Path, port: int) -> tuple[list[str], tuple[str, str] | None]:
    logins = folder / "logins.json"
    logins.write_text(json.dumps(_OLAREG_LOGINS))
    switches, login = _OLAREG[kind]
    own = [str(logins) if each == logins.name else each for each in switches]
    where = ["--addr", LOOPBACK, "--port", str(port), "--external-url", f"http://{LOOPBACK}:{port}"]
    return ["olareg", "serve", "--store-type", "mem", *where, *own], login


def _listens(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=2).close()
    except OSError:
        return False
    return True
