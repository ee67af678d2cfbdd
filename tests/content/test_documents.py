"""Hostile and honest YAML: threats D33 to D43, and the real tools' manifests."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from byoa.content.archive import read_archive
from byoa.content.documents import DocumentLimits, Resource, Spent, read_resources
from byoa.content.magic import is_gzip
from byoa.content.scalars import Scalar, resolve
from byoa.errors import ByoaError, DocumentInvalid, DocumentLimit

if TYPE_CHECKING:
    from collections.abc import Callable

ARTIFACTS = Path(__file__).parent.parent / "data" / "artifacts"
MIB = 1024 * 1024
SECRET = "s3cr3t"
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"
WEB = Resource("v1", "ConfigMap", None, "web", (), templated=False)


def read(text: str | bytes, limits: DocumentLimits | None = None) -> list[Resource]:
    return read_resources(text.encode() if isinstance(text, str) else text, limits or DocumentLimits())


def refuse(kind: type[ByoaError], text: str | bytes, limits: DocumentLimits | None = None) -> str:
    """The cause of the refusal, which may quote nothing of the text."""
    with pytest.raises(kind) as caught:
        read(text, limits)
    shown = caught.value.as_json()
    assert type(caught.value) is kind
    assert len(shown) <= 512
    assert shown.isascii()
    assert shown.isprintable()
    assert SECRET not in shown
    assert caught.value.__cause__ is None
    return caught.value.cause


def peak_of(call: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# Part: honest documents


@pytest.mark.parametrize("layout", ["kustomizer", "flux", "oras-directory", "oras-file"])
def test_the_real_tools_manifests_are_read(layout: str) -> None:
    blobs = [blob.read_bytes() for blob in (ARTIFACTS / layout / "blobs" / "sha256").iterdir()]
    texts = [file.content for blob in blobs if is_gzip(blob) for file in read_archive([blob])]
    (text,) = texts or [blob for blob in blobs if not blob.startswith(b"{")]
    assert read(text) == [
        Resource("v1", "ConfigMap", "vendor", "web", (), templated=False),
        Resource("v1", "Service", "vendor", "web", (), templated=False),
        Resource("apps/v1", "Deployment", "vendor", "web", ("ghcr.io/vendor/web:v2.3.1",), templated=False),
    ]


def test_the_files_of_many_layers_are_read_one_by_one() -> None:
    blobs = [blob.read_bytes() for blob in (ARTIFACTS / "oras-many" / "blobs" / "sha256").iterdir()]
    found = [resource for blob in blobs if not blob.startswith(b"{") for resource in read(blob)]
    assert sorted(resource.kind for resource in found) == ["ConfigMap", "Deployment", "Service"]
    assert {resource.name for resource in found} == {"web"}


def test_a_charts_templates_are_read_as_templated() -> None:
    blobs = [blob.read_bytes() for blob in (ARTIFACTS / "chart" / "blobs" / "sha256").iterdir()]
    (layer,) = [blob for blob in blobs if is_gzip(blob)]
    templates = list(read_archive([layer], wanted=lambda path: "/templates/" in path and path.endswith(".yaml")))
    found = [resource for file in templates for resource in read(file.content)]
    assert len(found) == len(templates) == 7
    assert all(resource.templated and resource.name.startswith("{{...}}") for resource in found)
    assert {image for resource in found for image in resource.images} == {"{{...}}:{{...}}", "busybox"}


def test_json_is_read() -> None:
    thing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"a/b": "smile \U0001f600"}}
    for indent in (None, 2, "\t"):
        assert read(json.dumps(thing, indent=indent)) == [WEB]
        assert read(json.dumps(thing, indent=indent, ensure_ascii=False)) == [WEB]


def test_a_list_gives_its_items() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: A\n  metadata: {name: a}\n"
    text += "- {apiVersion: apps/v1, kind: B, metadata: {name: b, namespace: ns}}\n"
    assert [(found.kind, found.namespace) for found in read(text)] == [("A", None), ("B", "ns")]
    assert read("apiVersion: v1\nkind: List\nitems: []\n") == []


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("apiVersion: v1\nkind: List\n", "Document 1 is a List without items."),
        ("apiVersion: v1\nkind: List\nitems: {}\n", "Document 1 is a List without items."),
        ("apiVersion: v1\nkind: List\nitems: [7]\n", "Item 1 of document 1 is not an object."),
        (
            "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List, items: []}]\n",
            "Item 1 of document 1 is not an object.",
        ),
        (
            "---\n---\napiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: A}]\n",
            "Item 1 of document 2 has no metadata.name.",
        ),
    ],
)
def test_lists_of_something_else_are_refused(text: str, cause: str) -> None:
    assert refuse(DocumentInvalid, text) == cause


@pytest.mark.parametrize(
    "name", ["web", "system:controller:web", "v1.apps", "Web_1", "a" * 253, "${NAME}", "web.example.com", '"7"', "'on'"]
)
def test_names_that_kubernetes_takes_are_read(name: str) -> None:
    (found,) = read(f"apiVersion: v1\nkind: A\nmetadata:\n  name: {name}\n")
    assert found.name == name.strip("\"'")
    assert not found.templated


@pytest.mark.parametrize("namespace", ["", "''", "null", "~"])
def test_an_empty_namespace_is_none(namespace: str) -> None:
    assert read(f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  namespace: {namespace}\n") == [WEB]


def test_images_are_found_in_containers_at_any_depth_each_once_in_order() -> None:
    text = """
