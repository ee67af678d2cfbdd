"""What refers to a manifest in a registry: by the API, and by the tag schema where there is no API.

(distribution-spec, "Listing Referrers", "Pushing Manifests with Subject", "Referrers Tag Schema")
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from byoa.adapters.registries.listings import pages
from byoa.errors import ManifestInvalid, MediaTypeUnsupported, ReferenceNotFound, RegistryProtocolError
from byoa.oci.graph import described
from byoa.oci.manifest import OCI_INDEX, Descriptor, Manifest, read_manifest
from byoa.oci.tagschema import referrers_tag

if TYPE_CHECKING:
    from byoa.adapters.registries.exchange import Exchange
    from byoa.adapters.registries.transport import Response
    from byoa.engine.ports import Repository, Source
    from byoa.oci.digest import Digest

_ACCEPT: Final = {"Accept": OCI_INDEX}
_NO_API: Final = (301, 302, 303, 307, 308, 400, 404, 405, 406, 410, 501)


def list_referrers(repository: Source, exchange: Exchange, subject: Digest) -> tuple[Descriptor, ...]:
    """All descriptors that the registry lists for ``subject``. A host that has no API is asked for it once."""
    if exchange.host.lists_referrers is not False:
        found = _from_api(exchange, subject)
        exchange.host.lists_referrers = found is not None
        if found is not None:
            return found
    index = _from_tag(repository, subject)
    return index.manifests if index else ()


def _from_api(exchange: Exchange, subject: Digest) -> tuple[Descriptor, ...] | None:
    """``None`` where the registry has no API. A list that can't be read is none of those: it may name a signature."""
    path = f"{exchange.base}/referrers/{subject}"
    found: dict[Digest, Descriptor] = {}
    for document in pages(exchange, path, _ACCEPT, "The list of referrers", _has_no_api):
        if document is None:
            return None
        found.update((each.digest, each) for each in _descriptors(document))
    return tuple(found.values())


def _has_no_api(response: Response) -> bool:
    """Registries without the API don't all answer 404 as the spec wants: some have a page there for people."""
    page = response.status == 200 and "json" not in (response.header("Content-Type") or "")  # noqa: PLR2004 - RFC 9110
    return page or response.status in _NO_API


def _descriptors(document: dict[str, object]) -> tuple[Descriptor, ...]:
    listed = {**document, "manifests": document.get("manifests") or []}  # olareg 0.1 said null for none
    listed.setdefault("schemaVersion", 2)
    try:
        return read_manifest(json.dumps(listed).encode(), OCI_INDEX).manifests
    except (ManifestInvalid, MediaTypeUnsupported) as error:
        raise RegistryProtocolError("The list of referrers is no index.") from error


def _from_tag(repository: Source, subject: Digest) -> Manifest | None:
    try:
        index = repository.fetch_manifest(referrers_tag(subject))
    except ReferenceNotFound:
        return None
    return index if index.is_index else None


def list_by_tag(repository: Repository, manifest: Manifest, subject: Digest) -> None:
    """Add ``manifest`` to the index under the tag that stands for the list of ``subject``'s referrers."""
    index = _from_tag(repository, subject)
    listed = index.manifests if index else ()
    if any(each.digest == manifest.digest for each in listed):
        return
    entries = [_entry(each) for each in (*listed, described(manifest))]
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    content = json.dumps(document, separators=(",", ":")).encode()
    repository.push_manifest(read_manifest(content, OCI_INDEX), referrers_tag(subject))


def _entry(descriptor: Descriptor) -> dict[str, object]:
    entry: dict[str, object] = {
        "mediaType": descriptor.media_type,
        "digest": str(descriptor.digest),
        "size": descriptor.size,
    }
    if descriptor.artifact_type:
        entry["artifactType"] = descriptor.artifact_type
    if descriptor.annotations:
        entry["annotations"] = dict(descriptor.annotations)
    return entry
