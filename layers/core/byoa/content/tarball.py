"""Tar headers and their extensions, one block at a time (POSIX.1-2017, ``pax``, "ustar Interchange Format").

``tarfile`` isn't used: it takes a broken or cut archive for a shorter one, and buffers extension headers of any size.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from byoa.errors import ArchiveEntryForbidden, ArchiveInvalid

BLOCK: Final = 512
ZEROS: Final = bytes(BLOCK)

FILES: Final = (b"0", b"\0")
FOLDER: Final = b"5"
PAX_NEXT: Final = b"x"
PAX_GLOBAL: Final = b"g"
GNU_LONG_NAME: Final = b"L"

_KINDS: Final = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a FIFO",
    b"7": "a contiguous file",
    b"K": "a long link name",
    b"S": "a sparse file",
}
_OCTAL: Final = re.compile(rb"([0-7]*)[ \0]*")
_CHECKSUM: Final = re.compile(rb"[ \0]*([0-7]+)[ \0]*")
_PAX_LENGTH: Final = re.compile(rb"([1-9][0-9]{0,8}) ")
_PAX_SIZE: Final = re.compile(rb"[0-9]{1,19}")
# Far above every limit, and past what the octal field can say: no honest archive of manifests claims so much.
_ABSURD: Final = 1 << 40
# Each record costs time, so 64 KiB of tiny ones in each of many headers would cost minutes.
_MOST_RECORDS: Final = 100


class Header(NamedTuple):
    """One header block: the type flag, the name as it stands there, the content's size in bytes, the mode bits."""

    kind: bytes
    name: bytes
    size: int
    mode: int


class Extension(NamedTuple):
    """What an extension header says of the entry that follows it; ``None`` where it is silent. ``size`` in bytes."""

    path: bytes | None = None
    size: int | None = None


def checksum_holds(block: bytes) -> bool:
    """Whether the 512 bytes of ``block`` bear the header checksum that they add up to.

    Historic writers summed signed bytes, so both sums count (GNU tar manual, "Basic Tar Format").
    """
    stored = _CHECKSUM.fullmatch(block[148:156])
    if not stored or len(block) != BLOCK:
        return False
    summed = block[:148] + b" " * 8 + block[156:]
    return int(stored[1], 8) in (sum(summed), sum(memoryview(summed).cast("b")))


def read_header(block: bytes, entry: int) -> Header:
    """The header in the 512 bytes of ``block``; ``entry`` is the number that errors name.

    Raises ``ArchiveInvalid`` for a wrong checksum and for numbers that are malformed or absurd.
    """
    if not checksum_holds(block):
        raise ArchiveInvalid(f"The header of entry {entry} has a wrong checksum.")
    name = block[:100].rstrip(b"\0")
    # GNU keeps other things where ustar has its prefix; what came before both has none.
    prefix = block[345:500].rstrip(b"\0") if block[257:263] == b"ustar\0" else b""
    kind = block[156:157]
    return Header(
        # The oldest writers have no flag for folders, only the slash; some newer ones have kept to that.
        kind=FOLDER if kind in FILES and name.endswith(b"/") else kind,
        name=prefix + b"/" + name if prefix else name,
        size=_sane(_number(block[124:136], entry), entry),
        mode=_number(block[100:108], entry),
    )


def check_allowed(header: Header, entry: int) -> None:
    """Raise ``ArchiveEntryForbidden`` unless the entry is a folder or a plain file without special mode bits.

    Raises ``ArchiveInvalid`` for a folder with content: some readers pass over it, others read headers in it.
    """
    if header.kind == FOLDER:
        if header.size:
            raise ArchiveInvalid(f"Entry {entry} is a folder that claims to have content.")
        return
    if header.kind not in FILES:
        raise ArchiveEntryForbidden(f"Entry {entry} is {_KINDS.get(header.kind, 'of an unknown type')}.")
    if header.mode & 0o7000:
        raise ArchiveEntryForbidden(f"Entry {entry} has a setuid, setgid or sticky bit.")


def read_long_name(body: bytes) -> Extension:
    """The name in a GNU ``L`` body, which ends with NUL."""
    return Extension(path=body.rstrip(b"\0"))


def read_pax(body: bytes, entry: int, *, for_all: bool = False) -> Extension:
    """The path and the size that the pax records in ``body`` give.

    Raises ``ArchiveInvalid`` for malformed records or over 100 of them, for a path or size that is empty or given
    twice, and for either ``for_all`` entries at once, which readers take in different ways;
    ``ArchiveEntryForbidden`` for sparse files.
    """
    found: dict[bytes, bytes] = {}
    for key, value in _records(body, entry):
        if key.startswith(b"GNU.sparse."):
            raise ArchiveEntryForbidden(f"Entry {entry} is a sparse file.")
        if key not in (b"path", b"size"):
            continue
        if for_all or key in found or not value:
            raise ArchiveInvalid(f"The pax header of entry {entry} leaves its path or size in doubt.")
        found[key] = value
    return Extension(found.get(b"path"), _pax_size(found.get(b"size"), entry))


def _records(body: bytes, entry: int) -> list[tuple[bytes, bytes]]:
    """All records, each ``LENGTH KEY=VALUE`` and a newline; LENGTH counts the record's bytes, its own included."""
    records: list[tuple[bytes, bytes]] = []
    at = 0
    while at < len(body):
        if len(records) == _MOST_RECORDS:
            raise ArchiveInvalid(f"The pax header of entry {entry} has more than {_MOST_RECORDS} records.")
        length = _PAX_LENGTH.match(body, at)
        end = at + int(length[1]) if length else 0
        if not length or end > len(body) or body[end - 1 : end] != b"\n":
            raise ArchiveInvalid(f"The pax header of entry {entry} has a malformed record.")
        key, equals, value = body[length.end() : end - 1].partition(b"=")
        if not key or not equals:
            raise ArchiveInvalid(f"The pax header of entry {entry} has a malformed record.")
        records.append((key, value))
        at = end
    return records


def _pax_size(value: bytes | None, entry: int) -> int | None:
    if value is None:
        return None
    if not _PAX_SIZE.fullmatch(value):
        raise ArchiveInvalid(f"The pax header of entry {entry} has a malformed size.")
    return _sane(int(value), entry)


def _number(field: bytes, entry: int) -> int:
    """An octal field, or GNU's base-256: the first bit set, the rest a signed big-endian number."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F | (field[0] & 0x40) << 1]) + field[1:], signed=True)
    octal = _OCTAL.fullmatch(field)
    if not octal:
        raise ArchiveInvalid(f"The header of entry {entry} has a malformed number.")
    return int(octal[1] or b"0", 8)


def _sane(size: int, entry: int) -> int:
    if not 0 <= size < _ABSURD:
        raise ArchiveInvalid(f"Entry {entry} claims an impossible size.")
    return size
