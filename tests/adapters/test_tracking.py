"""One suite over both implementations of what hooks and tags need of a store."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws.dynamodb import DynamoLedger
from byoa.adapters.aws.eventbridge import EventBus
from byoa.adapters.aws.hooks import BusBell, DynamoHooks, DynamoPorter
from byoa.adapters.aws.inventory import DynamoInventory
from byoa.adapters.aws.rows import Rows
from byoa.adapters.aws.stream import event_of
from byoa.adapters.aws.tracking import DynamoMentions, DynamoTracked, DynamoWorkshop
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.inventory import MemoryInventory
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.adapters.memory.tracking import MemoryHooks, MemoryMentions, MemoryTracked, MemoryWorkshop
from byoa.api.ports import Span
from byoa.components.reading import check_config
from byoa.errors import StoreThrottled
from byoa.tracking.messages import HOOKS_SOURCE, TAG_MOVED, Moved, RegistryPushed, TagMoved
from byoa.tracking.ports import Named
from byoa.tracking.records import ACTIONS, EVERY, Place, ecr_hook_id, issue, watch
from byoa.trust.allowed import Allowed
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.builds.messages import Build

TABLE = TEMPLATE["Resources"]["Table"]["Properties"]
ORG, OTHER, APP = "org_0123456789ab", "org_other0000000", "shop"
HOOK = "hok" + "a" * 23
URL = "oci://ghcr.io/vendor/app"
PLACE = ("ghcr.io", "vendor/app", "v1")
MOVED = Moved(version=1, tag="v1", before="sha256:0", after="sha256:1", at_ts=7, hook_id=HOOK)


class Stand:
    """Both organisations' parts of one store."""

    def __init__(self, client: Any = None) -> None:
        self.clock = SteppingClock()
        self.client = client
        self.asked: list[str] = []
        self.memory: dict[str, Any] = {name: {} for name in ("components", "hooks", "claims")}
        self.ledger: Any = DynamoLedger(client, "table", self.clock) if client else MemoryLedger(self.clock, "table")
        if client:
            client.meta.events.register(
                "provide-client-params.dynamodb", lambda model, **_: self.asked.append(model.name)
            )

    @property
    def _rows(self) -> Rows:
        return Rows(self.client, "table")

    def inventory(self, org: str = ORG) -> Any:
        if self.client:
            return DynamoInventory(org, self.ledger, self._rows)
        return MemoryInventory(org, self.ledger, self.memory["components"])

    def hooks(self, org: str = ORG) -> Any:
        return DynamoHooks(org, self._rows) if self.client else MemoryHooks(org, self.memory["hooks"])

    @property
    def porter(self) -> Any:
        return DynamoPorter(self._rows) if self.client else MemoryHooks("", self.memory["hooks"])

    @property
    def mentions(self) -> Any:
        return DynamoMentions(self._rows) if self.client else MemoryMentions(self.ledger)

    def tracked(self, org: str = ORG) -> Any:
        if self.client:
            return DynamoTracked(org, self._rows)
        hooks = self.memory["hooks"]
        return MemoryTracked(org, self.ledger, self.memory["components"], self.memory["claims"], hooks=hooks)

    def workshop(self, org: str = ORG) -> Any:
        if self.client:
            return DynamoWorkshop(org, self.ledger, self._rows)
        return MemoryWorkshop(org, self.ledger, self.memory["hooks"], self.memory["components"])

    def submit(self, name: str = "web", org: str = ORG, tag: str = 'tag = "v1"', url: str = URL) -> Build:
        body = f'name = "{name}"\ntype = "kubernetes_manifest"\nnamespace = "a"\n'
        checked = check_config(f'{body}[oci_artifact]\nurl = "{url}"\n{tag}\n')
        assert checked.config, checked.faults
        found: Build = self.inventory(org).submit(APP, checked.config).build
        return found


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


def names(found: Any) -> set[tuple[str, str]]:
    return {(each.organisation, each.component) for each in found}


# ---- hooks -----------------------------------------------------------------------------------------------------------


def test_a_hook_is_found_by_its_whole_name_until_it_is_removed(stand: Stand) -> None:
    for kind in ("github", "quay"):
        made = issue(ORG, f"hok{kind}", "a", kind, "build", 7, "tok").record
        assert stand.hooks().add(made)
        assert stand.porter.find(ORG, made.id) == stand.tracked().hook(made.id) == made
        assert stand.tracked(OTHER).hook(made.id) is None
        assert stand.porter.find(OTHER, made.id) is stand.porter.find(ORG, "hok") is None
    first, second = stand.hooks().page(Span()).items
    assert stand.hooks().page(Span(0, 1)).items == [first]
    assert stand.hooks(OTHER).page(Span()).items == []
    assert not stand.hooks(OTHER).remove(first.id)
    assert stand.hooks().remove(first.id)
    assert not stand.hooks().remove(first.id)
    assert stand.porter.find(ORG, first.id) is None
    assert stand.hooks().page(Span()).items == [second]


