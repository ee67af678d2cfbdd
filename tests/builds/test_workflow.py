"""The steps of a build, in memory: what is refused, what is told, and that every build ends."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.adapters.memory.lists import MemoryLists
from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.memory.vault import MemoryEcrLogin, MemoryVault
from byoa.adapters.registries.layout import LayoutRepository
from byoa.builds import inspect as inspect_step
from byoa.builds import mirror as mirror_step
from byoa.builds import record as record_step
from byoa.builds import resolve as resolve_step
from byoa.builds import stage as stage_step
from byoa.builds import validate as validate_step
from byoa.builds.books import Books
from byoa.builds.lending import Lender
from byoa.builds.messages import (
    Build,
    BuildEnded,
    BuildKey,
    CaughtError,
    ChangeReceived,
    InspectedArtifact,
    MirroredArtifact,
    MirrorTask,
    StoppedExecution,
    ValidReference,
    build_id_of,
)
from byoa.components.reading import check_config
from byoa.content.packing import pack
from byoa.errors import (
    AuthFailed,
    ByoaError,
    DigestMismatch,
    DuplicateEvent,
    EventUntrusted,
    InternalFault,
    ReferenceNotFound,
    SourceKindUnsupported,
    StaleVersion,
    TenantForbidden,
    Timeout,
    leaves,
)
from byoa.oci.reference import Reference, Registry
from byoa.trust.policy import Policy

if TYPE_CHECKING:
    from byoa.engine.ports import Repository
    from byoa.oci.digest import Digest
    from byoa.oci.manifest import Manifest

ARTIFACTS = Path(__file__).parents[1] / "data" / "artifacts"
ORGANISATION, APP = "org_demo00000000", "demo"
ACCOUNT = "123456789012"
OURS = Registry.parse(f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com")
HEAD = 'type = "kubernetes_manifest"\nnamespace = "vendor"\n'
INLINE = 'manifest = """\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: flags\n"""\n'
KUSTOMIZE = """
[public_repo]
repo = "https://github.com/vendor/app"
directory = "deploy"
branch = "main"
[kustomize]
path = "overlays/production"
"""


def _artifact(url: str = "oci://registry.example.com/vendor/app", extra: str = "") -> str:
    return f'[oci_artifact]\nurl = "{url}"\ntag = "v2.3.1"\n{extra}\n'


@dataclass
class Pipeline:
    """The state machine's order and its hand-overs, without the state machine."""

    clock: SteppingClock = field(default_factory=SteppingClock)
    ledger: MemoryLedger = field(init=False)
    quarantine: MemoryRepository = field(default_factory=MemoryRepository)
    target: MemoryRepository = field(default_factory=lambda: MemoryRepository(immutable=True))
    policy: Policy = field(
        default_factory=lambda: Policy(ACCOUNT, "byoa", own_hosts=frozenset({"mirror.example.com:5000"}))
    )

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger(self.clock)

    def submit(self, body: str, name: str = "web") -> BuildKey:
        checked = check_config(f'name = "{name}"\n{HEAD}{body}')
        assert checked.config, checked.faults
        return self.ledger.submit(ORGANISATION, APP, checked.config).build.key

    def validate(self, key: BuildKey, execution: str = "first") -> ValidReference:
        change = ChangeReceived(**key.model_dump(), execution=execution)
        return validate_step.validate(change, self.ledger, self.policy, self.clock)

    def inspect(self, key: BuildKey, source: Repository) -> InspectedArtifact:
        pinned = resolve_step.resolve(self.validate(key), source, Books(self.ledger, self.clock))
        staged = stage_step.stage(pinned, source, self.quarantine, MemoryLists(), Books(self.ledger, self.clock))
        return inspect_step.inspect(staged, self.quarantine)

    def mirror(self, artifact: InspectedArtifact) -> MirroredArtifact:
        task = MirrorTask(artifact=artifact, target=artifact.targets[0])
        place = (OURS, self.policy.repository_for(artifact.key))
        return mirror_step.mirror(task, self.quarantine, self.target, place, Books(self.ledger, self.clock))

    def run(self, key: BuildKey, source: Repository) -> Build:
        try:
            artifact = self.inspect(key, source)
            ended = BuildEnded(
                **key.model_dump(), execution="first", artifact=artifact, mirrors=[self.mirror(artifact)]
            )
        except ByoaError as error:
            ended = _failed(key, error)
        record_step.record(ended, self.ledger, self.clock)
        return self.ledger.records[key]


