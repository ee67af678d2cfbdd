"""Calls of programs as documentation shows them: whether they exist as written, and whether they can be run here."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from local.pages.commands import all_commands, needs_the_stack, parser_of
from tests.docs.blocks import ROOT

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

DESK: Final = "127.0.0.1:5101"
"""The vendor's registry of `make up`, which a registry of the test's stands in for."""

CLIENTS: Final = {"kustomize", "kustomizer", "flux", "oras", "crane", "cosign"}
RENDERERS: Final = ("kustomize", "kubectl")
OWN_RELEASES: Final = {"flux", "kustomizer"}
"""Run where they are, and else read alone: no registry of packages has them for a machine to install."""

SHELL: Final = {"cat", "cd", "cp", "echo", "eval", "export", "ln", "ls", "mkdir", "source"}
_OUTSIDE: Final = re.compile(rf"oci://(?!{re.escape(DESK)}/)|…|\.desk/")


class Verdict(NamedTuple):
    """Whether a call can be run here, and what is missing where a program is."""

    runs: bool
    missing: str | None = None


def judge(line: str) -> Verdict:
    """Check each program of a command line. Raises ``AssertionError`` for one that isn't called so."""
    verdicts = [_judge_one(words) for words in programs(line)]
    missing = next((each.missing for each in verdicts if each.missing), None)
    return Verdict(all(each.runs for each in verdicts) and not _OUTSIDE.search(line), missing)


def programs(line: str) -> list[list[str]]:
    """The words of each program in a line, without its variables and where its output goes."""
    lexer = shlex.shlex(line.replace("\\\n", " "), posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split = True
    programs: list[list[str]] = [[]]
    words = iter(lexer)
    for word in words:
        if word in {"|", "&&", ";"}:
            programs.append([])
        elif word[0] in "<>":
            next(words)
        elif programs[-1] or not re.match(r"[A-Z_]+=", word):
            programs[-1].append(word)
    return [words for words in programs if words]


def _judge_one(words: list[str]) -> Verdict:
    name = words[0].removeprefix(".venv/bin/")
    if name in CLIENTS:
        there = shutil.which(name) is not None
        return Verdict(there, None if there or name in OWN_RELEASES else f"{name} is not on the PATH")
    if name == "byoa" and "-k" in words and not any(map(shutil.which, RENDERERS)):
        return Verdict(runs=False, missing="neither kustomize nor kubectl is on the PATH")
    if name in SHELL:
        return Verdict(runs=True)
    assert name in _CHECKS, f"{name} is no program that documentation may call"
    return Verdict(_CHECKS[name](words[1:]))


def _check_byoa(words: list[str]) -> bool:
    """Whether the command works without a stack."""
    named = [(name, each) for name, each in all_commands() if [*name.split()[1:]] == words[: name.count(" ")]]
    assert named or words[:1] == ["--help"], f"there is no command `byoa {' '.join(words)}`"
    if not named:
        return True
    ((name, command),) = named
    parser = parser_of(name, command, loose=True)
    try:
        asked = parser.parse_intermixed_args(words[name.count(" ") :])
    except SystemExit as ended:
        if ended.code:
            raise AssertionError(f"`byoa {' '.join(words)}` is not how it is called") from ended
    sometimes = _SOMETIMES.get(name)
    return not (sometimes(asked) if sometimes else needs_the_stack(name, command))


def _check_make(words: list[str]) -> bool:
    makefile = (ROOT / "Makefile").read_text()
    for word in words:
        name, is_variable, _ = word.partition("=")
        wanted = rf"\$\({name}\)" if is_variable else rf"^{name}:.*## "
        assert re.search(wanted, makefile, re.MULTILINE), f"the Makefile knows no {word}"
    return False


def _check_sam(words: list[str]) -> bool:
    """The subcommand takes the options, and the files and functions that it names are there."""
    depth = 2 if words[0] == "local" else 1
    told = _sam_help(tuple(words[:depth]))
    for word in words[depth:]:
        if word.startswith("-"):
            assert re.search(rf"(?<![\w-]){re.escape(word.partition('=')[0])}(?![\w-])", told), f"sam has no {word}"
        elif word.startswith("events/"):
            assert (ROOT / word).is_file(), f"there is no {word}"
        elif word.endswith("Function"):
            assert f"\n  {word}:\n" in (ROOT / "template.yaml").read_text(), f"the template has no {word}"
    return False


@cache
def _sam_help(words: tuple[str, ...]) -> str:
    program = ROOT / ".venvs" / "sam" / "bin" / "sam"
    environment = {"PATH": "/usr/bin:/bin", "SAM_CLI_TELEMETRY": "0", "HOME": "/nonexistent", "COLUMNS": "300"}
    done = subprocess.run([program, *words, "--help"], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, f"sam has no {' '.join(words)}: {done.stderr}"
    return done.stdout


_SOMETIMES: Final[dict[str, Callable[[Namespace], bool]]] = {
    "byoa validate": lambda asked: bool(asked.online),
    "byoa diff": lambda asked: asked.after is None,
}
"""Commands that need the stack for some of what they do."""

_CHECKS: Final[dict[str, Callable[[list[str]], bool]]] = {
    "byoa": _check_byoa,
    "make": _check_make,
    "sam": _check_sam,
}
