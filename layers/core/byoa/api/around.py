"""What happens around every route: who may, what is noted of it, and what its answers have in common."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.event_handler import Response

from byoa.api.ports import Deed, Kept
from byoa.api.problems import Problem, of_error, scope_missing
from byoa.api.tokens import allowed, random_id
from byoa.api.visits import current, visit
from byoa.errors import ByoaError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
    from aws_lambda_powertools.event_handler.middlewares import NextMiddleware

    from byoa.api.operations import Operation

    type Middleware = Callable[[APIGatewayHttpResolver, NextMiddleware], Response[Any]]

KEY_LIMIT: Final = 255
KEPT_LIMIT: Final = 300 * 1024
"""Characters of an answer that is kept: an item of the table takes 400 KB."""

_UNKNOWN: Final = 500


def gate(operation: Operation) -> Middleware:
    """Let nobody through but callers whose token has the operation's scope."""

    def check(app: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
        if operation.scope != "open":
            found = current.get(None)
            if found is None:
                raise Problem("token_missing")
            if not allowed(found.caller.scopes, operation.scope):
                raise scope_missing(operation.scope)
        return next_middleware(app)

    return check


def note_deeds(operation: Operation) -> Middleware:
    """Note every write, before it is done and after: what can't be noted isn't done."""

    def note(app: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
        here = visit()
        journal = here.world.journal(here.organisation)
        http = here.event["requestContext"]["http"]
        deed = Deed(
            id=random_id("adt"),
            at_ts=here.now_ts,
            token_id=here.caller.id,
            token_name=here.caller.name,
            what=operation.name,
            path=here.event["rawPath"],
            address=str(http.get("sourceIp", "")),
        )
        journal.begin(deed)
        status = _UNKNOWN
        try:
            answer = next_middleware(app)
            status = answer.status_code
        except Problem as problem:
            status = problem.status
            raise
        except ByoaError as error:
            status, _ = of_error(error)
            raise
        finally:
            journal.end(deed, status)
        return answer

    return note


def keep_answers(operation: Operation) -> Middleware:
    """Answer a request that came before with the same Idempotency-Key as it was answered then.

    Source: draft-ietf-httpapi-idempotency-key-header-07, for POST and PATCH.
    """

    def keep(app: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
        here = visit()
        key = here.header("idempotency-key").strip()
        if not key or operation.method not in ("POST", "PATCH"):
            return next_middleware(app)
        if len(key) > KEY_LIMIT:
            fault = {"pointer": "/header/idempotency-key", "code": "too_long", "message": "At most 255 characters."}
            raise Problem("invalid", faults=[fault])
        answers = here.world.answers(here.organisation)
        asked = "\n".join((key, here.caller.id, here.caller.name, operation.name, here.event["rawPath"]))
        conditions = (here.header("if-match"), here.header("if-none-match"))
        said = (here.event.get("rawQueryString") or "", *conditions, here.event.get("body") or "")
        name, request = _digest(asked), _digest("\n".join((asked, *said)))
        began_ts = here.now_ts
        before = answers.begin(name, request, began_ts)
        if before:
            return _again(before, request)
        try:
            answer = next_middleware(app)
        except BaseException:
            answers.forget(name)
            raise
        body = json.dumps(answer.body, ensure_ascii=False)
        kept = None if operation.once or len(body.encode()) > KEPT_LIMIT else body
        answers.keep(name, Kept(request, began_ts, answer.status_code, kept))
        return answer

    return keep


def _again(before: Kept, request: str) -> Response[Any]:
    if before.request != request:
        raise Problem("key_reused")
    if before.status is None:
        raise Problem("in_flight", headers={"Retry-After": "5"})
    if before.body is None:
        raise Problem("shown_once")
    return Response(
        status_code=before.status,
        content_type="application/json",
        body=json.loads(before.body),
        headers={"Idempotent-Replayed": "true"},
    )


def tag_answers(operation: Operation) -> Middleware:
    """Give every answer an ETag, and who has it already none of its body."""

    def tag(app: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
        answer = next_middleware(app)
        etag = etag_of(answer.body)
        wanted = app.current_event.headers.get("if-none-match") or ""
        answer.headers["ETag"] = etag
        answer.headers["Cache-Control"] = "no-cache" if operation.scope == "open" else "private, no-cache"
        if _named(etag, wanted):
            return Response(status_code=304, content_type=None, body="", headers=answer.headers)
        return answer

    return tag


def etag_of(body: object) -> str:
    """The ETag of an answer's data."""
    text = body if isinstance(body, str) else json.dumps(body, sort_keys=True, separators=(",", ":"))
    return f'"{_digest(text)[:32]}"'


def check_match(now: object) -> None:
    """Raise ``Problem`` unless the request's If-Match is for what GET would answer ``now``, as data."""
    wanted = visit().header("if-match").strip()
    if not wanted:
        raise Problem("unconditional")
    if not _named(etag_of(now), wanted):
        raise Problem("changed")


def _named(etag: str, wanted: str) -> bool:
    """Whether a list of ETags has one (RFC 9110, 13.1); proxies that compress make weak ones of ours."""
    return wanted.strip() == "*" or etag in {each.strip().removeprefix("W/") for each in wanted.split(",")}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
