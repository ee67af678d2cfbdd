"""Changes of fields in a component's file: they say what was wanted, and everything else stays where it was."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from byoa.components.editing import BESIDE_LIMIT, CHANGE_LIMIT, edit, form_of
from byoa.components.paths import parse_path
from byoa.components.reading import check_config
from byoa.components.rendering import render_toml
from byoa.errors import EditRefused

FILE: Final = """\
# kubernetes-manifest
name      = "web"   # its name
type      = "kubernetes_manifest"
namespace = 'a'
dependencies = [
  "a", # first
  # about b
  "b",
]

# labels of ours
[labels]
team = "a" # who

# where the artifact is
[oci_artifact]
url    = "oci://ghcr.io/vendor/app"
tag    = "v1"  # the newest

# roles
[[operation_roles]]
operation = "deploy"  # d
role = "x"

# second
[[operation_roles]]
operation = "teardown"
role = "y"

# the end
"""


def lines_of(text: str, *changed: tuple[str, str]) -> str:
    for old, new in changed:
        assert old in text
        text = text.replace(old, new, 1)
    return text


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({"oci_artifact.tag": "v2"}, [('"v1"  # the newest', '"v2"  # the newest')]),
        ({"namespace": "b"}, [("'a'", '"b"')]),
        ({"var_name": "web"}, [("]\n\n# labels", ']\nvar_name = "web"\n\n# labels')]),
        ({"max_auto_retries": 3, "skip_noops": True}, [("]\n\n#", "]\nmax_auto_retries = 3\nskip_noops = true\n\n#")]),
        ({"oci_artifact.credentials_ref": "ghcr"}, [("newest\n", 'newest\ncredentials_ref = "ghcr"\n')]),
        ({"labels.'a.b/c'": "d"}, [("# who\n", '# who\n"a.b/c" = "d"\n')]),
        ({"oci_artifact.tag": None}, [('tag    = "v1"  # the newest\n', "")]),
        ({"labels": None}, [('[labels]\nteam = "a" # who\n', "")]),
        ({"labels": {"x": "y"}}, [('team = "a" # who\n', 'x = "y"\n')]),
        ({"labels": {}}, [('team = "a" # who\n', "")]),
        ({"dependencies[0]": None}, [('  "a", # first\n', "")]),
        ({"dependencies": ["a", "c", "b"]}, [('  "b",\n', '  "c",\n  "b",\n')]),
        ({"dependencies[2]": "c"}, [('  "b",\n', '  "b",\n  "c",\n')]),
        ({"operation_roles[1].role": "z"}, [('"y"', '"z"')]),
        ({"operation_roles[0]": None}, [('[[operation_roles]]\noperation = "deploy"  # d\nrole = "x"\n', "")]),
        ({"operation_roles[1]": None}, [('[[operation_roles]]\noperation = "teardown"\nrole = "y"\n', "")]),
        (
            {"operation_roles[2]": {"operation": "trigger", "role": "z"}},
            [('role = "y"\n', 'role = "y"\n\n[[operation_roles]]\noperation = "trigger"\nrole = "z"\n')],
        ),
        (
            {"health.stabilization_window": "3m"},
            [("# the end\n", '# the end\n\n[health]\nstabilization_window = "3m"\n')],
        ),
        (
            {"oci_artifact": None, "manifest": "a: 1\nb: 2\n"},
            [
                ("]\n\n# labels", ']\nmanifest = """\na: 1\nb: 2\n"""\n\n# labels'),
                ('[oci_artifact]\nurl    = "oci://ghcr.io/vendor/app"\ntag    = "v1"  # the newest\n', ""),
            ],
        ),
        ({"labels.team": None, "labels.none": None, "none": None}, [('team = "a" # who\n', "")]),
        ({}, []),
        ({"name": "web"}, []),
    ],
    ids=json.dumps,
)
def test_a_change_changes_its_lines_and_no_others(changes: dict[str, Any], changed: list[tuple[str, str]]) -> None:
    assert edit(FILE, changes) == lines_of(FILE, *changed)


DOTTED: Final = """\
name = "w"
oci_artifact.url = "oci://x/y" # u
oci_artifact.tag = "v1"  # t
labels = { team = "a", b = "c" } # l
health.probes = [ {type="http", url="x"}, # one
  {type="tcp", url="y"} ]"""


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({"oci_artifact.tag": "v2"}, [('"v1"', '"v2"')]),
        ({"oci_artifact.digest": "d"}, [("# t\n", '# t\noci_artifact.digest = "d"\n')]),
        ({"oci_artifact.tag": None}, [('oci_artifact.tag = "v1"  # t\n', "")]),
        ({"labels.team": "b"}, [('team = "a"', 'team = "b"')]),
        ({"labels.b": None}, [(', b = "c"', "")]),
        ({"health.probes[1].url": "z"}, [('{type="tcp", url="y"}', '{ type = "tcp", url = "z" }')]),
        ({"var_name": "w"}, [('url="y"} ]', 'url="y"} ]\nvar_name = "w"')]),
    ],
    ids=json.dumps,
)
def test_dotted_keys_and_tables_on_a_line_stay_what_they_are(
    changes: dict[str, Any], changed: list[tuple[str, str]]
) -> None:
    assert edit(DOTTED, changes) == lines_of(DOTTED, *changed)


def test_ends_of_lines_and_a_mark_at_the_beginning_stay() -> None:
    windows = "\ufeff" + FILE.replace("\n", "\r\n")
    assert edit(windows, {"var_name": "w", "oci_artifact.tag": "v2"}) == "\ufeff" + edit(
        FILE, {"var_name": "w", "oci_artifact.tag": "v2"}
    ).replace("\n", "\r\n")


def test_what_changes_to_another_type_is_changed() -> None:
    assert tomllib.loads(edit('a = "1"\n', {"a": 1})) == {"a": 1}
    for value in (True, 1.0, 1, "1", [1], {"b": 1}, [{"b": 1}]):
        assert repr(tomllib.loads(edit(FILE, {"labels": value}))["labels"]) == repr(value)


@pytest.mark.parametrize("text", ["a = ", "[[[", "a = 1\na = 2\n", "a" + ".a" * 60 + " = 1"])
def test_a_text_that_is_no_toml_is_never_overwritten(text: str) -> None:
    assert form_of(text) is None
    with pytest.raises(EditRefused):
        edit(text, {"name": "a"})


@pytest.mark.parametrize(
    "path", ["", ".", "a.", ".a", "a..b", "a b", "[0]", "a[", "a[01]", "a[-1]", "a[x]", "'a", "'\\q'", '"\\ud800"',
             "a'b'", "a\n", "é", "a" * 600, ".".join("a" * 9), "a[99999]", "'\\U00110000'"],
)  # fmt: skip
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(EditRefused):
        edit(FILE, {path: 1})


@pytest.mark.parametrize(
    "path", ["name.x", "labels[0]", "dependencies.a", "dependencies[3]", "operation_roles[0].role.x", "new[1]"]
)
def test_a_path_that_leads_nowhere_is_refused(path: str) -> None:
    with pytest.raises(EditRefused):
        edit(FILE, {path: "a"})


def test_faults_name_fields_as_changes_do() -> None:
    for key in ("a b", "it's", 'say "no"', "é\n\t\\", "\U0001f600"):
        (fault,) = check_config(f"{FILE}\n[health]\n{json.dumps(key, ensure_ascii=False)} = 1\n").faults
        assert parse_path(fault.field) == ("health", key)


# ---- limits ------------------------------------------------------------------------------------------------------

SLOW: Final = {
    "dotted keys": "".join(f"k{at}.a = 1\n" for at in range(4000)),
    "many parts": "".join(f"{'.'.join(f'k{at}x{part}' for part in range(30))} = 1\n" for at in range(300)),
    "heads of many parts": "".join(f"[k{at}.b.c.d.e.f]\n" for at in range(200)),
    "dotted keys in a table on a line": "a = {" + ",".join(f"k{at}.b = 1" for at in range(3000)) + "}\n",
    "tables": "".join(f"[t{at}]\n" for at in range(6000)),
    "lists of tables": "[[x]]\n" * 9000,
    "items": "a = [" + "1," * 30000 + "]\n",
    "comments": "#\n" * 32000,
    "bytes": f"# {'x' * BESIDE_LIMIT}\n",
}


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW)
def test_what_would_take_long_is_refused_before_it_is_tried(text: str) -> None:
    assert form_of(text) is not None
    with pytest.raises(EditRefused) as refused:
        edit(text, {"name": "web"})
    assert refused.value.__cause__ is None, "tomlkit never saw it"


def test_a_long_manifest_is_no_hindrance_whatever_it_holds() -> None:
    manifest = "a.b.c.d.e.f.g = 1 # [[x]]\n" * 9000
    text = FILE.replace("[labels]", "[labels]", 1) + "\n"
    text = text.replace("namespace", f"manifest = '''\n{manifest}'''\nnamespace", 1)
    assert edit(text, {"oci_artifact.tag": "v2"}) == text.replace('"v1"', '"v2"')


def test_too_many_changes_are_refused() -> None:
    edit(FILE, {f"labels.a{number}": "b" for number in range(CHANGE_LIMIT)})
    many: list[dict[str, Any]] = [
        {f"labels.a{number}": "b" for number in range(CHANGE_LIMIT + 1)},
        {"labels": {f"a{number}": "b" for number in range(1001)}},
        {"manifest": "a" * 300_000},
        {"dependencies": ["a", None]},
    ]
    for changes in many:
        with pytest.raises(EditRefused):
            edit(FILE, changes)


def test_what_is_deeper_than_a_reader_goes_is_refused() -> None:
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    with pytest.raises(EditRefused):
        edit(FILE, {"a": deep})
    nested = "a = " + "{a = " * 60 + "1" + "}" * 60 + "\n"
    assert "name" in edit(nested, {"name": "a"})


def test_a_form_is_json_whatever_the_file_says() -> None:
    form = form_of("a = 1979-05-27\nb = nan\nc = [inf, 07:32:00]\nd = 1.5\ne = 0xff\n")
    assert form == {"a": "1979-05-27", "b": "nan", "c": ["inf", "07:32:00"], "d": 1.5, "e": 255}
    json.dumps(form, allow_nan=False)


def test_nobody_who_only_looks_loads_the_library() -> None:
    code = (
        "import sys, byoa.api.app; from byoa.components.editing import form_of; form_of('a = 1');"
        "sys.exit('tomlkit' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- whatever the file and the change ----------------------------------------------------------------------------

WORDS: Final = st.text("abcXYZ09-_ .#\"'\\{}[]=é\t", max_size=12)
VALUES: Final = st.one_of(
    WORDS, st.integers(-9, 9), st.booleans(), st.lists(WORDS, max_size=3), st.text("ab\n'\"\\", max_size=9)
)
KEYS: Final = st.one_of(st.sampled_from("abcd"), st.sampled_from(["a b", "a.b/c", "é", "it's"]))
COMMENT: Final = re.compile(r"# c[0-9]+")


@st.composite
def files(draw: st.DrawFn) -> str:
    """Any file with all ways to write things, and comments everywhere, each with a number of its own."""
    numbers = iter(range(10_000))

    def comment(*, always: bool = False) -> str:
        return f" # c{next(numbers)}" if always or draw(st.booleans()) else ""

    def between() -> str:
        return "".join(
            draw(st.sampled_from(["", "\n", f"# c{next(numbers)}\n"])) for _ in range(draw(st.integers(0, 2)))
        )

    def field(key: str) -> str:
        written = key if re.fullmatch(r"\w+", key, re.ASCII) else json.dumps(key, ensure_ascii=False)
        space = draw(st.sampled_from([" ", "", "   "]))
        kind = draw(st.sampled_from(["value", "value", "lines", "inline", "dotted"]))
        if kind == "lines":
            inner = "".join(f"  {json.dumps(draw(WORDS))},{comment()}\n" for _ in range(draw(st.integers(0, 3))))
            return f"{written}{space}= [{comment()}\n{inner}]{comment()}\n"
        if kind == "inline":
            return f"{written} ={space}{{ x = {json.dumps(draw(WORDS))}, y = 1 }}{comment()}\n"
        if kind == "dotted":
            return f"{written}.x{space}= 1{comment()}\n{between()}{written}.y = {json.dumps(draw(WORDS))}{comment()}\n"
        value = draw(VALUES)
        return f"{written}{space}={space}{json.dumps(value, ensure_ascii=False)}{comment()}\n"

    def fields() -> str:
        return "".join(between() + field(key) for key in draw(st.lists(KEYS, max_size=3, unique=True)))

    text = fields()
    for table in draw(st.lists(st.sampled_from(["t", "u", "v.w", "v", "v.x.y"]), max_size=4, unique=True)):
        head = f"[{table}]"
        text += f"{between()}{head}{comment()}\n{fields()}"
    for _ in range(draw(st.integers(0, 3))):
        text += f"{between()}[[r]]{comment()}\n{fields()}"
    return text + between()


def paths_of(value: Any, path: str = "") -> list[str]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            part = key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else ascii(key)
            found += paths_of(inner, f"{path}.{part}" if path else part)
    if isinstance(value, list):
        for at, inner in enumerate(value):
            found += paths_of(inner, f"{path}[{at}]")
    return found


def put(document: Any, path: str, value: Any) -> None:
    *way, last = parse_path(path)
    for part in way:
        document = document[part]
    if isinstance(document, list) and last == len(document):
        document.append(value)
    else:
        document[last] = value


@settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(st.data())
def test_a_new_value_leaves_all_comments_and_every_other_value(data: st.DataObject) -> None:
    text = data.draw(files())
    wanted = document_of(text)
    plain = [path for path in paths_of(wanted) if not isinstance(value_at(wanted, path), (dict, list))]
    new = data.draw(st.sampled_from(["new", "t.new", "u.'n.e/w'", "v.new", "fresh.new"]))
    changes = (
        {path: data.draw(VALUES) for path in data.draw(st.lists(st.sampled_from(plain), max_size=3, unique=True))}
        if plain
        else {}
    )
    for path, value in changes.items():
        put(wanted, path, value)
    *way, _ = parse_path(new)
    holder: Any = wanted
    for part in way:
        holder = holder.setdefault(part, {}) if isinstance(holder, dict) else None
    if isinstance(holder, dict):
        changes[new] = data.draw(VALUES)
        put(wanted, new, changes[new])
    edited = edit(text, changes)
    assert tomllib.loads(edited) == wanted
    assert COMMENT.findall(edited) == COMMENT.findall(text), "comments stay, in their order"


def document_of(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        reject()


def value_at(document: Any, path: str) -> Any:
    for part in parse_path(path):
        document = document[part]
    return document


@settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(st.data())
def test_what_is_taken_away_takes_nothing_else_with_it(data: st.DataObject) -> None:
    text = data.draw(files())
    wanted = document_of(text)
    paths = paths_of(wanted)
    assume(paths)
    path = data.draw(st.sampled_from(paths))
    *way, last = parse_path(path)
    holder: Any = wanted
    for part in way:
        holder = holder[part]
    del holder[last]
    try:
        edited = edit(text, {path: None})
    except EditRefused:
        assert not holder, "only what can't be written without its last field is refused"
        return
    assert tomllib.loads(edited) == wanted
    kept, was = COMMENT.findall(edited), COMMENT.findall(text)
    assert kept == [each for each in was if each in kept], "what stays, stays in order"


@given(st.data())
@settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
def test_a_form_written_into_an_empty_file_is_the_form_again(data: st.DataObject) -> None:
    form = data.draw(
        st.dictionaries(
            KEYS,
            st.one_of(
                VALUES,
                st.dictionaries(KEYS, VALUES, max_size=3),
                st.lists(st.dictionaries(KEYS, VALUES, max_size=2), max_size=2),
            ),
            max_size=5,
        )
    )
    changes = {key if key.isascii() and key.isalnum() else ascii(key): value for key, value in form.items()}
    assert form_of(edit("", changes)) == form
    again = edit(edit(FILE, {"labels": None}), {})
    assert form_of(again) == {key: value for key, value in (form_of(FILE) or {}).items() if key != "labels"}


def test_a_config_of_all_kinds_goes_to_a_form_and_back() -> None:
    checked = check_config(FILE)
    assert checked.config
    form = form_of(render_toml(checked.config)) or {}
    assert check_config(edit("", form)).config == checked.config