apiVersion: vendor.example/v1
kind: Fleet
metadata: {name: web}
image: not-this
spec:
  image: nor-this
  jobs:
  - template:
      spec:
        initContainers: [{image: first}, {image: second}]
        containers:
        - {name: a, image: second, env: [{name: image, value: no}]}
        - {name: b, image: third}
        - {name: c}
        - {name: d, image: ""}
        - {name: e, image: {repository: nor-this}}
        - image: 7
        - nor-this
        ephemeralContainers: [{image: fourth}]
  containers: {items: {image: nor-this}}
"""
    assert read(text)[0].images == ("first", "second", "third", "fourth")


def test_images_and_names_behind_aliases_are_found() -> None:
    text = "apiVersion: v1\nkind: Pod\nx: &pod {containers: [&c {image: web}]}\nmetadata: &m {name: &n web}\n"
    text += "a: {containers: [*c, {image: *n}, {image: more}]}\nb: *pod\nc: *m\n"
    assert read(text)[0].images == ("web", "more")


@pytest.mark.parametrize(
    "image", ["a b", "a\\nb", "\\x1b[31m", "\\u00e9", "a" * 513, " web", "*:latest", "${IMAGE}", "a:b:c"]
)
def test_what_is_no_reference_is_no_image_and_no_fault(image: str) -> None:
    (found,) = read(f'{HEAD}containers: [{{image: "{image}"}}, {{image: web}}]\n')
    assert (found.images, found.unread) == (("web",), 1)


def test_an_image_has_at_most_512_characters() -> None:
    assert read(f"{HEAD}containers: [{{image: {'a' * 512}}}]\n")[0].images == ("a" * 512,)


# Part: text, threat D38


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + HEAD.encode(),
        HEAD.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode(),
        HEAD.rstrip().encode(),
        HEAD.encode() + "data: {a: 'x\u0085\u2028\u2029\ufeffy'}\n".encode(),
        HEAD.encode() + b"data: {a: 'x\ry'}\n",
        HEAD.replace("\n", "\r").encode(),
        HEAD.encode() + 'data: {größe: "日本 \U0001f600"}\n'.encode(),
        HEAD.encode() + b"data:\n  script: |\n    a\tb\n",
        HEAD.encode() + b'data: {a: "\\u0000\\u0085"}\n',
        HEAD.encode() + b"data: {a: " + b"x" * 1_000_000 + b"}\n",
    ],
)
def test_utf_8_is_read_with_a_bom_any_usual_line_ends_and_long_lines(text: bytes) -> None:
    assert read(text) == [WEB]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "cp037"])
def test_other_encodings_are_refused(encoding: str) -> None:
    refuse(DocumentInvalid, HEAD.encode(encoding))


@pytest.mark.parametrize(
    "fault",
    [
        *(bytes([code]) for code in range(32) if code not in b"\t\n\r"),
        b"\x7f",
        b"\x80",
        b"\xff",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe2\x82",
        *("\u0080 \u0084 \u0086 \u009f \ufffe \uffff \U0010fff0 \U0010fff1".encode().split(b" ")),
    ],
)
def test_other_bytes_are_refused_wherever_they_are(fault: bytes) -> None:
    for text in (b"# " + fault + b"#\n", b"data: 'a" + fault + b"b'\n", b"data: |\n  a" + fault + b"b\n"):
        refuse(DocumentInvalid, HEAD.encode() + text)


def test_an_odd_character_is_told_by_its_line() -> None:
    assert refuse(DocumentInvalid, HEAD + "a: \0\n").startswith("Line 4 ")


def test_no_carriage_return_hides_another_line() -> None:
    refuse(DocumentInvalid, HEAD + "# comment\rkind: Secret\n")


def test_a_tab_for_indentation_is_refused() -> None:
    refuse(DocumentInvalid, HEAD + "data:\n\ta: b\n")


# Part: YAML, threats D33 to D37


@pytest.mark.parametrize(
    "text",
    [
        "a: b: c\n",
        "a: [\n",
        "a: {\n",
        "'\n",
        "a: @\n",
        "a: 1\nb\n",
        "- a\nb: 1\n",
        "%YAML 1.3\n---\na: 1\n",
        "%YAML 2.0\n---\na: 1\n",
        "%FOO\n---\na: 1\n",
        "%YAML 1.1\na: 1\n",
        "%YAML 1.1\n%YAML 1.1\n---\na: 1\n",
        'a: "\\ud800"\n',
        'a: "\\q"\n',
        "a: *b\n",
        "--- a\n--- [\n",
        "...\n...\n",
    ],
)
def test_what_is_no_yaml_is_refused(text: str) -> None:
    refuse(DocumentInvalid, text)


def test_a_fault_is_told_by_document_and_line() -> None:
    assert refuse(DocumentInvalid, f"{HEAD}---\n{HEAD}a: {SECRET}: b\n") == "Document 2 is not valid YAML at line 8."


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.system [echo s3cr3t]",
        "!!python/name:os.system",
        "!!python/tuple []",
        "!!binary aGk=",
        "!!timestamp 2024-01-01",
        "!!set {a}",
        "!!omap [a: b]",
        "!!merge x",
        "!!pairs []",
        "!Ref x",
        "!Sub {a: b}",
        "! x",
        "! [x]",
        "!<tag:x> y",
        "!!map x",
        "!!seq {}",
        "!!map []",
        "!!str {}",
        "!!int x",
        "!!int '1.5'",
        "!!bool maybe",
        "!!null x",
        "!!float x",
    ],
)
def test_foreign_tags_are_refused(value: str) -> None:
    refuse(DocumentInvalid, f"{HEAD}a: {value}\n")
    refuse(DocumentInvalid, f"{HEAD}a: [b, {{c: {value}}}]\n")


def test_the_tags_of_jsons_types_are_taken() -> None:
    values = ["!!str 7", "!!int '7'", "!!float 7", "!!float 7.5", "!!bool 'true'", "!!null ''", "!!seq []", "!!map {}"]
    assert read(HEAD + f"a: [{', '.join(values)}]\n!!str b: 1\n") == [WEB]
    assert read(HEAD.replace("web", "!!str 7"))[0].name == "7"
    refuse(DocumentInvalid, HEAD.replace("web", "!!int '7'"))


@pytest.mark.parametrize("head", ["%TAG ! tag:yaml.org,2002:\n---\n", "%TAG !y! tag:yaml.org,2002:\n---\n"])
def test_tag_directives_are_refused(head: str) -> None:
    assert "%TAG" in refuse(DocumentInvalid, head + HEAD)
    assert "%TAG" in refuse(DocumentInvalid, HEAD + "...\n" + head + HEAD)


def test_a_flood_of_tag_directives_is_refused() -> None:
    refuse(DocumentInvalid, "".join(f"%TAG !a{number}! x\n" for number in range(300_000)) + "---\n" + HEAD)


@pytest.mark.parametrize(
    "value",
    [
        "9" * 500_000,
        "0x" + "f" * 100_000,
        "0b" + "1" * 100_000,
        "2024-13-45",
        "2024-01-01T25:61:61Z",
        "1:1:1",
        "1" + ":1" * 400,
        "010",
        "09",
        "on",
        "1_000",
        "1e999",
        "=",
        "'.inf'",
    ],
)
def test_odd_values_are_passed_over(value: str) -> None:
    assert read(f"{HEAD}a: {value}\nb: [{value}]\n") == [WEB]


@pytest.mark.parametrize("value", [".inf", "-.inf", "+.Inf", ".INF", ".nan", ".NaN", ".NAN"])
def test_numbers_beyond_json_are_refused(value: str) -> None:
    assert "JSON" in refuse(DocumentInvalid, f"{HEAD}a: [{value}]\n")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("a: b\na: c\n", "Document 2 has a mapping with the same key twice at line 6."),
        ("a: .nan\n", "Document 2 has a number that JSON cannot hold at line 5."),
        ("a:\n- !Ref x\n", "Document 2 has a tag that is none of JSON's types at line 6."),
        ("a: *b\n", "Document 2 has an alias without an anchor before it at line 5."),
        ("a:\n  <<: x\n", "Document 2 has a merge key whose value is no mapping at line 6."),
    ],
)
def test_a_refusal_within_a_document_names_its_line_and_a_remedy_of_its_own(text: str, cause: str) -> None:
    assert refuse(DocumentInvalid, f"{HEAD}---\n{text}") == cause
    with pytest.raises(DocumentInvalid) as caught:
        read(text)
    assert caught.value.remedy != DocumentInvalid.default_remedy


@pytest.mark.parametrize("key", ["[a]", "{a: b}", "? [a]", "? {a: b}", "~", "null", "?", "&a ~", "&a [b]"])
def test_keys_that_are_no_plain_text_are_refused(key: str) -> None:
    assert "key" in refuse(DocumentInvalid, f"{HEAD}{key}\n: b\n" if key.startswith("?") else f"{HEAD}{key}: b\n")


def test_an_alias_as_a_key_is_the_text_that_it_stands_for() -> None:
    assert read(f"{HEAD}a: &x spec\n*x : {{containers: [{{image: one}}]}}\n")[0].images == ("one",)
    assert "twice" in refuse(DocumentInvalid, f"{HEAD}a: &x y\ny: b\n*x : b\n")
    assert "key" in refuse(DocumentInvalid, f"{HEAD}a: &x [y]\n*x : b\n")


@pytest.mark.parametrize("key", ["7", "true", "on", "1.5", "2024-01-01", ".inf", "'null'", "&anchor b", "? b\n"])
def test_keys_that_json_can_hold_are_taken(key: str) -> None:
    assert read(f"{HEAD}{key}: c\n") == [WEB]


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "kind: Secret\n",
        HEAD + '"kind": Secret\n',
        HEAD + '"ki\\x6ed": Secret\n',
        HEAD + "a:\n  b: 1\n  b: 1\n",
        HEAD + "a: [{b: 1, 'b': {}}]\n",
        '{"apiVersion": "v1", "kind": "A", "metadata": {"name": "a", "name": "b"}}',
    ],
)
def test_a_key_that_stands_twice_is_refused(text: str) -> None:
    assert "twice" in refuse(DocumentInvalid, text)


def test_merge_keys_bring_what_they_name_as_kubectl_has_it() -> None:
    text = f"{HEAD}x: &pod {{containers: [{{image: one}}]}}\n"
    assert read(f"{text}spec: {{<<: *pod, a: b}}\n")[0].images == ("one",)
    assert read(f"{HEAD}spec: {{<<: {{containers: [{{image: two}}]}}}}\n")[0].images == ("two",)
    assert read(f"{HEAD}spec: {{<<: [{{containers: [{{image: a}}]}}, {{containers: [{{image: b}}]}}]}}\n")[
        0
    ].images == ("a",)
    assert read("apiVersion: v1\nkind: A\nx: &x {name: merged}\nmetadata: {<<: *x, namespace: a}\n")[0].name == "merged"
    assert read("apiVersion: v1\nkind: A\nx: &x {name: merged}\nmetadata: {<<: *x, name: own}\n")[0].name == "own"


def test_a_value_that_leads_nowhere_covers_a_merged_one() -> None:
    text = f"{HEAD}x: &x {{spec: {{containers: [{{image: one}}]}}}}\na: {{<<: *x, spec: {{}}}}\n"
    assert read(text.replace("x: &x", "metadata2: &x"))[0].images == ("one",)
    assert read(f"{HEAD}a: {{<<: {{spec: {{containers: [{{image: one}}]}}}}, spec: {{}}}}\n")[0].images == ()


@pytest.mark.parametrize("value", ["x", "7", "~", "[x]", "[[{a: b}]]", "''"])
def test_a_merge_key_needs_mappings(value: str) -> None:
    assert "merge key" in refuse(DocumentInvalid, f"{HEAD}a: {{<<: {value}}}\n")


def test_a_quoted_merge_key_is_a_key() -> None:
    assert read(f"{HEAD}a: {{'<<': b}}\n") == [WEB]


def test_a_bomb_of_merge_keys_is_refused() -> None:
    levels = "".join(f"a{level}: &a{level} {{<<: [*a{level - 1}, *a{level - 1}]}}\n" for level in range(1, 23))
    refuse(DocumentLimit, HEAD + "a0: &a0 {x: y}\n" + levels)
    wide = "{" + ", ".join(f"k{key}: v" for key in range(500)) + "}"
    levels = "".join(f"a{level}: &a{level} {{<<: *a{level - 1}, b{level}: c}}\n" for level in range(1, 1000))
    refuse(DocumentLimit, f"{HEAD}a0: &a0 {wide}\n{levels}")


def test_a_text_about_merging_is_no_merge_key() -> None:
    assert read(HEAD + "a: <<\nb: ['<<']\n") == [WEB]


@pytest.mark.parametrize(
    "expression",
    [
        "b'[' * 50_000",
        "b'{a: ' * 50_000",
        "b'- ' * 50_000",
        "b'[{a: ' * 50_000",
        "b'!!seq [' * 50_000",
        "b'[' * 50_000 + b']' * 50_000",
        "b'[\\n' * 50_000",
        "b''.join(b' ' * level + b'a:\\n' for level in range(3000))",
    ],
)
def test_deep_nesting_is_refused_and_the_process_lives(expression: str) -> None:
    program = f"""
