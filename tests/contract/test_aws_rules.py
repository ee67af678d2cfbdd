"""What AWS is known to refuse and an emulator lets pass, a test a rule, each with where it is said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from byoa.adapters.registries.traits import ECR
from local.policies import policies
from tests.template import ROOT, TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator

RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
ASL_TEXT = (ROOT / "statemachine" / "build.asl.yaml").read_text()
ASL: dict[str, Any] = yaml.safe_load(ASL_TEXT)
POLICIES = policies()
LONGEST_STACK_NAME = 45
"""Characters; docs/deploy.md says so."""


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: body["Properties"] for name, body in RESOURCES.items() if body["Type"] == kind}


def actions(role: str) -> set[str]:
    listed = (statement["Action"] for statement in POLICIES[role]["Statement"])
    return {action for each in listed for action in (each if isinstance(each, list) else [each])}


# ---- the state machine -------------------------------------------------------------------------------------------


def test_the_definition_has_no_aliases() -> None:
    """Source: aws-cloudformation-resource-providers-stepfunctions, DefinitionProcessor; cfn-language-discussion#49."""
    names = [type(token).__name__ for token in yaml.scan(ASL_TEXT)]
    assert not {"AliasToken", "AnchorToken", "TagToken"} & set(names)


def test_the_definition_names_no_partition() -> None:
    """Source: aws-cdk#4597. In GovCloud and China an ARN of another partition ends each execution."""
    assert not re.findall(r"arn:aws", ASL_TEXT)
    assert RESOURCES["BuildStateMachine"]["Properties"]["DefinitionSubstitutions"]["Partition"] == {
        "Ref": "AWS::Partition"
    }


def test_the_template_names_no_partition_and_no_region() -> None:
    """Source: the same; regions differ in what they have."""
    text = (ROOT / "template.yaml").read_text()
    assert not re.findall(r"arn:aws[:-]", text)
    assert not re.findall(r"\b(?:us|eu|ap|cn|ca|sa)-[a-z]+-[0-9]\b", text)


def test_an_execution_ends() -> None:
    """Source: Step Functions quotas: an execution may last a year, and is paid for."""
    assert ASL["TimeoutSeconds"] <= 24 * 3600


def test_every_state_s_time_is_shorter_than_the_execution_s() -> None:
    states = list(_states(ASL))
    assert all(state.get("TimeoutSeconds", 0) < ASL["TimeoutSeconds"] for state in states)


