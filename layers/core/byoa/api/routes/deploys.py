"""Deploys of an install: asked for, looked at, stopped."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from byoa.api.deploys import Asked, DeployIn, DeployOut, DriftIn, TeardownIn, deploy_out
from byoa.api.offered import Offered
from byoa.api.operations import Operations
from byoa.api.paging import Cursor, Limit, Number, Offset, paged, span_of
from byoa.api.ports import Page, Span
from byoa.api.problems import Problem, unknown
from byoa.api.routes.installs import COMPONENT, COMPONENTS, INSTALL, ComponentId, InstallId, component_of, found
from byoa.api.visits import visit
from byoa.builds.messages import Build
from byoa.errors import ContentTooLarge
from byoa.installs.behind import behind
from byoa.installs.messages import ENDED, Dependent, Deploy, Install
from byoa.installs.order import in_order, reversed_order
from byoa.installs.ports import Request
from byoa.installs.runs import Line, go_on, unfold

operations = Operations()
DEPLOYS = f"{COMPONENT}/deploys"
DEPLOY = f"{DEPLOYS}/<deploy_id>"
DeployId = Annotated[str, Path(min_length=1, max_length=128, description="The deploy's id.")]
After = Annotated[str | None, Query(max_length=63, description="The next_after of the call before.")]
AT_ONCE = 25
"""Deploys that one call asks for: each is a transaction, and the gateway waits 30 seconds."""


@operations.add("POST", f"{COMPONENTS}/deploy-all", "deploy", status=201, faults=(404,))
def deploy_all_components(install_id: InstallId, after: After = None) -> Asked:
    """Deploy the newest active build of each of the app's components, in the order of dependencies, 25 in one call.

    Those that depend on nothing begin at once, side by side; each other one when what it depends on went well.
    """
    install = found(install_id)
    app = _app(install)
    shown, more = _from(in_order(app.dependencies()), after)
    builds = app.newest_active(shown)
    line = Line(install, visit().installs, app.dependencies())
    for name in shown:
        if name in builds:
            line.add(name, _request(install, name, builds[name], DeployIn()))
    left_out = [name for name in shown if name not in builds]
    return Asked(deploys=[deploy_out(each) for each in line.done()], left_out=left_out, next_after=more)


@operations.add("POST", f"{COMPONENTS}/teardown-all", "deploy", status=201, faults=(404,))
def teardown_all_components(install_id: InstallId, after: After = None) -> Asked:
    """Tear down each component that has objects in the install, what others depend on last, 25 in one call."""
    here, install = visit(), found(install_id)
    parts = {each.component: each for each in here.installs.components(install)}
    every = _app(install).dependencies()
    known = {name: every.get(name, ()) for name in (*every, *parts)}
    dependents = reversed_order(known)
    shown, more = _from([name for name in in_order(dependents) if name in parts], after)
    line = Line(install, here.installs, dependents)
    request = Request("teardown", by=here.caller.id)
    for name in shown:
        if parts[name].objects:
            line.add(name, request)
    left_out = [name for name in shown if not parts[name].objects]
    return Asked(deploys=[deploy_out(each) for each in line.done()], left_out=left_out, next_after=more)


@operations.add("GET", f"{INSTALL}/deploys", "read", faults=(404,), paged=True)
def list_install_deploys(
    install_id: InstallId, offset: Offset = 0, limit: Limit = 10, page: Number = None, cursor: Cursor = None
) -> Response[list[DeployOut]]:
    """The install's deploys of all components, the newest first, without their histories."""
    return _listed(found(install_id), None, span_of(offset, limit, page, cursor), page)


@operations.add("POST", DEPLOYS, "deploy", status=201, faults=(404, 409), example={"plan_only": False})
def create_deploy(install_id: InstallId, component_id: ComponentId, body: DeployIn) -> DeployOut:
    """Deploy a build of the component. It is its newest deploy from now on: one that waits is over.

    Naming an older build than the one that is installed goes back to it. The plan waits for an approval where the
    install says so, and wherever something only goes by name. With `deploy_dependents` what depends on it waits
    until it went well, and is skipped where it didn't.
    """
    install = found(install_id)
    build = _build(install, component_id, body.build_id)
    installs, request = visit().installs, _request(install, component_id, build, body)
    if not body.deploy_dependents:
        return deploy_out(installs.ask(install, component_id, request))
    dependents = _dependents(install, component_id)
    deploy = installs.ask(install, component_id, request._replace(dependents=dependents))
    unfold(deploy, install, installs)
    now = installs.look(deploy.key) or deploy
    if now.ended:  # before all others were asked for, so nobody else goes on with these
        go_on(install, installs)
    return deploy_out(now)


@operations.add("GET", DEPLOYS, "read", faults=(404,), paged=True)
def list_deploys(
    install_id: InstallId, component_id: ComponentId,
    offset: Offset = 0, limit: Limit = 10, page: Number = None, cursor: Cursor = None,
) -> Response[list[DeployOut]]:  # fmt: skip
    """The component's deploys, the newest first, without their histories."""
    install = found(install_id)
    return _listed(install, component_of(install, component_id).component, span_of(offset, limit, page, cursor), page)


@operations.add("GET", f"{DEPLOYS}/latest", "read", faults=(404,))
def get_latest_deploy(install_id: InstallId, component_id: ComponentId) -> DeployOut:
    """The newest deploy with its whole history."""
    component = component_of(found(install_id), component_id)
    return deploy_out(deploy_of(install_id, component_id, component.deploy_id))


@operations.add("GET", DEPLOY, "read", faults=(404,))
def get_deploy(install_id: InstallId, component_id: ComponentId, deploy_id: DeployId) -> DeployOut:
    """A deploy with its whole history."""
    return deploy_out(deploy_of(install_id, component_id, deploy_id))


