"""The endpoints of distribution-spec 1.1, save those of blobs: manifests, tags and referrers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from local.registry.auth import Action, Anonymous, Basic, Bearer, EcrPassword, Gate, Wanted
from local.registry.blobs import BlobEndpoints
from local.registry.ecr import Ecr
from local.registry.ecr_uploads import EcrBlobEndpoints
from local.registry.images import ImageApi
from local.registry.manifests import Manifest, ManifestInvalid, digest_of, is_digest
from local.registry.messages import PATH, Refused, Request, Response, as_json, refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.registry.settings import Settings
    from local.registry.store import Repository, Store

type Endpoint = Callable[[Request, str, str], Response]

MANIFEST_LIMIT: Final = 4 * 1024 * 1024  # what every registry must take (distribution-spec, "Pushing Manifests")
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME: Final = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*", re.ASCII)
_NAME_LIMIT: Final = 255
_TAG: Final = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}", re.ASCII)
_INDEX_TYPE: Final = "application/vnd.oci.image.index.v1+json"


class Api:
    """One registry's answers."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._ecr = Ecr(settings.ecr) if settings.ecr else None
        self._images = ImageApi(store, settings.ecr.account) if settings.ecr else None
        self._gate = self._make_gate()
        self._endpoints = self._make_endpoints()

    def answer(self, request: Request) -> Response:
        """Answer one request, also with a refusal."""
        try:
            response = self._route(request)
        except Refused as refused:
            response = refused.response
        response.headers.insert(0, ("Docker-Distribution-API-Version", "registry/2.0"))
        return response

    def _make_endpoints(self) -> dict[str, dict[str, Endpoint]]:
        mounts = self._settings.mounts and not self._ecr
        endpoints = EcrBlobEndpoints if self._ecr else BlobEndpoints
        blobs = endpoints(self._store, self._may_pull if mounts else None)
        manifests: dict[str, Endpoint] = {
            "GET": self._get_manifest,
            "HEAD": self._get_manifest,
            "PUT": self._put_manifest,
            "DELETE": self._delete_manifest,
        }
        return {
            "blobs": {"GET": blobs.get, "HEAD": blobs.get, "DELETE": blobs.delete},
            "blobs/uploads": {
                "POST": blobs.start,
                "GET": blobs.status,
                "PATCH": blobs.patch,
                "PUT": blobs.finish,
                "DELETE": blobs.cancel,
            },
            "manifests": manifests,
            "tags": {"GET": self._list_tags},
            "referrers": {"GET": self._list_referrers} if self._settings.referrers else {},
        }

    def _make_gate(self) -> Gate:
        settings = self._settings
        if self._ecr:
            return EcrPassword(self._ecr.control)
        if settings.auth == "basic":
            return Basic(settings.username, settings.password, settings.anonymous_pull)
        return Bearer(settings) if settings.auth == "bearer" else Anonymous()

    def _route(self, request: Request) -> Response:
        if self._images and (request.method, request.path) == ("POST", "/"):
            return self._images.answer(request)
        if request.path == "/token" and isinstance(self._gate, Bearer):
            return self._gate.token(request)
        if request.path in ("/v2", "/v2/"):
            self._gate.admit(request, {})
            return as_json(200, {})
        found = PATH.fullmatch(request.path)
        if not found or not self._endpoints[found["kind"]] or (found["kind"] == "tags" and found["rest"] != "list"):
            refuse(404, "UNSUPPORTED", "there is nothing at this address")
        name, methods = found["name"], self._endpoints[found["kind"]]
        if len(name) > _NAME_LIMIT or not _NAME.fullmatch(name):
            refuse(400, "NAME_INVALID", f"{name!r} is no name of a repository")
        endpoint = methods.get(request.method)
        if endpoint is None:
            refuse(405, "UNSUPPORTED", "the method is not served here", headers=[("Allow", ", ".join(methods))])
        self._gate.admit(request, _wanted(request, name))
        if self._ecr:
            self._ecr.facts(name)
        return endpoint(request, name, found["rest"])

    def _may_pull(self, request: Request, name: str) -> bool:
        try:
            self._gate.admit(request, {name: "pull"})
        except Refused:
            return False
        return True

    def _repository(self, name: str) -> Repository:
        repository = self._store.repository(name)
        if repository is None and self._ecr:
            return self._store.make(name)
        return repository or refuse(404, "NAME_UNKNOWN", f"the repository {name!r} is not known to this registry")

    def _get_manifest(self, _request: Request, name: str, reference: str) -> Response:
        """Pulling manifests, and whether they exist."""
        repository = self._repository(name)
        with repository.lock:
            manifest = repository.manifests.get(repository.tags.get(reference, reference))
        if manifest is None:
            refuse(404, "MANIFEST_UNKNOWN", f"{reference!r} is not known to the repository {name!r}")
        headers = [("Content-Type", manifest.media_type), ("Docker-Content-Digest", manifest.digest)]
        return Response(200, headers, manifest.content)

    def _put_manifest(self, request: Request, name: str, reference: str) -> Response:
        """Pushing manifests, by tag, by digest, or by digest with tags as parameters."""
        content = request.body.read(MANIFEST_LIMIT)
        by_digest = ":" in reference
        tags = [] if by_digest else [reference]
        if by_digest and self._settings.tag_parameters and not self._ecr:
            tags = list(dict.fromkeys(request.query.get("tag", [])))
        self._check_reference(reference if by_digest else None, tags, content)
        digest = reference if by_digest else digest_of(content)
        manifest = _parse(digest, request.headers.get("Content-Type", ""), content)
        repository = self._store.make(name)
        with repository.lock:
            _check_complete(repository, manifest)
            if self._ecr and not by_digest:
                self._ecr.check_tag(name, reference, digest, repository.tags)
            repository.add_manifest(manifest, tags)
        headers = [("Location", f"/v2/{name}/manifests/{digest}"), ("Docker-Content-Digest", digest)]
        if by_digest:
            headers += [("OCI-Tag", tag) for tag in tags]
        if manifest.subject and self._settings.referrers:
            headers.append(("OCI-Subject", manifest.subject))
        return Response(201, headers)

    @staticmethod
    def _check_reference(digest: str | None, tags: list[str], content: bytes) -> None:
        if digest is not None and (not is_digest(digest) or digest_of(content, digest.partition(":")[0]) != digest):
            refuse(400, "DIGEST_INVALID", "the digest does not match the manifest's bytes", detail=digest)
        for tag in tags:
            if not _TAG.fullmatch(tag):
                refuse(400, "TAG_INVALID", f"{tag!r} is no tag")

    def _delete_manifest(self, _request: Request, name: str, reference: str) -> Response:
        """Deleting tags, and deleting manifests."""
        repository = self._repository(name)
        removed = repository.remove_manifest(reference) if ":" in reference else repository.remove_tag(reference)
        if not removed:
            refuse(404, "MANIFEST_UNKNOWN", f"{reference!r} is not known to the repository {name!r}")
        return Response(202)

    def _list_tags(self, request: Request, name: str, _: str) -> Response:
        """Listing tags, a page at a time where ``n`` asks for it."""
        repository = self._repository(name)
        last, limit = request.first("last"), request.first("n")
        if limit is not None and not (limit.isascii() and limit.isdigit()):
            refuse(400, "PAGINATION_NUMBER_INVALID", "n is a number of tags", detail={"n": limit})
        with repository.lock:
            tags = sorted(tag for tag in repository.tags if last is None or tag > last)
        page = tags if limit is None else tags[: int(limit)]
        headers = []
        if page and len(page) < len(tags):
            following = urlencode({"n": len(page), "last": page[-1]})
            headers.append(("Link", f'</v2/{name}/tags/list?{following}>; rel="next"'))
        return as_json(200, {"name": name, "tags": page}, headers)

    def _list_referrers(self, request: Request, name: str, digest: str) -> Response:
        """Listing referrers: an empty list for a subject nobody knows, as "Listing Referrers" has it."""
        if not is_digest(digest):
            refuse(400, "DIGEST_INVALID", f"{digest!r} is no sha256 or sha512 digest")
        repository = self._store.repository(name)
        manifests: list[Manifest] = []
        if repository:
            with repository.lock:
                manifests = [each for each in repository.manifests.values() if each.subject == digest]
        headers = [("Content-Type", _INDEX_TYPE)]
        wanted = request.first("artifactType")
        if wanted is not None:
            manifests = [each for each in manifests if each.artifact_type == wanted]
            headers.append(("OCI-Filters-Applied", "artifactType"))
        entries = [each.as_referrer() for each in manifests]
        return as_json(200, {"schemaVersion": 2, "mediaType": _INDEX_TYPE, "manifests": entries}, headers)


def _wanted(request: Request, name: str) -> Wanted:
    """What the request does: a mount also pulls, from the repository that it names."""
    if request.method in ("GET", "HEAD"):
        return {name: "pull"}
    wanted: dict[str, Action] = {name: "push"}
    source = request.first("from")
    if "mount" in request.query and source and _NAME.fullmatch(source):
        wanted.setdefault(source, "pull")
    return wanted


def _parse(digest: str, media_type: str, content: bytes) -> Manifest:
    try:
        return Manifest.parse(digest, media_type, content)
    except ManifestInvalid as error:
        refuse(400, "MANIFEST_INVALID", str(error))


def _check_complete(repository: Repository, manifest: Manifest) -> None:
    """Refuse a manifest whose blobs or children are missing. Its subject may come later ("Pushing Manifests")."""
    missing = [digest for digest in manifest.blobs if repository.blob(digest) is None]
    missing += [digest for digest in manifest.children if digest not in repository.manifests]
    if missing:
        message = "blobs or manifests that the manifest names are not in the repository"
        refuse(404, "MANIFEST_BLOB_UNKNOWN", message, detail=[{"digest": digest} for digest in missing])
