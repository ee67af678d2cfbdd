"""Where the fields of a component file stand: the line and the column that a fault names."""

from __future__ import annotations

import json
import tomllib
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byoa.components.positions import Location, locate
from byoa.components.reading import check_config

FILE = '''\
name = "web" # = 1
"type"= "kubernetes_manifest"
  'namespace' = """
[oci_artifact]
tag = "no key"
""""
dependencies = ["a",
  # "b"
  'c', ["d"]
]
labels = {team = "x = 1, y = 2", "a b" = [{c = 1}, {d = 2}]}
health.enabled = true
health . probes = []

[oci_artifact] # [kustomize]
url = 'oci://r.io/a'

[[operation_roles]]
operation = "deploy"
[[operation_roles]]
[operation_roles.more]
role = ''
[ a . "b.c" . d ]
e = {}
[a]
f = 1979-05-27T07:32:00Z'''


@pytest.mark.parametrize(
    ("location", "line", "column"),
    [
        (("name",), 1, 1),
        (("type",), 2, 1),
        (("namespace",), 3, 3),
        (("dependencies",), 7, 1),
        (("dependencies", 0), 7, 17),
        (("dependencies", 1), 9, 3),
        (("dependencies", 2), 9, 8),
        (("dependencies", 2, 0), 9, 9),
        (("labels", "team"), 11, 11),
        (("labels", "a b"), 11, 34),
        (("labels", "a b", 1), 11, 52),
        (("labels", "a b", 1, "d"), 11, 53),
        (("health",), 12, 1),
        (("health", "enabled"), 12, 8),
        (("health", "probes"), 13, 10),
        (("oci_artifact",), 15, 2),
        (("oci_artifact", "url"), 16, 1),
        (("operation_roles",), 18, 3),
        (("operation_roles", 0, "operation"), 19, 1),
        (("operation_roles", 1), 20, 3),
        (("operation_roles", 1, "more"), 21, 18),
        (("operation_roles", 1, "more", "role"), 22, 1),
        (("a",), 25, 2),  # where it is defined, not where another table implies it
        (("a", "b.c"), 23, 7),
        (("a", "b.c", "d"), 23, 15),
        (("a", "b.c", "d", "e"), 24, 1),
        (("a", "f"), 26, 1),
    ],
    ids=str,
)
def test_a_key_is_found_however_it_is_written(location: Location, line: int, column: int) -> None:
    tomllib.loads(FILE)
    for text in (FILE, FILE.replace("\n", "\r\n")):
        assert locate(text, [location]) == [(line, column)]
        assert locate(text, [("name",), location, ("a", "b.c", "d", "e")])[1] == (line, column)


@pytest.mark.parametrize(
    ("location", "line", "column"),
    [
        ((), 1, 1),
        (("manifest",), 1, 1),
        (("oci_artifact", "tag"), 15, 2),
        (("operation_roles", 0, "role"), 18, 3),
        (("operation_roles", 1, "role"), 20, 3),
        (("labels", "b"), 11, 1),
        (("dependencies", 3), 7, 1),
        (("health", "probes", 0, "type"), 13, 10),
    ],
    ids=str,
)
def test_what_is_missing_is_placed_at_the_table_that_lacks_it(location: Location, line: int, column: int) -> None:
    assert locate(FILE, [location]) == [(line, column)]


def test_a_table_on_the_last_line_is_found_without_a_line_end() -> None:
    assert locate("a = 1\n[b]", [("b",), ("b", "c")]) == [(2, 2), (2, 2)]


def test_quotes_at_the_end_of_a_long_string_are_its_own() -> None:
    text = 'a = ["""b"""", \'\'\'c\'\'\'\', """""", \'d\']'
    assert tomllib.loads(text)["a"] == ['b"', "c'", "", "d"]
    assert [place.column for place in locate(text, [("a", number) for number in range(4)])] == [6, 16, 26, 34]


def test_keys_deeper_than_what_is_asked_for_are_passed_over() -> None:
    text = f"{'.'.join('x' * 40)} = 1\n[a.b.c.d.e.f]\ng = 1\n[a]\nz = 1\n"
    tomllib.loads(text)
    assert locate(text, [("a", "b"), ("a", "z"), ("x",), ("x", "x")]) == [(2, 4), (5, 1), (1, 1), (1, 3)]


# --- any file ----------------------------------------------------------------------------------------------------


class Key(NamedTuple):
    location: Location
    line: int
    text: str


