"""ValidateReference: is this config sound, is this reference allowed for this organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.builds.deadline import check_time
from byoa.builds.messages import ValidReference
from byoa.builds.records import entry
from byoa.errors import SourceKindUnsupported
from byoa.oci.reference import Reference

if TYPE_CHECKING:
    from byoa.builds.messages import ChangeReceived
    from byoa.builds.ports import Clock, Ledger
    from byoa.trust.policy import Policy


def validate(change: ChangeReceived, ledger: Ledger, policy: Policy, clock: Clock) -> ValidReference:
    """Take up the build and check that its config may be built.

    Raises what ``Ledger.begin`` raises, ``SourceKindUnsupported``, ``BuildTimedOut``, and what ``Policy`` and the
    organisation's own policies (``Allowed``) refuse.
    """
    started = entry("planning", "checking the config and resolving its reference", clock.now(), step="validate")
    build = ledger.begin(change.key, change.execution, started)
    ends_ts = started.created_at_ts if build.begun_ts is None else build.begun_ts
    ends_ts += build.build_timeout_ms
    check_time(ends_ts, clock.now())
    policy.repository_for(change.key)
    if build.source_type == "kustomize":
        raise SourceKindUnsupported(
            "Components of [kustomize] are not rendered by this pipeline.",
            remedy="Run `kustomize build` in your CI, `byoa push` the output, and name it under [oci_artifact].",
            where="kustomize",
        )
    if build.reference:
        reference = Reference.parse(build.reference)
        policy.check_source(reference, build.credentials_ref)
        ledger.allowed(change.organisation).check(reference)
    return ValidReference(
        **change.key.model_dump(),
        execution=change.execution,
        build_id=build.build_id,
        source_type="oci_artifact" if build.reference else "inline",
        reference=build.reference,
        credentials_ref=build.credentials_ref,
        targets=list(policy.targets),
        handed_in_ts=build.created_at_ts,
        ends_ts=ends_ts,
    )
