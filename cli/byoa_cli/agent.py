"""`byoa install run`: an install's agent. It reaches the API, the mirror and its own cluster; nobody reaches it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from byoa_cli.clusters import CLUSTER, Goal, plan_key
from byoa_cli.commands import Option, UsageError, command
from byoa_cli.described import install_id, is_install_id
from byoa_cli.options import APP, AT_API, JSON, PLAIN_HTTP, TOKEN_HOST, label
from byoa_cli.output import FINE, MEND, Interrupted, err, next_step, print_error, print_json
from byoa_cli.printable import styled
from byoa_cli.reaching import reach_api

if TYPE_CHECKING:
    from byoa.installs.cluster import Cluster
    from byoa.installs.ports import Job
    from byoa.installs.states import DeployEnded
    from byoa_cli.leases import Hand
    from byoa_cli.reaching import Reached

_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_WHERE: Final = tuple(each for each in CLUSTER if "--keep-in" not in each.names)
_LONGEST_REST: Final = 60.0
_MAKE: Final = "Have somebody make one for it: `byoa tokens create NAME --scope agent --install INSTALL`."


@command(
    Option(
        "--install", metavar="INSTALL", type=label, variable="BYOA_INSTALL", needed=False,
        help="The install's id (inl…), or its name in the app (default: the one that the token is for).",
    ),
    *_WHERE,
    Option("--once", action="store_true", help="Run what waits now, and end: for a job in CI, or cron."),
    PLAIN_HTTP,
    TOKEN_HOST,
    *AT_API,
    APP,
    JSON,
)  # fmt: skip
def run(
    install: str | None, plain_http: list[str], token_host: list[str], api: str | None, profile: str | None,
    org: str | None, app: str | None, *, once: bool, as_json: bool, **cluster: Any,  # noqa: ANN401 - they go on as they are
) -> int:  # fmt: skip
    """Run the deploys of an install whose cluster is an agent's: from within the cluster, from a machine, or in CI.

    It asks the API for a deploy, leases it for a minute at a time, pulls the mirror by its digest with its own login to
    the registry, and plans, applies and watches as the platform would. Of its cluster the platform learns what people
    are shown. In a pod the service account's own token is used. The API's token is one of the scope agent, for this
    install (`byoa tokens create NAME --scope agent --install INSTALL`).

    It ends with 130 by Ctrl-C and with 143 by SIGTERM, at once, and gives back the deploy that it runs: another agent,
    or the next run, goes on with it.

    With BYOA_PLAN_KEY set, fingerprints of plans cover values of Secrets as well: it has to be the same for each run.

    Examples:
        byoa install run --install acme --app shop

        byoa install run --install inlabc… --kubeconfig kubeconfig --once --json
    """
    from byoa_cli.leases import TERMINATED, Hand, Terminated, hear_signals

    hear_signals()
    hand = None
    try:
        here = reach_api(api, profile, org, app)
        named = _install_of(here, install)
        hand = Hand(here.asked_api(), named)
        agent = _Agent(hand, named, _reached(cluster), (plain_http, token_host), as_json)
        return agent.run_waiting() if once else agent.run_for_ever()
    except KeyboardInterrupt as stop:
        told = hand.give_back() if hand else ""
        if not isinstance(stop, Terminated):
            raise Interrupted(told) from None
        err().print(styled(f"ended: {told}" if told else "ended"))
        return TERMINATED


def _install_of(here: Reached, named: str | None) -> str:
    """The id of the install: the one that is named, of those that the token is for. Raises ``UsageError`` for several.

    An agent's token reads no installs; what it is for it is told. Raises ``ApiRefused`` where it isn't for that one.
    """
    from byoa.errors import ApiRefused

    account = here.asked_api().ask("GET", "account").fields()
    if "admin" in account["scopes"]:
        err().print(styled(("the token may do everything; an agent that stays should have one of its own:", "dim")))
        err().print(styled(("  byoa tokens create NAME --scope agent --install INSTALL", "dim")))
        if named is None:
            raise UsageError("--install is needed: the token is for all installs")
        return install_id(here, named)
    if named is not None and is_install_id(named):
        return named
    mine: list[dict[str, str]] = account.get("installs") or []
    fitting = [each for each in mine if named in (None, each["name"]) and here.app in (None, each["app_id"])]
    if len(fitting) > 1:
        raise UsageError("the token is for several installs: say which by --install, with its id or with --app")
    if not fitting:
        told = "The token is for no install." if not mine else "The token is for no install of that name."
        raise ApiRefused(told, remedy=_MAKE, problem="not_found")
    return fitting[0]["id"]


class _Agent:
    def __init__(
        self,
        hand: Hand,
        install: str,
        cluster: Cluster,
        places: tuple[list[str], list[str]],
        as_json: bool,  # noqa: FBT001 - how it tells
    ) -> None:
        self._hand = hand
        self._install = install
        self._cluster = cluster
        self._places = places
        self._as_json = as_json

    def run_waiting(self) -> int:
        """Run what waits; whether all of it went well, or waits for somebody's approval."""
        code, ran = FINE, 0
        while True:
            job, _ = self._hand.take()
            if job is None:
                break
            code, ran = max(code, self._run(job)), ran + 1
        if not ran:
            self._tell(f"nothing waits for the agent of {self._install}")
        return code

    def run_for_ever(self) -> int:
        """Run whatever comes; what the API can't answer is asked again."""
        from byoa.errors import ApiUnavailable

        rest = 1.0
        self._tell(f"waiting for deploys of {self._install}; Ctrl-C ends it")
        while True:
            try:
                job, wait = self._hand.take()
                rest = 1.0
                if job is not None:
                    self._run(job)
                    continue
            except ApiUnavailable as error:  # what it was about is leased again
                print_error(error, as_json=False)
                wait, rest = rest, min(rest * 2, _LONGEST_REST)
            time.sleep(wait)

    def _run(self, job: Job) -> int:
        """One deploy, from its lease to its report."""
        from dataclasses import replace

        from byoa.bootstrap import terminal
        from byoa.installs.steps.run_deploy import run_deploy
        from byoa_cli.leases import Beat

        terminal.begin(None)
        rig = terminal.rig(job, self._cluster, self._mirror, plan_key())
        checked = job.checked
        self._tell(f"{checked.component} {checked.deploy_id}: {checked.operation} {checked.build_id or ''}")
        with Beat(job):
            ended = run_deploy(checked, replace(rig, tell=lambda word: self._tell(f"{checked.component} {word}")))
        return self._report(job, ended)

    def _report(self, job: Job, ended: DeployEnded) -> int:
        from byoa.errors import DeploySuperseded
        from byoa.installs import contents, parcels
        from byoa.installs.steps.record_deploy import failure_of

        packed = contents.pack(parcels.fetch(ended.planned.contents, job.lists)) if ended.planned else None
        try:
            status = job.report(ended, packed)
        except DeploySuperseded:
            status = None
        self._hand.done()
        failure = failure_of(ended)
        if self._as_json:
            print_json(
                {
                    "id": job.checked.deploy_id, "component": job.checked.component, "status": status,
                    "error": failure.code if failure else None,
                }
            )  # fmt: skip
        else:
            err().print(styled(f"{job.checked.component} {job.checked.deploy_id}: {status or 'not ours any more'}"))
            if failure:
                where = f" ({failure.where})" if failure.where else ""
                err().print(styled(("error", "bold red"), " ", (failure.code, "bold"), f"{where}: {failure.cause}"))
                err().print(next_step(failure.remedy))
        return MEND if status in ("error", None) else FINE

    def _mirror(self, checked: Any) -> Any:  # noqa: ANN401 - a deploy, a source
        from byoa_cli.places import open_source

        return open_source(checked.reference or "", *self._places).repository

    def _tell(self, text: str) -> None:
        if not self._as_json:
            err().print(styled((text, "dim")))


def _reached(cluster: dict[str, Any]) -> Cluster:
    """The cluster that the options name; the one that this is a pod of, where they name none."""
    named = cluster["server"] or cluster["eks"] or cluster["kubeconfig"]
    if not named and "KUBERNETES_SERVICE_HOST" in os.environ:
        return _own_cluster()
    return Goal(install="", component="", namespace="default", keep_in="default", **cluster).cluster()


def _own_cluster() -> Cluster:
    """As the pod's service account, whose token is another one from time to time. Raises ``ClusterAccessInvalid``."""
    from byoa.bootstrap import terminal
    from byoa.installs.access import access_of

    def token() -> str:
        return (_ACCOUNT / "token").read_text().strip()

    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    place = f"[{host}]" if ":" in host else host
    access = access_of(f"https://{place}:{port}", (_ACCOUNT / "ca.crt").read_text(), token())
    return terminal.cluster(access, token, lambda: True)
