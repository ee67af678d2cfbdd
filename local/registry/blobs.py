"""The blob endpoints of distribution-spec 1.1: pulling, pushing in every way, mounting, deleting."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from local.registry.manifests import is_digest
from local.registry.messages import Request, Response, refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.registry.store import Blob, Store, Upload

_RANGE: Final = re.compile(r"bytes=(?P<first>[0-9]*)-(?P<last>[0-9]*)", re.ASCII)
_CONTENT_RANGE: Final = re.compile(r"(?P<first>[0-9]+)-(?P<last>[0-9]+)", re.ASCII)


class BlobEndpoints:
    """The endpoints under ``/v2/<name>/blobs/``, each taking the request, the name and the last part of the path."""

    def __init__(self, store: Store, may_mount_from: Callable[[Request, str], bool] | None) -> None:
        """``may_mount_from`` says which repositories a request may mount from; ``None`` turns mounting off."""
        self._store = store
        self._may_mount_from = may_mount_from

    def get(self, request: Request, name: str, digest: str) -> Response:
        """Pulling blobs, whole or in part, and whether they exist."""
        blob = self._blob(name, digest)
        start, stop = _range(request, blob.size)
        headers = [
            ("Content-Type", "application/octet-stream"),
            ("Docker-Content-Digest", digest),
            ("Accept-Ranges", "bytes"),
            ("Content-Length", str(stop - start)),
        ]
        if stop - start == blob.size:
            return Response(200, headers, blob.blocks(start, stop))
        headers.append(("Content-Range", f"bytes {start}-{stop - 1}/{blob.size}"))
        return Response(206, headers, blob.blocks(start, stop))

    def delete(self, _request: Request, name: str, digest: str) -> Response:
        """Deleting blobs."""
        self._blob(name, digest)
        repository = self._store.make(name)
        with repository.lock:
            if digest in repository.manifests:
                refuse(405, "UNSUPPORTED", "this is a manifest, to be deleted as one")
            repository.remove_blob(digest)
        return Response(202)

    def start(self, request: Request, name: str, _: str) -> Response:
        """Pushing a blob monolithically, mounting one, or obtaining a session to do either step by step."""
        mount, digest = request.first("mount"), request.first("digest")
        if mount is not None and self._mount(request, name, mount):
            return _created(name, mount)
        algorithm = request.first("digest-algorithm") or (digest or "sha256").partition(":")[0]
        if algorithm not in ("sha256", "sha512") or (digest is not None and not is_digest(digest)):
            refuse(400, "DIGEST_INVALID", "digests are of sha256 or sha512")
        upload = self._store.start(name, algorithm)
        if digest is None:
            return underway(202, upload)
        try:
            receive(upload, request)
            return self._keep(upload, digest)
        finally:
            self._store.end(upload)

    def status(self, _request: Request, name: str, session: str) -> Response:
        """How much of an upload has arrived."""
        return underway(204, self._upload(name, session))

    def patch(self, request: Request, name: str, session: str) -> Response:
        """Pushing a chunk, or all of a blob of unknown length."""
        upload = self._upload(name, session)
        with upload.lock:
            receive(upload, request)
        return underway(202, upload)

    def finish(self, request: Request, name: str, session: str) -> Response:
        """Closing the session, perhaps with the last chunk."""
        upload = self._upload(name, session)
        digest = request.first("digest") or ""
        if not is_digest(digest):
            refuse(400, "DIGEST_INVALID", "the session is closed with the digest of the blob")
        with upload.lock:
            self._close(upload, request)
            try:
                return self._keep(upload, digest)
            finally:
                self._store.end(upload)

    def cancel(self, _request: Request, name: str, session: str) -> Response:
        """Cancelling an upload."""
        self._store.end(self._upload(name, session))
        return Response(204)

    def _blob(self, name: str, digest: str) -> Blob:
        repository = self._store.repository(name)
        blob = repository.blob(digest) if repository and is_digest(digest) else None
        return blob or refuse(404, "BLOB_UNKNOWN", f"the repository {name!r} has no such blob", detail=digest)

    def _upload(self, name: str, session: str) -> Upload:
        upload = self._store.upload(name, session)
        return upload or refuse(404, "BLOB_UPLOAD_UNKNOWN", "no such upload is under way", detail=session)

    def _mount(self, request: Request, name: str, digest: str) -> bool:
        """Whether a repository that the request may read had the blob, which is then in this one too."""
        if not self._may_mount_from or not is_digest(digest):
            return False
        named = request.query.get("from")
        sources = named if named is not None else [each.name for each in self._store.repositories()]
        for source in sources:
            repository = self._store.repository(source)
            blob = repository.blob(digest) if repository else None
            if blob and self._may_mount_from(request, source):
                self._store.make(name).add_blob(digest, blob)
                return True
        return False

    def _close(self, upload: Upload, request: Request) -> None:
        """Take what comes with the closing request."""
        receive(upload, request)

    def _keep(self, upload: Upload, digest: str) -> Response:
        if not upload.matches(digest):
            refuse(400, "DIGEST_INVALID", "the digest does not match the uploaded bytes", detail=digest)
        self._store.make(upload.repository).add_upload(digest, upload)
        return _created(upload.repository, digest)


def receive(upload: Upload, request: Request) -> None:
    """Add the request's body to the upload. Raises ``Refused``: 416 for a chunk out of order ("Pushing in chunks")."""
    if not upload.open:
        refuse(404, "BLOB_UPLOAD_UNKNOWN", "the upload has ended")
    declared = request.headers.get("Content-Range")
    if declared is not None:
        _check_content_range(upload, declared, request.body.length)
    for block in request.body.blocks():
        upload.append(block)


