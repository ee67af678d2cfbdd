"""What the pipeline needs of the world: Protocols of a verb or two each, implemented under ``adapters/``.

Every call may raise a leaf of ``byoa.errors``; which ones, each docstring says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from byoa.builds.messages import Build, BuildKey, ConfigVersion, HistoryEntry, Outcome
    from byoa.components.reading import ComponentConfig
    from byoa.oci.digest import Digest
    from byoa.oci.manifest import Descriptor, Manifest
    from byoa.oci.reference import Registry


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

    def find_manifest(self, name: str | Digest) -> Digest | None:
        """The digest of the manifest under a tag or a digest, or ``None``."""
        ...

    def open_blob(self, descriptor: Descriptor, start: int = 0) -> AbstractContextManager[BlobReader]:
        """The blob's bytes from byte ``start`` on, as they come: the caller verifies. Raises ``ReferenceNotFound``."""
        ...

    def referrers(self, subject: Digest) -> tuple[Descriptor, ...]:
        """What refers to ``subject`` (distribution-spec, "Listing Referrers"), by API or by the tag schema."""
        ...


type Fate = Literal["mounted", "skipped"]
"""Why a blob needn't be sent: the target took it from another of its repositories, or it was there."""


class Offer(NamedTuple):
    """How a blob is offered to a target.

    ``origin`` is a repository of the same registry that has it. ``session`` goes on with an upload of an earlier
    process (``Upload.session``); ``lasting`` asks for one that a later process can go on with. With ``unasked`` the
    target is not believed to have the blob, with ``anew`` nothing that an earlier try left is used.
    """

    origin: str | None = None
    session: str | None = None
    lasting: bool = False
    unasked: bool = False
    anew: bool = False


class Upload(Protocol):
    """A place for one blob in a target, still to be filled."""

    @property
    def held(self) -> int:
        """How many of the blob's first bytes an earlier try left here."""
        ...

    @property
    def session(self) -> str | None:
        """What an ``Offer`` needs to go on from here in another process."""
        ...

    def reread(self) -> AbstractContextManager[BlobReader] | None:
        """The held bytes; ``None`` where they can't be read before the blob is whole."""
        ...

    def write(self, content: BlobReader) -> None:
        """Take the bytes after ``held``.

        ``content`` verifies itself: it raises before its last bytes when the whole blob is wrong, and then nothing of
        it may be seen in the target.
        """
        ...


class Target(Protocol):
    """One repository to write to. It shows no partial content: what wasn't written to its end isn't there."""

    def find_manifest(self, name: str | Digest) -> Digest | None:
        """The digest of the manifest under a tag or a digest, or ``None``."""
        ...

    def has_blob(self, descriptor: Descriptor) -> bool:
        """Whether the blob is there."""
        ...

    def offer_blob(self, descriptor: Descriptor, offer: Offer) -> Fate | Upload:
        """Why the blob needn't be sent, or where to send it."""
        ...

    def push_manifest(self, manifest: Manifest, tag: str | None = None) -> None:
        """Store the manifest's bytes under its digest, and under ``tag`` where one is given.

        One that has a subject is listed among its referrers. The same digest under the same tag is success. Raises
        ``TargetConflict`` when the tag holds another digest and may not move, and ``TargetIncomplete`` when a part of
        the manifest is missing.
        """
        ...


class Quarantine(Source, Target, Protocol):
    """What one organisation has staged: both sides of the gate."""


class Repository(Source, Target, Protocol):
    """A repository that can be both, lists its tags, and counts what it costs."""

    @property
    def requests(self) -> int:
        """How many HTTP requests were sent for it."""
        ...

    @property
    def place(self) -> tuple[str, str] | None:
        """The registry's address and the repository's name there, for mounts between repositories of one registry."""
        ...

    @property
    def heads_are_free(self) -> bool:
        """Whether asking for a digest is cheaper than fetching the manifest: one counts against a limit."""
        ...

    def check_push(self) -> None:
        """Raise what a write would raise for want of permission. Leaves nothing behind."""
        ...

    def all_tags(self) -> tuple[str, ...]:
        """All tags, in the registry's order."""
        ...


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """The current time, in UTC."""
        ...


