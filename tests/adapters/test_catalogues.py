"""One suite over everything that the command line hands configs in to and reads builds from."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING, NamedTuple

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws.dynamodb import DynamoLedger
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.adapters.remote.catalogue import RemoteCatalogue, build_of
from byoa.adapters.remote.wire import Wire
from byoa.api.documents import build_out
from byoa.builds.messages import AttachedTo, Failure, HistoryEntry, Inspection, MirroredArtifact, NamedObjects, Outcome
from byoa.builds.records import entry
from byoa.components.reading import check_config
from byoa.errors import ApiUnusable
from tests.api.loopback import listening
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.builds.messages import Build
    from byoa.builds.ports import Catalogue, Ledger
    from byoa.components.reading import ComponentConfig

TABLE = TEMPLATE["Resources"]["Table"]["Properties"]
ORG, APP = "org_0123456789ab", "shop"
CLOCK = SteppingClock()
INSPECTION = Inspection(
    format="flux", encrypted=False, templated=False, resources=3, kinds={"Service": 3}, namespaces=["web"],
    images=["a.example/b:v1"], usable_by={"byoa": True},
)  # fmt: skip


class Both(NamedTuple):
    """What people have, and what the pipeline has of the same."""

    catalogue: Catalogue
    ledger: Ledger


@pytest.fixture(params=["memory", "dynamodb", "api"])
def both(request: pytest.FixtureRequest) -> Iterator[Both]:
    if request.param == "memory":
        ledger = MemoryLedger(SteppingClock(), "table")
        yield Both(ledger, ledger)
    elif request.param == "api":
        with listening() as api:
            yield Both(RemoteCatalogue(Wire(api.address, api.served.token())), api.served.ledger)
    else:
        with mock_aws(), closing(boto3.client("dynamodb", "us-east-1")) as client:
            client.create_table(
                TableName="table",
                BillingMode="PAY_PER_REQUEST",
                **{name: TABLE[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")},
            )
            table = DynamoLedger(client, "table", SteppingClock())
            yield Both(table, table)


def config(text: str = "a: 1", name: str = "web", more: str = "") -> ComponentConfig:
    toml = f'name = "{name}"\ntype = "kubernetes_manifest"\nnamespace = "web"\nmanifest = "{text}"\n{more}'
    checked = check_config(toml)
    assert checked.config, checked.faults
    return checked.config


def line(status: str = "planning", text: str = "looking") -> HistoryEntry:
    return entry(status, text, CLOCK.now(), step="validate")  # type: ignore[arg-type]


def end(both: Both, build: Build, outcome: Outcome) -> None:
    both.ledger.begin(build.key, "one", line())
    both.ledger.keep_receipt(build.key, "one", '{"payloadType": "a", "payload": "", "signatures": []}')
    assert both.ledger.finish(build.key, "one", outcome, [line(outcome.status, "over")])


def active() -> Outcome:
    mirror = MirroredArtifact(
        target="ecr", reference="oci://1.example/a@sha256:00", tag="bld", digest="sha256:00", blobs_copied=2,
        blobs_skipped=0, bytes_copied=477,
    )  # fmt: skip
    return Outcome(status="active", digest="sha256:00", tag="v1", inspection=INSPECTION, mirrors=[mirror])


def test_what_is_handed_in_is_queued(both: Both) -> None:
    accepted = both.catalogue.submit(ORG, APP, config())
    assert accepted.created
    build = accepted.build
    assert (build.organisation, build.app, build.component, build.version) == (ORG, APP, "web", 1)
    assert (build.status, build.source_type, build.reference, build.ended) == ("queued", "inline", None, False)
    assert both.ledger.config(build.key).config == config()


@pytest.mark.parametrize(
    "more",
    [
        "",
        'dependencies = ["db"]\nvar_name = "x"\nbuild_timeout = "10m"\n',
        'labels = { a = "b", "c.d/e" = "f" }\nmax_auto_retries = 2\nskip_noops = true\n',
        'drift_schedule = "0 * * * *"\n',
    ],
)
def test_it_is_the_same_config_whichever_way_it_went(more: str, both: Both) -> None:
    wanted = config("line: 1\\n\\ttwo: \\u00e4", more=more)
    first = both.catalogue.submit(ORG, APP, wanted)
    assert both.ledger.config(first.build.key).config == wanted
    assert not both.catalogue.submit(ORG, APP, wanted).created


def test_a_file_goes_as_it_was_written(both: Both) -> None:
    toml = '# ours\nname = "web"\ntype = "kubernetes_manifest"\nmanifest = "a: 1"  # all of it\nnamespace = "web"\n'
    build = both.catalogue.submit(ORG, APP, config(), text=toml).build
    kept = both.ledger.config(build.key)
    assert (kept.text, kept.config) == (toml, config())


def test_the_same_content_makes_nothing_new_and_shows_the_build_as_it_is(both: Both) -> None:
    first = both.catalogue.submit(ORG, APP, config()).build
    both.ledger.begin(first.key, "one", line())
    again = both.catalogue.submit(ORG, APP, config())
    assert (again.created, again.build.build_id, again.build.status) == (False, first.build_id, "planning")


def test_other_content_is_the_next_version(both: Both) -> None:
    both.catalogue.submit(ORG, APP, config())
    accepted = both.catalogue.submit(ORG, APP, config("a: 2"))
    assert (accepted.created, accepted.build.version) == (True, 2)


def test_the_same_content_can_be_built_anew(both: Both) -> None:
    both.catalogue.submit(ORG, APP, config())
    accepted = both.catalogue.submit(ORG, APP, config(), anew=True)
    assert (accepted.created, accepted.build.version) == (True, 2)


def test_components_are_told_by_name(both: Both) -> None:
    for name in ("web", "db"):
        both.catalogue.submit(ORG, APP, config(name=name))
    assert both.catalogue.components(ORG, APP) == ["db", "web"]
    assert both.catalogue.components(ORG, "other") == []


def test_a_build_is_told_with_its_history_and_how_it_ended(both: Both) -> None:
    build = both.catalogue.submit(ORG, APP, config()).build
    end(both, build, active())
    found = both.catalogue.build(ORG, build.build_id)
    assert found
    assert [each.status_human_description for each in found.history] == ["waiting for the pipeline", "looking", "over"]
    assert (found.ended, found.status, found.outcome) == (True, "active", active())


def test_a_failure_is_told_with_what_to_do(both: Both) -> None:
    failure = Failure(code="ReferenceNotFound", cause="It isn't there.", remedy="Push it.", where="source")
    build = both.catalogue.submit(ORG, APP, config()).build
    end(both, build, Outcome(status="error", failure=failure))
    found = both.catalogue.build(ORG, build.build_id)
    assert found
    assert found.outcome
    assert found.outcome.failure == failure


@pytest.mark.parametrize("build_id", ["bldaaaaaaaaaaaaaaaaaaaaaaa", "nothing", "..", "a/b"])
def test_a_build_that_isn_t_there_is_none(build_id: str, both: Both) -> None:
    assert both.catalogue.build(ORG, build_id) is None
    assert both.catalogue.receipt(ORG, build_id) is None


def test_builds_are_told_newest_first_as_many_as_are_wanted(both: Both) -> None:
    made = [both.catalogue.submit(ORG, APP, config(f"a: {number}")).build for number in range(5)]
    made.append(both.catalogue.submit(ORG, APP, config(name="db")).build)
    ids = [build.build_id for build in reversed(made)]
    assert [build.build_id for build in both.catalogue.builds(ORG, APP, None, 100)] == ids
    assert [build.build_id for build in both.catalogue.builds(ORG, APP, None, 2)] == ids[:2]
    assert [build.build_id for build in both.catalogue.builds(ORG, APP, "web", 3)] == ids[1:4]
    assert both.catalogue.builds(ORG, APP, "nothing", 3) == []


def test_a_build_in_a_list_tells_when_it_was_made_and_how_it_is(both: Both) -> None:
    build = both.catalogue.submit(ORG, APP, config()).build
    end(both, build, active())
    (found,) = both.catalogue.builds(ORG, APP, None, 10)
    assert found.history[0].created_at_ts == build.history[0].created_at_ts
    assert (found.status, found.outcome) == ("active", active())


def test_a_receipt_is_that_of_a_build_that_went_well(both: Both) -> None:
    build = both.catalogue.submit(ORG, APP, config()).build
    assert both.catalogue.receipt(ORG, build.build_id) is None
    end(both, build, active())
    receipt = both.catalogue.receipt(ORG, build.build_id)
    assert receipt
    assert '"payloadType": "a"' in receipt


def test_what_is_attached_comes_with_what_it_refers_to(both: Both) -> None:
    build = both.catalogue.submit(ORG, APP, config()).build
    signed = AttachedTo(digest="sha256:1", tag="a.sig", subject="sha256:0", kind="signature")
    both.ledger.begin(build.key, "one", line())
    both.ledger.keep_objects(build.key, "one", NamedObjects(by_kind={}, left_out=0, attached=[signed]))
    assert both.catalogue.attached(ORG, build.build_id) == []
    end(both, build, active())
    assert both.catalogue.attached(ORG, build.build_id) == [signed]
    assert both.catalogue.attached(ORG, "bld" + "a" * 23) == []
    unsigned = both.catalogue.submit(ORG, APP, config("a: 2")).build
    end(both, unsigned, active())
    assert both.catalogue.attached(ORG, unsigned.build_id) == []


# ---- what another version of the API may say ---------------------------------------------------------------------


def told() -> dict[str, object]:
    build = MemoryLedger(SteppingClock()).submit(ORG, APP, config()).build
    ended = build.model_copy(update={"status": "active", "outcome": active()})
    return build_out(ended).model_dump(mode="json")


def test_what_a_newer_api_adds_is_passed_over() -> None:
    said = told()
    for part in (said, said["status_v2"], said["inspection"], said["mirrors"][0], said["status_v2"]["history"][0]):  # type: ignore[index]
        part["added"] = {"later": 1}  # type: ignore[index]
    assert build_of(said).outcome == active()


UNREAD = {"component_name", "created_at", "updated_at", "created_by_id", "oci_artifact", "receipt_id"}
"""What is told for others' eyes."""


@pytest.mark.parametrize("name", sorted(told().keys() - UNREAD - {"component_config_connection_id"}))
def test_what_lacks_a_part_is_told_as_unusable(name: str) -> None:
    said = told()
    del said[name]
    with pytest.raises(ApiUnusable, match="doesn't know"):
        build_of(said)


@pytest.mark.parametrize("name", sorted(told()))
@pytest.mark.parametrize("value", [7, [{}], {"a": 1}, "\x1b[2J", None], ids=ascii)
def test_no_part_of_another_kind_is_worse_than_unusable(name: str, value: object) -> None:
    with suppress(ApiUnusable):
        build_of({**told(), name: value})
