"""One suite over both implementations of what the API needs, and what lists of DynamoDB cost."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws import reads
from byoa.adapters.aws.dynamodb import DynamoLedger
from byoa.adapters.aws.inventory import DynamoInventory
from byoa.adapters.aws.office import DynamoAnswers, DynamoDoorkeeper, DynamoJournal, DynamoTokens
from byoa.adapters.aws.rows import Rows
from byoa.adapters.aws.stream import event_of
from byoa.adapters.aws.table import dump
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.inventory import MemoryAnswers, MemoryInventory, MemoryJournal, MemoryTokens
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.api.ports import Deed, Kept, Span
from byoa.api.tokens import issue, session_of
from byoa.builds.messages import Failure, Outcome
from byoa.builds.records import entry, milliseconds
from byoa.components.reading import check_config
from byoa.errors import DuplicateEvent, StaleVersion
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.components.reading import ComponentConfig

TABLE = TEMPLATE["Resources"]["Table"]["Properties"]
ORG, OTHER, APP = "org_0123456789ab", "org_other0000000", "shop"


class Stand:
    """Both organisations' parts of one store, and what was asked of it."""

    def __init__(self, client: Any = None) -> None:
        self.clock = SteppingClock()
        self.client = client
        self.asked: list[str] = []
        self.memory: dict[str, Any] = {name: {} for name in ("components", "tokens", "deeds", "answers")}
        self.ledger: Any = DynamoLedger(client, "table", self.clock) if client else MemoryLedger(self.clock, "table")
        if client:
            client.meta.events.register("provide-client-params.dynamodb", self._note)

    def _note(self, model: Any, **_: Any) -> None:
        self.asked.append(model.name)

    @property
    def _rows(self) -> Rows:
        return Rows(self.client, "table")

    def inventory(self, org: str = ORG) -> Any:
        if self.client:
            return DynamoInventory(org, self.ledger, self._rows)
        return MemoryInventory(org, self.ledger, self.memory["components"])

    def tokens(self, org: str = ORG) -> Any:
        return DynamoTokens(org, self._rows) if self.client else MemoryTokens(org, self.memory["tokens"])

    @property
    def doorkeeper(self) -> Any:
        return DynamoDoorkeeper(self._rows) if self.client else MemoryTokens("", self.memory["tokens"])

    def journal(self, org: str = ORG) -> Any:
        return DynamoJournal(org, self._rows) if self.client else MemoryJournal(org, self.memory["deeds"])

    def answers(self, org: str = ORG) -> Any:
        return DynamoAnswers(org, self._rows) if self.client else MemoryAnswers(org, self.memory["answers"])


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


def config(name: str = "web", text: str = "a: 1") -> ComponentConfig:
    checked = check_config(f'name = "{name}"\ntype = "kubernetes_manifest"\nnamespace = "web"\nmanifest = "{text}"\n')
    assert checked.config, checked.faults
    return checked.config


def read(part: Any, span: Span) -> list[Any]:
    """A list, part by part; ``part`` gives one for a span."""
    found, place = [], span
    while True:
        page = part(place)
        found.append(page.items)
        if page.more is None:
            return found
        place = Span(0, span.limit, page.more)


def test_a_component_is_made_once_and_found(stand: Stand) -> None:
    inventory = stand.inventory()
    made = inventory.create(APP, "web", "w", ["database"], "tok")
    assert inventory.create(APP, "web", None, [], "tok") is None
    assert inventory.component(APP, "web") == made
    assert (made.version, made.var_name, made.dependencies, made.created_by) == (0, "w", ("database",), "tok")
    assert inventory.component("other", "web") is inventory.component(APP, "none") is None
    assert stand.inventory(OTHER).component(APP, "web") is None


def test_a_config_makes_the_component_or_becomes_its_newest(stand: Stand) -> None:
    inventory = stand.inventory()
    made = inventory.create(APP, "web", None, [], "tok")
    build = inventory.submit(APP, config(), by="tok2").build
    found = inventory.component(APP, "web")
    assert (found.version, found.created_at_ts, found.created_by) == (1, made.created_at_ts, "tok")
    assert found.updated_at_ts == build.created_at_ts
    assert inventory.build(build.build_id).created_by == "tok2"
    assert inventory.config(APP, "web", 1).created_by == "tok2"
    assert inventory.submit(APP, config("api"), by="tok2").created
    assert inventory.component(APP, "api").created_by == "tok2"


