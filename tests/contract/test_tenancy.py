"""No role of the template reaches another organisation's keys, objects, secrets or repositories."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from local.policies import policies
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator

RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
POLICIES = policies()
WHOSE = "${aws:PrincipalTag/org_id}"
FUNCTIONS = sorted(
    name.removesuffix("Function") for name, body in RESOURCES.items() if body["Type"] == "AWS::Serverless::Function"
)
SHARED = ("SourceRole", "ClusterRole")
"""What vendors and clusters' owners lend: one role each for all functions that borrow it."""

OF_TENANTS = sorted(name for name in POLICIES if name.endswith("TenantRole") or name in SHARED)
WITHOUT = {"FetchKeys", "Hooks", "PublishChanges", "TryCredentials"}
"""Functions that have no tenant role: one reaches nothing of organisations, two work for whichever comes, one has what
vendors lend alone.
"""

NOT_OF_ONE = {
    "Log": "its own log group",
    "Trace": "X-Ray knows no resources",
    "WorkForOneOrganisation": "opens sessions, and nothing else",
    "KeepBudgets": "what all organisations together ask of a registry: keys HOST#",
    "ReadTokens": "records of tokens by their names, before it is known whose a request is: keys TOKEN#",
    "AskLookups": "the functions of lookups, whose questions name their organisation",
    "FetchKeys": "the function that asks issuers of JWTs for their keys, which everybody may have",
    "TryCredentials": "the function that tries credentials; whose they are, the message says, which the API makes",
    "ExchangeCode": "the function that asks issuers what a code of somebody who signs in stands for",
    "ReadReceiptKey": "the public half of the key that signs receipts",
    "CheckReceipts": "the key that signs receipts, for checking them",
    "ListCredentials": "IAM knows no resource for it; names and tags, no values",
    "FindHooks": "records of hooks by their names, before it is known whose a delivery is: keys HOOK#",
    "FindComponents": "an index of keys alone, of components by the tag that they name",
    "RingTheBus": "the bus, and one source",
    "FindBuilds": "an index of keys alone, of builds that have not ended",
    "FindDeploys": "an index of keys alone, of deploys that have not ended",
    "FindComponentsDue": "an index of keys alone, of components that drift is looked for in",
    "ReadStream": "the changes of the table, which PublishChanges tells of",
    "FindStream": "IAM knows no resource for it",
    "TellTheBus": "the bus, and one source",
    "KeepWhatFailed": "a queue",
    "LogInToEcr": "IAM knows no resource for it; the login is bounded as its session is",
    "EncryptRepositories": "the key of all repositories",
    "BorrowRoles": "roles of other accounts, by the external id that the session's policy names",
    "BorrowNoneOfOurs": "refuses",
    "JoinNetwork": "interfaces in the network of inspecting functions, which Lambda makes",
    "NotByOurCode": "refuses",
    "InvokeSteps": "the state machine's functions",
    "AskTheApi": "the API's function, which asks again whose a request is",
    "DeliverLogs": "log delivery knows no resources",
    "StartBuilds": "the state machine",
    "StartDeploys": "the other state machine",
}
"""Statements that name no organisation, each with what it is about; there are no others."""


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def every() -> Iterator[tuple[str, dict[str, Any]]]:
    for role, document in POLICIES.items():
        for statement in document["Statement"]:
            yield role, statement


