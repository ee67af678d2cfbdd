"""What bytes are, by how they begin: never by what a media type says of them."""

from __future__ import annotations

import re
from typing import Final

from byoa.content import tarball
from byoa.content.tarball import BLOCK, ZEROS

MAGIC: Final = 6
"""So many bytes tell every compression."""

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPED: Final = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
_MAGICS: Final = (
    (_GZIP, "gzip within gzip"),
    (_ZSTD, "zstd within zstd"),
    (b"PK\x03\x04", "zip"),
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"\x04\x22\x4d\x18", "lz4"),
)
_TEXT: Final = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]+")


def is_gzip(head: bytes) -> bool:
    """Whether a layer that begins with ``head`` (two bytes or more) is gzip (RFC 1952, section 2.3.1)."""
    return head.startswith(_GZIP)


def is_zstd(head: bytes) -> bool:
    """Whether a layer that begins with ``head`` (four bytes or more) is zstd (RFC 8878, section 3.1)."""
    return head.startswith(_ZSTD) or _ZSTD_SKIPPED.match(head) is not None


def compression(head: bytes) -> str | None:
    """What bytes that begin with ``head`` (six or more) are packed with, within what has been unpacked already."""
    return next((name for magic, name in _MAGICS if head.startswith(magic)), None)


def other_compression(head: bytes) -> str | None:
    """The same for a layer as it is, if it is none of the two that are read here."""
    return None if is_gzip(head) or is_zstd(head) else compression(head)


def looks_like_tar(head: bytes) -> bool:
    """Whether ``head`` (512 bytes or more) begins with a tar header or with the zeros of an empty archive."""
    block = head[:BLOCK]
    return block == ZEROS or tarball.checksum_holds(block)


def seems(block: bytes) -> str:
    """What begins with ``block``, in words."""
    packed = compression(block)
    if packed:
        return packed
    if block[257:262] == b"ustar":
        return "a tar archive with a damaged first header"
    return "text" if _TEXT.fullmatch(block) else "something else"
