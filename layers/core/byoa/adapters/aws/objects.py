"""Objects of S3 as BlobReaders."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Final, cast

from botocore.exceptions import BotoCoreError

from byoa.errors import ShortRead

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.response import StreamingBody

_BROKEN: Final = (BotoCoreError, OSError)


class ObjectReader:
    """The body of one object."""

    def __init__(self, body: StreamingBody) -> None:
        self._body = body

    def readinto(self, buffer: memoryview, /) -> int:
        """The next bytes. Raises ``ShortRead`` when the connection breaks."""
        try:
            return self._body.readinto(cast("IO[bytes]", buffer))  # a stub's mistake: it takes a buffer
        except _BROKEN as error:
            raise ShortRead("The connection broke while the quarantine was sending.") from error

    def read(self, limit: int) -> bytes:
        """All bytes, at most ``limit`` of them and one more. Raises ``ShortRead`` when the connection breaks."""
        found = bytearray()
        try:
            while len(found) <= limit and (more := self._body.read(limit + 1 - len(found))):
                found += more
        except _BROKEN as error:
            raise ShortRead("The connection broke while the quarantine was sending.") from error
        return bytes(found)


class Nothing:
    """What is left of an object that was read to its end."""

    def readinto(self, buffer: memoryview, /) -> int:
        """No bytes."""
        del buffer
        return 0


class PartsReader:
    """``count`` parts of a blob, one after the other; ``open_part`` opens one by its number from 0 on."""

    def __init__(self, open_part: Callable[[int], StreamingBody], count: int) -> None:
        self._open = open_part
        self._waiting = list(range(count))
        self._current: StreamingBody | None = None

    def readinto(self, buffer: memoryview, /) -> int:
        """The next bytes of the part that is due."""
        while self._current or self._waiting:
            self._current = self._current or self._open(self._waiting.pop(0))
            count = ObjectReader(self._current).readinto(buffer)
            if count:
                return count
            self.close()
        return 0

    def close(self) -> None:
        """End the part that is being read."""
        if self._current:
            self._current.close()
            self._current = None
