"""Builds: made of a component's newest config, looked at, and stopped."""

import base64
import json
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from byoa.api.documents import attachments_out, build_out, resources_out
from byoa.api.models import AttachmentsOut, BuildIn, BuildOut, Queued, Receipt, ResourcesOut
from byoa.api.operations import Operations
from byoa.api.paging import Cursor, Limit, Number, Offset, paged, span_of
from byoa.api.ports import Component, Span
from byoa.api.problems import Problem, unknown
from byoa.api.routes.components import COMPONENT, COMPONENTS, AppId, found
from byoa.api.shapes import Id
from byoa.api.visits import visit
from byoa.builds.messages import AttachedTo, Build, Label, Stage

operations = Operations()
BUILD = f"{COMPONENT}/builds/<build_id>"
AT_ONCE = 25
"""Builds that one call queues: each is a transaction, and the gateway waits 30 seconds."""


@operations.add("POST", f"{COMPONENTS}/build-all", "sync", status=201)
def build_all_components(
    app_id: AppId,
    after: Annotated[str | None, Query(max_length=63, description="The next_after of the call before.")] = None,
) -> Queued:
    """Build the newest configs of the app's components anew, by name, 25 in one call."""
    here = visit()
    part = here.inventory.components(app_id, "", Span(0, AT_ONCE, after))
    builds = [build_out(_build_anew(each)) for each in part.items if each.version]
    left_out = [each.name for each in part.items if not each.version]
    return Queued(builds=builds, left_out=left_out, next_after=part.more)


@operations.add("GET", "/v1/builds", "read", faults=(404,), paged=True)
def list_app_builds(
    app_id: Annotated[Label | None, Query(description="Of this app alone.")] = None,
    component_id: Annotated[Label | None, Query(description="Of this component of the app alone.")] = None,
    status: Annotated[Stage | None, Query(description="Those that ended so, or haven't (unfinished).")] = None,
    offset: Offset = 0,
    limit: Limit = 10,
    page: Number = None,
    cursor: Cursor = None,
) -> Response[list[BuildOut]]:
    """Builds of the organisation, of an app, or of one of its components, the newest first, without their histories.

    Those of a status other than unfinished are listed by when they ended. A component's have no status to look for.
    """
    span, inventory = span_of(offset, limit, page, cursor), visit().inventory
    if component_id:
        _check_filters(app_id, status)
        part = inventory.builds(found(app_id or "", component_id), span)
    else:
        part = inventory.recent(app_id, span, status)
    return paged([build_out(each, whole=False) for each in part.items], part, span, page)


@operations.add("GET", "/v1/builds/<build_id>", "read", faults=(404,))
def find_build(build_id: Id) -> BuildOut:
    """A build by its id alone, with its whole history; also of a component that was deleted."""
    build = visit().inventory.build(build_id)
    if build is None:
        raise unknown("organisation", "build of that id", "builds list")
    return build_out(build)


@operations.add("POST", f"{COMPONENT}/builds", "sync", status=201, faults=(404, 409), example={"use_latest": True})
def create_build(app_id: AppId, component_id: Id, body: BuildIn) -> BuildOut:  # noqa: ARG001 - it says what is always so
    """Build the component's newest config anew: a new version of the same content, so that a tag is pinned again."""
    component = found(app_id, component_id)
    if not component.version:
        raise Problem("no_config")
    return build_out(_build_anew(component))


@operations.add("GET", f"{COMPONENT}/builds", "read", faults=(404,), paged=True)
def list_builds(
    app_id: AppId, component_id: Id, offset: Offset = 0, limit: Limit = 10, page: Number = None, cursor: Cursor = None
) -> Response[list[BuildOut]]:
    """The component's builds, the newest first, without their histories."""
    span = span_of(offset, limit, page, cursor)
    part = visit().inventory.builds(found(app_id, component_id), span)
    return paged([build_out(each, whole=False) for each in part.items], part, span, page)


