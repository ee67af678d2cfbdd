"""The first steps of a build, each from one message to the next. They know ports alone.

Every step that writes asks the ledger first: an overtaken build stops with ``StaleVersion`` before its next side
effect. Steps may run twice with the same message and end the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.builds.messages import PinnedArtifact, ValidReference
from byoa.builds.pinned import carried
from byoa.builds.records import entry
from byoa.content.packing import INLINE_TAG
from byoa.errors import CredentialForbidden, SourceKindUnsupported
from byoa.oci.reference import Reference

if TYPE_CHECKING:
    from byoa.builds.messages import ChangeReceived
    from byoa.builds.stage import Books
    from byoa.engine.ports import Clock, Ledger, Repository
    from byoa.trust.policy import Policy


def validate(change: ChangeReceived, ledger: Ledger, policy: Policy, clock: Clock) -> ValidReference:
    """Take up the build and check that its config may be built.

    Raises what ``Ledger.begin`` raises, ``SourceKindUnsupported``, and what ``Policy`` refuses.
    """
    started = entry("planning", "checking the config and resolving its reference", clock.now(), step="validate")
    build = ledger.begin(change.key, change.execution, started)
    policy.repository_for(change.key)
    if build.source_type == "kustomize":
        raise SourceKindUnsupported(
            "Components of [kustomize] are not rendered by this pipeline.",
            remedy="Run `kustomize build` in your CI, `byoa push` the output, and name it under [oci_artifact].",
            where="kustomize",
        )
    if build.reference:
        policy.check_source(Reference.parse(build.reference), build.credentials_ref)
    if build.credentials_ref:
        raise CredentialForbidden(
            "Stored credentials are not served by this pipeline yet.",
            remedy="Use a registry that lets anyone pull, and leave credentials_ref out.",
            where="oci_artifact.credentials_ref",
        )
    return ValidReference(
        **change.key.model_dump(),
        source_type="oci_artifact" if build.reference else "inline",
        reference=build.reference,
        credentials_ref=None,
        targets=list(policy.targets),
        handed_in_ts=build.created_at_ts,
    )


def resolve(valid: ValidReference, source: Repository, books: Books) -> PinnedArtifact:
    """Ask the source what the tag means and pin it. A digest, where the config names one, is taken at its word.

    The last entry is the next step's, which saves it a write.
    """
    reference = Reference.parse(valid.reference) if valid.reference else None
    name = (reference.digest or reference.tag) if reference else None
    with books.account(valid.key, valid.reference, source, carried=True):
        manifest = source.fetch_manifest(name or INLINE_TAG)
    digest, now = str(manifest.digest), books.clock.now()
    pinned = entry("planning", f"pinned {digest}", now, step="resolve", digest=digest)
    books.ledger.progress(valid.key, [pinned, entry("building", "fetching the artifact", now, step="stage")])
    return PinnedArtifact(
        **valid.model_dump(),
        media_type=manifest.descriptor.media_type,
        digest=digest,
        size=manifest.descriptor.size,
        tag=reference.tag if reference else None,
        manifest=carried(manifest),
        source_requests=source.requests,
    )
