"""Files of a folder that may be a stranger's."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from byoa.errors import ManifestInvalid

if TYPE_CHECKING:
    from pathlib import Path


def open_file(place: Path) -> int | None:
    """A regular file, opened for reading; ``None`` where there is nothing. Raises ``ManifestInvalid`` for all else.

    A pipe that nobody writes to must not hold us up, so it is looked at once it is open.
    """
    try:
        file = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ManifestInvalid("A file of the layout can't be read.") from error
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    raise ManifestInvalid("A part of the layout is not a regular file.")


def read_file(place: Path, limit: int) -> bytes | None:
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
        raise ManifestInvalid("A file of the layout can't be read.") from error
