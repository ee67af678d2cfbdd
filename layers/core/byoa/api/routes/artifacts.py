"""Artifacts in registries, looked at without a build. Nothing here asks a registry: other functions do."""

from typing import Any, Final

from aws_lambda_powertools.event_handler import Response

from byoa.api.documents import moment
from byoa.api.lookups import (
    ArtifactIn,
    DifferenceOut,
    InspectedOut,
    LookupOut,
    PairIn,
    PlanIn,
    PlannedOut,
    RepositoryIn,
    ResolvedOut,
    TagsOut,
    result_out,
)
from byoa.api.operations import Operations
from byoa.api.ports import KeptLookup
from byoa.api.problems import Problem
from byoa.api.shapes import Id
from byoa.api.tokens import random_id
from byoa.api.visits import visit
from byoa.builds.lookups import Action, LookUp, Sought
from byoa.builds.messages import Failure
from byoa.errors import ByoaError
from byoa.trust.policy import TARGETS

operations = Operations()
ARTIFACT: Final[dict[str, Any]] = {"url": "oci://ghcr.io/vendor/app-manifests", "tag": "v2.3.1"}
PLAN: Final[dict[str, Any]] = {**ARTIFACT, "targets": ["ecr"]}
REPOSITORY: Final[dict[str, Any]] = {"url": ARTIFACT["url"]}
PAIR: Final[dict[str, Any]] = {"before": ARTIFACT, "after": {**ARTIFACT, "tag": "v2.4.0"}}
LOOKUP: Final = "/v1/artifacts/lookups/<lookup_id>"

PATIENCE: Final = 25.0
"""Seconds that a request waits: the gateway gives up after 30."""

LONGEST_MS: Final = 180 * 1000
"""How long after its beginning a lookup can't be running any more: a minute in the queue, and two functions' time."""

_FAULTS: Final = (404,)


@operations.add("POST", "/v1/artifacts/resolve", "sync", faults=_FAULTS, example=ARTIFACT, lookup=True)
def resolve_artifact(body: ArtifactIn) -> Response[ResolvedOut | LookupOut]:
    """What a tag means now: the digest, asked of the registry with the stored credentials that are named."""
    return _looked_up("resolve", body)


@operations.add("POST", "/v1/artifacts/inspect", "sync", faults=_FAULTS, example=ARTIFACT, lookup=True)
def inspect_artifact(body: ArtifactIn) -> Response[InspectedOut | LookupOut]:
    """What an artifact holds, and who could use it. Its bytes count on the organisation's day, up to 100 MiB."""
    return _looked_up("inspect", body)


@operations.add("POST", "/v1/artifacts/plan", "sync", faults=_FAULTS, example=PLAN, lookup=True)
def plan_artifact(body: PlanIn) -> Response[PlannedOut | LookupOut]:
    """What a build of it would fetch, and what the registry would refuse. Nothing but manifests is fetched for it.

    Builds mirror to all targets that there are, so others are refused.
    """
    unknown = [number for number, name in enumerate(body.targets or ()) if name not in TARGETS]
    if unknown:
        told = f"There is no such target; there are: {', '.join(TARGETS)}."
        faults = [{"pointer": f"/body/targets/{number}", "code": "unknown", "message": told} for number in unknown]
        raise Problem("invalid", faults=faults)
    return _looked_up("plan", body)


@operations.add("POST", "/v1/artifacts/diff", "sync", faults=_FAULTS, example=PAIR, lookup=True)
def diff_artifacts(body: PairIn) -> Response[DifferenceOut | LookupOut]:
    """Which Kubernetes objects differ between two artifacts, and where. Values of Secrets are never shown."""
    return _looked_up("diff", body.before, body.after)


@operations.add("POST", "/v1/artifacts/tags", "sync", faults=_FAULTS, example=REPOSITORY, lookup=True)
def list_tags(body: RepositoryIn) -> Response[TagsOut | LookupOut]:
    """The tags of a repository, the newest version first, 1,000 at most. Those of signatures are left out."""
    return _looked_up("tags", body)


@operations.add("GET", LOOKUP, "read", faults=(404,))
def get_lookup(lookup_id: Id) -> LookupOut:
    """A lookup that took longer than its request waited: its state, and its answer for a day."""
    kept = visit().lookups.find(lookup_id)
    if kept is None:
        raise Problem("not_found")
    return _lookup_out(kept, visit().now_ts)


def _looked_up(action: Action, *artifacts: ArtifactIn | RepositoryIn) -> Response[Any]:
    """The answer, or where it will be: whoever answers late is asked anew, by a function that has the time."""
    here = visit()
    sought = [Sought(**each.model_dump(exclude={"targets"})) for each in artifacts]
    _check_allowed(action, sought)
    asked = LookUp(organisation=here.organisation, action=action, artifacts=sought)
    patience = _patience(here.header("prefer"))
    answer = here.lookups.answer(asked, patience) if patience else None
    if answer is not None:
        return Response(200, "application/json", result_out(answer))
    lookup_id, now_ts = random_id("lkp"), here.now_ts
    here.lookups.begin(lookup_id, asked, now_ts)
    out = _lookup_out(KeptLookup(lookup_id, action, now_ts), now_ts)
    return Response(202, "application/json", out, headers={"Location": out.links["self"], "Retry-After": "2"})


def _check_allowed(action: Action, artifacts: list[Sought]) -> None:
    """Hold a lookup to what the organisation's builds may read: it tells what one would meet.

    Raises ``ReferenceForbidden``, and what ``Sought.reference`` raises; of two artifacts the error tells which.
    """
    allowed = visit().inventory.allowed()
    names = ("before", "after") if len(artifacts) > 1 else (None,)
    for each, name in zip(artifacts, names, strict=True):
        try:
            allowed.check(each.reference(action))
        except ByoaError as error:
            error.where = name
            raise


def _patience(preferred: str) -> float:
    """Seconds to wait: as long as can be, or what the request prefers (RFC 7240, 4.1 and 4.3)."""
    said = dict(each.strip().lower().partition("=")[::2] for each in preferred.split(","))
    wait = said.get("wait", "").strip('" ')
    if wait.isascii() and wait.isdigit():
        return min(float(wait), PATIENCE)
    return 0 if "respond-async" in said else PATIENCE


def _lookup_out(kept: KeptLookup, now_ts: int) -> LookupOut:
    ended = kept.ended
    failure = ended.failure if ended else _lost() if now_ts > kept.began_ts + LONGEST_MS else None
    result = result_out(ended.answer) if ended and ended.answer else None
    return LookupOut(
        id=kept.id,
        action=kept.action,
        state="failed" if failure else "done" if result else "running",
        began_at=moment(kept.began_ts),
        ended_at=moment(ended.ended_ts) if ended else None,
        result=result,
        failure=failure,
        links={"self": LOOKUP.replace("<lookup_id>", kept.id)},
    )


def _lost() -> Failure:
    return Failure(
        code="InternalFault",
        cause="The lookup ended without an answer.",
        remedy="Ask again; if it repeats, give its id to the platform's operators.",
    )
