from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from local.desk import APP, ORGANISATION

if TYPE_CHECKING:
    from tests.e2e.conftest import Pipeline

pytestmark = pytest.mark.emulator

CONFIG_MAP = "apiVersion: v1\\nkind: ConfigMap\\nmetadata:\\n  name: flags\\n"


def test_a_synced_component_becomes_a_pinned_checked_and_mirrored_artifact(pipeline: Pipeline) -> None:
    pipeline.push("flux", "v2.3.1")
    build = pipeline.wait(pipeline.submit_artifact("plain", "flux", "v2.3.1").build)
    assert build.status == "active", build.outcome
    assert build.outcome
    assert build.outcome.inspection
    assert build.outcome.digest == "sha256:fac2bf4015b35638ed9d43cff4f53e09743639903d7b6f839127b6589d27b581"
    assert build.outcome.inspection.kinds == {"ConfigMap": 1, "Deployment": 1, "Service": 1}
    assert build.outcome.mirrors[0].tag == build.build_id
    assert [entry.status for entry in build.history] == sorted(
        (entry.status for entry in build.history), key=["queued", "planning", "building", "active"].index
    )


def test_the_repository_is_made_with_immutable_tags_scanning_encryption_and_a_lifecycle(pipeline: Pipeline) -> None:
    pipeline.push("flux", "v2.3.1")
    pipeline.wait(pipeline.submit_artifact("settings", "flux", "v2.3.1").build)
    name = f"byoa/{ORGANISATION}/{APP}/settings"
    made = pipeline.call("ecr", "describe_repositories", repositoryNames=[name])["repositories"][0]
    assert made["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert made["imageTagMutabilityExclusionFilters"] == [{"filterType": "WILDCARD", "filter": "sha256-*"}]
    assert made["imageScanningConfiguration"]["scanOnPush"] is True
    assert made["encryptionConfiguration"]["encryptionType"] == "AES256"
    policy = json.loads(pipeline.call("ecr", "get_lifecycle_policy", repositoryName=name)["lifecyclePolicyText"])
    assert {rule["selection"]["tagStatus"] for rule in policy["rules"]} == {"untagged"}
    tags = pipeline.call("ecr", "list_tags_for_resource", resourceArn=made["repositoryArn"])["tags"]
    assert {"Key": "byoa:component", "Value": "settings"} in tags


def test_inline_manifests_go_the_same_way(pipeline: Pipeline) -> None:
    build = pipeline.wait(pipeline.submit("inline", f'manifest = "{CONFIG_MAP}"\n').build)
    assert build.status == "active", build.outcome
    assert build.outcome
    assert build.outcome.inspection
    assert (build.outcome.inspection.format, build.outcome.inspection.resources) == ("inline", 1)


def test_an_encrypted_artifact_is_mirrored_and_marked(pipeline: Pipeline) -> None:
    pipeline.push("kustomizer-encrypted", "v2.3.1")
    build = pipeline.wait(pipeline.submit_artifact("sealed", "kustomizer-encrypted", "v2.3.1").build)
    assert build.status == "active", build.outcome
    assert build.outcome
    assert build.outcome.inspection
    assert build.outcome.inspection.encrypted


@pytest.mark.parametrize(
    ("layout", "tag", "code", "word"),
    [
        ("flux", "absent", "ReferenceNotFound", "not in the registry"),
        ("chart", "0.1.0", "MediaTypeUnsupported", "Helm chart"),
        ("image", "v1", "MediaTypeUnsupported", "container image"),
    ],
)
def test_what_the_user_must_mend_ends_in_error_with_code_cause_and_remedy(
    pipeline: Pipeline, layout: str, tag: str, code: str, word: str
) -> None:
    if tag != "absent":
        pipeline.push(layout, tag)
    build = pipeline.wait(pipeline.submit_artifact(f"bad-{layout}", layout, tag).build)
    assert build.status == "error"
    assert build.outcome
    assert build.outcome.failure
    assert build.outcome.failure.code == code
    assert word in build.outcome.failure.cause
    assert build.outcome.failure.remedy


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("169.254.169.254", "EndpointBlocked"),
        ("127.0.0.1:9001", "EndpointBlocked"),
        ("localhost", "EndpointBlocked"),
        ("registry.example:6379", "ReferenceUnsupported"),
    ],
)
def test_a_host_that_is_none_of_a_vendor_s_is_not_asked(pipeline: Pipeline, host: str, code: str) -> None:
    """By itself in the first step, by what its name resolves to in the second."""
    name = f"inside-{host.partition(':')[0].replace('.', '-')}"
    body = f'[oci_artifact]\nurl = "oci://{host}/vendor/app"\ntag = "v1"\n'
    build = pipeline.wait(pipeline.submit(name, body).build)
    assert build.outcome
    assert build.outcome.failure
    assert build.outcome.failure.code == code
    assert build.outcome.failure.remedy


