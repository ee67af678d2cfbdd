"""The face of the API: lets callers in or not, hands requests to routes, and gives every answer its shape.

What comes before a route, in this order: who is it (``_identify``), is it something that can be read (``_readable``),
Powertools' validation, and then the middlewares of ``app``. So a stranger learns nothing, not even what is valid.
"""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any, Final, NoReturn

from aws_lambda_powertools import Logger

from byoa.api.knocks import let_in
from byoa.api.problems import Problem, body_of, of_error, rendered, scope_missing
from byoa.api.rates import headers as rate_headers
from byoa.api.tokens import USE_NOTED_EVERY_MS, allowed, is_organisation, recognised
from byoa.api.visits import Visit, current, header_of
from byoa.builds.records import milliseconds
from byoa.errors import ByoaError
from byoa.trust.jwts import parse_jwt
from byoa.trust.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from byoa.api.doorkeeping import TokenRecord
    from byoa.api.operations import Operation
    from byoa.api.ports import World
    from byoa.trust.jwts import Jwt

logger: Final = Logger(service="byoa")
BODY_LIMIT: Final = 1024 * 1024
"""Bytes of a request's body: a component's file has 256 KiB, which JSON's escapes can double."""

type Event = dict[str, Any]


class Face:
    """The handler: an event of API Gateway's (HTTP API, payload 2.0) in, an answer out. Raises nothing."""

    def __init__(self, world: World, app: APIGatewayHttpResolver, operations: list[Operation]) -> None:
        self.app = app
        self.operations = operations
        self._world = world
        self._open = {each.path for each in operations if each.scope == "open"}
        self._rates = Windows(world.quota)

    def __call__(self, event: Event, context: LambdaContext) -> Event:
        """Answer a request."""
        started, head = time.perf_counter(), event["requestContext"]["http"]["method"] == "HEAD"
        asked = _as_get(event) if head else event
        whose: dict[str, str] = {}
        told: dict[str, str] = {}
        answer = self._let_in(asked, context, whose, told)
        answer["headers"] = {**(answer.get("headers") or {}), **told}
        answer["headers"]["X-Request-Id"] = event["requestContext"].get("requestId", "")
        answer["headers"]["X-Content-Type-Options"] = "nosniff"
        logger.info(
            "answered",
            method=event["requestContext"]["http"]["method"],
            status=answer["statusCode"],
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
            request_id=event["requestContext"].get("requestId", ""),
            whose=whose,
        )
        return {**answer, "body": "" if head else answer.get("body") or ""}

    def _let_in(self, event: Event, context: LambdaContext, whose: dict[str, str], told: dict[str, str]) -> Event:
        """The answer; ``whose`` it is and the headers that are ``told`` of the caller are filled in."""
        try:
            caller = None if event["rawPath"] in self._open else self._identify(event)
            if caller:
                whose |= {"organisation": caller.organisation, "token": caller.id}
                self._count(caller, told)
        except Problem as problem:
            return _told(problem, event)
        except ByoaError as error:
            return _ours(error, event)
        return self.answer(event, context, caller)

    def answer(self, event: Event, context: LambdaContext, caller: TokenRecord | None) -> Event:
        """Answer a request of somebody who was let in, or of nobody where that is enough."""
        visit = None
        try:
            if caller:
                self._check_scope(event, caller)
                visit = current.set(Visit(self._world, caller, event))
            return self.app.resolve(_readable(event), context)
        except Problem as problem:
            return _told(problem, event)
        except ByoaError as error:
            return _ours(error, event)
        finally:
            if visit:
                current.reset(visit)

    def _count(self, caller: TokenRecord, told: dict[str, str]) -> None:
        """Raise ``Problem`` with 429 for a caller that asks too often. A session asks as the token that it is of."""
        now_ts = milliseconds(self._world.clock.now())
        standing = self._rates.count(f"{caller.organisation} {caller.parent or caller.id}", now_ts)
        told |= rate_headers(standing, self._rates.most)
        if not standing.within:
            raise Problem("too_many")

    def _check_scope(self, event: Event, caller: TokenRecord) -> None:
        """Before a body is looked at; ``around.gate`` asks again, of every route."""
        method, path = event["requestContext"]["http"]["method"], event["rawPath"]
        found = next((each for each in self.operations if each.method == method and each.matches(path)), None)
        if found and found.scope != "open" and not allowed(caller.scopes, found.scope):
            raise scope_missing(found.scope)

    def _identify(self, event: Event) -> TokenRecord:
        """The record of the token that the request has. Raises ``Problem`` with 401, or 403 for another's id."""
        kind, _, text = header_of(event, "authorization").partition(" ")
        if kind.lower() != "bearer" or not text:
            raise Problem("token_missing")
        named = {header_of(event, "x-nuon-org-id"), (event.get("queryStringParameters") or {}).get("org_id") or ""}
        named -= {""}
        now_ts = milliseconds(self._world.clock.now())
        if jwt := parse_jwt(text.strip()):
            return self._identify_by_jwt(jwt, named, now_ts)
        return self._identify_by_token(text.strip(), named, now_ts)

    def _identify_by_token(self, text: str, named: set[str], now_ts: int) -> TokenRecord:
        record = recognised(self._world.doorkeeper, text, now_ts)
        if record is None:
            _refuse()
        if named - {record.organisation}:
            raise Problem("organisation_other")
        if now_ts - (record.last_used_ts or 0) >= USE_NOTED_EVERY_MS:
            self._world.tokens(record.organisation).used(record, now_ts)
        return record

    def _identify_by_jwt(self, jwt: Jwt, named: set[str], now_ts: int) -> TokenRecord:
        """A JWT doesn't say which organisation it knocks at: the request does, once."""
        if not named:
            raise Problem("organisation_missing")
        organisation = named.pop()
        record = let_in(self._world, jwt, organisation, now_ts) if is_organisation(organisation) and not named else None
        if record is None:
            _refuse()
        return record


