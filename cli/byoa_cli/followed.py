"""A deploy that was asked for, followed with those behind it until somebody has to say something, or all have ended."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from byoa_cli.deploying import Deploying, follow
from byoa_cli.output import FINE, err, out, print_json
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from collections.abc import Sequence


def followed(asked: Deploying, timeout: float, *, wait: bool, as_json: bool) -> int:
    """Follow a deploy and those behind it to their ends, and tell of them; the exit code."""
    if not wait:
        if as_json:
            print_json(asked.document())
        else:
            out().print(styled(f"queued {asked.id}"))
        return FINE
    ends = time.monotonic() + timeout
    follow(asked, timeout, shown=not as_json)
    if asked.waits and not as_json and _somebody_is_there() and not asked.said.get("needs"):
        asked.show(plan=True, asking=True)
        if not _asked_and_answered(asked):
            _tell_left(asked)
            return asked.verdict()
        follow(asked, ends - time.monotonic(), shown=True)
    behind = [] if asked.waits else _follow_behind(asked, ends, shown=not as_json)
    if behind and as_json:
        print_json({**asked.document(), "dependents": [each.document() for each in behind]})
        return max(each.verdict() for each in (asked, *behind))
    return max(told(each, plan=False, as_json=as_json) for each in (asked, *behind))


def _follow_behind(asked: Deploying, ends: float, *, shown: bool) -> list[Deploying]:
    """Follow what is behind a deploy; of many some are only asked for when it has ended."""
    wanted, behind, held = len(asked.said.get("dependents") or []), list[Deploying](), set[str]()
    while len(behind) < wanted:
        known = {each.id for each in behind}
        new = [each for each in asked.dependents() if each.id not in known]
        if not new:
            break
        _follow_all(new, held, ends, shown=shown)
        behind += new
    return behind


def _follow_all(behind: Sequence[Deploying], held: set[str], ends: float, *, shown: bool) -> None:
    """Follow deploys in their order; what waits for one that is ``held`` by somebody's answer is left as it is."""
    for each in behind:
        if held.isdisjoint(str(before["deploy_id"]) for before in each.said.get("waits_for") or []):
            follow(each, ends - time.monotonic(), shown=shown)
            held |= {each.id} if each.waits else set()
        else:
            held.add(each.id)


def _asked_and_answered(asked: Deploying) -> bool:
    """Whether somebody approved just what they were shown."""
    from byoa_cli.secrets import confirmed

    if not confirmed("apply this?"):
        return False
    asked.answer({"response_type": "approve", "fingerprint": asked.said.get("fingerprint")})
    return True


def _tell_left(asked: Deploying) -> None:
    """What becomes of a plan that somebody saw and didn't approve."""
    command = f"byoa installs deny {asked.said['install_id']} {asked.said['component_id']}"
    err().print(styled(f"left waiting; deny it with `{command}`"))


def _somebody_is_there() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def told(asked: Deploying, *, plan: bool, as_json: bool) -> int:
    """Print how a deploy is; the exit code."""
    if as_json:
        print_json(asked.document())
    else:
        asked.show(plan=plan)
    return asked.verdict()
