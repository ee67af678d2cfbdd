"""docs/deploy.md and the deployer's policy are complete: every parameter, and what each type of resource takes."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import Any

import pytest

from tests.template import ROOT, TEMPLATE

DEPLOY = (ROOT / "docs" / "deploy.md").read_text()
POLICY = json.loads((ROOT / "docs" / "deployer-policy.json").read_bytes())
NETWORK = json.loads((ROOT / "docs" / "deployer-network-policy.json").read_bytes())
API = json.loads((ROOT / "docs" / "deployer-api-policy.json").read_bytes())
MANAGED_POLICY = 6144
"""Characters without white space (IAM quotas)."""

MADE_OF = {
    "AWS::Serverless::Function": {
        "AWS::Lambda::Function",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::Permission",
    },
    "AWS::Serverless::HttpApi": {"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"},
    "AWS::Serverless::LayerVersion": {"AWS::Lambda::LayerVersion"},
    "AWS::Serverless::StateMachine": {"AWS::StepFunctions::StateMachine"},
}
"""What SAM makes of its own types here."""

NOT_OURS = [
    "cloudwatch:Untag*", "dynamodb:*Contributor*", "dynamodb:*Import*", "dynamodb:*Item", "dynamodb:*Kinesis*",
    "dynamodb:*Replica", "dynamodb:Query", "dynamodb:Scan", "dynamodb:[DP]*ResourcePolicy", "ec2:*EncryptionControl*",
    "ec2:*SubnetCidrBlock", "ec2:DescribeInstances", "ec2:ModifyVpcTenancy", "elasticfilesystem:*", "firehose:*",
    "iam:*Boundary", "iam:*GroupPolicy", "iam:*UserPolicy", "iam:AttachRolePolicy", "iam:CreateServiceLinkedRole",
    "iam:DetachRolePolicy", "kinesis:*", "kms:*Grant", "kms:*KeyRotation", "kms:*crypt*", "kms:GenerateDataKey*",
    "lambda:*CodeSigning*", "lambda:*Concurrency", "lambda:*Scaling*", "lambda:AssociateRuntimeAlias",
    "lambda:PassCapacityProvider", "lambda:PublishVersion", "logs:*DataProtection*", "logs:*DeletionProtection",
    "logs:*Delivery", "logs:*Index*", "logs:*KmsKey", "logs:*LogStream*", "logs:*ResourcePolic*",
    "logs:PutBearerTokenAuthentication", "logs:PutLogEvents", "s3:*Abac", "s3:*Accelerate*", "s3:*Acl",
    "s3:*Analytics*", "s3:*CORS", "s3:*Cors", "s3:*Intelligent*", "s3:*Inventory*", "s3:*Lock*", "s3:*Logging",
    "s3:*Metadata*", "s3:*Metrics*", "s3:*Notification", "s3:*Object", "s3:*ObjectVersion", "s3:*Replication*",
    "s3:*TagResource", "s3:*Versioning", "s3:*Website", "s3:DeleteBucketEncryption", "s3:DeleteBucketLifecycle",
    "s3:ListTagsForResource", "s3:REST.*", "s3:UntagResource", "s3:getObject", "s3files:*", "s3tables:*",
    "vpc-lattice:*", "vpce:*",
]  # fmt: skip
"""What the schemas list for properties that the template doesn't have."""


def types() -> set[str]:
    named = {resource["Type"] for resource in TEMPLATE["Resources"].values()}
    return set().union(*(MADE_OF.get(name, {name}) for name in named))


def needed(kind: str) -> set[str]:
    """What CloudFormation's schema of a type says that its handlers call."""
    schemas = files("cfnlint") / "data" / "schemas"
    provided: dict[str, str] = json.loads((schemas / "providers" / "us-east-1.json").read_bytes())
    schema: dict[str, Any] = json.loads((schemas / "resources" / f"{provided[kind]}.json").read_bytes())
    handlers = (body for verb, body in schema["handlers"].items() if verb != "list")
    return {action for body in handlers for action in body["permissions"]}


def granted() -> list[str]:
    listed = (statement["Action"] for policy in (POLICY, NETWORK, API) for statement in policy["Statement"])
    return [action for each in listed for action in (each if isinstance(each, list) else [each])]


def test_every_parameter_is_explained_in_the_template_s_order() -> None:
    explained = re.findall(r"^\| `(\w+)` \|", DEPLOY, re.MULTILINE)
    assert explained == list(TEMPLATE["Parameters"])


@pytest.mark.parametrize("kind", sorted(types()))
def test_the_deployer_may_do_what_the_type_of_resource_takes(kind: str) -> None:
    wanted = {action for action in needed(kind) if not any(fnmatchcase(action, each) for each in NOT_OURS)}
    assert wanted or kind == "AWS::SQS::QueuePolicy"
    assert {action for action in wanted if not any(fnmatchcase(action, each) for each in granted())} == set()


@pytest.mark.parametrize("pattern", NOT_OURS)
def test_nothing_is_left_out_that_no_schema_lists(pattern: str) -> None:
    assert any(fnmatchcase(action, pattern) for kind in types() for action in needed(kind))


def test_each_of_the_deployer_s_policies_fits_into_one() -> None:
    assert all(len(json.dumps(each, separators=(",", ":"))) <= MANAGED_POLICY for each in (POLICY, NETWORK, API))


def test_the_deployer_hands_roles_to_nobody_but_the_services_that_take_them() -> None:
    (passes,) = [each for each in POLICY["Statement"] if each["Action"] == "iam:PassRole"]
    trusted = {
        statement["Principal"].get("Service")
        for body in TEMPLATE["Resources"].values()
        if body["Type"] == "AWS::IAM::Role"
        for statement in body["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    }
    assert set(passes["Condition"]["StringEquals"]["iam:PassedToService"]) == trusted - {None}
