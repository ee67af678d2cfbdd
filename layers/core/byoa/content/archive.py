"""Layers that are archives: tar, tar+gzip or tar+zstd from strangers, read as a stream, in memory, within limits.

Nothing is extracted. What a layer is decides its first bytes; its media type is hearsay.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.content import tarball
from byoa.content.inflate import Intake, gunzip
from byoa.content.labels import Labels
from byoa.content.magic import MAGIC, is_gzip, is_zstd
from byoa.content.stream import Stream
from byoa.content.tarball import BLOCK, ZEROS, Extension, Header
from byoa.errors import ArchiveEntryForbidden, ArchiveInvalid, ContentTooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_KIB: Final = 1024
_MIB: Final = 1024 * 1024
_RATIO_COUNTS_FROM: Final = 32 * _MIB


class ArchiveLimits(NamedTuple):
    """Bounds on one layer. Sizes are in bytes; each has a precedent among registries' clients.

    ``ratio`` is expanded to compressed bytes, checked from 32 MiB of output on: a bundle of like objects packs well.
    ``path`` is in bytes of UTF-8. ``pax`` bounds each extension header. ``entries`` also bounds the folders that names
    imply.
    """

    compressed: int = 100 * _MIB
    expanded: int = 100 * _MIB
    ratio: int = 200
    entries: int = 10_000
    file: int = 64 * _MIB
    path: int = 255
    pax: int = 64 * _KIB


class File(NamedTuple):
    """A regular file of an archive: its normalised name, a label only, its bytes, its number among the files."""

    path: str
    content: bytes
    number: int = 1

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same under the same name, wherever they stand."""
        return isinstance(other, File) and self[:2] == other[:2]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:2])


LIMITS: Final = ArchiveLimits()


def expand(chunks: Iterable[bytes], limits: ArchiveLimits = LIMITS) -> Iterator[bytes]:
    """The content of ``chunks``, unpacked if it is gzip or zstd and as it is if not, in pieces of at most 64 KiB.

    Raises ``ContentTooLarge`` at the limits of compressed and expanded size and of their ratio, and
    ``ArchiveInvalid`` for what is cut off, fails its own checksums, or is followed by something else.
    """
    intake = Intake(chunks, limits.compressed)
    slices = iter(intake)
    head = b""
    while len(head) < MAGIC and (piece := next(slices, b"")):
        head += piece
    produced = 0
    for piece in _unpacked(head, chain([head], slices), 4 * limits.entries):
        produced += len(piece)
        if produced > limits.expanded:
            raise ContentTooLarge(f"The layer expands to more than {limits.expanded} bytes.")
        if produced > max(_RATIO_COUNTS_FROM, limits.ratio * intake.taken):
            raise ContentTooLarge(f"The layer expands to more than {limits.ratio} times its size.")
        yield piece


def _unpacked(head: bytes, slices: Iterable[bytes], most_members: int) -> Iterable[bytes]:
    if is_gzip(head):
        return gunzip(slices, most_members)
    if not is_zstd(head):
        return slices
    from byoa.content.frames import unzstd  # noqa: PLC0415 - few layers are, and the others don't wait for its import

    return unzstd(slices, most_members)


def read_archive(
    chunks: Iterable[bytes], limits: ArchiveLimits = LIMITS, *, wanted: Callable[[str], bool] = lambda _: True
) -> Iterator[File]:
    """The ``wanted`` files of a tar, tar+gzip or tar+zstd layer, as ``read_tar`` reads them."""
    return read_tar(expand(chunks, limits), limits, wanted=wanted)


def read_tar(
    pieces: Iterable[bytes], limits: ArchiveLimits = LIMITS, *, wanted: Callable[[str], bool] = lambda _: True
) -> Iterator[File]:
    """The ``wanted`` files of an unpacked tar archive in their order; ``wanted`` is asked by normalised name.

    The rest is checked all the same and passed over. Only when the iterator is exhausted is the archive vouched for.
    Raises ``ArchiveInvalid`` for what is no complete tar, ``ArchiveEntryForbidden`` for entries other than plain files
    and folders with harmless names, of which files have each their own, and ``ContentTooLarge`` at the limits of size.
    """
    stream = Stream(iter(pieces))
    labels = Labels(limits.path, limits.entries)
    number = 0
    for entry, header in _entries(stream, limits):
        tarball.check_allowed(header, entry)
        if header.kind == tarball.FOLDER:
            labels.add_folder(header.name, entry)
            continue
        path = labels.add_file(header.name, entry)
        number += 1
        if header.size > limits.file:
            raise ContentTooLarge(f"Entry {entry} is a file of more than {limits.file} bytes.")
        if wanted(path):
            yield File(path, stream.take(header.size, entry), number)
        else:
            stream.skip(header.size, entry)
        stream.pad(header.size)


def _entries(stream: Stream, limits: ArchiveLimits) -> Iterator[tuple[int, Header]]:
    """Headers with the extensions before them applied, numbered from 1; the consumer moves past each one's content."""
    entry = 1
    extension: Extension | None = None
    while (block := stream.block(entry)) and block != ZEROS:
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


def _extension(stream: Stream, header: Header, entry: int, most: int) -> Extension:
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
    return header._replace(name=header.name if path is None else path, size=header.size if size is None else size)


def _check_end(stream: Stream) -> None:
    """After a zero block: zeros alone. An end mark may be missing or be one block only (GNU tar manual, 8.1.9)."""
    if any(bytes(piece).strip(b"\0") for piece in stream.rest()):
        raise ArchiveInvalid("The archive goes on behind its end.")
