"""What people and machines see: one JSON document on stdout, or text; progress and errors on stderr."""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from byoa.errors import Corrupt, Rejected

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from byoa.errors import ByoaError
    from byoa_cli.printable import Part

FINE = 0
MEND = 1
"""Something that the user must fix."""
USAGE = 2
FAULT = 3
"""A fault of ours or of the network's."""
INTERRUPTED = 130
"""Somebody stopped it: 128 and the number of SIGINT, as shells have it."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with a sentence on what that means for what was going on."""


@cache
def out() -> Console:
    """Results for people."""
    from byoa_cli.screen import Screen

    return Screen()


@cache
def err() -> Console:
    """Progress and errors."""
    from byoa_cli.screen import Screen

    return Screen(stderr=True)


def print_line(text: str) -> None:
    """A line of results without any style: what needs none needs not import what draws it."""
    if not text.isprintable():
        from byoa_cli.printable import visible

        text = visible(text)
    sys.stdout.write(f"{text}\n")


def print_styled(*parts: Part, progress: bool = False) -> None:
    """A line of results, or of ``progress``, with styles where there is a terminal: else nothing draws them."""
    stream = sys.stderr if progress else sys.stdout
    if stream.isatty() or "FORCE_COLOR" in os.environ:
        from byoa_cli.printable import styled

        (err() if progress else out()).print(styled(*parts))
        return
    from byoa_cli.printable import visible

    stream.write("".join(visible(part if isinstance(part, str) else part[0]) for part in parts) + "\n")


def print_json(document: dict[str, Any]) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=True) + "\n")


def print_note(text: str) -> None:
    """Something that is worth knowing and stops nothing."""
    from byoa_cli.printable import styled

    err().print(styled(("note", "yellow"), f" {text}"))


def exit_code(error: ByoaError) -> int:
    """Whose turn it is."""
    return MEND if isinstance(error, Rejected | Corrupt) else FAULT


def print_error(error: ByoaError, *, as_json: bool) -> None:
    """Say what happened, where, and what to do next."""
    if as_json:
        print_json({"error": error.as_dict()})
        return
    from byoa_cli.printable import styled

    where = f" ({error.where})" if error.where else ""
    err().print(styled(("error", "bold red"), " ", (error.code, "bold"), f"{where}: {error.cause}"))
    if error.remedy:
        err().print(next_step(error.remedy))


def next_step(remedy: str) -> Text:
    """The line below an error that says what to do."""
    from byoa_cli.printable import styled

    return styled("  ", ("next:", "dim"), f" {remedy}")
