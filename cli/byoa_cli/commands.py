"""What a command is: a function, the options that it takes, and the parser that reads them (argparse)."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WIDEST: Final = 110
"""Columns of a help text: longer lines are hard to read."""


class UsageError(Exception):
    """A call that makes no sense, though each of its options does."""


class Option:
    """An option or an argument, as ``ArgumentParser.add_argument`` takes them.

    ``variable`` names the environment variable that stands in for it, ``group`` the heading that it is listed under.
    """

    def __init__(self, *names: str, variable: str | None = None, group: str | None = None, **settings: Any) -> None:  # noqa: ANN401 - argparse's own
        self._names = names
        self._variable = variable
        self._settings = settings
        self.group = group

    def add_to(self, parser: Any) -> None:  # noqa: ANN401 - a parser or a group of one
        """Let ``parser`` read it."""
        settings = dict(self._settings)
        if self._variable:
            value = os.environ.get(self._variable) or None
            settings |= {"default": value, "required": value is None}
            settings["help"] = f"{settings['help']} [env: {self._variable}]"
        parser.add_argument(*self._names, **settings)


class Command:
    """A function that ends with an exit code. Its docstring is the help, of which the first line is the summary."""

    def __init__(self, run: Callable[..., int], options: tuple[Option, ...]) -> None:
        self.run = run
        self._options = options

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""
        return (self.run.__doc__ or "").partition("\n")[0]

    def call(self, prog: str, arguments: list[str]) -> int:
        """Run it with ``arguments``; options may stand before, between and behind what they don't belong to."""
        parser = _Parser(prog=prog, description=self.run.__doc__)
        groups: dict[str, Any] = {}
        for option in self._options:
            if option.group and option.group not in groups:
                groups[option.group] = parser.add_argument_group(option.group)
            option.add_to(groups[option.group] if option.group else parser)
        asked = vars(parser.parse_intermixed_args(arguments))
        try:
            return self.run(**asked)
        except UsageError as error:
            parser.error(str(error))


class Group:
    """Commands under one word; ``summary`` says what they are about."""

    def __init__(self, summary: str, commands: Mapping[str, Command | Group]) -> None:
        self.summary = summary
        self._commands = commands

    def call(self, prog: str, arguments: list[str]) -> int:
        """Run the command that the first argument names. Raises ``SystemExit`` with 2 for a wrong call."""
        if arguments and arguments[0] in self._commands:
            return self._commands[arguments[0]].call(f"{prog} {arguments[0]}", arguments[1:])
        parser = _Parser(prog=prog, description=self.summary)
        below = parser.add_subparsers(metavar="COMMAND", title="commands", parser_class=_Parser)
        for name, command in self._commands.items():
            below.add_parser(name, help=command.summary)
        parser.parse_args(arguments)  # ends here for whatever there is
        parser.print_help(sys.stderr)
        return 2


def command(*options: Option) -> Callable[[Callable[..., int]], Command]:
    """Make a function a command that takes ``options``, each as a keyword."""
    return lambda run: Command(run, options)


class _Help(RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=min(_columns(), WIDEST))


class _Parser(ArgumentParser):
    """Never takes the beginning of an option's name for the option: scripts would break when a longer one comes."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - argparse's own
        super().__init__(formatter_class=_Help, allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the call, and where the right one is shown."""
        from byoa_cli.printable import visible

        self.print_usage(sys.stderr)
        self.exit(2, f"error: {visible(message)}\n  next: `{self.prog} --help` shows how it is called\n")


def _columns() -> int:
    """How wide the terminal is; one that says 0 doesn't know. shutil tells it as well and is slow to import."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or WIDEST
    except (OSError, ValueError):
        return WIDEST
