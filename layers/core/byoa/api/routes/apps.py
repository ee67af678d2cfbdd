"""Apps: names that components are under. One is there from its first component on."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from byoa.api.documents import app_out
from byoa.api.models import AppOut
from byoa.api.operations import Operations
from byoa.api.paging import Cursor, Limit, Number, Offset, paged, span_of
from byoa.api.problems import unknown
from byoa.api.routes.components import AppId
from byoa.api.visits import visit

operations = Operations()


@operations.add("GET", "/v1/apps", "read", paged=True)
def list_apps(
    q: Annotated[str, Query(max_length=63, description="What names begin with.")] = "",
    offset: Offset = 0,
    limit: Limit = 10,
    page: Number = None,
    cursor: Cursor = None,
) -> Response[list[AppOut]]:
    """The organisation's apps by name. One stays listed when its last component is deleted: its builds are kept."""
    here, span = visit(), span_of(offset, limit, page, cursor)
    found = here.inventory.apps(q, span)
    return paged([app_out(here.organisation, app) for app in found.items], found, span, page)


@operations.add("GET", "/v1/apps/<app_id>", "read", faults=(404,))
def get_app(app_id: AppId) -> AppOut:
    """An app. Its id is its name."""
    here = visit()
    app = here.inventory.app(app_id)
    if app is None:
        raise unknown("organisation", "app of that name", "apps list")
    return app_out(here.organisation, app)