def _caught(error: ByoaError) -> CaughtError:
    """What Step Functions catches of a Python function that raised ``error`` through ``step``."""
    cause = {"errorMessage": error.as_json(), "errorType": error.code, "requestId": "1", "stackTrace": []}
    return CaughtError(error=error.code, cause=json.dumps(cause))


def _failed(key: BuildKey, error: ByoaError) -> BuildEnded:
    return BuildEnded(**key.model_dump(), execution="first", failure=_caught(error))


def _layout(name: str) -> LayoutRepository:
    return LayoutRepository(ARTIFACTS / name)


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


# ---- what may be built -------------------------------------------------------------------------------------------


def test_kustomize_is_refused_with_the_way_round_it(pipeline: Pipeline) -> None:
    key = pipeline.submit(KUSTOMIZE)
    with pytest.raises(SourceKindUnsupported) as caught:
        pipeline.validate(key)
    assert "`byoa push`" in caught.value.remedy
    assert "[oci_artifact]" in caught.value.remedy
    assert caught.value.where == "kustomize"


@pytest.mark.parametrize("host", [str(OURS), "mirror.example.com:5000"])
def test_our_own_registry_is_no_source(host: str, pipeline: Pipeline) -> None:
    key = pipeline.submit(_artifact(f"oci://{host}/byoa/org_other0000000/app/web"))
    with pytest.raises(TenantForbidden):
        pipeline.validate(key)


def test_our_own_registry_is_no_source_with_credentials_either(pipeline: Pipeline) -> None:
    key = pipeline.submit(_artifact(f"oci://{OURS}/byoa/x", 'credentials_ref = "mine"'))
    with pytest.raises(TenantForbidden):
        pipeline.validate(key)


def test_named_credentials_go_on_to_the_steps_that_read_the_source(pipeline: Pipeline) -> None:
    key = pipeline.submit(_artifact(extra='credentials_ref = "vendor-registry"'))
    assert pipeline.validate(key).credentials_ref == "vendor-registry"


def test_history_names_the_credentials_and_their_version_and_nothing_of_their_value(pipeline: Pipeline) -> None:
    canary = secrets.token_hex(12)
    vault = MemoryVault(ORGANISATION, pipeline.clock)
    value = {"kind": "basic", "host": "registry.example.com", "username": "robot", "password": canary}
    version = vault.store("vendor-registry", "basic", "registry.example.com", json.dumps(value)).version
    key = pipeline.submit(_artifact(extra='credentials_ref = "vendor-registry"'))
    valid = pipeline.validate(key)
    assert valid.reference
    lender = Lender(ORGANISATION, vault, MemoryEcrLogin({}), ACCOUNT, "series")
    lent = lender.lend("vendor-registry", Reference.parse(valid.reference))
    resolve_step.resolve(valid, _layout("flux"), Books(pipeline.ledger, pipeline.clock), lent)
    told = pipeline.ledger.records[key]
    pinned = next(each for each in told.history if "digest" in each.metadata)
    assert pinned.metadata["credentials"] == "vendor-registry"
    assert pinned.metadata["credentials_version"] == version
    assert canary not in told.model_dump_json()


class Refusing(LayoutRepository):
    """A vendor's registry that refuses whoever asks for its manifests, or for its blobs."""

    def __init__(self, what: str) -> None:
        super().__init__(ARTIFACTS / "flux")
        self.what = what

    def fetch_manifest(self, name: Digest | str) -> Manifest:
        if self.what == "manifests":
            raise AuthFailed("The registry refuses the credentials it was given (status 401).")
        return super().fetch_manifest(name)

    def open_blob(self, *_: Any) -> Any:
        raise AuthFailed("The registry refuses the credentials it was given (status 403).")


@pytest.mark.parametrize("what", ["manifests", "blobs"])
@pytest.mark.parametrize("named", [True, False], ids=["stored ones", "none"])
def test_a_refused_login_is_mended_where_the_build_has_it_from(pipeline: Pipeline, what: str, *, named: bool) -> None:
    key = pipeline.submit(_artifact(extra='credentials_ref = "vendor-registry"' if named else ""))
    build = pipeline.run(key, Refusing(what))
    assert build.outcome
    failure = build.outcome.failure
    assert failure
    assert failure.code == "AuthFailed"
    assert ("`byoa credentials set vendor-registry`" in failure.remedy) is named
    assert ("docker login" in failure.remedy) is not named


