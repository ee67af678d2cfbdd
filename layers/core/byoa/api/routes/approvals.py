"""Plans of deploys, and what somebody says to one that waits. In Nuon's paths a workflow is one deploy."""

from collections.abc import Mapping
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path

from byoa.api.contents import ContentsOut, contents_out
from byoa.api.deploys import (
    ApprovalIn,
    ApprovalOut,
    ApprovalResponse,
    DeployOut,
    PlanOut,
    approval_out,
    deploy_out,
    plan_out,
)
from byoa.api.operations import Operations
from byoa.api.problems import Problem
from byoa.api.routes.deploys import DEPLOY, DeployId, cancelled, deploy_of
from byoa.api.routes.installs import ComponentId, InstallId
from byoa.api.visits import visit
from byoa.installs.messages import Answered, Deploy
from byoa.installs.sets import is_set, sets_of, spelled

operations = Operations()
APPROVAL = "/v1/workflows/<workflow_id>/steps/<step_id>/approvals/<approval_id>"
WorkflowId = Annotated[str, Path(min_length=1, max_length=128, description="The deploy's id.")]
StepId = Annotated[str, Path(min_length=1, max_length=128, description="The component's name.")]
_LISTED = 20
ApprovalId = Annotated[str, Path(min_length=1, max_length=128, description="The deploy's id again.")]


@operations.add("GET", f"{DEPLOY}/plan", "read", faults=(404,))
def get_deploy_plan(install_id: InstallId, component_id: ComponentId, deploy_id: DeployId) -> PlanOut:
    """What a deploy would do, or did, object by object and field by field. Values of Secrets are hidden.

    It is there as soon as the deploy has planned, and for a time.
    """
    deploy = deploy_of(install_id, component_id, deploy_id)
    contents = visit().installs.contents(deploy)
    if contents is None:
        raise Problem("not_found")
    return plan_out(deploy, contents)


@operations.add(
    "POST", f"{DEPLOY}/approval", "deploy", faults=(404, 409),
    example={"response_type": "approve", "note": "seen", "names": []},
)  # fmt: skip
def answer_plan(install_id: InstallId, component_id: ComponentId, deploy_id: DeployId, body: ApprovalIn) -> DeployOut:
    """Say yes or no to a plan that waits. With a fingerprint, to this plan and no other.

    What is approved is made again before anything is written: where it then isn't the same, nothing is.
    """
    return deploy_out(_answer(deploy_of(install_id, component_id, deploy_id), body))


@operations.add("GET", APPROVAL, "read", faults=(404,))
def get_approval(workflow_id: WorkflowId, step_id: StepId, approval_id: ApprovalId) -> ApprovalOut:
    """An approval by Nuon's path."""
    return approval_out(_deploy(workflow_id, step_id, approval_id))


@operations.add("GET", f"{APPROVAL}/contents", "read", faults=(404,))
def get_approval_contents(workflow_id: WorkflowId, step_id: StepId, approval_id: ApprovalId) -> ContentsOut:
    """What it is about, in Nuon's shape. Values of Secrets are hidden."""
    deploy = _deploy(workflow_id, step_id, approval_id)
    contents = visit().installs.contents(deploy)
    if contents is None:
        raise Problem("not_found")
    return contents_out(deploy, contents)


@operations.add("POST", f"{APPROVAL}/response", "deploy", faults=(404, 409), example={"response_type": "approve"})
def respond_to_approval(
    workflow_id: WorkflowId, step_id: StepId, approval_id: ApprovalId, body: ApprovalResponse
) -> ApprovalOut:
    """Say yes or no to a plan that waits. What only goes by name stays: that takes our own path."""
    said = ApprovalIn(response_type=body.response_type, note=body.note)
    return approval_out(_answer(_deploy(workflow_id, step_id, approval_id), said))


@operations.add("POST", "/v1/workflows/<workflow_id>/cancel", "deploy", faults=(404, 409))
def cancel_workflow(workflow_id: WorkflowId) -> DeployOut:
    """Stop a deploy by Nuon's path: it writes nothing more. What was written stays, tracked."""
    deploy = visit().installs.deploy(workflow_id)
    if deploy is None:
        raise Problem("not_found")
    return deploy_out(cancelled(deploy))


def _deploy(workflow_id: str, step_id: str, approval_id: str) -> Deploy:
    deploy = visit().installs.deploy(workflow_id)
    if deploy is None or (deploy.component, deploy.id) != (step_id, approval_id):
        raise Problem("not_found")
    return deploy


def _missing(deploy: Deploy, body: ApprovalIn) -> list[str]:
    """What has to be approved by name and isn't: a deploy's record has the first of it, its plan the rest.

    Raises ``Problem`` (422) for a set that isn't the plan's, or is said of no plan.
    """
    contents = visit().installs.contents(deploy) or {}
    needs = [*deploy.needs, *(contents.get("needs") or [])]
    sets = contents.get("sets") or sets_of({*needs})
    faults = [fault for name in body.names if (fault := _fault_of_set(name, sets, body.fingerprint))]
    if faults:
        raise Problem("invalid", faults=faults[:_LISTED])
    return sorted({*needs} - spelled({*body.names, *deploy.names}, {*needs}, sets))


def _fault_of_set(name: str, sets: Mapping[str, int], fingerprint: str | None) -> dict[str, str] | None:
    if not is_set(name):
        return None
    if fingerprint is None:
        message = f"{name} is said of one plan: send its fingerprint."
        return {"pointer": "/body/fingerprint", "code": "missing", "message": message}
    kind, _, count = name.partition(":")
    if sets.get(kind, 0) == int(count):
        return None
    message = f"{sets.get(kind, 0)} of the plan's parts are of that kind and only go by name."
    return {"pointer": "/body/names", "code": "other_set", "message": message}


def _answer(deploy: Deploy, body: ApprovalIn) -> Deploy:
    """Raises ``Problem``: 409 where the plan doesn't wait or is another one than was seen, 422 for names that miss."""
    here = visit()
    if deploy.status != "pending-approval" or deploy.fingerprint is None:
        raise Problem("not_waiting")
    approved = body.response_type == "approve"
    missing = _missing(deploy, body) if approved else []
    if missing:
        cause = f"The plan needs approval by name for {len(missing)} of its parts."
        faults = [{"pointer": "/body/names", "code": "missing", "message": each} for each in missing[:_LISTED]]
        remedy = "Send their names with the approval; many of one kind together as KIND:COUNT, with the fingerprint."
        raise Problem("invalid", cause=cause, remedy=remedy, faults=faults)
    answered = Answered(
        decision="approve" if approved else "deny",
        fingerprint=body.fingerprint or deploy.fingerprint,
        names=[*dict.fromkeys(body.names)],
        note=body.note,
        by=here.caller.id,
        at_ts=here.now_ts,
    )
    now = here.installs.answer(deploy, answered)
    if now is None:
        raise Problem("plan_other" if body.fingerprint not in (None, deploy.fingerprint) else "not_waiting")
    return now