VALUES = st.sampled_from(
    [
        "1",
        '"a = 1"',
        "'[t]'",
        '"\\" = 1"',
        '"""\nx = 1\n[x]\n"" \\""" """',
        "'''\n'' = 1\n'''''",
        '"""a"""""',
        "'''\n'' [x]\n[x]\n'''",
        '"""\\\n  x = 1\n[x]\n"""',
        "[\n# ] x = 1\n1, [2,\n3], ]",
        '{k = "}", "l" = {m = 1}}',
        "[{k = 1}, {k = '{'}]",
        "1979-05-27 07:32:00",
        "-1.5e3",
        "true # = 1",
    ]
)
NAMES = st.text(max_size=6) | st.sampled_from(["a", "b c", 'd"', "e'", "f.g", "h\\", "#", "=", "[i]", "\n", "ü"])


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[Key]]:
    """A TOML text and the keys in it. Each name is there once, so that all of them may stand anywhere."""
    lines: list[str] = []
    keys: list[Key] = []
    counts: dict[str, int] = {}

    def spell(name: str) -> str:
        if draw(st.booleans()) and "'" not in name and name.isprintable():
            return f"'{name}'"
        if name.isascii() and name.isalnum():
            return name
        return "".join(
            f"\\U{ord(each):08x}" if not each.isprintable() else each for each in json.dumps(name, ensure_ascii=False)
        )

    def add(base: Location) -> None:
        parts = [f"{draw(NAMES)}{len(lines)}-{n}" for n in range(draw(st.integers(1, 3)))]
        spelt = [spell(part) for part in parts]
        text = draw(st.sampled_from([".", " . ", "\t."])).join(spelt)
        keys.append(Key((*base, *parts), len(lines) + 1, spelt[-1]))
        lines.extend(f"{draw(st.sampled_from(['', '  ']))}{text}={draw(VALUES)}".split("\n"))

    for _ in range(draw(st.integers(0, 3))):
        add(())
    for _ in range(draw(st.integers(0, 4))):
        base: Location = ()
        if draw(st.booleans()):
            name = draw(st.sampled_from(["many", "lots of"]))
            lines.append(f"[[ {spell(name)} ]] # x")
            counts[name] = counts.get(name, 0) + 1
            base = (name, counts[name] - 1)
            keys.append(Key(base, len(lines), ""))
        else:
            parts = [f"{draw(NAMES)}{len(lines)}", "deep"][: draw(st.integers(1, 2))]
            lines.append(f"[{'.'.join(map(spell, parts))}]")
            base = tuple(parts)
            keys.append(Key(base, len(lines), ""))
        for _ in range(draw(st.integers(0, 3))):
            add(base)
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines), keys


@given(files())
def test_the_line_that_is_named_holds_the_key(made: tuple[str, list[Key]]) -> None:
    text, keys = made
    document = tomllib.loads(text)
    places = locate(text, [key.location for key in keys])
    lines = text.split("\n")
    for key, place in zip(keys, places, strict=True):
        value: Any = document
        for part in key.location:
            value = value[part]
        assert place.line == key.line
        assert lines[place.line - 1][place.column - 1 :].startswith(key.text)


@given(
    st.text() | st.text(alphabet="ab.=[]{},'\"\\# \n"), st.lists(st.tuples(st.sampled_from("ab") | st.integers(0, 2)))
)
def test_of_any_text_a_place_in_it_is_named(text: str, locations: list[Location]) -> None:
    lines = text.split("\n")
    for line, column in locate(text, locations):
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1


# --- faults ------------------------------------------------------------------------------------------------------

HEAD = 'name = "web"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\n'
ARTIFACT = '[oci_artifact]\nurl = "oci://r.io/a"\ntag = "v1"\n'


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a = 1\nb = = 2", "toml_invalid", 2, 5),
        ("\na = '", "toml_invalid", 2, 6),
        ("a = 1\r\nb = [1,\r\n", "toml_invalid", 3, 1),
        ("\n" + ".".join("a" * 100) + " = 1", "toml_invalid", 2, 1),
        (b"a = 1\nb = 'x\xe9'", "text_not_utf8", 2, 7),
        (b"\xef\xbb\xbf\xff", "text_not_utf8", 1, 1),
        ("ab\ud800", "text_not_utf8", 1, 3),
        ("#" * 300_000, "text_too_large", 1, 1),
        (HEAD.replace("kubernetes_manifest", "helm_chart"), "type_unsupported", 2, 1),
        (HEAD, "source_missing", 1, 1),
        (HEAD + "manifest = 'a'\n" + ARTIFACT, "source_conflict", 5, 2),
        (HEAD + ARTIFACT + "[public_repo]\nrepo='a'\ndirectory='b'\nbranch='c'", "repo_unexpected", 7, 2),
        (HEAD + ARTIFACT.replace("tag", "#"), "reference_incomplete", 4, 2),
        (HEAD + ARTIFACT.replace("/a", "/a:v0"), "reference_conflict", 6, 1),
        (HEAD + ARTIFACT.replace("oci:", "ftp:"), "reference_unsupported", 5, 1),
        (HEAD + ARTIFACT.replace("url", "# url"), "field_missing", 4, 2),
        (HEAD.replace("name", "#", 1) + ARTIFACT, "field_missing", 1, 1),
        (HEAD + ARTIFACT + "  auth_token = 'hunter2'", "field_secret", 7, 3),
        (HEAD + "labels = {a = '', 'b c' = ''}\n" + ARTIFACT, "field_value", 4, 19),
        (HEAD + "dependencies = [\n'a',\n 'B']\n" + ARTIFACT, "field_value", 6, 2),
        (HEAD + ARTIFACT + "[[operation_roles]]\noperation='deploy'\nrole = 7", "field_type", 9, 1),
        (HEAD + ARTIFACT + "[health]\nprobes=[{type='tcp'}, {type='udp'}]", "field_value", 8, 24),
    ],
    ids=lambda value: value if isinstance(value, str) and value.islower() and len(value) < 25 else "",
)
def test_a_fault_names_its_line_and_column(text: str | bytes, code: str, line: int, column: int) -> None:
    (fault,) = check_config(text).faults
    assert (fault.code, fault.line, fault.column) == (code, line, column)


def test_the_faults_of_a_file_each_have_their_own_line() -> None:
    faults = check_config(HEAD + "".join(f"k{number} = 1\n" for number in range(50)) + ARTIFACT).faults
    assert [fault.line for fault in faults] == list(range(4, 54))


def test_a_fault_as_data_has_line_and_column_and_no_second_path() -> None:
    (fault,) = check_config(HEAD + ARTIFACT + "x = 1").faults
    assert fault.as_dict() == {
        "code": "field_unknown",
        "field": "oci_artifact.x",
        "message": "unknown field 'x'",
        "remedy": "Remove it.",
        "line": 7,
        "column": 1,
    }
