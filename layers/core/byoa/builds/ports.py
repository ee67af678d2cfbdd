"""What a build needs of the world: its record, what counts its requests and bytes, the time, a key that signs.

Implemented under ``adapters/``. Every call may raise a leaf of ``byoa.errors``; which ones, each docstring says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from byoa.builds.lookups import LookedUp, LookUp, LookupEnded, ReadContents
    from byoa.builds.messages import AttachedTo, Build, BuildKey, ConfigVersion, HistoryEntry, NamedObjects, Outcome
    from byoa.components.reading import ComponentConfig
    from byoa.oci.digest import Digest
    from byoa.trust.allowed import Allowed


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """The current time, in UTC."""
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

        From then on nothing but that execution writes of it, and its time runs. The same execution may ask again.
        Raises ``EventUntrusted`` where no such config was accepted, ``DuplicateEvent`` where another execution has the
        build, ``StaleVersion`` where a newer config exists.
        """
        ...

    def config(self, key: BuildKey) -> ConfigVersion:
        """The config version that a build is of. Raises ``EventUntrusted`` where there is none."""
        ...

    def allowed(self, organisation: str) -> Allowed:
        """The organisation's policies, as they are now."""
        ...

    def check_running(self, key: BuildKey, execution: str) -> None:
        """Look, without a write, whether ``execution`` may go on with the build. Raises what ``progress`` raises."""
        ...

    def progress(self, key: BuildKey, execution: str, entries: Sequence[HistoryEntry]) -> None:
        """Append to the build's history; the last entry's status becomes the build's, and the bus hears of another one.

        A history that is full (``records.HISTORY``) takes no more, and what is left out is counted. The first entry has
        the status that the build is in. Raises ``DuplicateEvent`` where another execution has the build, and
        ``StaleVersion`` where it is in another status than the first or the last entry's, or has ended, or where a
        newer config exists.
        """
        ...

    def finish(
        self, key: BuildKey, execution: str, outcome: Outcome, entries: Sequence[HistoryEntry], *, begun: bool = False
    ) -> Build | None:
        """End the build; the last entry says how. Where its record is full, these entries replace its history.

        ``None`` where it had ended before, where there is none, and where another execution has it; what nobody has
        begun, anybody may end in another way than as active, unless it has to be ``begun``. Raises ``StaleVersion``
        where it would become active and a newer config exists.
        """
        ...

    def keep_receipt(self, key: BuildKey, execution: str, envelope: str) -> None:
        """Keep a receipt of what ``execution`` did; its first one stays.

        It shows when the build has ended as active, if the build is that execution's.
        """
        ...

    def keep_objects(self, key: BuildKey, execution: str, objects: NamedObjects) -> None:
        """Keep the names of what an artifact holds, and what is attached to it, as the receipt is kept."""
        ...


class Lists(Protocol):
    """Lists that are too long for a message: texts by digest, of one organisation."""

    def put(self, content: bytes) -> Digest:
        """Keep a text; its digest."""
        ...

    def fetch(self, digest: Digest) -> bytes:
        """A text that was kept, not verified. Raises ``ReferenceNotFound`` where it is gone."""
        ...


class Unfinished(Protocol):
    """The builds that have not ended, of all organisations, for whoever looks after them."""

    def unfinished(self, before_ts: int) -> Iterator[BuildKey]:
        """Builds that have not ended and were handed in before a moment (ms since 1970 UTC), the oldest first."""
        ...

    def look(self, key: BuildKey) -> Build | None:
        """One of them; ``None`` where there is none. Raises ``ValueError`` for one that this version can't read."""
        ...

    def tell_again(self, key: BuildKey, now_ts: int) -> bool:
        """Have the bus told of a build's config once more; ``False`` where the build no longer waits."""
        ...

    def give_up(self, key: BuildKey, outcome: Outcome, entries: Sequence[HistoryEntry]) -> Build | None:
        """``Ledger.finish``, whichever execution has the build: it was silent for longer than one may last."""
        ...


class Tags(Protocol):
    """The tags of one repository of our own, for whoever keeps their number down."""

    def tags_of(self, digest: str) -> list[str]:
        """All tags of an image. Raises ``PlatformMissing`` where there is none."""
        ...

    def remove_tags(self, tags: Sequence[str]) -> None:
        """Take tags off their images. An image that has another tag stays."""
        ...


class Budget(Protocol):
    """How much of each registry's patience is used, over all functions of the stack (``byoa.builds.budgets``)."""

    def admit(self, host: str, organisation: str) -> None:
        """Raise ``RegistryThrottled``, with the time to wait, while the host or the organisation owes too much."""
        ...

    def spend(self, host: str, organisation: str, requests: int) -> None:
        """Put ``requests`` on both accounts."""
        ...

    def rest(self, host: str, organisation: str, seconds: float) -> None:
        """Let ``organisation`` not ask ``host`` for so long: it said so.

        Where it says so to another organisation as well in that time, nobody asks it.
        """
        ...


class Quota(Protocol):
    """How many bytes each organisation's builds take in a day (``byoa.builds.quotas``)."""

    def take(self, organisation: str, build_id: str, size: int) -> None:
        """Count a build of ``size`` bytes on its organisation's account of this day, before anything is fetched.

        A build that was counted adds only what it has grown by. Raises ``QuotaExceeded``, and then counts nothing,
        where it would go over what the organisation has.
        """
        ...


class Accepted(NamedTuple):
    """What became of a config that was handed in: its build, whether it is a new one, and the config as it is kept.

    ``version`` is there for a new one, where whoever keeps it knows it without asking.
    """

    build: Build
    created: bool
    version: ConfigVersion | None = None


class Catalogue(Protocol):
    """What people see and do: hand in configs, read builds."""

    def submit(  # noqa: PLR0913 - a config, and what is told of it by name
        self,
        organisation: str,
        app: str,
        config: ComponentConfig,
        *,
        by: str | None = None,
        anew: bool = False,
        text: str | None = None,
    ) -> Accepted:
        """Accept ``config`` as the component's newest version and queue its build.

        The same content as the newest version's makes nothing new, unless that version's build failed or it is to be
        built ``anew``. ``by`` is the id of the token that it was handed in with. A component that was deleted goes on
        counting where it was. ``text`` is the file that says it: the newest is kept with the version, whether or not
        that is new, up to a length (``records.kept_text``).
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

    def attached(self, organisation: str, build_id: str) -> list[AttachedTo]:
        """What is attached to the artifact of a build that ended as active; empty where that isn't known."""
        ...

    def builds(self, organisation: str, app: str, component: str | None, limit: int) -> list[Build]:
        """The newest builds first, of one component or of all, at most ``limit``."""
        ...


class LookupFunctions(Protocol):
    """The two functions of a lookup. Each call raises what the function ends with, and what stands for Lambda."""

    def look_up(self, asked: LookUp) -> LookedUp:
        """Ask LookUpArtifact."""
        ...

    def read(self, found: LookedUp) -> ReadContents:
        """Ask ReadArtifacts."""
        ...


class LookupShelf(Protocol):
    """Where one organisation's answers wait for whoever asked."""

    def end(self, lookup_id: str, ended: LookupEnded) -> None:
        """Keep how a lookup that was begun ended; one that is there no more stays gone.

        Raises ``ContentTooLarge`` for an answer that is too long to be kept, and what stands for the store.
        """
        ...
