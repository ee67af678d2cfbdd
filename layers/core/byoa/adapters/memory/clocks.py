"""The time: the machine's, and one that steps."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class SteppingClock:
    """A clock that moves a millisecond on with each look, so that what happens in order is dated in order."""

    def __init__(self, moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """See ``builds.ports.Clock``."""
        self.moment += timedelta(milliseconds=1)
        return self.moment


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """See ``builds.ports.Clock``."""
        return datetime.now(UTC)


class Stopwatch:
    """Seconds that pass by themselves, for who waits."""

    def now(self) -> float:
        """See ``installs.ports.Clock``."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """See ``installs.ports.Clock``."""
        time.sleep(seconds)


class PlayedTime:
    """Seconds that pass when somebody waits, and not otherwise."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds

    def now(self) -> float:
        """See ``installs.ports.Clock``."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """See ``installs.ports.Clock``."""
        self.seconds += seconds


class EpochTime:
    """Seconds since 1970, which mean the same in every process."""

    def now(self) -> float:
        """See ``installs.ports.Clock``."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """See ``installs.ports.Clock``."""
        time.sleep(seconds)


class CalendarTime:
    """The same by a calendar, on which waiting moves on."""

    def __init__(self, calendar: SteppingClock) -> None:
        self.calendar = calendar

    def now(self) -> float:
        """See ``installs.ports.Clock``."""
        return self.calendar.now().timestamp()

    def sleep(self, seconds: float) -> None:
        """See ``installs.ports.Clock``."""
        self.calendar.moment += timedelta(seconds=seconds)