def conditions(statement: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for operator, block in statement.get("Condition", {}).items():
        for key, value in block.items():
            yield operator, key, value


def trusts() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, body in RESOURCES.items():
        if body["Type"] == "AWS::IAM::Role":
            for statement in body["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
                yield name, statement


# ---- whose things a role reaches ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "statement"), list(every()), ids=lambda each: each if isinstance(each, str) else "")
def test_a_statement_names_its_session_s_organisation_or_is_of_none(role: str, statement: dict[str, Any]) -> None:
    held = [f"{WHOSE}/" in arn for arn in many(statement["Resource"])]
    named = any(WHOSE in str(value) for _, _, value in conditions(statement))
    if not all(held) and not named:
        assert statement.get("Sid", "StartBuilds") in NOT_OF_ONE, role


def test_every_exception_is_one() -> None:
    assert {each.get("Sid", "StartBuilds") for _, each in every() if WHOSE not in json.dumps(each)} == set(NOT_OF_ONE)


@pytest.mark.parametrize("service", ["s3", "ecr", "secretsmanager"])
def test_objects_repositories_and_secrets_are_reached_in_sessions_alone(service: str) -> None:
    having = {role for role, each in every() if any(a.startswith(f"{service}:") for a in many(each["Action"]))}
    assert having
    listing = {role for role, each in every() if "secretsmanager:ListSecrets" in many(each["Action"])}
    assert having <= set(OF_TENANTS)
    assert listing <= {"ApiTenantRole", "DashboardTenantRole"}


def test_a_function_s_own_role_has_of_the_table_what_is_no_organisation_s() -> None:
    for role, each in every():
        if role not in OF_TENANTS and "LeadingKeys" in json.dumps(each):
            keys = {
                value
                for operator, key, value in conditions(each)
                if key == "dynamodb:LeadingKeys" and "For" in operator
            }
            assert keys in ({"HOST#*"}, {"TOKEN#*"}, {"HOOK#*"}, {"TAG#*"}, {"build"}, {"deploy"}, {"drift"}), role
            by_name = ["dynamodb:BatchGetItem", "dynamodb:GetItem"]
            asks = role in ("ApiRole", "DashboardRole") and each["Action"] == by_name
            assert keys != {"TOKEN#*"} or asks
            assert keys != {"HOOK#*"} or (role, each["Action"]) == ("HooksRole", "dynamodb:GetItem")
            assert keys != {"TAG#*"} or (role, each["Action"]) == ("FollowTagsRole", "dynamodb:Query")


def test_credentials_of_vendors_are_one_role_s() -> None:
    reading = {role for role, each in every() if "secretsmanager:GetSecretValue" in many(each["Action"])}
    borrowing = {role for role, each in every() if each.get("Sid") == "BorrowRoles"}
    assert borrowing == set(SHARED)
    assert reading == {*SHARED, "ExchangeCodeTenantRole"}
    (secrets,) = [each for each in POLICIES["SourceRole"]["Statement"] if each["Sid"] == "ReadCredentials"]
    assert secrets["Resource"].endswith(f":secret:byoa/{WHOSE}/*")
    assert secrets["Condition"] == {"StringEquals": {"secretsmanager:ResourceTag/org_id": WHOSE}}


def test_what_lets_into_clusters_is_another_role_s_and_no_step_of_a_build_has_it() -> None:
    (tokens,) = [each for each in POLICIES["ClusterRole"]["Statement"] if each["Sid"] == "ReadClusterTokens"]
    assert tokens["Resource"].endswith(f":secret:byoa-clusters/{WHOSE}/*")
    assert tokens["Condition"] == {"StringEquals": {"secretsmanager:ResourceTag/org_id": WHOSE}}
    reaching = {f"{name}Role" for name in ("PlanInstall", "ApplyInstall", "CheckHealth", "PruneInstall")}
    assert _trusted("ClusterRole") == reaching
    assert not reaching & _trusted("SourceRole")


def test_what_clients_show_to_issuers_is_read_by_who_exchanges_codes_alone() -> None:
    (secrets,) = POLICIES["ExchangeCodeTenantRole"]["Statement"]
    assert secrets["Action"] == "secretsmanager:GetSecretValue"
    assert secrets["Resource"].endswith(f":secret:byoa-issuers/{WHOSE}/*")
    assert secrets["Condition"] == {"StringEquals": {"secretsmanager:ResourceTag/org_id": WHOSE}}
    assert [role for role, each in every() if ":secret:byoa-issuers/" in json.dumps(each)] == [
        "ExchangeCodeTenantRole", "ApiTenantRole",
    ]  # fmt: skip


@pytest.mark.parametrize("role", SHARED)
def test_no_role_of_this_account_is_borrowed(role: str) -> None:
    (refused,) = [each for each in POLICIES[role]["Statement"] if each["Effect"] == "Deny"]
    assert refused["Action"] == "sts:AssumeRole"
    assert refused["Resource"] == "arn:aws:iam::123456789012:role/*"


def test_a_bucket_is_listed_below_one_organisation() -> None:
    found = [each for _, each in every() if "s3:ListBucket" in many(each["Action"])]
    assert found
    assert all(each["Condition"] == {"StringLike": {"s3:prefix": f"{WHOSE}/*"}} for each in found)


# ---- what conditions can be relied on for ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [*(each for _, each in every()), *(each for _, each in trusts())],
    ids=lambda each: each.get("Sid", "trust"),
)
def test_a_condition_on_all_values_asks_for_one(statement: dict[str, Any]) -> None:
    """Source: IAM, "Multivalued context keys": ForAllValues holds where a request has no such key."""
    required = {key for operator, key, value in conditions(statement) if operator == "Null" and value == "false"}
    asked = {key for operator, key, _ in conditions(statement) if operator.startswith("ForAllValues")}
    assert asked <= required


def test_no_refusal_leans_on_what_may_have_no_value() -> None:
    """Source: IAM, "Policy variables": a statement whose variable has no value doesn't match, not even to refuse."""
    for role, each in every():
        if each["Effect"] == "Deny":
            assert "${" not in json.dumps(each), role


# ---- who opens sessions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", OF_TENANTS)
def test_a_session_is_opened_with_one_tag_which_is_an_organisation_s(role: str) -> None:
    (trust,) = [each for name, each in trusts() if name == role]
    assert trust["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert trust["Condition"] == {
        "StringLike": {"aws:RequestTag/org_id": "org_*"},
        "StringNotLike": {"aws:RequestTag/org_id": ["*${*}*", "*${?}*", "*${$}*"]},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["org_id"]},
        "Null": {"aws:TagKeys": "false"},
    }


