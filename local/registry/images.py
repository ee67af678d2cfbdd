"""ECR's API of images, as far as the desk needs it: DescribeImages and BatchDeleteImage, over what was pushed.

The emulator's control plane passes these two on to here (``local/emulator/images.py``), having looked at permissions
and whether the repository exists. Answers are not paged, and say nothing of when an image was pushed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from local.registry.messages import Request, Response, as_json

if TYPE_CHECKING:
    from local.registry.manifests import Manifest
    from local.registry.store import Repository, Store

type ImageId = dict[str, str]

_IDS_LIMIT: Final = 100
_BODY_LIMIT: Final = 1024 * 1024


class ImageApi:
    """The two operations over one ``store``, an ``account``'s."""

    def __init__(self, store: Store, account: str) -> None:
        self._store = store
        self._account = account

    def answer(self, request: Request) -> Response:
        """Answer a request whose ``X-Amz-Target`` names the operation, also with an error in AWS's form."""
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        asked: dict[str, Any] = json.loads(request.body.read(_BODY_LIMIT))
        repository = self._store.make(asked["repositoryName"])
        ids: list[ImageId] | None = asked.get("imageIds")
        if ids is not None and not 1 <= len(ids) <= _IDS_LIMIT:
            return _error("InvalidParameterException", f"imageIds has from 1 to {_IDS_LIMIT} elements")
        with repository.lock:
            if operation == "DescribeImages":
                return _describe(repository, ids, self._account)
            if operation == "BatchDeleteImage" and ids:
                return _delete(repository, ids)
        return _error("InvalidAction", f"{operation!r} is not served here")


def _describe(repository: Repository, ids: list[ImageId] | None, account: str) -> Response:
    if ids is None:
        found = [_detail(repository, each, account) for each in repository.manifests.values()]
        return as_json(200, {"imageDetails": found})
    details = []
    for wanted in ids:
        manifest = _find(repository, wanted)
        if manifest is None:
            named = f"imageDigest:'{wanted.get('imageDigest', 'null')}', imageTag:'{wanted.get('imageTag', 'null')}'"
            place = f"the repository with name '{repository.name}' in the registry with id '{account}'"
            return _error("ImageNotFoundException", f"The image with imageId {{{named}}} does not exist within {place}")
        details.append(_detail(repository, manifest, account))
    return as_json(200, {"imageDetails": details})


def _detail(repository: Repository, manifest: Manifest, account: str) -> dict[str, Any]:
    tags = repository.tags_of(manifest.digest)
    blobs = [blob for digest in manifest.blobs if (blob := repository.blob(digest))]
    detail: dict[str, Any] = {
        "registryId": account,
        "repositoryName": repository.name,
        "imageDigest": manifest.digest,
        "imageSizeInBytes": len(manifest.content) + sum(blob.size for blob in blobs),
        "imageManifestMediaType": manifest.media_type,
    }
    return detail | ({"imageTags": tags} if tags else {})


def _find(repository: Repository, wanted: ImageId) -> Manifest | None:
    """The image that has the tag, the digest, or both."""
    tag, digest = wanted.get("imageTag"), wanted.get("imageDigest")
    named = repository.tags.get(tag) if tag is not None else digest
    return repository.manifests.get(named or "") if digest in (None, named) else None


def _delete(repository: Repository, ids: list[ImageId]) -> Response:
    """Take away tags, and images with their last tag; a digest takes the image and all its tags."""
    deleted: list[ImageId] = []
    failures: list[dict[str, Any]] = []
    for wanted in ids:
        manifest = _find(repository, wanted)
        if manifest is None:
            failures.append(_failure(wanted, "ImageNotFound", "Requested image not found"))
            continue
        tags = repository.tags_of(manifest.digest)
        going = [wanted["imageTag"]] if "imageTag" in wanted else tags
        if len(going) == len(tags) and _is_listed(repository, manifest.digest):
            reason = "Requested image referenced by manifest list"
            failures.append(_failure(wanted, "ImageReferencedByManifestList", reason))
            continue
        if len(going) == len(tags):
            repository.remove_manifest(manifest.digest)
        else:
            repository.remove_tag(going[0])
        deleted += [{"imageDigest": manifest.digest, "imageTag": tag} for tag in going]
        deleted += [{"imageDigest": manifest.digest}] if not going else []
    return as_json(200, {"imageIds": deleted, "failures": failures})


def _is_listed(repository: Repository, digest: str) -> bool:
    return any(digest in each.children for each in repository.manifests.values())


def _failure(wanted: ImageId, code: str, reason: str) -> dict[str, Any]:
    return {"imageId": wanted, "failureCode": code, "failureReason": reason}


def _error(code: str, message: str) -> Response:
    return as_json(400, {"__type": code, "message": message})
