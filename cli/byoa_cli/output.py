"""What people and machines see: one JSON document on stdout, or text; progress and errors on stderr."""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from byoa.errors import Corrupt, Rejected

if TYPE_CHECKING:
    from rich.console import Console

    from byoa.errors import ByoaError

FINE = 0
MEND = 1
"""Something that the user must fix."""
USAGE = 2
FAULT = 3
"""A fault of ours or of the network's."""


@cache
def out() -> Console:
    """Results for people."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


@cache
def err() -> Console:
    """Progress and errors."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def printable(text: str) -> str:
    """``text`` without what could move a cursor or end a line: names of files may hold anything."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


def print_line(text: str) -> None:
    """A line of results without any style: what needs none needs not import what draws it."""
    sys.stdout.write(f"{text}\n")


def print_json(document: dict[str, Any]) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=True) + "\n")


def exit_code(error: ByoaError) -> int:
    """Whose turn it is."""
    return MEND if isinstance(error, Rejected | Corrupt) else FAULT


def print_error(error: ByoaError, *, as_json: bool) -> None:
    """Say what happened, where, and what to do next."""
    if as_json:
        print_json({"error": error.as_dict()})
        return
    from rich.markup import escape

    where = f" ({error.where})" if error.where else ""
    err().print(f"[bold red]error[/] [bold]{error.code}[/]{escape(where)}: {escape(error.cause)}")
    if error.remedy:
        err().print(f"  [dim]next:[/] {escape(error.remedy)}")
