"""Items of the table: boto3's types, and JSON text for what has parts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from byoa.adapters.aws.table import dump, load

PLAIN = st.none() | st.booleans() | st.integers(-(10**37), 10**37) | st.text()
VALUES = PLAIN | st.lists(PLAIN)


@given(st.dictionaries(st.text(min_size=1), VALUES))
def test_plain_data_is_typed_as_boto3_types_it(data: dict[str, Any]) -> None:
    serializer = TypeSerializer()
    assert dump(data) == {name: serializer.serialize(value) for name, value in data.items()}


@given(st.dictionaries(st.text(min_size=1).map("x-{}".format), VALUES))
def test_an_item_reads_as_what_was_written(data: dict[str, Any]) -> None:
    assert load(dump(data)) == data


@given(st.lists(st.dictionaries(st.text(), PLAIN)))
def test_what_has_parts_is_kept_as_text_and_read_as_parts(history: list[dict[str, Any]]) -> None:
    item = dump({"history": history})
    assert [json.loads(each["S"]) for each in item["history"]["L"]] == history
    assert load(item) == {"history": history}


@pytest.mark.parametrize("value", [1.5, object()])
def test_what_an_item_has_no_type_for_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        dump({"size": value})


@pytest.mark.parametrize("value", [{"M": {}}, {"B": b""}, {"SS": ["a"]}, {"N": "1.5"}, {"X": "?"}])
def test_a_type_that_is_never_written_is_named(value: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="attribute colour is of a type"):
        load({"colour": value})
