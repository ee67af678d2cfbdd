"""What an install has applied, and so may delete: written ahead of the first write, shrunk by a 404 alone.

So no crash forgets an object. Who keeps it (a table, a ConfigMap) is a ``cluster.Shelf``.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from byoa.errors import InventoryInvalid
from byoa.installs.objects import Identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OTHERS: Final = "Another deploy of the component has begun; this one wrote nothing more."
"""What whoever kept an older inventory is told."""

_FORMAT: Final = 1
_LARGEST: Final = 16 * 1024 * 1024
"""Bytes of an inventory that is read: a hundred thousand objects."""


class Inventory(NamedTuple):
    """The objects that were applied, each with its UID as far as that is known, and of which artifact.

    ``version`` is the keeper's own word for what was read; whoever writes must have read the newest.
    """

    uids: Mapping[Identity, str]
    digest: str = ""
    version: str = ""

    def with_all(self, wanted: Iterable[Identity], digest: str) -> Inventory:
        """The union of what was applied and what will be, before anything is."""
        return self._replace(uids={**dict.fromkeys(wanted, ""), **self.uids}, digest=digest)

    def with_uids(self, uids: Mapping[Identity, str]) -> Inventory:
        """The same with UIDs that have become known."""
        return self._replace(uids={**self.uids, **uids})

    def without(self, gone: Iterable[Identity]) -> Inventory:
        """The same without what is known not to be there any more."""
        left = set(gone)
        return self._replace(uids={each: uid for each, uid in self.uids.items() if each not in left})

    def holds_the_same(self, other: Inventory) -> bool:
        """Whether keeping the one or the other makes no difference."""
        return dict(self.uids) == dict(other.uids) and self.digest == other.digest


EMPTY: Final = Inventory({})


def pack(inventory: Inventory) -> str:
    """The inventory as a short text (base64 of zlib of JSON): 5,000 objects fit into one ConfigMap."""
    listed = [[*identity, uid] for identity, uid in sorted(inventory.uids.items())]
    text = json.dumps({"format": _FORMAT, "digest": inventory.digest, "objects": listed}, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode())).decode()


def unpack(text: str, version: str = "") -> Inventory:
    """What ``pack`` made. Raises ``InventoryInvalid``."""
    try:
        inflater = zlib.decompressobj()
        found: Any = json.loads(inflater.decompress(base64.b64decode(text, validate=True), _LARGEST))
        if found["format"] != _FORMAT or inflater.unconsumed_tail:
            raise InventoryInvalid("The list of what was applied is of a format that this version doesn't know.")
        uids = {Identity(*map(str, each[:4])): str(each[4]) for each in found["objects"]}
        return Inventory(uids, str(found["digest"]), version)
    except (ValueError, TypeError, KeyError, IndexError, zlib.error, RecursionError):
        raise InventoryInvalid("The list of what was applied can't be read.") from None
