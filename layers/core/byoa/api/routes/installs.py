"""Installs: clusters that components of an app are applied to."""

import json
import re
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from byoa.api.agents import is_agents
from byoa.api.around import check_match
from byoa.api.documents import moment
from byoa.api.inputs import checked_inputs
from byoa.api.installs import (
    AgentCluster,
    AgentOut,
    Cluster,
    DriftedObjectOut,
    InstallComponentOut,
    InstallIn,
    InstallOut,
    InstallPatch,
    StaticCluster,
    drifted_out,
    install_component_out,
    install_out,
)
from byoa.api.operations import Operations
from byoa.api.paging import LONGEST, Cursor, Limit, Number, Offset, paged, span_of
from byoa.api.ports import Page, Span
from byoa.api.problems import Problem, unknown
from byoa.api.routes.components import AppId
from byoa.api.tokens import random_id
from byoa.api.visits import visit
from byoa.builds.messages import Label
from byoa.errors import ByoaError, ClusterAccessInvalid
from byoa.installs.access import place_of_server
from byoa.installs.messages import ENDED, Install, InstallComponent
from byoa.installs.reaching import ClusterAccess, StaticAccess, check_foreign, may_be_another, read_cluster_access
from byoa.trust.addresses import is_address, is_public

operations = Operations()
INSTALLS = "/v1/apps/<app_id>/installs"
INSTALL = "/v1/installs/<install_id>"
COMPONENTS = f"{INSTALL}/components"
COMPONENT = f"{COMPONENTS}/<component_id>"
InstallId = Annotated[str, Path(min_length=1, max_length=128, description="The install's id.")]
ComponentId = Annotated[str, Path(min_length=1, max_length=128, description="The component's name.")]
_ID = re.compile(r"inl[a-z2-7]{23}")
_ACCOUNT = 4
"""Which part of an ARN."""

EXAMPLE: dict[str, Any] = {
    "name": "acme",
    "cluster": {
        "kind": "eks", "cluster": "acme", "region": "us-west-2", "role_arn": "arn:aws:iam::222222222222:role/byoa",
    },
    "install_config": {"approval_option": "prompt"},
    "inputs": {"greeting": "hello"},
    "follow": ["vendor-app"],
}  # fmt: skip


@operations.add("GET", INSTALLS, "read", paged=True)
def list_app_installs(
    app_id: AppId,
    name: Annotated[Label | None, Query(description="The one of this name alone.")] = None,
    offset: Offset = 0,
    limit: Limit = 10,
    page: Number = None,
    cursor: Cursor = None,
) -> Response[list[InstallOut]]:
    """The app's installs, by name."""
    if name is None:
        return _listed(app_id, offset, limit, page, cursor)
    named = [install_out(each) for each in _named(app_id, name)]
    return paged(named, Page(named, None), span_of(offset, limit, page, cursor), page)


@operations.add("GET", "/v1/installs", "read", paged=True)
def list_installs(
    offset: Offset = 0, limit: Limit = 10, page: Number = None, cursor: Cursor = None
) -> Response[list[InstallOut]]:
    """All installs of the organisation, by id."""
    return _listed(None, offset, limit, page, cursor)


@operations.add("POST", INSTALLS, "admin", status=201, faults=(404, 409), example=EXAMPLE)
def create_install(app_id: AppId, body: InstallIn) -> InstallOut:
    """Make an install. Nothing is deployed by that, and its cluster isn't asked anything yet.

    A token is stored and never answered.
    """
    here = visit()
    if here.inventory.app(app_id) is None:
        raise unknown("organisation", "app of that name", "apps list")
    install = Install(
        organisation=here.organisation,
        app=app_id,
        id=random_id("inl"),
        name=body.name,
        approval=body.install_config.approval_option,
        access=_access(body.cluster),
        inputs=checked_inputs(body.inputs),
        follow=_follow(body.follow),
        deploy_dependents=body.deploy_dependents,
        mend=body.mend,
        created_at_ts=here.now_ts,
        updated_at_ts=here.now_ts,
        created_by=here.caller.id,
    )
    token = _token(body.cluster, None, install.access)
    if not here.installs.create(install):
        raise Problem("exists")
    if token:
        _store_or_undo(install, token)
    return install_out(install, [])


@operations.add("GET", INSTALL, "read", faults=(404,))
def get_install(install_id: InstallId) -> InstallOut:
    """An install, with how the newest deploy of each of its components went."""
    return _shown(found(install_id))