def test_a_kustomize_component_is_refused_with_a_way_out(pipeline: Pipeline) -> None:
    body = '[public_repo]\nrepo = "vendor/app"\ndirectory = "."\nbranch = "main"\n[kustomize]\npath = "base"\n'
    build = pipeline.wait(pipeline.submit("kustomized", body).build)
    assert build.outcome
    assert build.outcome.failure
    assert build.outcome.failure.code == "SourceKindUnsupported"
    assert "byoa push" in build.outcome.failure.remedy


def test_a_duplicate_event_makes_no_second_build(pipeline: Pipeline) -> None:
    pipeline.push("flux", "v2.3.1")
    build = pipeline.wait(pipeline.submit_artifact("twice", "flux", "v2.3.1").build)
    before = len(pipeline.executions())
    pipeline.put_event(build)
    _until(lambda: len(pipeline.executions()) > before)
    _until(lambda: all(execution["status"] != "RUNNING" for execution in pipeline.executions()))
    assert pipeline.look(build) == build


def test_a_newer_config_version_supersedes_an_older_build_in_flight(pipeline: Pipeline) -> None:
    pipeline.push("flux", "v2.3.1")
    older = pipeline.submit_artifact("moving", "flux", "v2.3.1", note="one").build
    newer = pipeline.submit_artifact("moving", "flux", "v2.3.1", note="two").build
    assert newer.version == older.version + 1
    assert pipeline.wait(newer).status == "active"
    assert pipeline.wait(older).status == "superseded"


def test_an_event_about_no_accepted_config_starts_no_build(pipeline: Pipeline) -> None:
    pipeline.push("flux", "v2.3.1")
    build = pipeline.wait(pipeline.submit_artifact("known", "flux", "v2.3.1").build)
    before = len(pipeline.executions())
    pipeline.put_event(build.model_copy(update={"component": "unheard-of"}))
    _until(lambda: len(pipeline.executions()) > before)
    _until(lambda: all(execution["status"] != "RUNNING" for execution in pipeline.executions()))
    assert "unheard-of" not in pipeline.catalogue.components(ORGANISATION, APP)


def test_a_stopped_execution_still_ends_its_build(pipeline: Pipeline) -> None:
    url = "oci://registry.invalid/nobody/here"
    build = pipeline.submit("stopped", f'[oci_artifact]\nurl = "{url}"\ntag = "v1"\n').build
    _until(lambda: pipeline.look(build).status == "planning")
    for execution in pipeline.executions():
        if execution["status"] == "RUNNING":
            pipeline.call("stepfunctions", "stop_execution", executionArn=execution["executionArn"])
    found = pipeline.wait(build)
    assert found.status == "error"
    assert found.outcome
    assert found.outcome.failure
    assert found.outcome.failure.code == "InternalFault"


def test_the_bus_hears_how_a_build_ended(pipeline: Pipeline) -> None:
    queue = pipeline.call("sqs", "create_queue", QueueName="listener")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:000000000000:listener"
    bus = pipeline.desk.outputs["BusName"]
    pattern = json.dumps({"source": ["io.byoa"], "detail-type": ["Component Build Status Changed"]})
    pipeline.call("events", "put_rule", Name="listener", EventBusName=bus, EventPattern=pattern)
    pipeline.call("events", "put_targets", Rule="listener", EventBusName=bus, Targets=[{"Id": "q", "Arn": arn}])
    pipeline.push("oras-file", "v2.3.1")
    build = pipeline.wait(pipeline.submit_artifact("heard", "oras-file", "v2.3.1").build)
    heard: list[dict[str, Any]] = []

    def active_was_heard() -> bool:
        answer = pipeline.call("sqs", "receive_message", QueueUrl=queue, MaxNumberOfMessages=10)
        heard.extend(json.loads(message["Body"])["detail"] for message in answer.get("Messages", []))
        return any(detail["status"] == "active" and detail["id"] == build.build_id for detail in heard)

    _until(active_was_heard)
    outcome = next(detail["outcome"] for detail in heard if detail["status"] == "active")
    assert outcome["mirrors"][0]["digest"] == outcome["digest"]


def _until(condition: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.2)
