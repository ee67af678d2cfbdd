"""Lists in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from byoa.errors import ReferenceNotFound
from byoa.oci.digest import Digest


@dataclass(slots=True)
class MemoryLists:
    """Texts by digest."""

    kept: dict[Digest, bytes] = field(default_factory=dict)

    def put(self, content: bytes) -> Digest:
        """See ``builds.ports.Lists``."""
        digest = Digest.of(content)
        self.kept[digest] = content
        return digest

    def fetch(self, digest: Digest) -> bytes:
        """See ``builds.ports.Lists``."""
        if digest not in self.kept:
            raise ReferenceNotFound("There is no such list.")
        return self.kept[digest]