def _refuse() -> NoReturn:
    """One answer, whatever is wrong with a token."""
    raise Problem("token_refused")


def _told(problem: Problem, event: Event) -> Event:
    body = body_of(problem.status, problem.code, problem.cause, problem.remedy, event["rawPath"], problem.faults)
    return _built(rendered(body, header_of(event, "accept"), problem.headers))


def _ours(error: ByoaError, event: Event) -> Event:
    status, headers = of_error(error)
    logger.warning("refused", error=error.as_dict())
    body = body_of(status, error.code, error.cause, error.remedy, event["rawPath"])
    return _built(rendered(body, header_of(event, "accept"), headers))


def _as_get(event: Event) -> Event:
    context = event["requestContext"]
    return {**event, "requestContext": {**context, "http": {**context["http"], "method": "GET"}}}


def _readable(event: Event) -> Event:
    """The event with its body as text. Raises ``Problem`` for one that is too large, no JSON by type, or no UTF-8."""
    body = event.get("body")
    if not body:
        return event
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogatepass")
    if len(raw) > BODY_LIMIT:
        raise Problem("too_large")
    kind = header_of(event, "content-type").partition(";")[0].strip().lower()
    if kind not in ("", "application/json"):
        raise Problem("media_type")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise Problem("request_unreadable", cause="The body is not UTF-8.") from None
    headers = {**(event.get("headers") or {}), "content-type": "application/json"}
    return {**event, "headers": headers, "body": text, "isBase64Encoded": False}


def read_json(text: str) -> Any:  # noqa: ANN401 - any JSON
    """A body. Raises ``Problem`` for what isn't one JSON document, and for what no store could keep."""
    try:
        found = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False).encode()  # halves of surrogate pairs are no text
    except (ValueError, RecursionError):
        raise Problem("request_unreadable") from None
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers take one of two equal names each."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _built(response: Any) -> Event:  # noqa: ANN401 - Powertools' own
    headers: Mapping[str, str] = response.headers
    return {
        "statusCode": response.status_code,
        "headers": {**headers},
        "body": response.body,
        "isBase64Encoded": False,
        "cookies": [],
    }
