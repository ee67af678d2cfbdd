"""Deploys that agents have to run: the index ``recent`` has them for as long as that is so, and nothing else of them.

    index     its keys                      on the item
    recent    WAITS#<install>#<moment>      DEPLOY#<install>#<component>#<number>

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


def of_agent(deploy: Deploy) -> Item:
    """What the item of an agent's new deploy has beside the deploy itself."""
    return {"agent": True, **_place(deploy)}


def changes(item: Item, after: Deploy) -> tuple[Item, list[str]]:
    """What is set, and what is removed, where an ``item`` that may be an agent's deploy becomes another one."""
    if not item.get("agent"):
        return {}, []
    place = _place(after)
    return (place if RECENT not in item else {}), ([RECENT] if RECENT in item and not place else [])


def sign_key(install_id: str) -> str:
    """Where it stands when an install's agent was heard of."""
    return f"AGENT#{install_id}"


def to_run(rows: Rows, organisation: str, install_id: str) -> list[DeployKey]:
    """See ``installs.ports.Leases``."""
    values = {":pk": f"ORG#{organisation}", ":prefix": _prefix(install_id)}
    found = rows.asked(f"pk = :pk AND begins_with({RECENT}, :prefix)", values, _AT_ONCE, None, index=RECENT)
    named = (item["sk"].split("#") for item in found)
    return [
        DeployKey(organisation=organisation, install_id=install_id, component=component, number=int(number))
        for _, _, component, number in named
    ]


def _place(deploy: Deploy) -> Item:
    """Where the index has it; nowhere where nothing is to be run."""
    return {RECENT: f"{_prefix(deploy.install_id)}{deploy.created_at_ts:013d}"} if deploy.status in TO_RUN else {}


def _prefix(install_id: str) -> str:
    return f"WAITS#{install_id}#"