def test_the_same_content_is_built_anew_when_it_is_asked_for(stand: Stand) -> None:
    inventory = stand.inventory()
    first = inventory.submit(APP, config())
    assert not inventory.submit(APP, config()).created
    again = inventory.submit(APP, config(), anew=True)
    assert (again.created, again.build.version) == (True, 2)
    assert inventory.config(APP, "web", 1).fingerprint == inventory.config(APP, "web", 2).fingerprint
    with pytest.raises(StaleVersion):
        stand.ledger.begin(first.build.key, "one", entry("planning", "begun", stand.clock.now()))


def test_a_change_is_made_to_what_was_seen_alone(stand: Stand) -> None:
    inventory = stand.inventory()
    was = inventory.create(APP, "web", None, [], "tok")
    changed = inventory.change(was, "w", ["database"])
    assert (changed.var_name, changed.dependencies, changed.created_by) == ("w", ("database",), "tok")
    assert inventory.component(APP, "web") == changed
    assert inventory.change(was, "v", []) is None
    assert inventory.remove(was) is False


def test_a_component_that_is_deleted_builds_no_more_and_comes_back_where_it_was(stand: Stand) -> None:
    inventory = stand.inventory()
    build = inventory.submit(APP, config()).build
    assert inventory.remove(inventory.component(APP, "web"))
    assert inventory.component(APP, "web") is None
    assert inventory.components(APP, "", Span()).items == []
    if stand.client:  # in memory nothing runs between the two calls that delete
        with pytest.raises(StaleVersion):
            stand.ledger.begin(build.key, "one", entry("planning", "begun", stand.clock.now()))
    ended = inventory.cancel(inventory.build(build.build_id), "The component was deleted.", "tok")
    assert ended.status == "error"
    assert inventory.build(build.build_id).outcome.failure.code == "BuildCancelled"
    assert inventory.cancel(ended, "again", "tok") is None
    back = inventory.submit(APP, config()).build
    assert (back.version, back.build_id != build.build_id) == (2, True)
    assert inventory.remove(inventory.component(APP, "web"))
    assert inventory.create(APP, "web", None, [], "tok").version == 2
    assert inventory.submit(APP, config()).build.version == 3


def test_a_running_build_that_is_cancelled_stops_at_its_next_write(stand: Stand) -> None:
    inventory = stand.inventory()
    build = inventory.submit(APP, config()).build
    line = entry("planning", "begun", stand.clock.now())
    stand.ledger.begin(build.key, "one", line)
    assert inventory.cancel(build, "Somebody cancelled the build.", "tok")
    with pytest.raises((StaleVersion, DuplicateEvent)):
        stand.ledger.progress(build.key, "one", [line])


def test_an_app_is_listed_from_its_first_component_on_and_stays(stand: Stand) -> None:
    inventory = stand.inventory()
    assert inventory.apps("", Span()) == ([], None)
    build = inventory.submit("shop", config(), by="tok").build
    inventory.submit("shop", config("api"), by="tok2")
    inventory.create("shelf", "web", None, [], "tok3")
    inventory.create("bar", "web", None, [], "tok3")
    stand.inventory(OTHER).submit("others", config())
    parts = read(lambda span: inventory.apps("", span), Span(limit=2))
    assert [[each.name for each in part] for part in parts] == [["bar", "shelf"], ["shop"]]
    assert [each.name for each in inventory.apps("sh", Span(1, 5)).items] == ["shop"]
    assert inventory.app("shop") == ("shop", build.created_at_ts, "tok")
    assert inventory.remove(inventory.component("shop", "web"))
    assert inventory.remove(inventory.component("shop", "api"))
    assert inventory.app("shop").created_by == "tok"
    inventory.submit("shop", config(), by="tok4")
    assert inventory.app("shop").created_by == "tok"
    assert inventory.app("sho") is inventory.app("others") is None


