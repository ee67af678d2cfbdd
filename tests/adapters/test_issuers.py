"""One suite over both places that rules on issuers, and their keys, are kept in."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws.issuers import DynamoIssuers
from byoa.adapters.aws.office import DynamoDoorkeeper
from byoa.adapters.aws.rows import Rows
from byoa.adapters.memory.inventory import MemoryTokens
from byoa.adapters.memory.issuers import MemoryIssuers
from byoa.api.doorkeeping import IssuerRule, KeptKeys
from byoa.errors import StoreThrottled
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = TEMPLATE["Resources"]["Table"]["Properties"]
ORG, OTHER = "org_0123456789ab", "org_other0000000"
ISSUER = "https://ci.example"
KEY = {"kty": "RSA", "kid": "one", "n": "AQAB", "e": "AQAB"}


class Stand:
    """Two organisations' parts of one store."""

    def __init__(self, client: Any = None) -> None:
        self.client = client
        self.memory: tuple[dict[Any, Any], ...] = ({}, {}, {})

    def issuers(self, org: str = ORG) -> Any:
        return DynamoIssuers(org, Rows(self.client, "table")) if self.client else MemoryIssuers(org, *self.memory)

    @property
    def doorkeeper(self) -> Any:
        return DynamoDoorkeeper(Rows(self.client, "table")) if self.client else MemoryTokens("", {}, self.issuers)


@pytest.fixture
def dynamo() -> Iterator[Stand]:
    with mock_aws(), closing(boto3.client("dynamodb", "us-east-1")) as client:
        client.create_table(
            TableName="table",
            BillingMode="PAY_PER_REQUEST",
            **{name: TABLE[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")},
        )
        yield Stand(client)


@pytest.fixture(params=["memory", "dynamodb"])
def stand(request: pytest.FixtureRequest) -> Stand:
    found: Stand = request.getfixturevalue("dynamo") if request.param == "dynamodb" else Stand()
    return found


def rule(name: str = "main") -> IssuerRule:
    return IssuerRule(
        organisation=ORG, id=f"iss{name}", name=name, issuer=ISSUER, audience="byoa",
        claims={"sub": ("a", "b*")}, scopes=("read", "sync"), created_at_ts=7, created_by="tok", installs=("inl1",),
    )  # fmt: skip


def test_rules_are_kept_in_their_order_and_found_by_whoever_opens_the_door(stand: Stand) -> None:
    assert stand.issuers().rules() == stand.doorkeeper.rules(ORG) == []
    for name in ("b", "a"):
        stand.issuers().add(rule(name))
    assert stand.issuers().rules() == stand.doorkeeper.rules(ORG) == [rule("b"), rule("a")]
    assert stand.issuers(OTHER).rules() == stand.doorkeeper.rules(OTHER) == []


def test_a_rule_is_removed_once(stand: Stand) -> None:
    for name in ("a", "b"):
        stand.issuers().add(rule(name))
    assert not stand.issuers(OTHER).remove("issa")
    assert stand.issuers().remove("issa")
    assert not stand.issuers().remove("issa")
    assert stand.issuers().rules() == [rule("b")]
    assert stand.issuers().remove("issb")
    stand.issuers().add(rule("c"))
    assert stand.doorkeeper.rules(ORG) == [rule("c")]


def test_keys_are_an_organisation_s_and_an_issuer_s_to_the_letter(stand: Stand) -> None:
    keys = KeptKeys([KEY], 1_700_000_000_000)
    assert stand.doorkeeper.keys(ORG, ISSUER) is None
    stand.issuers().keep(ISSUER, keys)
    assert stand.doorkeeper.keys(ORG, ISSUER) == keys
    assert stand.doorkeeper.keys(ORG, f"{ISSUER}/") is stand.doorkeeper.keys(OTHER, ISSUER) is None
    newer = KeptKeys([{**KEY, "kid": "two"}], keys.fetched_ts + 1)
    stand.issuers().keep(ISSUER, newer)
    assert stand.doorkeeper.keys(ORG, ISSUER) == newer


def test_questions_are_counted_for_a_minute(stand: Stand) -> None:
    def ask(org: str = ORG, what: str = ISSUER, now_ts: int = 60_000) -> bool:
        return bool(stand.issuers(org).may_ask(what, 2, now_ts))

    assert [ask() for _ in range(3)] == [True, True, False]
    assert ask(now_ts=119_999) is False
    assert ask(now_ts=120_000) is ask(OTHER) is ask(what="new") is True


def test_two_who_change_rules_at_once_lose_none(dynamo: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = DynamoIssuers._put
    seen: list[int] = []

    def late(self: DynamoIssuers, rules: list[IssuerRule], revision: int) -> bool:
        if not seen:
            seen.append(1)
            dynamo.issuers().add(rule("first"))
        return whole(self, rules, revision)

    monkeypatch.setattr(DynamoIssuers, "_put", late)
    dynamo.issuers().add(rule("second"))
    assert dynamo.issuers().rules() == [rule("first"), rule("second")]
    monkeypatch.setattr(DynamoIssuers, "_put", lambda *_: False)
    with pytest.raises(StoreThrottled):
        dynamo.issuers().add(rule("third"))
