"""Builds, followed to their end: on a terminal with a spinner, in a log by lines."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from byoa import errors
from byoa.errors import Corrupt, Rejected, Timeout
from byoa_cli.output import FAULT, FINE, MEND, Interrupted, err, next_step
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Group

    from byoa.builds.messages import Build
    from byoa.builds.ports import Catalogue

_POLL_SECONDS = (0.25, 5.0)
"""From the first look to the last; each wait is a half longer than the one before."""


def follow(builds: Sequence[Build], catalogue: Catalogue, seconds: float, *, shown: bool) -> list[Build]:
    """Look again until all builds have ended. Raises ``Timeout``; the builds go on all the same."""
    current = {build.build_id: build for build in builds}
    deadline, pause = time.monotonic() + seconds, _POLL_SECONDS[0]
    with _told(builds), _Progress(builds, shown=shown) as progress:
        while waiting := [build for build in current.values() if not build.ended]:
            if time.monotonic() > deadline:
                raise Timeout("Not all builds ended in time; they go on.", remedy=f"Follow them with {_shown(builds)}.")
            time.sleep(pause)
            pause = min(pause * 1.5, _POLL_SECONDS[1])
            for build in waiting:
                found = catalogue.build(build.organisation, build.build_id) or build
                current[build.build_id] = found
                progress.update(found)
    return list(current.values())


def verdict(builds: Sequence[Build]) -> int:
    """The exit code for builds that ended: whose turn it is."""
    failed = [build for build in builds if build.status != "active"]
    if not failed:
        return FINE
    return MEND if any(_users_turn(build) for build in failed) else FAULT


def _users_turn(build: Build) -> bool:
    failure = build.outcome.failure if build.outcome else None
    leaf = getattr(errors, failure.code, Rejected) if failure else Rejected
    return issubclass(leaf, Rejected | Corrupt)


@contextmanager
def _told(builds: Sequence[Build]) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"the builds go on; see them with {_shown(builds)}") from None


def _shown(builds: Sequence[Build]) -> str:
    """The command that shows these builds."""
    return f"`byoa builds list --org {builds[0].organisation} --app {builds[0].app}`"


class _Progress:
    """A spinner for all running builds on a terminal that can draw one; elsewhere a line for each that begins and ends.

    Whoever forces colours into a log wants no spinner there.
    """

    def __init__(self, builds: Any, *, shown: bool) -> None:  # noqa: ANN401 - a view of builds
        self._builds = list(builds)
        self._shown = shown
        self._status: Any = None
        self._running: dict[str, str] = {}

    def __enter__(self) -> Self:
        for build in self._builds:
            if not build.ended:  # what had ended before is nothing to follow
                self._running[build.build_id] = f"building component {build.build_id} {build.component}"
        if self._shown and sys.stderr.isatty() and err().is_interactive:
            self._status = err().status(self._text())
            self._status.start()
        elif self._shown:
            for line in self._running.values():
                err().print(styled(line))
        return self

    def update(self, build: Build) -> None:
        """Take note of how far a build is."""
        if build.ended:
            self._running.pop(build.build_id, None)
            self._end(build)
        else:
            line = f"building component {build.build_id} {build.component}: {build.status_human_description}"
            self._running[build.build_id] = line
        if self._status:
            self._status.update(self._text())

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def _text(self) -> Group:
        from byoa_cli.screen import cut

        return cut(map(styled, self._running.values()))

    def _end(self, build: Build) -> None:
        if not self._shown:
            return
        outcome = build.outcome
        if build.status == "active" and outcome:
            err().print(styled(("finished building component", "green"), f" {build.component}"))
            err().print(styled(f"  pinned {outcome.tag or 'inline'} → {outcome.digest}"))
        elif outcome and outcome.failure and build.status == "error":
            err().print(styled(("error building component", "red"), f" {build.component}: {outcome.failure.code}"))
            err().print(styled(f"  {outcome.failure.cause}"))
            err().print(next_step(outcome.failure.remedy))
        else:
            err().print(styled((build.status, "yellow"), f" {build.component}: {build.status_human_description}"))
