"""What kubectl takes is taken and what it refuses is refused: the answers of kubectl 1.32, put down by hand.

Where a kubectl is on PATH the same inputs are put to it as well, so that the table stays true.
"""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from byoa.content.documents import read_resources
from byoa.content.scalars import Scalar, resolve
from byoa.errors import DocumentInvalid

KUBECTL = shutil.which("kubectl")
ONE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n"
TWO = ONE.replace("one", "two")
JSON_ONE = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}}'
JSON_TWO = JSON_ONE.replace("one", "two")

_TEXTS = """
tRUE nUll 0o8 0b2 0xfg _1 + 1:1:1 2024-01-01 2024-13-45 2024-01-01T00:00:00Z = inf NaN 0x1p3 1e999 1234e5678 . .. .e3 1e
1e+ 1.5.2 0x 0b << yep nope x1 e3 v1 1a 1.2.3 12:30:45 0x1.8 --1 +-1 1e5e5
"""
_NOT_TEXTS = """
y Y n N yes Yes YES no NO on On off OFF true True FALSE 1e3 1E3 1e+3 1.e3 1. .5 5. .5e3 0o7 0O7 010 08 09 0b1 0B1 -0b1
0x1f 0X1F 1_000 1__0 -_1 0_7 +1 -1 123e4 12345678901234567890 99999999999999999999 -9223372036854775809 +.5 -.5 0. 00 1_
1._5 .1_5 1_0.5 1e1_0 ~ null Null NULL
"""
TEXTS, NOT_TEXTS = _TEXTS.split(), _NOT_TEXTS.split()

TAKEN = {
    "a comment behind ---": (f"{ONE}--- # two\n{TWO}", 2),
    "a comment close behind ---": (f"{ONE}---# two\n{TWO}", 2),
    "blanks behind ---": (f"{ONE}--- \t\n{TWO}", 2),
    "CR LF throughout": (f"{ONE}---\n{TWO}".replace("\n", "\r\n"), 2),
    "an end and a separator": (f"{ONE}...\n---\n{TWO}", 2),
    "an end alone": (f"{ONE}...\n# bye\n", 1),
    "a BOM before each document": (f"\ufeff{ONE}---\n\ufeff{TWO}", 2),
    "a comment before the first ---": (f"# one\n---\n{ONE}", 1),
    "a file that ends with ---": (f"{ONE}---\n", 1),
    "objects of JSON in a row": (JSON_ONE + JSON_TWO, 2),
    "objects of JSON on lines": (f"\n {JSON_ONE}\n\n{JSON_TWO}\n", 2),
    "objects of JSON behind a BOM": (f"\ufeff{JSON_ONE}{JSON_TWO}", 2),
    "braces and quotes in JSON's texts": (
        JSON_ONE.replace('"one"', r'"one", "annotations": {"a": "} {\" }{"}') + JSON_TWO,
        2,
    ),
    "half a character in JSON": (JSON_ONE.replace('"}}', '"}, "data": {"a": "\\ud83d"}}'), 1),
    "JSON with tabs": (JSON_ONE.replace(", ", ",\n\t"), 1),
    "a list": (f"apiVersion: v1\nkind: List\nitems: [{JSON_ONE}, {JSON_TWO}]\n", 2),
    "a list of one kind": (f"apiVersion: v1\nkind: ConfigMapList\nitems: [{JSON_ONE}]\n", 1),
    "items without a type in a list of their kind": (
        "apiVersion: v1\nkind: ConfigMapList\nitems: [{metadata: {name: a}}]\n",
        1,
    ),
    "an object with items, whatever its kind": (f"apiVersion: v1\nkind: Bag\nitems: [{JSON_ONE}]\n", 1),
    "an empty list of one kind": ("apiVersion: v1\nkind: RoleList\nitems: []\n", 0),
    "a list of null": ("apiVersion: v1\nkind: RoleList\nitems: null\n", 0),
    "a kind in List without items": ("apiVersion: vendor.example/v1\nkind: AllowList\nmetadata: {name: one}\n", 1),
    "a date as a name": (ONE.replace("one", "2024-01-01"), 1),
    "a key of merged mappings": (f"{ONE}x: &x {{a: b}}\ndata: {{<<: *x, c: d}}\n", 1),
    "a label that is null": (ONE.replace("one", "one, labels: {a: }"), 1),
    "odd keys": (f"{ONE}data: {{2024-01-01: a, 7: b, .inf: c, yes: d}}\n", 1),
}
REFUSED = {
    "an object on the separator's line": f"{ONE}--- {JSON_TWO}\n",
    "a text on the separator's line": f"{ONE}--- two\n{TWO}",
    "a line that begins with more dashes": f"{ONE}-----\n{TWO}",
    "a key that begins with dashes": f"{ONE}---x: 1\n",
    "a key from the first file into the second": f"{ONE}---apiVersion: v1\n",
    "a directive %YAML 1.1": f"%YAML 1.1\n---\n{ONE}",
    "a directive %YAML 1.2": f"%YAML 1.2\n---\n{ONE}",
    "an item that is a text": "apiVersion: v1\nkind: Bag\nitems: [a]\n",
    "items that are a mapping": "apiVersion: v1\nkind: Bag\nmetadata: {name: one}\nitems: {a: b}\n",
    "an item of nothing": "apiVersion: v1\nkind: List\nitems: [null]\n",
    "an item without a type": "apiVersion: v1\nkind: List\nitems: [{metadata: {name: a}}]\n",
    "an item with half a type": "apiVersion: v1\nkind: RoleList\nitems: [{kind: Role, metadata: {name: a}}]\n",
    "an array of objects": f"[{JSON_ONE}]",
    "objects of JSON with a comma between": f"{JSON_ONE},{JSON_TWO}",
    "a label that is a number": ONE.replace("one", "one, labels: {a: 1}"),
    "an annotation that is a truth": ONE.replace("one", "one, annotations: {a: yes}"),
    "labels in a list": ONE.replace("one", "one, labels: [a]"),
    "labels that are a text": ONE.replace("one", "one, labels: ''"),
    "an annotation that is a mapping": ONE.replace("one", "one, annotations: {a: {b: c}}"),
    "a generated name that is a number": ONE.replace("one", "one, generateName: 7"),
    "a blank before ---": f"{ONE} ---\n{TWO}",
}
STRICTER = {
    "an object behind an end": f"{ONE}...\n{TWO}",
    "an object behind a lone carriage return's ---": f"{ONE}x: y\r---\r{TWO}",
    "objects of JSON in a row behind a ---": f"---\n{JSON_ONE}\n{JSON_TWO}\n",
}
"""kubectl takes the first object of these and passes over the second in silence, so it is told here."""


