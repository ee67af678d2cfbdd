"""Lists over a table of 10,000 components, 10,000 builds of one and 1,000 organisations: one query a page, wherever.

All lists, configs among them, are in tests/adapters/test_inventories.py: what these cost at any size.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item, LimitedSizeDict
from moto.dynamodb.models.table import Table

from byoa.adapters.aws.listed import handed_in
from byoa.adapters.aws.office import DynamoJournal, DynamoTokens
from byoa.api.ports import Deed
from byoa.api.tokens import DAY_MS, issue
from byoa.builds.messages import BuildKey, build_id_of
from tests.api.served import APP, ORG, OTHER
from tests.api.tabled import Tabled, table

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY: Final = 10_000
ORGANISATIONS: Final = 1000
LIMIT: Final = 100
BUSY, WIDE = ORG, OTHER
"""Who has a component of so many builds, and who has so many components."""


@pytest.fixture(scope="module")
def vast() -> Iterator[Tabled]:
    """Moto sorts all items of a table for a query of an index: by their keys, all of them text, it takes a fifth."""
    with pytest.MonkeyPatch.context() as patch, table() as client:
        patch.setattr(Table, "all_items", _in_order)
        found = Tabled(client=client)
        with pytest.MonkeyPatch.context() as unmeasured:  # else the whole item is measured for each attribute put in
            unmeasured.delattr(LimitedSizeDict, "__setitem__")
            _fill(found)
        yield found


def _in_order(table: Table) -> list[Item]:
    items = (item for of_key in table.items.values() for item in of_key.values())
    return sorted(items, key=lambda item: (item.hash_key.value, item.range_key.value))


def _fill(vast: Tabled) -> None:
    """Copies of what a config that is handed in leaves there, put in by moto's own hands: writes are not the matter."""
    put = dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables["table"].put_item
    series = vast.table.own_series
    one = {item["sk"]["S"].partition("#")[0]: item for item in vast.submit(BUSY, "web")}
    for version in range(2, MANY + 1):
        build_id = build_id_of(BuildKey(organisation=BUSY, app=APP, component="web", version=version), series)
        new, tail = {"version": {"N": str(version)}}, f"{APP}#web#{version:010d}"
        at_ts, key = vast.now_ts + version, BuildKey(organisation=BUSY, app=APP, component="web", version=version)
        by_id, of_config, of_build = (text(**each) for each in handed_in(key, at_ts))
        put(one["BUILD"] | new | text(sk=f"BUILD#{tail}", build_id=build_id) | of_build)
        put(one["CONFIG"] | new | text(sk=f"CONFIG#{tail}") | of_config)
        put(one["BUILDID"] | text(sk=f"BUILDID#{build_id}") | by_id)
    put(one["COMPONENT"] | {"version": {"N": str(MANY)}})
    journal, tokens = DynamoJournal(WIDE, vast.rows), DynamoTokens(BUSY, vast.rows)
    for number in range(LIMIT + 1):
        journal.begin(Deed(f"adt{number:023d}", vast.now_ts + number, "tok", "a", "create", "/v1", ""))
        tokens.add(issue(BUSY, "a", ["read"], vast.now_ts, vast.now_ts + DAY_MS, "x")[0])
    (component,) = (item for item in vast.submit(WIDE, "c00000") if item["sk"]["S"].startswith("COMPONENT#"))
    for number in range(1, MANY):
        name = f"c{number:05d}"
        put(component | text(sk=f"COMPONENT#{APP}#{name}", component=name))
    for number in range(ORGANISATIONS):
        org = f"org_{number:012d}"
        put(component | text(pk=f"ORG#{org}", organisation=org))


def text(**values: str) -> dict[str, Any]:
    return {name: {"S": value} for name, value in values.items()}


