"""DriftDue: components whose schedule says so are looked at for drift, and mended where their install has it so."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from pydantic import ConfigDict

from byoa.builds.messages import Message
from byoa.builds.records import milliseconds
from byoa.errors import ByoaError, DeployBusy
from byoa.installs.messages import ENDED, DeployStatusChanged
from byoa.installs.ports import Request
from byoa.installs.states import DriftAsked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.builds.ports import Clock
    from byoa.installs.ports import Installs

_AT_ONCE: Final = 500
_AGAIN: Final = timedelta(hours=1)
"""When a component is looked at again that could not be asked for, or whose deploy never ends."""


class DriftEvent(Message):
    """What the function is called with: the schedule's event, or that drift was ``found``."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    found: DeployStatusChanged | None = None


class Due(Protocol):
    """Components by the moment at which drift is looked for next, of all organisations."""

    def due(self, before_ts: int) -> Iterator[tuple[str, str, str]]:
        """Organisation, install and component of those whose moment was before (ms since 1970 UTC)."""
        ...

    def put_off(self, organisation: str, install_id: str, component: str, until_ts: int) -> None:
        """Look again then; whoever ends a deploy of it says otherwise."""
        ...


def drift_due(due: Due, installs: Callable[[str], Installs], clock: Clock) -> DriftAsked:
    """Ask for what is due. One that a deploy is under way for waits: it is looked at by that.

    What can't be asked for is put off as well: it would stand before all others at each call.
    """
    now, asked = clock.now(), 0
    for organisation, install_id, component in islice(due.due(milliseconds(now)), _AT_ONCE):
        with suppress(ByoaError, ValueError):  # pydantic's errors are ValueErrors
            asked += _ask(installs(organisation), install_id, component)
        with suppress(ByoaError):  # it is due still then
            due.put_off(organisation, install_id, component, milliseconds(now + _AGAIN))
    return DriftAsked(asked=asked)


def _ask(installs: Installs, install_id: str, component: str) -> bool:
    install = installs.install(install_id)
    stands = installs.component(install, component) if install else None
    if install is None or stands is None or stands.status not in ENDED or stands.build_id is None:
        return False
    installs.ask(install, component, Request("drift", stands.build_id, cause="schedule", newest=stands.number))
    return True


def mend(changed: DeployStatusChanged, installs: Installs) -> DriftAsked:
    """Where drift was found by the schedule and the install says so, apply what was applied last once more.

    That was approved then; what only goes by name isn't. Nor is what somebody has changed of the install since: then it
    goes as any deploy of it, and where the install says so it waits for somebody. It overtakes nothing that somebody
    asked for meanwhile.
    """
    install = installs.install(changed.install_id)
    found = installs.deploy(changed.id)
    stands = installs.component(install, changed.component) if install else None
    newest = stands is not None and found is not None and stands.number == found.number
    if install is None or not install.mend or not newest or found is None or found.status != "drift-detected":
        return DriftAsked(asked=0)
    if found.cause != "schedule" or stands is None or stands.build_id is None:
        return DriftAsked(asked=0)
    approved = stands.install_version == install.version
    request = Request("apply", stands.build_id, approve_all=approved, cause="schedule", newest=found.number)
    try:
        installs.ask(install, changed.component, request)
    except DeployBusy:
        return DriftAsked(asked=0)
    return DriftAsked(asked=1)
