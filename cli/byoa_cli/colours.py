"""Help in colours, for terminals. Imported where a help is printed to one: it brings rich."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich_argparse import RawDescriptionRichHelpFormatter

if TYPE_CHECKING:
    from typing import TextIO


class _Coloured(RawDescriptionRichHelpFormatter):
    """The plain help, word for word; brackets in it are no markup."""

    group_name_formatter = str
    help_markup = False
    text_markup = False


def formatter(stream: TextIO, position: int, width: int) -> Any:  # noqa: ANN401 - a class, for argparse
    """What formats a help for ``stream``, with the colours that it takes; options are told of from ``position`` on."""
    return partial(_Coloured, max_help_position=position, width=width, console=Console(file=stream))