class Credential:
    """A name and a secret for one registry; the secret shows in no ``repr``."""

    __slots__ = ("password", "username")

    def __init__(self, username: str, password: str) -> None:
        self.username = username
        self.password = password

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Credential) and self._both == other._both

    def __hash__(self) -> int:
        return hash(self._both)

    def __repr__(self) -> str:
        return f"Credential(username={self.username!r})"

    @property
    def _both(self) -> tuple[str, str]:
        return self.username, self.password


class Vault(Protocol):
    """Where credentials are kept."""

    def credential(self, organisation: str, name: str, registry: Registry) -> Credential:
        """The credential that ``organisation`` calls ``name``, for ``registry`` alone.

        Raises ``CredentialForbidden`` when this build may not have it, ``CredentialMalformed`` when it can't be read.
        """
        ...


class Signature(NamedTuple):
    """What a signer gives, and the name of its key."""

    key_id: str
    signature: bytes


class Signer(Protocol):
    """Holds a key that others know the public half of."""

    def sign(self, payload: bytes) -> Signature:
        """The payload's signature: ECDSA over P-256 with SHA-256, in DER.

        Raises ``StoreThrottled`` for what passes by itself, ``PlatformMissing`` and ``PlatformForbidden`` for a key
        that isn't there or may not be used.
        """
        ...


class Ledger(Protocol):
    """What the pipeline knows and writes of builds."""

    def begin(self, key: BuildKey, execution: str, entry: HistoryEntry) -> Build:
        """Give the queued build to ``execution`` and return it: it says what of its config a build needs to know.

        The same execution may ask again. Raises ``EventUntrusted`` where no such config was accepted,
        ``DuplicateEvent`` where another execution has the build, ``StaleVersion`` where a newer config exists.
        """
        ...

    def config(self, key: BuildKey) -> ConfigVersion:
        """The config version that a build is of. Raises ``EventUntrusted`` where there is none."""
        ...

    def progress(self, key: BuildKey, entries: Sequence[HistoryEntry]) -> None:
        """Append to the build's history; the last entry's status becomes the build's, and the bus hears of another one.

        The first entry has the status that the build is in. Raises ``StaleVersion`` where the build is in another one
        than the first or the last entry's, or has ended, or where a newer config exists.
        """
        ...

    def finish(self, key: BuildKey, outcome: Outcome, entries: Sequence[HistoryEntry]) -> Build | None:
        """End the build; the last entry says how. ``None`` where it had ended before, or where there is none.

        The first outcome stands. Raises ``StaleVersion`` where it would become active and a newer config exists.
        """
        ...

    def keep_receipt(self, key: BuildKey, envelope: str) -> None:
        """Keep a receipt with the build; the first one stays. It shows when the build has ended as active."""
        ...


class Budget(Protocol):
    """How much of each registry's patience is used, over all functions of the stack (``byoa.builds.budgets``)."""

    def admit(self, host: str, organisation: str) -> None:
        """Raise ``RegistryThrottled``, with the time to wait, while the host or the organisation owes too much."""
        ...

    def spend(self, host: str, organisation: str, requests: int) -> None:
        """Put ``requests`` on both accounts."""
        ...

    def rest(self, host: str, seconds: float) -> None:
        """Let nobody ask ``host`` for so long: it said so."""
        ...


class Accepted(NamedTuple):
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

    def receipt(self, organisation: str, build_id: str) -> str | None:
        """The receipt of a build that ended as active, in its envelope."""
        ...

    def builds(self, organisation: str, app: str, component: str | None, limit: int) -> list[Build]:
        """The newest builds first, of one component or of all, at most ``limit``."""
        ...
