"""Deploys that wait, for an agent or for others: ``recent`` has them for as long as that is so, and nothing else.

    index     its keys                      on the item                               for
    recent    WAITS#<install>#<moment>      DEPLOY#<install>#<component>#<number>     an agent that runs it
    recent    BEHIND#<install>#<moment>     DEPLOY#<install>#<component>#<number>     other deploys

The moment is when it was asked for. No app's name has capital letters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.adapters.aws.listed import RECENT
from byoa.installs.messages import DeployKey
from byoa.installs.records import TO_RUN

if TYPE_CHECKING:
    from byoa.adapters.aws.rows import Rows
    from byoa.adapters.aws.table import Item
    from byoa.installs.messages import Deploy

_AT_ONCE = 100
"""Deploys that one question tells of: an agent takes the first that nobody has."""

_ALL = 100_000
"""Deploys of an install that wait for others: none may be overlooked."""


def listed(deploy: Deploy, *, agent: bool) -> Item:
    """What the item of a new deploy has beside the deploy itself; whether an ``agent`` is to run it."""
    return {**({"agent": True} if agent else {}), **_place(deploy, agent=agent)}


def changes(item: Item, after: Deploy) -> tuple[Item, list[str]]:
    """What is set, and what is removed, where an ``item`` that is a deploy becomes another one."""
    place = _place(after, agent=bool(item.get("agent")))
    if item.get(RECENT) == place.get(RECENT):
        return {}, []
    return place, ([] if place else [RECENT])


def sign_key(install_id: str) -> str:
    """Where it stands when an install's agent was heard of."""
    return f"AGENT#{install_id}"


def to_run(rows: Rows, organisation: str, install_id: str) -> list[DeployKey]:
    """See ``installs.ports.Leases``."""
    return _listed(rows, organisation, f"WAITS#{install_id}#", _AT_ONCE)


def behind(rows: Rows, organisation: str, install_id: str) -> list[DeployKey]:
    """The deploys of an install that wait for others, the oldest first."""
    return _listed(rows, organisation, f"BEHIND#{install_id}#", _ALL)


def _listed(rows: Rows, organisation: str, prefix: str, most: int) -> list[DeployKey]:
    values = {":pk": f"ORG#{organisation}", ":prefix": prefix}
    found = rows.asked(f"pk = :pk AND begins_with({RECENT}, :prefix)", values, most, None, index=RECENT)
    named = (item["sk"].split("#") for item in found)
    return [
        DeployKey(organisation=organisation, install_id=install_id, component=component, number=int(number))
        for _, install_id, component, number in named
    ]


def _place(deploy: Deploy, *, agent: bool) -> Item:
    """Where the index has it; nowhere where it waits for nothing."""
    tail = f"{deploy.install_id}#{deploy.created_at_ts:013d}"
    if deploy.status == "pending":
        return {RECENT: f"BEHIND#{tail}"}
    return {RECENT: f"WAITS#{tail}"} if agent and deploy.status in TO_RUN else {}
