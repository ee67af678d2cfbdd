"""Deploys as an install's own agent takes and tells of them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from byoa.api.shapes import Shown, Taken
from byoa.builds.messages import CaughtError
from byoa.installs.states import AppliedInstall, HealthSeen, PlannedInstall, PrunedInstall

LeaseId = Annotated[str, StringConstraints(pattern=r"^lea[a-z2-7]{23}$")]
Packed = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/=]*$", max_length=400 * 1024)]


class Leased(Taken):
    """Whose lease it is."""

    lease_id: LeaseId


class InventoryIn(Leased):
    """What is tracked from now on (packed), if the newest that was kept is of this version: empty for none."""

    packed: Packed
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,10}$")] = ""


class EndedIn(Taken):
    """Which way a deploy went, as far as it came, and what stopped it if something did."""

    planned: PlannedInstall | None = None
    applied: AppliedInstall | None = None
    health: HealthSeen | None = None
    pruned: PrunedInstall | None = None
    failure: CaughtError | None = None
    contents: Packed | None = Field(default=None, description="Its plan's document, packed: base64 of zlib of JSON.")


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
