"""Lists in the process' own memory, for who does all states of a deploy by itself: an agent, and who tells of one."""

from __future__ import annotations

from dataclasses import dataclass, field

from byoa.errors import ReferenceNotFound
from byoa.oci.digest import Digest


@dataclass(slots=True)
class Pocket:
    """Texts by digest. Implements ``builds.ports.Lists``."""

    _kept: dict[Digest, bytes] = field(default_factory=dict, repr=False)

    def put(self, content: bytes) -> Digest:
        """Keep a text; its digest."""
        digest = Digest.of(content)
        self._kept[digest] = content
        return digest

    def fetch(self, digest: Digest) -> bytes:
        """A text that was kept. Raises ``ReferenceNotFound`` for any other."""
        if digest not in self._kept:
            raise ReferenceNotFound("There is no such list.")
        return self._kept[digest]
