"""Deploys that an install's own agent runs: leased, renewed, told of. No login to its cluster comes by here."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from byoa.api.agents import held_as, is_agents, note_agent, own_install
from byoa.api.documents import moment
from byoa.api.jobs import (
    PLAN_LIMIT,
    EndedIn,
    InventoryIn,
    InventoryOut,
    JobOut,
    Leased,
    LeaseId,
    LeaseOut,
    PlanDocument,
    RenewedOut,
    ReportedOut,
    ReportIn,
)
from byoa.api.operations import Operations
from byoa.api.problems import Problem
from byoa.api.receiving import receive, runner_of
from byoa.api.routes.deploys import DeployId
from byoa.api.routes.installs import INSTALL, InstallId, found
from byoa.api.tokens import random_id
from byoa.api.visits import visit
from byoa.builds.messages import CaughtError
from byoa.errors import (
    ByoaError,
    DeployBusy,
    DuplicateEvent,
    InternalFault,
    InventoryInvalid,
    Transient,
)
from byoa.installs import contents, inventory, parcels
from byoa.installs.cluster import Shelf
from byoa.installs.messages import Deploy, Install
from byoa.installs.pocket import Pocket
from byoa.installs.records import TO_RUN
from byoa.installs.states import DeployEnded
from byoa.installs.steps.apply_install import executing
from byoa.installs.steps.record_deploy import failure_of, record_deploy

operations = Operations()
JOBS = f"{INSTALL}/jobs"
JOB = f"{JOBS}/<deploy_id>"
LEASE_MS: Final = 60_000
_WAIT_SECONDS: Final = 5
_BEFORE: Final = 10
"""Deploys of a component that are looked at for one that still holds it."""

LEASE = {"lease_id": "lea" + "example" + "2" * 16}


@operations.add("POST", f"{JOBS}/lease", "agent", faults=(404, 409), idle=True)
def lease_job(install_id: InstallId) -> LeaseOut:
    """Lease a deploy of the install to run, if one waits, for 60 seconds; of one component there is one at a time.

    A lease that isn't renewed ends, and whoever asks next goes on.
    """
    here, install = visit(), own_install(install_id)
    if not is_agents(install):
        raise Problem("not_an_agents")
    note_agent(install.id)
    begun: set[str] = set()
    for key in here.leases.to_run(install.id):
        deploy = here.installs.look(key) if key.component not in begun else None
        if deploy is None or deploy.status not in TO_RUN:
            continue
        begun.add(key.component)  # what comes behind it can't hold the component yet
        job = _leased(deploy)
        if job:
            return LeaseOut(job=job, wait_seconds=0)
    return LeaseOut(job=None, wait_seconds=_WAIT_SECONDS)


@operations.add("POST", f"{JOB}/renew", "agent", faults=(404, 409), example=LEASE, idle=True)
def renew_lease(install_id: InstallId, deploy_id: DeployId, body: Leased) -> RenewedOut:
    """Make a lease last 60 seconds from now. 409 says to stop: the lease or the deploy has ended."""
    job = _held(own_install(install_id), deploy_id, body.lease_id)
    return RenewedOut(leased_until=moment(job.until_ts))


@operations.add("POST", f"{JOB}/give-back", "agent", faults=(404,), example=LEASE, idle=True, status=204)
def give_back_job(install_id: InstallId, deploy_id: DeployId, body: Leased) -> Response[None]:
    """Give a lease back before its time, so that another agent goes on at once. One that has ended is left alone."""
    _of(own_install(install_id), deploy_id)
    visit().leases.give_back(deploy_id, _holding(body.lease_id))
    return Response(204, None)


@operations.add("GET", f"{JOB}/inventory", "agent", faults=(404, 409))
def get_job_inventory(
    install_id: InstallId,
    deploy_id: DeployId,
    lease_id: Annotated[LeaseId, Query(description="The lease.")],
) -> InventoryOut:
    """What is tracked of the deploy's component."""
    job = _held(own_install(install_id), deploy_id, lease_id)
    kept = job.shelf.read()
    return InventoryOut(packed=inventory.pack(kept) if kept else None, version=kept.version if kept else "")


@operations.add(
    "PUT", f"{JOB}/inventory", "agent", faults=(404, 409),
    example={**LEASE, "packed": inventory.pack(inventory.EMPTY), "version": ""}, idle=True,
)  # fmt: skip
def put_job_inventory(install_id: InstallId, deploy_id: DeployId, body: InventoryIn) -> InventoryOut:
    """Keep what is tracked from now on, before anything of it is written to the cluster."""
    job = _held(own_install(install_id), deploy_id, body.lease_id)
    try:
        wanted = inventory.unpack(body.packed, body.version)
    except InventoryInvalid as error:
        fault = {"pointer": "/body/packed", "code": error.code, "message": error.cause}
        raise Problem("invalid", faults=[fault]) from None
    kept = job.shelf.write(wanted)
    return InventoryOut(packed=None, version=kept.version)


