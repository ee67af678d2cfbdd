"""Thousands of faults, drawn from seeds: no wrong byte is ever taken for right, and no copy ends in an unknown way.

``BYOA_FAULT_RUNS`` sets how many copies are made, ``BYOA_FAULT_SEED`` where their seeds begin.
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from byoa.adapters.authorization import Wallet
from byoa.adapters.distribution import DistributionRepository
from byoa.adapters.traits import Traits
from byoa.adapters.transport import Endpoint, Transport
from byoa.copying import Pace
from byoa.errors import ByoaError
from byoa.mirroring import Wanted, mirror
from byoa.patience import Patience
from byoa.ports import Credential
from local.registry import Settings
from tests.faults.artifacts import SHAPES, Maker, lacking, put, wrong_bytes
from tests.faults.faulty import LYING, ODD, PASSING, SLOW, Faulty

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor

    from byoa.ports import Repository

RUNS: Final = int(os.environ.get("BYOA_FAULT_RUNS", "600"))
SEED: Final = int(os.environ.get("BYOA_FAULT_SEED", "0"))
WANTED: Final = 10_000
AT_ONCE: Final = 4
LONGEST: Final = 120
"""Seconds after which a copy has hung."""

PATIENT: Final = Patience(attempts=5, sleep=lambda _: None)
OURS: Final = Credential("byoa", "desk")
TRAITS: Final = (Traits(), Traits(upload="patch"), Traits(upload="chunks", chunk=700), Traits(mounts_itself=False))


@dataclass(frozen=True)
class Kind:
    """What a copy goes through: the faults by weight, their rate, and what the registries are like."""

    faults: Mapping[str, int]
    rate: float = 0.3
    most: int | None = 4
    settings: Settings = field(default_factory=Settings)
    gullible: bool = True
    read_seconds: float = 20.0


RANGES: Final = dict.fromkeys(["ignore the range", "refuse the range", "mistake the range"], 8)
CUTS: Final = dict.fromkeys(["break the answer", "cut the answer", "break the request", "flip", "shorten"], 2)
TROUBLES: Final = {**dict.fromkeys(PASSING, 1), **CUTS, **RANGES}

TROUBLED: Final = Kind(TROUBLES)
BEARER: Final = Kind({**TROUBLES, **dict.fromkeys(ODD, 1)}, settings=Settings(auth="bearer"), gullible=False)
UNLISTED: Final = Kind(TROUBLES, settings=Settings(referrers=False))
LIED_TO: Final = Kind(dict.fromkeys([*PASSING, *LYING], 1), rate=0.1, most=None, gullible=False)
HOPELESS: Final = Kind(dict.fromkeys([*PASSING, *LYING], 1), rate=0.6, most=None, gullible=False)
STALLED: Final = Kind({**dict.fromkeys(PASSING, 1), **dict.fromkeys(SLOW, 2)}, rate=0.1, read_seconds=0.25)


@dataclass
class Played:
    """How one copy went: what was injected, how it ended, and what is wrong with the target."""

    what: str
    injected: Counter[str]
    error: ByoaError | None
    wrong: list[str]
    misnamed: list[str]
    missing: list[str]


class Play:
    """One copy between two repositories, all of it from one seed."""

    def __init__(self, seed: int, kind: Kind, workers: Executor) -> None:
        self.shape = SHAPES[seed % len(SHAPES)]
        self.traits = TRAITS[seed // len(SHAPES) % len(TRAITS)]
        self.pace = Pace(
            workers=workers if seed % 2 else None, patience=PATIENT, lasting_from=1000 if seed % 3 else None
        )
        self.artifact = Maker(seed).make(self.shape)
        self._kind = kind
        self._seed = seed

    def run(self) -> Played:
        """Copy, and look at what came of it."""
        kind = self._kind
        with ExitStack() as stack:
            origin = stack.enter_context(self._registry(0))
            goal = origin if self._seed % 5 == 0 else stack.enter_context(self._registry(1))
            put(origin, "vendor/app", self.artifact, "v1")
            transport = Transport(read_seconds=kind.read_seconds)
            stack.callback(transport.close)
            error = self._mirror(transport, origin, goal)
            goal.calm.set()
            held = goal.store.make("ours/app")
            return Played(
                what=f"seed {self._seed}, {self.shape}, {self.traits}",
                injected=origin.injected + (goal.injected if goal is not origin else Counter()),
                error=error,
                wrong=wrong_bytes(goal, "ours/app"),
                misnamed=self._misnamed(held.tags),
                missing=lacking(goal, "ours/app", self.artifact, "v1"),
            )

    def _misnamed(self, tags: Mapping[str, str]) -> list[str]:
        """Tags that name something else than at the source."""
        right = {"v1": self.artifact.root.digest, **self.artifact.tags}
        return [tag for tag, digest in tags.items() if tag in right and str(right[tag]) != digest]

    def _mirror(self, transport: Transport, origin: Faulty, goal: Faulty) -> ByoaError | None:
        wallet = Wallet(transport)
        shared = "vendor/app" if goal is origin else None
        source = self._repository(transport, wallet, origin, "vendor/app")
        target = self._repository(transport, wallet, goal, "ours/app", shared, role="target")
        try:
            mirror(source, target, Wanted("v1", tag="v1"), pace=self.pace)
        except ByoaError as error:
            return error
        return None

    def _registry(self, number: int) -> Faulty:
        kind, seed = self._kind, 2 * self._seed + number
        return Faulty(
            kind.faults, seed=seed, rate=kind.rate, most=kind.most, settings=kind.settings, gullible=kind.gullible
        )

    def _repository(
        self, transport: Transport, wallet: Wallet, registry: Faulty, name: str, mount_from: str | None = None,
        role: str = "source",
    ) -> Repository:
        host, _, port = registry.address.partition(":")
        return DistributionRepository(
            transport, Endpoint("http", host, int(port)), name, role="target" if role == "target" else "source",
            credential=OURS if self._kind.settings.auth == "bearer" else None, wallet=wallet, traits=self.traits,
            patience=PATIENT, mount_from=mount_from,
        )  # fmt: skip


def play(kind: Kind, runs: int, first: int) -> list[Played]:
    """Copies of one kind, some at once. One that hangs is a failure of the test."""
    with ThreadPoolExecutor(AT_ONCE * 3) as workers, ThreadPoolExecutor(AT_ONCE) as players:
        futures = [players.submit(Play(SEED + first + number, kind, workers).run) for number in range(runs)]
        return [future.result(LONGEST) for future in futures]


def injected(played: list[Played]) -> int:
    return sum(sum(each.injected.values()) for each in played)


def test_ten_thousand_seeded_faults_leave_no_wrong_byte_and_end_in_a_known_way(
    record_property: Callable[[str, object], None],
) -> None:
    troubled = play(TROUBLED, RUNS * 6 // 10, 0) + play(BEARER, RUNS // 5, 1000) + play(UNLISTED, RUNS // 10, 2000)
    lied_to = play(LIED_TO, RUNS // 20, 3000) + play(HOPELESS, RUNS // 20, 4000)
    everything = [*troubled, *lied_to]
    converged = [each for each in troubled if each.error is None]
    share = len(converged) / len(troubled)
    record_property("faults", f"{injected(everything)} faults in {len(everything)} copies, {share:.2%} of {len(troubled)} with at most four per request converged")
    record_property("kinds", dict(sorted(sum((each.injected for each in everything), Counter[str]()).items())))
    record_property("ends", dict(Counter(each.error.code if each.error else "converged" for each in lied_to)))
    record_property("failed", [f"{each.what}: {each.error!r}" for each in troubled if each.error])
    assert [each.what for each in everything if each.wrong or each.misnamed] == []
    assert [each.what for each in everything if each.error is None and each.missing and each in converged] == []
    assert share >= 0.99
    assert RUNS < 600 or injected(everything) >= WANTED
