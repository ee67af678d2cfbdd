"""What the files of an artifact come to, read one by one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from byoa.content.documents import LIMITS, read_resources
from byoa.content.layers import AGE
from byoa.errors import ByoaError, ContentNotFound, DigestMismatch
from byoa.oci.manifest import CHECKSUM

if TYPE_CHECKING:
    from byoa.content.archive import File
    from byoa.content.documents import DocumentLimits, Keep, Resource, Spent
    from byoa.oci.manifest import Manifest


class Reading:
    """Reads files one by one and keeps of them what a report says."""

    def __init__(
        self,
        manifest: Manifest,
        spent: Spent,
        limits: DocumentLimits = LIMITS,
        keep: Keep | None = None,
        *,
        exact: bool = False,
    ) -> None:
        """``spent`` is what was taken of the whole artifact's ``limits``; ``keep`` is given all objects whole."""
        self._limits = limits
        self._keep = keep
        self._exact = exact
        self.content = hashlib.sha256()
        self._stated = manifest.annotations.get(CHECKSUM)
        self._checksum = hashlib.sha256()
        self._spent = spent
        self._resources: list[Resource] = []
        self._files = self._texts = 0
        self._fault: ByoaError | None = None

    @property
    def encrypted(self) -> bool:
        """Whether all files are: of those that are beside plain ones nothing is said."""
        return self._files > 0 and not self._texts

    def take(self, file: File, place: str) -> None:
        """One file, whose faults are told at ``place``; after the first one nothing more is read."""
        self.content.update((b"\0" if self._files else b"") + file.content)
        self._files += 1
        if file.path.endswith(AGE):
            return
        self._texts += 1
        self._checksum.update(file.content)
        if self._fault:
            return
        try:
            self._resources += read_resources(
                file.content, self._limits, spent=self._spent, keep=self._keep, exact=self._exact
            )
        except ByoaError as error:
            self._fault = error.at(place)

    def finish(self) -> tuple[Resource, ...]:
        """All objects. A wrong checksum is told before anything else: kustomizer notes that of all files in a row."""
        if self._stated and not self.encrypted and self._stated != self._checksum.hexdigest():
            raise DigestMismatch("The manifests don't have the checksum that kustomizer noted.")
        if self._fault:
            raise self._fault
        if not self._resources and not self.encrypted:
            raise ContentNotFound("The artifact holds no Kubernetes object.")
        return tuple(self._resources)
