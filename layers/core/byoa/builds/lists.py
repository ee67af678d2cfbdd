"""The list of all that an artifact consists of: in the message where it is short, in the quarantine where it is long.

A stranger decides how long it is, and the receipt names all of it. What comes back is held to its digest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter, ValidationError

from byoa.builds.messages import Node, StoredList
from byoa.errors import DigestMismatch, InternalFault
from byoa.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.builds.messages import StagedArtifact
    from byoa.builds.ports import Lists

_CARRIED: Final = 16 * 1024
"""Characters of a list that a message carries: dozens of nodes."""

_NODES: Final = TypeAdapter(list[Node], config={"defer_build": True})


def carry(nodes: Sequence[Node], lists: Lists) -> tuple[list[Node], StoredList | None]:
    """What a message carries of ``nodes``: all of them, or where they are kept."""
    content = _NODES.dump_json(list(nodes))
    if len(content) <= _CARRIED:
        return list(nodes), None
    return [], StoredList(digest=str(lists.put(content)), count=len(nodes))


def nodes_of(artifact: StagedArtifact, lists: Lists | None) -> list[Node]:
    """All nodes of an artifact.

    Raises ``DigestMismatch`` where another list is kept than was, and what ``lists`` raises.
    """
    if artifact.stored is None:
        return artifact.nodes
    if lists is None:
        raise InternalFault("A list in the quarantine is needed where nothing can read it.")
    digest = Digest.parse(artifact.stored.digest)
    content = lists.fetch(digest)
    if not digest.matches(content):
        raise DigestMismatch("The quarantine holds another list under this digest.")
    try:
        return _NODES.validate_json(content)
    except ValidationError as error:
        raise InternalFault("A list in the quarantine is none of nodes.") from error
