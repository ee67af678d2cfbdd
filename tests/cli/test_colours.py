"""Colours: on a terminal that takes them, and nowhere else."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from byoa_cli.main import COMMANDS, SUMMARIES, _find
from local.demo import ARTIFACTS
from tests.screen import Screen
from tests.terminal import BYOA

if TYPE_CHECKING:
    from pathlib import Path

STYLE = re.compile(r"\x1b\[[0-9;]*m")
COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[0-9;]*m")
TERMINAL = {"TERM": "xterm-256color", "COLUMNS": "100", "PATH": "/usr/bin:/bin"}


def on_terminal(*arguments: str, **variables: str) -> tuple[int, str]:
    with Screen([BYOA, *arguments], TERMINAL | variables) as screen:
        return screen.end()


def in_pipe(*arguments: str, **variables: str) -> tuple[int, str]:
    done = subprocess.run(
        [BYOA, *arguments], capture_output=True, text=True, env=TERMINAL | variables, check=False, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def faulty(tmp_path: Path) -> str:
    (tmp_path / "web.toml").write_text('name = "web"\ntype = "terraform"\n')
    return str(tmp_path)


@pytest.mark.parametrize(
    "command", [[], *([name] for name in COMMANDS), ["builds", "list"], ["receipt", "verify"]], ids=str
)
def test_the_coloured_help_is_the_plain_one_word_for_word(command: list[str]) -> None:
    code, coloured = on_terminal(*command, "--help")
    assert (code, COLOUR.search(coloured) is not None) == (0, True)
    plain = in_pipe(*command, "--help")
    assert "\x1b" not in plain[1]
    assert STYLE.sub("", coloured) == re.sub(r"[ ]+$", "", plain[1], flags=re.MULTILINE)


def test_the_help_that_a_missing_command_gets_is_coloured_too() -> None:
    code, said = on_terminal("builds")
    assert code == 2
    assert COLOUR.search(said)


@pytest.mark.parametrize(
    "variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}], ids=str
)
def test_no_colour_where_none_is_wanted(variables: dict[str, str], faulty: str) -> None:
    for arguments in (["--help"], ["validate", faulty], ["resolve", "ghcr.io/a"], ["builds"]):
        _, printed = on_terminal(*arguments, **variables)
        assert printed
        assert not COLOUR.search(printed), printed
    assert "\x1b" not in on_terminal("--help", **variables)[1]


def test_a_bar_of_progress_is_drawn_without_colours_where_none_are_wanted(tmp_path: Path) -> None:
    arguments = ("mirror", f"oci-layout:{ARTIFACTS / 'flux'}")
    code, drawn = on_terminal(*arguments, f"oci-layout:{tmp_path / 'a'}")
    assert (code, COLOUR.search(drawn) is not None) == (0, True)
    code, drawn = on_terminal(*arguments, f"oci-layout:{tmp_path / 'b'}", NO_COLOR="1")
    assert (code, COLOUR.search(drawn)) == (0, None)
    assert "copying" in drawn


def test_colours_mark_what_is_wrong_on_a_terminal(faulty: str) -> None:
    assert COLOUR.search(on_terminal("validate", faulty)[1])
    assert COLOUR.search(on_terminal("resolve", "ghcr.io/a")[1])


def test_a_pipe_gets_no_colours_unless_they_are_forced(faulty: str) -> None:
    for arguments in (["--help"], ["validate", faulty], ["builds"]):
        assert "\x1b" not in in_pipe(*arguments)[1]
        assert "\x1b" not in in_pipe(*arguments, FORCE_COLOR="")[1]
        assert COLOUR.search(in_pipe(*arguments, FORCE_COLOR="1")[1])


def test_json_is_never_coloured(faulty: str) -> None:
    assert "\x1b" not in on_terminal("validate", faulty, "--json", FORCE_COLOR="1")[1]


def test_the_version_is_told() -> None:
    code, printed = in_pipe("--version")
    assert code == 0
    assert re.fullmatch(r"byoa \d+\.\d+\.\d+\n", printed)


def test_the_help_of_all_commands_says_what_each_says_itself() -> None:
    assert {name: _find(name).summary for name in COMMANDS} == SUMMARIES


@pytest.mark.parametrize("arguments", [["--help"], ["builds", "--help"], ["mirror", "--help"]], ids=str)
def test_a_plain_help_imports_nothing_that_draws(arguments: list[str]) -> None:
    script = "import sys; from byoa_cli.main import run\ntry:\n    run()\nfinally:\n"
    script += "    sys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    assert {"rich", "rich_argparse", "shtab"}.isdisjoint(done.stderr.split())


def test_the_help_of_all_commands_imports_none_of_them() -> None:
    script = "import sys; from byoa_cli.main import run\ntry:\n    run()\nfinally:\n"
    script += "    sys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script, "--help"], capture_output=True, text=True, check=True)
    found = {name for name in done.stderr.split() if name.startswith("byoa_cli.")}
    assert found == {"byoa_cli.main", "byoa_cli.commands", "byoa_cli.output", "byoa_cli.streams"}