@operations.add("GET", f"{COMPONENT}/builds/latest", "read", faults=(404,))
def get_latest_build(app_id: AppId, component_id: Id) -> BuildOut:
    """The newest build with its whole history."""
    component = found(app_id, component_id)
    build = visit().inventory.newest([component]).get((component.app, component.name))
    if build is None:
        raise Problem("not_found")
    return build_out(build)


@operations.add("GET", BUILD, "read", faults=(404,))
def get_build(app_id: AppId, component_id: Id, build_id: Id) -> BuildOut:
    """A build with its whole history."""
    return build_out(_found(app_id, component_id, build_id))


@operations.add("POST", f"{BUILD}/cancel", "sync", faults=(404, 409))
def cancel_build(app_id: AppId, component_id: Id, build_id: Id) -> BuildOut:
    """Stop a build that waits or runs. It ends as an error with the code BuildCancelled."""
    here, build = visit(), _found(app_id, component_id, build_id)
    ended = here.inventory.cancel(build, "Somebody cancelled the build.", here.caller.id)
    if ended is None:
        raise Problem("ended")
    return build_out(ended)


@operations.add("GET", f"{BUILD}/receipt", "read", faults=(404,))
def get_build_receipt(app_id: AppId, component_id: Id, build_id: Id) -> Receipt:
    """The signed receipt of a build that went well, also after its component was deleted."""
    build = _found(app_id, component_id, build_id)
    envelope = visit().inventory.receipt(build.build_id)
    if envelope is None:
        raise Problem("not_found")
    return Receipt.model_validate(json.loads(envelope))


def _check_filters(app_id: str | None, status: Stage | None) -> None:
    """Raise ``Problem`` for what a component's builds can't be looked for by."""
    told = {"app_id": "A component is named with its app."} if app_id is None else {}
    told |= {"status": "A component's builds are listed whole."} if status else {}
    if told:
        faults = [{"pointer": f"/query/{name}", "code": "combination", "message": why} for name, why in told.items()]
        raise Problem("invalid", faults=faults)


@operations.add("GET", f"{BUILD}/resources", "read", faults=(404,))
def list_build_resources(app_id: AppId, component_id: Id, build_id: Id) -> ResourcesOut:
    """The Kubernetes objects of a build that went well, by kind and name: 500 at most, all are counted."""
    build = _found(app_id, component_id, build_id)
    objects = visit().inventory.objects(build.build_id)
    if objects is None:
        raise Problem("not_found")
    return resources_out(objects)


@operations.add("GET", f"{BUILD}/attachments", "read", faults=(404,))
def list_build_attachments(app_id: AppId, component_id: Id, build_id: Id) -> AttachmentsOut:
    """What is attached to the artifact of a build that went well, as signatures are, each with what it refers to."""
    build, inventory = _found(app_id, component_id, build_id), visit().inventory
    objects = inventory.objects(build.build_id)
    if objects is not None and objects.attached is not None:
        return attachments_out(objects.attached)
    envelope = inventory.receipt(build.build_id)  # which doesn't tell subjects
    if envelope is None:
        raise Problem("not_found")
    payload = json.loads(base64.b64decode(json.loads(envelope)["payload"]) or b"{}")
    known = payload.get("attachments", [])
    return attachments_out([AttachedTo(digest=each["digest"], tag=each["tag"]) for each in known])


def _found(app_id: str, component_id: str, build_id: str) -> Build:
    build = visit().inventory.build(build_id)
    if build is None or (build.app, build.component) != (app_id, component_id):
        raise unknown("component", "build of that id", "builds list")
    return build


def _build_anew(component: Component) -> Build:
    here = visit()
    newest = here.inventory.config(component.app, component.name, component.version)
    if newest is None:
        raise Problem("no_config")
    return here.inventory.submit(component.app, newest.config, by=here.caller.id, anew=True, text=newest.text).build
