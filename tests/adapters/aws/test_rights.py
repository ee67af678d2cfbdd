"""What the ledger and the budget name in their requests is what the roles in the template let their steps name."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws.budget import DynamoBudget
from byoa.adapters.aws.dynamodb import DynamoLedger
from byoa.adapters.aws.hooks import DynamoHooks, DynamoPorter
from byoa.adapters.aws.inventory import DynamoInventory
from byoa.adapters.aws.office import DynamoAnswers, DynamoDoorkeeper, DynamoJournal, DynamoTokens
from byoa.adapters.aws.quota import DynamoQuota
from byoa.adapters.aws.rows import Rows
from byoa.adapters.aws.tracking import DynamoTracked, DynamoWorkshop
from byoa.adapters.memory.clocks import SteppingClock
from byoa.api.ports import Deed, Span
from byoa.api.tokens import issue
from byoa.builds.messages import Failure, NamedObjects, Outcome
from byoa.builds.records import HISTORY, entry
from byoa.components.reading import check_config
from byoa.errors import QuotaExceeded
from byoa.tracking.messages import Moved
from byoa.tracking.ports import Named
from byoa.tracking.records import issue as issue_hook
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.builds.messages import BuildKey

TABLE = TEMPLATE["Resources"]["Table"]["Properties"]
WORDS = {
    "SET", "REMOVE", "ADD", "AND", "OR", "NOT", "IN", "attribute_exists", "attribute_not_exists", "if_not_exists",
    "list_append", "size",
}  # fmt: skip

KEYS = {"HOST": "HOST#*"} | {
    kind: f"{kind}#${{aws:PrincipalTag/org_id}}" for kind in ("ORG", "QUOTA", "DELIVERY", "HOOK")
}
"""A step's tenant role has its session's organisation, its own role what all of them share."""


class Spied:
    """A ledger, a budget and a quota on a table, and what they named: the action, the key's kind, attributes."""

    def __init__(self, client: Any) -> None:
        self.clock = SteppingClock()
        self.ledger = DynamoLedger(client, "table", self.clock)
        self.budget = DynamoBudget(client, "table", self.clock)
        self.quota = DynamoQuota(client, "table", self.clock, 100)
        self.asked: list[tuple[str, str, frozenset[str]]] = []
        client.meta.events.register("provide-client-params.dynamodb", self._note)
        config = check_config('name = "web"\ntype = "kubernetes_manifest"\nnamespace = "a"\nmanifest = "a: 1"\n').config
        assert config
        self.key: BuildKey = self.ledger.submit("org_0123456789ab", "shop", config).build.key
        self.asked.clear()

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        keys = [params.get("Key") or params.get("Item") or {}]
        for table in params.get("RequestItems", {}).values():
            keys = table["Keys"]
        kinds = {key["pk"]["S"].partition("#")[0] for key in keys if key}
        text = " ".join(str(params.get(name, "")) for name in ("UpdateExpression", "ConditionExpression"))
        names = params.get("ExpressionAttributeNames", {})
        found = {names.get(word, word) for word in re.findall(r"(?<![:\w])#?\w+", text)} - WORDS
        found = {name for name in found if not name.isdigit()} | {*params.get("Item", {}), *keys[0]}
        self.asked.append((f"dynamodb:{model.name}", "".join(kinds), frozenset(found)))


