"""A place for a blob in a registry (distribution-spec, "Pushing blobs"): in one request, or in parts that last.

Parts serve two: registries that cut long requests off, and uploads that a later process is to go on with. All others
get one PUT, which was measured to be faster than any number of parts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from byoa.adapters.registries.transport import Response, Stream
from byoa.errors import ByoaError, Rejected, UploadLost

if TYPE_CHECKING:
    from byoa.adapters.registries.endpoints import Location
    from byoa.adapters.registries.exchange import Exchange
    from byoa.engine.ports import BlobReader
    from byoa.oci.manifest import Descriptor

_BINARY: Final = {"Content-Type": "application/octet-stream"}
_RANGE: Final = re.compile(r"(?:bytes=)?0-(?P<last>[0-9]{1,19})", re.ASCII)
_BLOB: Final = "A blob of the artifact"


class RegistryUpload:
    """An upload session. ``parts`` sends it so that what arrived stays when the sender goes."""

    def __init__(
        self, exchange: Exchange, descriptor: Descriptor, place: Location, *, held: int = 0, parts: bool = False
    ) -> None:
        self._exchange = exchange
        self._descriptor = descriptor
        self._place = place
        self._parts = parts or held > 0
        self.held = held

    @property
    def session(self) -> str | None:
        """The address of the session, where it lasts."""
        return self._place.path if self._parts else None

    def reread(self) -> None:
        """A registry shows nothing of a blob before it is whole."""

    def write(self, content: BlobReader) -> None:
        """See ``engine.ports.Upload``."""
        size = self._descriptor.size
        if self._parts:
            self._send_parts(content)
        elif self._exchange.traits.upload == "patch":
            self._patch(content, size, {})
        else:
            self._put(Stream(content, size))
            return
        self._exchange.tried(lambda: self._put(b""))

    def _send_parts(self, content: BlobReader) -> None:
        part, offset = self._exchange.traits.chunk or self._descriptor.size, self.held
        while offset < self._descriptor.size:
            count = min(part, self._descriptor.size - offset)
            self._patch(content, count, {"Content-Range": f"{offset}-{offset + count - 1}"})
            offset += count

    def _patch(self, content: BlobReader, count: int, headers: dict[str, str]) -> None:
        exchange = self._exchange
        with exchange.request("PATCH", self._place.path, {**_BINARY, **headers}, Stream(content, count)) as response:
            exchange.expect(response, (202, 204), _BLOB)
            self._place = exchange.own_place(response.header("Location"), response.place)

    def _put(self, body: Stream | bytes) -> None:
        path = self._place.path
        path = f"{path}{'&' if '?' in path else '?'}digest={quote(str(self._descriptor.digest), safe='')}"
        with self._exchange.request("PUT", path, _BINARY, body) as response:
            self._exchange.expect(response, (201, 204), _BLOB)


def resume(exchange: Exchange, descriptor: Descriptor, session: str) -> RegistryUpload | None:
    """Go on with an upload of an earlier process; ``None`` where the registry has forgotten it."""
    try:
        place = exchange.own_place(session)
        with exchange.tried(lambda: _status(exchange, place)) as response:
            held = _held(response)
            found = exchange.own_place(response.header("Location") or session, response.place)
    except (Rejected, UploadLost):
        return None
    return RegistryUpload(exchange, descriptor, found, held=held, parts=True) if held <= descriptor.size else None


def _status(exchange: Exchange, place: Location) -> Response:
    response = exchange.request("GET", place.path, {})
    try:
        exchange.expect(response, (204, 202, 200), "The upload")
    except ByoaError:
        response.close()
        raise
    return response


def _held(response: Response) -> int:
    """How many bytes have arrived. An empty session and one of a single byte both say ``0-0``: taken for empty."""
    found = _RANGE.fullmatch(response.header("Range") or "")
    last = int(found["last"]) if found else 0
    return last + 1 if last else 0
