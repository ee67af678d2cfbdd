"""How many bytes the builds of one organisation may take in a day, all of them together.

A build counts with its whole size, before its first blob is fetched, and once: a step that is tried again adds nothing,
and a later round that finds more attached adds that. What is in quarantine already counts as well, because each
component's mirror is a repository of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.errors import QuotaExceeded

if TYPE_CHECKING:
    from datetime import datetime

DAY: Final = 24 * 60 * 60
"""Seconds. Days are those of UTC."""


def day_of(moment: datetime) -> int:
    """The number of the day that ``moment`` is in, counted from 1970-01-01 UTC."""
    return int(moment.timestamp()) // DAY


def exceeded(limit: int) -> QuotaExceeded:
    """What a build is refused with that doesn't fit into the ``limit`` bytes of its organisation's day."""
    return QuotaExceeded(f"The organisation's builds would take more than its {limit} bytes of this day.")
