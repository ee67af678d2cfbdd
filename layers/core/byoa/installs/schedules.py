"""When a schedule is due next: five fields of cron in UTC, as robfig/cron reads them, which Nuon uses."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from byoa.components.values import cron_fields

if TYPE_CHECKING:
    from datetime import datetime

_DAYS: Final = 366 * 8
"""How far it is looked: a 29th of February may be eight years away."""


def next_after(schedule: str, moment: datetime) -> datetime | None:
    """The first minute after ``moment`` (UTC) that a schedule names; ``None`` where there is none.

    Where both the days of the month and the weekdays are limited, a day has to be among one of the two.
    """
    minutes, hours, days, months, weekdays = cron_fields(schedule)
    _, _, of_month, _, of_week = schedule.split()
    open_fields = of_month[0] in "*?" or of_week[0] in "*?"
    first = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    day = first.replace(hour=0, minute=0)
    for _ in range(_DAYS):
        fits = (day.day in days, day.isoweekday() % 7 in weekdays)
        if day.month in months and (all(fits) if open_fields else any(fits)):
            times = (day.replace(hour=hour, minute=minute) for hour in sorted(hours) for minute in sorted(minutes))
            found = next((each for each in times if each >= first), None)
            if found:
                return found
        day += timedelta(days=1)
    return None
