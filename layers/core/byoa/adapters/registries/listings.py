"""Lists that registries send in pages: tags, and referrers (distribution-spec, "Content Discovery")."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Final

from byoa.errors import GraphLimit, RegistryProtocolError
from byoa.oci.reference import is_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.adapters.registries.exchange import Exchange
    from byoa.adapters.registries.transport import Response

PAGES: Final = 100
PAGE_LIMIT: Final = 4 * 1024 * 1024
"""Bytes; a list of referrers is an index, and that may have as many (distribution-spec, "Pushing Manifests")."""

LIST_LIMIT: Final = 32 * 1024 * 1024
"""Bytes of all pages: ten times what as many tags or referrers have as are read of a list."""

_NEXT: Final = re.compile(r'\s*<(?P<address>[^<>]*)>\s*;\s*rel="?next"?\s*', re.ASCII)


def not_found(response: Response) -> bool:
    """Whether an answer says that there is no such list."""
    return response.status == 404  # noqa: PLR2004 - RFC 9110, 15.5.5


def pages(
    exchange: Exchange,
    path: str,
    headers: dict[str, str],
    what: str,
    absent: Callable[[Response], bool] = not_found,
) -> Iterator[dict[str, object] | None]:
    """The documents of all pages from ``path`` on; ``None``, once and alone, where the first answer is ``absent``.

    Further pages are fetched from the same endpoint alone. Raises ``GraphLimit`` over 100 pages or 32 MiB.
    """
    left = LIST_LIMIT
    for number in range(PAGES):
        page = partial(_page, exchange, path, headers, what, None if number else absent)
        content, following = exchange.tried(page)
        left -= len(content or b"")
        if left < 0:
            raise GraphLimit(f"{what} is larger than {LIST_LIMIT} bytes.")
        yield None if content is None else _document(content, what)
        if following is None:
            return
        path = following
    raise GraphLimit(f"{what} has more than {PAGES} pages.")


def _page(
    exchange: Exchange, path: str, headers: dict[str, str], what: str, absent: Callable[[Response], bool] | None
) -> tuple[bytes | None, str | None]:
    with exchange.request("GET", path, headers) as response:
        if absent and absent(response):
            return None, None
        exchange.expect(response, (200,), what)
        content = response.read(PAGE_LIMIT)
        following = _following(exchange, response)
    return content, following


def _following(exchange: Exchange, response: Response) -> str | None:
    """The next page's address (RFC 8288)."""
    for value in response.headers("Link"):
        found = _NEXT.fullmatch(value)
        if found:
            return exchange.own_place(found["address"]).path
    return None


def _document(content: bytes, what: str) -> dict[str, object]:
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
