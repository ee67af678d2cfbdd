"""What the organisation's builds may read."""

from typing import Any

from byoa.api.around import check_match
from byoa.api.documents import policies_out
from byoa.api.operations import Operations
from byoa.api.problems import Problem
from byoa.api.registries import PoliciesIn, PoliciesOut
from byoa.api.visits import visit
from byoa.errors import ByoaError
from byoa.trust.allowed import parse_allowed
from byoa.trust.policy import TARGETS

operations = Operations()


@operations.add("GET", "/v1/policies", "read")
def get_policies() -> PoliciesOut:
    """What builds may read, and where artifacts are mirrored to. At first it is all that the platform allows."""
    return policies_out(visit().inventory.allowed())


@operations.add(
    "PUT", "/v1/policies", "admin", conditional=True,
    example={"references": ["ghcr.io/vendor/*", "222222222222.dkr.ecr.us-west-2.amazonaws.com/manifests"]},
)  # fmt: skip
def replace_policies(body: PoliciesIn) -> PoliciesOut:
    """Replace them. Builds that begin from now on are held to them; what is mirrored stays."""
    here = visit()
    was = here.inventory.allowed()
    check_match(policies_out(was).model_dump(mode="json"))
    allowed = here.inventory.allow(was, _references(body), here.caller.id)
    if allowed is None:
        raise Problem("changed")
    return policies_out(allowed)


def _references(body: PoliciesIn) -> list[str]:
    """In canonical form, each once. Raises ``Problem`` with all that is wrong with what was sent."""
    found: list[str] = []
    faults: list[dict[str, Any]] = []
    for number, text in enumerate(body.references):
        try:
            found.append(parse_allowed(text))
        except ByoaError as error:
            faults.append({"pointer": f"/body/references/{number}", "code": error.code, "message": error.cause})
    if body.verification:
        message = "Signatures aren't verified yet, so nothing can be asked of them."
        faults.append({"pointer": "/body/verification", "code": "unsupported", "message": message})
    if body.targets != [*TARGETS]:
        message = f"Every artifact is mirrored to the platform's targets: {', '.join(TARGETS)}."
        faults.append({"pointer": "/body/targets", "code": "unsupported", "message": message})
    if faults:
        raise Problem("invalid", faults=faults)
    return list(dict.fromkeys(found))
