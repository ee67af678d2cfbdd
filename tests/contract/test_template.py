"""The template as CloudFormation gets it: translated offline, linted, and held to what must not get lost."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cfnlint
import pytest
import yaml
from samtranslator.translator.transform import transform

from byoa.api.routes.artifacts import LONGEST_MS
from tests.template import read_template

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]

FREE_ACTIONS = {
    "dynamodb:ListStreams",
    "ecr:GetAuthorizationToken",
    "secretsmanager:ListSecrets",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
}
"""The actions that IAM lets nobody narrow to a resource; those of log delivery are the state machine's alone."""

MACHINES = {"BuildStateMachine": "BuildRole", "InstallStateMachine": "InstallRole"}
"""The state machines, each with its role."""

REACHING = ("PlanInstall", "ApplyInstall", "CheckHealth", "PruneInstall")
"""The functions that reach clusters."""

ASKING = ("DriftDueTenantRole", "FollowBuildsTenantRole", "ReleaseDeploysTenantRole")
"""Roles that ask for deploys, which are items of ours."""

REFUSALS = {"BorrowNoneOfOurs", "NotByOurCode"}
"""Statements that deny, each what another one of the same role allows too much."""

ON_INTERFACES = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
"""What Lambda does in the role of a function that is in a VPC (managed policy AWSLambdaVPCAccessExecutionRole)."""

LOG_AND_TRACE = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}

OPENS_SESSIONS = {"sts:AssumeRole", "sts:TagSession"}
INSPECTING = ("InspectArtifact", "ReadArtifacts", "LoadManifests")
"""The functions that parse strangers' bytes."""

WHOSE = "${aws:PrincipalTag/org_id}"
BELOW_THE_ORGANISATION = "${QuarantineBucket.Arn}/${!aws:PrincipalTag/org_id}"


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


@pytest.fixture(scope="module")
def translated() -> dict[str, Any]:
    """The template without SAM: the state machine's definition within it, code as if it were in a bucket."""
    template = read_template()
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/functions.zip"
    for resource in template["Resources"].values():
        properties = resource["Properties"]
        if "ContentUri" in properties:
            properties["ContentUri"] = "s3://bucket/layer.zip"
        if "DefinitionUri" in properties:
            properties["Definition"] = yaml.safe_load((ROOT / properties.pop("DefinitionUri")).read_text())
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        found = transform(template, {}, _NoManagedPolicies())
    return dict(json.loads(json.dumps(found)))


@pytest.fixture(scope="module")
def resources(translated: dict[str, Any]) -> dict[str, Any]:
    return dict(translated["Resources"])