@operations.add("POST", f"{JOB}/report", "agent", faults=(404, 409), example=LEASE)
def report_job(install_id: InstallId, deploy_id: DeployId, body: ReportIn) -> ReportedOut:
    """Tell that a deploy writes from now on, or which way it went: then the lease is given back."""
    here = visit()
    job = _held(own_install(install_id), deploy_id, body.lease_id, over=body.ended is not None)
    if body.ended is None:
        checked = receive(job.deploy, Pocket())
        runs = here.deploying.change(job.deploy.key, runner_of(job.deploy), executing(checked, here.world.clock))
        return ReportedOut(status=runs.status)
    pocket = Pocket()
    ended = _ended(job.deploy, body.ended, pocket)
    outcome = record_deploy(ended, here.deploying, pocket, here.world.clock)
    here.leases.give_back(deploy_id, _holding(body.lease_id))
    return ReportedOut(status=outcome.status if outcome else None)


@dataclass(frozen=True, slots=True)
class _Job:
    """A deploy that the caller has a lease of until ``until_ts``."""

    deploy: Deploy
    until_ts: int

    @property
    def shelf(self) -> Shelf:
        """What is tracked of its component."""
        return visit().world.shelf(self.deploy.key, runner_of(self.deploy))


def _holding(lease_id: str) -> str:
    return held_as(lease_id, visit().caller.id)


def _leased(deploy: Deploy) -> JobOut | None:
    """It with a lease; ``None`` where somebody has one, and where it can't be run."""
    here, lease = visit(), random_id("lea")
    until_ts = here.now_ts + LEASE_MS
    if not here.leases.take(deploy.id, _holding(lease), here.now_ts, until_ts):
        return None
    pocket = Pocket()
    try:
        checked = receive(deploy, pocket)
    except (DuplicateEvent, Transient) as error:
        here.leases.give_back(deploy.id, _holding(lease))
        if isinstance(error, DeployBusy):
            _let_go(deploy)
        return None
    except ByoaError as error:
        _refuse(deploy, error)
        here.leases.give_back(deploy.id, _holding(lease))
        return None
    values = parcels.fetch(checked.values, pocket) if checked.values else {}
    return JobOut(
        lease_id=lease,
        leased_until=moment(until_ts),
        deploy_id=deploy.id,
        checked=checked.model_dump(mode="json"),
        values=values,
    )


def _let_go(deploy: Deploy) -> None:
    """A deploy before this one may have ended without its agent, which then told nobody: it holds nothing any more."""
    here, name = visit(), runner_of(deploy)
    for each in here.installs.deploys(found(deploy.install_id), deploy.component, _BEFORE).items:
        until_ts = here.now_ts + LEASE_MS
        is_ours = each.ended and each.execution == name
        if is_ours and here.leases.take(each.id, _holding(random_id("lea")), here.now_ts, until_ts):
            here.deploying.finish(each.key, name, lambda ended, part: (ended, part))


def _refuse(deploy: Deploy, error: ByoaError) -> None:
    """A deploy that no agent could run has ended."""
    ended = DeployEnded(**deploy.key.model_dump(), execution=runner_of(deploy), failure=_caught(error))
    here = visit()
    record_deploy(ended, here.deploying, Pocket(), here.world.clock)


def _held(install: Install, deploy_id: str, lease: str, *, over: bool = False) -> _Job:
    """The deploy, whose lease lasts another minute. Raises ``Problem`` with 409 where the caller has none of it.

    Of one that has ended it is told alone that it is ``over``.
    """
    here, deploy = visit(), _of(install, deploy_id)
    until_ts = here.now_ts + LEASE_MS
    if not here.leases.renew(deploy_id, _holding(lease), here.now_ts, until_ts):
        raise Problem("lease_lost")
    if deploy.ended and not over:
        raise Problem("lease_lost", cause="The deploy has ended: it was cancelled, or another one overtook it.")
    note_agent(install.id)
    return _Job(deploy, until_ts)


def _of(install: Install, deploy_id: str) -> Deploy:
    """A deploy of the install. Raises ``Problem`` with 404 for any other."""
    deploy = visit().installs.deploy(deploy_id)
    if deploy is None or deploy.install_id != install.id:
        raise Problem("not_found")
    return deploy


def _ended(deploy: Deploy, said: EndedIn, pocket: Pocket) -> DeployEnded:
    """What the agent tells, with what the platform knows by itself."""
    planned, failure, checked = said.planned, said.failure, None
    if planned is not None:
        shown = _document(said.contents) if said.contents else {"objects": []}
        planned = planned.model_copy(update={"contents": parcels.put(shown, pocket)})
    try:
        checked = receive(deploy, Pocket())
    except ByoaError as error:
        failure = failure or _caught(error)
    way = {"planned": planned, "applied": said.applied, "health": said.health, "pruned": said.pruned}
    ended = DeployEnded(**deploy.key.model_dump(), execution=runner_of(deploy), checked=checked, failure=failure, **way)
    try:
        failure_of(ended)
    except InternalFault as error:
        fault = {"pointer": "/body/ended", "code": "not_done", "message": error.cause}
        raise Problem("invalid", faults=[fault]) from None
    return ended


def _document(packed: str) -> dict[str, Any]:
    """A plan's document. Raises ``Problem`` with 422 for what is none: pages and lists read of it later."""
    try:
        found = contents.unpack(packed, PLAN_LIMIT)
        PlanDocument.model_validate(found)
    except (InternalFault, ValueError):
        fault = {"pointer": "/body/ended/contents", "code": "document", "message": "It is no plan's document."}
        raise Problem("invalid", faults=[fault]) from None
    return found


def _caught(error: ByoaError) -> CaughtError:
    cause = json.dumps({"errorMessage": error.as_json(), "errorType": error.code})
    return CaughtError(error=error.code, cause=cause)
