"""`byoa installs`: clusters that an app's components are installed to, by the platform or by an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa_cli.columns import cell, show, show_rows
from byoa_cli.commands import Deferred, Group, Option, UsageError, command
from byoa_cli.described import (
    CLUSTER,
    DEPLOY,
    INPUTS,
    INSTALL,
    NAME,
    SAME_CLUSTER,
    SETTINGS,
    cluster_of,
    find_install,
    install_id,
    note_unknown,
)
from byoa_cli.options import APP, AT_API, JSON, YES, label
from byoa_cli.output import FINE, MEND, err, out, print_json
from byoa_cli.paging import PAGING, part_of
from byoa_cli.printable import styled
from byoa_cli.reaching import reach_api

if TYPE_CHECKING:
    from byoa_cli.commands import Command

_HIDDEN: Final = "the token of the cluster is no argument: it comes from stdin"
_FOLLOW = Option(
    "--follow", metavar="COMPONENT", action="append", default=[], type=label, group=SETTINGS,
    help="Deploy this component as soon as a build of it is active; may be repeated.",
)  # fmt: skip


@command(
    NAME,
    *CLUSTER,
    Option(
        "--approve-all", action="store_true", group=SETTINGS,
        help="Let plans wait for nobody, but for what only goes by name.",
    ),
    Option("--mend", action="store_true", group=SETTINGS, help="Have drift mended that the schedule finds."),
    INPUTS,
    _FOLLOW,
    Option("--dependents", action="store_true", group=SETTINGS, help="Deploy what depends on these behind them."),
    *AT_API,
    APP,
    JSON,
    discreet=_HIDDEN,
)  # fmt: skip
def create(
    name: str, inputs: str | None, follow: list[str], api: str | None, profile: str | None, org: str | None,
    app: str | None, *, approve_all: bool, mend: bool, dependents: bool, as_json: bool,
    **cluster: Any,  # noqa: ANN401 - what describes it goes on as it is
) -> int:  # fmt: skip
    """Make an install: a cluster that components of the app are applied to. Nothing is deployed by that.

    Examples:
        byoa installs create acme --server https://k8s.example.com:6443 --ca ca.pem --token-stdin < token.txt

        byoa installs create acme --kubeconfig kubeconfig --inputs acme.toml --approve-all

        byoa installs create acme --eks acme --region us-west-2 --role-arn arn:aws:iam::222222222222:role/byoa

        byoa installs create acme --agent --follow web --json
    """
    from byoa_cli.clusters import read_inputs

    found = cluster_of(**cluster)
    if found is None:
        raise UsageError("which cluster? --server with --ca and --token-stdin, --kubeconfig, --eks or --agent")
    here = reach_api(api, profile, org, app)
    body = {
        "name": name,
        "cluster": found,
        "install_config": {"approval_option": "approve-all" if approve_all else "prompt"},
        "inputs": read_inputs(inputs) if inputs else {},
        "follow": follow,
        "deploy_dependents": dependents,
        "mend": mend,
    }
    made = here.asked_api().ask("POST", "apps", here.named_app(), "installs", body=body).fields()
    note_unknown(here.asked_api(), here.named_app(), follow)
    if as_json:
        print_json(made)
    else:
        out().print(styled(f"made {name}: {cell(made, 'id')}"))
        if found["kind"] == "agent":
            _tell_agents(name, cell(made, "app_id"), cell(made, "id"))
    return FINE


def _seen(agent: dict[str, Any] | None) -> str:
    """When an install's agent was heard of; empty where it has none."""
    if agent is None:
        return ""
    return (
        f"asked last {cell(agent, 'seen_at')} ({cell(agent, 'token_name')})" if agent.get("seen_at") else "never asked"
    )


def _tell_agents(name: str, app: str, install: str) -> None:
    """What is still to be done beside the cluster."""
    err().print(styled("its agent wants a token of its own, and runs in the cluster or beside it:"))
    err().print(styled((f"  byoa tokens create agent-{name} --scope agent --install {name} --app {app}", "dim")))
    err().print(styled((f"  byoa install run --install {install}", "dim")))


