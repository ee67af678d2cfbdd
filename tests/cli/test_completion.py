"""`byoa completion`: the scripts are sourced by the shells they are for, and asked as Tab asks them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from byoa_cli.main import COMMANDS
from tests.screen import Screen
from tests.terminal import BYOA, byoa

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ASKED = """
source "$1" || exit
shift
words=$(complete -p byoa)
[[ $words =~ -F\\ ([^ ]+) ]] || exit
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
"${BASH_REMATCH[1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
type Complete = Callable[..., set[str]]


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("completion")
    made = {}
    for shell in ("bash", "zsh", "fish"):
        code, printed, said = byoa("completion", shell)
        assert (code, said) == (0, "")
        made[shell] = folder / ("_byoa" if shell == "zsh" else f"byoa.{shell}")  # zsh takes its name from the file's
        made[shell].write_text(printed)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "artifacts.txt").touch()
    (tmp_path / "artefacts").mkdir()
    return tmp_path


def _program(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not on the PATH")
    return found


def _ask_bash(script: Path, folder: Path, *words: str) -> set[str]:
    command = [_program("bash"), "--norc", "-c", ASKED, "bash", str(script), "byoa", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


def _ask_fish(script: Path, folder: Path, *words: str) -> set[str]:
    asked = "source $argv[1]; or exit; complete -C $argv[2]"
    environment = {**os.environ, "HOME": str(folder)}
    command = [_program("fish"), "--no-config", "-c", asked, str(script), " ".join(["byoa", *words])]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=True)
    assert done.stderr == ""
    return {line.partition("\t")[0] for line in done.stdout.splitlines()}


@pytest.fixture(params=["bash", "fish"])
def complete(request: pytest.FixtureRequest, scripts: dict[str, Path], folder: Path) -> Complete:
    """What a shell offers for the last word, which may be empty."""
    ask = {"bash": _ask_bash, "fish": _ask_fish}[request.param]
    return lambda *words: ask(scripts[request.param], folder, *words)


def test_all_commands_are_offered(complete: Complete) -> None:
    assert complete("") - {"-h", "--help", "--version"} == set(COMMANDS)


def test_the_commands_of_a_group_are_offered(complete: Complete) -> None:
    assert complete("builds", "") == {"list", "get", "create", "cancel", "logs"}
    assert complete("tokens", "create", "ci", "--scope", "") == {"read", "sync", "deploy", "agent", "admin"}
    assert complete("receipt", "") == {"get", "key", "verify"}
    assert complete("receipt", "v") == {"verify"}


def test_the_options_of_a_command_are_offered(complete: Complete) -> None:
    assert complete("resolve", "--") == {"--help", "--plain-http", "--token-host", "--timeout", "--json"}
    assert complete("builds", "list", "--l") == {"--limit"}
    assert {"--referrers", "--no-referrers", "--all-tags", "--from"} <= complete("mirror", "--")
    assert complete("sync", "--json", "--ta") == {"--table"}


def test_the_choices_of_an_argument_are_offered(complete: Complete) -> None:
    assert complete("completion", "") == {"bash", "zsh", "fish"}


@pytest.mark.parametrize("words", [("mirror", "--from"), ("receipt", "get", "-o"), ("receipt", "verify", "--key")])
def test_files_are_offered_where_one_is_wanted(complete: Complete, words: tuple[str, ...]) -> None:
    assert {found.rstrip("/") for found in complete(*words, "art")} == {"artifacts.txt", "artefacts"}


def test_folders_alone_are_offered_where_one_is_wanted(complete: Complete) -> None:
    assert {found.rstrip("/") for found in complete("validate", "art")} == {"artefacts"}
    assert {found.rstrip("/") for found in complete("sync", "--no-wait", "art")} == {"artefacts"}


def test_no_file_is_offered_where_none_is_wanted(complete: Complete) -> None:
    assert complete("resolve", "art") == set()
    assert complete("mirror", "--jobs", "art") == set()


SET_UP = {
    "bash": (["--norc", "--noprofile", "-i"], "source {}"),
    "zsh": (["-f", "-i"], "fpath=({.parent} $fpath); autoload -U compinit && compinit -u -D"),
}


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("byoa rec", "eipt "),
        ("byoa receipt ver", "ify "),
        ("byoa builds list --comp", "onent"),
        ("byoa validate arte", "facts/"),
    ],
    ids=["command", "sub-command", "option", "folder"],
)
def test_tab_completes_what_was_typed(
    shell: str, typed: str, completed: str, scripts: dict[str, Path], folder: Path
) -> None:
    options, load = SET_UP[shell]
    environment = {**os.environ, "HOME": str(folder), "PS1": "> ", "TERM": "dumb", "COLUMNS": "200"}
    with Screen([_program(shell), *options], environment) as screen:
        screen.type(f"cd {folder}; {load.format(scripts[shell])}; echo read''y\n")
        screen.wait_for("ready")
        screen.type(f"{typed}\t")
        screen.wait_for(f"{typed}{completed}")


def test_a_script_depends_on_nothing_of_its_caller_s(scripts: dict[str, Path]) -> None:
    environment = {"BYOA_ORG": "org_0123456789ab", "BYOA_TABLE": "t", "COLUMNS": "40", "FORCE_COLOR": "1"}
    for shell, script in scripts.items():
        command = [BYOA, "completion", shell]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
        assert done.stdout == script.read_text()


def test_help_tells_how_each_shell_gets_its_script() -> None:
    _, printed, _ = byoa("completion", "--help")
    assert set(re.findall(r"byoa completion (\w+) > ~/", printed)) == {"bash", "zsh", "fish"}


def test_another_shell_is_a_matter_of_usage() -> None:
    code, printed, said = byoa("completion", "tcsh")
    assert (code, printed) == (2, "")
    assert "'bash', 'zsh', 'fish'" in said


def test_no_other_command_imports_what_writes_the_scripts() -> None:
    script = (
        "import sys; from byoa_cli.main import root\ntry:\n    root().call('byoa', ['builds', '--help'])\nfinally:\n"
    )
    script += "    sys.stderr.write(str('shtab' in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == "False"
