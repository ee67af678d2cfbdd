"""`byoa install`: an artifact to a cluster from where this runs, without the platform. The cluster itself remembers."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from byoa_cli.clusters import APPROVE, CLUSTER, INPUTS, OWNER, TAKE_OVER, WITHIN, Goal, fingerprint_of, plan_key
from byoa_cli.commands import Deferred, Group, Option, command
from byoa_cli.options import JSON, PLAIN_HTTP, TOKEN_HOST, YES
from byoa_cli.output import FINE, MEND, err, exit_code, print_error, print_json, print_styled
from byoa_cli.planned import outcome_document, show_outcome, show_plan
from byoa_cli.printable import styled
from byoa_cli.rights import load_from, rbac

if TYPE_CHECKING:
    from byoa.installs.apply import Work
    from byoa.installs.cluster import Cluster, Right
    from byoa.installs.deploy import Approval
    from byoa.installs.objects import Object
    from byoa.installs.plan import Task
    from byoa.installs.plans import Plan
    from byoa_cli.commands import Command

_REFERENCE = Option("ref", metavar="REF", help="oci://HOST/REPOSITORY@DIGEST (or :TAG), or oci-layout:FOLDER[:TAG]")
_WHERE = (*OWNER, *CLUSTER)
_WHAT = (_REFERENCE, *_WHERE, INPUTS, TAKE_OVER, PLAIN_HTTP, TOKEN_HOST)


@command(*_WHAT, JSON)
def plan(*, as_json: bool, **options: Any) -> int:  # noqa: ANN401 - they go on as they are
    """Tell what applying an artifact would do to a cluster. Nothing is written; values of Secrets are never shown.

    Each object is tried by the cluster itself (a server-side dry run). What is printed at the end is the plan's
    fingerprint: `apply --plan` does this and nothing else. With BYOA_PLAN_KEY set it covers values of Secrets as well.

    Examples:
        byoa install plan oci://registry.example.com/mirror/web@sha256:… --install shop --component web

        byoa install plan oci-layout:./web:v1 --install shop --component web --inputs inputs.toml --json
    """
    from byoa.installs.contents import document
    from byoa.installs.plans import fingerprint

    deal = _Deal(options)
    found = deal.plan()
    known_as = fingerprint(found, plan_key())
    found = found.as_approved(frozenset())
    if as_json:
        print_json({**deal.about, **document(found, known_as), "fingerprint": known_as})
    else:
        show_plan(found, known_as)
    return exit_code(found.faults[0]) if found.faults else FINE


@command(
    *_WHAT, APPROVE, WITHIN,
    Option("--plan", metavar="FINGERPRINT", type=fingerprint_of, help="Do what this plan says, or nothing."), YES, JSON,
)  # fmt: skip
def apply(
    *,
    approve: list[str],
    within: float,
    plan: str | None,
    yes: bool,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - the same
) -> int:
    """Apply an artifact to a cluster, wait until it is healthy, and prune what it no longer has.

    Without --yes or --plan the plan is shown first, and somebody is asked. What is deleted by name only (namespaces,
    definitions, volumes) is kept unless approved. Stopped anywhere, the same call goes on and ends the same.

    Examples:
        byoa install apply oci://registry.example.com/mirror/web@sha256:… --install shop --component web --yes

        byoa install apply oci-layout:./web:v1 --install shop --component web --plan plan-… --approve Job/shop/migrate
    """
    return _run(_Deal(options), frozenset(approve), within, plan, yes=yes, as_json=as_json)


@command(*_WHAT, JSON)
def drift(*, as_json: bool, **options: Any) -> int:  # noqa: ANN401 - the same
    """Tell where a cluster is no longer as an artifact has it, object by object. Exits with 1 where it isn't.

    Example:
        byoa install drift oci://registry.example.com/mirror/web@sha256:… --install shop --component web --json
    """
    from byoa.installs.contents import document
    from byoa.installs.plans import fingerprint

    deal = _Deal(options, looking=True)
    found = deal.plan()
    known_as = fingerprint(found, plan_key())
    found = found.as_approved(frozenset())
    drifted = bool(found.faults) or not found.is_noop
    if as_json:
        status = "drift-detected" if drifted else "no-drift"
        print_json({"status": status, **deal.about, **document(found, known_as)})
    else:
        show_plan(found, known_as)
    return MEND if drifted else FINE


@command(*_WHERE, APPROVE, WITHIN, YES, JSON)
def teardown(
    *,
    approve: list[str],
    within: float,
    yes: bool,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - the same
) -> int:
    """Delete what an install's component has applied, in the reverse order. What is not there any more is fine.

    Namespaces, definitions and volumes are kept unless they are approved by name.

    Example:
        byoa install teardown --install shop --component web --yes --approve Namespace/shop
    """
    return _run(_Deal(options, teardown=True), frozenset(approve), within, None, yes=yes, as_json=as_json)


@command(*_WHERE, JSON)
def recover(*, as_json: bool, **options: Any) -> int:  # noqa: ANN401 - the same
    """Track again what an install's component has in a cluster, by its labels, where the record of it was lost.

    What was applied by `byoa install` and has no other owner counts. Nothing but the record is written.

    Example:
        byoa install recover --install shop --component web --kubeconfig kubeconfig
    """
    from byoa.installs.inventory import EMPTY
    from byoa.installs.recover import recover

    deal = _Deal(options, teardown=True)
    work, owner = deal.work(), deal.task.owner
    before = work.shelf.read() or EMPTY
    now = before.with_uids(recover(work.cluster, owner, work.workers))
    if not now.holds_the_same(before):
        work.shelf.write(now)
    added = sorted(str(each) for each in now.uids.keys() - before.uids.keys())
    if as_json:
        print_json({**deal.about, "tracked": len(now.uids), "recovered": added})
        return FINE
    for each in added:
        err().print(styled(each))
    err().print(styled(f"{len(now.uids)} objects are tracked, {len(added)} of them again"))
    return FINE


class _Deal:
    """An artifact, a cluster, and what is to be done with the two."""

    def __init__(self, options: dict[str, Any], *, teardown: bool = False, looking: bool = False) -> None:
        self._ref: str | None = options.pop("ref", None)
        self._inputs: str | None = options.pop("inputs", None)
        self._take_over = frozenset(options.pop("take_over", []))
        self._places = (options.pop("plain_http", []), options.pop("token_host", []))
        self._teardown = teardown
        self._looking = looking
        self._goal = Goal(**options)
        self.about: dict[str, Any] = {"install": self._goal.install, "component": self._goal.component}

    @cached_property
    def task(self) -> Task:
        """What is to be there, from the artifact, pulled once and by its digest."""
        from byoa.bootstrap import terminal
        from byoa.installs.plan import Task

        terminal.begin(None)
        if self._teardown:
            return Task(digest="", objects=(), owner=self._goal.owner, teardown=True, rights=self._rights)
        digest, objects = self._load(self._ref or "")
        return Task(
            digest=digest, objects=objects, owner=self._goal.owner, take_over=self._take_over, rights=self._rights,
            looking=self._looking,
        )  # fmt: skip

    @property
    def _rights(self) -> frozenset[Right]:
        return self._goal.shelf(None).rights

    @cached_property
    def cluster(self) -> Cluster:
        """The cluster that the options name."""
        return self._goal.cluster()

    def work(self, within: float = 0.0) -> Work:
        """What a deploy works with; objects have ``within`` seconds from now to get healthy."""
        from byoa.bootstrap import terminal
        from byoa.installs.apply import Work

        clock = terminal.stopwatch()
        return Work(
            cluster=self.cluster, shelf=self._goal.shelf(self.cluster), clock=clock, workers=terminal.together(),
            until=clock.now() + within, take_over=self._take_over,
        )  # fmt: skip

    def plan(self) -> Plan:
        """What would be done now."""
        from byoa.installs.plan import plan

        task, work = self.task, self.work()
        return plan(task, work.cluster, work.shelf.read(), work.workers)

    def _load(self, ref: str) -> tuple[str, tuple[Object, ...]]:
        from byoa_cli.places import open_source

        place = open_source(ref, *self._places)
        root = place.repository.fetch_manifest(place.digest or place.tag or "")
        self.about["artifact"] = {"reference": ref, "digest": str(root.digest)}
        objects = load_from(place.repository, root, self._goal.state(self._inputs))
        return str(root.digest), objects


def _run(
    deal: _Deal, approved: frozenset[str], within: float, fingerprint: str | None, *, yes: bool, as_json: bool
) -> int:
    from byoa.errors import ByoaError
    from byoa.installs.deploy import Approval, deploy

    task = deal.task
    approval = Approval(fingerprint=fingerprint, key=plan_key(), names=approved)
    if not yes and fingerprint is None:
        seen = _shown_and_approved(deal, approved)
        if seen is None:
            err().print(styled("nothing was applied"))
            return MEND
        approval = seen
    try:
        outcome = deploy(task, deal.work(within), approval, lambda word: print_styled((word, "dim"), progress=True))
    except ByoaError as error:
        if as_json:
            print_json({"status": "error", **deal.about, "error": error.as_dict()})
        else:
            print_error(error, as_json=False)
        return exit_code(error)
    if as_json:
        print_json({**deal.about, **outcome_document(outcome)})
    else:
        show_outcome(outcome)
    return FINE


def _shown_and_approved(deal: _Deal, approved: frozenset[str]) -> Approval | None:
    """What somebody said yes to, after they were shown it; bound to just that."""
    import secrets

    from byoa.installs.deploy import Approval
    from byoa.installs.plan import check
    from byoa.installs.plans import fingerprint
    from byoa_cli.secrets import check_can_ask, confirmed

    check_can_ask(yes=False)
    found, key = deal.plan(), secrets.token_bytes(32)
    show_plan(found.as_approved(approved), fingerprint(found, plan_key()))
    check(found, approved)
    if not found.as_approved(approved).is_noop and not confirmed("apply this?"):
        return None
    return Approval(fingerprint=fingerprint(found, key), key=key, names=approved)


def _run_agent() -> Command:
    from byoa_cli.agent import run

    return run


install = Group(
    "Apply an artifact to a Kubernetes cluster: planned, by stages, watched, pruned.",
    {
        "plan": plan,
        "apply": apply,
        "drift": drift,
        "teardown": teardown,
        "recover": recover,
        "rbac": rbac,
        "run": Deferred("Run the deploys of an install at the platform whose cluster is an agent's.", _run_agent),
    },
)
