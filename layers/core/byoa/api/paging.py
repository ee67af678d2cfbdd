"""Lists in parts: Nuon's ``offset``, ``limit`` and ``page`` with its headers.

And a ``cursor``, with which every page costs the same.
"""

import base64
import binascii
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, urlencode

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from byoa.api.ports import Page, Span
from byoa.api.problems import Problem
from byoa.api.visits import visit

LONGEST: Final = 100
FURTHEST: Final = 100_000
"""Where an offset may point to: a list is read up to there, which a cursor needn't."""

Offset = Annotated[int, Query(ge=0, le=FURTHEST, description="How many items to pass over.")]
Limit = Annotated[int, Query(ge=1, le=1_000_000, description="How many items to answer; more than 100 are 100.")]
Number = Annotated[
    int | None, Query(alias="page", ge=0, le=1000, description="The page, from 0 on, in place of an offset.")
]
Cursor = Annotated[
    str | None,
    Query(max_length=1024, description="Where the page before ended: the cursor of its Link with rel=next."),
]


def span_of(offset: int, limit: int, page: int | None, cursor: str | None) -> Span:
    """What part of a list was asked for. Raises ``Problem`` for a cursor that is none."""
    size = min(limit, LONGEST)
    start = offset if page is None else page * size
    return Span(start, size, _place(cursor) if cursor else None)


def paged[Item](items: list[Item], page: Page[Any], span: Span, number: int | None) -> Response[list[Item]]:
    """A list with the headers that tell where it goes on."""
    headers = {
        "X-Nuon-Page-Next": "true" if page.more else "false",
        "X-Nuon-Page-Offset": str(span.offset),
        "X-Nuon-Page-Limit": str(span.limit),
    }
    if number is not None:
        headers["X-Nuon-Page-Number"] = str(number)
    if page.more:
        headers["Link"] = f'<{_next(page.more, span)}>; rel="next"'
    return Response(status_code=200, content_type="application/json", body=items, headers=headers)


def _next(more: str, span: Span) -> str:
    event = visit().event
    dropped = {"offset", "limit", "page", "cursor", "org_id"}
    kept = [(key, value) for key, value in parse_qsl(event.get("rawQueryString") or "") if key not in dropped]
    cursor = base64.urlsafe_b64encode(more.encode()).decode().rstrip("=")
    return f"{event['rawPath']}?{urlencode([*kept, ('limit', span.limit), ('cursor', cursor)])}"


def _place(cursor: str) -> str:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        fault = {"pointer": "/query/cursor", "code": "cursor", "message": "The cursor is none."}
        raise Problem("invalid", faults=[fault]) from None
