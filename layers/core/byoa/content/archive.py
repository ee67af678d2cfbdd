"""Layers that are archives: tar or tar+gzip from strangers, read as a stream, in memory, within limits.

Nothing is extracted. What a layer is decides its first bytes; its media type is hearsay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from byoa.content import tarball
from byoa.content.inflate import Intake, gunzip
from byoa.content.labels import Labels
from byoa.content.tarball import BLOCK, ZEROS, Extension, Header
from byoa.errors import ArchiveEntryForbidden, ArchiveInvalid, ContentTooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_KIB: Final = 1024
_MIB: Final = 1024 * 1024
_RATIO_COUNTS_FROM: Final = _MIB
_GZIP: Final = b"\x1f\x8b"
_MAGICS: Final = (
    (_GZIP, "gzip within gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"\x04\x22\x4d\x18", "lz4"),
)
_TEXT: Final = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]+")


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Bounds on one layer. Sizes are in bytes; each has a precedent among registries' clients.

    ``ratio`` is expanded to compressed bytes, checked from 1 MiB of output on. ``path`` is in bytes of UTF-8. ``pax``
    bounds each extension header. ``entries`` also bounds the folders that names imply.
    """

    compressed: int = 100 * _MIB
    expanded: int = 100 * _MIB
    ratio: int = 200
    entries: int = 10_000
    file: int = 10 * _MIB
    path: int = 255
    pax: int = 64 * _KIB


@dataclass(frozen=True, slots=True)
class File:
    """A regular file of an archive: its normalised name, a label only, and all its bytes."""

    path: str
    content: bytes


LIMITS: Final = ArchiveLimits()


def is_gzip(head: bytes) -> bool:
    """Whether a layer that begins with ``head`` (two bytes or more) is gzip (RFC 1952, section 2.3.1)."""
    return head.startswith(_GZIP)


def looks_like_tar(head: bytes) -> bool:
    """Whether ``head`` (512 bytes or more) begins with a tar header or with the zeros of an empty archive."""
    block = head[:BLOCK]
    return block == ZEROS or tarball.checksum_holds(block)


def expand(chunks: Iterable[bytes], limits: ArchiveLimits = LIMITS) -> Iterator[bytes]:
    """The content of ``chunks``, unpacked if it is gzip and as it is if not, in pieces of at most 64 KiB.

    Raises ``ContentTooLarge`` at the limits of compressed and expanded size and of their ratio, and
    ``ArchiveInvalid`` for gzip that is cut off, fails its own checksums, or is followed by something else.
    """
    intake = Intake(chunks, limits.compressed)
    slices = iter(intake)
    head = b""
    while len(head) < len(_GZIP) and (piece := next(slices, b"")):
        head += piece
    slices = chain([head], slices)
    produced = 0
    for piece in gunzip(slices, most_members=4 * limits.entries) if is_gzip(head) else slices:
        produced += len(piece)
        if produced > limits.expanded:
            raise ContentTooLarge(f"The layer expands to more than {limits.expanded} bytes.")
        if produced > max(_RATIO_COUNTS_FROM, limits.ratio * intake.taken):
            raise ContentTooLarge(f"The layer expands to more than {limits.ratio} times its size.")
        yield piece


def read_archive(
    chunks: Iterable[bytes], limits: ArchiveLimits = LIMITS, *, wanted: Callable[[str], bool] = lambda _: True
) -> Iterator[File]:
    """The ``wanted`` files of a tar or tar+gzip layer in their order; ``wanted`` is asked by normalised name.

    The rest is checked all the same and passed over. Only when the iterator is exhausted is the archive vouched for.
    Raises ``ArchiveInvalid`` for what is no complete tar, ``ArchiveEntryForbidden`` for entries other than plain files
    and folders with harmless names that are each used once, and ``ContentTooLarge`` at the limits of size.
    """
    stream = _Stream(expand(chunks, limits))
    labels = Labels(limits.path, limits.entries)
    for entry, header in _entries(stream, limits):
        tarball.check_allowed(header, entry)
        if header.kind == tarball.FOLDER:
            labels.add_folder(header.name, entry)
            continue
        path = labels.add_file(header.name, entry)
        if header.size > limits.file:
            raise ContentTooLarge(f"Entry {entry} is a file of more than {limits.file} bytes.")
        if wanted(path):
            yield File(path, stream.take(header.size, entry))
        else:
            stream.skip(header.size, entry)
        stream.skip(-header.size % BLOCK, entry)


def _entries(stream: _Stream, limits: ArchiveLimits) -> Iterator[tuple[int, Header]]:
    """Headers with the extensions before them applied, numbered from 1; the consumer moves past each one's content."""
    entry = 1
    extension: Extension | None = None
    while (block := stream.block(entry)) != ZEROS:
        if entry > limits.entries:
            raise ArchiveEntryForbidden(f"The archive has more than {limits.entries} entries.")
        header = tarball.read_header(block, entry)
        if header.kind in (tarball.PAX_NEXT, tarball.GNU_LONG_NAME, tarball.PAX_GLOBAL):
            # What a second extension header does to the first one's word, readers settle each in their own way.
            if extension:
                raise ArchiveInvalid(f"An extension header of entry {entry} is followed by another one.")
            extension = _extension(stream, header, entry, limits.pax)
            if header.kind != tarball.PAX_GLOBAL:
                continue
        else:
            yield entry, _applied(header, extension)
        extension = None
        entry += 1
    _check_end(stream)
    if extension:
        raise ArchiveInvalid("The archive's last header announces an entry that doesn't follow.")


def _extension(stream: _Stream, header: Header, entry: int, most: int) -> Extension:
    if header.size > most:
        raise ArchiveInvalid(f"An extension header of entry {entry} is longer than {most} bytes.")
    body = stream.take(header.size, entry)
    stream.skip(-header.size % BLOCK, entry)
    if header.kind == tarball.GNU_LONG_NAME:
        return tarball.read_long_name(body)
    return tarball.read_pax(body, entry, for_all=header.kind == tarball.PAX_GLOBAL)


def _applied(header: Header, extension: Extension | None) -> Header:
    if extension is None:
        return header
    path, size = extension.path, extension.size
    return replace(header, name=header.name if path is None else path, size=header.size if size is None else size)


def _check_end(stream: _Stream) -> None:
    """After one zero block: another one, then nothing but whole zero blocks, as writers pad to their record size."""
    behind = 0
    for piece in stream.rest():
        behind += len(piece)
        if bytes(piece).strip(b"\0"):
            raise ArchiveInvalid("The archive goes on behind its end.")
    if not behind or behind % BLOCK:
        raise ArchiveInvalid("The archive is cut off within its end.")


def _seems(block: bytes) -> str:
    """What begins with ``block``, in words."""
    for magic, name in _MAGICS:
        if block.startswith(magic):
            return name
    if block[257:262] == b"ustar":
        return "a tar archive with a damaged first header"
    return "text" if _TEXT.fullmatch(block) else "something else"


class _Stream:
    """Bytes in order, taken or skipped by exact counts."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")

    def block(self, entry: int) -> bytes:
        """The next header block."""
        block = b"".join(self._upto(BLOCK))
        if entry == 1 and not looks_like_tar(block):
            raise ArchiveInvalid(f"The layer is no tar archive but seems to be {_seems(block) if block else 'empty'}.")
        if len(block) < BLOCK:
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