def test_components_are_listed_by_name_in_parts(stand: Stand) -> None:
    inventory = stand.inventory()
    for name in ("b", "a", "c", "a1", "a-2"):
        inventory.create(APP, name, None, [], "tok")
    inventory.create("shop2", "z", None, [], "tok")
    stand.inventory(OTHER).create(APP, "x", None, [], "tok")
    parts = read(lambda span: inventory.components(APP, "", span), Span(limit=2))
    assert [[each.name for each in part] for part in parts] == [["a", "a-2"], ["a1", "b"], ["c"]]
    assert [each.name for each in inventory.components(APP, "a", Span(1, 5)).items] == ["a-2", "a1"]
    parts = read(lambda span: inventory.components(APP, "a", span), Span(limit=3))
    assert [[each.name for each in part] for part in parts] == [["a", "a-2", "a1"]]
    assert inventory.components(APP, "", Span(0, 5, "zzz")).items == []
    assert inventory.components(APP, "", Span(99, 5)) == ([], None)
    inventory.create("shop-2", "y", None, [], "tok")
    inventory.create("bar", "w", None, [], "tok")
    parts = read(lambda span: inventory.components(None, "", span), Span(limit=3))
    told = [[(each.app, each.name) for each in part] for part in parts]
    assert told == [
        [("bar", "w"), (APP, "a"), (APP, "a-2")],
        [(APP, "a1"), (APP, "b"), (APP, "c")],
        [("shop-2", "y"), ("shop2", "z")],
    ]


def test_builds_and_configs_are_listed_newest_first_in_parts(stand: Stand) -> None:
    inventory = stand.inventory()
    for number in range(5):
        inventory.submit(APP, config(text=f"a: {number}"))
    component = inventory.component(APP, "web")
    for part in (inventory.builds, inventory.configs):
        parts = read(lambda span, part=part: part(component, span), Span(limit=2))
        assert [[each.version for each in items] for items in parts] == [[5, 4], [3, 2], [1]]
        assert [each.version for each in part(component, Span(1, 2)).items] == [4, 3]
        assert part(component, Span(5, 2)) == ([], None)
        assert part(component, Span(0, 2, "nonsense")).items == []
    empty = replace(component, version=0)
    assert inventory.builds(empty, Span()) == ([], None)


def test_builds_of_an_app_are_listed_newest_first_in_parts(stand: Stand) -> None:
    inventory = stand.inventory()
    for number, name in enumerate(("a", "b", "a", "c", "b")):
        inventory.submit(APP, config(name, f"a: {number}"))
    inventory.submit("shop2", config())
    stand.inventory(OTHER).submit(APP, config())
    parts = read(lambda span: inventory.recent(APP, span), Span(limit=2))
    told = [[(each.component, each.version) for each in part] for part in parts]
    assert told == [[("b", 2), ("c", 1)], [("a", 2), ("b", 1)], [("a", 1)]]
    assert [each.component for each in inventory.recent(APP, Span(3, 5)).items] == ["b", "a"]
    assert inventory.recent(APP, Span(0, 2, "nonsense")).items == []
    assert inventory.newest([inventory.component(APP, name) for name in "abc"])[APP, "a"].version == 2
    assert inventory.newest([]) == {}


def test_a_config_that_comes_after_another_is_taken_after_that_one_alone(stand: Stand) -> None:
    inventory = stand.inventory()
    assert inventory.submit_after(APP, config(), 1, by="tok") is None
    first = inventory.submit_after(APP, config(), 0, by="tok")
    assert (first.build.version, first.build.created_by) == (1, "tok")
    assert inventory.submit_after(APP, config("web", "a: 2"), 0, by="tok") is None
    assert inventory.submit_after(APP, config("web", "a: 2"), 1, by="tok").build.version == 2
    inventory.create(APP, "empty", None, [], "tok")
    assert inventory.submit_after(APP, config("empty"), 0, by="tok").build.version == 1
    inventory.remove(inventory.component(APP, "web"))
    assert inventory.submit_after(APP, config("web", "a: 3"), 2, by="tok") is None
    assert inventory.submit_after(APP, config("web", "a: 3"), 0, by="tok").build.version == 3


def test_nothing_comes_between_what_is_read_and_what_is_written(dynamo: Stand) -> None:
    inventory = dynamo.inventory()
    inventory.submit(APP, config())

    def meanwhile(**_: Any) -> None:
        dynamo.client.meta.events.unregister("before-call.dynamodb.TransactWriteItems", meanwhile)
        assert inventory.submit_after(APP, config("web", "a: 2"), 1, by="tok")

    dynamo.client.meta.events.register("before-call.dynamodb.TransactWriteItems", meanwhile)
    assert inventory.submit_after(APP, config("web", "a: 3"), 1, by="tok") is None
    assert inventory.component(APP, "web").version == 2