def _lint(path: Path) -> list[str]:
    """What cfn-lint finds, warnings included."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        return [str(each) for each in cfnlint.lint_file(path, config=cfnlint.ManualArgs(regions=["us-east-1"]))]


def _of_type(resources: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    found = {name: body for name, body in resources.items() if body["Type"] == kind}
    assert found, f"the template has no {kind}"
    return found


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _statements(resources: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    policies = [
        (name, policy)
        for name, body in _of_type(resources, "AWS::IAM::Role").items()
        for policy in body["Properties"].get("Policies", [])
    ]
    for body in _of_type(resources, "AWS::IAM::Policy").values():
        policies += [(role["Ref"], body["Properties"]) for role in body["Properties"]["Roles"]]
    for name, policy in policies:
        for statement in policy["PolicyDocument"]["Statement"]:
            yield name, statement["Fn::If"][1] if "Fn::If" in statement else statement


def _actions(resources: dict[str, Any], role: str) -> set[str]:
    return {
        action for name, statement in _statements(resources) if name == role for action in _many(statement["Action"])
    }


# ---- lint --------------------------------------------------------------------------------------------------------


def test_the_template_lints_as_it_is_written() -> None:
    assert _lint(ROOT / "template.yaml") == []


def test_the_translated_template_lints_with_the_state_machine_in_it(translated: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    path.write_text(json.dumps(translated))
    assert _lint(path) == []


def test_a_fault_in_the_state_machine_would_be_found(resources: dict[str, Any], tmp_path: Path) -> None:
    machine = json.loads(json.dumps(resources["BuildStateMachine"]))
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Tusk", "End": True}}})
    machine["Properties"] = {"DefinitionString": definition, "RoleArn": "arn:aws:iam::123456789012:role/a"}
    path = tmp_path / "template.json"
    path.write_text(json.dumps({"Resources": {"BuildStateMachine": machine}}))
    assert any(line.startswith("[E3601") for line in _lint(path))


# ---- how changes travel ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "ConfigChangedRule", "ExecutionStoppedRule", "RegistryPushedRule", "TagMovedRule", "DeployAskedRule",
        "DeployStoppedRule", "BuildActiveRule", "DriftFoundRule",
    ],
)  # fmt: skip
def test_a_rule_believes_one_source_in_this_account_alone(name: str, resources: dict[str, Any]) -> None:
    pattern = resources[name]["Properties"]["EventPattern"]
    assert pattern["account"] == [{"Ref": "AWS::AccountId"}]
    assert len(pattern["source"]) == 1
    assert len(pattern["detail-type"]) == 1


def test_builds_start_by_our_own_events_on_our_own_bus(resources: dict[str, Any]) -> None:
    properties = resources["ConfigChangedRule"]["Properties"]
    assert properties["EventPattern"]["source"] == ["io.byoa"]
    assert properties["EventPattern"]["detail-type"] == ["Component Config Changed"]
    assert properties["EventBusName"] == {"Ref": "Bus"}


def test_deploys_start_by_our_own_events_unless_an_agent_is_to_do_them(resources: dict[str, Any]) -> None:
    properties = resources["DeployAskedRule"]["Properties"]
    assert properties["EventPattern"]["source"] == ["io.byoa"]
    assert properties["EventPattern"]["detail-type"] == ["Install Deploy Requested"]
    assert properties["EventPattern"]["detail"] == {"agent": [False]}
    assert properties["EventBusName"] == {"Ref": "Bus"}
    assert [target["Arn"] for target in properties["Targets"]] == [{"Ref": "InstallStateMachine"}]


def test_what_hooks_tell_is_heeded_by_who_asks_registries_and_what_moved_by_who_builds(
    resources: dict[str, Any],
) -> None:
    wanted = {
        "RegistryPushedRule": ("io.byoa.hooks", "Registry Pushed", "FollowTagsFunction"),
        "TagMovedRule": ("io.byoa", "Component Tag Moved", "BuildAgainFunction"),
    }
    for name, (source, kind, function) in wanted.items():
        properties = resources[name]["Properties"]
        (target,) = properties["Targets"]
        assert (properties["EventPattern"]["source"], properties["EventPattern"]["detail-type"]) == ([source], [kind])
        assert (properties["EventBusName"], target["Arn"]) == ({"Ref": "Bus"}, {"Fn::GetAtt": [function, "Arn"]})


def test_pushes_to_vendors_ecr_come_to_a_bus_of_their_own_from_accounts_that_are_named(
    translated: dict[str, Any], resources: dict[str, Any]
) -> None:
    policy, rule = resources["PushesBusPolicy"], resources["EcrPushedRule"]["Properties"]
    assert policy["Condition"] == "HasEcrPushAccounts"
    statement, named = policy["Properties"]["Statement"], {"Ref": "EcrPushAccounts"}
    assert policy["Properties"]["EventBusName"] == rule["EventBusName"] == {"Ref": "PushesBus"}
    assert (statement["Effect"], statement["Principal"]) == ("Allow", {"AWS": named})
    assert (statement["Action"], statement["Resource"]) == ("events:PutEvents", {"Fn::GetAtt": ["PushesBus", "Arn"]})
    assert rule["EventPattern"] == {
        "source": ["aws.ecr"],
        "account": named,
        "detail-type": ["ECR Image Action"],
        "detail": {"result": ["SUCCESS"], "action-type": ["PUSH"]},
    }
    assert [target["Arn"] for target in rule["Targets"]] == [{"Fn::GetAtt": ["FollowTagsFunction", "Arn"]}]
    assert translated["Parameters"]["EcrPushAccounts"]["Default"] == ""


def test_every_rule_s_target_retries_and_then_keeps_the_event(resources: dict[str, Any]) -> None:
    for name, rule in _of_type(resources, "AWS::Events::Rule").items():
        for target in rule["Properties"]["Targets"]:
            assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["RuleDlq", "Arn"]}}, name
            assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0, name
            assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] >= 60, name


def test_the_queue_of_lost_events_takes_them_from_every_rule_and_from_nobody_else(resources: dict[str, Any]) -> None:
    statement, _ = resources["RuleDlqPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    allowed = {each["Fn::GetAtt"][0] for each in statement["Condition"]["ArnEquals"]["aws:SourceArn"]}
    assert allowed == _of_type(resources, "AWS::Events::Rule").keys()


@pytest.mark.parametrize(
    ("rule", "machine"),
    [("ExecutionStoppedRule", "BuildStateMachine"), ("DeployStoppedRule", "InstallStateMachine")],
)
def test_executions_that_did_not_end_by_themselves_are_heard_of(
    rule: str, machine: str, resources: dict[str, Any]
) -> None:
    detail = resources[rule]["Properties"]["EventPattern"]["detail"]
    assert set(detail["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}
    assert detail["stateMachineArn"] == [{"Ref": machine}]


def test_one_bad_change_neither_blocks_the_stream_nor_gets_lost(resources: dict[str, Any]) -> None:
    (mapping,) = _of_type(resources, "AWS::Lambda::EventSourceMapping").values()
    properties = mapping["Properties"]
    assert properties["DestinationConfig"]["OnFailure"] == {"Destination": {"Fn::GetAtt": ["StreamDlq", "Arn"]}}
    assert properties["BisectBatchOnFunctionError"] is True
    assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert properties["MaximumRetryAttempts"] > 0
    assert properties["MaximumRecordAgeInSeconds"] > 0


def test_the_stream_s_filter_lets_news_through_and_nothing_else(resources: dict[str, Any]) -> None:
    (mapping,) = _of_type(resources, "AWS::Lambda::EventSourceMapping").values()
    (each,) = mapping["Properties"]["FilterCriteria"]["Filters"]
    assert json.loads(each["Pattern"]) == {"dynamodb": {"NewImage": {"news": {"BOOL": [True]}}}}


def test_what_the_emulator_can_t_run_is_only_for_aws(translated: dict[str, Any]) -> None:
    assert translated["Resources"]["Archive"]["Condition"] == "RealAws"
    assert translated["Conditions"]["RealAws"] == {"Fn::Equals": [{"Ref": "Emulated"}, "false"]}
    assert translated["Parameters"]["Emulated"]["Default"] == "false"


# ---- who may do what ---------------------------------------------------------------------------------------------


def test_no_action_is_a_wildcard(resources: dict[str, Any]) -> None:
    for role, statement in _statements(resources):
        for action in _many(statement["Action"]):
            assert "*" not in action, f"{role}: {action}"


def test_every_resource_is_named_but_where_iam_knows_none(resources: dict[str, Any]) -> None:
    for role, statement in _statements(resources):
        if "*" in _many(statement["Resource"]):
            assert set(_many(statement["Action"])) <= FREE_ACTIONS or _is_on_interfaces(role, statement), role
            delivers = any("LogDeliver" in each for each in _many(statement["Action"]))
            assert role in MACHINES.values() or not delivers, role


def _is_on_interfaces(role: str, statement: dict[str, Any]) -> bool:
    joining = {f"{name}Role" for name in (*INSPECTING, *REACHING)}
    return role in joining and set(_many(statement["Action"])) == ON_INTERFACES


def test_nothing_is_granted_by_exclusion_or_by_a_managed_policy(resources: dict[str, Any]) -> None:
    for role, statement in _statements(resources):
        assert statement["Effect"] == "Allow" or statement["Sid"] in REFUSALS, role
        assert not {"NotAction", "NotResource"} & statement.keys(), role
    for role, body in _of_type(resources, "AWS::IAM::Role").items():
        assert not body["Properties"].get("ManagedPolicyArns"), role


@pytest.mark.parametrize("name", INSPECTING)
def test_who_parses_strangers_bytes_reads_quarantine_and_no_more(name: str, resources: dict[str, Any]) -> None:
    assert _actions(resources, f"{name}Role") - LOG_AND_TRACE - ON_INTERFACES == OPENS_SESSIONS
    loads = name == "LoadManifests"
    writes = {"s3:PutObject"} if loads else set()
    assert _actions(resources, f"{name}TenantRole") == {"s3:GetObject", "s3:ListBucket"} | writes
    kinds = ["blobs", "manifests", *(["values"] if loads else [])]
    assert _kinds(resources, f"{name}TenantRole", "s3:GetObject") == kinds
    assert _kinds(resources, f"{name}TenantRole", "s3:PutObject") == (["objects"] if loads else [])


def _kinds(resources: dict[str, Any], role: str, action: str) -> list[str]:
    """The kinds of objects below an organisation that a role may do something with."""
    places = [
        place["Fn::Sub"]
        for each, statement in _statements(resources)
        if each == role and action in _many(statement["Action"])
        for place in _many(statement["Resource"])
    ]
    return [place.removeprefix(f"{BELOW_THE_ORGANISATION}/").removesuffix("/*") for place in places]


def test_each_state_of_a_deploy_has_of_the_quarantine_what_goes_in_and_what_comes_out(
    resources: dict[str, Any],
) -> None:
    """Objects and plans hold values of Secrets; who shows plans to people reads what holds none."""
    wanted = {
        "ReceiveDeploy": ([], ["values"]),
        "LoadManifests": (["blobs", "manifests", "values"], ["objects"]),
        "PlanInstall": (["objects"], ["plans", "contents"]),
        "ApplyInstall": (["plans"], []),
        "CheckHealth": (["plans"], []),
        "PruneInstall": (["plans"], []),
        "RecordDeploy": (["contents"], []),
    }
    for name, (reads, writes) in wanted.items():
        role = f"{name}TenantRole"
        assert (_kinds(resources, role, "s3:GetObject"), _kinds(resources, role, "s3:PutObject")) == (reads, writes)


def test_who_pulls_mirrors_reads_our_registry_and_reaches_no_cluster(resources: dict[str, Any]) -> None:
    actions = _actions(resources, "PullMirrorTenantRole")
    assert {action for action in actions if action.startswith("ecr:")} == {
        "ecr:BatchGetImage", "ecr:DescribeRepositories", "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer",
    }  # fmt: skip
    assert {action.partition(":")[0] for action in actions} == {"ecr", "s3"}
    for name in ("ReceiveDeploy", "PullMirror", "LoadManifests", "RecordDeploy"):
        variables = resources[f"{name}Function"]["Properties"]["Environment"]["Variables"]
        assert "BYOA_CLUSTER_ROLE" not in variables


def test_who_reaches_clusters_parses_no_documents_and_has_nothing_of_builds(resources: dict[str, Any]) -> None:
    for name in REACHING:
        actions = _actions(resources, f"{name}TenantRole")
        assert {action.partition(":")[0] for action in actions} <= {"dynamodb", "s3"}
        assert not set(_kinds(resources, f"{name}TenantRole", "s3:GetObject")) & {"blobs", "manifests", "lists"}
    assert not any(action.startswith("dynamodb:") for action in _actions(resources, "CheckHealthTenantRole"))


@pytest.mark.parametrize("name", REACHING)
def test_who_reaches_clusters_is_in_the_operator_s_network_where_there_is_one(
    name: str, translated: dict[str, Any], resources: dict[str, Any]
) -> None:
    condition, there, elsewhere = resources[f"{name}Function"]["Properties"]["VpcConfig"]["Fn::If"]
    assert (condition, elsewhere) == ("HasClusterNetwork", {"Ref": "AWS::NoValue"})
    assert there == {"SubnetIds": {"Ref": "ClusterSubnetIds"}, "SecurityGroupIds": {"Ref": "ClusterSecurityGroupIds"}}
    assert translated["Parameters"]["ClusterSubnetIds"]["Default"] == ""


def test_fingerprints_of_plans_are_made_by_one_step_with_a_key_that_stays_in_kms(resources: dict[str, Any]) -> None:
    key = resources["PlanKey"]["Properties"]
    assert (key["KeySpec"], key["KeyUsage"]) == ("HMAC_256", "GENERATE_VERIFY_MAC")
    manages, makes = key["KeyPolicy"]["Statement"]
    assert (makes["Action"], makes["Principal"]) == (
        "kms:GenerateMac", {"AWS": {"Fn::GetAtt": ["PlanInstallRole", "Arn"]}},
    )  # fmt: skip
    assert not {each for each in manages["Action"] if "Mac" in each or "Grant" in each} - {
        "kms:ListGrants", "kms:RevokeGrant",
    }  # fmt: skip


def test_only_the_mirroring_steps_may_write_to_ecr_and_only_below_our_prefix(resources: dict[str, Any]) -> None:
    wanted = {"ecr:PutImage": {"MirrorArtifactTenantRole"}}
    wanted["ecr:UploadLayerPart"] = {"MirrorArtifactTenantRole", "MirrorBlobTenantRole"}
    places = []
    for action, roles in wanted.items():
        found = [(role, each) for role, each in _statements(resources) if action in _many(each["Action"])]
        assert {role for role, _ in found} == roles
        places += [each["Resource"] for _, each in found]
    ours = ":${AWS::AccountId}:repository/${RepositoryPrefix}/${!aws:PrincipalTag/org_id}/*"
    assert all(place["Fn::Sub"].endswith(ours) for place in places)


def test_the_repositories_key_is_used_through_ecr_alone(resources: dict[str, Any]) -> None:
    (grants,) = (each for _, each in _statements(resources) if "kms:CreateGrant" in _many(each["Action"]))
    ecr = {"Fn::Sub": "ecr.${AWS::Region}.${AWS::URLSuffix}"}
    assert grants["Condition"] == {"StringEquals": {"kms:ViaService": ecr}}


def test_only_the_recording_step_signs_and_nobody_hands_that_on(resources: dict[str, Any]) -> None:
    kms = {
        action: statement["Resource"]
        for _, statement in _statements(resources)
        for action in _many(statement["Action"])
        if action.startswith("kms:") and action not in {"kms:GetPublicKey", "kms:Verify"}
    }
    wanted = ("kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant")
    assert kms == {action: {"Ref": "EcrKmsKeyArn"} for action in wanted}
    key = resources["ReceiptKey"]["Properties"]
    manages, signs = key["KeyPolicy"]["Statement"]
    assert (signs["Effect"], signs["Action"]) == ("Allow", "kms:Sign")
    assert signs["Principal"] == {"AWS": {"Fn::GetAtt": ["RecordBuildRole", "Arn"]}}
    assert not {"kms:Sign", "kms:CreateGrant"} & set(manages["Action"])
    assert not any("*" in action for action in manages["Action"])


def test_receipts_are_signed_by_a_key_of_the_kind_that_they_are_checked_with(resources: dict[str, Any]) -> None:
    key = resources["ReceiptKey"]["Properties"]
    assert (key["KeySpec"], key["KeyUsage"]) == ("ECC_NIST_P256", "SIGN_VERIFY")
    assert resources["ReceiptKeyAlias"]["Properties"]["TargetKeyId"] == {"Ref": "ReceiptKey"}
    given = {
        name
        for name, function in _of_type(resources, "AWS::Lambda::Function").items()
        if "BYOA_RECEIPT_KEY" in function["Properties"]["Environment"]["Variables"]
    }
    assert given == {"RecordBuildFunction", "ApiFunction", "DashboardFunction", "ReceiveDeployFunction"}
    checks = [(role, each["Resource"]) for role, each in _statements(resources) if each["Action"] == "kms:Verify"]
    assert checks == [(role, {"Fn::GetAtt": ["ReceiptKey", "Arn"]}) for role in ("ApiRole", "ReceiveDeployRole")]
    reads = [(role, each["Resource"]) for role, each in _statements(resources) if each["Action"] == "kms:GetPublicKey"]
    assert reads == [(role, {"Fn::GetAtt": ["ReceiptKey", "Arn"]}) for role in ("ApiRole", "DashboardRole")]


def test_no_step_may_delete_anything_but_the_one_that_retires_tags(resources: dict[str, Any]) -> None:
    deletes = {
        (role, action)
        for role, statement in _statements(resources)
        for action in _many(statement["Action"])
        if "Delete" in action and not _is_on_interfaces(role, statement) and role != "ApiTenantRole"
    }
    delivering = {(role, "logs:DeleteLogDelivery") for role in MACHINES.values()}
    assert deletes == delivering | {("RetireTagsTenantRole", "ecr:BatchDeleteImage")}
    assert _actions(resources, "RetireTagsTenantRole") == {"ecr:BatchDeleteImage", "ecr:DescribeImages"}


def test_the_api_reads_no_secret_and_reaches_nothing_but_the_table_and_secrets(resources: dict[str, Any]) -> None:
    actions = _actions(resources, "ApiTenantRole")
    assert "secretsmanager:GetSecretValue" not in actions
    assert {action.partition(":")[0] for action in actions} == {"dynamodb", "secretsmanager"}
    own = _actions(resources, "ApiRole") - LOG_AND_TRACE - OPENS_SESSIONS
    reading = {"dynamodb:BatchGetItem", "dynamodb:GetItem"}
    assert own == {*reading, "kms:GetPublicKey", "kms:Verify", "lambda:InvokeFunction"}
    (invoked,) = (each for role, each in _statements(resources) if (role, each.get("Sid")) == ("ApiRole", "FetchKeys"))
    assert invoked["Resource"] == {"Fn::GetAtt": ["FetchKeysFunction", "Arn"]}
    (trying,) = (
        each for role, each in _statements(resources) if (role, each.get("Sid")) == ("ApiRole", "TryCredentials")
    )
    name = trying["Resource"]["Fn::Sub"].rpartition("function:")[2]
    assert name == resources["TryCredentialsFunction"]["Properties"]["FunctionName"]["Fn::Sub"]


@pytest.mark.parametrize("name", ["ExchangeCode", "FetchKeys"])
def test_who_asks_issuers_has_nothing_else(resources: dict[str, Any], name: str) -> None:
    secrets = name == "ExchangeCode"  # of clients that have one: tests/contract/test_tenancy.py
    assert _actions(resources, f"{name}Role") == LOG_AND_TRACE | (OPENS_SESSIONS if secrets else set())
    variables = resources[f"{name}Function"]["Properties"]["Environment"]["Variables"]
    known = {"BYOA_PLAIN_HTTP_HOSTS", "BYOA_REACHABLE"} | ({"BYOA_TENANT_ROLE"} if secrets else set())
    assert {name for name in variables if name.startswith("BYOA_")} == known


def test_who_takes_deliveries_reads_a_hook_and_puts_an_event_and_no_more(resources: dict[str, Any]) -> None:
    assert _actions(resources, "HooksRole") - LOG_AND_TRACE == {"dynamodb:GetItem", "events:PutEvents"}
    (route,) = (
        route
        for body in _of_type(resources, "AWS::ApiGatewayV2::Stage").values()
        for route in body["Properties"]["RouteSettings"].items()
    )
    assert route[0] == "POST /hooks/{hook_id}/{secret}"
    assert 0 < route[1]["ThrottlingRateLimit"] <= route[1]["ThrottlingBurstLimit"]


def test_who_follows_tags_notes_moves_and_makes_no_build(resources: dict[str, Any]) -> None:
    actions = _actions(resources, "FollowTagsTenantRole")
    assert actions == {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:UpdateItem"}
    named = [
        each["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]
        for role, each in _of_the_table(resources)
        if role == "FollowTagsTenantRole" and each["Action"] == "dynamodb:UpdateItem"
    ]
    assert named == [["moved", "news", "pk", "sk"], ["expires_at", "pk", "sk", "told_by"]]


def test_who_builds_anew_reaches_the_table_alone(resources: dict[str, Any]) -> None:
    actions = _actions(resources, "BuildAgainTenantRole") | _actions(resources, "BuildAgainRole")
    assert {action.partition(":")[0] for action in actions - LOG_AND_TRACE - OPENS_SESSIONS} == {"dynamodb"}


def test_functions_of_lookups_are_asked_by_two(resources: dict[str, Any]) -> None:
    asked = {
        role: [place["Fn::Sub"].rpartition("function:${AWS::StackName}-")[2] for place in each["Resource"]]
        for role, each in _statements(resources)
        if each.get("Sid") == "AskLookups"
    }
    lookups = ["look-up-artifact", "read-artifacts"]
    assert asked == {"AnswerLookupRole": lookups, "ApiRole": [*lookups, "answer-lookup"]}


def test_who_answers_lookups_ends_them_and_reaches_nothing_else(resources: dict[str, Any]) -> None:
    assert _actions(resources, "AnswerLookupTenantRole") == {"dynamodb:UpdateItem"}
    assert _actions(resources, "AnswerLookupRole") - LOG_AND_TRACE - OPENS_SESSIONS == {"lambda:InvokeFunction"}
    ((_, each),) = [found for found in _of_the_table(resources) if found[0] == "AnswerLookupTenantRole"]
    named = each["Condition"]["ForAllValues:StringEquals"]
    assert named == {"dynamodb:LeadingKeys": f"LOOKUP#{WHOSE}", "dynamodb:Attributes": ["ended", "pk", "sk"]}
    assert each["Condition"]["Null"]["dynamodb:Attributes"] == "false"


def test_nobody_asks_again_by_itself_what_nobody_waits_for(resources: dict[str, Any]) -> None:
    """A lookup costs bytes of the organisation's day; the API tells after three minutes that one was lost."""
    configs = [each["Properties"] for each in _of_type(resources, "AWS::Lambda::EventInvokeConfig").values()]
    (properties,) = (each for each in configs if each["FunctionName"] == {"Ref": "AnswerLookupFunction"})
    function = resources["AnswerLookupFunction"]["Properties"]
    assert properties["MaximumRetryAttempts"] == 0
    assert (properties["MaximumEventAgeInSeconds"] + function["Timeout"]) * 1000 < LONGEST_MS
    waited = sum(resources[f"{name}Function"]["Properties"]["Timeout"] for name in ("LookUpArtifact", "ReadArtifacts"))
    assert waited < function["Timeout"]