from byoa.content.documents import read_resources
from byoa.errors import DocumentLimit
try:
    read_resources({expression})
except DocumentLimit as error:
    print(error.cause)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert done.stdout == "Document 1 is nested more than 64 levels deep.\n"


def test_nesting_of_64_levels_is_read() -> None:
    assert read(HEAD + "a: " + "[" * 63 + "]" * 63) == [WEB]
    refuse(DocumentLimit, HEAD + "a: " + "[" * 64 + "]" * 64)


def test_aliases_cannot_nest_deeper_than_the_text_may() -> None:
    # Levels: the root, and a tower of 2 that each alias makes higher by 1.
    levels = "".join(f"a{level}: &a{level} [*a{level - 1}]\n" for level in range(1, 62))
    assert read(HEAD + "a0: &a0 [[]]\n" + levels) == [WEB]
    assert "64 levels" in refuse(DocumentLimit, HEAD + "a0: &a0 [[]]\n" + levels + "z: [*a61]\n")


def test_aliases_are_bounded_by_what_they_expand_to() -> None:
    text = f"{HEAD}a: &a [x, y]\nb: [{'*a, ' * 1000}]\n"
    assert read(text, DocumentLimits(expanded=3000)) == [WEB]
    assert "values" in refuse(DocumentLimit, text, DocumentLimits(expanded=2999))


