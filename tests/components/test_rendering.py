"""A config written as TOML reads as the same config."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byoa.components.reading import check_config, check_document
from byoa.components.rendering import fields_of, render_toml
from tests.docs.blocks import ROOT

EXAMPLES = sorted((ROOT / "examples" / "components").glob("*.toml"))
HEAD = {"name": "web", "type": "kubernetes_manifest", "namespace": "web"}
ODD = {
    **HEAD,
    "oci_artifact": {"url": "oci://ghcr.io/vendor/app", "tag": "v1", "credentials_ref": "ghcr"},
    "labels": {"a.b/c": 'quote " backslash \\ del', "team": "ключ"},
    "operation_roles": [{"operation": "deploy", "role": "a"}, {"operation": "teardown", "role": "{{.nuon.x}}"}],
    "health": {"stabilization_window": "3m", "probes": [{"type": "http", "name": "x"}]},
    "max_auto_retries": 3,
    "skip_noops": True,
    "dependencies": ["a", "b"],
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_stays_what_it_says(path: object) -> None:
    config = check_config(path.read_text()).config  # type: ignore[attr-defined]
    if config is None:  # its manifest is a file
        return
    assert check_config(render_toml(config)).config == config


def test_every_kind_of_field_comes_back() -> None:
    checked = check_document(ODD)
    assert checked.config, checked.faults
    again = check_config(render_toml(checked.config))
    assert again.config == checked.config, again.faults
    assert check_document(fields_of(checked.config)).config == checked.config


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_manifest_comes_back_to_the_character(text: str) -> None:
    checked = check_document({**HEAD, "manifest": f"a: {text}\n{text}"})
    if checked.config is None:
        return
    assert tomllib.loads(render_toml(checked.config))["manifest"] == f"a: {text}\n{text}"


def test_fields_have_the_faults_of_a_file() -> None:
    checked = check_document({**HEAD, "name": "A", "nonsense": 1})
    assert {(fault.field, fault.code) for fault in checked.faults} == {
        ("name", "field_value"), ("nonsense", "field_unknown"), ("", "source_missing"),
    }  # fmt: skip
