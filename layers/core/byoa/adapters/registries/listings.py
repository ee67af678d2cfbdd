"""Lists that registries send in pages: tags, and referrers (distribution-spec, "Content Discovery")."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Final

from byoa.adapters.registries.endpoints import Location
from byoa.adapters.registries.fields import read_links
from byoa.adapters.registries.locations import parse_location
from byoa.errors import GraphLimit, RedirectRefused, RegistryProtocolError
from byoa.oci.reference import is_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.adapters.registries.exchange import Exchange
    from byoa.adapters.registries.transport import Response

PAGES: Final = 200
PAGE_LIMIT: Final = 4 * 1024 * 1024
"""Bytes; a list of referrers is an index, and that may have as many (distribution-spec, "Pushing Manifests")."""

LIST_LIMIT: Final = 32 * 1024 * 1024
"""Bytes of all pages: more than 200,000 tags have."""


def not_found(response: Response) -> bool:
    """Whether an answer says that there is no such list."""
    return response.status == 404  # noqa: PLR2004 - RFC 9110, 15.5.5


def pages(  # noqa: PLR0913, PLR0917 - a request's parts, and what is to be said of its answers
    exchange: Exchange,
    path: str,
    headers: dict[str, str],
    what: str,
    remedy: str,
    absent: Callable[[Response], bool] = not_found,
) -> Iterator[bytes | None]:
    """The bodies of all pages from ``path`` on; ``None``, once and alone, where the first answer is ``absent``.

    Further pages are fetched from where the page before came from. Raises ``GraphLimit``, with ``remedy``, over 200
    pages or 32 MiB.
    """
    left, place = LIST_LIMIT, Location(exchange.endpoint, path)
    for number in range(PAGES):
        page = partial(_page, exchange, place, headers, what, None if number else absent)
        content, following = exchange.tried(page)
        left -= len(content or b"")
        if left < 0:
            raise GraphLimit(f"{what} is larger than {LIST_LIMIT} bytes.", remedy=remedy)
        yield content
        if following is None:
            return
        place = following
    raise GraphLimit(f"{what} has more than {PAGES} pages.", remedy=remedy)


def _page(
    exchange: Exchange, place: Location, headers: dict[str, str], what: str, absent: Callable[[Response], bool] | None
) -> tuple[bytes | None, Location | None]:
    with exchange.request_at(place, "GET", headers) as response:
        if absent and absent(response):
            return None, None
        exchange.expect(response, (200,), what)
        content = response.read(PAGE_LIMIT)
        return content, _following(exchange, response, response.place or place, what)


def _following(exchange: Exchange, response: Response, place: Location, what: str) -> Location | None:
    """The next page's address (RFC 8288). A field that can't be read may name one, so it is not the end."""
    for value in response.headers("Link"):
        links = read_links(value)
        if links is None:
            raise RegistryProtocolError(f"{what} has a Link field that can't be read, so it may go on.")
        for link in links:
            if "next" in link.relations:
                return _next_place(exchange, link.address, place)
    return None


def _next_place(exchange: Exchange, address: str, place: Location) -> Location:
    location = parse_location(address, place.endpoint, place.path)
    if location is None:
        raise RegistryProtocolError("The registry names no sound place to go on.")
    if location.endpoint not in (exchange.endpoint, place.endpoint):
        raise RedirectRefused(f"The registry sends a listing to {location.endpoint.authority}.")
    return location


def read_document(content: bytes, what: str) -> dict[str, object]:
    """One page's JSON object. Raises ``RegistryProtocolError``."""
    if len(content) > PAGE_LIMIT:
        raise RegistryProtocolError(f"{what} is larger than 4 MiB.")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise RegistryProtocolError(f"{what} is not JSON.") from None
    if not isinstance(document, dict):
        raise RegistryProtocolError(f"{what} is not a JSON object.")
    return document


def tag_names(document: dict[str, object]) -> tuple[list[str], int]:
    """The tags of one page, and how many names are none and passed over; a repository without any has ``null``."""
    values = document.get("tags")
    listed = values if isinstance(values, list) else []
    found = [value for value in listed if isinstance(value, str) and is_tag(value)]
    return found, len(listed) - len(found)