def test_a_config_that_nobody_handed_in_is_not_built(pipeline: Pipeline) -> None:
    with pytest.raises(EventUntrusted):
        pipeline.validate(BuildKey(organisation=ORGANISATION, app=APP, component="web", version=1))


def test_a_second_execution_leaves_the_build_to_the_first(pipeline: Pipeline) -> None:
    key = pipeline.submit(_artifact())
    pipeline.validate(key, "first")
    with pytest.raises(DuplicateEvent):
        pipeline.validate(key, "second")


def test_the_same_execution_may_try_again(pipeline: Pipeline) -> None:
    key = pipeline.submit(_artifact())
    assert pipeline.validate(key, "first") == pipeline.validate(key, "first")


# ---- builds that go well -----------------------------------------------------------------------------------------


def test_an_artifact_ends_up_in_the_target_byte_for_byte_under_the_build_s_id(pipeline: Pipeline) -> None:
    key = pipeline.submit(_artifact())
    build = pipeline.run(key, _layout("flux"))
    assert build.outcome
    assert build.status == build.outcome.status == "active"
    original = _layout("flux").fetch_manifest("v2.3.1")
    assert pipeline.target.fetch_manifest(build_id_of(key, "")).content == original.content
    assert build.outcome.tag == "v2.3.1"
    assert [mirror.reference for mirror in build.outcome.mirrors] == [
        f"oci://{OURS}/byoa/{ORGANISATION}/{APP}/web:{build_id_of(key, '')}@{original.digest}"
    ]


def test_an_inline_config_goes_the_same_way(pipeline: Pipeline) -> None:
    key = pipeline.submit(INLINE)
    text = pipeline.ledger.config(key).config.manifest
    assert text
    packed = pack(text)
    build = pipeline.run(key, MemoryRepository.holding(packed))
    assert build.status == "active"
    assert build.outcome
    assert build.outcome.inspection
    assert build.outcome.digest == str(packed.manifest.digest)
    assert build.outcome.tag is None
    assert build.outcome.inspection.kinds == {"ConfigMap": 1}
    assert pipeline.target.tags == {build_id_of(key, ""): packed.manifest.digest}


def test_an_encrypted_artifact_is_mirrored_and_marked(pipeline: Pipeline) -> None:
    key = pipeline.submit(_artifact())
    build = pipeline.run(key, _layout("kustomizer-encrypted"))
    assert build.status == "active"
    assert build.outcome
    assert build.outcome.inspection
    assert build.outcome.inspection.encrypted
    assert build.outcome.inspection.resources == 0
    assert any("encrypted, contents not validated" in entry.status_human_description for entry in build.history)
    assert pipeline.target.find_manifest(build_id_of(key, ""))


def test_every_step_may_run_twice(pipeline: Pipeline) -> None:
    key, source = pipeline.submit(_artifact()), _layout("flux")
    first = pipeline.inspect(key, source)
    second = pipeline.inspect(key, source)
    assert first.model_copy(update={"bytes_staged": second.bytes_staged}) == second
    assert pipeline.mirror(first).digest == pipeline.mirror(second).digest
    assert pipeline.mirror(second).blobs_copied == 0


# ---- builds that don't -------------------------------------------------------------------------------------------


def test_an_overtaken_build_stops_and_is_recorded_as_superseded(pipeline: Pipeline) -> None:
    old = pipeline.submit(_artifact())
    valid = pipeline.validate(old)
    new = pipeline.submit(_artifact("oci://registry.example.com/vendor/other"))
    assert new.version == old.version + 1
    with pytest.raises(StaleVersion) as caught:
        resolve_step.resolve(valid, _layout("flux"), Books(pipeline.ledger, pipeline.clock))
    outcome = record_step.record(_failed(old, caught.value), pipeline.ledger, pipeline.clock)
    assert outcome
    assert outcome.status == "superseded"
    assert pipeline.ledger.records[old].status == "superseded"
    assert pipeline.ledger.records[old].status_human_description == "a newer config version took over"
    assert pipeline.run(new, _layout("flux")).status == "active"