@pytest.mark.parametrize("value", ["&a [*a]", "&a {b: *a}", "&a [[{b: *a}]]", "&a [&b [*a]]", "&a [*b]"])
def test_aliases_that_contain_themselves_are_refused(value: str) -> None:
    refuse(DocumentInvalid, f"{HEAD}x: {value}\n")


def test_an_anchor_may_be_set_anew_within_its_own_node() -> None:
    text = HEAD + "x: &a [&a inner, *a]\ncontainers: [{image: *a}]\n"
    assert read(text)[0].images == ("inner",)


def test_anchors_do_not_cross_documents() -> None:
    assert refuse(DocumentInvalid, f"{HEAD}a: &a x\n---\n{HEAD}b: *a\n").startswith("Document 2 ")


def test_a_billion_laughs_are_refused_in_little_memory() -> None:
    levels = "".join(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 11))
    text = f"{HEAD}a0: &a0 [lol]\n{levels}"
    assert "values" in refuse(DocumentLimit, text)
    assert peak_of(lambda: refuse(DocumentLimit, text)) < MIB


def test_values_are_counted_with_what_aliases_expand_to() -> None:
    # Keys and values count alike: the head's 9, then 10 of a, then b and its list with 9 for each alias.
    text = HEAD + "a: &a [1, 2, 3, 4, 5, 6, 7, 8]\nb: [*a, *a, *a]\n"
    nodes = 9 + 10 + 2 + 3 * 9
    assert read(text, DocumentLimits(nodes=nodes)) == [WEB]
    refuse(DocumentLimit, text, DocumentLimits(nodes=nodes - 1))


