"""Files of a folder that may be a stranger's, and files that others are to read; without the slow pathlib."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from byoa.errors import ManifestInvalid, TargetForbidden

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO


def open_file(place: str) -> int | None:
    """A regular file, opened for reading; ``None`` where there is nothing. Raises ``ManifestInvalid`` for all else.

    A pipe that nobody writes to must not hold us up, so it is looked at once it is open.
    """
    try:
        file = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise unreadable(place, error) from error
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    raise ManifestInvalid(f"The layout's {os.path.basename(place)} is not a regular file.")


def read_file(place: str, limit: int) -> bytes | None:
    """What is in a file: at most ``limit`` bytes and one more, so that the caller can tell that it is too long.

    ``None`` where there is no file. Raises ``ManifestInvalid`` for what is no regular file.
    """
    file = open_file(place)
    if file is None:
        return None
    try:
        with os.fdopen(file, "rb") as opened:
            return opened.read(limit + 1)
    except OSError as error:
        raise unreadable(place, error) from error


def unreadable(place: str, error: OSError) -> ManifestInvalid:
    """Which of the layout's files it is, and what the system says of it."""
    denied = isinstance(error, PermissionError)
    remedy = "Let yourself read the layout's files, for example with `chmod -R u+rX`." if denied else ""
    return ManifestInvalid(f"The layout's {os.path.basename(place)} can't be read: {error.strerror}.", remedy=remedy)


@contextmanager
def replacing(place: str) -> Iterator[BinaryIO]:
    """A file to be written that takes the place of ``place`` when it is whole, with the mode that the umask leaves.

    Raises ``TargetForbidden`` where the system doesn't let us.
    """
    folder = os.path.dirname(place)
    part = os.path.join(folder, f".part-{os.urandom(8).hex()}")
    try:
        os.makedirs(folder, exist_ok=True)
        try:
            with open(part, "xb") as file:
                yield file
            os.replace(part, place)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(part)
            raise
    except OSError as error:
        raise TargetForbidden(
            f"{folder} can't be written to: {error.strerror}.",
            remedy="Name a folder that you may write to, on a disk with room.",
        ) from error
