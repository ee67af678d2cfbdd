"""What a config may say: each row of ``references.toml`` ends as it says, before anybody is asked anything."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from byoa.components.reading import check_config
from byoa.errors import ByoaError
from byoa.oci.reference import Reference
from byoa.trust.policy import Policy
from tests.hostile.rows import named, rows

POLICY: Final = Policy("123456789012", "byoa", own_hosts=frozenset({"mirror.example.com"}))
FILE: Final = "references.toml"


def _filled(row: dict[str, Any], text: str) -> str:
    return text.replace("~", "a" * row.get("fill", 1))


def _cases() -> list[Any]:
    cases = []
    for row in rows(FILE, "urls", "url"):
        for url in row.get("urls") or [row["url"]]:
            for field in ("tags", "digests"):
                cases += [(row, url, {field[:-1]: text}) for text in row.get(field, ())]
            if "tags" not in row and "digests" not in row:
                cases.append((row, url, {}))
    return [pytest.param(*case, id=f"{named(case[0])} {number}") for number, case in enumerate(cases)]


@pytest.mark.parametrize(("row", "url", "more"), _cases())
def test_a_reference_ends_as_its_row_says(row: dict[str, Any], url: str, more: dict[str, str]) -> None:
    more = {field: _filled(row, text) for field, text in more.items()}
    tag = None if more or url.count("@") > 1 else "v1"
    error = None
    try:
        reference = Reference.of(_filled(row, url), **{"tag": tag, **more})
        POLICY.check_source(reference, row.get("credentials_ref"))
    except ByoaError as caught:
        error = caught
    assert (error.code if error else None) == row.get("wanted"), error
    if error:
        assert "canary" not in error.as_json()
        assert error.as_json().isascii()
        assert len(error.cause) < 512


@pytest.mark.parametrize("row", rows(FILE, "same"), ids=named)
def test_one_registry_has_one_name(row: dict[str, Any]) -> None:
    assert len({Reference.parse(url) for url in row["same"]}) == 1


def _config(**more: str) -> str:
    fields = {"name": "web", "type": "kubernetes_manifest", "namespace": "vendor"}
    artifact = {"url": "oci://reg.example.com/a", "tag": "v1"}
    (artifact if "credentials_ref" in more else fields).update(more)
    lines = [f"{name} = {json.dumps(text)}" for name, text in fields.items()]
    return "\n".join([*lines, "[oci_artifact]", *(f"{name} = {json.dumps(text)}" for name, text in artifact.items())])


@pytest.mark.parametrize(("field", "of_the_row"), [("credentials_ref", "refs"), ("name", "components")])
def test_a_name_ends_as_its_row_says(field: str, of_the_row: str) -> None:
    for row in rows(FILE, of_the_row):
        for text in row[of_the_row]:
            checked = check_config(_config(**{field: _filled(row, text)}))
            assert (checked.config is None) == ("wanted" in row), (row["id"], text, checked.faults)
