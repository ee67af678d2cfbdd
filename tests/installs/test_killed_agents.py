"""Two agents of one deploy that are killed one after the other, at any two writes: the third ends it the same.

Whoever dies at a read leaves what the last write left, so these are all the ends that two deaths can have.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

from byoa.installs.inventory import unpack
from tests.installs.beds import CONFIG_MAPS, config_map
from tests.installs.platform import Counted, Died
from tests.installs.test_agent import Bed
from tests.installs.test_killed_states import WRITES, Built

BEFORE = (config_map("kept"), config_map("other"), config_map("old"))
AFTER = (config_map("kept", a="1"), config_map("other"), config_map("new"))


@dataclass
class Writes(Counted):
    """What an agent has the API and its cluster keep, of which the one ``at`` is its last."""

    def call(self, method: Any, *arguments: Any, **named: Any) -> Any:
        answer = method(*arguments, **named)
        told = method.__name__ == "ask" and arguments[0] != "GET" and arguments[-1] != "renew"
        if told or (method.__name__ in WRITES and not named.get("dry_run")):
            self.calls += 1
            if self.calls == self.at:
                raise Died
        return answer


def run(bed: Bed, at: int = 0) -> Writes:
    """An agent takes what waits, and dies at its write ``at``; its lease has ended then."""
    writes = Writes(at=at)
    try:
        job = bed.lease(writes.around)
        if job:
            bed.run(job, writes.around)
    except Died:
        bed.passes(61)
    return writes


def end(built: Built, *deaths: int) -> tuple[Any, Writes]:
    """What is there when all has ended, and what the last agent wrote."""
    bed = Bed()
    bed.platform.ledger = bed.served.ledger = built.platform.ledger
    bed.platform.mirror = built.platform.mirror
    first, second = built.builds
    bed.platform.ask(first)
    run(bed)
    deploy = bed.platform.ask(second)
    for at in deaths:
        run(bed, at)
    last = run(bed)
    assert bed.now(deploy).status in ("active", "noop"), deaths
    (packed, _) = next(iter(bed.platform.store.packed.values()))
    there = {name: (bed.there(CONFIG_MAPS, name) or {}).get("data") for name in ("kept", "other", "new", "old")}
    return (there, {each.name for each in unpack(packed).uids}), last


def test_killed_at_any_two_writes_the_next_agent_ends_the_same() -> None:
    built = Built(BEFORE, AFTER)
    clean, unhurt = end(built)
    assert clean == ({"kept": {"a": "1"}, "other": {}, "new": {}, "old": None}, {"kept", "other", "new"})
    assert unhurt.calls > 8
    for deaths in product(range(1, unhurt.calls + 1), repeat=2):
        assert end(built, *deaths)[0] == clean, deaths
