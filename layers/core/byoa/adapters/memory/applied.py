"""What was applied of one component, in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from byoa.adapters.memory.installs import DeployStore, place_of
from byoa.errors import DeploySuperseded
from byoa.installs.inventory import OTHERS, pack, unpack
from byoa.installs.records import check_runs

if TYPE_CHECKING:
    from byoa.installs.inventory import Inventory
    from byoa.installs.messages import DeployKey


@dataclass(slots=True)
class MemoryShelf:
    """The inventory of one component, for the deploy that ``execution`` has. Implements Shelf."""

    store: DeployStore
    key: DeployKey
    execution: str

    def read(self) -> Inventory | None:
        """See ``installs.cluster.Shelf``."""
        kept = self.store.packed.get(place_of(self.key))
        return unpack(kept[0], str(kept[1])) if kept else None

    def check(self, inventory: Inventory) -> None:
        """See ``installs.cluster.Shelf``."""
        check_runs(self.store.deploys.get(self.key.key), self.execution)
        newest = self.read()
        if (newest.version if newest else "") != inventory.version:
            raise DeploySuperseded(OTHERS)

    def write(self, inventory: Inventory) -> Inventory:
        """See ``installs.cluster.Shelf``."""
        self.check(inventory)
        version, place = int(inventory.version or 0) + 1, place_of(self.key)
        self.store.packed[place] = (pack(inventory), version)
        self.store.parts[place] = self.store.parts[place].model_copy(update={"objects": len(inventory.uids)})
        return inventory._replace(version=str(version))
