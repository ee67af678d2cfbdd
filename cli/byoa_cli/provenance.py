"""Where manifests come from, as git knows it: the source, the revision and its time."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

SOURCE: Final = "org.opencontainers.image.source"
REVISION: Final = "org.opencontainers.image.revision"
CREATED: Final = "org.opencontainers.image.created"

_SECONDS: Final = 20
_SHA1: Final = 40
_TRACKED: Final = ("--untracked-files=no", "--ignore-submodules=dirty")
"""What tells of changes: submodules are not entered, whose config would have its say there."""

_PROGRAM: Final = r"^filter\..*\.(clean|process)$"
_REMOTE: Final = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^/@]*@)?(?P<host>[^/:@]+)(?::\d+)?/|(?:[^/@:]+@)?(?P<scp>[^/:@]{2,}):(?!//))(?P<path>.+)"
)


class Provenance(NamedTuple):
    """What git says of a folder: ``committed`` in seconds since 1970, ``None`` where something was changed since."""

    source: str | None = None
    revision: str | None = None
    committed: int | None = None


def note(folder: Path, source: str | None, revision: str | None, *, reproducible: bool) -> dict[str, str]:
    """The annotations of what comes from ``folder``: as they are given, as git knows them, or none.

    There always is a time: the commit's, or now; the first second of 1970 where it is to be ``reproducible``.
    """
    known = provenance_of(folder)
    moment = datetime.now(UTC) if known.committed is None else datetime.fromtimestamp(known.committed, UTC)
    if reproducible:
        moment = datetime.fromtimestamp(0, UTC)
    noted = {SOURCE: source or known.source, REVISION: revision or known.revision}
    made = {CREATED: moment.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return made | {key: value for key, value in noted.items() if value}


def provenance_of(folder: Path) -> Provenance:
    """What is known of a checkout; nothing of a folder that is none.

    A revision is written as Flux does (``sha1:COMMIT``), without a branch, which a checkout in CI doesn't know. It says
    ``-dirty`` where tracked files differ from it. A source is the remote ``origin`` as a page's address, without
    logins; a remote on a disk is none.
    """
    commit, _, seconds = (_ask(folder, "log", "-1", "--no-show-signature", "--format=%H %ct") or "").partition(" ")
    if not seconds.isdecimal():
        return Provenance()
    changed = _changes(folder)
    algorithm = "sha1" if len(commit) == _SHA1 else "sha256"
    revision = f"{algorithm}:{commit}{'' if changed == '' else '-dirty'}"
    remote = _ask(folder, "config", "--get", "remote.origin.url") or ""
    return Provenance(address_of(remote), revision, int(seconds) if changed == "" else None)


def _changes(folder: Path) -> str | None:
    """Tracked files that differ from the commit, or ``None`` where that can't be told.

    The checkout's own filters, which are programs that git runs over a file to compare it, are emptied for that.
    Source: git-config(1), ``filter.<driver>.clean`` and ``GIT_CONFIG_COUNT``.
    """
    found = _ask(folder, "config", "--local", "--includes", "--name-only", "-z", "--get-regexp", _PROGRAM) or ""
    if "\N{REPLACEMENT CHARACTER}" in found:
        return None  # a name that can't be said can't be emptied
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    number = int(count) if count.isdecimal() else 0
    emptied: dict[str, str] = {}
    for key in filter(None, found.split("\0")):
        emptied |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": ""}
        number += 1
    return _ask(folder, "status", "--porcelain", *_TRACKED, GIT_CONFIG_COUNT=str(number), **emptied)


def address_of(remote: str) -> str | None:
    """``https://HOST/PATH`` of a remote, however it is spelled, so that every clone tells the same."""
    found = _REMOTE.fullmatch(remote)
    if not found:
        return None
    path = found["path"].strip("/").removesuffix(".git")
    return f"https://{(found['host'] or found['scp']).lower()}/{path}"


def _ask(folder: Path, *arguments: str, **variables: str) -> str | None:
    """What git prints, or ``None`` where it fails, or isn't there. The folder's monitor of files isn't started."""
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "-C", str(folder), "-c", "core.fsmonitor=false", *arguments]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", **variables}
    try:
        done = subprocess.run(  # noqa: S603 - git, asked what it knows
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None
