"""The steps of a build one after the other, on ports in memory; each message crosses as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.adapters.memory.lists import MemoryLists
from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.layout import LayoutRepository
from byoa.builds import inspect as inspect_step
from byoa.builds import mirror as mirror_step
from byoa.builds import record as record_step
from byoa.builds import resolve as resolve_step
from byoa.builds import stage as stage_step
from byoa.builds import validate as validate_step
from byoa.builds.books import Books
from byoa.builds.messages import (
    BuildEnded,
    CaughtError,
    ChangeReceived,
    InspectedArtifact,
    MirrorTask,
    PinnedArtifact,
    StagedArtifact,
    ValidReference,
    build_id_of,
)
from byoa.components.reading import check_config
from byoa.content.packing import pack
from byoa.errors import (
    CredentialForbidden,
    InternalFault,
    ReferenceForbidden,
    ReferenceNotFound,
    SourceKindUnsupported,
    StaleVersion,
    TenantForbidden,
)
from byoa.oci.reference import Registry
from byoa.trust.allowed import Allowed
from byoa.trust.policy import Policy
from local.demo import ARTIFACTS

ORG, APP, ACCOUNT = "org_0123456789ab", "shop", "111122223333"
PLACE = (Registry(f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"), f"byoa/{ORG}/{APP}/web")


class Stage:
    """A ledger, a clock and a policy, and configs handed in to them."""

    def __init__(self) -> None:
        self.clock = SteppingClock()
        self.ledger = MemoryLedger(self.clock)
        self.policy = Policy(account=ACCOUNT, prefix="byoa", own_hosts=frozenset({"mirror.example.com"}))

    def change(self, body: str) -> ChangeReceived:
        checked = check_config(f'name = "web"\ntype = "kubernetes_manifest"\nnamespace = "web"\n{body}')
        assert checked.config, checked.faults
        key = self.ledger.submit(ORG, APP, checked.config).build.key
        return ChangeReceived(**key.model_dump(), execution="one")

    def validate(self, body: str) -> ValidReference:
        return validate_step.validate(self.change(body), self.ledger, self.policy, self.clock)

    def run(self, body: str, source: Any) -> BuildEnded:
        quarantine, target = MemoryRepository(), MemoryRepository(immutable=True)
        valid = crossed(self.validate(body), ValidReference)
        pinned = crossed(resolve_step.resolve(valid, source, Books(self.ledger, self.clock)), PinnedArtifact)
        staged = stage_step.stage(pinned, source, quarantine, MemoryLists(), Books(self.ledger, self.clock))
        inspected = crossed(inspect_step.inspect(crossed(staged, StagedArtifact), quarantine), InspectedArtifact)
        task = MirrorTask(artifact=inspected, target="ecr")
        mirrored = mirror_step.mirror(task, quarantine, target, PLACE, Books(self.ledger, self.clock))
        assert target.find_manifest(valid.build_id) is not None
        return BuildEnded(**valid.key.model_dump(), execution="one", artifact=inspected, mirrors=[mirrored])


def crossed(message: Any, model: Any) -> Any:
    """A message as the next step gets it."""
    return model.model_validate(json.loads(message.model_dump_json()))


def artifact(url: str, more: str = "") -> str:
    return f'[oci_artifact]\nurl = "{url}"\ntag = "v2.3.1"\n{more}'


@pytest.mark.parametrize("layout", ["kustomizer", "flux", "oras-directory", "oras-file", "oras-many"])
def test_an_artifact_of_each_format_ends_active(layout: str) -> None:
    stage = Stage()
    ended = stage.run(artifact(f"oci://ghcr.io/vendor/{layout}"), LayoutRepository(ARTIFACTS / layout))
    outcome = record_step.record(ended, stage.ledger, stage.clock)
    assert outcome
    assert (outcome.status, outcome.tag) == ("active", "v2.3.1")
    assert outcome.inspection
    assert outcome.inspection.resources == 3
    assert outcome.mirrors[0].reference.endswith(f":{build_id_of(ended, '')}@{outcome.digest}")


def test_inline_manifests_take_the_same_way() -> None:
    stage = Stage()
    text = "apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: web}\\n"
    source = MemoryRepository.holding(pack(text.replace("\\n", "\n")))
    outcome = record_step.record(stage.run(f'manifest = "{text}"\n', source), stage.ledger, stage.clock)
    assert outcome
    assert (outcome.status, outcome.digest) == ("active", str(next(iter(source.manifests))))


def test_history_reads_like_a_story() -> None:
    stage = Stage()
    ended = stage.run(artifact("oci://ghcr.io/vendor/flux"), LayoutRepository(ARTIFACTS / "flux"))
    record_step.record(ended, stage.ledger, stage.clock)
    build = stage.ledger.records[ended.key]
    assert [entry.metadata.get("step") for entry in build.history] == [
        None, "validate", "resolve", "stage", "stage", "inspect", "inspect", "mirror", "mirror", "record",
    ]  # fmt: skip
    assert [entry.created_at_ts for entry in build.history] == sorted(entry.created_at_ts for entry in build.history)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (artifact(f"oci://{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/byoa/org_other0000000/a"), TenantForbidden),
        (artifact(f"oci://{ACCOUNT}.dkr.ecr-fips.us-east-1.amazonaws.com/a"), TenantForbidden),
        (artifact(f"oci://{ACCOUNT}.dkr-ecr.us-east-1.on.aws/a"), TenantForbidden),
        (artifact("oci://mirror.example.com/a"), TenantForbidden),
        (artifact("oci://444455556666.dkr.ecr.eu-west-1.amazonaws.com/a"), CredentialForbidden),
        (
            '[public_repo]\nrepo = "a/b"\ndirectory = "."\nbranch = "main"\n[kustomize]\npath = "."\n',
            SourceKindUnsupported,
        ),
    ],
)
def test_what_may_not_be_built_is_refused_before_anything_is_fetched(body: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        Stage().validate(body)


def test_an_organisation_s_own_policies_hold_whatever_the_platform_allows() -> None:
    stage = Stage()
    stage.ledger.policies[ORG] = Allowed(("ghcr.io/vendor/*", f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/*"), 1)
    stage.validate(artifact("oci://ghcr.io/vendor/flux"))
    with pytest.raises(ReferenceForbidden):
        stage.validate(artifact("oci://ghcr.io/other/flux"))
    with pytest.raises(TenantForbidden):
        stage.validate(artifact(f"oci://{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/byoa/{ORG}/shop/web"))
    stage.ledger.policies[ORG] = Allowed((), 2)
    with pytest.raises(ReferenceForbidden):
        stage.validate(artifact("oci://ghcr.io/vendor/flux"))
    assert stage.validate('manifest = "a: 1"\n').source_type == "inline"


def test_an_overtaken_build_stops_and_is_recorded_as_superseded() -> None:
    stage = Stage()
    valid = stage.validate(artifact("oci://ghcr.io/vendor/flux"))
    stage.change(artifact("oci://ghcr.io/vendor/flux2"))
    with pytest.raises(StaleVersion):
        resolve_step.resolve(valid, LayoutRepository(ARTIFACTS / "flux"), Books(stage.ledger, stage.clock))
    caught = CaughtError(error="StaleVersion", cause="{}")
    outcome = record_step.record(
        BuildEnded(**valid.key.model_dump(), execution="one", failure=caught), stage.ledger, stage.clock
    )
    assert outcome
    assert outcome.status == stage.ledger.records[valid.key].status == "superseded"


def test_a_failure_is_kept_with_code_cause_remedy_and_place() -> None:
    stage = Stage()
    valid = stage.validate(artifact("oci://ghcr.io/vendor/flux"))
    error = ReferenceNotFound("The manifest is not in the registry.", where="source")
    cause = json.dumps({"errorType": "ReferenceNotFound", "errorMessage": error.as_json()})
    ended = BuildEnded(
        **valid.key.model_dump(), execution="one", failure=CaughtError(error="ReferenceNotFound", cause=cause)
    )
    outcome = record_step.record(ended, stage.ledger, stage.clock)
    assert outcome
    assert outcome.failure
    assert outcome.failure.model_dump() == error.as_dict()


@pytest.mark.parametrize(
    ("error", "cause", "code"),
    [
        ("Runtime.ExitError", "RequestId: 1 Error: signal: killed", "InternalFault"),
        ("Sandbox.Timedout", '{"errorMessage": "Task timed out after 30.00 seconds"}', "Timeout"),
        ("KeyError", '{"errorMessage": "{\\"code\\": \\"NoLeaf\\"}"}', "InternalFault"),
    ],
)
def test_what_dies_without_a_word_is_named_by_its_kind(error: str, cause: str, code: str) -> None:
    stage = Stage()
    valid = stage.validate(artifact("oci://ghcr.io/vendor/flux"))
    ended = BuildEnded(**valid.key.model_dump(), execution="one", failure=CaughtError(error=error, cause=cause))
    outcome = record_step.record(ended, stage.ledger, stage.clock)
    assert outcome
    failure = outcome.failure
    assert failure
    assert failure.code == code
    assert "killed" not in failure.cause


def test_a_build_without_all_its_mirrors_is_not_done() -> None:
    stage = Stage()
    ended = stage.run(artifact("oci://ghcr.io/vendor/flux"), LayoutRepository(ARTIFACTS / "flux"))
    with pytest.raises(InternalFault):
        record_step.record(ended.model_copy(update={"mirrors": []}), stage.ledger, stage.clock)