@operations.add("POST", f"{DEPLOY}/cancel", "deploy", faults=(404, 409))
def cancel_deploy(install_id: InstallId, component_id: ComponentId, deploy_id: DeployId) -> DeployOut:
    """Stop a deploy that waits or runs: it writes nothing more. What was written stays, tracked."""
    return deploy_out(cancelled(deploy_of(install_id, component_id, deploy_id)))


@operations.add("POST", f"{COMPONENT}/teardown", "deploy", status=201, faults=(404,), example={"approve_all": True})
def teardown_component(install_id: InstallId, component_id: ComponentId, body: TeardownIn) -> DeployOut:
    """Delete what the component has in the install, in the reverse order of how it came.

    Namespaces, definitions, volumes and claims stay unless they are approved by name.
    """
    here, install = visit(), found(install_id)
    component = component_of(install, component_id)
    asked = Request(
        "teardown", plan_only=body.plan_only, approve_all=body.approve_all, by=here.caller.id, names=tuple(body.names)
    )
    return deploy_out(here.installs.ask(install, component.component, asked))


@operations.add("POST", f"{COMPONENT}/drift", "deploy", status=201, faults=(404, 409), example={})
def look_for_drift(install_id: InstallId, component_id: ComponentId, body: DriftIn) -> DeployOut:  # noqa: ARG001 - nothing to say yet
    """Look whether the component's objects are as they were applied. Nothing is written.

    No deploy is overtaken by it: while one waits or runs there is none.
    """
    here, install = visit(), found(install_id)
    component = component_of(install, component_id)
    if component.build_id is None:
        raise Problem("not_applied")
    if component.status not in ENDED:
        raise Problem("deploy_waits")
    build = _build(install, component_id, component.build_id)
    asked = Request("drift", build.build_id, build.version, by=here.caller.id, newest=component.number)
    return deploy_out(here.installs.ask(install, component.component, asked))


def cancelled(deploy: Deploy) -> Deploy:
    """The deploy, stopped by the caller. Raises ``Problem`` with 409 where it has ended."""
    here = visit()
    ended = here.installs.cancel(deploy, "Somebody cancelled the deploy.", here.caller.id)
    if ended is None:
        raise Problem("deploy_ended")
    return ended


def deploy_of(install_id: str, component_id: str, deploy_id: str) -> Deploy:
    """A deploy of the caller's organisation in just this place. Raises ``Problem`` with 404 for any other."""
    deploy = visit().installs.deploy(deploy_id)
    if deploy is None or (deploy.install_id, deploy.component) != (install_id, component_id):
        raise unknown("component", "deploy of that id in the install", "installs deploys INSTALL")
    return deploy


def _listed(install: Install, component: str | None, span: Span, page: int | None) -> Response[list[DeployOut]]:
    """Offsets are read up to: there is no other way into the middle."""
    installs = visit().installs
    after = span.after
    if span.offset and after is None:
        after = _passed_over(install, component, span.offset)
        if after is None:
            return paged([], Page([], None), span, page)
    part = installs.deploys(install, component, span.limit, after)
    return paged([deploy_out(each, whole=False) for each in part.items], Page(part.items, part.more), span, page)


def _passed_over(install: Install, component: str | None, count: int) -> str | None:
    """Where the list goes on behind ``count`` deploys; ``None`` where it doesn't."""
    after: str | None = None
    while count > 0:
        part = visit().installs.deploys(install, component, min(count, AT_ONCE * 4), after)
        count -= len(part.items)
        after = part.more
        if after is None:
            return None
    return after


def _build(install: Install, component_id: str, build_id: str | None) -> Build:
    """The build to install. Raises ``Problem``: 404 for none of this component, 409 for one that can't be."""
    here = visit()
    if build_id is None:
        if here.inventory.component(install.app, component_id) is None:
            raise unknown("app", "component of that name", "components list")
        newest = _app(install).newest_active([component_id])
        if not newest:
            raise Problem("no_build")
        return newest[component_id]
    build = here.inventory.build(build_id)
    if build is None or (build.app, build.component) != (install.app, component_id):
        raise unknown("component", "build of that id", "builds list")
    if build.status != "active":
        raise Problem("not_active")
    return build


def _from(names: list[str], after: str | None) -> tuple[list[str], str | None]:
    """The next of them that one call asks for, and where to go on."""
    later = names[names.index(after) + 1 :] if after in names else names
    shown = later[:AT_ONCE]
    return shown, shown[-1] if len(later) > len(shown) else None


def _dependents(install: Install, component_id: str) -> tuple[Dependent, ...]:
    """What is deployed behind a component. Raises ``DependenciesCyclic``, and ``Problem`` where they are too many."""
    try:
        return behind(component_id, _app(install))
    except ContentTooLarge as error:
        fault = {"pointer": "/body/deploy_dependents", "code": "too_many", "message": error.cause}
        raise Problem("invalid", cause=error.cause, remedy=error.remedy, faults=[fault]) from None


def _app(install: Install) -> Offered:
    return Offered(visit().inventory, install.app)


def _request(install: Install, component: str, build: Build, body: DeployIn) -> Request:
    return Request(
        "apply",
        build.build_id,
        build.version,
        plan_only=body.plan_only,
        approve_all=body.approve_all,
        take_over=tuple(body.take_over),
        recover=body.recover,
        names=tuple(body.names),
        cause="rollback" if _goes_back(install, component, build) else "asked",
        by=visit().caller.id,
    )


def _goes_back(install: Install, component: str, build: Build) -> bool:
    """Whether a later build is installed."""
    here = visit()
    there = here.installs.component(install, component)
    installed = here.inventory.build(there.build_id) if there and there.build_id else None
    return installed is not None and installed.version > build.version
