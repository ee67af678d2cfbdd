"""`byoa diff` as people and scripts meet it."""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.registry import Registry
from tests.screen import Screen
from tests.terminal import BYOA, byoa, document

if TYPE_CHECKING:
    from collections.abc import Callable

ARTIFACTS = Path(__file__).parents[1] / "data" / "artifacts"
FLUX = f"oci-layout:{ARTIFACTS / 'flux'}"
SECRET = "c4n4ry-6e55"
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"
SAME, DIFFERENT, TROUBLE, FAULT = 0, 1, 2, 3

type Push = Callable[[str, str], str]


@pytest.fixture
def push(tmp_path: Path) -> Push:
    """Makes a layout that holds a text, and gives its reference."""

    def make(name: str, text: str) -> str:
        (tmp_path / f"{name}.yaml").write_text(text)
        where = f"oci-layout:{tmp_path / name}:v1"
        code, _, said = byoa("push", where, str(tmp_path / f"{name}.yaml"))
        assert code == 0, said
        return where

    return make


BEFORE = (
    HEAD
    + 'data: {colour: "blue", conf: "a\\nb\\nc\\n"}\n---\n'
    + HEAD.replace("name: web", "name: old, namespace: vendor")
)
AFTER = (
    HEAD + 'data: {colour: "green", conf: "a\\nB\\nc\\n"}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: new}\n'
)


def test_it_reads_like_a_diff(push: Push) -> None:
    before, after = push("before", BEFORE), push("after", AFTER)
    code, printed, said = byoa("diff", before, after)
    assert (code, said) == (DIFFERENT, "")
    digest = r"  sha256:[0-9a-f]{64}"
    first, second, rest = printed.split("\n", 2)
    assert re.fullmatch(re.escape(f"--- {before}") + digest, first)
    assert re.fullmatch(re.escape(f"+++ {after}") + digest, second)
    assert rest == (
        "~ ConfigMap web  v1\n"
        "    /data/colour\n"
        '      - "blue"\n'
        '      + "green"\n'
        "    /data/conf\n"
        "      @ line 2\n"
        "      - b\n"
        "      + B\n"
        "- ConfigMap vendor/old  v1\n"
        "+ Service new  v1\n"
        "1 added, 1 removed, 1 changed, 0 the same\n"
    )


def test_machines_get_one_document(push: Push) -> None:
    before, after = push("before", BEFORE), push("after", AFTER)
    code, found = document("diff", before, after)
    assert (code, found["differs"]) == (DIFFERENT, True)
    assert found["before"]["reference"] == before
    assert found["after"]["digest"].startswith("sha256:")
    assert (found["added"], found["removed"], found["changed"], found["same"]) == (1, 1, 1, 0)
    assert found["objects"][0] == {
        "op": "changed",
        "api_version": "v1",
        "kind": "ConfigMap",
        "namespace": None,
        "name": "web",
        "was": None,
        "changes": [
            {"path": "/data/colour", "op": "replace", "before": '"blue"', "after": '"green"', "lines": []},
            {
                "path": "/data/conf",
                "op": "replace",
                "before": '"a\\nb\\nc\\n"',
                "after": '"a\\nB\\nc\\n"',
                "lines": ["@ line 2", "- b", "+ B"],
            },
        ],
        "left_out": 0,
    }


def test_an_artifact_is_the_same_as_itself() -> None:
    code, printed, _ = byoa("diff", FLUX, FLUX)
    assert code == SAME
    assert printed.endswith("the same artifact\n")


def test_the_same_objects_in_another_format_are_no_difference() -> None:
    code, found = document("diff", FLUX, f"oci-layout:{ARTIFACTS / 'kustomizer'}")
    assert (code, found["differs"], found["same"]) == (SAME, False, 3)
    assert "bytes" in found["notes"][0]


def test_a_registry_is_compared_with_a_folder() -> None:
    with Registry() as registry:
        there = f"oci://{registry.address}/vendor/flux:v1"
        assert byoa("mirror", FLUX, there, "--plain-http", registry.address)[0] == 0
        assert byoa("diff", FLUX, there, "--plain-http", registry.address)[0] == SAME
        code, found = document("diff", FLUX, there.replace(":v1", ":v2"), "--plain-http", registry.address)
    assert (code, found["error"]["code"], found["error"]["where"]) == (TROUBLE, "ReferenceNotFound", "after")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ((FLUX,), TROUBLE),
        ((FLUX, "oci-layout:/no/such/folder"), TROUBLE),
        ((FLUX, f"oci-layout:{ARTIFACTS / 'image'}"), TROUBLE),
        ((FLUX, f"oci-layout:{ARTIFACTS / 'kustomizer-encrypted'}"), TROUBLE),
        ((FLUX, "nothing of ours"), TROUBLE),
        ((FLUX, "oci://127.0.0.1:9/a/b:v1", "--plain-http", "127.0.0.1:9"), FAULT),
    ],
)
def test_no_trouble_passes_for_a_difference(arguments: tuple[str, ...], wanted: int) -> None:
    code, printed, said = byoa("diff", *arguments)
    assert (code, printed) == (wanted, "")
    assert "error" in said


def test_what_can_t_be_read_is_told_with_its_side_and_its_file(push: Push) -> None:
    _, found = document("diff", FLUX, f"oci-layout:{ARTIFACTS / 'chart'}")
    assert found["error"]["where"].startswith("after")


def test_values_of_secrets_are_shown_to_nobody(push: Push) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\ndata: {password: %s}\n"
    coded = base64.b64encode(SECRET.encode()).decode()
    before, after = push("before", text % "eA=="), push("after", text % coded)
    for options in ((), ("--json",)):
        code, printed, said = byoa("diff", before, after, *options)
        assert code == DIFFERENT
        assert "/data/password" in printed
        assert coded not in printed + said
        assert SECRET not in printed + said


def test_no_text_of_an_artifact_steers_the_terminal(push: Push) -> None:
    evil = json.dumps({"k\x1b[2J\u202e": "\x1b]8;;http://evil/\x1b\\[bold]\x07", "l": "a\n\x1b[31mb"})
    before, after = push("before", f"{HEAD}data: {{l: 'a'}}\n"), push("after", f"{HEAD}data: {evil}\n")
    _, printed, _ = byoa("diff", before, after)
    assert all(line.isprintable() for line in printed.splitlines())
    assert "[bold]" in printed


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is wanted")
def test_on_a_terminal_it_is_coloured(push: Push, tmp_path: Path) -> None:
    command = [BYOA, "diff", push("before", BEFORE), push("after", AFTER)]
    with Screen(command, {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TERM": "xterm-256color"}) as screen:
        code, shown = screen.end()
    assert code == DIFFERENT
    assert "\x1b[32m+ Service new\x1b[0m" in shown
    assert '\x1b[31m- "blue"\x1b[0m' in shown
