"""Components of an app. An app is a name, and a component's id is its name within the app."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from byoa.api.around import check_match
from byoa.api.documents import component_out
from byoa.api.models import ComponentIn, ComponentOut, ComponentPatch, Deleted
from byoa.api.operations import Operations
from byoa.api.paging import Cursor, Limit, Number, Offset, paged, span_of
from byoa.api.ports import Component, Page, Span
from byoa.api.problems import Problem, unknown
from byoa.api.shapes import Id
from byoa.api.visits import visit
from byoa.builds.messages import Label

operations = Operations()
AppId = Annotated[Label, Path(description="The app's name.")]
COMPONENTS = "/v1/apps/<app_id>/components"
COMPONENT = f"{COMPONENTS}/<component_id>"


@operations.add("GET", COMPONENTS, "read", paged=True)
def list_components(
    app_id: AppId,
    q: Annotated[str, Query(max_length=63, description="What names begin with.")] = "",
    types: Annotated[list[str] | None, Query(description="Types of components, with commas between.")] = None,
    component_ids: Annotated[list[str] | None, Query(description="Only these.")] = None,
    offset: Offset = 0,
    limit: Limit = 10,
    page: Number = None,
    cursor: Cursor = None,
) -> Response[list[ComponentOut]]:
    """The app's components by name, each with its newest build."""
    here, span = visit(), span_of(offset, limit, page, cursor)
    if types and "kubernetes_manifest" not in types:
        found = Page[Component]([], None)
    elif component_ids:
        each = [here.inventory.component(app_id, name) for name in sorted(set(component_ids))[: span.limit]]
        found = Page([one for one in each if one], None)
    else:
        found = here.inventory.components(app_id, q, span)
    return _listed(found, span, page)


@operations.add("GET", "/v1/components", "read", paged=True)
def list_all_components(
    offset: Offset = 0, limit: Limit = 10, page: Number = None, cursor: Cursor = None
) -> Response[list[ComponentOut]]:
    """The organisation's components by app and name, each with its newest build."""
    span = span_of(offset, limit, page, cursor)
    return _listed(visit().inventory.components(None, "", span), span, page)


@operations.add("POST", COMPONENTS, "sync", status=201, faults=(409,), example={"name": "vendor-app"})
def create_component(app_id: AppId, body: ComponentIn) -> ComponentOut:
    """Make a component that has no config yet. Handing in a config makes one as well."""
    here = visit()
    made = here.inventory.create(app_id, body.name, body.var_name, body.dependencies, here.caller.id)
    if made is None:
        raise Problem("exists")
    return component_out(here.organisation, made, None)


@operations.add("GET", "/v1/apps/<app_id>/component/<component_name_or_id>", "read", faults=(404,))
def get_component_by_name(app_id: AppId, component_name_or_id: Id) -> ComponentOut:
    """A component by its name or its id, which is the same."""
    return shown(found(app_id, component_name_or_id))


@operations.add("GET", COMPONENT, "read", faults=(404,))
def get_component(app_id: AppId, component_id: Id) -> ComponentOut:
    """A component with its newest build."""
    return shown(found(app_id, component_id))


@operations.add("PATCH", COMPONENT, "sync", faults=(404,), conditional=True, example={"dependencies": ["database"]})
def update_component(app_id: AppId, component_id: Id, body: ComponentPatch) -> ComponentOut:
    """Change what a component depends on, or the name of its outputs. Its own name stays."""
    here, was = visit(), found(app_id, component_id)
    check_match(shown(was).model_dump(mode="json"))
    if body.name not in (None, was.name):
        fault = {"pointer": "/body/name", "code": "fixed", "message": "A component keeps its name."}
        raise Problem("invalid", faults=[fault])
    var_name = body.var_name if "var_name" in body.model_fields_set else was.var_name
    changed = here.inventory.change(was, var_name, was.dependencies if body.dependencies is None else body.dependencies)
    if changed is None:
        raise Problem("changed")
    return shown(changed)


@operations.add("DELETE", COMPONENT, "sync", faults=(404,), conditional=True)
def delete_component(app_id: AppId, component_id: Id) -> Deleted:
    """Delete a component. A build of it that runs is stopped; builds that ended keep their records and receipts.

    Listeners hear of it by a "Component Deleted" event.
    """
    here, was = visit(), found(app_id, component_id)
    check_match(shown(was).model_dump(mode="json"))
    build = here.inventory.newest([was]).get((was.app, was.name))
    if not here.inventory.remove(was):
        raise Problem("changed")
    stopped = build and here.inventory.cancel(build, "The component was deleted.", here.caller.id)
    return Deleted(
        deleted=True, stopped_build_id=stopped.build_id if stopped else None, kept=["configs", "builds", "receipts"]
    )


def found(app_id: str, component_id: str) -> Component:
    """A component of the caller's organisation. Raises ``Problem`` with 404, for another's as for none."""
    component = visit().inventory.component(app_id, component_id)
    if component is None:
        raise unknown("app", "component of that name", "components list")
    return component


def _listed(part: Page[Component], span: Span, page: int | None) -> Response[list[ComponentOut]]:
    here = visit()
    builds = here.inventory.newest(part.items)
    shown = [component_out(here.organisation, each, builds.get((each.app, each.name))) for each in part.items]
    return paged(shown, part, span, page)


def shown(component: Component) -> ComponentOut:
    """It with its newest build."""
    build = visit().inventory.newest([component]).get((component.app, component.name))
    return component_out(visit().organisation, component, build)