@operations.add(
    "PATCH", INSTALL, "admin", faults=(404, 409), conditional=True, example={"inputs": {"greeting": "good morning"}}
)
def update_install(install_id: InstallId, body: InstallPatch) -> InstallOut:
    """Change an install's settings. Its components are as they were until something is deployed.

    A token goes to no other server than it was stored for: whatever changes of a cluster wants its token again.
    Another cluster is refused while objects are tracked in the one that it has: nobody would delete these any more.
    """
    here, was = visit(), found(install_id)
    check_match(_shown(was).model_dump(mode="json"))
    if body.name not in (None, was.name):
        fault = {"pointer": "/body/name", "code": "fixed", "message": "An install keeps its name."}
        raise Problem("invalid", faults=[fault])
    access = was.access if body.cluster is None else _access(body.cluster)
    if may_be_another(was.access, access) and not body.same_cluster and _tracks(was):
        raise Problem("another_cluster")
    token = None if body.cluster is None else _token(body.cluster, was.access, access)
    becomes = was.model_copy(
        update={
            "approval": was.approval if body.install_config is None else body.install_config.approval_option,
            "access": access,
            "inputs": was.inputs if body.inputs is None else checked_inputs(body.inputs),
            "follow": was.follow if body.follow is None else _follow(body.follow),
            "deploy_dependents": was.deploy_dependents if body.deploy_dependents is None else body.deploy_dependents,
            "mend": was.mend if body.mend is None else body.mend,
            "updated_at_ts": here.now_ts,
        }
    )
    if not here.installs.change(was, becomes):
        raise Problem("changed")
    if token:
        here.clusters.store(was.id, token)
    elif access["kind"] != "static" == was.access["kind"]:
        here.clusters.delete(was.id)
    return _shown(becomes)


@operations.add("DELETE", INSTALL, "admin", faults=(404, 409), conditional=True, status=204)
def delete_install(install_id: InstallId) -> Response[None]:
    """Forget an install and its token. One whose objects are still there is refused: tear it down first."""
    here, was = visit(), visit().installs.install(install_id)
    if was is None:
        _forget_rest(install_id)
        raise Problem("not_found")
    check_match(_shown(was).model_dump(mode="json"))
    if not here.installs.remove(was):
        raise Problem("has_objects" if here.installs.install(was.id) == was else "changed")
    here.clusters.delete(was.id)
    return Response(204, None)


@operations.add("GET", COMPONENTS, "read", faults=(404,), paged=True)
def list_install_components(
    install_id: InstallId, offset: Offset = 0, limit: Limit = 10, page: Number = None, cursor: Cursor = None
) -> Response[list[InstallComponentOut]]:
    """What was ever deployed to the install, by component: how that went, and how it is."""
    span = span_of(offset, limit, page, cursor)
    part = _part(visit().installs.components(found(install_id)), span)
    return paged([install_component_out(each) for each in part.items], part, span, page)


@operations.add("GET", "/v1/install-components", "read", paged=True)
def list_components_everywhere(
    offset: Offset = 0, limit: Limit = 10, page: Number = None, cursor: Cursor = None
) -> Response[list[InstallComponentOut]]:
    """What was ever deployed to any install of the organisation: how that went, and how it is; by install's id."""
    span = span_of(offset, limit, page, cursor)
    part = visit().installs.everywhere(span.limit, offset=span.offset, after=span.after)
    return paged([install_component_out(each) for each in part.items], Page(part.items, part.more), span, page)


@operations.add("GET", COMPONENT, "read", faults=(404,))
def get_install_component(install_id: InstallId, component_id: ComponentId) -> InstallComponentOut:
    """A component in the install."""
    return install_component_out(component_of(found(install_id), component_id))


@operations.add("GET", f"{INSTALL}/agent", "read", faults=(404, 409))
def get_install_agent(install_id: InstallId) -> AgentOut:
    """When the install's agent was heard of last, to the minute, and with which token."""
    install = found(install_id)
    if not is_agents(install):
        raise Problem("not_an_agents")
    sign = visit().leases.heard(install.id)
    if sign is None:
        return AgentOut(seen_at=None, token_id=None, token_name=None)
    return AgentOut(seen_at=moment(sign.at_ts), token_id=sign.token_id, token_name=sign.token_name)


@operations.add("GET", f"{INSTALL}/drifted-objects", "read", faults=(404,))
def list_drifted_objects(install_id: InstallId) -> list[DriftedObjectOut]:
    """Components whose objects weren't as they were applied, at the last look. Each one's plan says where."""
    here, install = visit(), found(install_id)
    drifted = [each for each in here.installs.components(install) if each.drift == "drift-detected"]
    return [drifted_out(here.organisation, each) for each in drifted]


