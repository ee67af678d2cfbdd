"""Hashes a blob on its way: in the thread that moves it, or beside it where hashing is much of that thread's time.

Hashing releases the interpreter lock. Between fast ends a second thread takes a third off a large blob's time. Where an
end is slow the first one has time to hash, and on a small machine a second takes its core from the registry: between
none and 8 % of a copy's time, by how busy the machine was.
"""

from __future__ import annotations

import time
from functools import cache, partial
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from byoa.engine.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable
    from hashlib import _Hash

    from byoa.engine.workers import Job
    from byoa.oci.digest import Digest

WINDOW: Final = 8 * 1024 * 1024
"""Bytes after which it is decided anew."""

_MUCH: Final = 0.25
"""The share of its time from which hashing is worth a thread: some 0.4 between null registries, 0.1 between real."""

_beside: Final[WeakSet[BlockHash]] = WeakSet()
"""What is hashed beside at the moment: one blob. Where more are on their way, each has a thread and no core is idle."""


@cache
def _thread() -> Workers:
    return Workers(1, "hash")


class BlockHash:
    """A hash that is fed block by block. A block that was given stays the hash's until ``release`` returns."""

    def __init__(self, digest: Digest, *, now: Callable[[], float] = time.perf_counter) -> None:
        """``now`` tells seconds."""
        self._hash: _Hash = digest.hasher()
        self._now = now
        self._count = 0
        self._since = now()
        self._hashing = 0.0
        self._pending: Job[None] | None = None
        self._block: object = None

    @property
    def beside(self) -> bool:
        """Whether the next block is hashed in a thread of its own."""
        return self in _beside

    def update(self, content: memoryview) -> None:
        """Take ``content``; in order, whatever thread does it."""
        self._settle()
        if self._count >= WINDOW:
            self._decide()
        self._count += len(content)
        if self.beside:
            self._block = content.obj
            self._pending = _thread().submit(partial(self._take, content))
        else:
            self._take(content)

    def release(self, buffer: memoryview) -> None:
        """Wait until ``buffer`` may be filled anew."""
        if self._pending and buffer.obj is self._block:
            self._settle()

    def hexdigest(self) -> str:
        """The digest of all that came, in lower-case hex."""
        self._settle()
        return self._hash.hexdigest()

    def _take(self, content: memoryview) -> None:
        started = self._now()
        self._hash.update(content)
        self._hashing += self._now() - started

    def _decide(self) -> None:
        now = self._now()
        if self._hashing < _MUCH * (now - self._since):
            _beside.discard(self)
        elif not _beside:
            _beside.add(self)
        self._count, self._since, self._hashing = 0, now, 0.0

    def _settle(self) -> None:
        if self._pending:
            self._pending.result()
            self._pending = self._block = None
