"""What of an install goes with it: its name, how its components stand, what was applied of them, its agent's sign.

What was done stays to be looked at: each deploy (``DEPLOY#``, ``DEPLOYID#``), and its plan (``PLAN#``) and an agent's
lease of it (``LEASE#``) until the table forgets them by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from byoa.adapters.aws.install_keys import applied_key, name_key, part_key
from byoa.adapters.aws.transactions import TOGETHER, delete, transact
from byoa.adapters.aws.waiting import sign_key
from byoa.installs.messages import ENDED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from byoa.adapters.aws.parts import Parts
    from byoa.installs.messages import Install, InstallComponent

    type Writes = Sequence[TransactWriteItemTypeDef]

_OF_A_PART: Final = 2
"""Items that go with a component, together or not at all."""


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Installs of one organisation that are removed."""

    parts: Parts

    def remove(self, was: Install) -> bool:
        """See ``installs.ports.Installs.remove``.

        More components than a transaction takes go after it: of an install that isn't there nothing is deployed. Who is
        killed before they are gone leaves them to ``forget``.
        """
        items = self.parts.items(was.id)
        if any("holder" in item for item in items):
            return False
        parts = self.parts.with_deploys(items)
        if any(each.objects or each.status not in ENDED for each in parts):
            return False
        gone = [
            self._delete(f"INSTALL#{was.id}", "#version = :was", {":was": was.version}),
            self._delete(name_key(was)),
            self._delete(sign_key(was.id), ""),
        ]
        first = (TOGETHER - len(gone)) // _OF_A_PART
        if not self._transact([*gone, *(write for each in parts[:first] for write in self._gone(each))]):
            return False
        if len(parts) > first:
            self.forget(was.id)
        return True

    def forget(self, install_id: str) -> None:
        """See ``installs.ports.Installs.forget``; the install is known not to be there."""
        items = self.parts.items(install_id)
        free = self.parts.with_deploys([item for item in items if "holder" not in item])
        gone = [self._gone(each) for each in free if each.status in ENDED]
        for several in batched(gone, TOGETHER // _OF_A_PART, strict=False):
            if not self._transact([write for pair in several for write in pair]):
                for pair in several:  # one was asked for at the last moment; its deploy ends by itself
                    self._transact(pair)
        stay = {item["component"] for item in items}
        alone = [item["sk"] for item in self.parts.items(install_id, "APPLIED") if _component(item["sk"]) not in stay]
        for several_keys in batched([*alone, sign_key(install_id)], TOGETHER, strict=False):
            self._transact([self._delete(sk, "") for sk in several_keys])

    def _gone(self, part: InstallComponent) -> Writes:
        """Forget how a component stands, of which nothing newer was asked for and which nobody holds; and its list."""
        unheld = "#number = :number AND attribute_not_exists(holder)"
        return [
            self._delete(part_key(part.install_id, part.component), unheld, {":number": part.number}),
            self._delete(applied_key(part.install_id, part.component), ""),
        ]

    def _delete(self, sk: str, *condition: Any) -> TransactWriteItemTypeDef:  # noqa: ANN401 - the same
        return delete(self.parts.rows.table, self.parts.pk, sk, *condition)

    def _transact(self, writes: Writes) -> bool:
        return transact(self.parts.rows.client, writes)


def _component(sk: str) -> str:
    return sk.rpartition("#")[2]
