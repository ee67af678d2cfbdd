"""Reads an address that a registry sends: once, strictly, into parts that are used as they are.

Parsers disagree about malformed addresses, so what is checked must be what is connected to: no address is ever put
together again and parsed a second time.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from byoa.adapters.registries.traits import traits_of
from byoa.adapters.registries.transport import Endpoint
from byoa.errors import ByoaError
from byoa.oci.reference import Registry

_LIMIT: Final = 8192
_SOUND: Final = re.compile(r"[!-\[\]-~]+", re.ASCII)
"""Printable ASCII without blanks and without the backslash."""

_PORTS: Final[dict[Literal["https", "http"], int]] = {"https": 443, "http": 80}


class Location(NamedTuple):
    """An endpoint and the request target there, query included."""

    endpoint: Endpoint
    path: str


def endpoint_of(registry: Registry, *, scheme: Literal["https", "http"] = "https") -> Endpoint:
    """Where a registry answers."""
    return Endpoint(scheme, traits_of(registry).address or registry.host, registry.port or _PORTS[scheme])


def parse_location(text: str, base: Endpoint) -> Location | None:
    """Read an absolute address, or an absolute path on ``base``; ``None`` for whatever else stands there."""
    if len(text) > _LIMIT or not _SOUND.fullmatch(text) or "#" in text:
        return None
    if text.startswith("/") and not text.startswith("//"):
        return Location(base, text)
    scheme, separator, rest = text.partition("://")
    authority, slash, path = rest.partition("/")
    if not separator or scheme not in ("https", "http") or "?" in authority:
        return None
    try:
        registry = Registry.parse(authority)
    except ByoaError:
        return None
    endpoint = endpoint_of(registry, scheme="https" if scheme == "https" else "http")
    return Location(endpoint, f"/{path}" if slash else "/")
