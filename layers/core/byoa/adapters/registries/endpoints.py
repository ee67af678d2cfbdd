"""Where requests go, as parts that are used as they are."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Endpoint(NamedTuple):
    """Where to connect. ``host`` is a name or an address, IPv6 without brackets."""

    scheme: Literal["https", "http"]
    host: str
    port: int

    @property
    def authority(self) -> str:
        """``host``, with the port where it isn't the scheme's own: what goes into the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


class Location(NamedTuple):
    """An endpoint and the request target there, query included."""

    endpoint: Endpoint
    path: str
