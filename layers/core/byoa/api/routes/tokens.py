"""Tokens of the organisation."""

from aws_lambda_powertools.event_handler import Response

from byoa.api.agents import installs_for
from byoa.api.callers import NewToken, TokenIn, TokenOut
from byoa.api.documents import token_fields, token_out
from byoa.api.operations import Operations
from byoa.api.paging import Cursor, Limit, Number, Offset, paged, span_of
from byoa.api.problems import Problem
from byoa.api.shapes import Id
from byoa.api.tokens import DAY_MS, DEFAULT_DAYS, LONGEST_DAYS, issue
from byoa.api.visits import visit
from byoa.builds.records import milliseconds

operations = Operations()


@operations.add("GET", "/v1/tokens", "admin", paged=True)
def list_tokens(
    offset: Offset = 0, limit: Limit = 10, page: Number = None, cursor: Cursor = None
) -> Response[list[TokenOut]]:
    """The organisation's tokens. What they are is told when they are made and never again."""
    here, span = visit(), span_of(offset, limit, page, cursor)
    found = here.world.tokens(here.organisation).page(span)
    return paged([token_out(record, here.now_ts) for record in found.items], found, span, page)


@operations.add(
    "POST",
    "/v1/tokens",
    "admin",
    status=201,
    once=True,
    faults=(409,),
    example={"name": "github-actions", "scopes": ["sync"], "expires_in_days": 30},
)
def create_token(body: TokenIn) -> NewToken:
    """Make a token. The answer shows it once; what is kept of it is a digest.

    One of the scope agent runs the deploys of the installs that it names, and neither reads nor does anything else.
    """
    here = visit()
    now_ts = here.now_ts
    ends_ts, installs = _end(body, now_ts), installs_for(body.scopes, body.install_ids)
    record, token = issue(here.organisation, body.name, body.scopes, now_ts, ends_ts, here.caller.id, installs)
    here.world.tokens(here.organisation).add(record)
    return NewToken(**token_fields(record, here.now_ts), token=token)


def _end(body: TokenIn, now_ts: int) -> int:
    """Until when a token is good. Raises ``Problem`` for a moment that is past or too far, and for one beside days."""
    if body.expires_at is None:
        return now_ts + (body.expires_in_days or DEFAULT_DAYS) * DAY_MS
    ends_ts = milliseconds(body.expires_at)
    if body.expires_in_days is not None or not now_ts < ends_ts <= now_ts + LONGEST_DAYS * DAY_MS:
        message = "A moment of the next 366 days, and no expires_in_days beside it."
        raise Problem("invalid", faults=[{"pointer": "/body/expires_at", "code": "expires_at", "message": message}])
    return ends_ts


@operations.add("DELETE", "/v1/tokens/<token_id>", "admin", faults=(404,), status=204)
def revoke_token(token_id: Id) -> Response[None]:
    """Revoke a token: from now on nobody is let in with it."""
    here = visit()
    if not here.world.tokens(here.organisation).revoke(token_id):
        raise Problem("not_found")
    return Response(204, None)
