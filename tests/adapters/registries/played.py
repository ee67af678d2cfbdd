"""One registry on loopback that plays every host there is, each by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from byoa.adapters.registries.transport import Response, Stream
    from local.registry import Registry, Request

_ROLE: Final = "X-Played-Endpoint"


class Played(Transport):
    """A transport that takes every endpoint for the one registry, tells it whose part it plays, and notes both."""

    def __init__(self, registry: Registry) -> None:
        super().__init__()
        host, _, port = registry.address.partition(":")
        self._there = Endpoint("http", host, int(port))
        self.sent: list[tuple[str, str, str, str | None]] = []
        """Method, endpoint, path with its query, and Authorization of each request."""

    def request(
        self,
        method: str,
        endpoint: Endpoint,
        path: str,
        headers: Mapping[str, str],
        body: bytes | Stream | None = None,
    ) -> Response:
        self.sent.append((method, str(endpoint), path, headers.get("Authorization")))
        return super().request(method, self._there, path, {**headers, _ROLE: str(endpoint)}, body)

    def shown_to(self, endpoint: str) -> list[str | None]:
        """The Authorization of each request to an endpoint."""
        return [shown for _, to, _, shown in self.sent if to == endpoint]


def part_of(request: Request) -> str:
    """Whom the request is for: ``https://registry.example.com``."""
    return request.headers[_ROLE] or ""
