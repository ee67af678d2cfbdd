"""The time: the machine's, and one that steps."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(slots=True)
class SteppingClock:
    """A clock that moves a millisecond on with each look, so that what happens in order is dated in order."""

    moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)

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


@dataclass(slots=True)
class PlayedTime:
    """Seconds that pass when somebody waits, and not otherwise."""

    seconds: float = 0.0

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


@dataclass(slots=True)
class CalendarTime:
    """The same by a calendar, on which waiting moves on."""

    calendar: SteppingClock

    def now(self) -> float:
        """See ``installs.ports.Clock``."""
        return self.calendar.now().timestamp()

    def sleep(self, seconds: float) -> None:
        """See ``installs.ports.Clock``."""
        self.calendar.moment += timedelta(seconds=seconds)