@command(*AT_API, APP, *PAGING, JSON)
def list_installs(
    api: str | None, profile: str | None, org: str | None, app: str | None,
    limit: int | None, offset: int | None, page: int | None, *, every: bool, as_json: bool,
) -> int:  # fmt: skip
    """List the app's installs by name; without an app, all of the organisation's.

    Example:
        byoa installs list --app shop
    """
    part = part_of(limit, offset, page, every=every)
    here = reach_api(api, profile, org, app)
    place = ("apps", here.app, "installs") if here.app else ("installs",)
    found = here.asked_api().listing(*place, offset=part.offset, limit=part.limit)
    if as_json:
        print_json({"installs": found.items, "more": found.more})
        return FINE
    rows = [
        (
            *(cell(each, name) for name in ("name", "id", "app_id")),
            _reached(each),
            _approval(each),
            cell(each, "follow"),
        )
        for each in found.items
    ]
    show(("NAME", "ID", "APP", "CLUSTER", "APPROVAL", "FOLLOWS"), rows, "no installs")
    part.tell_more(more=found.more)
    return FINE


@command(
    INSTALL,
    Option("component", metavar="COMPONENT", nargs="?", type=label, help="A component in it: one of its deploys."),
    DEPLOY, *AT_API, APP, JSON,
)  # fmt: skip
def get(
    install: str, component: str | None, deploy: str | None, api: str | None, profile: str | None, org: str | None,
    app: str | None, *, as_json: bool,
) -> int:  # fmt: skip
    """Show an install with its components; of one component a deploy, with who wanted it, its history and its plan.

    Examples:
        byoa installs get acme --app shop

        byoa installs get acme web --app shop --json

        byoa installs get acme web --deploy dplabc…
    """
    if deploy and component is None:
        raise UsageError("--deploy is of a component: name it")
    here = reach_api(api, profile, org, app)
    if component is not None:
        from byoa_cli.one_deploy import show_component

        return show_component(here, install, component, deploy, as_json=as_json)
    found = find_install(here, install)
    asked, place = here.asked_api(), ("installs", str(found["id"]))
    components = asked.listing(*place, "components").items
    has_agent = (found.get("cluster") or {}).get("kind") == "agent"
    agent = asked.ask("GET", *place, "agent").fields() if has_agent else None
    if as_json:
        print_json({**found, "components": components, **({"agent": agent} if agent else {})})
        return FINE
    out().print(styled((cell(found, "name"), "bold"), f"  {cell(found, 'id')}"))
    show_rows(
        ("cluster", _reached(found)), ("agent", _seen(agent)), ("approval", _approval(found)),
        ("follows", _followed(found)),
        ("inputs", ", ".join(found.get("inputs") or {})), ("mends drift", "yes" if found.get("mend") else ""),
        ("updated", cell(found, "updated_at")),
    )  # fmt: skip
    rows = [
        (
            cell(each, "component_name"), cell(each, "status"), cell(each, "health_status"), cell(each, "drift_status"),
            cell(each, "objects"), cell(each, "build_id"), cell(each, "updated_at"),
        )
        for each in components
    ]  # fmt: skip
    show(("COMPONENT", "STATUS", "HEALTH", "DRIFT", "OBJECTS", "BUILD", "UPDATED AT"), rows, "nothing was deployed yet")
    return FINE


