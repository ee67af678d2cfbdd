"""How pages are written down: a method, a path, the function that answers, and whether everybody may see it."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from byoa.api.doorkeeping import IssuerRule
    from byoa.trust.signing_in import CodeExchanged, CodeGiven
    from byoa.web.asking import Asking
    from byoa.web.requests import Request

    type Function = Callable[..., Page | Moved | Sent]


class Page(NamedTuple):
    """A template and what it shows."""

    template: str
    title: str
    data: Mapping[str, Any]
    status: int = 200
    live: int = 0
    """Seconds after which a browser asks again whether it has changed; 0 for never."""

    cookies: tuple[str, ...] = ()
    late: Callable[[], Mapping[str, Any]] | None = None
    """Reads what else it shows, once it is known that the browser hasn't got the page. What this finds may change
    only with something that was read before: it counts for no ETag.
    """


class Moved(NamedTuple):
    """To another page, by GET."""

    place: str
    cookies: tuple[str, ...] = ()


class Sent(NamedTuple):
    """What is no page."""

    content: bytes
    kind: str
    status: int = 200
    headers: Mapping[str, str] = {}


class Door(NamedTuple):
    """What it takes to let people in with an issuer."""

    rules: Callable[[str], list[IssuerRule]]
    """An organisation's rules on issuers."""

    exchange: Callable[[CodeGiven], CodeExchanged]
    """Has the issuer be asked what a code stands for. Raises ``IssuerUnusable``."""

    may_ask: Callable[[str], bool]
    """Counts a code that an organisation's issuer is asked about; ``False`` where it were too many in a minute."""

    organisations: tuple[str, ...] = ()
    """Those whose ways to sign in everybody is shown."""


class Here(NamedTuple):
    """A request, the API for whoever makes it, and who could be let in."""

    request: Request
    api: Asking
    door: Door


class Route(NamedTuple):
    """A page, by its path: ``<name>`` stands for a part of it, ``<name:rest>`` for all that follows."""

    method: str
    path: str
    function: Function
    open: bool

    def match(self, path: str) -> dict[str, str] | None:
        """The parts of a path of this route, or ``None``. They are as long as names are, and shorter than 200."""
        found = _pattern(self.path).fullmatch(path)
        return found.groupdict() if found else None


@cache
def _pattern(path: str) -> re.Pattern[str]:
    pattern = re.sub(r"<(\w+):rest>", r"(?P<\1>.{1,2000})", path)
    pattern = re.sub(r"(?<!P)<(\w+)>", r"(?P<\1>[A-Za-z0-9_.:@-]{1,200})", pattern)
    return re.compile(pattern, re.ASCII)


class Routes(list[Route]):
    """The pages of one module."""

    def add(self, method: str, path: str, *, open: bool = False) -> Callable[[Function], Function]:  # noqa: A002 - what it is
        """Make a function the one that answers; it is called with ``Here`` and the parts of the path by name."""

        def register(function: Function) -> Function:
            self.append(Route(method, path, function, open))
            return function

        return register
