"""One suite over both ledgers."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws.dynamodb import DynamoLedger
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.builds.messages import AttachedTo, BuildKey, Failure, MirroredArtifact, NamedObjects, Outcome, build_id_of
from byoa.builds.records import HISTORY, TEXT_KEPT, entry
from byoa.components.reading import check_config
from byoa.errors import DuplicateEvent, EventUntrusted, StaleVersion
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.builds.messages import HistoryEntry
    from byoa.components.reading import ComponentConfig

TABLE = TEMPLATE["Resources"]["Table"]["Properties"]
ORG, APP = "org_0123456789ab", "shop"
CLOCK = SteppingClock()


@pytest.fixture(params=["memory", "dynamodb"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryLedger(SteppingClock(), "table")
        return
    with mock_aws(), closing(boto3.client("dynamodb", "us-east-1")) as client:
        client.create_table(
            TableName="table",
            BillingMode="PAY_PER_REQUEST",
            **{name: TABLE[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")},
        )
        yield DynamoLedger(client, "table", SteppingClock())


def id_of(key: BuildKey) -> str:
    return build_id_of(key, "table")


def config(text: str = "a: 1", name: str = "web") -> ComponentConfig:
    checked = check_config(f'name = "{name}"\ntype = "kubernetes_manifest"\nnamespace = "web"\nmanifest = "{text}"\n')
    assert checked.config, checked.faults
    return checked.config


def line(text: str = "step") -> HistoryEntry:
    return entry("planning", text, CLOCK.now(), step="validate")


def failed() -> Outcome:
    return Outcome(status="error", failure=Failure(code="Timeout", cause="late", remedy="again"))


def done(seconds: float) -> Outcome:
    numbers = {"blobs_copied": 2, "blobs_skipped": 0, "bytes_copied": 477, "seconds": seconds}
    mirror = MirroredArtifact(target="ecr", reference="oci://x/y@z", tag="bld", digest="z", **numbers)
    return Outcome(status="active", mirrors=[mirror])


def test_a_config_that_is_handed_in_queues_version_one(ledger: Any) -> None:
    accepted = ledger.submit(ORG, APP, config())
    assert accepted.created
    assert (accepted.build.version, accepted.build.status) == (1, "queued")
    assert ledger.config(accepted.build.key).config == config()
    assert ledger.build(ORG, accepted.build.build_id) == accepted.build


def test_the_same_content_makes_nothing_new_unless_its_build_failed(ledger: Any) -> None:
    first = ledger.submit(ORG, APP, config()).build
    assert not ledger.submit(ORG, APP, config()).created
    ledger.finish(first.key, "one", failed(), [entry("error", "late", CLOCK.now())])
    again = ledger.submit(ORG, APP, config())
    assert again.created
    assert again.build.version == 2


def test_the_file_that_was_handed_in_is_kept_the_newest_of_those_that_say_the_same(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config(), text="# one").build.key
    assert ledger.config(key).text == "# one"
    assert not ledger.submit(ORG, APP, config(), text="# two").created
    assert ledger.config(key).text == "# two"
    assert not ledger.submit(ORG, APP, config()).created
    assert ledger.config(key).text == "# two", "fields say nothing of it"
    assert ledger.config(ledger.build_anew(key, "hok").key).text == "# two"


def test_a_long_file_is_told_by_its_content_again(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config(), text="# one").build.key
    longest = "#" * TEXT_KEPT
    ledger.submit(ORG, APP, config(), text=longest)
    assert ledger.config(key).text == longest
    ledger.submit(ORG, APP, config(), text=longest + "ä")
    assert ledger.config(key).text is None
    assert ledger.submit(ORG, APP, config(), text=longest + "#", anew=True).build.version == 2
    assert ledger.config(key.model_copy(update={"version": 2})).text is None


def test_one_execution_has_a_build_and_may_ask_again(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config()).build.key
    assert ledger.begin(key, "one", line()).version == 1
    ledger.begin(key, "one", line())
    with pytest.raises(DuplicateEvent):
        ledger.begin(key, "two", line())


def test_an_event_about_an_unknown_config_is_untrusted(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config()).build.key
    with pytest.raises(EventUntrusted):
        ledger.begin(key.model_copy(update={"version": 7}), "one", line())


def test_an_overtaken_build_can_neither_begin_nor_go_on(ledger: Any) -> None:
    old = ledger.submit(ORG, APP, config("a: 1")).build.key
    ledger.begin(old, "one", line())
    ledger.submit(ORG, APP, config("a: 2"))
    with pytest.raises(StaleVersion):
        ledger.progress(old, "one", [line()])
    with pytest.raises(StaleVersion):
        ledger.begin(old, "one", line())


def test_a_build_that_was_overtaken_before_it_began_never_begins_and_ends_as_it_must(ledger: Any) -> None:
    old = ledger.submit(ORG, APP, config("a: 1")).build.key
    new = ledger.submit(ORG, APP, config("a: 2")).build.key
    ledger.submit(ORG, APP, config("a: 3"))
    for key in (old, new):
        with pytest.raises(StaleVersion):
            ledger.begin(key, "one", line())
        ended = ledger.finish(key, "one", Outcome(status="superseded"), [entry("superseded", "newer", CLOCK.now())])
        assert ended.status == "superseded"


def test_a_build_that_is_overtaken_at_its_end_does_not_become_active(ledger: Any) -> None:
    old = ledger.submit(ORG, APP, config("a: 1")).build.key
    ledger.begin(old, "one", line())
    ledger.submit(ORG, APP, config("a: 2"))
    with pytest.raises(StaleVersion):
        ledger.finish(old, "one", Outcome(status="active"), [entry("active", "ready", CLOCK.now())])
    ended = ledger.finish(old, "one", Outcome(status="superseded"), [entry("superseded", "newer", CLOCK.now())])
    assert ended.status == "superseded"
    assert ledger.finish(old, "one", Outcome(status="active"), [entry("active", "no", CLOCK.now())]) is None


def test_progress_begins_with_the_status_that_the_build_is_in(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config()).build.key
    building = entry("building", "fetching", CLOCK.now())
    with pytest.raises(StaleVersion):
        ledger.progress(key, "one", [line()])
    ledger.begin(key, "one", line())
    with pytest.raises(StaleVersion):
        ledger.progress(key, "one", [building])
    ledger.progress(key, "one", [line(), building])
    ledger.progress(key, "one", [line(), building])  # a step that is tried again
    with pytest.raises(StaleVersion):
        ledger.progress(key, "one", [line()])
    assert ledger.build(ORG, id_of(key)).status == "building"


def test_the_first_outcome_stands(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config()).build.key
    ended = ledger.finish(key, "one", failed(), [entry("error", "late", CLOCK.now())])
    assert ended
    assert ended.status == "error"
    assert ended.outcome == failed()
    assert ledger.finish(key, "one", Outcome(status="active"), [entry("active", "no", CLOCK.now())]) is None
    with pytest.raises(StaleVersion):
        ledger.progress(key, "one", [line()])


def test_a_receipt_shows_once_its_build_is_active_and_the_first_one_stays(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config()).build.key
    ledger.begin(key, "one", line())
    ledger.keep_receipt(key, "one", "first")
    assert ledger.receipt(ORG, id_of(key)) is None
    ledger.finish(key, "one", Outcome(status="active"), [entry("active", "ready", CLOCK.now())])
    ledger.keep_receipt(key, "one", "second")
    assert ledger.receipt(ORG, id_of(key)) == "first"
    assert ledger.receipt("org_0123456789abc", id_of(key)) is None
    assert [build.version for build in ledger.builds(ORG, APP, None, 10)] == [1]


def test_names_of_objects_show_as_the_receipt_does(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config()).build.key
    ledger.begin(key, "one", line())
    signed = [AttachedTo(digest="sha256:1", subject="sha256:0", kind="signature")]
    held, other = (
        NamedObjects(by_kind={"Secret": [name]}, left_out=1, attached=signed) for name in ("vendor/web", "other")
    )
    ledger.keep_objects(key, "one", held)
    ledger.keep_objects(key, "two", other)
    ledger.keep_receipt(key, "one", "beside it")
    assert ledger.objects(ORG, id_of(key)) is None
    assert ledger.attached(ORG, id_of(key)) == []
    ledger.finish(key, "one", Outcome(status="active"), [entry("active", "ready", CLOCK.now())])
    ledger.keep_objects(key, "one", other)
    assert ledger.objects(ORG, id_of(key)) == held
    assert ledger.attached(ORG, id_of(key)) == signed
    assert ledger.objects("org_0123456789abc", id_of(key)) is None
    assert ledger.receipt(ORG, id_of(key)) == "beside it"


def test_a_build_that_failed_shows_no_receipt(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config()).build.key
    ledger.keep_receipt(key, "one", "first")
    ledger.finish(key, "one", failed(), [entry("error", "late", CLOCK.now())])
    assert ledger.receipt(ORG, id_of(key)) is None
    assert ledger.receipt(ORG, "bldaaaaaaaaaaaaaaaaaaaaaaa") is None


def test_an_outcome_comes_back_as_it_was_with_its_fractions(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config()).build.key
    ledger.begin(key, "one", line())
    ledger.finish(key, "one", done(0.1), [entry("active", "ready", CLOCK.now())])
    assert ledger.build(ORG, id_of(key)).outcome == done(0.1)


def test_history_keeps_its_order_and_its_last_line_is_the_status(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config()).build.key
    ledger.begin(key, "one", line("first"))
    ledger.progress(key, "one", [line("second"), line("third")])
    build = ledger.build(ORG, id_of(key))
    assert [each.status_human_description for each in build.history][1:] == ["first", "second", "third"]
    assert build.status_human_description == "third"
    assert build.metadata == {"step": "validate"}


def test_builds_are_listed_with_the_newest_first(ledger: Any) -> None:
    for text in ("a: 1", "a: 2", "a: 3"):
        ledger.submit(ORG, APP, config(text))
    ledger.submit(ORG, APP, config(name="api"))
    assert [build.version for build in ledger.builds(ORG, APP, "web", 2)] == [3, 2]
    assert [build.component for build in ledger.builds(ORG, APP, None, 10)] == ["api", "web", "web", "web"]
    assert ledger.components(ORG, APP) == ["api", "web"]


def test_another_organisation_sees_nothing(ledger: Any) -> None:
    build = ledger.submit(ORG, APP, config()).build
    other = "org_0123456789abc"
    assert ledger.build(other, build.build_id) is None
    assert ledger.builds(other, APP, None, 10) == []
    assert ledger.components(other, APP) == []


# ---- whose a build is --------------------------------------------------------------------------------------------


def test_another_execution_neither_goes_on_with_a_build_nor_ends_it(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config()).build.key
    ledger.begin(key, "one", line())
    with pytest.raises(DuplicateEvent):
        ledger.progress(key, "two", [line()])
    with pytest.raises(DuplicateEvent):
        ledger.check_running(key, "two")
    for outcome in (failed(), Outcome(status="superseded"), Outcome(status="active")):
        assert ledger.finish(key, "two", outcome, [entry(outcome.status, "no", CLOCK.now())]) is None
    ledger.check_running(key, "one")
    assert ledger.build(ORG, id_of(key)).status == "planning"


def test_only_the_receipt_of_the_execution_that_has_the_build_shows(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config()).build.key
    ledger.begin(key, "one", line())
    ledger.keep_receipt(key, "two", "of another")
    ledger.keep_receipt(key, "one", "ours")
    ledger.finish(key, "one", Outcome(status="active"), [entry("active", "ready", CLOCK.now())])
    assert ledger.receipt(ORG, id_of(key)) == "ours"


def test_what_nobody_has_begun_anybody_may_end_but_not_as_active(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config()).build.key
    with pytest.raises((StaleVersion, DuplicateEvent)):
        ledger.progress(key, "one", [entry("queued", "no", CLOCK.now())])
    with pytest.raises((StaleVersion, DuplicateEvent)):
        ledger.check_running(key, "one")
    assert ledger.finish(key, "one", Outcome(status="active"), [entry("active", "no", CLOCK.now())]) is None
    assert ledger.finish(key, "one", failed(), [entry("error", "late", CLOCK.now())]).status == "error"


def test_what_nobody_has_begun_is_not_ended_by_who_would_have_to_have_begun_it(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config()).build.key
    late = [entry("error", "late", CLOCK.now())]
    assert ledger.finish(key, "one", failed(), late, begun=True) is None
    assert ledger.look(key).status == "queued"
    ledger.begin(key, "one", line())
    assert ledger.finish(key, "two", failed(), late, begun=True) is None
    assert ledger.finish(key, "one", failed(), late, begun=True).status == "error"


def test_a_build_that_is_silent_is_given_up_whoever_has_it(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config()).build.key
    ledger.begin(key, "one", line())
    assert ledger.give_up(key, failed(), [entry("error", "late", CLOCK.now())]).status == "error"
    assert ledger.give_up(key, failed(), [entry("error", "late", CLOCK.now())]) is None


def test_a_build_that_is_overtaken_or_has_ended_is_not_gone_on_with(ledger: Any) -> None:
    old = ledger.submit(ORG, APP, config("a: 1")).build.key
    ledger.begin(old, "one", line())
    new = ledger.submit(ORG, APP, config("a: 2")).build.key
    ledger.begin(new, "one", line())
    ledger.finish(new, "one", failed(), [entry("error", "late", CLOCK.now())])
    for key in (old, new):
        with pytest.raises(StaleVersion):
            ledger.check_running(key, "one")


def test_a_build_s_time_runs_from_when_it_was_first_begun(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config()).build.key
    first = line()
    assert ledger.begin(key, "one", first).begun_ts == first.created_at_ts
    assert ledger.begin(key, "one", line()).begun_ts == first.created_at_ts
    assert ledger.build(ORG, id_of(key)).build_timeout_ms == 300_000


# ---- a record that is full ---------------------------------------------------------------------------------------


def test_a_full_history_takes_no_more_but_the_status_and_the_end(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config()).build.key
    ledger.begin(key, "one", line())
    ledger.progress(key, "one", [line(str(number)) for number in range(HISTORY - 2)])
    ledger.progress(key, "one", [line("more"), entry("building", "and more", CLOCK.now(), step="stage")])
    build = ledger.build(ORG, id_of(key))
    assert (len(build.history), build.left_out) == (HISTORY, 2)
    assert (build.status, build.status_human_description, build.metadata) == ("building", "and more", {"step": "stage"})
    with pytest.raises(StaleVersion):
        ledger.progress(key, "one", [line()])
    ended = ledger.finish(key, "one", failed(), [entry("error", "late", CLOCK.now())])
    assert (ended.status, ended.history[-1].status_human_description) == ("error", "late")


def test_a_build_whose_item_has_no_room_is_ended_all_the_same() -> None:
    with mock_aws(), closing(boto3.client("dynamodb", "us-east-1")) as client:
        client.create_table(
            TableName="table",
            BillingMode="PAY_PER_REQUEST",
            **{name: TABLE[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")},
        )
        ledger = DynamoLedger(client, "table", SteppingClock())
        key = ledger.submit(ORG, APP, config()).build.key
        ledger.begin(key, "one", line())
        for _ in range(8):
            ledger.progress(key, "one", [line("x" * 65_000)])
        build = ledger.build(ORG, id_of(key))
        assert build
        assert build.left_out > 0
        assert len(build.history) + build.left_out == 2 + 8
        ended = ledger.finish(key, "one", failed(), [line("before"), entry("error", "late" * 4096, CLOCK.now())])
    assert ended
    assert (ended.status, ended.outcome) == ("error", failed())
    assert [each.status_human_description[:6] for each in ended.history] == ["the li", "before", "latela"]


# ---- builds that are left behind ---------------------------------------------------------------------------------

LATER = 4_000_000_000_000


def test_builds_that_have_not_ended_are_found_the_oldest_first(ledger: Any) -> None:
    waits = ledger.submit(ORG, APP, config(name="waits")).build
    runs = ledger.submit("org_ba9876543210", APP, config(name="runs")).build
    ended = ledger.submit(ORG, APP, config(name="ended")).build
    ledger.begin(runs.key, "one", line())
    ledger.finish(ended.key, "one", failed(), [entry("error", "late", CLOCK.now())])
    assert list(ledger.unfinished(LATER)) == [waits.key, runs.key]
    assert list(ledger.unfinished(runs.created_at_ts)) == [waits.key]
    assert ledger.look(runs.key).status == "planning"
    assert ledger.look(runs.key.model_copy(update={"version": 7})) is None


def test_a_build_that_waits_can_be_told_of_again_and_says_when(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config()).build.key
    assert ledger.tell_again(key, 7)
    (found,) = ledger.unfinished(LATER)
    build = ledger.look(found)
    assert (build.status, build.told_again_ts) == ("queued", 7)


def test_a_build_that_has_begun_is_not_told_of_again(ledger: Any) -> None:
    key = ledger.submit(ORG, APP, config()).build.key
    ledger.begin(key, "one", line())
    assert not ledger.tell_again(key, 7)


def test_ids_of_two_tables_differ_for_the_same_version() -> None:
    key = BuildKey(organisation=ORG, app=APP, component="web", version=1)
    assert build_id_of(key, "byoa-Table-1") != build_id_of(key, "byoa-Table-2")
    assert build_id_of(key, "byoa-Table-1") == build_id_of(key, "byoa-Table-1")