PLACES = (("shop", "a"), ("shop2", "b"), ("shop", "b"), ("shop", "c"), ("shop2", "a"))


def by(inventory: Any, app: str | None, stage: Any = None) -> list[list[tuple[str, str]]]:
    parts = read(lambda span: inventory.recent(app, span, stage), Span(limit=2))
    return [[(each.app, each.component) for each in part] for part in parts]


def finish(stand: Stand, build: Any, status: Any) -> None:
    """The build is begun and ends so."""
    stand.ledger.begin(build.key, "one", entry("planning", "begun", stand.clock.now()))
    failure = None if status == "active" else Failure(code="Timeout", cause="late", remedy="again")
    outcome = Outcome(status=status, digest="sha256:0" if failure is None else None, failure=failure)
    stand.ledger.finish(build.key, "one", outcome, [entry(status, "ended", stand.clock.now())])


def test_builds_of_all_apps_and_by_how_they_stand_are_listed_in_parts(stand: Stand) -> None:
    inventory = stand.inventory()
    made = [inventory.submit(app, config(name, "a: 1")).build for app, name in PLACES]
    stand.inventory(OTHER).submit(APP, config())
    assert by(inventory, None) == [[("shop2", "a"), ("shop", "c")], [("shop", "b"), ("shop2", "b")], [("shop", "a")]]
    assert by(inventory, None, "unfinished") == by(inventory, None)
    for build, status in ((made[3], "error"), (made[0], "error"), (made[1], "active"), (made[4], "error")):
        finish(stand, build, status)
    assert by(inventory, None, "error") == [[("shop2", "a"), ("shop", "a")], [("shop", "c")]], "by when they ended"
    assert by(inventory, APP, "error") == [[("shop", "a"), ("shop", "c")]]
    assert by(inventory, None, "active") == [[("shop2", "b")]]
    assert by(inventory, "shop2", "unfinished") == by(inventory, APP, "superseded") == by(inventory, "shop3") == [[]]
    assert by(inventory, None, "unfinished") == [[("shop", "b")]]
    assert [len(part) for part in by(inventory, None)] == [2, 2, 1]
    assert {build.stage for build in inventory.recent(None, Span()).items} == {"error", "active", "unfinished"}


@pytest.mark.parametrize("app", [None, APP])
@pytest.mark.parametrize("stage", [None, "unfinished"])
def test_what_is_no_place_of_a_list_of_builds_is_its_end(stand: Stand, app: str | None, stage: Any) -> None:
    inventory = stand.inventory()
    for name in "abc":
        inventory.submit(APP, config(name))
    place = inventory.recent(app, Span(0, 1), stage).more
    assert [build.component for build in inventory.recent(app, Span(0, 5, place), stage).items] == ["b", "a"]
    for none in ("nonsense", f"{place}#", f"#{place}", "9" * 13 + "#a#b#c", place[1:], ""):
        assert inventory.recent(app, Span(0, 2, none), stage).items == []


def test_a_build_that_has_just_ended_is_not_shown_as_one_that_hasn_t(dynamo: Stand) -> None:
    """An index is a moment behind the table."""
    build = dynamo.inventory().submit(APP, config()).build
    place = {"pk": {"S": f"ORG#{ORG}"}, "sk": {"S": f"BUILD#{APP}#web#0000000001"}}
    dynamo.client.update_item(
        TableName="table", Key=place, UpdateExpression="SET #s = :s", ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": {"S": "active"}},
    )  # fmt: skip
    assert dynamo.inventory().recent(APP, Span(), "unfinished").items == []
    assert [each.build_id for each in dynamo.inventory().recent(APP, Span()).items] == [build.build_id]


def test_while_a_page_is_made_an_item_is_read_once_and_again_after_a_write(dynamo: Stand) -> None:
    inventory = dynamo.inventory()
    inventory.submit(APP, config("web"))
    dynamo.asked.clear()
    with reads.once():
        first = [inventory.component(APP, "web") for _ in range(3)]
        assert dynamo.asked == ["GetItem"]
        inventory.submit(APP, config("web", "a: 2"))
        reads.forget()
        assert [each and each.version for each in (*first, inventory.component(APP, "web"))] == [1, 1, 1, 2]
    dynamo.asked.clear()
    for _ in range(2):
        inventory.component(APP, "web")
    assert dynamo.asked == ["GetItem"] * 2


