"""What the pipeline needs of the world: Protocols of a verb or two each, implemented under ``adapters/``.

Every call may raise a leaf of ``byoa.errors``; which ones, each docstring says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from byoa.config import ComponentConfig
    from byoa.digest import Digest
    from byoa.manifest import Descriptor, Manifest
    from byoa.messages import Build, BuildKey, ConfigVersion, HistoryEntry, Outcome
    from byoa.reference import Registry


class BlobReader(Protocol):
    """A blob on its way."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill ``buffer`` from its start and return how many bytes came; 0 is the end.

        Raises ``ShortRead`` when the stream breaks off.
        """
        ...


class Source(Protocol):
    """One repository to read from; nothing here can write."""

    def fetch_manifest(self, name: str | Digest) -> Manifest:
        """The manifest under a tag or a digest, its bytes verified against the digest asked for.

        Raises ``ReferenceNotFound`` where there is none, and whatever reading it raises.
        """
        ...

    def open_blob(self, descriptor: Descriptor) -> AbstractContextManager[BlobReader]:
        """The blob's bytes, as they come: the caller verifies. Raises ``ReferenceNotFound``."""
        ...


class Target(Protocol):
    """One repository to write to. It keeps no partial content: what wasn't read to its end isn't there."""

    def find_manifest(self, name: str | Digest) -> Digest | None:
        """The digest of the manifest under a tag or a digest, or ``None``."""
        ...

    def has_blob(self, descriptor: Descriptor) -> bool:
        """Whether the blob is there."""
        ...

    def push_blob(self, descriptor: Descriptor, content: BlobReader) -> None:
        """Store the blob. ``content`` verifies itself: it raises before its last bytes when they are wrong."""
        ...

    def push_manifest(self, manifest: Manifest, tag: str | None = None) -> None:
        """Store the manifest's bytes under its digest, and under ``tag`` where one is given.

        The same digest under the same tag is success. Raises ``TargetConflict`` when the tag holds another digest and
        may not move, and ``TargetIncomplete`` when a part of the manifest is missing.
        """
        ...


class Repository(Source, Target, Protocol):
    """A repository that can be both, and counts what it costs."""

    @property
    def requests(self) -> int:
        """How many HTTP requests were sent for it."""
        ...


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """The current time, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class Credential:
    """A name and a secret for one registry; the secret shows in no ``repr``."""

    username: str
    password: str = field(repr=False)


class Vault(Protocol):
    """Where credentials are kept."""

    def credential(self, organisation: str, name: str, registry: Registry) -> Credential:
        """The credential that ``organisation`` calls ``name``, for ``registry`` alone.

        Raises ``CredentialForbidden`` when this build may not have it, ``CredentialMalformed`` when it can't be read.
        """
        ...


class Ledger(Protocol):
    """What the pipeline knows and writes of builds."""

    def begin(self, key: BuildKey, execution: str, entry: HistoryEntry) -> ConfigVersion:
        """Give the queued build to ``execution`` and return the config that it builds.

        The same execution may ask again. Raises ``EventUntrusted`` where no such config was accepted,
        ``DuplicateEvent`` where another execution has the build, ``StaleVersion`` where a newer config exists.
        """
        ...

    def config(self, key: BuildKey) -> ConfigVersion:
        """The config version that a build is of. Raises ``EventUntrusted`` where there is none."""
        ...

    def progress(self, key: BuildKey, entries: Sequence[HistoryEntry]) -> None:
        """Append to the build's history. Raises ``StaleVersion`` where a newer config exists or the build has ended."""
        ...

    def finish(self, key: BuildKey, outcome: Outcome, entry: HistoryEntry) -> Build | None:
        """End the build. ``None`` where it had ended before, or where there is none: the first outcome stands."""
        ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a config that was handed in: its build, and whether it is a new one."""

    build: Build
    created: bool


class Catalogue(Protocol):
    """What people see and do: hand in configs, read builds."""

    def submit(self, organisation: str, app: str, config: ComponentConfig) -> Accepted:
        """Accept ``config`` as the component's newest version and queue its build.

        The same content as the newest version's makes nothing new, unless that version's build failed.
        """
        ...

    def components(self, organisation: str, app: str) -> list[str]:
        """The names of the app's components, sorted."""
        ...

    def build(self, organisation: str, build_id: str) -> Build | None:
        """One build with its history."""
        ...

    def builds(self, organisation: str, app: str, component: str | None, limit: int) -> list[Build]:
        """The newest builds first, of one component or of all, at most ``limit``."""
        ...
