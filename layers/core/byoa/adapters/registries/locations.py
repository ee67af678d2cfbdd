"""Reads an address that a registry sends: once, strictly, into parts that are used as they are.

Parsers disagree about malformed addresses, so what is checked must be what is connected to: no address is ever put
together again and parsed a second time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urljoin

from byoa.adapters.registries.endpoints import Endpoint, Location
from byoa.adapters.registries.traits import traits_of
from byoa.errors import ByoaError, RedirectRefused
from byoa.oci.reference import Registry

if TYPE_CHECKING:
    from collections.abc import Container

_LIMIT: Final = 8192
_SOUND: Final = re.compile(r"[!-\[\]-~]+", re.ASCII)
"""Printable ASCII without blanks and without the backslash."""

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)
_PORTS: Final[dict[Literal["https", "http"], int]] = {"https": 443, "http": 80}
_HERE: Final = "http://here"
"""Stands for the endpoint while a path is resolved, so that none is taken for one."""


def endpoint_of(registry: Registry, *, scheme: Literal["https", "http"] = "https") -> Endpoint:
    """Where a registry answers."""
    return Endpoint(scheme, traits_of(registry).address or registry.host, registry.port or _PORTS[scheme])


def parse_location(text: str, base: Endpoint, path: str = "/") -> Location | None:
    """Read an address, absolute or relative to ``path`` on ``base`` (RFC 3986, 5); ``None`` for what is none of ours.

    What stands behind a # is for who sends it alone (RFC 9110, 10.2.2).
    """
    text = text.partition("#")[0]
    if len(text) > _LIMIT or not _SOUND.fullmatch(text):
        return None
    if text.startswith("//"):
        text = f"{base.scheme}:{text}"
    if text.startswith("/") and "/." not in text:  # nothing to resolve, as with most registries
        return Location(base, text)
    if not _SCHEME.match(text):
        return Location(base, urljoin(_HERE + path, text).removeprefix(_HERE))
    scheme, _, rest = text.partition("://")
    if scheme.lower() == "https":
        return _absolute(rest, "https")
    return _absolute(rest, "http") if scheme.lower() == "http" else None


def _absolute(rest: str, scheme: Literal["https", "http"]) -> Location | None:
    end = next((index for index, character in enumerate(rest) if character in "/?"), len(rest))
    try:
        registry = Registry.parse(rest[:end])
    except ByoaError:
        return None
    path = rest[end:]
    return Location(endpoint_of(registry, scheme=scheme), path if path.startswith("/") else f"/{path}")


def redirected(address: str | None, place: Location, plain: Container[Endpoint]) -> Location:
    """Where a redirect leads that was met at ``place``; only ``plain`` endpoints may be without TLS.

    Raises ``RedirectRefused``.
    """
    location = parse_location(address or "", place.endpoint, place.path)
    if location is None:
        raise RedirectRefused("The registry redirects to something that is no sound address.")
    if location.endpoint.scheme != "https" and location.endpoint not in plain:
        authority, plain_too = location.endpoint.authority, place.endpoint.scheme == "http"
        remedy = f"If that is meant, add --plain-http {authority}." if plain_too else ""
        raise RedirectRefused(f"The registry redirects to {authority}, which is without TLS.", remedy=remedy)
    return location
