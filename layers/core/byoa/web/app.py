"""The dashboard, put together: who is asking, which page it is, and what every answer has."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger

from byoa.api.problems import CODES, TITLES, of_error
from byoa.api.tokens import recognised
from byoa.builds.records import milliseconds
from byoa.errors import ByoaError, InternalFault
from byoa.trust.windows import Windows
from byoa.web.asking import Asking, Refused
from byoa.web.assets import version
from byoa.web.guards import HEADERS, is_ours
from byoa.web.pages import (
    builds,
    comparing,
    components,
    credentials,
    deploys,
    editor,
    general,
    hooks,
    install_forms,
    installs,
    issuers,
    overview,
    policies,
    providers,
    records,
    signing,
    tokens,
)
from byoa.web.rendering import prepare, render
from byoa.web.requests import Request, Unreadable
from byoa.web.routes import Door, Here, Moved, Page, Route, Sent
from byoa.web.sessions import token_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from byoa.api.face import Face
    from byoa.api.ports import World
    from byoa.trust.signing_in import CodeExchanged, CodeGiven
    from byoa.web.asking import Event, Send

    type Exchange = Callable[[CodeGiven], CodeExchanged]

logger: Final = Logger(service="byoa")

ROUTES: Final[list[Route]] = [
    *signing.routes, *providers.routes, *overview.routes, *components.routes, *editor.routes, *builds.routes,
    *comparing.routes, *install_forms.routes, *deploys.routes, *installs.routes, *credentials.routes, *tokens.routes,
    *issuers.routes, *policies.routes, *hooks.routes, *records.routes, *general.routes,
]  # fmt: skip
"""All pages; the first that fits answers."""

CODES_A_MINUTE: Final = 60
"""Codes of strangers that an organisation's issuers are asked about by one process."""


class Dashboard:
    """The handler: an event of API Gateway's in, an answer out. Raises nothing.

    ``face`` reads of ``world`` in this process; ``send`` has the API's own function do what changes something, and
    ``exchange`` another one ask issuers what a code stands for. Everybody is shown the ways to sign in that
    ``organisations`` have.
    """

    def __init__(self, world: World, face: Face, send: Send, exchange: Exchange, organisations: Iterable[str]) -> None:
        self._world, self._face, self._send = world, face, send
        self._codes = Windows(CODES_A_MINUTE)
        self._door = Door(world.doorkeeper.rules, exchange, self._may_ask, tuple(sorted(organisations)))
        prepare()

    def __call__(self, event: Event, context: LambdaContext) -> Event:
        """Answer a request."""
        request = Request(event)
        asked = event["requestContext"]
        address, domain = str(asked["http"].get("sourceIp", "")), str(asked.get("domainName", ""))
        asking = Asking(self._face, self._send, context, address, domain)
        here = Here(request, asking, self._door)
        try:
            answer = self._answer(here)
        except Refused as refused:
            answer = _failed(here, refused.status, refused.problem)
        except Unreadable:
            answer = _known(here, "request_unreadable", "The form can't be read, or is over 1 MiB.")
        except ByoaError as error:
            status, _ = of_error(error)
            logger.warning("refused", error=error.as_dict())
            answer = _failed(here, status, error.as_dict())
        except Exception as error:
            logger.exception("failed", exc_info=error)
            answer = _failed(here, 500, InternalFault("The platform failed in a way it doesn't know.").as_dict())
        logger.info("answered", method=request.method, status=answer["statusCode"])
        if event["requestContext"]["http"]["method"] == "HEAD":
            return {**answer, "body": "", "isBase64Encoded": False}
        return answer

    def _answer(self, here: Here) -> Event:
        request = here.request
        self._recognise(here)
        matches = [(each, parts) for each in ROUTES if (parts := each.match(request.path)) is not None]
        found = next(((each, parts) for each, parts in matches if each.method == request.method), None)
        if found is None:
            return _known(here, "method_unknown" if matches else "route_unknown")
        route, parts = found
        if request.method != "GET" and not is_ours(request):
            return _forged(here)
        if here.api.caller is None and not route.open:
            return _built(here, signing.wanted(here))
        return _built(here, route.function(here, **parts))

    def _may_ask(self, organisation: str) -> bool:
        return self._codes.count(organisation, milliseconds(self._world.clock.now())).within

    def _recognise(self, here: Here) -> None:
        token = token_in(here.request)
        if token:
            now_ts = milliseconds(self._world.clock.now())
            here.api.caller = recognised(self._world.doorkeeper, token, now_ts)
            here.api.token = token


