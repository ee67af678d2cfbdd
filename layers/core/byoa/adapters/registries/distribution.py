"""One repository of an OCI registry, read and written over HTTP (OCI distribution-spec 1.1)."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from byoa.adapters.registries.answers import NOT_SEEN, refusal
from byoa.adapters.registries.downloads import Download
from byoa.adapters.registries.exchange import Exchange
from byoa.adapters.registries.listings import pages, read_document, tag_names
from byoa.adapters.registries.referrers import list_by_tag, list_referrers
from byoa.adapters.registries.traits import PLAIN, Traits
from byoa.adapters.registries.transport import ENCODED
from byoa.adapters.registries.uploads import RegistryUpload, resume
from byoa.engine.patience import HASTY, Patience
from byoa.engine.ports import Tags, every
from byoa.errors import (
    ByoaError,
    DigestMismatch,
    GraphLimit,
    ReferenceNotFound,
    RegistryProtocolError,
    RegistryUnavailable,
    Rejected,
    TargetConflict,
)
from byoa.oci.digest import Digest
from byoa.oci.manifest import ACCEPT, MANIFEST_LIMIT, Descriptor, Manifest, read_manifest, served_type
from byoa.oci.tagschema import referrers_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.adapters.registries.answers import Role
    from byoa.adapters.registries.authorization import Wallet
    from byoa.adapters.registries.endpoints import Endpoint
    from byoa.adapters.registries.transport import Response, Transport
    from byoa.engine.ports import BlobReader, Fate, Offer, Upload
    from byoa.trust.credentials import Credential

_TAG_REFUSED: Final = (400, 405, 409, 412)
"""What registries answer when a tag may not move; the spec has no code for it, so the tag itself is asked."""

_SMALL: Final = 1024 * 1024
"""Bytes up to which a blob is offered without a question of its own: sending it costs less than asking would."""

_TAGS: Final = 10_000
_TOO_MANY: Final = "Ask for fewer with --filter, or name those that are wanted in a file (--from)."


class DistributionRepository:
    """A Source and a Target over one repository. ``role`` says which of the two it is used as: what tokens may do.

    ``mount_from`` is a repository of the same registry that blobs may be mounted from; ``renew`` is asked once for
    what has replaced credentials that are refused; ``None`` is: nothing has.
    """

    def __init__(  # noqa: PLR0913 - where it is, and settings by name
        self,
        transport: Transport,
        endpoint: Endpoint,
        repository: str,
        *,
        role: Role,
        credential: Credential | None = None,
        wallet: Wallet | None = None,
        traits: Traits = PLAIN,
        patience: Patience = HASTY,
        mount_from: str | None = None,
        renew: Callable[[], Credential | None] | None = None,
    ) -> None:
        if traits.namespace and repository and "/" not in repository:
            repository = f"{traits.namespace}{repository}"
        self._exchange = Exchange(
            transport, endpoint, repository, role=role, credential=credential, wallet=wallet, traits=traits,
            patience=patience, mount_from=mount_from, renew=renew,
        )  # fmt: skip
        self._listing = threading.Lock()
        self._mounts_refused: set[str] = set()

    @property
    def requests(self) -> int:
        """How many HTTP requests this has cost, those for tokens and to redirected addresses included."""
        return self._exchange.requests

    @property
    def place(self) -> tuple[str, str]:
        """See ``engine.ports.Repository``."""
        return str(self._exchange.endpoint), self._exchange.repository

    @property
    def heads_are_free(self) -> bool:
        """See ``engine.ports.Repository``."""
        return self._exchange.traits.free_heads

    def fetch_manifest(self, name: str | Digest) -> Manifest:
        """See ``engine.ports.Source``. The bytes are hashed; what headers say of the digest must agree with them."""
        return self._exchange.tried(lambda: self._fetch_manifest(name))

    def _fetch_manifest(self, name: str | Digest) -> Manifest:
        exchange = self._exchange
        with exchange.request("GET", f"{exchange.base}/manifests/{name}", {"Accept": ACCEPT}) as response:
            exchange.expect(response, (200,), "The manifest")
            content = response.read(MANIFEST_LIMIT)
            stated = _stated_digest(response)
            header, encoded = response.header("Content-Type"), response.encoded
        try:
            return self._read_manifest(name, content, header, stated)
        except (Rejected, DigestMismatch) as error:
            if encoded:
                raise RegistryProtocolError(ENCODED) from error
            raise

    def _read_manifest(self, name: str | Digest, content: bytes, header: str | None, stated: Digest | None) -> Manifest:
        expected = name if isinstance(name, Digest) else None
        algorithm = expected.algorithm if expected else "sha256"
        comparable = stated and stated.algorithm == algorithm and len(content) <= MANIFEST_LIMIT
        if comparable and stated and not stated.matches(content):
            raise DigestMismatch("The registry calls the manifest by another digest than its bytes have.")
        return read_manifest(content, served_type(content, header), expected=expected)

    def find_manifest(self, name: str | Digest) -> Digest | None:
        """See ``engine.ports.Source`` and ``engine.ports.Target``."""
        return self._exchange.tried(lambda: self._find_manifest(name))

    def _find_manifest(self, name: str | Digest) -> Digest | None:
        exchange = self._exchange
        with exchange.request("HEAD", f"{exchange.base}/manifests/{name}", {"Accept": ACCEPT}) as response:
            if response.status == 404:  # noqa: PLR2004 - not there
                return None
            exchange.expect(response, (200,), "The manifest")
            stated = _stated_digest(response)
        if isinstance(name, Digest):
            return name
        return stated or self._fetch_manifest(name).digest

    @contextmanager
    def open_blob(self, descriptor: Descriptor, start: int = 0) -> Iterator[BlobReader]:
        """See ``engine.ports.Source``."""
        download = Download(self._exchange, descriptor, start)
        try:
            yield download
        finally:
            download.close()

    def referrers(self, subject: Digest) -> tuple[Descriptor, ...]:
        """See ``engine.ports.Source``."""
        return list_referrers(self, self._exchange, subject)

    def all_tags(self, wanted: Callable[[str], bool] = every, most: int | None = None) -> Tags:
        """See ``engine.ports.Repository``.

        Raises ``ReferenceNotFound`` and, without ``most``, ``GraphLimit`` for over 10,000 tags.
        """
        found: dict[str, None] = {}
        passed_over = 0
        try:
            for names, others in self._listed_tags():
                found.update(dict.fromkeys(filter(wanted, names)))
                passed_over += others
                _check_number(len(found), most)
        except GraphLimit:
            if most is None:
                raise
            return Tags(tuple(found)[:most], passed_over, truncated=True)
        return Tags(tuple(found), passed_over)

    def _listed_tags(self) -> Iterator[tuple[list[str], int]]:
        """See ``listings.tag_names``, page by page."""
        what = "The list of tags"
        for page in pages(self._exchange, f"{self._exchange.base}/tags/list?n=1000", {}, what, _TOO_MANY):
            if page is None:
                remedy = NOT_SEEN if self.logged_in else ""
                raise ReferenceNotFound("The repository is not in the registry, or not for us to see.", remedy=remedy)
            yield tag_names(read_document(page, what))

    def has_blob(self, descriptor: Descriptor) -> bool:
        """See ``engine.ports.Target``."""
        return self._exchange.tried(lambda: self._has_blob(descriptor))

    def _has_blob(self, descriptor: Descriptor) -> bool:
        exchange = self._exchange
        # A redirect to a store is a yes, and what is signed there is a GET.
        with exchange.request("HEAD", f"{exchange.base}/blobs/{descriptor.digest}", {}, elsewhere=False) as response:
            if response.status == 404:  # noqa: PLR2004 - not there
                return False
            exchange.expect(response, (200, 301, 302, 303, 307, 308), "The blob")
            return True

    def offer_blob(self, descriptor: Descriptor, offer: Offer) -> Fate | Upload:
        """See ``engine.ports.Target``. The question whether a small blob is there begins its upload as well."""
        traits = self._exchange.traits
        if offer.session and (upload := resume(self._exchange, descriptor, offer.session)):
            return upload
        own = self._exchange.repository
        asking = traits.mounts_itself and descriptor.size <= _SMALL and not offer.unasked
        asking = asking and own not in self._mounts_refused
        if not offer.unasked and not asking and self.has_blob(descriptor):
            return "skipped"
        origin = offer.origin or (own if asking else None)
        if origin and origin not in self._mounts_refused:
            fate = self._exchange.tried(lambda: self._mount(descriptor, origin, lasting=offer.lasting))
            if fate:
                return fate
            self._mounts_refused.add(origin)
            if asking and self.has_blob(descriptor):
                return "skipped"
        return self._exchange.tried(lambda: self._start(descriptor, lasting=offer.lasting))

    def _mount(self, descriptor: Descriptor, origin: str, *, lasting: bool) -> Fate | Upload | None:
        """One POST for a mount, which may be answered by a place ("Mounting a blob").

        ``None`` where it is refused in whatever way: a mount is a short cut, and rights on the other repository are
        none on this one.
        """
        exchange = self._exchange
        mount = f"?mount={quote(str(descriptor.digest), safe='')}&from={quote(origin, safe='/')}"
        try:
            with exchange.request("POST", f"{exchange.base}/blobs/uploads/{mount}", {}, b"") as response:
                if response.status == 201:  # noqa: PLR2004 - mounted
                    return "skipped" if origin == exchange.repository else "mounted"
                return self._place(response, descriptor, lasting=lasting)
        except (Rejected, RegistryUnavailable) as error:
            if isinstance(error, RegistryUnavailable) and error.retry_after:
                raise  # it is the whole registry that asks for rest
            return None

    def _start(self, descriptor: Descriptor, *, lasting: bool) -> Upload:
        exchange = self._exchange
        with exchange.request("POST", f"{exchange.base}/blobs/uploads/", {}, b"") as response:
            return self._place(response, descriptor, lasting=lasting)

    def _place(self, response: Response, descriptor: Descriptor, *, lasting: bool) -> RegistryUpload:
        exchange, traits = self._exchange, self._exchange.traits
        exchange.expect(response, (202,), "The repository")
        place = exchange.own_place(response.header("Location"), response.place)
        parts = traits.upload == "chunks" or (lasting and traits.chunk is not None)
        return RegistryUpload(exchange, descriptor, place, parts=parts)

    def check_push(self) -> None:
        """See ``engine.ports.Repository``: an upload is begun and given up ("Canceling a session")."""
        exchange = self._exchange
        with exchange.request("POST", f"{exchange.base}/blobs/uploads/", {}, b"") as response:
            exchange.expect(response, (202,), "The repository")
            place = exchange.own_place(response.header("Location"), response.place)
        exchange.request("DELETE", place.path, {}).close()  # who doesn't know how to, forgets it by itself

    def check_login(self) -> bool:
        """Ask for nothing but whether the login is good ("Determining Support"), of a repository without a name.

        ``False`` where the registry let us in without it, and so said nothing of it. Raises ``AuthFailed`` where it is
        refused, by the registry or by its token service.
        """
        return self._exchange.tried(self._check_login)

    @property
    def logged_in(self) -> bool:
        """Whether the registry was shown the login, which it is when it asks for it."""
        return self._exchange.logged_in

    def _check_login(self) -> bool:
        exchange = self._exchange
        with exchange.request("GET", "/v2/", {}) as response:
            exchange.expect(response, (200,), "The registry")
        return self.logged_in

    def push_manifest(self, manifest: Manifest, tag: str | None = None) -> None:
        """See ``engine.ports.Target``. Where the registry doesn't list referrers, the tag schema does."""
        listed = self._exchange.tried(lambda: self._push_manifest(manifest, tag))
        if manifest.subject and not listed:
            with self._listing:
                list_by_tag(self, manifest, manifest.subject.digest)

    def _push_manifest(self, manifest: Manifest, tag: str | None) -> bool:
        """Whether the registry lists the manifest as a referrer by itself ("Pushing Manifests with Subject")."""
        exchange = self._exchange
        exchange.host.pace(exchange.traits.manifests_per_second)
        path = f"{exchange.base}/manifests/{tag or manifest.digest}"
        headers = {"Content-Type": manifest.descriptor.media_type}
        with exchange.request("PUT", path, headers, manifest.content) as response:
            if response.status in (200, 201):
                _check_stored(response, manifest)
                return response.header("OCI-Subject") is not None
            error = refusal(response, exchange.role, "The manifest", pushed_manifest=True)
        if tag is None and manifest.subject and response.status == 405:  # noqa: PLR2004 - ECR, of some referrers
            return self._push_manifest(manifest, referrers_tag(manifest.digest))
        self._check_taken(manifest, tag, response, error)
        return True

    def _check_taken(self, manifest: Manifest, tag: str | None, response: Response, error: ByoaError) -> None:
        """Raise what a refused manifest means, unless the tag holds it already: some registries call that an error."""
        found = self._find_manifest(tag) if tag and response.status in _TAG_REFUSED else None
        if found and found != manifest.digest:
            raise TargetConflict("The tag holds other content in the target and may not move.") from error
        if found is None:
            raise error


def _stated_digest(response: Response) -> Digest | None:
    value = response.header("Docker-Content-Digest")
    return Digest.parse(value, malformed=RegistryProtocolError) if value else None


def _check_stored(response: Response, manifest: Manifest) -> None:
    stated = _stated_digest(response)
    if stated and stated.algorithm == manifest.digest.algorithm and stated != manifest.digest:
        raise DigestMismatch("The target stored the manifest under another digest than its bytes have.")


def _check_number(tags: int, most: int | None) -> None:
    if tags > (_TAGS if most is None else most):
        raise GraphLimit(f"The repository has more than {_TAGS} such tags.", remedy=_TOO_MANY)
