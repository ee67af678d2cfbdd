"""What `byoa push` packs: the files of YAML and JSON that a pipeline would read, and nothing beside them."""

from __future__ import annotations

import os
import stat
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from byoa.content.archive import LIMITS, File
from byoa.errors import ArchiveEntryForbidden, ContentNotFound, ContentTooLarge, DocumentInvalid, FileUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from byoa.errors import ByoaError

STREAM: Final = "manifests.yaml"
"""The name of what comes as a stream: from stdin, or from what renders a kustomization."""

_MANIFESTS: Final = (".yaml", ".yml", ".json")
_COPY: Final = "Put a copy of what it leads to in its place, or name that as another PATH."
_UNBUILT: Final = "Kustomization"


class Gathered(NamedTuple):
    """A file as it is packed, and how it was named by whoever pushes it."""

    shown: str
    file: File


class Gathering(NamedTuple):
    """The files in the order of their names, and what was passed over."""

    files: list[Gathered]
    passed_over: list[str]


def gather(paths: Sequence[str]) -> Gathering:
    """Read the manifests that ``paths`` name or hold. Names in the artifact are relative to the folder of them all.

    Raises ``FileUnreadable``, ``ContentNotFound`` where there is no manifest, ``ContentTooLarge`` for more than an
    artifact may hold, and ``ArchiveEntryForbidden`` for links that lead out of their folder.
    """
    try:
        found, passed_over = _find(paths)
        if not found:
            raise ContentNotFound("There is no file of manifests (.yaml, .yml or .json).").at(_shown(paths[0]))
        base = common_folder(paths)
    except OSError as error:
        raise FileUnreadable(f"It can't be read: {error.strerror}.").at(_shown(error.filename or ".")) from error
    budget = _Budget()
    named = ((path, _label(real, base, path)) for real, path in found.items())
    files = [Gathered(_shown(path), File(name, budget.read(path))) for path, name in named]
    return Gathering(sorted(files, key=lambda each: each.file.path), sorted(passed_over))


def _find(paths: Sequence[str]) -> tuple[dict[Path, Path], list[str]]:
    """The manifests by where they really are, each once, and what else there is."""
    found: dict[Path, Path] = {}
    passed_over: list[str] = []
    for text in paths:
        for path, wanted in _below(text):
            if wanted:
                found.setdefault(path.parent.resolve() / path.name, path)  # a link keeps its own name
            else:
                passed_over.append(str(path))
            if len(found) > LIMITS.entries:
                raise ContentTooLarge(f"There are more than {LIMITS.entries} files of manifests.")
    return found, passed_over


def from_stdin() -> Gathering:
    """What comes on stdin, as one file. Raises ``FileUnreadable`` and ``ContentTooLarge``."""
    stream = sys.stdin
    if stream is None:
        raise FileUnreadable("There is no stdin to read.").at("stdin")
    try:
        content = stream.buffer.read(LIMITS.expanded + 1)
    except OSError as error:
        raise FileUnreadable(f"It can't be read: {error.strerror}.").at("stdin") from error
    return stream_of(content, "stdin")


def stream_of(content: bytes, shown: str) -> Gathering:
    """One file with what came as a stream. Raises ``ContentTooLarge``, and ``ContentNotFound`` for nothing at all."""
    if len(content) > LIMITS.expanded:
        raise ContentTooLarge(f"There are more than {LIMITS.expanded} bytes.").at(shown)
    if not content.strip():
        raise ContentNotFound("Nothing came.", remedy="See that what should write the manifests does.").at(shown)
    return Gathering([Gathered(shown, File(STREAM, content))], [])


def _below(text: str) -> Iterator[tuple[Path, bool]]:
    """The files that a path names, and whether each is one to pack."""
    path = Path(text)
    if path.is_dir():
        yield from _walk(path)
    elif not _is_manifest(path.name):
        if not path.exists():
            raise FileUnreadable("It can't be read: No such file or directory.").at(_shown(text))
        raise ContentNotFound(
            "It would be passed over: manifests are in files of .yaml, .yml or .json that aren't hidden.",
            remedy="Give the file such a name, or pipe its content into `byoa push … -`.",
        ).at(_shown(text))
    else:
        yield path, True


def _walk(folder: Path) -> Iterator[tuple[Path, bool]]:
    """All files below ``folder`` that aren't hidden. Links to files in it are read; others are told of."""
    inside = folder.resolve()
    for place, folders, names in folder.walk(on_error=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            path = place / name
            if name == _UNBUILT:
                raise kustomization(_shown(path))
            linked = path.is_symlink()
            if linked and path.is_dir():
                raise _forbidden("It is a link to a folder.", path, _COPY)
            if linked and _is_manifest(name) and not path.resolve().is_relative_to(inside):
                raise _forbidden("It is a link that leads out of the folder.", path, _COPY)
            yield path, _is_manifest(name)


def kustomization(shown: str) -> ByoaError:
    """What to say of a kustomization among what is to be pushed."""
    return DocumentInvalid(
        "This is a kustomization, which nothing renders later on.",
        remedy="Push what it stands for, with `byoa push … -k FOLDER`.",
    ).at(shown)


def _is_manifest(name: str) -> bool:
    return name.endswith(_MANIFESTS) and not name.startswith(".")


def _forbidden(cause: str, path: Path, remedy: str) -> ArchiveEntryForbidden:
    return ArchiveEntryForbidden(cause, remedy=remedy, where=_shown(path))


def _raise(error: OSError) -> NoReturn:
    raise error


def common_folder(paths: Sequence[str]) -> Path:
    """The folder that all paths are in; for a single folder, itself."""
    folders = [path if path.is_dir() else path.parent for path in map(Path, paths)]
    try:
        return Path(os.path.commonpath([folder.resolve() for folder in folders]))
    except ValueError as error:  # on different drives
        raise FileUnreadable("The paths have no folder in common.", remedy="Push each by itself.") from error


def _label(real: Path, base: Path, path: Path) -> str:
    """The name in the artifact, the same on systems that take names apart."""
    name = unicodedata.normalize("NFC", real.relative_to(base).as_posix())
    if not name.isprintable():
        raise _forbidden("Its name has characters that can't be printed.", path, "Rename it.")
    if any(part.startswith(".") for part in name.split("/")):
        raise _forbidden("It would be passed over, in a hidden folder.", path, "Push that folder by itself.")
    return name


def _shown(path: object) -> str:
    from byoa_cli.printable import visible

    return visible(str(path))


class _Budget:
    """Reads files until they are more than an artifact may hold."""

    def __init__(self) -> None:
        self._left = LIMITS.expanded

    def read(self, path: Path) -> bytes:
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe or a device may never end
                raise FileUnreadable("It is no regular file.").at(_shown(path))
            with path.open("rb") as file:
                content = file.read(self._left + 1)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "its name is none"
            raise FileUnreadable(f"It can't be read: {reason}.").at(_shown(path)) from error
        self._left -= len(content)
        if self._left < 0:
            raise ContentTooLarge(f"The files are more than {LIMITS.expanded} bytes together.").at(_shown(path))
        return content
