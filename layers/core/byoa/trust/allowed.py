"""What an organisation lets its own builds read, within what the platform's ``Policy`` lets all read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.errors import ReferenceForbidden, ReferenceInvalid
from byoa.oci.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Sequence

ANY: Final = "*"
"""Whatever the platform lets builds read."""

_BELOW: Final = "/*"


class Allowed(NamedTuple):
    """An organisation's policies, in the state of ``version``; 0 is what holds until somebody sets them.

    ``references`` are canonical (``parse_allowed``). Where there are none, builds take inline manifests alone.
    """

    references: tuple[str, ...] = (ANY,)
    version: int = 0
    updated_at_ts: int | None = None
    updated_by: str | None = None

    def check(self, reference: Reference) -> None:
        """Raise ``ReferenceForbidden`` for what none of ``references`` names."""
        if not any(_names(each, reference.name) for each in self.references):
            raise ReferenceForbidden("The organisation's policies don't let its builds read this repository.")

    def replaced(self, references: Sequence[str], at_ts: int, by: str) -> Allowed:
        """The state after this one."""
        return Allowed(tuple(references), self.version + 1, at_ts, by)


def parse_allowed(text: str) -> str:
    """Take ``HOST[:PORT]/REPOSITORY``, with ``/*`` for all below it, ``HOST/*`` or ``*``; return its canonical form.

    ``oci://`` may stand before it. A host has no wildcard: who may register a name below a domain says nothing of
    whose it is. Raises ``ReferenceInvalid`` for anything else.
    """
    if text == ANY:
        return text
    place = text.removeprefix("oci://")
    below = place.endswith(_BELOW)
    place = place.removesuffix(_BELOW)
    if below and "/" not in place:
        return f"{Reference.parse(f'oci://{place}/any').registry}{_BELOW}"
    reference = Reference.parse(f"oci://{place}")
    if reference.tag or reference.digest:
        raise ReferenceInvalid("Policies name repositories, whatever the tag or the digest.")
    return f"{reference.name}{_BELOW if below else ''}"


def _names(pattern: str, name: str) -> bool:
    if pattern.endswith(_BELOW):
        return name.startswith(pattern.removesuffix(ANY))
    return pattern in (ANY, name)