def test_values_are_counted_over_all_documents() -> None:
    assert len(read(f"{HEAD}---\n{HEAD}", DocumentLimits(all_nodes=18))) == 2
    assert "up to it" in refuse(DocumentLimit, f"{HEAD}---\n{HEAD}", DocumentLimits(all_nodes=17))


def test_a_flood_of_values_is_refused_in_little_memory() -> None:
    text = b"[" + b"a," * 500_000 + b"]"
    assert peak_of(lambda: refuse(DocumentLimit, text, DocumentLimits(nodes=10_000))) < 8 * MIB


# Part: documents, threats D39 and D42


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "# nothing\n",
        "---\n",
        "---\n---\n---\n",
        "---\n...\n",
        "null\n",
        "~\n",
        "--- # one\n---# two\n",
    ],
)
def test_empty_documents_are_passed_over(text: str) -> None:
    assert read(text) == []
    assert read(f"---\n{HEAD}---\n{text}") == [WEB]
    assert read(f"{text}---\n{HEAD}") == [WEB]


def test_empty_documents_count_for_the_numbers_in_errors() -> None:
    assert refuse(DocumentInvalid, "---\n# one\n---\n---\na: b\n") == "Document 3 has no apiVersion."


def test_a_text_has_at_most_20_000_documents_even_if_empty() -> None:
    assert read("---\n" * 20_000) == []
    assert "20000 documents" in refuse(DocumentLimit, "---\n" * 20_001)


def test_items_of_lists_count_as_documents_do() -> None:
    item = "{apiVersion: v1, kind: A, metadata: {name: a}}, "
    text = "{apiVersion: v1, kind: List, items: [%s]}"
    assert len(read(text % (item * 5), DocumentLimits(documents=5))) == 5
    assert "5 objects" in refuse(DocumentLimit, text % (item * 6), DocumentLimits(documents=5))


def test_ten_thousand_objects_are_read() -> None:
    assert len(read((HEAD + "---\n") * 9_999)) == 9_999


def test_a_text_has_at_most_64_mib() -> None:
    comments = b"#" + b" " * (32 * MIB - 2) + b"\n"
    assert read(comments + comments) == []
    refuse(DocumentLimit, comments + comments + b"\n")
    assert read(HEAD, DocumentLimits(text=len(HEAD))) == [WEB]
    refuse(DocumentLimit, HEAD, DocumentLimits(text=len(HEAD) - 1))


