"""On the deployed stack: a change that nobody was told of, a build that died unheard, a digest with too many tags."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.aws.dynamodb import DynamoLedger
from byoa.adapters.memory.clocks import SystemClock
from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.layout import LayoutRepository
from byoa.bootstrap import terminal as bootstrap
from byoa.builds.messages import RetireTask, build_id_of
from byoa.builds.retire import KEPT, MANY
from byoa.components.reading import check_config
from byoa.engine.copying import copy
from byoa.oci.reference import Reference
from byoa.trust.credentials import Credential
from local.demo import ARTIFACTS
from local.desk import APP, ORGANISATION, STACK
from tests.template import ROOT

if TYPE_CHECKING:
    from byoa.builds.messages import Build
    from tests.e2e.conftest import Pipeline

pytestmark = pytest.mark.emulator


def invoke(pipeline: Pipeline, function: str, event: Any) -> Any:
    with closing(pipeline.desk.client("lambda")) as client:
        answer = client.invoke(FunctionName=f"{STACK}-{function}", Payload=json.dumps(event))
        told: Any = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    return told


def sweep(pipeline: Pipeline) -> Any:
    return invoke(pipeline, "sweep-builds", json.loads((ROOT / "events" / "sweep_builds.json").read_bytes()))


def change(pipeline: Pipeline, build: Build, **values: Any) -> None:
    """Set attributes of the build's item, whole numbers."""
    item = f"BUILD#{APP}#{build.component}#{build.version:010d}"
    pipeline.call(
        "dynamodb",
        "update_item",
        TableName=pipeline.desk.outputs["TableName"],
        Key={"pk": {"S": f"ORG#{ORGANISATION}"}, "sk": {"S": item}},
        UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in values),
        ExpressionAttributeValues={f":{name}": {"N": str(value)} for name, value in values.items()},
    )


def test_a_change_that_nobody_was_told_of_is_told_again_and_built(pipeline: Pipeline) -> None:
    checked = check_config('name = "untold"\ntype = "kubernetes_manifest"\nnamespace = "a"\nmanifest = "kind: A"\n')
    assert checked.config

    def without_news(params: dict[str, Any], **_: object) -> None:
        for write in params["TransactItems"]:
            write.get("Put", {}).get("Item", {}).pop("news", None)

    with closing(pipeline.desk.client("dynamodb")) as client:
        client.meta.events.register("provide-client-params.dynamodb.TransactWriteItems", without_news)
        ledger = DynamoLedger(client, pipeline.desk.outputs["TableName"], SystemClock())
        build = ledger.submit(ORGANISATION, APP, checked.config).build
    assert sweep(pipeline)["told"] == 0, "it may still be on its way"
    change(pipeline, build, created_at_ts=build.created_at_ts - 3_600_000)
    assert sweep(pipeline)["told"] == 1
    assert pipeline.wait(build).ended


def test_a_digest_s_oldest_tags_go_and_what_is_newer_stays(pipeline: Pipeline) -> None:
    pipeline.push("flux", "v2.3.1")
    build = pipeline.wait(pipeline.submit_artifact("tagged", "flux", "v2.3.1").build)
    assert build.outcome
    series, repository = pipeline.desk.outputs["TableName"], f"byoa/{ORGANISATION}/{APP}/tagged"
    tags = {
        version: build_id_of(build.key.model_copy(update={"version": version}), series)
        for version in range(2, MANY + 1)
    }
    token = pipeline.call("ecr", "get_authorization_token")["authorizationData"][0]["authorizationToken"]
    target = bootstrap.repository(
        Reference.parse(f"oci://{pipeline.desk.ecr}/{repository}"), "target", _credential(token), plain_http=True
    )
    layout = LayoutRepository(ARTIFACTS / "flux")
    manifest = layout.fetch_manifest("v2.3.1")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda tag: target.push_manifest(manifest, tag), tags.values()))
    task = RetireTask.model_validate_json((ROOT / "events" / "retire_tags.json").read_bytes())
    artifact = {**task.artifact.model_dump(mode="json"), "component": "tagged", "version": MANY}
    answer = invoke(pipeline, "retire-tags", {"artifact": artifact, "target": "ecr"})
    left = target.all_tags().names
    assert answer == {"tags": MANY - KEPT}, "the build's own, which is of version 1, and those of the next versions"
    assert set(left) == {tag for version, tag in tags.items() if version > MANY - KEPT}
    held = MemoryRepository()
    copy(target, held, target.fetch_manifest(manifest.digest))
    assert held.manifests, "what an install pulls by digest is still there"


def _credential(token: str) -> Credential:
    username, _, password = base64.b64decode(token).decode().partition(":")
    return Credential(username, password)
