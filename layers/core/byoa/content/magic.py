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
    (_ZSTD, "zstd within its layer's compression"),
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


def other_compression(head: bytes) -> str | None:
    """What a layer that begins with ``head`` (six bytes or more) is packed with, if it is none that is read here."""
    names = (name for magic, name in _MAGICS if magic not in (_GZIP, _ZSTD) and head.startswith(magic))
    return next(names, None)


def looks_like_tar(head: bytes) -> bool:
    """Whether ``head`` (512 bytes or more) begins with a tar header or with the zeros of an empty archive."""
    block = head[:BLOCK]
    return block == ZEROS or tarball.checksum_holds(block)


def seems(block: bytes) -> str:
    """What begins with ``block``, in words."""
    for magic, name in _MAGICS:
        if block.startswith(magic):
            return name
    if block[257:262] == b"ustar":
        return "a tar archive with a damaged first header"
    return "text" if _TEXT.fullmatch(block) else "something else"