def test_a_document_of_more_than_a_mebibyte_is_read_and_one_of_32_is_not() -> None:
    def sized(size: int) -> str:
        head = HEAD + "data: "
        return head + "x" * (size - len(head) - 1) + "\n"

    assert read(sized(MIB) + "---\n" + sized(5 * MIB)) == [WEB, WEB]
    assert refuse(DocumentLimit, HEAD + "---\n" + sized(32 * MIB + 1)).startswith("Document 2 ")


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (DocumentLimits(text=3 * len(HEAD) - 1), "bytes"),
        (DocumentLimits(documents=2), "documents"),
        (DocumentLimits(all_nodes=26), "values"),
    ],
)
def test_files_that_share_what_they_spend_are_bounded_together(limits: DocumentLimits, what: str) -> None:
    spent = Spent()
    for _ in range(2):
        assert read_resources(HEAD.encode(), limits, spent=spent) == [WEB]
    with pytest.raises(DocumentLimit, match=what):
        read_resources(HEAD.encode(), limits, spent=spent)
    assert read(HEAD, limits) == [WEB]


def test_the_items_of_lists_in_several_files_are_bounded_together() -> None:
    text = b"{apiVersion: v1, kind: List, items: [%b]}" % (b"{apiVersion: v1, kind: A, metadata: {name: a}}," * 3)
    spent = Spent()
    read_resources(text, DocumentLimits(documents=5), spent=spent)
    with pytest.raises(DocumentLimit, match="5 objects"):
        read_resources(text, DocumentLimits(documents=5), spent=spent)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("kind: A\nmetadata: {name: a}\n", "Document 1 has no apiVersion."),
        ("apiVersion: v1\nmetadata: {name: a}\n", "Document 1 has no kind."),
        ("apiVersion: v2\nname: chart\nversion: 0.1.0\n", "Document 1 has no kind."),
        ("apiVersion: v1\nkind: A\n", "Document 1 has no metadata.name."),
        ("apiVersion: v1\nkind: A\nmetadata:\n", "Document 1 has no metadata.name."),
        ("apiVersion: v1\nkind: A\nmetadata: {}\n", "Document 1 has no metadata.name."),
        ("apiVersion: v1\nkind: A\nmetadata: {name: null}\n", "Document 1 has no metadata.name."),
        ("apiVersion: v1\nkind: A\nmetadata: []\n", "Document 1 has metadata that is not a mapping."),
        ("apiVersion: v1\nkind: A\nmetadata: s3cr3t\n", "Document 1 has metadata that is not a mapping."),
        ("[]\n", "Document 1 is not a mapping."),
        ("s3cr3t\n", "Document 1 is not a mapping."),
        ("7\n", "Document 1 is not a mapping."),
        ("{}\n", "Document 1 has no apiVersion."),
        (f"{HEAD}---\nkind: s3cr3t\n", "Document 2 has no apiVersion."),
    ],
)
def test_what_is_no_object_is_refused_with_what_it_lacks(text: str, cause: str) -> None:
    assert refuse(DocumentInvalid, text) == cause


@pytest.mark.parametrize(
    "value",
    [
        "7",
        "1.5",
        "yes",
        "on",
        "true",
        "y",
        "N",
        "1e3",
        "0o7",
        "08",
        "1.",
        "0x10",
        "010",
        "1_000",
        "1__0",
        "[a]",
        "{a: b}",
    ],
)
def test_fields_that_are_no_strings_are_refused(value: str) -> None:
    for text in (
        f"apiVersion: {value}\nkind: A\nmetadata: {{name: a}}\n",
        f"apiVersion: v1\nkind: {value}\nmetadata: {{name: a}}\n",
        f"apiVersion: v1\nkind: A\nmetadata:\n  name: {value}\n",
        f"apiVersion: v1\nkind: A\nmetadata:\n  name: a\n  namespace: {value}\n",
    ):
        assert "not a string" in refuse(DocumentInvalid, text)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "a b",
        "s3cr3t s3cr3t",
        "a\\n",
        "\\u0000",
        "Secret\\u0000",
        "\\x1b[31mred",
        "\\u202eabc",
        "gr\\u00f6\\u00dfe",
        "\\uff21",
        "<script>",
        "a&b",
        "a'b",
        'a\\"b',
        "a\\\\b",
        "a%b",
        "../a",
        "a" * 400,
        "x" * 1_000_000,
    ],
)
def test_fields_that_could_harm_who_reads_them_are_refused(value: str) -> None:
    for text in (
        f'apiVersion: "{value}"\nkind: A\nmetadata: {{name: a}}\n',
        f'apiVersion: v1\nkind: "{value}"\nmetadata: {{name: a}}\n',
        f'apiVersion: v1\nkind: A\nmetadata: {{name: "{value}"}}\n',
        f'apiVersion: v1\nkind: A\nmetadata: {{name: a, namespace: "{value or " "}"}}\n',
    ):
        assert "would not take" in refuse(DocumentInvalid, text)


