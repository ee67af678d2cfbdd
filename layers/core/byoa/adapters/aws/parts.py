"""Components of installs as the table has them: each is one item, and its newest deploy's says how that went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from byoa.adapters.aws.deploys import read_deploy, read_part
from byoa.adapters.aws.install_keys import numbered_key
from byoa.adapters.aws.rows import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.adapters.aws.rows import Rows
    from byoa.adapters.aws.table import Item
    from byoa.installs.messages import InstallComponent

_ALL: Final = 100_000
"""Items of an install: none of a component that has objects may be overlooked when it is removed."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Those of one organisation, whose items are under ``pk``."""

    rows: Rows
    pk: str

    def items(self, install_id: str, kind: str = "PART") -> list[Item]:
        """All items of an install's components of one ``kind``, by component."""
        values = {":pk": self.pk, ":prefix": f"{kind}#{install_id}#"}
        return self.rows.asked("pk = :pk AND begins_with(sk, :prefix)", values, _ALL, None)

    def with_deploys(self, items: Sequence[Item]) -> list[InstallComponent]:
        """The components that items are; their status is their newest deploys'."""
        keys = [self.deploy_key(item) for item in items]
        found = self.several(keys)
        return [read_part(item, read_deploy(found[key])) for item, key in zip(items, keys, strict=True) if key in found]

    def deploy_key(self, item: Item) -> str:
        """The sort key of a component's newest deploy."""
        return numbered_key(item["install_id"], item["component"], item["number"])

    def several(self, keys: Sequence[str]) -> dict[str, Item]:
        """Items by their sort keys; those that aren't there are left out."""
        found: dict[str, Item] = {}
        for first in range(0, len(keys), AT_ONCE):
            found |= self.rows.several([(self.pk, key) for key in keys[first : first + AT_ONCE]])
        return found
