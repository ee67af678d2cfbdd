"""The steps of a build, each from one message to the next. They know ports alone.

Every step that writes asks the ledger first: an overtaken build stops with ``StaleVersion`` before its next side
effect. Steps may run twice with the same message and end the same way.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Final

from byoa.digest import Digest
from byoa.errors import (
    CredentialForbidden,
    InternalFault,
    SourceKindUnsupported,
    StaleVersion,
    Timeout,
    leaves,
)
from byoa.inspection import inspect
from byoa.messages import (
    LISTED,
    BuildEnded,
    CaughtError,
    Failure,
    InspectedArtifact,
    Inspection,
    Outcome,
    PinnedArtifact,
    ValidReference,
)
from byoa.packing import INLINE_TAG
from byoa.receipts import receipt_of, seal
from byoa.records import entry, milliseconds
from byoa.reference import Reference

if TYPE_CHECKING:
    from byoa.inspection import Report
    from byoa.messages import Build, ChangeReceived, StagedArtifact, StoppedExecution
    from byoa.policy import Policy
    from byoa.ports import Clock, Ledger, Repository, Signer, Source
    from byoa.transfers import Books

_TEXT_LIMIT: Final = 512
_TIMEOUTS: Final = frozenset({"States.Timeout", "Sandbox.Timedout", "States.HeartbeatTimeout"})
_LEAVES: Final = {leaf.__name__: leaf for leaf in leaves()}


def validate(change: ChangeReceived, ledger: Ledger, policy: Policy, clock: Clock) -> ValidReference:
    """Take up the build and check that its config may be built.

    Raises what ``Ledger.begin`` raises, ``SourceKindUnsupported``, and what ``Policy`` refuses.
    """
    started = entry("planning", "checking the config and its reference", clock.now(), step="validate")
    version = ledger.begin(change.key, change.execution, started)
    config = version.config
    policy.repository_for(change.key)
    if config.source_type == "kustomize":
        raise SourceKindUnsupported(
            "Components of [kustomize] are not rendered by this pipeline.",
            remedy="Run `kustomize build` in your CI, `byoa push` the output, and name it under [oci_artifact].",
            where="kustomize",
        )
    artifact = config.oci_artifact
    if artifact:
        policy.check_source(config.reference, artifact.credentials_ref)
    if artifact and artifact.credentials_ref:
        raise CredentialForbidden(
            "Stored credentials are not served by this pipeline yet.",
            remedy="Use a registry that lets anyone pull, and leave credentials_ref out.",
            where="oci_artifact.credentials_ref",
        )
    return ValidReference(
        **change.key.model_dump(),
        source_type="oci_artifact" if artifact else "inline",
        reference=str(config.reference) if artifact else None,
        credentials_ref=None,
        targets=list(policy.targets),
        handed_in_ts=version.created_at_ts,
    )


def resolve(valid: ValidReference, source: Repository, books: Books) -> PinnedArtifact:
    """Ask the source what the tag means and pin it. A digest, where the config names one, is taken at its word.

    The last entry is the next step's: a write saved is a tenth of the ledger's cost.
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
        source_requests=source.requests,
    )


def examine(staged: StagedArtifact, quarantine: Source) -> InspectedArtifact:
    """Look into the quarantined artifact. Reads the quarantine and touches nothing else."""
    root = quarantine.fetch_manifest(Digest.parse(staged.digest))
    return InspectedArtifact(**staged.model_dump(), inspection=summarise(inspect(quarantine, root)))


def summarise(report: Report) -> Inspection:
    """A report cut to what a message can carry."""
    kinds = Counter(resource.kind for resource in report.resources)
    namespaces = sorted({resource.namespace for resource in report.resources if resource.namespace})
    return Inspection(
        format=report.format.value,
        encrypted=report.encrypted,
        templated=report.templated,
        resources=len(report.resources),
        kinds=dict(sorted(kinds.items())[:LISTED]),
        namespaces=namespaces[:LISTED],
        images=list(report.images[:LISTED]),
        usable_by=report.usable_by,
    )


def record(ended: BuildEnded, ledger: Ledger, clock: Clock, signer: Signer | None = None) -> Outcome:
    """Write how the build ended. The first outcome stands; the table's stream tells the bus.

    A build that went well has its receipt before it is active: ``signer`` signs it, where there is one. Raises what
    signing raises.
    """
    outcome = _failed(ended.failure) if ended.failure else _succeeded(ended)
    texts = {"active": "ready to install", "superseded": "a newer config version took over", "error": ""}
    text = outcome.failure.cause if outcome.status == "error" and outcome.failure else texts[outcome.status]
    now = clock.now()
    if outcome.status == "active":
        ledger.keep_receipt(ended.key, seal(receipt_of(ended, milliseconds(now)), signer))
    ledger.finish(ended.key, outcome, entry(outcome.status, text, now, step="record"))
    return outcome


def record_stopped(stopped: StoppedExecution, ledger: Ledger, clock: Clock) -> Build | None:
    """End the build of an execution that was stopped, so that none is ever stuck. ``None`` where it had ended."""
    failure = Failure(
        code="InternalFault",
        cause=f"The pipeline's execution ended before the build did ({stopped.status}).",
        remedy=InternalFault.default_remedy,
    )
    outcome = Outcome(status="error", failure=failure)
    return ledger.finish(stopped.input.detail.key, outcome, entry("error", failure.cause, clock.now(), step="record"))


def _succeeded(ended: BuildEnded) -> Outcome:
    if ended.artifact is None or len(ended.mirrors) != len(ended.artifact.targets):
        raise InternalFault("A build is to be recorded as done that is not.")
    artifact = ended.artifact
    return Outcome(
        status="active",
        digest=artifact.digest,
        tag=artifact.tag,
        inspection=artifact.inspection,
        mirrors=ended.mirrors,
    )


def _failed(caught: CaughtError) -> Outcome:
    status = "superseded" if caught.error == StaleVersion.__name__ else "error"
    return Outcome(status=status, failure=_read_failure(caught))


def _read_failure(caught: CaughtError) -> Failure:
    """What the failing function said of itself; of what died without a word, no more than its kind."""
    try:
        said = json.loads(json.loads(caught.cause)["errorMessage"])
        known = _LEAVES[said["code"]]
        return Failure(
            code=known.__name__,
            cause=_printable(said["cause"]),
            remedy=_printable(said["remedy"]),
            where=_printable(said["where"]) if said["where"] else None,
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        leaf = Timeout if caught.error in _TIMEOUTS else InternalFault
        cause = (
            "A step did not end in time." if leaf is Timeout else "A step failed in a way the platform doesn't know."
        )
        return Failure(code=leaf.__name__, cause=cause, remedy=leaf.default_remedy)


def _printable(text: str) -> str:
    return "".join(character for character in text if " " <= character <= "~")[:_TEXT_LIMIT]
