"""What a command is: a function, the options that it takes, and the parser that reads them (argparse)."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

WIDEST: Final = 110
"""Columns of a help text: longer lines are hard to read."""

HELP_POSITION: Final = 30
"""The column where the words about an option begin."""


_UNKNOWN: Final = "unrecognized arguments: "
_UNWANTED: Final = ": ignored explicit argument "
_MISSING: Final = "the following arguments are required: "


class UsageError(Exception):
    """A call that makes no sense, though each of its options does."""


class Option:
    """An option or an argument, as ``ArgumentParser.add_argument`` takes them.

    ``variable`` names the environment variable that stands in for it, ``group`` the heading that it is listed under.
    One that has a variable is ``needed``, unless the command does without it.
    """

    def __init__(
        self,
        *names: str,
        variable: str | None = None,
        group: str | None = None,
        needed: bool = True,
        **settings: Any,  # noqa: ANN401 - argparse's own
    ) -> None:
        self.names = names
        self._variable = variable
        self.needed = needed
        self._settings = settings
        self.group = group

    def add_to(self, parser: Any) -> None:  # noqa: ANN401 - a parser or a group of one
        """Let ``parser`` read it."""
        settings = dict(self._settings)
        if self._variable:
            value = os.environ.get(self._variable) or None
            settings |= {"default": value, "required": self.needed and value is None}
            settings["help"] = f"{settings['help']} [env: {self._variable}]"
        parser.add_argument(*self.names, **settings)

    @property
    def variables(self) -> dict[str, str]:
        """Its variable, if there is one, by how argparse calls the option."""
        return {"/".join(self.names): self._variable} if self._variable else {}


class Command:
    """A function that ends with an exit code. Its docstring is the help, of which the first line is the summary."""

    def __init__(self, run: Callable[..., int], options: tuple[Option, ...], discreet: str = "") -> None:
        self.run = run
        self.options = options
        self.discreet = discreet

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""
        return self.description.partition("\n")[0]

    @property
    def description(self) -> str:
        """The head of its help."""
        return self.run.__doc__ or ""

    def fill(self, parser: ArgumentParser) -> None:
        """Let ``parser`` read all of its options."""
        groups: dict[str, Any] = {}
        for option in self.options:
            if option.group and option.group not in groups:
                groups[option.group] = parser.add_argument_group(option.group)
            option.add_to(groups[option.group] if option.group else parser)

    def call(self, prog: str, arguments: list[str]) -> int:
        """Run it with ``arguments``; options may stand before, between and behind what they don't belong to."""
        parser = _Parser(prog=prog, description=self.description)
        parser.discreet = self.discreet
        for option in self.options:
            parser.variables |= option.variables
        self.fill(parser)
        asked = vars(parser.parse_intermixed_args(arguments))
        try:
            return self.run(**asked)
        except UsageError as error:
            parser.error(str(error))


class Deferred:
    """A command that is imported by ``find`` when it is asked for; till then ``summary`` says what it does."""

    def __init__(self, summary: str, find: Callable[[], Command | Group]) -> None:
        self.summary = summary
        self._find = find

    @property
    def command(self) -> Command | Group:
        """The command itself."""
        return self._find()

    @property
    def description(self) -> str:
        """The head of the command's help."""
        return self._find().description

    def fill(self, parser: ArgumentParser) -> None:
        """Let ``parser`` read all that the command takes."""
        self._find().fill(parser)

    def call(self, prog: str, arguments: list[str]) -> int:
        """Run the command."""
        return self._find().call(prog, arguments)