def kubectl(text: str) -> int | None:
    """How many objects kubectl finds, without a cluster; None where it refuses the text."""
    command = [KUBECTL or "", "annotate", "--local", "--overwrite", "-f", "-", "a=b", "-o", "json"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    if done.returncode:
        return None
    found, at, answer = 0, 0, done.stdout.decode()
    while answer[at:].strip():
        at += len(answer[at:]) - len(answer[at:].lstrip())
        document, at = json.JSONDecoder().raw_decode(answer, at)
        found += len(document.get("items", [])) if document["kind"] == "List" else 1
    return found


def with_name(name: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n"


@pytest.mark.parametrize("name", TEXTS)
def test_texts_are_texts(name: str) -> None:
    assert resolve(name) is Scalar.TEXT


@pytest.mark.parametrize("name", NOT_TEXTS)
def test_what_go_reads_as_something_else_is_no_name(name: str) -> None:
    assert resolve(name) is not Scalar.TEXT
    for text in (with_name(name), ONE.replace("one", f"one, namespace: {name}")):
        if resolve(name) is not Scalar.NULL:
            with pytest.raises(DocumentInvalid, match="not a string") as caught:
                read_resources(text.encode())
            assert "quotes" in caught.value.remedy
    assert read_resources(with_name(f"'a{name[0]}'").encode()) if name[0].isalnum() else True


@pytest.mark.parametrize("what", TAKEN)
def test_what_kubectl_takes_is_taken(what: str) -> None:
    text, objects = TAKEN[what]
    assert len(read_resources(text.encode())) == objects


@pytest.mark.parametrize("what", REFUSED)
def test_what_kubectl_refuses_is_refused(what: str) -> None:
    with pytest.raises(DocumentInvalid) as caught:
        read_resources(REFUSED[what].encode())
    assert caught.value.remedy


@pytest.mark.parametrize("what", STRICTER)
def test_an_object_that_kubectl_would_lose_is_told(what: str) -> None:
    with pytest.raises(DocumentInvalid):
        read_resources(STRICTER[what].encode())


def test_kubectl_says_the_same() -> None:
    """One test rather than one for each: a machine without kubectl has nothing to skip."""
    if KUBECTL is None:
        return
    assert [what for what, (text, objects) in TAKEN.items() if kubectl(text) != objects] == []
    assert [what for what, text in REFUSED.items() if kubectl(text) is not None] == []
    assert [what for what, text in STRICTER.items() if kubectl(text) not in {0, 1}] == []
    data = "".join(f"  a{number}: {text}\n" for number, text in enumerate([*TEXTS, *NOT_TEXTS]))
    command = [KUBECTL, "annotate", "--local", "--overwrite", "-f", "-", "a=b", "-o", "json"]
    done = subprocess.run(command, input=f"{ONE}data:\n{data}".encode(), capture_output=True, check=True)
    values = json.loads(done.stdout)["data"]
    texts = [isinstance(values[f"a{number}"], str) for number in range(len(values))]
    assert texts == [True] * len(TEXTS) + [False] * len(NOT_TEXTS)


def test_a_stream_of_json_is_told_by_its_documents_and_lines() -> None:
    for text, cause in (
        (f"{JSON_ONE}\n{JSON_TWO}\n\n{{]\n", "Document 3 is not valid YAML at line 4."),
        (f"{JSON_ONE}{{}}", "Document 2 has no apiVersion."),
        (f"{ONE}---\n\n---\nkind: [\n", "Document 3 is not valid YAML at line 8."),
    ):
        with pytest.raises(DocumentInvalid) as caught:
            read_resources(text.encode())
        assert caught.value.cause == cause


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"{ONE}--- {{}}\n", 4),
        (f"{ONE}---\n{TWO}%YAML 1.2\n", 8),
        (f"{ONE}---\n# \x07\n", 5),
        (f"{ONE}---\n# \x85\n", 5),
    ],
)
def test_a_fault_of_the_text_names_its_line(text: str, line: int) -> None:
    with pytest.raises(DocumentInvalid, match=f"^Line {line} "):
        read_resources(text.encode("latin-1"))


def test_flow_mappings_are_split_only_where_they_are_json() -> None:
    text = "{apiVersion: v1, kind: A, metadata: {name: one}, a: '} {', b: {c: '}'}}\n"
    assert [found.name for found in read_resources(text.encode())] == ["one"]
