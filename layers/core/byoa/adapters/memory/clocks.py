"""The time: the machine's, and one that steps."""

from __future__ import annotations

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
