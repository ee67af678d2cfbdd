"""Two artifacts compared by their objects: what is told, where, and what is never shown."""

from __future__ import annotations

import base64
import json
import re
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.layout import LayoutRepository
from byoa.content.changes import LONGEST_PATH, Change
from byoa.content.difference import (
    ALL_CHANGES,
    CHANGES,
    CHARACTERS,
    COMPARED,
    OBJECTS,
    TWINS,
    Difference,
    Objects,
    Side,
    compare,
    compare_objects,
)
from byoa.content.documents import read_resources
from byoa.content.excerpts import LONGEST
from byoa.content.packing import pack
from byoa.engine.contents import VerifiedContents
from byoa.errors import ByoaError, DocumentInvalid, DocumentLimit, MediaTypeUnsupported
from byoa.trust.limits import STAGED
from local.demo import ARTIFACTS

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "c4n4ry-6e55"
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: vendor}
spec:
  replicas: 2
  template:
    spec:
      containers:
      - {name: web, image: "ghcr.io/vendor/web:1", args: [a, b, c], ports: [{containerPort: 80}, {containerPort: 81}]}
      - {name: log, image: "ghcr.io/vendor/log:1"}
"""


def objects(text: str, counterpart: Objects | None = None) -> Objects:
    found = Objects(counterpart)
    read_resources(text.encode(), COMPARED, keep=found.keep)
    return found


def differ(before: str, after: str) -> Difference:
    first = objects(before)
    found = compare_objects(first, objects(after, first))
    shown = json.dumps(found.document(), ensure_ascii=False)
    assert shown.isascii()
    assert shown.isprintable()
    return found


def changes(before: str, after: str) -> list[tuple[str, str, str | None, str | None]]:
    (one,) = differ(before, after).objects
    assert one.op == "changed"
    return [change[:4] for change in one.changes]


def places(found: Difference) -> list[tuple[str, str, str | None, str]]:
    return [(each.op, each.kind, each.namespace, each.name) for each in found.objects]


def data(**values: str) -> str:
    return HEAD + f"data: {json.dumps(values)}\n"


# ---- objects ---------------------------------------------------------------------------------------------------------


def test_the_same_is_no_difference() -> None:
    found = differ(HEAD + "---" + DEPLOYMENT, HEAD + "---" + DEPLOYMENT)
    assert found == Difference(same=2)
    assert not found.differs


def test_neither_order_nor_style_nor_comments_nor_lists_matter() -> None:
    after = "# the other way round\n" + DEPLOYMENT.replace("replicas: 2", "replicas: 0x2")
    after += '---\n{"kind": "List", "apiVersion": "v1", "items": [{"kind": "ConfigMap", "metadata": {"name": "web"},'
    after += ' "apiVersion": "v1"}]}'
    assert differ(HEAD + "---" + DEPLOYMENT, after) == Difference(same=2)


def test_objects_are_added_removed_and_changed() -> None:
    service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: vendor}\n"
    found = differ(HEAD + "---" + DEPLOYMENT, DEPLOYMENT.replace("replicas: 2", "replicas: 3") + service)
    assert (found.added, found.removed, found.changed, found.same) == (1, 1, 1, 0)
    assert places(found) == [
        ("removed", "ConfigMap", None, "web"),
        ("changed", "Deployment", "vendor", "web"),
        ("added", "Service", "vendor", "web"),
    ]
    assert found.objects[1].changes == (Change("/spec/replicas", "replace", "2", "3"),)


@pytest.mark.parametrize("other", ["name: app", "name: web, namespace: vendor"])
def test_another_name_or_namespace_is_another_object(other: str) -> None:
    found = differ(HEAD, HEAD.replace("name: web", other))
    assert (found.added, found.removed, found.changed) == (1, 1, 0)


def test_another_kind_or_group_is_another_object() -> None:
    assert differ(DEPLOYMENT, DEPLOYMENT.replace("apps/", "vendor.example/")).added == 1
    assert differ(DEPLOYMENT, DEPLOYMENT.replace("kind: Deployment", "kind: StatefulSet")).added == 1


def test_another_version_of_its_group_is_told_as_such() -> None:
    (one,) = differ(DEPLOYMENT.replace("apps/v1", "apps/v1beta2"), DEPLOYMENT).objects
    assert (one.op, one.was, one.api_version) == ("changed", "apps/v1beta2", "apps/v1")
    assert one.changes == (Change("/apiVersion", "replace", '"apps/v1beta2"', '"apps/v1"'),)


def test_an_object_that_stands_twice_is_compared_in_pairs_whatever_the_order() -> None:
    one, two, three = (data(a=each) for each in "123")
    assert differ(f"{one}---\n{two}", f"{two}---\n{one}").same == 2
    found = differ(f"{one}---\n{two}", f"{three}---\n{one}")
    assert (found.same, found.changed, found.added) == (1, 1, 0)
    assert found == differ(f"{two}---\n{one}", f"{one}---\n{three}")
    assert "more than once" in found.notes[0]
    assert differ(one, f"{one}---\n{one}").added == 1


def test_an_object_that_stands_too_often_is_refused() -> None:
    with pytest.raises(DocumentLimit):
        objects("---\n".join([HEAD] * (TWINS + 1)))


# ---- paths -----------------------------------------------------------------------------------------------------------


def test_items_of_lists_are_known_by_their_names() -> None:
    after = DEPLOYMENT.replace("- {name: log, image", "- {name: new, image: new}\n      - {name: log, image")
    after = after.replace("log:1", "log:2")
    path = "/spec/template/spec/containers"
    assert changes(DEPLOYMENT, after) == [
        (f"{path}/[name=log]/image", "replace", '"ghcr.io/vendor/log:1"', '"ghcr.io/vendor/log:2"'),
        (f"{path}/[name=new]", "add", None, '{"name": "new", "image": "new"}'),
    ]  # fmt: skip


def test_ports_are_known_by_their_numbers_and_protocols() -> None:
    after = DEPLOYMENT.replace("{containerPort: 80}, ", "{containerPort: 80, protocol: TCP, name: http}, ")
    path = "/spec/template/spec/containers/[name=web]/ports/[containerPort=80,protocol=TCP]"
    assert changes(DEPLOYMENT, after) == [
        (f"{path}/name", "add", None, '"http"'),
        (f"{path}/protocol", "add", None, '"TCP"'),
    ]


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ("[a, b, c]", "[new, a, b, c]", [("/x/0", "add", None, '"new"')]),
        ("[a, b, c]", "[a, c]", [("/x/1", "remove", '"b"', None)]),
        ("[a, b, c]", "[a, d, c]", [("/x/1", "replace", '"b"', '"d"')]),
        ("[a]", "a", [("/x", "replace", '["a"]', '"a"')]),
        ("[]", "[{name: a}]", [("/x/[name=a]", "add", None, '{"name": "a"}')]),
        ("[{name: a}, {name: a}]", "[{name: a}]", [("/x/1", "remove", '{"name": "a"}', None)]),
        ("[{name: a}, {name: b}]", "[{name: b}, {name: a}]",
         [("/x", "move", '["name=a", "name=b"]', '["name=b", "name=a"]')]),
        ("[[1]]", "[[2]]", [("/x/0/0", "replace", "1", "2")]),
        ("{a/b: 1, c~d: 1}", "{a/b: 2, c~d: 2}", [("/x/a~1b", "replace", "1", "2"), ("/x/c~0d", "replace", "1", "2")]),
        ("null", "{}", [("/x", "replace", "null", "{}")]),
        ("{}", "{a: null}", [("/x/a", "add", None, "null")]),
    ],
)  # fmt: skip
def test_every_change_has_its_place(before: str, after: str, wanted: list[Any]) -> None:
    assert changes(f"{HEAD}x: {before}\n", f"{HEAD}x: {after}\n") == wanted


@pytest.mark.parametrize(
    ("before", "after"),
    [("1", "'1'"), ("1", "true"), ("0", "false"), ("true", "'true'"), ("null", "''"), ("y", "'y'"), ("1", "[1]"),
     ("1.5", "1.6")],
)  # fmt: skip
def test_what_is_of_another_type_is_another_value(before: str, after: str) -> None:
    assert len(changes(f"{HEAD}x: {before}\n", f"{HEAD}x: {after}\n")) == 1
    assert len(changes(f"{HEAD}x: [{before}]\n", f"{HEAD}x: [{after}]\n")) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [("1", "1.0"), ("16", "0x10"), ("8", "010"), ("8", "0o10"), ("-5", "-0b101"), ("1000", "1_000"), ("1000", "1e3"),
     ("y", "true"), ("off", "No"), ("~", "null"), ("a", "'a'"), ("a", "!!str a"), ("'1'", "!!str 1")],
)  # fmt: skip
def test_what_kubectl_reads_alike_is_the_same(before: str, after: str) -> None:
    assert differ(f"{HEAD}x: {before}\n", f"{HEAD}x: {after}\n") == Difference(same=1)


def test_aliases_and_merge_keys_are_what_they_stand_for() -> None:
    before = f"{HEAD}a: &a {{k: 1, l: 2}}\nb: *a\nc: {{<<: *a, l: 3}}\n"
    assert differ(before, f"{HEAD}a: {{k: 1, l: 2}}\nb: {{k: 1, l: 2}}\nc: {{k: 1, l: 3}}\n").same == 1


def test_of_long_texts_the_lines_that_differ_are_shown() -> None:
    before, after = "a\nb\nc\nd\n", "a\nB\nB2\nd\n"
    (change,) = differ(data(conf=before), data(conf=after)).objects[0].changes
    assert change.lines == ("@ line 2", "- b", "- c", "+ B", "+ B2")


def test_of_a_long_line_the_part_that_differs_is_shown() -> None:
    (change,) = differ(data(a="x" * 5000 + "1"), data(a="x" * 5000 + "2")).objects[0].changes
    assert change.before
    assert change.before.startswith("...")
    assert change.before.endswith('x1"')
    assert change.before != change.after


# ---- placeholders ----------------------------------------------------------------------------------------------------


def test_placeholders_are_compared_as_texts() -> None:
    before = data(a="{{ .nuon.install.id }}", b="b")
    after = HEAD + "data:\n  b: '{{ .nuon.inputs.b }}'\n  a: '{{ .nuon.install.id }}'\n"
    assert changes(before, after) == [("/data/b", "replace", '"b"', '"{{ .nuon.inputs.b }}"')]


def test_objects_whose_names_are_placeholders_are_told_apart() -> None:
    one, two = (HEAD.replace("name: web", f"name: 'x-{{{{ .{each} }}}}'") for each in "ab")
    found = differ(f"{one}---\n{two}", two)
    assert places(found) == [("removed", "ConfigMap", None, "x-{{ .a }}")]


def test_lines_of_placeholders_are_compared_too() -> None:
    before = HEAD + "data:\n{{- if .nuon.a }}\n  a: b\n{{- end }}\n"
    assert changes(before, before.replace(".a }", ".b }")) == [
        ("/{{...}}/0", "replace", '"{{- if .nuon.a }}"', '"{{- if .nuon.b }}"')
    ]
    assert changes(before, HEAD + "data:\n  a: b\n")[0][:2] == ("/{{...}}", "remove")


def test_two_keys_of_one_placeholder_are_both_there() -> None:
    text = HEAD + "data:\n  {{ .a }}: 'x'\n  {{ .a }}: 'y'\n"
    assert differ(text, text).same == 1
    assert len(changes(text, text.replace("'y'", "'z'"))) == 1


# ---- Secrets, threat D43 ---------------------------------------------------------------------------------------------


def secret(**fields: Any) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web"}} | fields) + "\n"


CODED = base64.b64encode(SECRET.encode()).decode()
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def embedded(**fields: Any) -> str:
    inner = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "inner"}} | fields
    return json.dumps(
        {"apiVersion": "work.example/v1", "kind": "ManifestWork", "metadata": {"name": "web"}, "spec": {"m": [inner]}}
    )


PLACES: dict[str, tuple[str, str]] = {
    "data": (secret(data={"a": "eA=="}), secret(data={"a": CODED, "b": CODED})),
    "stringData": (secret(stringData={"a": "x"}), secret(stringData={"a": f"{SECRET}\nmore"})),
    "data that is none": (secret(data=["x"]), secret(data=[SECRET])),
    "a key that is folded": (secret(Data={"a": "x"}), secret(Data={"a": SECRET})),
    "an unknown key": (secret(), secret(password=SECRET)),
    "a nested value": (secret(data={"a": {"b": "x"}}), secret(data={"a": {"b": SECRET}})),
    "what kubectl applied": (secret(), secret(metadata={"name": "web", "annotations": {APPLIED: SECRET}})),
    "any annotation": (
        secret(metadata={"name": "web", "annotations": {"a": "x"}}),
        secret(metadata={"name": "web", "annotations": {"a": SECRET}}),
    ),
    "an item of a list": (
        f'{{"apiVersion": "v1", "kind": "List", "items": [{secret(data={"a": "eA=="})}]}}',
        f'{{"apiVersion": "v1", "kind": "SecretList", "items": [{secret(data={"a": CODED})}]}}',
    ),
    "an object inside of another": (embedded(data={"a": "x"}), embedded(data={"a": SECRET})),
    "a whole one inside of another": (embedded(data={}), embedded(stringData={"a": SECRET}, data=[SECRET])),
    "annotations of one inside of another": (
        embedded(metadata={"annotations": {"a": "x"}}), embedded(metadata={"annotations": {"a": SECRET}}),
    ),
    "a template of a custom kind": (
        f"apiVersion: a.b/v1\nkind: SealedSecret\nmetadata: {{name: a}}\nspec: {{template: {{data: {{a: {each}}}}}}}"
        for each in ("x", SECRET)
    ),  # type: ignore[dict-item]
    "a copy of another object": tuple(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, annotations: {{{APPLIED}: {each}}}}}"
        for each in ("x", SECRET)
    ),  # type: ignore[dict-item]
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_that_a_secret_value_changed_is_told_and_the_value_is_not(place: str) -> None:
    before, after = PLACES[place]
    for one, other in ((before, after), (after, before)):
        found = differ(one, other)
        assert found.changed == 1
        shown = json.dumps(found.document())
        assert SECRET not in shown
        assert CODED not in shown


def test_of_a_secret_the_keys_are_told() -> None:
    assert changes(*PLACES["data"]) == [
        ("/data/a", "replace", "(hidden)", "(hidden)"),
        ("/data/b", "add", None, "(hidden)"),
    ]
    assert differ(PLACES["data"][0], PLACES["data"][0]).same == 1


def test_what_refers_to_a_secret_is_shown() -> None:
    text = "apiVersion: a.b/v1\nkind: ExternalSecret\nmetadata: {name: a}\n"
    text += "spec: {data: [{secretKey: %s}], ref: {kind: Secret, name: %s}}"
    assert changes(text % ("a", "b"), text % ("c", "d")) == [
        ("/spec/data/0/secretKey", "replace", '"a"', '"c"'),
        ("/spec/ref/name", "replace", '"b"', '"d"'),
    ]


# ---- bounds ----------------------------------------------------------------------------------------------------------


def test_more_objects_than_are_listed_are_counted() -> None:
    text = "---\n".join(HEAD.replace("web", f"web-{number}") for number in range(OBJECTS + 7))
    found = differ(HEAD, text)
    assert (found.added, found.removed, len(found.objects), found.left_out) == (OBJECTS + 7, 1, OBJECTS, 8)


def test_more_changes_than_are_listed_are_counted() -> None:
    values = {str(number): "a" for number in range(CHANGES + 5)}
    (one,) = differ(data(**values), data(**dict.fromkeys(values, "b"))).objects
    assert (len(one.changes), one.left_out) == (CHANGES, 5)


def test_all_that_is_listed_has_a_bound() -> None:
    def version(letter: str) -> str:
        values = {f"{number}{letter * 400}": letter * 10_000 for number in range(60)}
        return "---\n".join(data(**values).replace("web", f"web-{number}", 1) for number in range(40))

    found = differ(version("a"), version("b"))
    assert found.changed == 40
    listed = sum(len(each.changes) for each in found.objects)
    assert listed <= ALL_CHANGES
    assert found.left_out == 40 - len(found.objects) > 0
    assert sum(each.left_out for each in found.objects) == len(found.objects) * 120 - listed
    assert len(json.dumps(found.document())) < 2 * CHARACTERS


def test_a_path_and_a_value_are_cut() -> None:
    deep = {"k" * 1000: {"l" * 1000: {"m" * 1000: {"n" * 1000: {"o" * 1000: "\x00" * 1000}}}}}
    found = differ(HEAD, HEAD + f"x: {json.dumps(deep)}\n")
    assert len(found.objects[0].changes[0].after or "") <= LONGEST + 3
    (change,) = (
        differ(HEAD + f"x: {json.dumps(deep)}\n", HEAD + f"x: {json.dumps(deep)}\n".replace("u0000", "u0001"))
        .objects[0]
        .changes
    )
    assert len(change.path) <= LONGEST_PATH + 3


@pytest.mark.parametrize("odd", ["\x1b[31m", "\u202e", "\x7f", "\u0085", "é", "\U0001f600", "a\nb"])
def test_no_text_of_a_stranger_steers_a_terminal(odd: str) -> None:
    value = json.dumps({f"k{odd}": odd, "same": odd * 2, "lines": f"{odd}\nb"})
    after = value.replace(json.dumps(odd * 2)[1:-1], "x").replace('b"', 'c"')
    assert differ(f"{HEAD}x: {{}}\n", f"{HEAD}x: {value}\n").changed == 1  # differ() looks at what is shown
    assert differ(f"{HEAD}x: {value}\n", f"{HEAD}x: {after}\n").changed == 1


def test_many_small_values_take_bounded_memory() -> None:
    text = "---\n".join(f"{HEAD.replace('web', f'web-{n}')}x: [{','.join(['ab'] * 5000)}]\n" for n in range(30))
    tracemalloc.start()
    try:
        objects(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 30 * 5000 * 150


def test_more_than_the_limits_is_refused() -> None:
    with pytest.raises(DocumentLimit):
        objects(f"{HEAD}x: [{','.join(['a'] * (COMPARED.nodes + 1))}]\n")


@pytest.mark.parametrize("metadata", ["labels: {a: 1}", "annotations: {a: true}", "labels: [a]"])
def test_what_an_inspection_refuses_is_refused(metadata: str) -> None:
    with pytest.raises(DocumentInvalid):
        objects(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web, {metadata}}}\n")


# ---- artifacts -------------------------------------------------------------------------------------------------------


def side(text: str, name: str) -> Side:
    packed = pack(text)
    source = MemoryRepository.holding(packed)
    return Side(VerifiedContents(source), packed.manifest, name)


def test_one_artifact_is_no_difference_and_is_not_read() -> None:
    one = side(HEAD, "before")
    assert compare(one, one._replace(contents=None), STAGED) == Difference()  # type: ignore[arg-type]


def test_artifacts_are_read_and_compared() -> None:
    found = compare(side(data(a="1"), "before"), side(data(a="2"), "after"), STAGED)
    assert found.objects[0].changes == (Change("/data/a", "replace", '"1"', '"2"'),)


def test_that_only_the_bytes_differ_is_noted() -> None:
    found = compare(side(HEAD, "before"), side("# a comment\n" + HEAD, "after"), STAGED)
    assert not found.differs
    assert "bytes" in found.notes[0]


def test_errors_tell_the_side() -> None:
    for before, after, where in (("a: [", HEAD, "before"), (HEAD, "a: [", "after")):
        with pytest.raises(ByoaError) as caught:
            compare(side(before, "before"), side(after, "after"), STAGED)
        assert caught.value.where
        assert caught.value.where.startswith(f"{where}, layer 1")


def _layout(name: str) -> Side:
    source = LayoutRepository(ARTIFACTS / name)
    digest = source.only()
    return Side(VerifiedContents(source), source.fetch_manifest(digest), name)


@pytest.mark.parametrize("name", ["flux", "oras-directory", "oras-file"])
def test_the_same_objects_in_another_format_are_the_same(name: str) -> None:
    found = compare(_layout("kustomizer"), _layout(name), STAGED)
    assert (found.differs, found.same) == (False, 3)


def test_of_an_index_the_objects_count_once() -> None:
    found = compare(_layout("flux"), _layout("index"), STAGED)
    assert (found.differs, found.same) == (False, 3)


def test_encrypted_contents_are_not_compared(tmp_path: Path) -> None:
    with pytest.raises(MediaTypeUnsupported, match="encrypted"):
        compare(_layout("kustomizer-encrypted"), _layout("flux"), STAGED)


# ---- properties ------------------------------------------------------------------------------------------------------

SCALARS = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8) | st.sampled_from([0.5, 1.0])
VALUES = st.recursive(
    SCALARS,
    lambda below: (
        st.lists(below, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "name", "data", "ports", "kind", "é/~"]), below, max_size=4)
    ),
    max_leaves=12,
)
THINGS = st.dictionaries(st.sampled_from("pqrs"), VALUES, max_size=4)


def text_of(things: dict[str, Any], *, backwards: bool = False) -> str:
    documents = [
        json.dumps({"apiVersion": "v1", "kind": "Thing", "metadata": {"name": name}, "spec": value})
        for name, value in things.items()
    ]
    return "\n---\n".join(documents[::-1] if backwards else documents)


def normal(value: Any) -> str:
    """What JSON tells apart: a number is its value, and a truth is none."""
    if isinstance(value, dict):
        return json.dumps({key: normal(each) for key, each in value.items()}, sort_keys=True)
    if isinstance(value, list):
        return json.dumps([normal(each) for each in value])
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


PIECES = """\
apiVersion: v1|kind: Pod|metadata:|  name: a|  labels:|    a: b|    a: 1|spec:|  - |  containers:|  - image: x:1
    tag: 1|- a|a: &x|b: *x|b: &y {a: 1}|<<: *x|<<: *y|? a|: b|---|...|{{ .a }}|{{- if .b }}|x: {{ .nuon.c }}
{a: [1, .inf]}|'|"|# c|a: ~|  b|items: []|!!str 1|~: 1|a: 0x1|x: !!int 1|y: .nan|labels: {a: 1}
z: {labels: {a: 1}, image: y:2}|"""


@given(
    lines=st.lists(st.sampled_from(re.split(r"[|\n]", PIECES)), max_size=8),
    start=st.sampled_from(["", HEAD, DEPLOYMENT]),
)
@settings(max_examples=400, deadline=None)
def test_who_reads_a_document_whole_finds_what_an_inspection_finds(lines: list[str], start: str) -> None:
    def found(**more: Any) -> Any:
        try:
            return read_resources((start + "\n".join(lines)).encode(), **more)
        except ByoaError as error:
            return error.as_dict()

    kept: list[Any] = []
    assert found(keep=kept.append) == found()


@given(before=THINGS, after=THINGS)
@settings(max_examples=200, deadline=None)
def test_what_differs_is_what_differs_in_json(before: dict[str, Any], after: dict[str, Any]) -> None:
    found = differ(text_of(before), text_of(after))
    assert found.added == len(after.keys() - before.keys())
    assert found.removed == len(before.keys() - after.keys())
    changed = [name for name in before.keys() & after.keys() if normal(before[name]) != normal(after[name])]
    assert {each.name for each in found.objects if each.op == "changed"} == set(changed)
    assert found.same == len(before.keys() & after.keys()) - len(changed)
    assert all(each.changes for each in found.objects if each.op == "changed")


@given(before=THINGS, after=THINGS)
@settings(max_examples=50, deadline=None)
def test_the_other_way_round_what_was_added_is_removed(before: dict[str, Any], after: dict[str, Any]) -> None:
    there, back = differ(text_of(before), text_of(after)), differ(text_of(after), text_of(before))
    assert (there.added, there.removed, there.changed, there.same) == (
        back.removed,
        back.added,
        back.changed,
        back.same,
    )
    assert [len(each.changes) for each in there.objects] == [len(each.changes) for each in back.objects]
    assert there == differ(text_of(before, backwards=True), text_of(after, backwards=True))


@given(data=st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3), other=VALUES)
@settings(max_examples=100, deadline=None)
def test_no_value_of_a_secret_is_shown_whatever_it_is(data: dict[str, Any], other: Any) -> None:
    def canaried(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: canaried(each) for key, each in value.items()}
        return [canaried(each) for each in value] if isinstance(value, list) else f"{SECRET}{value}"

    for one, two in (
        (secret(data=canaried(data)), secret(data=canaried(other))),
        (secret(x=canaried(other)), secret()),
    ):
        assert SECRET not in json.dumps(differ(one, two).document())
        assert SECRET not in json.dumps(differ(two, one).document())