def test_a_build_that_is_overtaken_while_it_is_mirrored_does_not_become_active(pipeline: Pipeline) -> None:
    old = pipeline.submit(_artifact())
    artifact = pipeline.inspect(old, _layout("flux"))
    mirrors = [pipeline.mirror(artifact)]
    pipeline.submit(_artifact("oci://registry.example.com/vendor/other"))
    ended = BuildEnded(**old.model_dump(), execution="first", artifact=artifact, mirrors=mirrors)
    outcome = record_step.record(ended, pipeline.ledger, pipeline.clock)
    assert outcome
    assert (outcome.status, outcome.failure.code if outcome.failure else None) == ("superseded", "StaleVersion")
    assert pipeline.ledger.receipt(ORGANISATION, build_id_of(old, "")) is None
    told = [each.status_human_description for each in pipeline.ledger.records[old].history]
    assert told[-2:] == ["mirrored to ecr", "a newer config version took over"]


def test_an_overtaken_build_mirrors_nothing(pipeline: Pipeline) -> None:
    artifact = pipeline.inspect(pipeline.submit(_artifact()), _layout("flux"))
    pipeline.submit(_artifact("oci://registry.example.com/vendor/other"))
    with pytest.raises(StaleVersion):
        pipeline.mirror(artifact)
    assert not pipeline.target.blobs
    assert not pipeline.target.manifests


@pytest.mark.parametrize(
    ("body", "layout", "code"),
    [
        (_artifact().replace("v2.3.1", "v9"), "flux", "ReferenceNotFound"),
        (_artifact().replace("v2.3.1", "v1"), "image", "MediaTypeUnsupported"),
        (KUSTOMIZE, "flux", "SourceKindUnsupported"),
        (_artifact(f"oci://{OURS}/byoa/x"), "flux", "TenantForbidden"),
    ],
    ids=["tag", "image", "kustomize", "tenant"],
)
def test_a_failed_build_says_what_happened_and_what_to_do(
    body: str, layout: str, code: str, pipeline: Pipeline
) -> None:
    build = pipeline.run(pipeline.submit(body), _layout(layout))
    assert build.status == "error"
    assert build.outcome
    assert build.outcome.failure
    assert build.outcome.failure.code == code
    assert build.outcome.failure.cause == build.status_human_description
    assert build.outcome.failure.cause
    assert build.outcome.failure.remedy
    assert build.outcome.mirrors == []
    assert not pipeline.target.manifests


@pytest.mark.parametrize("leaf", leaves(), ids=lambda leaf: leaf.__name__)
def test_every_error_ends_a_build_with_its_own_code(leaf: type[ByoaError], pipeline: Pipeline) -> None:
    key = pipeline.submit(_artifact())
    outcome = record_step.record(_failed(key, leaf("It happened.", where="source")), pipeline.ledger, pipeline.clock)
    assert outcome
    assert outcome.failure
    assert outcome.failure.model_dump() == {
        "code": leaf.__name__,
        "cause": "It happened.",
        "remedy": leaf.default_remedy,
        "where": "source",
    }
    assert outcome.status == ("superseded" if leaf is StaleVersion else "error")


def test_a_manifest_that_changes_its_media_type_after_pinning_is_not_staged(pipeline: Pipeline) -> None:
    source = _layout("flux")
    pinned = resolve_step.resolve(
        pipeline.validate(pipeline.submit(_artifact())), source, Books(pipeline.ledger, pipeline.clock)
    )
    docker = "application/vnd.docker.distribution.manifest.v2+json"
    other = pinned.model_copy(update={"media_type": docker, "manifest": None})
    with pytest.raises(DigestMismatch):
        stage_step.stage(other, source, pipeline.quarantine, MemoryLists(), Books(pipeline.ledger, pipeline.clock))
    assert not pipeline.quarantine.blobs


def _message(**said: Any) -> str:
    whole = {"code": "ReferenceNotFound", "cause": "x", "remedy": "y", "where": None} | said
    return json.dumps({"errorMessage": json.dumps(whole)})


