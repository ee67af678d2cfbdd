"""Content digests (image-spec, descriptor.md, "Digests")."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from byoa.errors import DigestUnsupported, ReferenceInvalid

if TYPE_CHECKING:
    from hashlib import _Hash

    from byoa.errors import ByoaError

_HEX_LENGTHS: Final = {"sha256": 64, "sha512": 128}
_ALGORITHM: Final = re.compile(r"[A-Za-z0-9]+(?:[+._-][A-Za-z0-9]+)*", re.ASCII)
_HEX: Final = re.compile(r"[0-9a-f]+", re.ASCII)


class Digest(NamedTuple):
    """An algorithm and lower-case hex, rendered as ``algorithm:hex``."""

    algorithm: str
    hex: str

    @classmethod
    def parse(cls, text: str, *, malformed: type[ByoaError] = ReferenceInvalid) -> Self:
        """Take ``sha256:`` with 64 or ``sha512:`` with 128 lower-case hex digits, and nothing around them.

        Raises ``DigestUnsupported`` for other algorithms and ``malformed`` for everything else.
        """
        algorithm, separator, encoded = text.partition(":")
        if not separator or not _ALGORITHM.fullmatch(algorithm):
            raise malformed("A digest is written ALGORITHM:HEX, for example sha256 and 64 hex digits.")
        length = _HEX_LENGTHS.get(algorithm)
        if length is None:
            raise DigestUnsupported("The digest's algorithm is neither sha256 nor sha512.")
        if len(encoded) != length or not _HEX.fullmatch(encoded):
            raise malformed(f"A {algorithm} digest has exactly {length} hex digits, in lower case.")
        return cls(algorithm, encoded)

    @classmethod
    def of(cls, content: bytes, algorithm: str = "sha256") -> Self:
        """The digest of ``content``."""
        return cls(algorithm, hashlib.new(algorithm, content).hexdigest())

    def hasher(self) -> _Hash:
        """A fresh hash object of this digest's algorithm."""
        return hashlib.new(self.algorithm)

    def matches(self, content: bytes) -> bool:
        """Whether ``content`` hashes to this digest."""
        return self.of(content, self.algorithm) == self

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"
