"""What was applied of one component, in the table. Implements Shelf for the deploy that an execution has.

The lock is the component's holder: a write goes through while the execution holds it, and never else. Who stops a
deploy takes that away from it, and leaves it held until whoever runs it lets go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from byoa.adapters.aws.deploys import read_deploy
from byoa.adapters.aws.install_keys import applied_key, deploy_key, part_key
from byoa.adapters.aws.transactions import transact, update
from byoa.errors import ContentTooLarge, DeploySuperseded
from byoa.installs.inventory import OTHERS, pack, unpack
from byoa.installs.records import check_runs

if TYPE_CHECKING:
    from byoa.adapters.aws.rows import Rows
    from byoa.installs.inventory import Inventory
    from byoa.installs.messages import DeployKey

_LARGEST: Final = 380 * 1024
"""Characters of an inventory: an item of the table takes 400 KB."""


@dataclass(frozen=True, slots=True)
class TableShelf:
    """The inventory of the component that ``key`` is a deploy of."""

    rows: Rows
    key: DeployKey
    execution: str

    def read(self) -> Inventory | None:
        """See ``installs.cluster.Shelf``."""
        item = self.rows.one(self._pk, self._sk)
        return unpack(item["packed"], str(item["packs"])) if item else None

    def check(self, inventory: Inventory) -> None:
        """See ``installs.cluster.Shelf``. Nobody else writes an inventory while the deploy has not ended."""
        del inventory
        item = self.rows.one(self._pk, deploy_key(self.key))
        check_runs(read_deploy(item) if item else None, self.execution)

    def write(self, inventory: Inventory) -> Inventory:
        """See ``installs.cluster.Shelf``. Raises ``ContentTooLarge`` for more objects than an item holds."""
        packed = pack(inventory)
        if len(packed) > _LARGEST:
            raise ContentTooLarge("The list of what is applied is too long to be kept: some 10,000 objects fit.")
        before = int(inventory.version or 0)
        kept = update(
            self.rows.table,
            self._pk,
            self._sk,
            {"packed": packed, "packs": before + 1},
            condition="packs = :was" if before else "attribute_not_exists(packs)",
            values={":was": before} if before else None,
        )
        holds = update(
            self.rows.table,
            self._pk,
            part_key(self.key.install_id, self.key.component),
            {"objects": len(inventory.uids)},
            condition="holder = :holder AND holder_execution = :execution",
            values={":holder": self.key.number, ":execution": self.execution},
        )
        if not transact(self.rows.client, [kept, holds]):
            raise DeploySuperseded(OTHERS)
        return inventory._replace(version=str(before + 1))

    @property
    def _pk(self) -> str:
        return f"ORG#{self.key.organisation}"

    @property
    def _sk(self) -> str:
        return applied_key(self.key.install_id, self.key.component)
