"""Gunzip as a stream from strangers: bounded input, bounded steps of output, every trailer checked."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from byoa.errors import ArchiveInvalid, ContentTooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STEP: Final = 64 * 1024
"""Bytes that are handed on at most at a time."""


class Intake:
    """Chunks of any length as slices of at most 64 KiB.

    ``taken`` counts the bytes handed out. Iterating raises ``ContentTooLarge`` past ``most`` bytes.
    """

    def __init__(self, chunks: Iterable[bytes], most: int) -> None:
        self._chunks = chunks
        self._most = most
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            # Slices, because every gzip member's end copies what is left of its input.
            for at in range(0, len(chunk), STEP):
                piece = chunk[at : at + STEP]
                self.taken += len(piece)
                if self.taken > self._most:
                    raise ContentTooLarge(f"The layer has more than {self._most} bytes.")
                yield piece


def gunzip(slices: Iterable[bytes], most_members: int) -> Iterator[bytes]:
    """The content of all gzip members in ``slices``, in pieces of at most 64 KiB.

    zlib checks each member against the CRC and the length in its trailer (RFC 1952, section 2.3.1). Zeros behind the
    last one are padding. Raises ``ArchiveInvalid`` for damage, a missing end, other bytes that follow and are no gzip,
    and more than ``most_members``.
    """
    inflater = None
    members = 0
    padded = False
    for piece in slices:
        data = piece
        while data:
            if members and inflater is None and (padded or data[0] == 0):
                padded = True
                if data.strip(b"\0"):
                    raise ArchiveInvalid("The gzip layer goes on behind the zeros that follow it.")
                break
            if inflater is None:
                inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
                members += 1
            if members > most_members:
                raise ArchiveInvalid(f"The gzip layer has more than {most_members} members.")
            yield from _inflate(inflater, data, members)
            data = inflater.unused_data
            inflater = None if inflater.eof else inflater
    if inflater is not None:
        raise ArchiveInvalid("The gzip layer is cut off.")


def _inflate(inflater: zlib._Decompress, data: bytes, member: int) -> Iterator[bytes]:
    """What ``data`` adds to the output, a step at a time; stops at the member's end."""
    piece = b""
    while not inflater.eof and (data or len(piece) == STEP):
        try:
            piece = inflater.decompress(data, STEP)
        except zlib.error:
            raise ArchiveInvalid(f"Member {member} of the gzip layer is damaged, or is no gzip.") from None
        data = inflater.unconsumed_tail
        if piece:
            yield piece
