"""`byoa.lock`: what an app's components meant when they were built, component by component, beside their files.

It is made to be committed: the same builds make the same bytes, and a change of one component is a change of its lines.
"""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from byoa.components.reading import fingerprint
from byoa.errors import LockMismatch
from byoa_cli.printable import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from byoa.builds.messages import Build
    from byoa_cli.files import ComponentFile

NAME: Final = "byoa.lock"
_FORMAT: Final = 1
_HEAD: Final = "# Written by `byoa sync`, to be committed: `byoa sync --locked` fails where something moved.\n"


class Locked(BaseModel):
    """A component as it was built: ``config`` is the fingerprint of what its file said."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: int
    config: str
    tag: str | None = None
    digest: str
    mirrors: list[str]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    lock: Annotated[int, Field(ge=_FORMAT, le=_FORMAT)]
    components: dict[str, Locked] = {}


class Moved(NamedTuple):
    """What isn't as it is locked: the component, why, what is locked, and what is."""

    component: str
    why: Literal["missing", "left", "config", "tag", "build"]
    locked: str | None = None
    found: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """It as JSON data."""
        return self._asdict()

    @property
    def sentence(self) -> str:
        """It for people."""
        return {
            "missing": "it isn't locked",
            "left": "it is locked, and no file has it",
            "config": "its file says something else than when it was locked",
            "tag": f"locked is {self.locked}, and its tag means {self.found}",
            "build": f"locked is {self.locked}, and its build pinned {self.found}",
        }[self.why]


type Lock = Mapping[str, Locked]


def read(folder: Path) -> Lock:
    """What is locked in the app's folder. Raises ``LockMismatch`` where there is no lock, or none of this version."""
    try:
        text = (folder / NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LockMismatch(f"There is no {NAME} in the app's folder.") from None
    except (OSError, UnicodeDecodeError):
        raise LockMismatch(f"{NAME} can't be read.") from None
    try:
        return _Document.model_validate(tomllib.loads(text)).components
    except (ValueError, RecursionError):  # a TOMLDecodeError, a ValidationError, or an integer of too many digits
        raise LockMismatch(f"{NAME} isn't one that this version of byoa writes.") from None


def renew(folder: Path, files: Iterable[ComponentFile], builds: Iterable[Build]) -> Path | None:
    """Write what the builds that went well pinned; the path, if that changed something.

    What a component was locked to stays where its build failed. Raises ``OSError``, and ``LockMismatch`` where there is
    a lock that can't be read: it is a person's to mend.
    """
    configs = {file.checked.name: fingerprint(file.checked.config) for file in files if file.checked.config}
    was = {name: each for name, each in read(folder).items() if name in configs} if (folder / NAME).is_file() else {}
    good = [each for each in builds if each.status == "active" and each.component in configs]
    now = {each.component: _locked(each, configs[each.component]) for each in good}
    text, path = _rendered(was | {name: each for name, each in now.items() if each}), folder / NAME
    if not (was or now) or (path.is_file() and path.read_bytes() == text.encode()):
        return None
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def compare(lock: Lock, files: Sequence[ComponentFile], digests: Mapping[str, str]) -> list[Moved]:
    """What has moved since: files, and what they mean now by ``digests``, for as many as are known."""
    moved: list[Moved] = []
    for file in files:
        name, config = file.checked.name or "", file.checked.config
        locked, found = lock.get(name), digests.get(name)
        if locked is None:
            moved.append(Moved(name, "missing"))
        elif config is None or fingerprint(config) != locked.config:
            moved.append(Moved(name, "config"))
        elif found and found != locked.digest:
            moved.append(Moved(name, "tag", locked.digest, found))
    here = {file.checked.name for file in files}
    return [*moved, *(Moved(name, "left") for name in sorted(lock) if name not in here)]


def compare_builds(lock: Lock, builds: Iterable[Build]) -> list[Moved]:
    """The builds that pinned something else than is locked."""
    ended = ((each, each.outcome.digest) for each in builds if each.outcome and each.outcome.digest)
    wanted = ((each, lock.get(each.component), digest) for each, digest in ended)
    return [
        Moved(each.component, "build", locked.digest, digest)
        for each, locked, digest in wanted
        if locked and locked.digest != digest
    ]


def _locked(build: Build, config: str) -> Locked | None:
    outcome = build.outcome
    if outcome is None or outcome.digest is None:
        return None
    mirrors = sorted(each.reference for each in outcome.mirrors)
    return Locked(version=build.version, config=config, tag=outcome.tag, digest=outcome.digest, mirrors=mirrors)


def _rendered(lock: Lock) -> str:
    """The file's text, in the order of names. Names are bare keys of TOML, and references printable ASCII."""
    parts = [f"{_HEAD}lock = {_FORMAT}\n"]
    for name, each in sorted(lock.items()):
        said = {key: value for key, value in each.model_dump().items() if value is not None}
        parts.append(
            "\n".join([f"[components.{name}]", *(f"{key} = {_value(value)}" for key, value in said.items()), ""])
        )
    return "\n".join(parts)


def _value(value: object) -> str:
    """A string, a number or a list as TOML, which writes them as JSON does; what isn't printable is escaped."""
    return escaped(json.dumps(value, ensure_ascii=False))