def found(install_id: str) -> Install:
    """An install of the caller's organisation. Raises ``Problem`` with 404, for another's as for none."""
    install = visit().installs.install(install_id)
    if install is None:
        raise unknown("organisation", "install of that id", "installs list")
    return install


def component_of(install: Install, component_id: str) -> InstallComponent:
    """What was deployed of a component. Raises ``Problem`` with 404 where nothing ever was."""
    component = visit().installs.component(install, component_id)
    if component is None:
        raise unknown("install", "component of that name", "installs get INSTALL")
    return component


def _listed(
    app: str | None, offset: int, limit: int, page: int | None, cursor: str | None
) -> Response[list[InstallOut]]:
    span = span_of(offset, limit, page, cursor)
    part = visit().installs.page(app, span.limit, offset=span.offset, after=span.after)
    return paged([install_out(each) for each in part.items], Page(part.items, part.more), span, page)


def _named(app: str, name: str) -> list[Install]:
    """The app's install of a name, or none: names are in order."""
    after: str | None = None
    while True:
        part = visit().installs.page(app, LONGEST, after=after)
        found = [each for each in part.items if each.name == name]
        if found or part.more is None or (part.items and part.items[-1].name > name):
            return found
        after = part.more


def _shown(install: Install) -> InstallOut:
    return install_out(install, visit().installs.components(install))


def _part(every: list[InstallComponent], span: Span) -> Page[InstallComponent]:
    later = [each for each in every if span.after is None or each.component > span.after][span.offset :]
    shown = later[: span.limit]
    return Page(shown, shown[-1].component if len(later) > len(shown) else None)


def _access(cluster: Cluster) -> dict[str, Any]:
    """How the cluster is reached, as it is kept. Raises ``Problem`` for what can't be reached or isn't to be."""
    said = cluster.model_dump(mode="json", exclude={"token"})
    if isinstance(cluster, AgentCluster):
        return said
    try:
        access = read_cluster_access(said)
        check_foreign(access, _own_account())
        _check_address(access)
    except ClusterAccessInvalid as error:
        raise _invalid(f"/body/cluster/{error.where}" if error.where else "/body/cluster", error) from None
    return access.model_dump(mode="json")


def _own_account() -> str:
    """The platform's account, none of whose roles is lent."""
    parts = visit().world.source_role.split(":")
    return parts[_ACCOUNT] if len(parts) > _ACCOUNT else ""


def _check_address(access: ClusterAccess) -> None:
    """Refuse what shows without asking for a name's addresses: those are judged when they are dialled."""
    if not isinstance(access, StaticAccess) or access.private:
        return
    host, _ = place_of_server(access.server)
    if is_address(host) and not is_public(host):
        raise ClusterAccessInvalid(
            "The cluster's server is no public address.", where="server",
            remedy="Say that it is private (--private), if the platform's operator opens its network; "
            "else let an agent do it.",
        )  # fmt: skip


def _invalid(pointer: str, error: ByoaError) -> Problem:
    fault = {"pointer": pointer, "code": error.code, "message": error.cause}
    return Problem("invalid", cause=error.cause, remedy=error.remedy, faults=[fault])


def _token(cluster: Cluster, was: dict[str, Any] | None, becomes: dict[str, Any]) -> str | None:
    """What is stored for the cluster, if anything: the token with the one server that it may be shown to."""
    if not isinstance(cluster, StaticCluster) or (cluster.token is None and becomes == was):
        return None
    if cluster.token is None:
        fault = {"pointer": "/body/cluster/token", "code": "missing", "message": "The cluster's token is wanted."}
        raise Problem("invalid", faults=[fault])
    return json.dumps({"server": becomes["server"], "token": cluster.token})


def _store_or_undo(install: Install, token: str) -> None:
    """An install without its token would be one that nobody can use and that has the name."""
    here = visit()
    try:
        here.clusters.store(install.id, token)
    except ByoaError:
        here.installs.remove(install)
        raise


def _forget_rest(install_id: str) -> None:
    """Who deletes once more, because the first time was cut short, leaves neither components nor a token behind."""
    if _ID.fullmatch(install_id):
        visit().installs.forget(install_id)
        visit().clusters.delete(install_id)


def _tracks(install: Install) -> bool:
    """Whether objects are in its cluster, or are about to be."""
    return any(each.objects or each.status not in ENDED for each in visit().installs.components(install))


def _follow(components: list[str]) -> list[str]:
    return [*dict.fromkeys(components)]