def _built(here: Here, found: Page | Moved | Sent) -> Event:
    match found:
        case Moved(place, cookies):
            return _answered(303, "", {"Location": place, "Cache-Control": "no-store"}, cookies)
        case Sent(content, kind, status, headers):
            packed = base64.b64encode(content).decode()
            sent = {"Content-Type": kind, "Cache-Control": "private, no-cache", **headers}
            return {**_answered(status, packed, sent), "isBase64Encoded": True}
        case Page():
            return _page(here, found)


def _page(here: Here, page: Page) -> Event:
    """A page, unless the browser has it: what it was made of says so, before the rest is read and anything rendered."""
    etag, tagged = _etag(here), page.status == 200 and here.request.method == "GET"  # noqa: PLR2004 - RFC 9110, 15.3.1
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "private, no-cache" if tagged else "no-store",
    }
    if tagged and here.api.asked:
        headers["ETag"] = etag
        if etag in here.request.header("if-none-match"):
            return _answered(304, "", headers)
    data = {**page.data, **(page.late() if page.late else {})}
    common = {
        "title": page.title,
        "caller": here.api.caller,
        "place": here.request.place,
        "path": here.request.path,
        "origin": here.request.origin,
        "asked": [each for each, etag in here.api.asked.items() if etag],  # and not what wasn't there
        "live": page.live,
        "etag": etag,
    }
    return _answered(page.status, render(page.template, {**common, **data}), headers, page.cookies)


def _etag(here: Here) -> str:
    """Of the API's answers, of who reads, and of our own templates and assets."""
    caller = here.api.caller
    who = f"{caller.id} {' '.join(caller.scopes)}" if caller else ""
    parts = [version(), BUILT, here.request.place, here.request.origin, who, *map(" ".join, here.api.asked.items())]
    return f'"{hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]}"'


def _templates() -> str:
    from byoa.web.rendering import FOLDER  # noqa: PLC0415 - read once

    every = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*.html")):
        every.update(path.read_bytes())
    return every.hexdigest()[:12]


BUILT: Final = _templates()


def _answered(status: int, body: str, headers: Mapping[str, str], cookies: Sequence[str] = ()) -> Event:
    return {
        "statusCode": status,
        "headers": {**HEADERS, **headers},
        "cookies": list(cookies),
        "body": body,
        "isBase64Encoded": False,
    }


def _known(here: Here, code: str, cause: str = "") -> Event:
    status, standard, remedy = CODES[code]
    return _failed(here, status, {"code": code, "cause": cause or standard, "remedy": remedy})


def _forged(here: Here) -> Event:
    told = {
        "code": "other_site",
        "cause": "The form was not sent by a page of the dashboard.",
        "remedy": "Open the page here and send it again.",
    }
    return _failed(here, 403, told)


def _failed(here: Here, status: int, told: Mapping[str, Any]) -> Event:
    problem = {"code": told["code"], "cause": told.get("cause") or told.get("detail"), "remedy": told["remedy"]}
    faults = told.get("errors") or []
    title = TITLES.get(status, "Not done")
    return _page(here, Page("problem.html", title, {"problem": problem, "faults": faults}, status))


def make(world: World, face: Face, send: Send, exchange: Exchange, organisations: Iterable[str] = ()) -> Dashboard:
    """The handler over ``world``."""
    return Dashboard(world, face, send, exchange, organisations)