class Group:
    """Commands under one word; ``summary`` says what they are about. It may have ``options`` of its own."""

    def __init__(
        self, summary: str, commands: Mapping[str, Command | Group | Deferred], options: Sequence[Option] = ()
    ) -> None:
        self.summary = self.description = summary
        self.commands = commands
        self._options = options

    def fill(self, parser: ArgumentParser) -> None:
        """Let ``parser`` read the commands below with all that they take."""
        for name, below in self._name_commands(parser).items():
            below.description = self.commands[name].description
            self.commands[name].fill(below)

    def tree(self, prog: str) -> ArgumentParser:
        """A parser of everything below, to look at."""
        parser = _Parser(prog=prog, description=self.description)
        self.fill(parser)
        return parser

    def call(self, prog: str, arguments: list[str]) -> int:
        """Run the command that the first argument names. Raises ``SystemExit`` with 2 for a wrong call."""
        if arguments and arguments[0] in self.commands:
            return self.commands[arguments[0]].call(f"{prog} {arguments[0]}", arguments[1:])
        parser = _Parser(prog=prog, description=self.description)
        self._name_commands(parser)
        if arguments and not arguments[0].startswith("-"):
            parser.error(f"there is no command {arguments[0]}{_meant(arguments[0], self.commands)}")
        parser.parse_args(arguments)  # ends here for whatever there is
        parser.print_help(sys.stderr)
        return 2

    def _name_commands(self, parser: ArgumentParser) -> dict[str, ArgumentParser]:
        for option in self._options:
            option.add_to(parser)
        below = parser.add_subparsers(metavar="COMMAND", title="commands", parser_class=_Parser)
        return {name: below.add_parser(name, help=each.summary) for name, each in self.commands.items()}


def command(*options: Option, discreet: str = "") -> Callable[[Callable[..., int]], Command]:
    """Make a function a command that takes ``options``, each as a keyword.

    Where a word is unknown, it says what is ``discreet`` besides: what people take for one may be a secret.
    """
    return lambda run: Command(run, options, discreet)


class _Help(RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=HELP_POSITION, width=width())


class _Parser(ArgumentParser):
    """Never takes the beginning of an option's name for the option: scripts would break when a longer one comes."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - argparse's own
        super().__init__(formatter_class=_Help, allow_abbrev=False, **settings)
        self.discreet = ""
        self.variables: dict[str, str] = {}

    def print_help(self, file: Any = None) -> None:  # noqa: ANN401 - what argparse can write to
        """Print the help, in colours where ``file`` takes them."""
        stream = file or sys.stdout
        if _may_be_coloured(stream):
            from byoa_cli.colours import formatter

            self.formatter_class = formatter(stream, HELP_POSITION, width())
        super().print_help(stream)

    def _print_message(self, message: str, file: Any = None) -> None:  # noqa: ANN401 - what argparse can write to
        """Argparse passes over a stream that takes nothing."""
        if message:
            (file or sys.stderr).write(message)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the call, and where the right one is shown."""
        from byoa_cli.printable import visible

        if message.startswith(_UNKNOWN):
            message = _unknown(message.removeprefix(_UNKNOWN), self._option_string_actions)
            message += f"; {self.discreet}" if self.discreet else ""
        elif message.startswith(_MISSING):
            missing = message.removeprefix(_MISSING).split(", ")
            message = _MISSING + ", ".join(map(self._with_variable, missing))
        head, unwanted, _ = message.partition(_UNWANTED)
        message = f"{head} takes no value" if unwanted else message
        self.print_usage(sys.stderr)
        self.exit(2, f"error: {visible(message)}\n  next: `{self.prog} --help` shows how it is called\n")

    def _with_variable(self, option: str) -> str:
        return f"{option} (or {self.variables[option]})" if option in self.variables else option


def _unknown(words: str, known: Iterable[str]) -> str:
    """The first option that nobody knows, by its name: what stands behind it may be a secret, and the output a log."""
    option = words.partition(" ")[0].partition("=")[0]
    if option.startswith("-") and option.replace("-", "").isalpha():
        return f"{_UNKNOWN}{option}{_meant(option, known)}"
    return "there are more arguments than are taken"


def _meant(word: str, known: Iterable[str]) -> str:
    """The question that belongs to a word that isn't ``known`` and is like one that is."""
    from difflib import get_close_matches

    found = get_close_matches(word, list(known), 1)
    return f"; did you mean {found[0]}?" if found else ""


def _may_be_coloured(stream: Any) -> bool:  # noqa: ANN401 - a text stream
    """Whether rich is worth its import: it decides at last, by the variables named here and by ``TERM``."""
    if os.environ.get("NO_COLOR"):
        return False
    return stream.isatty() or not os.environ.keys().isdisjoint({"FORCE_COLOR", "TTY_COMPATIBLE"})


def width() -> int:
    """Columns of a help text here."""
    return min(_columns(), WIDEST)


def _columns() -> int:
    """How wide the terminal is; one that says 0 doesn't know. shutil tells it as well and is slow to import."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or WIDEST
    except (OSError, ValueError):
        return WIDEST
