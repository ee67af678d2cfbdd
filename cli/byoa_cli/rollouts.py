"""What is done with a component in an install: `byoa installs plan`, `deploy`, `approve` and what follows from them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from byoa.installs.sets import is_set
from byoa_cli.columns import cell, show
from byoa_cli.commands import Option, UsageError, command
from byoa_cli.deploying import Deploying, follow, what_of
from byoa_cli.described import DEPLOY, INSTALL, PART, install_id
from byoa_cli.followed import followed, told
from byoa_cli.options import APP, AT_API, JSON, WAIT_AT_MOST, YES, label
from byoa_cli.output import FINE, MEND, Interrupted, err, out, print_json
from byoa_cli.paging import PAGING, part_of
from byoa_cli.printable import styled
from byoa_cli.reaching import reach_api
from byoa_cli.whose import by, token_names

if TYPE_CHECKING:
    from byoa_cli.reaching import Reached

_BUILD: Final = Option("--build", metavar="ID", help="The build (default: the newest active one).")
_TAKE_OVER: Final = Option(
    "--take-over", metavar="OWNER", action="append", default=[],
    help="Take fields of this owner, or an object of another install (KIND/NAMESPACE/NAME), by its name in a plan; "
    "may be repeated.",
)  # fmt: skip
_APPROVE: Final = Option(
    "--approve", action="store_true", help="Let the plan wait for nobody, but for what only goes by name."
)
_DEPENDENTS: Final = Option(
    "--dependents", action="store_true",
    help="Then deploy what depends on it as well, each by its newest active build, in order.",
)  # fmt: skip
_PARTS: Final = Option(
    "--part", metavar="NAME", action="append", default=[],
    help="What only goes by name, as the plan names it; may be repeated.",
)  # fmt: skip
_WAIT: Final = Option(
    "--wait", action="store_true", default=True, help="Follow it to its end, or to a plan that waits (default)."
)
_NO_WAIT: Final = Option("--no-wait", dest="wait", action="store_false", help="Only ask for it.")
_NOTE: Final = Option("--note", metavar="TEXT", default="", help="Why, for the history.")
_FOLLOWED: Final = (_WAIT, _NO_WAIT, WAIT_AT_MOST)


@command(INSTALL, PART, _BUILD, _TAKE_OVER, WAIT_AT_MOST, *AT_API, APP, JSON)
def plan(
    install: str, component: str, build: str | None, take_over: list[str], timeout: float, api: str | None,
    profile: str | None, org: str | None, app: str | None, *, as_json: bool,
) -> int:  # fmt: skip
    """Tell what deploying a build would do to an install, object by object.

    The cluster itself tries each object (a server-side dry run). Nothing is written, and values of Secrets are never
    shown.

    Example:
        byoa installs plan acme web --app shop --build bldabc…
    """
    here = reach_api(api, profile, org, app)
    body = {"plan_only": True, "take_over": take_over, **_of(build)}
    asked = _ask(here, install, component, "deploys", body)
    follow(asked, timeout, shown=not as_json)
    return told(asked, plan=True, as_json=as_json)


@command(INSTALL, PART, _BUILD, _DEPENDENTS, _APPROVE, _PARTS, _TAKE_OVER, *_FOLLOWED, *AT_API, APP, JSON)
def deploy(
    install: str, component: str, build: str | None, part: list[str], take_over: list[str], timeout: float,
    api: str | None, profile: str | None, org: str | None, app: str | None,
    *, dependents: bool, approve: bool, wait: bool, as_json: bool,
) -> int:  # fmt: skip
    """Deploy a build of a component to an install; an older one is the way back.

    It is followed to its end. Where its plan waits for an approval, somebody at the terminal is asked; elsewhere the
    command ends with 1, and `approve` goes on. With --dependents those deploys are followed as well that come behind
    it; what didn't go well has those skipped that depend on it.

    Examples:
        byoa installs deploy acme web --app shop

        byoa installs deploy acme web --build bldabc… --approve --wait --json

        byoa installs deploy acme database --dependents

        byoa installs deploy acme web --approve --part Namespace/old
    """
    here = reach_api(api, profile, org, app)
    body: dict[str, Any] = {
        "approve_all": approve, "names": part, "take_over": take_over, "deploy_dependents": dependents
    }  # fmt: skip
    asked = _ask(here, install, component, "deploys", {**body, **_of(build)})
    return followed(asked, timeout, wait=wait, as_json=as_json)


@command(
    INSTALL, PART, DEPLOY, _PARTS,
    Option("--fingerprint", metavar="TEXT", help="Of this plan alone (default: the one that waits now)."),
    _NOTE, *_FOLLOWED, *AT_API, APP, JSON,
)  # fmt: skip
def approve(
    install: str, component: str, deploy: str | None, part: list[str], fingerprint: str | None, note: str,
    timeout: float, api: str | None, profile: str | None, org: str | None, app: str | None,
    *, wait: bool, as_json: bool,
) -> int:  # fmt: skip
    """Say yes to a plan that waits, and to parts of it by name.

    What is approved is planned again before anything is written: if it isn't the same then, nothing is. Many parts of
    one kind go together as KIND:COUNT, of the plan whose --fingerprint is given.

    Examples:
        byoa installs approve acme web --app shop --note "seen by ops"

        byoa installs approve acme web --part Namespace/old --part Job/shop/migrate

        byoa installs approve acme web --fingerprint plan-… --part Job:1200
    """
    if fingerprint is None and any(map(is_set, part)):
        raise UsageError("KIND:COUNT is said of the plan that was seen: give its --fingerprint")
    found = _newest(reach_api(api, profile, org, app), install, component, deploy)
    bound = fingerprint or found.said.get("fingerprint")
    found.answer({"response_type": "approve", "names": part, "note": note, "fingerprint": bound})
    return followed(found, timeout, wait=wait, as_json=as_json)


@command(INSTALL, PART, DEPLOY, _NOTE, *AT_API, APP, JSON)
def deny(
    install: str, component: str, deploy: str | None, note: str, api: str | None, profile: str | None,
    org: str | None, app: str | None, *, as_json: bool,
) -> int:  # fmt: skip
    """Say no to a plan that waits: nothing is written.

    Example:
        byoa installs deny acme web --app shop --note "not before Monday"
    """
    found = _newest(reach_api(api, profile, org, app), install, component, deploy)
    found.answer({"response_type": "deny", "note": note})
    if as_json:
        print_json(found.document())
    else:
        found.show(plan=False)
    return FINE


@command(INSTALL, PART, WAIT_AT_MOST, *AT_API, APP, JSON)
def drift(
    install: str, component: str, timeout: float, api: str | None, profile: str | None, org: str | None,
    app: str | None, *, as_json: bool,
) -> int:  # fmt: skip
    """Look whether a component's objects are as they were applied. Exits with 1 where they aren't.

    Nothing is written; a deploy of the same build mends it.

    Example:
        byoa installs drift acme web --app shop --json
    """
    here = reach_api(api, profile, org, app)
    asked = _ask(here, install, component, "drift", {})
    follow(asked, timeout, shown=not as_json)
    return told(asked, plan=True, as_json=as_json)


@command(INSTALL, PART, _APPROVE, _PARTS, *_FOLLOWED, YES, *AT_API, APP, JSON)
def teardown(
    install: str, component: str, part: list[str], timeout: float, api: str | None, profile: str | None,
    org: str | None, app: str | None, *, approve: bool, wait: bool, yes: bool, as_json: bool,
) -> int:  # fmt: skip
    """Delete what a component has in an install, in the reverse order.

    Namespaces, definitions, volumes and claims stay unless they are approved by name. What is gone already is fine.

    Example:
        byoa installs teardown acme web --app shop --approve --yes
    """
    from byoa_cli.secrets import confirmed

    here = reach_api(api, profile, org, app)
    if not yes and not confirmed(f"delete all that {component} has in {install}?"):
        err().print(styled("nothing was deleted"))
        return MEND
    asked = _ask(here, install, component, "teardown", {"approve_all": approve, "names": part})
    return followed(asked, timeout, wait=wait, as_json=as_json)


@command(INSTALL, PART, _BUILD, _APPROVE, *_FOLLOWED, *AT_API, APP, JSON)
def recover(
    install: str, component: str, build: str | None, timeout: float, api: str | None, profile: str | None,
    org: str | None, app: str | None, *, approve: bool, wait: bool, as_json: bool,
) -> int:  # fmt: skip
    """Track again what a component has in an install's cluster, where the record of it was lost.

    It is a deploy of the build that is installed, or of the one that is named: what has the component's labels, was
    applied by us and has no other owner is tracked from then on, and what the build doesn't have is pruned.

    Example:
        byoa installs recover acme web --app shop --approve
    """
    from byoa.errors import ApiRefused

    here = reach_api(api, profile, org, app)
    place = ("installs", install_id(here, install), "components", component)
    if build is None:
        try:
            build = here.asked_api().ask("GET", *place).fields().get("build_id")
        except ApiRefused as refusal:
            if refusal.problem != "not_found":
                raise
    body = {"recover": True, "approve_all": approve, **_of(build)}
    return followed(_ask(here, install, component, "deploys", body), timeout, wait=wait, as_json=as_json)


@command(
    INSTALL, Option("component", metavar="COMPONENT", nargs="?", type=label, help="Of this component alone."),
    *AT_API, APP, *PAGING, JSON,
)  # fmt: skip
def deploys(
    install: str, component: str | None, api: str | None, profile: str | None, org: str | None, app: str | None,
    limit: int | None, offset: int | None, page: int | None, *, every: bool, as_json: bool,
) -> int:  # fmt: skip
    """List an install's deploys, the newest first: what, how it went, who wanted it.

    To go back to one, deploy its build again.

    Example:
        byoa installs deploys acme web --app shop
    """
    part = part_of(limit, offset, page, every=every)
    here = reach_api(api, profile, org, app)
    place = ("installs", install_id(here, install), *(("components", component) if component else ()), "deploys")
    found = here.asked_api().listing(*place, offset=part.offset, limit=part.limit)
    if as_json:
        print_json({"deploys": found.items, "more": found.more})
        return FINE
    names = token_names(here.asked_api()) if found.items else {}
    rows = [
        (
            cell(each, "id"), cell(each, "status"), cell(each, "component_name"), what_of(each),
            cell(each, "build_id"), cell(each, "cause"), by(each, names), cell(each, "created_at"),
        )
        for each in found.items
    ]  # fmt: skip
    show(("ID", "STATUS", "COMPONENT", "WHAT", "BUILD", "CAUSE", "BY", "CREATED AT"), rows, "no deploys")
    part.tell_more(more=found.more)
    return FINE


@command(INSTALL, PART, DEPLOY, *AT_API, APP, JSON)
def cancel(
    install: str, component: str, deploy: str | None, api: str | None, profile: str | None, org: str | None,
    app: str | None, *, as_json: bool,
) -> int:  # fmt: skip
    """Stop a deploy that waits or runs: it writes nothing more. What was written stays, tracked.

    Example:
        byoa installs cancel acme web --app shop
    """
    here = reach_api(api, profile, org, app)
    found = _newest(here, install, component, deploy)
    found.said = here.asked_api().ask("POST", *found.place, "cancel").fields()
    if as_json:
        print_json(found.document())
    else:
        out().print(styled(f"cancelled {found.id}"))
    return FINE


def _of(build: str | None) -> dict[str, str]:
    """The build, as the API takes it. Raises ``ApiRefused`` for what is no id of one, as for an id of none."""
    if build and not re.fullmatch(r"bld[a-z2-7]{23}", build):
        from byoa.errors import ApiRefused

        cause, remedy = "The component has no build of that id.", "`byoa builds list` shows all."
        raise ApiRefused(cause, remedy=remedy, problem="not_found")
    return {"build_id": build} if build else {}


def _ask(here: Reached, install: str, component: str, what: str, body: dict[str, Any]) -> Deploying:
    place = ("installs", install_id(here, install), "components", component, what)
    api = here.asked_api()
    try:
        return Deploying(api, api.ask("POST", *place, body=body).fields())
    except KeyboardInterrupt:
        told = f"it may have been asked for all the same; see `byoa installs deploys {place[1]} {component}`"
        raise Interrupted(told) from None


def _newest(here: Reached, install: str, component: str, deploy: str | None) -> Deploying:
    place = ("installs", install_id(here, install), "components", component, "deploys", deploy or "latest")
    return Deploying(here.asked_api(), here.asked_api().ask("GET", *place).fields())
