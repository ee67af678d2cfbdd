"""Tokens of agents: which installs one is for, said when it is made and asked in every route that agents use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.api.problems import Problem
from byoa.api.tokens import AGENT, allowed
from byoa.api.visits import visit
from byoa.installs.ports import AgentSign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.installs.messages import Install


NOTED_EVERY_MS: Final = 60_000
"""How coarse it is told when an agent was heard of."""


def installs_for(scopes: Sequence[str], install_ids: Sequence[str]) -> tuple[str, ...]:
    """The installs whose deploys a token, or a rule on tokens, is to let one run; none where it isn't an agent's.

    Raises ``Problem`` with 422 for an agent's that names none, or may do more; for installs that another scope names;
    and for one that the organisation hasn't got, or whose deploys the platform runs.
    """
    if AGENT not in scopes:
        if install_ids:
            raise _fault("/body/install_ids", "unwanted", "Installs are named with the scope agent alone.")
        return ()
    if set(scopes) != {AGENT}:
        raise _fault("/body/scopes", "alone", "The scope agent goes alone: whoever may read sees other installs too.")
    if not install_ids:
        raise _fault("/body/install_ids", "missing", "Name the installs whose deploys the agent runs.")
    for number, each in enumerate(install_ids):
        install = visit().installs.install(each)
        if install is None or not is_agents(install):
            told = "The organisation has no such install whose deploys an agent runs."
            raise _fault(f"/body/install_ids/{number}", "not_found", told)
    return tuple(sorted(set(install_ids)))


def own_install(install_id: str) -> Install:
    """An install whose deploys the caller's token is for: of the scope admin, any of the organisation.

    Raises ``Problem`` with 404 for any other, as for none. Others
    aren't looked for: how long that takes would tell whether they are there.
    """
    here = visit()
    own = install_id in here.caller.installs or allowed(here.caller.scopes, "admin")
    install = here.installs.install(install_id) if own else None
    if install is None:
        raise Problem("not_found")
    return install


def note_agent(install_id: str) -> None:
    """Note that the caller, an agent of the install, was heard of: once a minute, since it asks every few seconds."""
    here = visit()
    last = here.leases.heard(install_id)
    if last is None or here.now_ts - last.at_ts >= NOTED_EVERY_MS or last.token_id != here.caller.id:
        here.leases.note(install_id, AgentSign(here.now_ts, here.caller.id, here.caller.name))


def is_agents(install: Install) -> bool:
    """Whether an agent runs its deploys."""
    return install.access.get("kind") == AGENT


def held_as(lease_id: str, token_id: str) -> str:
    """What a lease is kept as: it is of the token that it was given to, and of use to no other one."""
    return f"{lease_id} {token_id}"


def _fault(pointer: str, code: str, message: str) -> Problem:
    return Problem("invalid", faults=[{"pointer": pointer, "code": code, "message": message}])
