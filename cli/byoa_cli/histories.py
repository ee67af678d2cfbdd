"""What happened to a build, line by line, and how it ended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from byoa_cli.columns import coloured
from byoa_cli.output import next_step, out
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.builds.messages import Build, HistoryEntry


def print_history(history: Sequence[HistoryEntry], shown: int, *, indent: str = "") -> int:
    """Print what came after the first ``shown`` lines; how many there are now.

    A history that was full is replaced when its build ends, by a shorter one: then its last lines are news.
    """
    fresh = history[shown:] if len(history) >= shown else history[1:]
    for entry in fresh:
        text = f"  {entry.status_human_description}"
        out().print(styled(indent, (moment(entry.created_at_ts), "dim"), "  ", coloured(entry.status), text))
    return len(history)


def show_outcome(build: Build) -> None:
    """Print what went wrong and what to do, or where the mirrors are."""
    outcome = build.outcome
    if outcome and outcome.failure:
        out().print(styled((outcome.failure.code, "bold red"), f": {outcome.failure.cause}"))
        out().print(next_step(outcome.failure.remedy))
    for mirror in outcome.mirrors if outcome else []:
        out().print(styled(f"mirror {mirror.target}: {mirror.reference}"))


def moment(milliseconds: int) -> str:
    """A moment (ms since 1970) for people, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
