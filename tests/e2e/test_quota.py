"""On the deployed stack: an organisation whose day is full is refused, and nobody else is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from byoa.adapters.memory.clocks import SystemClock
from byoa.builds.quotas import day_of
from byoa.components.reading import check_config
from local.desk import APP, ORGANISATION
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from byoa.builds.messages import Build
    from tests.e2e.conftest import Pipeline

pytestmark = pytest.mark.emulator

GREEDY = "org_greedy000000"
LIMIT: int = TEMPLATE["Parameters"]["OrganisationBytesPerDay"]["Default"]


def take(pipeline: Pipeline, organisation: str, size: int) -> None:
    """Have an organisation's builds have taken so much today, and tomorrow, should it begin meanwhile."""
    today = day_of(SystemClock().now())
    for day in (today, today + 1):
        pipeline.call(
            "dynamodb",
            "update_item",
            TableName=pipeline.desk.outputs["TableName"],
            Key={"pk": {"S": f"QUOTA#{organisation}"}, "sk": {"S": f"DAY#{day}"}},
            UpdateExpression="SET used = :size",
            ExpressionAttributeValues={":size": {"N": str(size)}},
        )


def built(pipeline: Pipeline, organisation: str, name: str) -> Build:
    """The build of an artifact, ended."""
    url = f"oci://{pipeline.desk.vendor}/vendor/flux"
    artifact = f'[oci_artifact]\nurl = "{url}"\ntag = "v2.3.1"\n'
    checked = check_config(f'name = "{name}"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\n{artifact}')
    assert checked.config
    build = pipeline.catalogue.submit(organisation, APP, checked.config).build
    return pipeline.wait(build)


def test_an_organisation_whose_day_is_full_is_refused_and_another_is_built(pipeline: Pipeline) -> None:
    pipeline.push("flux", "v2.3.1")
    take(pipeline, GREEDY, LIMIT - 1)
    refused = built(pipeline, GREEDY, "one-too-many")
    assert refused.outcome
    assert refused.outcome.failure
    assert (refused.status, refused.outcome.failure.code) == ("error", "QuotaExceeded")
    assert "midnight UTC" in refused.outcome.failure.remedy
    assert built(pipeline, ORGANISATION, "beside-it").status == "active"
    take(pipeline, GREEDY, 0)
    assert built(pipeline, GREEDY, "one-too-many").status == "active", "the same config, when there is room"