def test_of_a_place_in_ecr_an_organisation_has_one_hook(stand: Stand) -> None:
    place = Place("222222222222", "eu-west-1", "manifests")
    made, again = (watch(ORG, place, "a", action, 7, "tok") for action in ACTIONS)
    assert stand.hooks().add(made)
    assert not stand.hooks().add(again)
    assert stand.hooks(OTHER).add(watch(OTHER, place, "a", "build", 7, "tok"))
    assert stand.tracked().hook(ecr_hook_id(ORG, place)) == made
    assert stand.tracked().hook(ecr_hook_id(ORG, place._replace(repository=EVERY))) is None


def test_who_follows_tags_knows_the_organisation_s_policies(stand: Stand) -> None:
    assert stand.tracked().allowed() == Allowed()
    made = stand.inventory().allow(Allowed(), ["ghcr.io/vendor/*"], "tok")
    assert stand.tracked().allowed() == made
    assert stand.tracked(OTHER).allowed() == Allowed()


# ---- who names a tag -------------------------------------------------------------------------------------------------


def test_components_are_found_by_the_tag_that_their_newest_configs_name(stand: Stand) -> None:
    stand.submit("a")
    stand.submit("b", url="oci://GHCR.IO:443/vendor/app")
    stand.submit("c", org=OTHER)
    stand.submit("d", tag='tag = "v2"')
    stand.submit("e", tag=f'tag = "v1"\ndigest = "sha256:{"0" * 64}"')
    stand.submit("f", url="oci://ghcr.io/vendor/app:v1", tag="")
    assert names(stand.mentions.of(*PLACE, ORG)) == {(ORG, "a"), (ORG, "b"), (ORG, "f")}
    assert names(stand.mentions.of(*PLACE, OTHER)) == {(OTHER, "c")}
    assert names(stand.mentions.of(*PLACE, None)) == {(ORG, "a"), (ORG, "b"), (ORG, "f"), (OTHER, "c")}
    assert names(stand.mentions.of("ghcr.io", "vendor/app", "v3", None)) == set()


def test_a_component_that_names_another_tag_or_none_or_is_gone_is_found_there_no_more(stand: Stand) -> None:
    for name in ("a", "b", "c"):
        stand.submit(name)
    stand.submit("a", tag='tag = "v2"')
    inline = check_config('name = "b"\ntype = "kubernetes_manifest"\nnamespace = "a"\nmanifest = "a: 1"\n').config
    stand.inventory().submit(APP, inline)
    stand.inventory().remove(stand.inventory().component(APP, "c"))
    assert names(stand.mentions.of(*PLACE, None)) == set()
    assert names(stand.mentions.of("ghcr.io", "vendor/app", "v2", ORG)) == {(ORG, "a")}


def test_who_names_a_tag_is_one_query_and_how_they_stand_two_reads(dynamo: Stand) -> None:
    for number in range(30):
        dynamo.submit(f"c{number:02}")
    dynamo.asked.clear()
    found = dynamo.mentions.of(*PLACE, ORG)
    assert (len(found), dynamo.asked) == (30, ["Query"])
    dynamo.asked.clear()
    assert len(dynamo.tracked().standing(found)) == 30
    assert dynamo.asked == ["BatchGetItem", "BatchGetItem"]


# ---- what is noted ---------------------------------------------------------------------------------------------------


def test_a_move_is_noted_on_the_component_until_a_newer_config_is_handed_in(stand: Stand) -> None:
    build, web = stand.submit(), [Named(ORG, APP, "web")]
    assert [(each.build.version, each.moved) for each in stand.tracked().standing(web)] == [(1, None)]
    was = stand.inventory().component(APP, "web")
    stand.tracked().note(build.key, MOVED)
    assert stand.inventory().component(APP, "web").moved == MOVED
    assert [each.moved for each in stand.tracked().standing(web)] == [MOVED]
    assert stand.inventory().components(APP, "", Span()).items[0].moved == MOVED
    stand.tracked().note(build.key, None)
    assert stand.inventory().component(APP, "web") == was
    stand.tracked().note(build.key, MOVED)
    stand.submit(tag='tag = "v2"')
    assert stand.inventory().component(APP, "web").moved is None


def test_what_is_gone_or_has_no_build_stands_nowhere_and_nothing_is_noted_of_it(stand: Stand) -> None:
    build = stand.submit()
    stand.inventory().create(APP, "empty", None, [], "tok")
    stand.inventory().remove(stand.inventory().component(APP, "web"))
    stand.tracked().note(build.key, MOVED)
    assert stand.inventory().component(APP, "web") is None
    assert stand.tracked().standing([Named(ORG, APP, each) for each in ("web", "empty", "none")]) == []


