"""What refers to a manifest in a registry: by the API, and by the tag schema where there is no API.

(distribution-spec, "Listing Referrers", "Pushing Manifests with Subject", "Referrers Tag Schema")
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from byoa.adapters.registries.listings import pages, read_document
from byoa.errors import (
    AuthFailed,
    EndpointBlocked,
    GraphLimit,
    InsecureTransport,
    RealmRefused,
    RedirectRefused,
    ReferenceNotFound,
    ReferrersUnknown,
    RegistryUnavailable,
    Rejected,
    TargetForbidden,
)
from byoa.oci.graph import described
from byoa.oci.manifest import OCI_INDEX, Descriptor, Manifest, read_listed, read_manifest
from byoa.oci.tagschema import referrers_tag

if TYPE_CHECKING:
    from byoa.adapters.registries.exchange import Exchange
    from byoa.adapters.registries.transport import Response
    from byoa.engine.ports import Repository, Source
    from byoa.errors import ByoaError
    from byoa.oci.digest import Digest

_ACCEPT: Final = {"Accept": OCI_INDEX}
_REFERRERS: Final = 10_000
"""How many are read of one subject: more than anybody takes along."""

_WHAT: Final = "The list of referrers"
_REMEDY: Final = "Mirror the artifact alone with --no-referrers, or have what is outdated removed from it."
_NO_API: Final = (400, 404, 405, 406, 410, 501)
_PAGES: Final = ("text/html", "text/plain", "application/xhtml+xml")
_SHUT: Final = (AuthFailed, EndpointBlocked, InsecureTransport, RealmRefused, RedirectRefused, TargetForbidden)
"""Errors that are about this list alone where the artifact itself could be read."""


def list_referrers(repository: Source, exchange: Exchange, subject: Digest) -> tuple[Descriptor, ...]:
    """All descriptors that the registry lists for ``subject``. A host that has no API is asked for it once.

    Raises ``ReferrersUnknown`` where neither the API nor the tag schema has a list, and the API not a clear no.
    """
    if exchange.host.lists_referrers is not False and exchange.no_list is None:
        found = _from_api(exchange, subject)
        if found is not None:
            return found
    try:
        index = _from_tag(repository, subject)
    except Rejected as error:
        raise ReferrersUnknown(_told(error)) from error
    if index is None and exchange.no_list:
        raise ReferrersUnknown(_told(exchange.no_list)) from exchange.no_list
    return index.manifests if index else ()


def _told(error: ByoaError) -> str:
    return f"The registry doesn't tell what is attached: {error.cause}"


class _First:
    """Looks at the first answer: registries without the API don't all answer 404 as the spec wants.

    Some have a page there for people.
    """

    def __init__(self) -> None:
        self.status = 0

    def __call__(self, response: Response) -> bool:
        self.status = response.status
        kind = (response.header("Content-Type") or "").partition(";")[0].strip().lower()
        return (response.status == 200 and kind in _PAGES) or response.status in _NO_API  # noqa: PLR2004 - RFC 9110


def _from_api(exchange: Exchange, subject: Digest) -> tuple[Descriptor, ...] | None:
    """``None`` where the registry has no API, or none for us: why, ``exchange.no_list`` keeps.

    Raises ``GraphLimit`` over 10,000 referrers, and whatever breaks a list that has begun.
    """
    first = _First()
    found: dict[Digest, Descriptor] = {}
    try:
        for content in pages(exchange, f"{exchange.base}/referrers/{subject}", _ACCEPT, _WHAT, _REMEDY, first):
            if content is None:
                exchange.host.lists_referrers = False
                return None
            listed = _read(exchange, content)
            if listed is None:
                return None
            if len(found) + len(listed) > _REFERRERS:
                raise GraphLimit(f"The list of referrers names more than {_REFERRERS} manifests.", remedy=_REMEDY)
            found.update((each.digest, each) for each in listed)
    except (Rejected, RegistryUnavailable) as error:
        if not isinstance(error, _SHUT) and first.status in (0, 200):
            raise
        exchange.no_list = error
        return None
    exchange.host.lists_referrers = True
    return tuple(found.values())


def _read(exchange: Exchange, content: bytes) -> tuple[Descriptor, ...] | None:
    """The descriptors of one page; ``None`` for what is no list at all."""
    try:
        document = read_document(content, _WHAT)
        entries = document.get("manifests") or []  # olareg 0.1 said null for none
        return read_listed({"schemaVersion": 2, **document, "manifests": entries})
    except Rejected as error:
        exchange.no_list = error
        return None


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
