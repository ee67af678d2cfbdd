"""Deploys that an agent leases through the API, and what it tells of them there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from byoa.errors import ApiRefused, ApiUnusable, DeploySuperseded
from byoa.installs import parcels
from byoa.installs.inventory import pack, unpack
from byoa.installs.messages import Deploy
from byoa.installs.pocket import Pocket
from byoa.installs.states import CheckedDeploy

if TYPE_CHECKING:
    from byoa.api.asking import Api
    from byoa.builds.ports import Lists
    from byoa.installs.inventory import Inventory
    from byoa.installs.messages import DeployKey
    from byoa.installs.ports import Becomes
    from byoa.installs.states import DeployEnded

_LOST: Final = "The lease of the deploy has ended: it was cancelled or overtaken, or another agent goes on with it."


@dataclass(slots=True)
class RemoteJob:
    """A deploy that is leased. Implements Job."""

    api: Api
    lease: str
    checked: CheckedDeploy
    lists: Lists
    lost: bool = False
    _writes: bool = field(default=False, init=False)

    @property
    def _place(self) -> tuple[str, ...]:
        return "installs", self.checked.install_id, "jobs", self.checked.deploy_id

    @property
    def shelf(self) -> RemoteShelf:
        """See ``installs.ports.Job``."""
        return RemoteShelf(self)

    def renew(self) -> None:
        """Have it for another minute. Raises ``DeploySuperseded`` where that isn't to be, then and ever after."""
        self.ask("POST", "renew", {"lease_id": self.lease})

    def check(self, key: DeployKey, execution: str) -> Deploy:
        """See ``installs.ports.Running``. Only the status of what is answered is told."""
        del key, execution
        self.renew()
        return self._standing()

    def change(self, key: DeployKey, execution: str, becomes: Becomes, plan: str | None = None) -> Deploy:
        """See ``installs.ports.Running``. What it becomes is the API's to say: it writes from now on."""
        del key, execution, becomes, plan
        self.ask("POST", "report", {"lease_id": self.lease})
        self._writes = True
        return self._standing()

    def _standing(self) -> Deploy:
        said = {**self.checked.key.model_dump(), "id": self.checked.deploy_id, "app": self.checked.app}
        status = "executing" if self._writes else "planning"
        line = {"status": status, "status_human_description": "", "created_at_ts": self.checked.begun_ts}
        return Deploy.model_validate({**said, **line, "operation": self.checked.operation, "history": [line]})

    def give_back(self) -> None:
        """See ``installs.ports.Job``."""
        self.lost = True
        self.api.ask("POST", *self._place, "give-back", body={"lease_id": self.lease})

    def report(self, ended: DeployEnded, packed: str | None) -> str | None:
        """Tell which way it went, with its plan's document; how it ended at the platform, if it hadn't before."""
        said = ended.model_dump(mode="json", include={"planned", "applied", "health", "pruned", "failure"})
        answer = self.ask("POST", "report", {"lease_id": self.lease, "ended": {**said, "contents": packed}})
        return answer.get("status")

    def ask(
        self, method: str, what: str, body: dict[str, Any] | None = None, query: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Something of the deploy. Raises ``DeploySuperseded`` where the lease is lost."""
        if self.lost and "ended" not in (body or {}):
            raise DeploySuperseded(_LOST)
        try:
            return self.api.ask(method, *self._place, what, body=body, query=query).fields()
        except ApiRefused as refusal:
            if refusal.problem not in ("lease_lost", "not_found"):
                raise
            self.lost = True
            raise DeploySuperseded(_LOST) from None


@dataclass(frozen=True, slots=True)
class RemoteShelf:
    """The inventory of a leased deploy's component, which the platform keeps. Implements Shelf."""

    job: RemoteJob

    def read(self) -> Inventory | None:
        """See ``installs.cluster.Shelf``."""
        found = self.job.ask("GET", "inventory", query={"lease_id": self.job.lease})
        packed = found.get("packed")
        return unpack(packed, str(found.get("version", ""))) if isinstance(packed, str) else None

    def check(self, inventory: Inventory) -> None:
        """See ``installs.cluster.Shelf``. Nobody else writes one while the lease lasts."""
        del inventory
        self.job.renew()

    def write(self, inventory: Inventory) -> Inventory:
        """See ``installs.cluster.Shelf``."""
        body = {"lease_id": self.job.lease, "packed": pack(inventory), "version": inventory.version}
        return inventory._replace(version=str(self.job.ask("PUT", "inventory", body).get("version", "")))


def lease(api: Api, install_id: str, now_ts: int) -> tuple[RemoteJob | None, float]:
    """A deploy of the install to run, if one waits, and how many seconds to wait before the next question.

    Its time counts from ``now_ts`` on: the two ends' clocks needn't agree.
    """
    said = api.ask("POST", "installs", install_id, "jobs", "lease").fields()
    job = said.get("job")
    if job is None:
        return None, float(said.get("wait_seconds") or 1)
    try:
        pocket = Pocket()
        said = job["checked"]
        time = {"begun_ts": now_ts, "ends_ts": now_ts + int(said["ends_ts"]) - int(said["begun_ts"])}
        known = {**said, **time, "values": parcels.put(job["values"], pocket)}
        return RemoteJob(api, str(job["lease_id"]), CheckedDeploy.model_validate(known), pocket), 0.0
    except (LookupError, TypeError, ValueError) as error:
        raise ApiUnusable("The API tells of a deploy in a way that this version doesn't know.") from error
