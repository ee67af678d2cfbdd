"""An unpacked archive as a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.content.magic import looks_like_tar, seems
from byoa.content.tarball import BLOCK
from byoa.errors import ArchiveInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stream:
    """Bytes in order, taken or skipped by exact counts."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")

    def block(self, entry: int) -> bytes:
        """The next header block; none at the archive's end."""
        block = b"".join(self._upto(BLOCK))
        if entry == 1 and not looks_like_tar(block):
            raise ArchiveInvalid(f"The layer is no tar archive but seems to be {seems(block) if block else 'empty'}.")
        if 0 < len(block) < BLOCK:
            if not block.strip(b"\0"):
                return b""
            raise ArchiveInvalid(f"The archive is cut off where entry {entry} or its end should be.")
        return block

    def take(self, size: int, entry: int) -> bytes:
        """The next ``size`` bytes."""
        content = b"".join(self._upto(size))
        if len(content) < size:
            raise ArchiveInvalid(f"The archive is cut off within entry {entry}.")
        return content

    def skip(self, size: int, entry: int) -> None:
        """Pass over the next ``size`` bytes."""
        if sum(len(piece) for piece in self._upto(size)) < size:
            raise ArchiveInvalid(f"The archive is cut off within entry {entry}.")

    def pad(self, size: int) -> None:
        """Pass over what fills up the last block of ``size`` bytes; the archive may end without it."""
        for _ in self._upto(-size % BLOCK):
            continue

    def rest(self) -> Iterator[memoryview]:
        """All that is left."""
        yield self._left
        for piece in self._pieces:
            yield memoryview(piece)

    def _upto(self, size: int) -> Iterator[memoryview]:
        while size:
            if not self._left:
                piece = next(self._pieces, None)
                if piece is None:
                    return
                self._left = memoryview(piece)
            taken = self._left[:size]
            self._left = self._left[len(taken) :]
            size -= len(taken)
            yield taken