@pytest.mark.parametrize("value", ["v1", "apps/v1", "networking.k8s.io/v1beta1", "vendor.example/v1-alpha"])
def test_api_versions_of_kubernetes_are_read(value: str) -> None:
    assert read(f"apiVersion: {value}\nkind: A\nmetadata: {{name: a}}\n")[0].api_version == value


@pytest.mark.parametrize("value", ["/v1", "apps/", "a/b/c", "Apps/v1", "v1\\n", "-a/v1", "v" * 64])
def test_other_api_versions_are_refused(value: str) -> None:
    refuse(DocumentInvalid, f'apiVersion: "{value}"\nkind: A\nmetadata: {{name: a}}\n')


@pytest.mark.parametrize("value", ["7Up", "A-B", "a.b", "K" * 64, "\u212aind"])
def test_other_kinds_are_refused(value: str) -> None:
    refuse(DocumentInvalid, f'apiVersion: v1\nkind: "{value}"\nmetadata: {{name: a}}\n')


def test_generated_names_are_refused_with_advice() -> None:
    with pytest.raises(DocumentInvalid, match="generateName") as caught:
        read("apiVersion: v1\nkind: A\nmetadata: {generateName: a-}\n")
    assert "metadata.name" in caught.value.remedy


def test_large_annotations_leave_no_trace() -> None:
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web, annotations: {{a: {'x' * 300_000}}}}}\n"
    assert read(text) == [WEB]


def test_a_secrets_data_stays_where_it_is() -> None:
    text = HEAD.replace("ConfigMap", "Secret") + f"data: {{{SECRET}: {SECRET}}}\nstringData: {{a: {SECRET}}}\n"
    assert SECRET not in repr(read(text))
    assert SECRET not in refuse(DocumentInvalid, text + f"{SECRET}: .nan\n")


# Part: templates, threat D41


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("{{ .nuon.install.id }}", "{{...}}"),
        ("web-{{ .nuon.install.id }}", "web-{{...}}"),
        ("web-{{.a}}-{{.b}}x", "web-{{...}}-{{...}}x"),
        ('"{{ .a }}"', "{{...}}"),
        ("'web-{{ .a | default \"x\" }}'", "web-{{...}}"),
        ("{{{{}}", None),
        ('{{ index .a "b" }}', "{{...}}"),
        ("{{- .a -}}", "{{...}}"),
        ("{{}}", "{{...}}"),
        ("7{{.a}}", "7{{...}}"),
        ("{{ .a }} {{ .b }}", None),
        ("{{ " + "a" * 1100 + " }}", None),
        ("{{ {a} }}", None),
        ("{{ .a\n  }}", "{{...}}"),
        ("'{{ .a }}-{{\n    .b\n    }}'", "{{...}}-{{...}}"),
        ("{{ .a\n  # }}", None),
    ],
)
def test_a_templated_name_is_shown_without_its_template(name: str, shown: str | None) -> None:
    text = f"apiVersion: v1\nkind: A\nmetadata:\n  name: {name}\n  namespace: x\n"
    if shown is None:
        refuse(DocumentInvalid, text)
    else:
        assert read(text) == [Resource("v1", "A", "x", shown, (), templated=True)]


def test_namespace_and_images_may_be_templated() -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: {{ .ns }}\n"
    text += 'spec:\n  containers:\n  - image: "{{ .registry }}/web:{{ .tag }}"\n  - image: {{ .other }}\n'
    images = ("{{...}}/web:{{...}}", "{{...}}")
    assert read(text) == [Resource("v1", "Pod", "{{...}}", "web", images, templated=True)]


@pytest.mark.parametrize("field", ["apiVersion: v1", "kind: ConfigMap"])
def test_kind_and_api_version_cannot_be_templated(field: str) -> None:
    key = field.split(":", maxsplit=1)[0]
    assert key in refuse(DocumentInvalid, HEAD.replace(field, f"{key}: {{{{ .a }}}}"))
    assert key in refuse(DocumentInvalid, HEAD.replace(field, f"{field}{{{{ .a }}}}"))


def test_control_flow_on_lines_of_its_own_is_passed_over() -> None:
    text = f"{{{{- if .a }}}}\n{HEAD}data:\n  {{{{- range .b }}}}\n  a: {{{{ . }}}}\n  {{{{ end }}}} {{{{/* x */}}}}\n"
    text += "  {{ .key }}: 1\n  {{ .other }}: 2\n{{- end }}\n"
    assert [(found.name, found.templated) for found in read(text)] == [("web", True)]


