"""One repository of an OCI registry, read and written over HTTP (OCI distribution-spec 1.1)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from byoa.adapters.answers import Role, refusal
from byoa.adapters.authorization import Authorization
from byoa.adapters.locations import Location, parse_location
from byoa.adapters.transport import Endpoint, Response, Stream, Transport
from byoa.digest import Digest
from byoa.errors import (
    DigestMismatch,
    InsecureTransport,
    RedirectRefused,
    RegistryProtocolError,
    TargetConflict,
)
from byoa.manifest import ACCEPT, MANIFEST_LIMIT, Descriptor, Manifest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from byoa.ports import BlobReader, Credential

_REDIRECTS: Final = 3
_BINARY: Final = "application/octet-stream"
_TAG_REFUSED: Final = (400, 405, 409, 412)
"""What registries answer when a tag may not move; the spec has no code for it, so the tag itself is asked."""


class DistributionRepository:
    """A Source and a Target over one repository. ``role`` says which of the two it is used as: what tokens may do."""

    def __init__(  # noqa: PLR0913 - where it is, and settings by name
        self,
        transport: Transport,
        endpoint: Endpoint,
        repository: str,
        *,
        role: Role,
        credential: Credential | None = None,
        basic_at_once: bool = False,
    ) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._base = f"/v2/{repository}"
        self._role = role
        actions = "pull" if role == "source" else "pull,push"
        self._authorization = Authorization(transport, endpoint, f"repository:{repository}:{actions}", credential)
        if basic_at_once:
            self._authorization.use_basic()
        self._sent = 0

    @property
    def requests(self) -> int:
        """How many HTTP requests this has cost, those for tokens and to redirected addresses included."""
        return self._sent + self._authorization.requests

    def fetch_manifest(self, name: str | Digest) -> Manifest:
        """See ``ports.Source``. The bytes are hashed; what headers say of the digest must agree with them."""
        expected = name if isinstance(name, Digest) else None
        with self._request("GET", f"{self._base}/manifests/{name}", {"Accept": ACCEPT}) as response:
            self._expect(response, (200,), "The manifest")
            content = response.read(MANIFEST_LIMIT)
            manifest = read_manifest(content, response.header("Content-Type") or "", expected=expected)
            stated = _stated_digest(response)
        if stated and stated.algorithm == manifest.digest.algorithm and stated != manifest.digest:
            raise DigestMismatch("The registry calls the manifest by another digest than its bytes have.")
        return manifest

    @contextmanager
    def open_blob(self, descriptor: Descriptor) -> Iterator[BlobReader]:
        """See ``ports.Source``. A redirect to a store is followed, without the registry's credentials."""
        with self._request("GET", f"{self._base}/blobs/{descriptor.digest}", {}) as first:
            if first.status not in (301, 302, 303, 307, 308):
                self._expect(first, (200,), "A blob of the artifact")
                yield first
                return
            location = self._redirect(first.header("Location"), self._endpoint)
        with self._follow(location) as response:
            yield response

    def find_manifest(self, name: str | Digest) -> Digest | None:
        """See ``ports.Target``."""
        with self._request("HEAD", f"{self._base}/manifests/{name}", {"Accept": ACCEPT}) as response:
            if response.status == 404:  # noqa: PLR2004 - not there
                return None
            self._expect(response, (200,), "The manifest")
            stated = _stated_digest(response)
        if isinstance(name, Digest):
            return name
        return stated or self.fetch_manifest(name).digest

    def has_blob(self, descriptor: Descriptor) -> bool:
        """See ``ports.Target``."""
        with self._request("HEAD", f"{self._base}/blobs/{descriptor.digest}", {}) as response:
            if response.status == 404:  # noqa: PLR2004 - not there
                return False
            if response.status not in (302, 307):
                self._expect(response, (200,), "The blob")
            return True

    def push_blob(self, descriptor: Descriptor, content: BlobReader) -> None:
        """See ``ports.Target``: one POST for a place, one PUT with all bytes ("Pushing a blob monolithically")."""
        with self._request("POST", f"{self._base}/blobs/uploads/", {}, b"") as response:
            self._expect(response, (202,), "The repository")
            place = self._upload_place(response.header("Location"))
        path = f"{place.path}{'&' if '?' in place.path else '?'}digest={quote(str(descriptor.digest), safe='')}"
        body = Stream(content, descriptor.size)
        with self._request("PUT", path, {"Content-Type": _BINARY}, body) as response:
            self._expect(response, (201,), "A blob of the artifact")

    def push_manifest(self, manifest: Manifest, tag: str | None = None) -> None:
        """See ``ports.Target``."""
        path = f"{self._base}/manifests/{tag or manifest.digest}"
        headers = {"Content-Type": manifest.descriptor.media_type}
        with self._request("PUT", path, headers, manifest.content) as response:
            if response.status in (200, 201):
                _check_stored(response, manifest)
                return
            error = refusal(response, self._role, "The manifest", pushed_manifest=True)
        found = self.find_manifest(tag) if tag and response.status in _TAG_REFUSED else None
        if found == manifest.digest:
            return  # the same content under the same tag, which some registries call an error
        if found:
            raise TargetConflict("The tag holds other content in the target and may not move.") from error
        raise error

    def _request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | Stream | None = None
    ) -> Response:
        """One request, and after a 401 once more with what the challenge asks for."""
        response = self._send(method, path, headers, body)
        if response.status != 401 or isinstance(body, Stream):  # noqa: PLR2004 - RFC 9110, 15.5.2
            return response
        with response:
            challenges = response.headers("WWW-Authenticate")
            response.read(64 * 1024)
        self._authorization.answer(challenges, self._role)
        return self._send(method, path, headers, body)

    def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | Stream | None) -> Response:
        self._sent += 1
        authorization = self._authorization.header()
        known = {"Authorization": authorization} if authorization else {}
        return self._transport.request(method, self._endpoint, path, {**headers, **known}, body)

    def _expect(self, response: Response, statuses: tuple[int, ...], what: str) -> None:
        if response.status not in statuses:
            raise refusal(response, self._role, what)

    @contextmanager
    def _follow(self, location: Location) -> Iterator[Response]:
        """GET without credentials, through at most a few more redirects."""
        for _ in range(_REDIRECTS):
            self._sent += 1
            with self._transport.request("GET", location.endpoint, location.path, {}) as response:
                if response.status not in (301, 302, 303, 307, 308):
                    self._expect(response, (200,), "A blob of the artifact")
                    yield response
                    return
                location = self._redirect(response.header("Location"), location.endpoint)
        raise RedirectRefused("The registry redirects more than a few times.")

    def _redirect(self, address: str | None, base: Endpoint) -> Location:
        location = parse_location(address or "", base)
        if location is None:
            raise RedirectRefused("The registry redirects to something that is no sound address.")
        if location.endpoint.scheme != "https" and location.endpoint != self._endpoint:
            raise InsecureTransport("The registry redirects to an address without TLS.")
        return location

    def _upload_place(self, address: str | None) -> Location:
        """Uploads stay on the registry's own endpoint: they carry its credentials."""
        location = parse_location(address or "", self._endpoint)
        if location is None:
            raise RegistryProtocolError("The registry names no sound place for an upload.")
        if location.endpoint != self._endpoint:
            raise RedirectRefused("The registry sends an upload to another host.")
        return location


def _stated_digest(response: Response) -> Digest | None:
    value = response.header("Docker-Content-Digest")
    return Digest.parse(value, malformed=RegistryProtocolError) if value else None


def _check_stored(response: Response, manifest: Manifest) -> None:
    stated = _stated_digest(response)
    if stated and stated.algorithm == manifest.digest.algorithm and stated != manifest.digest:
        raise DigestMismatch("The target stored the manifest under another digest than its bytes have.")
