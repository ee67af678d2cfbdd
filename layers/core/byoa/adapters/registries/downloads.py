"""A blob on its way from a registry. A download that breaks off goes on where it stopped (RFC 9110, 14.2).

Where the registry sends the whole blob instead, what came before is passed over. Nothing here trusts a range: the
caller hashes the whole.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from byoa.adapters.registries.transport import ENCODED
from byoa.errors import RegistryProtocolError, ShortRead

if TYPE_CHECKING:
    from byoa.adapters.registries.exchange import Exchange
    from byoa.adapters.registries.transport import Response
    from byoa.oci.manifest import Descriptor

_CONTENT_RANGE: Final = re.compile(r"bytes (?P<first>[0-9]{1,19})-[0-9]{1,19}/(?P<size>[0-9]{1,19}|\*)", re.ASCII)
_DROPPED: Final = 64 * 1024
"""Bytes of a buffer of its own: the thread's may still be hashed."""

_WORTH_A_NEW_COUNT: Final = 1024 * 1024
"""Bytes after which a break is a new one and not the last one again."""


class Download:
    """A BlobReader from byte ``start`` on."""

    def __init__(self, exchange: Exchange, descriptor: Descriptor, start: int) -> None:
        self._exchange = exchange
        self._descriptor = descriptor
        self._offset = start
        self._tries = 0
        self._since_break = 0
        self._ranges = True
        self._response: Response | None = None
        exchange.tried(self._open)

    def readinto(self, buffer: memoryview, /) -> int:
        """The next bytes. Raises ``ShortRead`` when the stream keeps breaking off."""
        while True:
            try:
                count = self._read(buffer)
            except ShortRead as error:
                self._after_break(error)
            else:
                self._offset += count
                self._since_break += count
                return count

    def close(self) -> None:
        """End it, wherever it is."""
        if self._response:
            self._response.close()
            self._response = None

    def _read(self, buffer: memoryview) -> int:
        if self._response is None:
            self._exchange.tried(self._open)
        count = self._response.readinto(buffer) if self._response else 0
        size, encoded = self._descriptor.size, self._response is not None and self._response.encoded
        if encoded and ((count == 0 and self._offset < size and len(buffer)) or self._offset + count > size):
            raise RegistryProtocolError(ENCODED)
        if count == 0 and self._offset < size and len(buffer):
            raise ShortRead("A blob ended before the size that its descriptor says.")
        return count

    def _after_break(self, error: ShortRead) -> None:
        self.close()
        if self._since_break >= _WORTH_A_NEW_COUNT:
            self._tries = 0
        self._tries += 1
        self._since_break = 0
        if not self._exchange.patience.again(self._tries, error):
            raise error

    def _open(self) -> None:
        """Ask for what is missing, if anything is."""
        if self._offset and self._offset >= self._descriptor.size:
            return
        response = self._get({"Range": f"bytes={self._offset}-"} if self._offset and self._ranges else {})
        try:
            if self._offset and not self._goes_on(response):
                _pass_over(response, self._offset)
        except BaseException:
            response.close()
            raise
        self._response = response

    def _goes_on(self, response: Response) -> bool:
        """Whether the answer begins at our offset rather than at the blob's start.

        Who sends another range than it was asked for is asked for none any more.
        """
        if response.status == 200:  # noqa: PLR2004 - RFC 9110, 15.3.1: the range was ignored
            return False
        found = _CONTENT_RANGE.fullmatch(response.header("Content-Range") or "")
        if not found or int(found["first"]) != self._offset or found["size"] not in ("*", str(self._descriptor.size)):
            self._ranges = False
            raise ShortRead("A blob broke off, and the registry doesn't send the rest of it.")
        return True

    def _get(self, headers: dict[str, str]) -> Response:
        """GET the blob, from wherever the registry keeps it."""
        exchange, statuses = self._exchange, (200, 206, 416) if headers else (200,)
        response = exchange.request("GET", f"{exchange.base}/blobs/{self._descriptor.digest}", headers)
        if response.status not in statuses:
            with response:
                exchange.expect(response, statuses, "A blob of the artifact")
        self._check_label(response)
        return response

    def _check_label(self, response: Response) -> None:
        """An encoding that was not asked for is a label and no more where the bytes are as many as they should be."""
        length, size = response.length, self._descriptor.size
        wanted = size - self._offset if response.status == 206 else size  # noqa: PLR2004 - RFC 9110, 15.3.7
        if response.encoded and length is not None and length != wanted:
            response.close()
            raise RegistryProtocolError(ENCODED)


def _pass_over(response: Response, count: int) -> None:
    dropped = memoryview(bytearray(min(count, _DROPPED)))
    while count:
        read = response.readinto(dropped[:count])
        if read == 0:
            raise ShortRead("A blob ended before the size that its descriptor says.")
        count -= read
