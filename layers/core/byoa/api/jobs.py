"""Deploys as an install's own agent takes and tells of them."""

from __future__ import annotations

from typing import Annotated, Any, Final, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from byoa.api.shapes import Shown, Taken
from byoa.builds.messages import CaughtError
from byoa.installs.plans import Action
from byoa.installs.states import AppliedInstall, HealthSeen, PlannedInstall, PrunedInstall
from byoa.installs.steps.record_deploy import ENDS

LeaseId = Annotated[str, StringConstraints(pattern=r"^lea[a-z2-7]{23}$")]
Packed = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/=]*$", max_length=400 * 1024)]


ENDED_LIMIT: Final = 160 * 1024
"""Characters: an item of the table takes 400 KB, and a deploy's has more than these."""

PLAN_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of a plan's document: 300 KiB of it are kept, packed."""


class Leased(Taken):
    """Whose lease it is."""

    lease_id: LeaseId


class InventoryIn(Leased):
    """What is tracked from now on (packed), if the newest that was kept is of this version: empty for none."""

    packed: Packed
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,10}$")] = ""


class _Change(Taken):
    path: str
    op: str
    before: str | None
    after: str | None
    lines: list[str]


class _Field(Taken):
    owner: str
    field: str


class _Object(Taken):
    object: str
    group: str
    api_version: str
    kind: str
    resource: str
    namespace: str | None
    name: str
    action: Action
    unchecked: bool
    why: str
    needs: str | None
    changes: list[_Change]
    left_out: int
    left_to: list[_Field]
    taken_from: list[_Field]
    warnings: list[str]


class PlanDocument(Taken):
    """A plan's document as an agent hands it in: what pages and lists read of it later is there, and of its type.

    It has all that ``installs.contents.document`` has; an older agent tells of no ``sets``.
    """

    plan: str
    counts: dict[str, int]
    objects: list[_Object]
    needs: list[str]
    sets: dict[str, int] = Field(default_factory=dict)
    errors: list[dict[str, str | None]]
    more: int = 0


class EndedIn(Taken):
    """Which way a deploy went, as far as it came, and what stopped it if something did: of 160 KiB at most."""

    planned: PlannedInstall | None = None
    applied: AppliedInstall | None = None
    health: HealthSeen | None = None
    pruned: PrunedInstall | None = None
    failure: CaughtError | None = None
    contents: Packed | None = Field(default=None, description="Its plan's document, packed: base64 of zlib of JSON.")

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        """What an agent says stands in the deploy's record: it has to have room there, and to be an end."""
        if len(self.model_dump_json(exclude={"contents"})) > ENDED_LIMIT:
            raise PydanticCustomError("too_long", "What is told of a deploy is 160 KiB at most.")
        if self.planned is not None and not self.planned.faults and self.planned.status not in ENDS:
            raise PydanticCustomError("status", "No deploy ends so.")
        return self


class ReportIn(Leased):
    """How far a deploy is: nothing more to say is that it writes from now on."""

    ended: EndedIn | None = None


class JobOut(Shown):
    """A deploy to run, for as long as the lease lasts, and what ``.nuon`` is in its install."""

    lease_id: str
    leased_until: str
    deploy_id: str
    checked: dict[str, Any] = Field(description="The deploy as the state machine's own functions are given it.")
    values: dict[str, Any]


class LeaseOut(Shown):
    """A deploy to run, if there is one, and how many seconds to wait before the next question."""

    job: JobOut | None
    wait_seconds: int


class RenewedOut(Shown):
    """Until when the lease lasts now."""

    leased_until: str


class InventoryOut(Shown):
    """What is tracked of the component, packed; null where nothing ever was."""

    packed: str | None
    version: str


class ReportedOut(Shown):
    """What became of the deploy."""

    status: str | None = Field(description="Null where it had ended before.")
