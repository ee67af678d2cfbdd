"""Which part of a list is shown."""

from __future__ import annotations

from typing import Final, NamedTuple

from byoa_cli.commands import Option, UsageError
from byoa_cli.options import whole
from byoa_cli.output import err
from byoa_cli.printable import styled

_DEFAULT: Final = 20
PAGING: Final = (
    Option("--limit", "-l", type=whole(1, 1000), help="At most so many (default: 20)."),
    Option("--offset", "-o", type=whole(0, 100_000), help="Pass over so many (default: 0)."),
    Option("--page", type=whole(0, 1000), help="Instead of --offset: the page, from 0 on, of --limit each."),
    Option("--all", dest="every", action="store_true", help="All of them."),
)


class Part(NamedTuple):
    """``limit`` items after ``offset``; without a limit all that follow."""

    offset: int
    limit: int | None

    def tell_more(self, *, more: bool) -> None:
        """Say on stderr how to see what follows."""
        if more and self.limit:
            err().print(styled(f"there are more: --offset {self.offset + self.limit}, or --all"))


def part_of(limit: int | None, offset: int | None, page: int | None, *, every: bool) -> Part:
    """What the options ask for. Raises ``UsageError`` where two of them say different things."""
    if page is not None and offset is not None:
        raise UsageError("--page stands for an --offset: give one")
    if every and (limit, offset, page) != (None, None, None):
        raise UsageError("--all goes without --limit, --offset and --page")
    if every:
        return Part(0, None)
    size = limit or _DEFAULT
    return Part(page * size if page is not None else offset or 0, size)
