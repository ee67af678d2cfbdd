"""What the desk needs and AWS must not have: CloudFormation refuses it before anything is made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tests.local.cloud import Cloud, emulated
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.emulator

SMALL = json.dumps(
    {
        **{name: TEMPLATE[name] for name in ("AWSTemplateFormatVersion", "Parameters", "Rules")},
        "Resources": {"Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": {"Ref": "AWS::StackName"}}}},
    }
)
"""The template's parameters and rules, and one resource for a stack to be of."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with emulated(tmp_path_factory.mktemp("cloud")) as running:
        yield running


def deploy(cloud: Cloud, stack: str, **parameters: str) -> None:
    told = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    cloud.client("cloudformation").create_stack(StackName=stack, TemplateBody=SMALL, Parameters=told)


@pytest.mark.parametrize("switch", ["EcrEndpoint", "PlainHttpHosts", "AwsEndpointUrl"])
def test_a_stack_with_a_switch_of_the_desk_s_is_refused_on_aws(cloud: Cloud, switch: str) -> None:
    with pytest.raises(ClientError, match=f"{switch} is for the desk"):
        deploy(cloud, f"refused-{switch}", **{switch: "http://127.0.0.1:1"})
    deploy(cloud, f"desk-{switch}", Emulated="true", **{switch: "http://127.0.0.1:1"})
    deploy(cloud, f"aws-{switch}")