def _check_content_range(upload: Upload, declared: str, length: int | None) -> None:
    found = _CONTENT_RANGE.fullmatch(declared)
    if not found:
        refuse(400, "BLOB_UPLOAD_INVALID", "a Content-Range is written FIRST-LAST", detail=declared)
    first, last = int(found["first"]), int(found["last"])
    if first != upload.size:
        message = f"the next chunk begins at {upload.size}"
        refuse(416, "BLOB_UPLOAD_INVALID", message, headers=underway(416, upload).headers)
    if length is not None and last - first + 1 != length:
        refuse(400, "SIZE_INVALID", "the Content-Range and the Content-Length differ", detail=declared)


def _range(request: Request, size: int) -> tuple[int, int]:
    """Where the wanted part starts and stops. Raises ``Refused`` with 416 (RFC 9110, section 14).

    Several ranges at once, other units, and ranges of a HEAD are passed over: the answer is then the whole blob.
    """
    found = _RANGE.fullmatch(request.headers.get("Range", "")) if request.method == "GET" else None
    if not found or not (found["first"] or found["last"]):
        return 0, size
    if not found["first"]:
        start, stop = max(0, size - int(found["last"])), size
    else:
        start, stop = int(found["first"]), min(int(found["last"] or size) + 1, size)
    if start >= stop:
        refuse(416, "SIZE_INVALID", "the range is outside the blob", headers=[("Content-Range", f"bytes */{size}")])
    return start, stop


def _location(upload: Upload) -> str:
    return f"/v2/{upload.repository}/blobs/uploads/{upload.session}"


def underway(status: int, upload: Upload) -> Response:
    """An answer that tells where an upload goes on."""
    headers = [
        ("Location", _location(upload)),
        ("Range", f"0-{max(upload.size - 1, 0)}"),
        ("Docker-Upload-UUID", upload.session),
    ]
    return Response(status, headers)


def _created(name: str, digest: str) -> Response:
    return Response(201, [("Location", f"/v2/{name}/blobs/{digest}"), ("Docker-Content-Digest", digest)])
