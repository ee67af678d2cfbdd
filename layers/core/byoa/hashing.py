"""Hashes large blobs beside the thread that moves them: a core for the digest while the other one reads and sends.

Hashing releases the interpreter lock, so this is worth it where a blob is large enough for the hand-over to vanish.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from byoa.workers import Workers

if TYPE_CHECKING:
    from hashlib import _Hash

    from byoa.digest import Digest
    from byoa.workers import Job

WORTH_IT: Final = 8 * 1024 * 1024
"""Bytes of a blob from which it is hashed beside."""

_beside: Final[WeakSet[BlockHash]] = WeakSet()
"""What is hashed beside at the moment: one blob. Where more are on their way, each has a thread and no core is idle."""


@cache
def _thread() -> Workers:
    return Workers(1, "hash")


class BlockHash:
    """A hash that is fed block by block. A block that was given stays the hash's until ``release`` returns."""

    def __init__(self, digest: Digest, size: int) -> None:
        """``size`` is how many bytes will come, as far as anybody knows."""
        self._hash: _Hash = digest.hasher()
        self._beside = size >= WORTH_IT and not _beside
        if self._beside:
            _beside.add(self)
        self._pending: Job[None] | None = None
        self._block: object = None

    def update(self, content: memoryview) -> None:
        """Take ``content``; in order, whatever thread does it."""
        self._settle()
        if not self._beside:
            self._hash.update(content)
            return
        self._block = content.obj
        self._pending = _thread().submit(partial(self._hash.update, content))

    def release(self, buffer: memoryview) -> None:
        """Wait until ``buffer`` may be filled anew."""
        if self._pending and buffer.obj is self._block:
            self._settle()

    def hexdigest(self) -> str:
        """The digest of all that came, in lower-case hex."""
        self._settle()
        return self._hash.hexdigest()

    def _settle(self) -> None:
        if self._pending:
            self._pending.result()
            self._pending = self._block = None