def cursor(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


COMPONENTS: Final = f"/v1/apps/{APP}/components"
LISTS: Final = {
    "components": (WIDE, f"{COMPONENTS}?", f"c{MANY // 2:05d}", ["Query", "BatchGetItem"]),
    "components whose names begin so": (WIDE, f"{COMPONENTS}?q=c05&", "c05500", ["Query", "BatchGetItem"]),
    "builds": (BUSY, f"{COMPONENTS}/web/builds?", str(MANY // 2), ["GetItem", "Query"]),
    "builds of an app": (BUSY, f"/v1/builds?app_id={APP}&", "", ["Query", "BatchGetItem"]),
    "builds of an app that have not ended": (
        BUSY,
        f"/v1/builds?app_id={APP}&status=unfinished&",
        "",
        ["Query", "BatchGetItem"],
    ),
    "builds of the organisation": (BUSY, "/v1/builds?", "", ["Query", "BatchGetItem"]),
    "builds of the organisation that have not ended": (
        BUSY,
        "/v1/builds?status=unfinished&",
        "",
        ["Query", "BatchGetItem"],
    ),
    "tokens": (BUSY, "/v1/tokens?", "", ["Query"]),
    "audit": (WIDE, "/v1/audit?", "", ["Query"]),
}
"""Whose, where, a place in the middle, and what is read for a page once the caller's token has been."""


@pytest.mark.parametrize("name", LISTS)
def test_a_page_is_one_query_over_no_more_than_it_shows(name: str, vast: Tabled) -> None:
    org, path, middle, reads = LISTS[name]
    page = f"{path}limit={LIMIT}"
    for place in (page, f"{page}&cursor={cursor(middle)}") if middle else (page,):
        answer = vast.look(org, place)
        assert (answer.status, answer.headers["X-Nuon-Page-Next"]) == (200, "true"), (place, answer.text)
        assert vast.reads == ["GetItem", *reads], place
        assert len(answer.json) == LIMIT
        assert vast.gone_over <= LIMIT + 1, place


@pytest.mark.parametrize("name", ["builds of an app", "builds of the organisation that have not ended"])
def test_the_next_page_goes_on_where_the_one_before_ended(name: str, vast: Tabled) -> None:
    org, path, _, reads = LISTS[name]
    first = vast.look(org, f"{path}limit={LIMIT}")
    following = vast.look(org, first.headers["Link"].partition("<")[2].partition(">")[0])
    assert vast.reads == ["GetItem", *reads]
    assert vast.gone_over == LIMIT + 1
    shown = [each["component_config_version"] for each in (*first.json, *following.json)]
    assert shown == [*range(MANY, MANY - 2 * LIMIT, -1)]


def test_builds_are_a_range_of_keys_at_any_offset(vast: Tabled) -> None:
    answer = vast.look(BUSY, f"{COMPONENTS}/web/builds?limit={LIMIT}&offset={MANY - LIMIT}")
    assert vast.reads == ["GetItem", "GetItem", "Query"]
    assert (len(answer.json), vast.gone_over, answer.headers["X-Nuon-Page-Next"]) == (LIMIT, LIMIT, "false")


def test_an_offset_into_components_is_read_up_to_in_the_same_query(vast: Tabled) -> None:
    answer = vast.look(WIDE, f"{COMPONENTS}?limit=10&offset=990")
    assert [each["name"] for each in answer.json] == [f"c{number:05d}" for number in range(990, 1000)]
    assert (vast.gone_over, vast.reads) == (1001, ["GetItem", "Query", "BatchGetItem"])


def test_nobody_s_list_grows_with_the_number_of_organisations(vast: Tabled) -> None:
    org = f"org_{ORGANISATIONS // 2:012d}"
    answer = vast.look(org, f"{COMPONENTS}?limit={LIMIT}")
    assert (len(answer.json), vast.gone_over) == (1, 1)
    assert vast.reads == ["GetItem", "Query", "BatchGetItem"]


def test_one_of_ten_thousand_is_read_alone(vast: Tabled) -> None:
    answer = vast.look(WIDE, f"{COMPONENTS}/c09999")
    assert (answer.status, answer.json["name"], vast.gone_over) == (200, "c09999", 0)
    assert vast.reads == ["GetItem", "GetItem", "BatchGetItem"]
