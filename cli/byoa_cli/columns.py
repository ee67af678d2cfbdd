"""Lists for people: a head, and a line for each row. None is cut or broken, so that all of it can be copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa_cli.output import err, out
from byoa_cli.printable import styled, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.text import Text

    from byoa_cli.printable import Part

COLOURS: Final = {
    "active": "green", "noop": "green", "no-drift": "green", "inactive": "", "error": "red", "superseded": "yellow",
    "cancelled": "yellow", "drift-detected": "yellow", "pending-approval": "yellow", "approval-denied": "yellow",
    "pending": "",
}  # fmt: skip
_RUNNING: Final = "blue"


def cell(document: Mapping[str, Any], name: str) -> str:
    """What JSON data has under a name, as a text: nothing for null, a list with commas between."""
    found = document.get(name)
    if isinstance(found, list):
        return ", ".join(map(str, found))
    return "" if found is None else str(found)


def coloured(status: str) -> Part:
    """The status of a build or a deploy in its colour."""
    return status, COLOURS.get(status, _RUNNING)


def show(head: Sequence[str], rows: Sequence[Sequence[str]], nothing: str) -> None:
    """Print a list, or on stderr that there is ``nothing``. A column called STATUS is coloured."""
    if not rows:
        err().print(styled(nothing))
        return
    for line in lines(head, rows):
        out().print(line)


def show_rows(*rows: tuple[str, str]) -> None:
    """Print titles with what stands behind them; those with nothing behind them are left out."""
    for title, value in rows:
        if value:
            out().print(styled((f"  {title:12}", "dim"), value))


def lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Text]:
    """The list's lines."""
    shown = [[visible(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for number, row in enumerate(shown):
        parts: list[Part] = []
        for title, cell, width in zip(head, row, widths, strict=True):
            text = f"{cell:{width}}  "
            parts.append((text, coloured(cell)[1]) if title == "STATUS" and number else text)
        line = styled(*parts)
        line.rstrip()
        yield line