def test_the_api_is_throttled_and_logged_and_one_function_answers_all_of_it(resources: dict[str, Any]) -> None:
    (stage,) = _of_type(resources, "AWS::ApiGatewayV2::Stage").values()
    settings = stage["Properties"]["DefaultRouteSettings"]
    assert 0 < settings["ThrottlingRateLimit"] <= settings["ThrottlingBurstLimit"]
    log = json.loads(stage["Properties"]["AccessLogSettings"]["Format"])
    assert {"requestId", "source", "method", "route", "status"} <= log.keys()
    assert not {"authorization", "context.path"} & {*re.findall("[a-z.]+", str(log).lower())}, "no tokens, no hooks"
    (api,) = _of_type(resources, "AWS::ApiGatewayV2::Api").values()
    paths = api["Properties"]["Body"]["paths"]
    places = {path: str(each) for path, each in paths.items()}
    assert {path for path, place in places.items() if "ApiFunction" in place} == {"/healthz", "/v1/{proxy+}"}
    assert (
        {path for path, place in places.items() if "DashboardFunction" in place}
        == {"/", "/{proxy+}"}
        == (places.keys() - {"/healthz", "/v1/{proxy+}", "/hooks/{hook_id}/{secret}"})
    )


def test_the_dashboard_reads_and_has_the_api_do_the_rest(resources: dict[str, Any]) -> None:
    reading = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
    listing = {"secretsmanager:DescribeSecret", "secretsmanager:ListSecrets"}
    assert _actions(resources, "DashboardTenantRole") == reading | listing
    own = _actions(resources, "DashboardRole") - LOG_AND_TRACE - OPENS_SESSIONS
    assert own == {"dynamodb:BatchGetItem", "dynamodb:GetItem", "kms:GetPublicKey", "lambda:InvokeFunction"}
    asked = [
        each["Resource"]
        for role, each in _statements(resources)
        if (role, each.get("Sid")) == ("DashboardRole", "AskTheApi")
    ]
    assert asked == [{"Fn::GetAtt": ["ApiFunction", "Arn"]}]


