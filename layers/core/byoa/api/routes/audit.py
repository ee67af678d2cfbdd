"""Who did what."""

from aws_lambda_powertools.event_handler import Response

from byoa.api.callers import DeedOut
from byoa.api.documents import deed_out
from byoa.api.operations import Operations
from byoa.api.paging import Cursor, Limit, Number, Offset, paged, span_of
from byoa.api.visits import visit

operations = Operations()


@operations.add("GET", "/v1/audit", "admin", paged=True)
def list_audit(
    offset: Offset = 0, limit: Limit = 10, page: Number = None, cursor: Cursor = None
) -> Response[list[DeedOut]]:
    """Every write of the organisation's tokens, the newest first. One without a status was cut short."""
    span = span_of(offset, limit, page, cursor)
    found = visit().world.journal(visit().organisation).page(span)
    return paged([deed_out(deed) for deed in found.items], found, span, page)