def _states(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for state in machine["States"].values():
        yield state
        if "ItemProcessor" in state:
            yield from _states(state["ItemProcessor"])


def test_the_machine_s_log_group_has_the_name_that_its_policy_needs_not_grow_for() -> None:
    """Source: Step Functions, "Logging": other names make a resource policy outgrow its 5,120 bytes."""
    for name in ("BuildLogs", "InstallLogs"):
        assert RESOURCES[name]["Properties"]["LogGroupName"]["Fn::Sub"].startswith("/aws/vendedlogs/")


@pytest.mark.parametrize("role", ["BuildRole", "InstallRole"])
def test_log_delivery_has_all_of_its_actions(role: str) -> None:
    """Source: the same, "IAM policies for logging to CloudWatch Logs"."""
    assert {action for action in actions(role) if action.startswith("logs:")} == {
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
    }


def test_a_traced_machine_may_ask_what_to_sample() -> None:
    """Source: Step Functions, "X-Ray IAM policies"."""
    assert {action for action in actions("BuildRole") if action.startswith("xray:")} == {
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }


# ---- ECR ---------------------------------------------------------------------------------------------------------


def test_a_blob_reaches_ecr_in_one_put() -> None:
    """Source: aws/containers-roadmap#2831: it answers the second PATCH with 201 and a Range that stays."""
    assert (ECR.upload, ECR.chunk) == ("put", None)


def test_who_makes_encrypted_repositories_may_make_ecr_s_grants() -> None:
    """Source: ECR user guide, "Encryption at rest": CreateRepository makes two grants as its caller."""
    (role,) = (each for each in POLICIES if "ecr:CreateRepository" in actions(each))
    assert {action for action in actions(role) if action.startswith("kms:")} == {
        "kms:CreateGrant",
        "kms:DescribeKey",
        "kms:RetireGrant",
    }


# ---- functions ---------------------------------------------------------------------------------------------------


def test_no_name_of_a_function_is_too_long_for_a_stack_s_name() -> None:
    """Source: Lambda API, CreateFunction: 64 characters."""
    names = [function["FunctionName"]["Fn::Sub"] for function in of_type("AWS::Serverless::Function").values()]
    assert all(name.startswith("${AWS::StackName}-") for name in names)
    longest = max(len(name.removeprefix("${AWS::StackName}")) for name in names)
    assert longest + LONGEST_STACK_NAME <= 64


def test_no_name_of_a_bucket_queue_table_or_role_is_ours_to_choose() -> None:
    """Source: CloudFormation, "Name type": a named resource can't be replaced, and clashes with one that was kept."""
    named = {"AWS::S3::Bucket": "BucketName", "AWS::SQS::Queue": "QueueName", "AWS::DynamoDB::Table": "TableName"}
    named |= {"AWS::IAM::Role": "RoleName"}
    for kind, name in named.items():
        assert not [resource for resource, properties in of_type(kind).items() if name in properties]


@pytest.mark.parametrize("name", ["RecordStopped", "SweepBuilds"])
def test_what_is_invoked_asynchronously_keeps_what_fails(name: str) -> None:
    """Source: Lambda, "Capturing records of Lambda asynchronous invocations": after two retries an event is gone."""
    config = RESOURCES[f"{name}Function"]["Properties"]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
    assert config == {"Type": "SQS", "Destination": {"Fn::GetAtt": ["RuleDlq", "Arn"]}}
    assert "sqs:SendMessage" in actions(f"{name}Role")


def test_who_reads_a_stream_may_find_it() -> None:
    """Source: the managed policy AWSLambdaDynamoDBExecutionRole; ListStreams takes no resource."""
    (free,) = [each for each in POLICIES["PublishChangesRole"]["Statement"] if each["Action"] == "dynamodb:ListStreams"]
    assert free["Resource"] == "*"
    assert {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"} <= actions(
        "PublishChangesRole"
    )


@pytest.mark.parametrize("role", [role for role in POLICIES if "s3:GetObject" in actions(role)])
def test_who_reads_objects_is_told_which_are_missing(role: str) -> None:
    """Source: S3 API, GetObject: without ListBucket a missing object is 403."""
    assert "s3:ListBucket" in actions(role)


# ---- events ------------------------------------------------------------------------------------------------------


def test_each_rule_may_send_to_its_dead_letters() -> None:
    """Source: EventBridge, "Using dead-letter queues": the queue's policy names each rule's ARN."""
    statement = RESOURCES["RuleDlqPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
    told = {arn["Fn::GetAtt"][0] for arn in statement["Condition"]["ArnEquals"]["aws:SourceArn"]}
    assert told == of_type("AWS::Events::Rule").keys()


def test_each_function_that_a_rule_invokes_lets_that_rule() -> None:
    """Source: EventBridge, "Resource-based policies": Lambda targets need a permission, not a role."""
    allowed = {
        (each["FunctionName"]["Ref"], each["SourceArn"]["Fn::GetAtt"][0])
        for each in of_type("AWS::Lambda::Permission").values()
    }
    functions = {name for name, body in RESOURCES.items() if body["Type"] == "AWS::Serverless::Function"}
    wanted = {
        (target["Arn"]["Fn::GetAtt"][0], rule)
        for rule, properties in of_type("AWS::Events::Rule").items()
        for target in properties["Targets"]
        if target["Arn"].get("Fn::GetAtt", [""])[0] in functions
    }
    assert allowed == wanted


# ---- DynamoDB ----------------------------------------------------------------------------------------------------


def test_the_table_s_key_is_the_one_that_costs_nothing() -> None:
    """Source: DynamoDB pricing and KMS pricing: SSEEnabled is an AWS managed key, whose requests are billed."""
    (table,) = of_type("AWS::DynamoDB::Table").values()
    assert "SSESpecification" not in table


def test_every_attribute_that_is_defined_is_part_of_a_key_and_vice_versa() -> None:
    """Source: DynamoDB API, CreateTable: ValidationException otherwise."""
    (table,) = of_type("AWS::DynamoDB::Table").values()
    keys = [table["KeySchema"], *(index["KeySchema"] for index in table["GlobalSecondaryIndexes"])]
    used = {part["AttributeName"] for schema in keys for part in schema}
    assert {each["AttributeName"] for each in table["AttributeDefinitions"]} == used


# ---- what people are told ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told",
    [
        "get-account-settings",  # reduced concurrency of new accounts (Lambda quotas)
        "invalid principals",  # a new role that KMS doesn't see yet (KMS API, CreateKey)
        "429",  # Docker Hub's limit is per address, and Lambda's are shared
        str(LONGEST_STACK_NAME),
        "1,000",  # tags an image (ECR service quotas)
    ],
)
def test_the_page_about_deploying_says_what_to_look_out_for(told: str) -> None:
    assert told in (ROOT / "docs" / "deploy.md").read_text()


def test_no_role_of_a_function_writes_what_others_may_do() -> None:
    """Source: IAM, "Permissions boundaries"; what the linter of policies is told to pass over rests on it."""
    writes = {(role, action) for role in POLICIES for action in actions(role) if "Policy" in action}
    assert writes == {
        ("BuildRole", "logs:PutResourcePolicy"),
        ("InstallRole", "logs:PutResourcePolicy"),
        ("MirrorArtifactTenantRole", "ecr:PutLifecyclePolicy"),
    }
