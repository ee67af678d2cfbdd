"""ResolveDigest: tag → digest; from here on only the digest counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.builds.lending import explained
from byoa.builds.messages import PinnedArtifact
from byoa.builds.pinned import carried
from byoa.builds.records import entry
from byoa.content.packing import INLINE_TAG
from byoa.oci.reference import Reference

if TYPE_CHECKING:
    from byoa.builds.books import Books
    from byoa.builds.lending import Lent
    from byoa.builds.messages import ValidReference
    from byoa.engine.ports import Repository


def resolve(valid: ValidReference, source: Repository, books: Books, lent: Lent | None = None) -> PinnedArtifact:
    """Ask the source what the tag means and pin it. A digest, where the config names one, is taken at its word.

    Of what is ``lent`` for it the history names the name and the version. The last entry is the next step's, which
    saves it a write.
    """
    reference = Reference.parse(valid.reference) if valid.reference else None
    name = (reference.digest or reference.tag) if reference else None
    with explained(valid.credentials_ref), books.account(valid.key, valid.reference, source, carried=True):
        manifest = source.fetch_manifest(name or INLINE_TAG)
    digest, now = str(manifest.digest), books.clock.now()
    borrowed = {"credentials": valid.credentials_ref or "", "credentials_version": lent.version} if lent else {}
    pinned = entry("planning", f"pinned {digest}", now, step="resolve", digest=digest, **borrowed)
    told = [pinned, entry("building", "fetching the artifact", now, step="stage")]
    books.ledger.progress(valid.key, valid.execution, told)
    return PinnedArtifact(
        **valid.model_dump(),
        media_type=manifest.descriptor.media_type,
        digest=digest,
        size=manifest.descriptor.size,
        tag=reference.tag if reference else None,
        manifest=carried(manifest),
        source_requests=source.requests,
    )
