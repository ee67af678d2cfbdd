"""Nuon's placeholders, from a file's text to the objects that are applied."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from byoa.content.documents import read_resources
from byoa.errors import ByoaError, DocumentInvalid, TemplateInvalid
from byoa.installs.rendering import render

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
INPUTS = {
    "who": 'a "b"\nc: d\n---\nkind: Secret', "count": 3, "text": "3", "on": True, "yes": "yes", "none": "", "nil": None,
    "html": 'a&"c"', "list": [1], "null": "null",
}  # fmt: skip
STATE: dict[str, Any] = {"inputs": {"inputs": INPUTS}, "install": {"id": "inl1", "name": "shop"}}


def objects(text: str) -> list[dict[str, Any]]:
    found: list[Any] = []
    read_resources(text.encode(), keep=found.append, exact=True)
    return [render(each, STATE) for each in found]


def value(text: str) -> Any:
    (found,) = objects(f"{HEAD}data:\n  v: {text}\n")
    return found["data"]["v"]


@pytest.mark.parametrize(
    ("written", "rendered"),
    [
        ("'{{ .nuon.install.name }}'", "shop"),
        ("{{.nuon.install.id}}-x", "inl1-x"),
        ("'a {{- .nuon.install.id -}} b'", "ainl1b"),
        ("{{ .nuon.inputs.inputs.count }}", 3),
        ("{{ .nuon.inputs.inputs.text }}", 3),
        ("'{{ .nuon.inputs.inputs.text }}'", "3"),
        ("{{ .nuon.inputs.inputs.text | quote }}", "3"),
        ("{{ .nuon.inputs.inputs.on }}", True),
        ("{{ .nuon.inputs.inputs.yes }}", True),
        ("{{ .nuon.inputs.inputs.null }}", "null"),
        ("{{ .nuon.inputs.inputs.none }}", ""),
        ("{{ .nuon.inputs.inputs.text | b64enc }}", "Mw=="),
        ('{{ .nuon.inputs.inputs.nope | default "x" }}', "x"),
        ("{{ .nuon.inputs.inputs.nil | default 7 }}", 7),
        ("'{{ .nuon.inputs.inputs.html }}'", 'a&"c"'),
        ("'say {{ .nuon.install.name | quote }}'", 'say "shop"'),
        ("'{{ $labels.x }} {{ .Values.y }}'", "{{ $labels.x }} {{ .Values.y }}"),
        ("'{{ $labels.x }} {{ .nuon.install.id }}'", "{{ $labels.x }} inl1"),
        ("'{{ $x.nuon.y }}'", "{{ $x.nuon.y }}"),
    ],
)
def test_a_placeholder_is_one_value(written: str, rendered: object) -> None:
    found = value(written)
    assert (found, type(found)) == (rendered, type(rendered))


@pytest.mark.parametrize("written", ["1979-05-27", "07:32:00", "inf", "nan", f"0x{'f' * 5000}"])
def test_what_toml_has_and_no_json_is_asked_for_in_quotes(written: str) -> None:
    found: list[Any] = []
    read_resources(f"{HEAD}data: {{v: '{{{{ .nuon.value }}}}'}}\n".encode(), keep=found.append, exact=True)
    with pytest.raises(TemplateInvalid) as refused:
        render(found[0], tomllib.loads(f"value = {written}"))
    assert refused.value.remedy == "Put the input in quotes."


def test_no_input_adds_a_field_an_object_or_a_document() -> None:
    for written in (
        "'{{ .nuon.inputs.inputs.who }}'",
        "{{ .nuon.inputs.inputs.who }}",
        "x {{ .nuon.inputs.inputs.who }}",
    ):
        (found,) = objects(f"{HEAD}data:\n  v: {written}\n  w: x\n")
        assert found["data"].keys() == {"v", "w"}
        assert found["data"]["v"].endswith(INPUTS["who"])


def test_lines_of_nothing_but_placeholders_stay_in_the_text_that_they_are_in() -> None:
    text = "  rules: |\n    {{ range .Alerts }}\n    - {{ .nuon.install.id }}\n    {{ end }}\n"
    (found,) = objects(f"{HEAD}data:\n{text}")
    assert found["data"]["rules"] == "{{ range .Alerts }}\n- inl1\n{{ end }}\n"


def test_a_key_is_rendered_and_no_two_become_one() -> None:
    (found,) = objects(f"{HEAD}data:\n  '{{{{ .nuon.install.id }}}}': x\n")
    assert found["data"] == {"inl1": "x"}
    with pytest.raises(DocumentInvalid):
        objects(f"{HEAD}data:\n  '{{{{ .nuon.install.id }}}}': x\n  '{{{{.nuon.install.id}}}}': y\n")
    with pytest.raises(DocumentInvalid):
        objects(f"{HEAD}data:\n  '{{{{ .nuon.install.id }}}}': x\n  '{{{{ .nuon.install.id }}}}': y\n")


@pytest.mark.parametrize(
    "written",
    [
        "{{ .nuon.inputs.inputs.nope }}",
        "{{ .nuon.inputs.inputs.list }}",
        "{{ .nuon.inputs.inputs }}",
        "{{ if .nuon.install.id }}",
        "{{ printf .nuon.install.id }}",
        "{{ .nuon.install.id | upper }}",
        '{{ index .nuon.inputs.inputs "who" }}',
        "{{ .nuon.inputs.inputs.text.more }}",
    ],
)  # fmt: skip
def test_what_an_install_can_t_fill_in_is_refused_by_its_line(written: str) -> None:
    text = f"{HEAD}data:\n  a: 1\n---\n{HEAD}data:\n  v: |\n    one\n    two {written}\n"
    with pytest.raises(TemplateInvalid, match="line 13"):
        objects(text)


def test_lines_that_steer_what_is_there_are_no_yaml_and_said_to_be_none() -> None:
    text = f"{HEAD}{{{{ if .nuon.install.id }}}}\ndata:\n  a: b\n{{{{ end }}}}\n"
    with pytest.raises(ByoaError):
        objects(text)


def test_numbers_and_truths_that_stand_there_are_what_they_are() -> None:
    (found,) = objects(
        "apiVersion: v1\nkind: A\nmetadata: {name: x}\nspec: {a: 0x10, b: 1.5, c: on, d: null, e: '1'}\n"
    )
    assert found["spec"] == {"a": 16, "b": 1.5, "c": True, "d": None, "e": "1"}