def test_a_delivery_is_claimed_once_for_each_organisation(stand: Stand) -> None:
    first, second = "a" * 64, "b" * 64
    assert stand.tracked().claim(first, "one", 1)
    assert stand.tracked().claim(first, "one", 2)
    assert not stand.tracked().claim(first, "two", 3)
    assert stand.tracked().claim(second, "two", 3)
    assert stand.tracked(OTHER).claim(first, "two", 3)


def test_the_bus_hears_of_a_move_once(dynamo: Stand) -> None:
    build = dynamo.submit()
    place = {"pk": {"S": f"ORG#{ORG}"}, "sk": {"S": f"COMPONENT#{APP}#web"}}

    def item() -> Any:
        return dynamo.client.get_item(TableName="table", Key=place)["Item"]

    before = item()
    dynamo.tracked().note(build.key, MOVED)
    after = item()
    assert after["news"] == {"BOOL": True}, "the stream's filter passes nothing else on"
    told = event_of({"dynamodb": {"OldImage": before, "NewImage": after}})
    wanted = {"organisation": ORG, "app": APP, "component": "web", "version": 1, "tag": "v1", "hook_id": HOOK}
    assert told == (
        TAG_MOVED,
        TagMoved.model_validate({**wanted, "before": "sha256:0", "after": "sha256:1", "moved_at_ts": 7}),
    )
    assert event_of({"dynamodb": {"OldImage": after, "NewImage": after}}) is None
    dynamo.tracked().note(build.key, None)
    assert event_of({"dynamodb": {"OldImage": after, "NewImage": item()}}) is None
    dynamo.tracked().note(build.key, MOVED)
    dynamo.submit(tag='tag = "v2"')
    assert "news" not in item()


# ---- building anew ---------------------------------------------------------------------------------------------------


def test_the_newest_config_is_built_anew_and_no_other(stand: Stand) -> None:
    first = stand.submit()
    build = stand.workshop().build_anew(first.key, HOOK)
    assert (build.version, build.created_by, build.status) == (2, HOOK, "queued")
    inventory = stand.inventory()
    assert inventory.config(APP, "web", 2).config == inventory.config(APP, "web", 1).config
    assert inventory.component(APP, "web").version == 2
    assert stand.workshop().build_anew(first.key, HOOK) is None
    inventory.remove(inventory.component(APP, "web"))
    assert stand.workshop().build_anew(build.key, HOOK) is None
    assert inventory.component(APP, "web") is None


def test_a_component_that_goes_while_it_is_built_anew_does_not_come_back(dynamo: Stand) -> None:
    first = dynamo.submit()

    def meanwhile(**_: Any) -> None:
        dynamo.client.meta.events.unregister("before-call.dynamodb.TransactWriteItems", meanwhile)
        dynamo.inventory().remove(dynamo.inventory().component(APP, "web"))

    dynamo.client.meta.events.register("before-call.dynamodb.TransactWriteItems", meanwhile)
    assert dynamo.workshop().build_anew(first.key, HOOK) is None
    assert dynamo.inventory().component(APP, "web") is None


def test_the_workshop_knows_the_organisation_s_own_hooks(stand: Stand) -> None:
    made = issue(ORG, HOOK, "a", "quay", "build", 7, "tok").record
    stand.hooks().add(made)
    assert stand.workshop().hook(HOOK) == made
    assert stand.workshop(OTHER).hook(HOOK) is None


# ---- the bell --------------------------------------------------------------------------------------------------------


def test_the_bell_rings_in_the_hooks_own_name_or_says_that_it_did_not() -> None:
    put: list[Any] = []

    class Events:
        refuses = False

        def put_events(self, Entries: list[Any]) -> Any:  # noqa: N803 - boto3's
            put.extend(Entries)
            return {"Entries": [{"ErrorCode": "ThrottlingException"} if self.refuses else {"EventId": "1"}]}

    events: Any = Events()
    bell = BusBell(EventBus(events, "bus", HOOKS_SOURCE))
    pushed = RegistryPushed(
        organisation=ORG, hook_id=HOOK, kind="quay", registry="quay.io", repository="a/b", tags=["v1"]
    )
    bell.ring(pushed)
    assert [(each["Source"], each["DetailType"]) for each in put] == [("io.byoa.hooks", "Registry Pushed")]
    assert RegistryPushed.model_validate_json(put[0]["Detail"]) == pushed
    events.refuses = True
    with pytest.raises(StoreThrottled):
        bell.ring(pushed)