@command(
    INSTALL,
    *CLUSTER,
    SAME_CLUSTER,
    Option(
        "--approval", choices=("prompt", "approve-all"), group=SETTINGS,
        help="Whether plans wait for somebody (prompt), or for nobody but for what only goes by name.",
    ),
    Option("--drift", choices=("mend", "tell"), group=SETTINGS, help="What is done about drift that is found on time."),
    INPUTS,
    _FOLLOW,
    Option(
        "--unfollow", metavar="COMPONENT", action="append", default=[], type=label, group=SETTINGS,
        help="Don't follow this one's builds any more; may be repeated.",
    ),
    Option(
        "--dependents", choices=("deploy", "leave"), group=SETTINGS,
        help="What is done about what depends on a followed component.",
    ),
    *AT_API,
    APP,
    JSON,
    discreet=_HIDDEN,
)  # fmt: skip
def change(
    install: str, approval: str | None, drift: str | None, inputs: str | None, follow: list[str], unfollow: list[str],
    dependents: str | None, api: str | None, profile: str | None, org: str | None, app: str | None,
    *, same_cluster: bool, as_json: bool,
    **cluster: Any,  # noqa: ANN401 - the same
) -> int:  # fmt: skip
    """Change an install's settings; what isn't named stays. Its components change with their next deploys.

    A file of --inputs replaces all inputs. Another cluster is refused while objects are tracked in the one it has: tear
    them down first, or say --same-cluster where only its address is new.

    Examples:
        byoa installs change acme --inputs acme.toml

        byoa installs change acme --server https://new.example.com --ca ca.pem --token-stdin < token.txt

        byoa installs change acme --approval approve-all --drift mend --follow web --unfollow database
    """
    from byoa_cli.clusters import read_inputs

    body: dict[str, Any] = {}
    if (found := cluster_of(**cluster)) is not None:
        body |= {"cluster": found, **({"same_cluster": True} if same_cluster else {})}
    elif same_cluster:
        raise UsageError("--same-cluster is about another way to it: name that")
    if approval:
        body["install_config"] = {"approval_option": approval}
    if drift:
        body["mend"] = drift == "mend"
    if dependents:
        body["deploy_dependents"] = dependents == "deploy"
    if inputs:
        body["inputs"] = read_inputs(inputs)
    if not body and not follow and not unfollow:
        raise UsageError("what is to be changed? Name at least one setting")
    here = reach_api(api, profile, org, app)
    place = ("installs", install_id(here, install))
    was = here.asked_api().ask("GET", *place)
    if follow or unfollow:
        followed = [*dict.fromkeys([*was.fields().get("follow", []), *follow])]
        body["follow"] = [each for each in followed if each not in unfollow]
    now = here.asked_api().ask("PATCH", *place, body=body, match=was.etag).fields()
    note_unknown(here.asked_api(), cell(now, "app_id"), follow)
    if as_json:
        print_json(now)
    else:
        out().print(styled(f"changed {cell(now, 'name')}"))
    return FINE


@command(INSTALL, *AT_API, APP, YES, JSON)
def delete(
    install: str, api: str | None, profile: str | None, org: str | None, app: str | None, *, yes: bool, as_json: bool
) -> int:
    """Forget an install and its token. One whose objects are still there is refused: tear it down first.

    Example:
        byoa installs delete acme --yes
    """
    from byoa_cli.secrets import confirmed

    here = reach_api(api, profile, org, app)
    found = find_install(here, install)
    if not yes and not confirmed(f"forget the install {cell(found, 'name')} of {cell(found, 'app_id')}?"):
        err().print(styled("nothing was deleted"))
        return MEND
    here.asked_api().ask("DELETE", "installs", str(found["id"]), match="*")
    if as_json:
        print_json({"id": found["id"], "name": found.get("name"), "deleted": True})
    else:
        out().print(styled(f"deleted {cell(found, 'name')}"))
    return FINE


def _reached(install: dict[str, Any]) -> str:
    cluster = install.get("cluster") or {}
    kind = cell(cluster, "kind")
    if kind == "eks":
        return f"eks {cell(cluster, 'cluster')} in {cell(cluster, 'region')}"
    return cell(cluster, "server") if kind == "static" else kind


def _followed(install: dict[str, Any]) -> str:
    names = cell(install, "follow")
    return f"{names}, with what depends on them" if names and install.get("deploy_dependents") else names


def _approval(install: dict[str, Any]) -> str:
    return cell(install.get("install_config") or {}, "approval_option")


def _later(name: str, summary: str) -> Deferred:
    """A command of another module, imported when it is asked for."""

    def find() -> Command:
        from byoa_cli import rollouts

        found: Command = getattr(rollouts, name)
        return found

    return Deferred(summary, find)


installs = Group(
    "Install an app's components to clusters: planned, approved, watched, mended.",
    {
        "create": create,
        "list": list_installs,
        "get": get,
        "change": change,
        "delete": delete,
        "plan": _later("plan", "Tell what deploying a build would do to an install, object by object."),
        "deploy": _later("deploy", "Deploy a build of a component to an install; an older one is the way back."),
        "approve": _later("approve", "Say yes to a plan that waits, and to parts of it by name."),
        "deny": _later("deny", "Say no to a plan that waits: nothing is written."),
        "drift": _later("drift", "Look whether a component's objects are as they were applied."),
        "teardown": _later("teardown", "Delete what a component has in an install, in the reverse order."),
        "recover": _later("recover", "Track again what a component has in an install, by its labels."),
        "deploys": _later("deploys", "List an install's deploys, the newest first."),
        "cancel": _later("cancel", "Stop a deploy that waits or runs: it writes nothing more."),
    },
)
