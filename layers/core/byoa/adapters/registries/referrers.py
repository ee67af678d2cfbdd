"""What refers to a manifest in a registry: by the API, and by the tag schema where there is no API.

(distribution-spec, "Listing Referrers", "Pushing Manifests with Subject", "Referrers Tag Schema")
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from byoa.adapters.registries.listings import pages
from byoa.errors import GraphLimit, ManifestInvalid, MediaTypeUnsupported, ReferenceNotFound, RegistryProtocolError
from byoa.oci.graph import described
from byoa.oci.manifest import OCI_INDEX, Descriptor, Manifest, read_listed, read_manifest
from byoa.oci.tagschema import referrers_tag

if TYPE_CHECKING:
    from byoa.adapters.registries.exchange import Exchange
    from byoa.adapters.registries.transport import Response
    from byoa.engine.ports import Repository, Source
    from byoa.oci.digest import Digest

_ACCEPT: Final = {"Accept": OCI_INDEX}
_REFERRERS: Final = 10_000
"""How many are read of one subject: more than anybody takes along."""

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
    """``None`` where the registry has no API. A list that can't be read is none of those: it may name a signature.

    Raises ``GraphLimit`` over 10,000 referrers.
    """
    path = f"{exchange.base}/referrers/{subject}"
    found: dict[Digest, Descriptor] = {}
    for document in pages(exchange, path, _ACCEPT, "The list of referrers", _has_no_api):
        if document is None:
            return None
        found.update((each.digest, each) for each in _descriptors(document, _REFERRERS - len(found)))
    return tuple(found.values())


def _has_no_api(response: Response) -> bool:
    """Registries without the API don't all answer 404 as the spec wants: some have a page there for people."""
    page = response.status == 200 and "json" not in (response.header("Content-Type") or "")  # noqa: PLR2004 - RFC 9110
    return page or response.status in _NO_API


def _descriptors(document: dict[str, object], most: int) -> tuple[Descriptor, ...]:
    entries = document.get("manifests") or []  # olareg 0.1 said null for none
    if isinstance(entries, list) and len(entries) > most:
        raise GraphLimit(f"The list of referrers names more than {_REFERRERS} manifests.")
    try:
        return read_listed({"schemaVersion": 2, **document, "manifests": entries})
    except (ManifestInvalid, MediaTypeUnsupported) as error:
        raise RegistryProtocolError("The list of referrers is no index.") from error


def _from_tag(repository: Source, subject: Digest) -> Manifest | None:
    try:
        index = repository.fetch_manifest(referrers_tag(subject))
    except ReferenceNotFound:
        return None
    return index if index.is_index else None


def list_by_tag(repository: Repository, manifest: Manifest, subject: Digest) -> None:
    """Add ``manifest``, which refers to ``subject``, to the index under the tag that stands for the list of those.

    What is listed stays as it is. Raises ``ManifestTooLarge`` where the list is full.
    """
    index = _from_tag(repository, subject)
    if index and any(each.digest == manifest.digest for each in index.manifests):
        return
    listed = json.loads(index.content)["manifests"] if index else []
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [*listed, _entry(manifest)]}
    content = json.dumps(document, separators=(",", ":")).encode()
    repository.push_manifest(read_manifest(content, OCI_INDEX), referrers_tag(subject))


def _entry(manifest: Manifest) -> dict[str, object]:
    descriptor, annotations = described(manifest), json.loads(manifest.content).get("annotations")
    entry: dict[str, object] = {
        "mediaType": descriptor.media_type,
        "digest": str(descriptor.digest),
        "size": descriptor.size,
    }
    if descriptor.artifact_type:
        entry["artifactType"] = descriptor.artifact_type
    if annotations:
        entry["annotations"] = annotations
    return entry