def test_while_a_page_is_made_what_a_list_has_is_not_read_again(dynamo: Stand) -> None:
    inventory = dynamo.inventory()
    inventory.submit(APP, config("web"))
    inventory.submit("shop2", config("web"))
    dynamo.asked.clear()
    with reads.once():
        every = inventory.components(None, "", Span()).items
        assert {(each.app, each.name) for each in every} == {(APP, "web"), ("shop2", "web")}
        assert [inventory.component(each.app, each.name) for each in every] == every
        newest = inventory.newest(every)
        assert set(newest) == {(APP, "web"), ("shop2", "web")}
        assert inventory.newest(every) == newest
        assert inventory.newest([replace(every[0], name="none")]) == inventory.newest([replace(every[0], name="none")])
    assert dynamo.asked == ["Query", "BatchGetItem", "BatchGetItem"]
    dynamo.asked.clear()
    with reads.once():
        (listed,) = inventory.recent(APP, Span()).items
        assert inventory.build(listed.build_id) == listed
    assert dynamo.asked == ["Query", "BatchGetItem", "GetItem"]  # an index has its keys alone


def test_every_list_is_one_query_a_page_and_one_batch_for_builds(dynamo: Stand) -> None:
    inventory = dynamo.inventory()
    for number in range(30):
        inventory.submit(APP, config(f"c{number:02}"))
        inventory.submit(APP, config("web", f"a: {number}"))
        inventory.create(f"app{number:02}", "web", None, [], "tok")
        dynamo.journal().begin(Deed(f"adt{number}", number, "tok", "a", "create", "/v1", ""))
        dynamo.tokens().add(issue(ORG, "a", ["read"], 0, 1, "x")[0])
    component = inventory.component(APP, "web")
    for page, cost in (
        (lambda span: inventory.apps("", span), ["Query"]),
        (lambda span: inventory.components(APP, "", span), ["Query"]),
        (lambda span: inventory.components(None, "", span), ["Query"]),
        (lambda span: inventory.builds(component, span), ["Query"]),
        (lambda span: inventory.configs(component, span), ["Query"]),
        *(
            (lambda span, app=app, stage=stage: inventory.recent(app, span, stage), ["Query", "BatchGetItem"])
            for app in (APP, None)
            for stage in (None, "unfinished")
        ),
        (dynamo.journal().page, ["Query"]),
        (dynamo.tokens().page, ["Query"]),
    ):
        for span in (Span(), Span(20, 10), Span(0, 10, page(Span(10, 10)).more)):
            dynamo.asked.clear()
            assert len(page(span).items) == 10
            assert dynamo.asked == cost
    dynamo.asked.clear()
    inventory.newest(inventory.components(APP, "", Span(0, 30)).items)
    assert dynamo.asked == ["Query", "BatchGetItem"]


def test_policies_are_changed_as_they_were_seen_and_a_build_is_held_to_them(stand: Stand) -> None:
    inventory = stand.inventory()
    first = inventory.allowed()
    assert (first.references, first.version, first.updated_by) == (("*",), 0, None)
    made = inventory.allow(first, ["ghcr.io/vendor/*"], "tok")
    assert (made.references, made.version, made.updated_by) == (("ghcr.io/vendor/*",), 1, "tok")
    assert inventory.allow(first, ["*"], "tok") is None
    assert stand.ledger.allowed(ORG) == inventory.allowed() == made
    assert inventory.allow(made, [], "tok2").version == 2
    assert inventory.allow(made, ["*"], "tok") is None
    assert inventory.allowed().references == ()
    assert stand.inventory(OTHER).allowed() == first


def test_the_bus_hears_of_a_component_that_was_deleted(dynamo: Stand) -> None:
    inventory = dynamo.inventory()
    inventory.submit(APP, config())
    inventory.remove(inventory.component(APP, "web"))
    item = dynamo.client.get_item(
        TableName="table", Key=dump({"pk": f"ORG#{ORG}", "sk": f"DELETED#{APP}#web"})
    )["Item"]  # fmt: skip
    assert item["news"] == {"BOOL": True}
    told = event_of({"dynamodb": {"NewImage": item}})
    assert told
    assert told[0] == "Component Deleted"
    assert told[1].model_dump(exclude={"deleted_at_ts"}) == {"organisation": ORG, "app": APP, "component": "web"}


