"""The inventory in a ConfigMap of the cluster itself: for whoever has no table, such as a command in CI.

Its ``resourceVersion`` is the fence: who has not read the newest inventory writes nothing.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from byoa.errors import DeploySuperseded, InventoryInvalid, ObjectBusy
from byoa.installs.cluster import Right
from byoa.installs.inventory import OTHERS, Inventory, pack, unpack
from byoa.installs.objects import Kind, Place, mapping, metadata

if TYPE_CHECKING:
    from byoa.installs.cluster import Cluster
    from byoa.installs.normalising import Owner
    from byoa.installs.objects import Object

_CONFIG_MAPS: Final = Kind("", "v1", "ConfigMap", "configmaps", namespaced=True)
_KEY: Final = "inventory"
KEPT_BY: Final = "byoa.dev/inventory-of"
"""The label of a ConfigMap that is an inventory: not the labels of what may be pruned."""


class ConfigMapShelf:
    """A ``cluster.Shelf`` in a namespace, which must be there."""

    def __init__(self, cluster: Cluster, owner: Owner, namespace: str) -> None:
        digest = hashlib.sha256(f"{owner.install}/{owner.component}".encode()).hexdigest()[:8]
        self._cluster = cluster
        self._owner = owner
        self.place = Place(_CONFIG_MAPS, namespace, f"byoa-{owner.install[:40]}-{digest}".lower().replace("_", "-"))

    def read(self) -> Inventory | None:
        """What was kept last. Raises ``InventoryInvalid``."""
        found = self._cluster.get(self.place)
        if found is None:
            return None
        packed = mapping(found, "data").get(_KEY)
        if not isinstance(packed, str) or mapping(found, "data").get("of") != self._of:
            raise InventoryInvalid("The ConfigMap for the list of what was applied holds something else.")
        return unpack(packed, str(metadata(found).get("resourceVersion", "")))

    def check(self, inventory: Inventory) -> None:
        """Raise ``DeploySuperseded`` where another one was kept since."""
        newest = self.read()
        if (newest.version if newest else "") != inventory.version:
            raise DeploySuperseded(OTHERS)

    def write(self, inventory: Inventory) -> Inventory:
        """Keep it. Raises ``DeploySuperseded`` where another one was kept since it was read."""
        try:
            written = (
                self._cluster.replace(self.place, self._object(inventory))
                if inventory.version
                else self._cluster.create(self.place, self._object(inventory))
            )
        except ObjectBusy:
            raise DeploySuperseded(OTHERS) from None
        return inventory._replace(version=str(metadata(written).get("resourceVersion", "")))

    @property
    def rights(self) -> frozenset[Right]:
        """What keeping it there takes."""
        namespace, plural = self.place.namespace, _CONFIG_MAPS.plural
        named = {Right(verb, "", plural, namespace, self.place.name) for verb in ("get", "update")}
        return frozenset({*named, Right("create", "", plural, namespace)})

    @property
    def _of(self) -> str:
        return f"{self._owner.install}/{self._owner.component}"

    def _object(self, inventory: Inventory) -> Object:
        about = {"name": self.place.name, "namespace": self.place.namespace, "labels": {KEPT_BY: self._owner.install}}
        if inventory.version:
            about["resourceVersion"] = inventory.version
        data = {"of": self._of, "artifact": inventory.digest, _KEY: pack(inventory)}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": data}
