"""A request for a page, as API Gateway hands it over (HTTP API, payload 2.0)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from byoa.api.visits import header_of

if TYPE_CHECKING:
    from collections.abc import Mapping

BODY_LIMIT: Final = 1024 * 1024
FIELD_LIMIT: Final = 500
"""Fields that a form may have: the largest of ours has some thirty, and one for each label of a component."""

_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?", re.ASCII)
_FORM: Final = "application/x-www-form-urlencoded"


class Unreadable(Exception):
    """A body that is no form, or too large."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for. ``method`` is GET for HEAD as well."""

    event: Mapping[str, Any]

    @property
    def method(self) -> str:
        """The method."""
        said = str(self.event["requestContext"]["http"]["method"])
        return "GET" if said == "HEAD" else said

    @property
    def path(self) -> str:
        """The path."""
        return str(self.event["rawPath"])

    @property
    def query(self) -> dict[str, str]:
        """The query's fields, the last of each name."""
        try:
            found = parse_qsl(
                self.event.get("rawQueryString") or "", keep_blank_values=True, max_num_fields=FIELD_LIMIT
            )
        except ValueError:
            return {}
        return dict(found)

    @property
    def place(self) -> str:
        """The path with its query."""
        query = self.event.get("rawQueryString")
        return f"{self.path}?{query}" if query else self.path

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies, the first of each name."""
        pairs = (str(each).partition("=") for each in self.event.get("cookies") or [])
        found: dict[str, str] = {}
        for name, _, value in pairs:
            found.setdefault(name.strip(), value.strip())
        return found

    @property
    def origin(self) -> str:
        """Where the browser has this page from, ``https://HOST``; an empty text where it doesn't say so."""
        host = self.header("host")
        scheme = self.header("x-forwarded-proto") or "http"
        return f"{scheme}://{host}" if _HOST.fullmatch(host) and scheme in ("http", "https") else ""

    @property
    def by_script(self) -> bool:
        """Whether a script of the page asks, and not somebody who goes there (W3C Fetch Metadata)."""
        return self.header("sec-fetch-dest") == "empty"

    def header(self, name: str) -> str:
        """A header, or an empty text; ``name`` in lower case."""
        return header_of(self.event, name)

    def form(self) -> dict[str, str]:
        """The body's fields, the last of each name, lines ending in LF alone. Raises ``Unreadable``."""
        kind = self.header("content-type").partition(";")[0].strip().lower()
        body = self.event.get("body") or ""
        if body and kind != _FORM:
            raise Unreadable
        try:
            raw = base64.b64decode(body) if self.event.get("isBase64Encoded") else body.encode()
            if len(raw) > BODY_LIMIT:
                raise Unreadable
            pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=FIELD_LIMIT, errors="strict")
        except (ValueError, binascii.Error):
            raise Unreadable from None
        return {name: value.replace("\r\n", "\n").replace("\r", "\n") for name, value in pairs}