def test_nobody_but_the_dashboard_pays_for_its_layer(resources: dict[str, Any]) -> None:
    having = [
        name
        for name, function in _of_type(resources, "AWS::Lambda::Function").items()
        if any("FacesLayer" in str(layer) for layer in function["Properties"]["Layers"])
    ]
    assert having == ["DashboardFunction"]


def _of_the_table(resources: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The statements about the table's items."""
    return [
        (role, each)
        for role, each in _statements(resources)
        if any(action.startswith("dynamodb:") for action in _many(each["Action"])) and "StreamArn" not in str(each)
        if each["Resource"] != "*"
    ]


def test_a_role_has_of_the_table_the_kinds_of_keys_that_it_needs(resources: dict[str, Any]) -> None:
    """IAM: ForAllValues holds where a request has no such key; Null false says that it has one."""
    for role, each in _of_the_table(resources):
        allowed = [values["dynamodb:LeadingKeys"] for name, values in each["Condition"].items() if "ForAll" in name
                   and "dynamodb:LeadingKeys" in values]  # fmt: skip
        found = next((kind for kind in ("deploy", "drift") if f"'{kind}'" in str(each)), "build")
        own = next((f"{kind}#*" for kind in ("TAG", "TOKEN", "HOOK", "HOST") if f"{kind}#*" in str(each)), found)
        kinds = ("QUOTA", "TOKEN", "HOOK", "DELIVERY", "LOOKUP")
        theirs = next((f"{kind}#{WHOSE}" for kind in kinds if f"{kind}#" in str(each)), f"ORG#{WHOSE}")
        wanted = [theirs if role.endswith("TenantRole") else own]
        assert allowed == wanted, role
        assert each["Condition"]["Null"]["dynamodb:LeadingKeys"] == "false", role


def test_who_writes_below_organisations_names_the_attributes_and_none_that_makes_an_item_of_ours(
    resources: dict[str, Any],
) -> None:
    """An item is a config or a build by its ``entity``, and its news are events: only who hands in makes one."""
    for role, each in _of_the_table(resources):
        if role in ("ApiTenantRole", "BuildAgainTenantRole", *ASKING):  # who hands in, and hands in again
            continue
        assert "dynamodb:PutItem" not in _many(each["Action"]), role
        if "dynamodb:UpdateItem" in _many(each["Action"]) and "ORG#" in str(each):
            named = set(each["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"])
            assert each["Condition"]["Null"]["dynamodb:Attributes"] == "false", role
            assert not named & {"entity", "config", "fingerprint", "reference", "expires_at"}, role


def test_those_who_fetch_count_what_organisations_take_and_only_that(resources: dict[str, Any]) -> None:
    counts = {
        (role, action, *each["Condition"].get("ForAllValues:StringEquals", {}).get("dynamodb:Attributes", ()))
        for role, each in _of_the_table(resources)
        if "QUOTA#" in str(each)
        for action in _many(each["Action"])
    }
    adding = ("dynamodb:UpdateItem", "counted", "expires_at", "pk", "sk", "used")
    fetching = ("StageArtifactTenantRole", "LookUpArtifactTenantRole")
    assert counts == {(role, *each) for role in fetching for each in (("dynamodb:GetItem",), adding)}


def test_who_looks_up_has_nothing_else_of_the_table(resources: dict[str, Any]) -> None:
    keys = {
        json.dumps(each["Condition"]["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"])
        for role, each in _of_the_table(resources)
        if role == "LookUpArtifactTenantRole"
    }
    assert keys == {json.dumps(f"QUOTA#{WHOSE}")}
    assert "s3:DeleteObject" not in _actions(resources, "LookUpArtifactTenantRole")


def test_who_moves_blobs_writes_nothing_of_builds(resources: dict[str, Any]) -> None:
    for role, each in _of_the_table(resources):
        if role in ("StageBlobTenantRole", "MirrorBlobTenantRole"):
            assert each["Action"] == "dynamodb:GetItem"


def test_only_lists_are_read_of_the_quarantine_by_the_step_that_signs(resources: dict[str, Any]) -> None:
    (place,) = (
        each["Resource"]
        for role, each in _statements(resources)
        if role == "RecordBuildTenantRole" and "s3:GetObject" in _many(each["Action"])
    )
    assert place == {"Fn::Sub": f"{BELOW_THE_ORGANISATION}/lists/*"}
    assert "s3:PutObject" not in _actions(resources, "RecordBuildTenantRole")


def test_nobody_lists_the_bucket_but_below_its_organisation(resources: dict[str, Any]) -> None:
    """A listing without a prefix would tell of all organisations."""
    listing = {role: each for role, each in _statements(resources) if "s3:ListBucket" in _many(each["Action"])}
    reading = {role for role, each in _statements(resources) if "s3:GetObject" in _many(each["Action"])}
    assert listing.keys() == reading
    for role, each in listing.items():
        assert each["Condition"] == {"StringLike": {"s3:prefix": f"{WHOSE}/*"}}, role


def test_the_desk_s_switches_are_refused_on_aws(translated: dict[str, Any]) -> None:
    (rule,) = translated["Rules"].values()
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Emulated"}, "false"]}
    switches = {each["Assert"]["Fn::Equals"][0]["Ref"] for each in rule["Assertions"]}
    for_the_desk = {name for name, body in translated["Parameters"].items() if "for the desk" in str(body)}
    assert switches == for_the_desk == {"EcrEndpoint", "PlainHttpHosts", "AwsEndpointUrl"}
    assert all(each["Assert"]["Fn::Equals"][1] == "" for each in rule["Assertions"])


def test_every_queue_answers_over_tls_alone(resources: dict[str, Any]) -> None:
    refused = {}
    for policy in _of_type(resources, "AWS::SQS::QueuePolicy").values():
        (queue,) = policy["Properties"]["Queues"]
        for each in policy["Properties"]["PolicyDocument"]["Statement"]:
            statement = each["Fn::If"][1] if "Fn::If" in each else each
            if statement["Effect"] == "Deny":
                refused[queue["Ref"]] = (statement["Condition"], statement["Action"])
    tls = ({"Bool": {"aws:SecureTransport": "false"}}, "sqs:*")
    assert refused == dict.fromkeys(_of_type(resources, "AWS::SQS::Queue"), tls)


def test_every_function_runs_in_a_role_of_its_own(resources: dict[str, Any]) -> None:
    functions = _of_type(resources, "AWS::Lambda::Function")
    roles = [body["Properties"]["Role"]["Fn::GetAtt"][0] for body in functions.values()]
    assert len(set(roles)) == len(functions) == 36


# ---- what is kept, and what wakes somebody -----------------------------------------------------------------------


def test_the_bucket_is_closed_and_encrypted(resources: dict[str, Any]) -> None:
    for name, bucket in _of_type(resources, "AWS::S3::Bucket").items():
        block = bucket["Properties"]["PublicAccessBlockConfiguration"]
        assert block == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }, name
        (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in ("AES256", "aws:kms"), name


def test_the_bucket_answers_over_tls_alone_and_keeps_nothing_for_long(resources: dict[str, Any]) -> None:
    (statement,) = resources["QuarantinePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (rule,) = resources["QuarantineBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert rule["Status"] == "Enabled"
    assert rule["ExpirationInDays"] <= 7
    assert rule["AbortIncompleteMultipartUpload"]


def test_the_table_can_be_restored_and_tells_of_its_changes(resources: dict[str, Any]) -> None:
    (table,) = _of_type(resources, "AWS::DynamoDB::Table").values()
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert "SSESpecification" not in table["Properties"], "the default key is free of charge, KMS's is not"
    assert table["Properties"]["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


@pytest.mark.parametrize("name", ["Table", "QuarantineBucket", "ReceiptKey", "PlanKey"])
def test_what_holds_data_outlives_the_stack(name: str, resources: dict[str, Any]) -> None:
    assert resources[name]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resources[name]["UpdateReplacePolicy"] == "Retain"


def test_no_log_is_kept_for_ever(resources: dict[str, Any]) -> None:
    for name, group in _of_type(resources, "AWS::Logs::LogGroup").items():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name
        key = {"Fn::If": ["HasLogsKey", {"Ref": "LogsKmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
        assert group["Properties"]["KmsKeyId"] == key, name


def test_every_queue_is_encrypted_and_watched(resources: dict[str, Any]) -> None:
    alarms = _of_type(resources, "AWS::CloudWatch::Alarm").values()
    watched = {
        dimension["Value"]["Fn::GetAtt"][0]
        for alarm in alarms
        for dimension in alarm["Properties"].get("Dimensions", [])
        if dimension["Name"] == "QueueName"
    }
    queues = _of_type(resources, "AWS::SQS::Queue")
    assert watched == queues.keys() == {"RuleDlq", "StreamDlq"}
    assert all(queue["Properties"]["SqsManagedSseEnabled"] is True for queue in queues.values())


@pytest.mark.parametrize(
    "name",
    [
        "RuleDlq",
        "StreamDlq",
        "FailedBuilds",
        "LeftBehind",
        "FailedExecutions",
        "AbortedExecutions",
        "TimedOutExecutions",
        "FailedDeploys",
        "DeploysLeftBehind",
        "FailedDeployExecutions",
        "AbortedDeployExecutions",
        "TimedOutDeployExecutions",
    ],
)
def test_the_first_loss_wakes_somebody(name: str, resources: dict[str, Any]) -> None:
    properties = resources[f"{name}Alarm"]["Properties"]
    assert (properties["Threshold"], properties["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    assert properties["AlarmActions"] == {
        "Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]
    }


def test_failed_builds_are_counted_by_their_status(resources: dict[str, Any]) -> None:
    properties = resources["FailedBuildsAlarm"]["Properties"]
    assert properties["MetricName"] == "BuildsEnded"
    assert {"Name": "status", "Value": "error"} in properties["Dimensions"]


@pytest.mark.parametrize("machine", MACHINES)
def test_the_state_machine_s_log_keeps_no_payloads(machine: str, resources: dict[str, Any]) -> None:
    logging = resources[machine]["Properties"]["LoggingConfiguration"]
    assert logging["IncludeExecutionData"] is False


# ---- where strangers' bytes are parsed ---------------------------------------------------------------------------


def _of_network(resources: dict[str, Any]) -> set[str]:
    return {name for name, body in resources.items() if body["Type"].startswith("AWS::EC2::")}


def test_inspection_alone_is_in_a_network_of_its_own(resources: dict[str, Any]) -> None:
    functions = _of_type(resources, "AWS::Lambda::Function")
    placed = {
        name: body["Properties"]["VpcConfig"]
        for name, body in functions.items()
        if "VpcConfig" in body["Properties"] and name.removesuffix("Function") not in REACHING
    }
    assert placed.keys() == {f"{name}Function" for name in INSPECTING}
    assert len({json.dumps(each) for each in placed.values()}) == 1
    (condition, there, elsewhere) = placed["InspectArtifactFunction"]["Fn::If"]
    assert (condition, elsewhere) == ("RealAws", {"Ref": "AWS::NoValue"})
    assert there["SecurityGroupIds"] == [{"Ref": "InspectionGroup"}]
    subnets = _of_type(resources, "AWS::EC2::Subnet")
    assert [each["Ref"] for each in there["SubnetIds"]] == list(subnets)
    assert len({str(body["Properties"]["AvailabilityZone"]) for body in subnets.values()}) == len(subnets) == 2
    assert all(body["Properties"]["VpcId"] == {"Ref": "InspectionVpc"} for body in subnets.values())


def test_that_network_has_no_way_out(resources: dict[str, Any]) -> None:
    """No gateway, no route but the VPC's own, no address that others know, no peer."""
    kinds = {body["Type"].rpartition("::")[2] for name, body in resources.items() if name in _of_network(resources)}
    assert kinds == {"RouteTable", "SecurityGroup", "Subnet", "SubnetRouteTableAssociation", "VPC", "VPCEndpoint"}
    for subnet in _of_type(resources, "AWS::EC2::Subnet").values():
        assert subnet["Properties"]["MapPublicIpOnLaunch"] is False
    routed = {
        body["Properties"]["SubnetId"]["Ref"]: body["Properties"]["RouteTableId"]["Ref"]
        for body in _of_type(resources, "AWS::EC2::SubnetRouteTableAssociation").values()
    }
    assert routed == dict.fromkeys(_of_type(resources, "AWS::EC2::Subnet"), "InspectionRoutes")


def test_nobody_calls_inspection_and_it_calls_by_tls_alone(resources: dict[str, Any]) -> None:
    own, endpoint = (resources[name]["Properties"] for name in ("InspectionGroup", "InspectionEndpointGroup"))
    assert "SecurityGroupIngress" not in own
    assert [(each["IpProtocol"], each["FromPort"], each["ToPort"]) for each in own["SecurityGroupEgress"]] == [
        ("tcp", 443, 443)
    ]
    (caller,) = endpoint["SecurityGroupIngress"]
    assert caller["SourceSecurityGroupId"] == {"Ref": "InspectionGroup"}
    assert [each["CidrIp"] for each in endpoint["SecurityGroupEgress"]] == ["127.0.0.1/32"]


def test_what_that_network_leads_to_serves_its_roles_in_one_place(resources: dict[str, Any]) -> None:
    allowed = {}
    for name, body in _of_type(resources, "AWS::EC2::VPCEndpoint").items():
        for statement in body["Properties"]["PolicyDocument"]["Statement"]:
            callers = _many(statement["Condition"]["ArnEquals"]["aws:PrincipalArn"])
            allowed[name, *(each["Fn::GetAtt"][0] for each in callers)] = statement
    opening = {("InspectionSts", f"{name}Role"): f"{name}TenantRole" for name in INSPECTING}
    reading = ("InspectionS3", *opening.values())
    writing = ("InspectionS3", "LoadManifestsTenantRole")
    assert allowed.keys() == {reading, writing, *opening}
    assert allowed[writing]["Action"] == "s3:PutObject"
    assert allowed[writing]["Resource"] == {"Fn::Sub": "${QuarantineBucket.Arn}/*/objects/*"}
    assert set(allowed[reading]["Action"]) == {"s3:GetObject", "s3:ListBucket"}
    assert "QuarantineBucket" in str(allowed[reading]["Resource"])
    for caller, role in opening.items():
        assert set(allowed[caller]["Action"]) == OPENS_SESSIONS
        assert allowed[caller]["Resource"] == {"Fn::GetAtt": [role, "Arn"]}


def test_no_question_for_a_stranger_s_name_leaves_that_network(resources: dict[str, Any]) -> None:
    ours, every = resources["InspectionNames"]["Properties"], resources["AllNames"]["Properties"]
    assert (ours["Domains"], every["Domains"]) == ([{"Fn::Sub": "*.${AWS::URLSuffix}"}], ["*"])
    first, last = resources["InspectionResolving"]["Properties"]["FirewallRules"]
    assert (first["Action"], first["FirewallDomainListId"]) == ("ALLOW", {"Ref": "InspectionNames"})
    assert (last["Action"], last["FirewallDomainListId"]) == ("BLOCK", {"Ref": "AllNames"})
    assert first["Priority"] < last["Priority"]
    here = resources["InspectionResolvingHere"]["Properties"]
    assert (here["VpcId"], here["FirewallRuleGroupId"]) == ({"Ref": "InspectionVpc"}, {"Ref": "InspectionResolving"})


@pytest.mark.parametrize("function", INSPECTING)
def test_what_lambda_does_with_interfaces_inspection_s_own_code_may_not(
    function: str, resources: dict[str, Any]
) -> None:
    """Source: Lambda, "Giving Lambda functions access to resources in an Amazon VPC"."""
    allows, denies = [
        statement
        for role, statement in _statements(resources)
        if role == f"{function}Role" and set(_many(statement["Action"])) == ON_INTERFACES
    ]
    assert (allows["Effect"], denies["Effect"], denies["Resource"]) == ("Allow", "Deny", "*")
    name = resources[f"{function}Function"]["Properties"]["FunctionName"]["Fn::Sub"]
    (condition,) = denies["Condition"].items()
    assert condition[0] == "ArnEquals"
    assert condition[1]["lambda:SourceFunctionArn"]["Fn::Sub"].endswith(f":${{AWS::AccountId}}:function:{name}")


def test_the_network_is_for_aws_alone(translated: dict[str, Any]) -> None:
    """The emulator has no networks."""
    names = {name for name in translated["Resources"] if name.startswith(("Inspection", "AllNames"))}
    assert names >= _of_network(translated["Resources"])
    assert all(translated["Resources"][name]["Condition"] == "RealAws" for name in names)


# ---- who puts events ---------------------------------------------------------------------------------------------


def test_two_roles_put_events_on_the_bus_and_each_its_own(resources: dict[str, Any]) -> None:
    refused = {}
    for name, body in _of_type(resources, "AWS::Events::EventBusPolicy").items():
        if name == "PushesBusPolicy":  # another bus
            continue
        properties, statement = body["Properties"], body["Properties"]["Statement"]
        assert (body["Condition"], properties["EventBusName"]) == ("RealAws", {"Ref": "Bus"})
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "events:PutEvents")
        assert statement["Resource"] == {"Fn::GetAtt": ["Bus", "Arn"]}
        refused[name] = statement["Condition"]
    publisher, hooks = ({"Fn::GetAtt": [f"{name}Role", "Arn"]} for name in ("PublishChanges", "Hooks"))
    assert list(refused.values()) == [
        {"ArnNotEquals": {"aws:PrincipalArn": [publisher, hooks]}},
        {
            "ForAnyValue:StringNotEquals": {"events:source": "io.byoa"},
            "ArnNotEquals": {"aws:PrincipalArn": hooks},
        },
        {
            "ForAnyValue:StringNotEquals": {"events:source": "io.byoa.hooks"},
            "ArnEquals": {"aws:PrincipalArn": hooks},
        },
    ]
    putting = {role: each for role, each in _statements(resources) if "events:PutEvents" in _many(each["Action"])}
    assert putting.keys() == {"PublishChangesRole", "HooksRole"}
    for role, source in (("PublishChangesRole", "io.byoa"), ("HooksRole", "io.byoa.hooks")):
        assert putting[role]["Condition"] == {
            "ForAllValues:StringEquals": {"events:source": source},
            "Null": {"events:source": "false"},
        }