def test_the_oldest_session_of_a_token_ends_when_there_are_too_many(stand: Stand) -> None:
    tokens, parents = stand.tokens(), [issue(ORG, name, ["read"], 0, 10**13, "x")[0] for name in ("a", "b")]
    for parent in parents:
        tokens.add(parent)
    made = [session_of(parents[0], number)[0] for number in range(5)]
    other = session_of(parents[1], 1)[0]
    tokens.open(other, 3)
    for session in made:
        tokens.open(session, 3)
    found = [stand.doorkeeper.find(ORG, session.id) for session in made]
    assert found == [None, None, *made[2:]]
    assert [stand.doorkeeper.find(ORG, each.id) for each in (other, *parents)] == [other, *parents]
    assert len(read(tokens.page, Span(limit=100))[0]) == 6, "what lists sessions is no token"


def test_a_token_is_found_by_both_of_its_names_listed_and_revoked(stand: Stand) -> None:
    records = sorted(
        (issue(ORG, f"t{n}", ["read", "sync"], 5, 10, "x", ["inl1", "inl2"][:n])[0] for n in range(3)),
        key=lambda it: it.id,
    )
    for record in records:
        stand.tokens().add(record)
    assert stand.doorkeeper.find(ORG, records[0].id) == records[0]
    assert stand.doorkeeper.find(OTHER, records[0].id) is None
    assert stand.doorkeeper.find(ORG, "tok" + "a" * 23) is None
    parts = read(stand.tokens().page, Span(limit=2))
    assert [each for part in parts for each in part] == records
    assert stand.tokens(OTHER).page(Span()).items == []
    assert not stand.tokens(OTHER).revoke(records[0].id)
    assert stand.tokens().revoke(records[0].id)
    assert not stand.tokens().revoke(records[0].id)
    assert stand.doorkeeper.find(ORG, records[0].id) is None


def test_last_use_is_noted_by_who_is_first_and_brings_nothing_back(stand: Stand) -> None:
    record, _ = issue(ORG, "a", ["read"], 5, 10, "x")
    stand.tokens().add(record)
    stand.tokens().used(record, 7)
    stand.tokens().used(record, 9)
    assert stand.doorkeeper.find(ORG, record.id).last_used_ts == 7
    stand.tokens().used(stand.doorkeeper.find(ORG, record.id), 9)
    assert stand.doorkeeper.find(ORG, record.id).last_used_ts == 9
    stand.tokens().revoke(record.id)
    stand.tokens().used(record, 11)
    assert stand.doorkeeper.find(ORG, record.id) is None


def test_deeds_are_listed_newest_first(stand: Stand) -> None:
    deeds = [Deed(f"adt{n}", n, "tok", "ci", "create_build", "/v1/x", "192.0.2.1") for n in range(3)]
    for deed in deeds:
        stand.journal().begin(deed)
    stand.journal().end(deeds[1], 201)
    assert stand.journal().page(Span()).items == [deeds[2], replace(deeds[1], status=201), deeds[0]]
    assert stand.journal(OTHER).page(Span()).items == []
    assert [len(part) for part in read(stand.journal().page, Span(limit=2))] == [2, 1]


def test_an_answer_is_kept_for_a_day_and_a_claim_for_a_minute(stand: Stand) -> None:
    answers, now_ts = stand.answers(), milliseconds(stand.clock.now())
    assert answers.begin("k", "r", now_ts) is None
    assert answers.begin("k", "r", now_ts + 1) == Kept("r", now_ts)
    assert stand.answers(OTHER).begin("k", "r", now_ts) is None
    answers.keep("k", Kept("r", now_ts, 201, "[]"))
    day_ts = int(timedelta(days=1).total_seconds() * 1000)
    assert answers.begin("k", "other", now_ts + day_ts - 1) == Kept("r", now_ts, 201, "[]")
    assert answers.begin("k", "other", now_ts + day_ts) is None
    answers.forget("k")
    assert answers.begin("k", "r", now_ts) is None
    assert answers.begin("k", "r", now_ts + 60_000) is None, "who claimed it is gone"
