"""What the engine copies between: Protocols of a verb or two each, implemented under ``adapters/``.

Every call may raise a leaf of ``byoa.errors``; which ones, each docstring says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from byoa.oci.digest import Digest
    from byoa.oci.manifest import Descriptor, Manifest


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
        """What refers to ``subject`` (distribution-spec, "Listing Referrers"), by API or by the tag schema.

        Raises ``ReferrersUnknown`` where there is no telling.
        """
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


def every(_: str) -> bool:
    """Whatever it is, it is wanted."""
    return True


class Tags:
    """The tags of a repository. What is listed and can't be a tag is neither kept nor shown, only counted.

    ``truncated`` says that the registry has, or may have, more than were wanted of it.
    """

    def __init__(self, names: tuple[str, ...], passed_over: int = 0, *, truncated: bool = False) -> None:
        self.names = names
        self.passed_over = passed_over
        self.truncated = truncated


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

    def all_tags(self, wanted: Callable[[str], bool] = every, most: int | None = None) -> Tags:
        """All tags that are ``wanted``, in the registry's order, and how many texts were listed that are none.

        With ``most`` the first so many will do, and a list that is longer than a registry may tell us is no error.
        """
        ...