def test_only_the_documents_with_placeholders_are_templated() -> None:
    texts = [
        f"{{{{ if .a }}}}\n{HEAD}",
        HEAD,
        f"{HEAD}# {{{{ .a }}}}\n",
        f"# plain\n{HEAD}",
        f"{HEAD}{{{{ end }}}}\n",
        f"{HEAD}",
        f"{HEAD}a: {{{{ .a }}}}",
    ]
    assert [found.templated for found in read("---\n".join(texts))] == [True, False, True, False, True, False, True]
    assert [found.templated for found in read("...\n---\n".join(texts))] == [
        True,
        False,
        True,
        False,
        True,
        False,
        True,
    ]
    assert [found.templated for found in read("---\r\n".join(texts))] == [True, False, True, False, True, False, True]


def test_faults_in_templated_text_are_told_by_the_lines_of_the_file() -> None:
    assert refuse(DocumentInvalid, f"{{{{ if .a }}}}\n{HEAD}{{{{ end }}}}\na: b: c\n").endswith("at line 6.")


def test_placeholders_in_block_scalars_and_quotes_are_just_text() -> None:
    text = HEAD + 'data:\n  a: |\n    {{ .x }}\n    b: {{ .y }}\n  c: >-\n    {{ .z }}\n  d: "{{ .q }}"\n'
    assert [found.templated for found in read(text)] == [True]


@pytest.mark.parametrize(
    "between",
    [
        "a: '{{'\n%s\nb: '}}'\n",
        "a: |\n  {{\n%s\nb: |\n  }}\n",
        "a: |\n  {{ `\n%s\nb: |\n  ` }}\n",
        "a: |\n  {{/*\n%s\nb: |\n  */}}\n",
        'a: |\n  {{ "\n%s\nb: |\n  " }}\n',
        "# {{\n%s\n# }}\n",
    ],
)
def test_no_braces_hide_what_stands_between_them_on_lines_of_its_own(between: str) -> None:
    found = read(HEAD + between % "spec:\n  containers:\n  - image: one")
    assert [each.images for each in found] == [("one",)]


def test_text_behind_a_placeholder_is_still_read() -> None:
    text = "{{ .a }}\n---\n" + HEAD + "x: {{\ncontainers: [{image: one}]\ny: }}\n"
    refuse(DocumentInvalid, text)
    text = HEAD + "x: '{{'\ncontainers: [{image: one}]\ny: '}}'\n"
    assert read(text) == [Resource("v1", "ConfigMap", None, "web", ("one",), templated=False)]


def test_shell_variables_are_text_and_no_templates() -> None:
    text = HEAD.replace("{name: web}", "\n  name: ${NAME}\n  namespace: $NS")
    assert read(text) == [Resource("v1", "ConfigMap", "$NS", "${NAME}", (), templated=False)]


@pytest.mark.parametrize("kind", ["Kustomization", "Component"])
def test_a_kustomization_is_refused_under_whatever_name_its_file_has(kind: str) -> None:
    with pytest.raises(DocumentInvalid, match="kustomization") as caught:
        read(f"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: {kind}\nresources: [https://evil.example/x]\n")
    assert "kustomize build" in caught.value.remedy


@pytest.mark.parametrize("text", [b"{{" * 5_000_000, b"{{}}" * 100_001])
def test_a_flood_of_placeholders_is_refused(text: bytes) -> None:
    assert "placeholders" in refuse(DocumentLimit, text)


# Part: anything at all


@settings(deadline=None)
@given(st.binary(max_size=300))
@example(b"\xef\xbb\xbf\xef\xbb\xbf")
def test_arbitrary_bytes_are_read_or_refused_with_an_error_of_ours(text: bytes) -> None:
    with contextlib.suppress(DocumentInvalid, DocumentLimit):
        read(text)


@settings(deadline=None)
@given(st.text("{}[]:,-?&*!|>'\"%@`#<~ \n\ta1.", max_size=80))
def test_arbitrary_syntax_is_read_or_refused_with_an_error_of_ours(text: str) -> None:
    with contextlib.suppress(DocumentInvalid, DocumentLimit):
        read(HEAD + text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)


@settings(deadline=None)
@given(NAMES, VALUES)
@example("app", {"\U0001f600": None, "\U0001f601": None})
def test_an_object_as_any_writer_puts_it_is_read_with_its_name(name: str, value: object) -> None:
    thing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": value}}
    texts = [
        json.dumps(thing),
        json.dumps(thing, indent=2),
        yaml.safe_dump(thing),
        yaml.safe_dump(thing, default_flow_style=True),
    ]
    # Templates are found wherever they are, and PyYAML leaves plain what Go reads as a number.
    assume("{{" not in texts[0] and resolve(name) is Scalar.TEXT)
    for text in texts:
        assert [(found.kind, found.name) for found in read(text)] == [("ConfigMap", name)]