def _trusted(role: str) -> set[str]:
    (trust,) = [each for name, each in trusts() if name == role]
    return {arn["Fn::GetAtt"][0] for arn in many(trust["Principal"]["AWS"])}


def _opened(function: str) -> set[str]:
    found = [each for each in POLICIES[f"{function}Role"]["Statement"] if each["Sid"] == "WorkForOneOrganisation"]
    names = {f"arn:aws:iam::123456789012:role/byoa-{name.lower()}": name for name in POLICIES}
    return {names[arn] for each in found for arn in many(each["Resource"])}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_opens_sessions_of_its_own_tenant_role_and_of_no_other_s(function: str) -> None:
    opened, variables = _opened(function), RESOURCES[f"{function}Function"]["Properties"]["Environment"]["Variables"]
    named = {key: value["Fn::GetAtt"][0] for key, value in variables.items() if key.endswith("_ROLE")}
    assert opened == set(named.values())
    assert opened - set(SHARED) == (set() if function in WITHOUT else {f"{function}TenantRole"})
    assert named.get("BYOA_SOURCE_ROLE", "SourceRole") == "SourceRole"
    assert named.get("BYOA_CLUSTER_ROLE", "ClusterRole") == "ClusterRole"


@pytest.mark.parametrize("role", OF_TENANTS)
def test_a_tenant_role_trusts_exactly_who_may_open_its_sessions(role: str) -> None:
    assert _trusted(role) == {f"{function}Role" for function in FUNCTIONS if role in _opened(function)} != set()


@pytest.mark.parametrize("function", [each for each in FUNCTIONS if _opened(each)])
def test_a_function_is_there_when_it_can_open_sessions(function: str) -> None:
    assert RESOURCES[f"{function}Function"]["DependsOn"] == f"{function}Sessions"


def test_no_tag_is_passed_on_to_roles_of_others() -> None:
    assert not [
        each for _, each in every() if "sts:TagSession" in many(each["Action"]) and "*" in str(each["Resource"])
    ]


def test_the_output_that_vendors_trust_is_the_role_of_sources() -> None:
    for role in SHARED:
        assert TEMPLATE["Outputs"][f"{role}Arn"]["Value"] == {"Fn::GetAtt": [role, "Arn"]}


def test_every_variable_in_a_policy_is_the_session_s_organisation() -> None:
    named = set(re.findall(r"\$\{[^}]*\}", json.dumps(POLICIES)))
    assert named == {WHOSE}