@pytest.fixture
def spied() -> Iterator[Spied]:
    with mock_aws(), closing(boto3.client("dynamodb", "us-east-1")) as client:
        client.create_table(
            TableName="table",
            BillingMode="PAY_PER_REQUEST",
            **{name: TABLE[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")},
        )
        yield Spied(client)


def check(role: str, spied: Spied) -> None:
    """Every request that was made since the last check is one that the role allows."""
    (policy,) = TEMPLATE["Resources"][role]["Properties"]["Policies"]
    assert spied.asked
    for action, kind, attributes in spied.asked:
        assert any(_allows(each, action, kind, attributes) for each in policy["PolicyDocument"]["Statement"]), (
            role, action, kind, sorted(attributes),
        )  # fmt: skip
    spied.asked.clear()


def _allows(statement: dict[str, Any], action: str, kind: str, attributes: frozenset[str]) -> bool:
    actions = statement.get("Action", [])
    if action not in (actions if isinstance(actions, list) else [actions]):
        return False
    conditions = statement["Condition"]
    exactly, like = (conditions.get(f"ForAllValues:{each}", {}) for each in ("StringEquals", "StringLike"))
    named, keys = exactly.get("dynamodb:Attributes"), {**exactly, **like}["dynamodb:LeadingKeys"]
    return keys == KEYS[kind] and (named is None or attributes <= set(named))


def test_each_step_s_role_lets_it_write_what_it_writes(spied: Spied) -> None:
    ledger, key, now = spied.ledger, spied.key, spied.clock.now()
    begun = entry("planning", "begun", now)
    ledger.begin(key, "one", begun)
    ledger.allowed(key.organisation)
    check("ValidateReferenceTenantRole", spied)
    for role in ("ResolveDigestTenantRole", "StageArtifactTenantRole", "MirrorArtifactTenantRole"):
        ledger.progress(key, "one", [begun])
        ledger.progress(key, "one", [begun] * HISTORY)
        ledger.progress(key, "one", [begun])
        check(role, spied)
    ledger.config(key)
    check("StageArtifactTenantRole", spied)
    for role in ("StageBlobTenantRole", "MirrorBlobTenantRole"):
        ledger.check_running(key, "one")
        check(role, spied)
    ledger.keep_receipt(key, "one", "text")
    ledger.keep_objects(key, "one", NamedObjects(by_kind={}, left_out=0))
    outcome = Outcome(status="error", failure=Failure(code="Timeout", cause="late", remedy="again"))
    ledger.finish(key, "one", outcome, [entry("error", "late", now)])
    check("RecordBuildTenantRole", spied)
    ledger.finish(key, "one", outcome, [entry("error", "late", now)])
    check("RecordStoppedTenantRole", spied)
    ledger.give_up(key, outcome, [entry("error", "late", now)])
    ledger.tell_again(key, 7)
    check("SweepBuildsTenantRole", spied)


def test_who_asks_registries_may_count_and_no_more(spied: Spied) -> None:
    for role in ("ResolveDigestRole", "StageArtifactRole", "StageBlobRole"):
        spied.budget.admit("ghcr.io", "org_0123456789ab")
        spied.budget.spend("ghcr.io", "org_0123456789ab", 3)
        spied.budget.rest("ghcr.io", "org_0123456789ab", 5)
        spied.budget.rest("ghcr.io", "org_other0000000", 5)
        spied.clock.moment += timedelta(seconds=5)
        check(role, spied)


def test_who_stages_an_artifact_may_count_its_bytes(spied: Spied) -> None:
    spied.quota.take("org_0123456789ab", "bldone", 60)
    spied.quota.take("org_0123456789ab", "bldone", 70)
    with pytest.raises(QuotaExceeded):
        spied.quota.take("org_0123456789ab", "bldtwo", 60)
    assert {kind for _, kind, _ in spied.asked} == {"QUOTA"}
    check("StageArtifactTenantRole", spied)


def test_who_follows_tags_may_note_and_remember_and_who_builds_anew_may_hand_in(spied: Spied) -> None:
    organisation, rows = "org_0123456789ab", Rows(spied.ledger.client, "table")
    tracked = DynamoTracked(organisation, rows)
    tracked.hook("hok")
    tracked.allowed()
    tracked.standing([Named(organisation, "shop", "web")])
    tracked.claim("a" * 64, "one", 1)
    tracked.note(spied.key, Moved(version=1, tag="v1", before="a", after="b", at_ts=1))
    tracked.note(spied.key, None)
    check("FollowTagsTenantRole", spied)
    workshop = DynamoWorkshop(organisation, spied.ledger, rows)
    workshop.hook("hok")
    assert workshop.build_anew(spied.key, "hok")
    (policy,) = TEMPLATE["Resources"]["BuildAgainTenantRole"]["Properties"]["Policies"]
    (handing,) = (each for each in policy["PolicyDocument"]["Statement"] if each["Sid"] == "HandInAgain")
    transactions = {action for action, _, _ in spied.asked if action == "dynamodb:TransactWriteItems"}
    assert transactions == {"dynamodb:TransactWriteItems"}, "which takes the rights of its parts, a put and an update"
    assert {"dynamodb:PutItem", "dynamodb:UpdateItem"} <= set(handing["Action"])
    spied.asked = [each for each in spied.asked if each[0] not in transactions]
    check("BuildAgainTenantRole", spied)


def test_the_api_has_what_its_requests_take_and_asks_for_one_organisation_s_keys(spied: Spied) -> None:
    rows = Rows(spied.ledger.client, "table")
    inventory = DynamoInventory("org_0123456789ab", spied.ledger, rows)
    component = inventory.component("shop", "web")
    assert component
    inventory.create("shop", "api", None, [], "tok")
    inventory.apps("", Span())
    inventory.app("shop")
    inventory.components("shop", "", Span())
    inventory.builds(component, Span())
    inventory.recent("shop", Span())
    inventory.change(component, "w", [])
    inventory.allow(inventory.allowed(), ["ghcr.io/*"], "tok")
    DynamoJournal("org_0123456789ab", rows).begin(Deed("adt", 1, "tok", "a", "b", "/", ""))
    DynamoAnswers("org_0123456789ab", rows).begin("k", "r", 1)
    DynamoAnswers("org_0123456789ab", rows).forget("k")
    record, _ = issue("org_0123456789ab", "a", ["read"], 1, 2, "x")
    tokens = DynamoTokens("org_0123456789ab", rows)
    tokens.add(record)
    tokens.used(record, 3)
    tokens.page(Span())
    tokens.revoke(record.id)
    hooks = DynamoHooks("org_0123456789ab", rows)
    hooks.add(hook := issue_hook("org_0123456789ab", "hok", "a", "quay", "note", 1, "x").record)
    hooks.page(Span())
    hooks.remove(hook.id)
    (policy,) = TEMPLATE["Resources"]["ApiTenantRole"]["Properties"]["Policies"]
    of_items, of_tokens, of_hooks = (
        {
            action
            for each in policy["PolicyDocument"]["Statement"]
            if each["Sid"] == sid
            for action in _many(each["Action"])
        }
        for sid in ("KeepItems", "KeepTokens", "KeepHooks")
    )
    assert {action for action, _, _ in spied.asked} <= of_items | of_tokens | of_hooks
    assert {kind for _, kind, _ in spied.asked} <= {"ORG", "TOKEN", "HOOK", ""}, "a query's key is in its condition"
    assert {action for action, kind, _ in spied.asked if kind == "HOOK"} <= of_hooks
    assert {action for action, kind, _ in spied.asked if kind == "TOKEN"} <= of_tokens
    spied.asked.clear()
    DynamoDoorkeeper(rows).find("org_0123456789ab", record.id)
    DynamoPorter(rows).find("org_0123456789ab", hook.id)
    assert [(action, kind) for action, kind, _ in spied.asked] == [
        ("dynamodb:GetItem", "TOKEN"),
        ("dynamodb:GetItem", "HOOK"),
    ]


def _many(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
