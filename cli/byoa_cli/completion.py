"""`byoa completion`: a script for a shell that completes what the parsers of all commands know."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from byoa_cli.commands import Option, command
from byoa_cli.output import FINE

if TYPE_CHECKING:
    from argparse import Action, ArgumentParser
    from collections.abc import Iterator

SHELLS: Final = ("bash", "zsh", "fish")

_FILES: Final = frozenset(["FILE", "PATH", "PEM"])
_FOLDERS: Final = frozenset(["DIR", "FOLDER", "OVERLAY"])


@command(Option("shell", metavar="SHELL", choices=SHELLS, help="bash, zsh or fish."))
def completion(shell: str) -> int:
    """Print what makes a shell complete commands, options and files on Tab.

    The script is static: on Tab nothing is started. Print it again after an update. bash needs its bash-completion
    package for the folder below; without it, end ~/.bashrc with `source <(byoa completion bash)`. zsh needs the folder
    in its fpath, before compinit.

    Examples:
        byoa completion bash > ~/.local/share/bash-completion/completions/byoa

        byoa completion zsh > ~/.local/share/zsh/site-functions/_byoa

        byoa completion fish > ~/.config/fish/completions/byoa.fish
    """
    import shtab

    from byoa_cli.main import root

    tree = root().tree("byoa")
    for action in _actions(tree):
        if action.metavar in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.metavar in _FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        action.metavar = None  # shtab gives it to zsh as it is, where a colon ends it
    sys.stdout.write(f"{shtab.complete(tree, shell)}\n")
    return FINE


def _actions(parser: ArgumentParser) -> Iterator[Action]:
    """What the parser and all below it read."""
    for action in parser._actions:  # noqa: SLF001 - argparse shows them nowhere else
        yield action
        for below in action.choices.values() if isinstance(action.choices, dict) else ():
            yield from _actions(below)