@pytest.mark.parametrize(
    "cause",
    [
        "",
        "null",
        "5",
        "[]",
        "{}",
        "not json",
        "\x00",
        '{"errorMessage": null}',
        '{"errorMessage": "RequestId: 1 Error: Runtime exited with error: signal: killed"}',
        '{"errorMessage": "[]"}',
        '{"errorMessage": "{}"}',
        _message(code="NoSuchLeaf"),
        _message(code="Rejected"),
        _message(code=["ReferenceNotFound"]),
        _message(cause=None),
        _message(remedy=7),
        _message(where=7),
        "[" * 100_000,
        json.dumps({"errorMessage": '{"a":' * 50_000}),
    ],
    ids=lambda cause: repr(cause[:40]),
)
@pytest.mark.parametrize(
    ("error", "leaf"),
    [
        ("Lambda.Unknown", InternalFault),
        ("Runtime.ExitError", InternalFault),
        ("ReferenceNotFound", InternalFault),
        ("States.Timeout", Timeout),
        ("Sandbox.Timedout", Timeout),
    ],
)
def test_what_died_without_a_readable_word_still_ends_its_build(
    error: str, leaf: type[ByoaError], cause: str, pipeline: Pipeline
) -> None:
    key = pipeline.submit(_artifact())
    ended = BuildEnded(**key.model_dump(), execution="first", failure=CaughtError(error=error, cause=cause))
    outcome = record_step.record(ended, pipeline.ledger, pipeline.clock)
    assert outcome
    assert outcome.failure
    assert (outcome.status, outcome.failure.code) == ("error", leaf.__name__)
    assert outcome.failure.remedy == leaf.default_remedy
    assert pipeline.ledger.records[key].ended


def test_what_an_error_says_is_printed_without_control_characters_and_cut(pipeline: Pipeline) -> None:
    key = pipeline.submit(_artifact())
    error = ReferenceNotFound("\x1b[31mred\n\u202e" + "x" * 10_000, where="so\x07urce")
    outcome = record_step.record(_failed(key, error), pipeline.ledger, pipeline.clock)
    assert outcome
    failure = outcome.failure
    assert failure
    assert failure.cause.startswith("[31mredxxx")
    assert len(failure.cause) == 512
    assert failure.where == "source"


def test_a_build_without_its_mirror_is_not_recorded_as_done(pipeline: Pipeline) -> None:
    key = pipeline.submit(_artifact())
    artifact = pipeline.inspect(key, _layout("flux"))
    for ended in (
        BuildEnded(**key.model_dump(), execution="first"),
        BuildEnded(**key.model_dump(), execution="first", artifact=artifact),
    ):
        with pytest.raises(InternalFault):
            record_step.record(ended, pipeline.ledger, pipeline.clock)
    assert not pipeline.ledger.records[key].ended


# ---- the end stands ----------------------------------------------------------------------------------------------


def test_the_first_record_stands(pipeline: Pipeline) -> None:
    key = pipeline.submit(_artifact())
    first = pipeline.run(key, _layout("flux"))
    record_step.record(_failed(key, InternalFault("Late.")), pipeline.ledger, pipeline.clock)
    assert pipeline.ledger.records[key] == first
    assert first.status == "active"


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_a_stopped_execution_ends_its_build(status: str, pipeline: Pipeline) -> None:
    key = pipeline.submit(_artifact())
    pipeline.validate(key)
    event = {"detail": {**key.model_dump(), "other": "field"}, "source": "io.byoa"}
    stopped = StoppedExecution.model_validate({"status": status, "input": json.dumps(event), "name": "first"})
    build = record_step.record_stopped(stopped, pipeline.ledger, pipeline.clock)
    assert build
    assert build.outcome
    assert build.outcome.failure
    assert (build.status, build.outcome.failure.code) == ("error", "InternalFault")
    assert status in build.outcome.failure.cause
    assert pipeline.ledger.records[key] == build


def test_a_stopped_execution_changes_no_build_that_has_ended(pipeline: Pipeline) -> None:
    key = pipeline.submit(_artifact())
    first = pipeline.run(key, _layout("flux"))
    stopped = StoppedExecution.model_validate(
        {"status": "FAILED", "name": "first", "input": json.dumps({"detail": key.model_dump()})}
    )
    assert record_step.record_stopped(stopped, pipeline.ledger, pipeline.clock) is None
    assert pipeline.ledger.records[key] == first


def test_a_stopped_execution_of_no_build_is_nothing(pipeline: Pipeline) -> None:
    detail = {"organisation": ORGANISATION, "app": APP, "component": "gone", "version": 3}
    stopped = StoppedExecution.model_validate(
        {"status": "FAILED", "name": "first", "input": json.dumps({"detail": detail})}
    )
    assert record_step.record_stopped(stopped, pipeline.ledger, pipeline.clock) is None
