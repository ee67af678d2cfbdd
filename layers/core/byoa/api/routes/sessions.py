"""Sessions: what a browser has in place of a token."""

from aws_lambda_powertools.event_handler import Response

from byoa.api.callers import NewToken
from byoa.api.documents import token_fields
from byoa.api.operations import Operations
from byoa.api.problems import Problem
from byoa.api.tokens import SESSIONS, session_of
from byoa.api.visits import visit

operations = Operations()


@operations.add("POST", "/v1/sessions", "read", status=201, once=True)
def create_session() -> NewToken:
    """Make a session of the token that the request comes with: a token of the same scopes, for half a day.

    It ends with the token that it is of, which has 20 at most: another one ends the oldest. The dashboard keeps it in a
    cookie, in place of the token itself. Of an issuer's token it is made where a rule has people sign in with it, and
    lasts no longer than that token.
    """
    here = visit()
    if not here.caller.digest and not here.caller.rules:  # a job's, which nobody signs in with
        raise Problem("token_refused", cause="A job's token makes no session.", remedy="Use an API token.")
    record, token = session_of(here.caller, here.now_ts)
    here.world.tokens(here.organisation).open(record, SESSIONS)
    return NewToken(**token_fields(record, here.now_ts), token=token)


@operations.add("DELETE", "/v1/sessions/current", "read", status=204)
def end_session() -> Response[None]:
    """End the session that the request comes with. A token that is none stays as it is."""
    here = visit()
    if here.caller.parent:
        here.world.tokens(here.organisation).revoke(here.caller.id)
    return Response(204, None)
