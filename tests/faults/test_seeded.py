"""Thousands of faults, drawn from seeds: no wrong byte is ever taken for right, and no copy ends in an unknown way.

``BYOA_FAULT_RUNS`` sets how many copies are made, ``BYOA_FAULT_SEED`` where their seeds begin.
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pytest

from byoa.adapters.registries.authorization import Wallet
from byoa.adapters.registries.deadlines import Allowance
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.traits import Traits
from byoa.adapters.registries.transport import Transport
from byoa.engine.mirroring import Wanted, mirror
from byoa.engine.patience import Patience
from byoa.engine.sending import Pace
from byoa.engine.workers import Workers
from byoa.errors import ByoaError
from byoa.trust.credentials import Credential
from local.registry import Registry, Request, Response, Settings
from tests.faults.artifacts import SHAPES, Artifact, Maker, lacking, put, wrong_bytes
from tests.faults.faulty import LYING, ODD, PASSING, SLOW, Faulty

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from byoa.adapters.registries.answers import Role

DEFAULT: Final = 1200
RUNS: Final = int(os.environ.get("BYOA_FAULT_RUNS", str(DEFAULT)))
SEED: Final = int(os.environ.get("BYOA_FAULT_SEED", "0"))
WANTED: Final = 10_000
AT_ONCE: Final = 4
LONGEST: Final = 120
"""Seconds after which a copy has hung."""

PATIENT: Final = Patience(attempts=5, sleep=lambda _: None)
OURS: Final = Credential("byoa", "desk")
WAYS: Final = {
    "put": Traits(),
    "patch": Traits(upload="patch"),
    "chunks": Traits(upload="chunks", chunk=3000),
    "asking": Traits(mounts_itself=False),
}
CUTS: Final = dict.fromkeys(["break the answer", "cut the answer", "break the request", "flip", "shorten"], 3)
RANGES: Final = dict.fromkeys(["ignore the range", "refuse the range", "mistake the range"], 20)
TROUBLES: Final = {**dict.fromkeys(PASSING, 1), **CUTS, **RANGES}


@dataclass(frozen=True)
class Kind:
    """What a copy goes through: faults by weight, their rate, how often one request is met, and the registries."""

    faults: Mapping[str, int]
    rate: float = 0.22
    most: int | None = 4
    settings: Settings = field(default_factory=Settings)
    gullible: bool = True
    read_seconds: float = 30.0


TROUBLED: Final = Kind(TROUBLES)
BEARER: Final = Kind({**TROUBLES, **dict.fromkeys(ODD, 2)}, settings=Settings(auth="bearer"), gullible=False)
UNLISTED: Final = Kind(TROUBLES, settings=Settings(referrers=False))
LIED_TO: Final = Kind(dict.fromkeys([*PASSING, *LYING], 1), rate=0.1, most=None, gullible=False)
HOPELESS: Final = Kind(dict.fromkeys([*PASSING, *LYING], 1), rate=0.6, most=None, gullible=False)
STALLED: Final = Kind({**TROUBLES, **dict.fromkeys(SLOW, 5)}, rate=0.1, read_seconds=0.25)


@dataclass
class Played:
    """How one copy went: what was injected, how it ended, and what is wrong or missing in the target."""

    what: str
    injected: Counter[str]
    error: ByoaError | None
    wrong: list[str]
    missing: list[str]
    unattached: list[str]


class Play:
    """One copy between two repositories, all of it from one seed."""

    def __init__(self, seed: int, kind: Kind, workers: Workers) -> None:
        self._seed = seed
        self._kind = kind
        self._shape = SHAPES[seed % len(SHAPES)]
        self._way = list(WAYS)[seed // len(SHAPES) % len(WAYS)]
        self._artifact = Maker(seed).make(self._shape)
        self._pace = Pace(
            workers=workers if seed % 2 else None, patience=PATIENT, lasting_from=1000 if seed % 3 else None
        )

    def run(self) -> Played:
        """Copy, and look at what came of it. A fifth of all copies stays within one registry."""
        with ExitStack() as stack:
            origin = stack.enter_context(self._registry(0))
            goal = origin if self._seed % 5 == 0 else stack.enter_context(self._registry(1))
            put(origin, "vendor/app", self._artifact, "v1")
            transport = Transport(allowance=Allowance(silence=self._kind.read_seconds))
            stack.callback(transport.close)
            error = self._mirror(transport, origin, goal)
            return self._seen(goal, sum((each.injected for each in {origin, goal}), Counter[str]()), error)

    def _seen(self, goal: Faulty, injected: Counter[str], error: ByoaError | None) -> Played:
        return Played(
            what=f"seed {self._seed}, {self._shape}, {self._way}",
            injected=injected,
            error=error,
            wrong=wrong_bytes(goal, "ours/app") + self._misnamed(goal.store.make("ours/app").tags),
            missing=lacking(goal, "ours/app", self._artifact.bare, "v1"),
            unattached=lacking(goal, "ours/app", self._artifact, "v1"),
        )

    def _misnamed(self, tags: Mapping[str, str]) -> list[str]:
        """Tags that name something else than at the source."""
        right = {"v1": self._artifact.root.digest, **self._artifact.tags}
        return [tag for tag, digest in tags.items() if tag in right and str(right[tag]) != digest]

    def _mirror(self, transport: Transport, origin: Faulty, goal: Faulty) -> ByoaError | None:
        wallet = Wallet(transport)
        source = self._repository(transport, wallet, origin, "source")
        target = self._repository(transport, wallet, goal, "target", "vendor/app" if goal is origin else None)
        try:
            mirror(source, target, Wanted("v1", tag="v1"), pace=self._pace)
        except ByoaError as error:
            return error
        return None

    def _registry(self, number: int) -> Faulty:
        kind, seed = self._kind, 2 * self._seed + number
        return Faulty(
            kind.faults, seed=seed, rate=kind.rate, most=kind.most, settings=kind.settings, gullible=kind.gullible
        )

    def _repository(
        self, transport: Transport, wallet: Wallet, registry: Registry, role: Role, mount_from: str | None = None
    ) -> DistributionRepository:
        return DistributionRepository(
            transport,
            endpoint_of(registry),
            "vendor/app" if role == "source" else "ours/app",
            role=role,
            credential=OURS if self._kind.settings.auth == "bearer" else None,
            wallet=wallet,
            traits=WAYS[self._way],
            patience=PATIENT,
            mount_from=mount_from,
        )


def endpoint_of(registry: Registry) -> Endpoint:
    host, _, port = registry.address.partition(":")
    return Endpoint("http", host, int(port))


def play(kind: Kind, runs: int, first: int) -> list[Played]:
    """Copies of one kind, some at once. One that hangs is a failure of the test, as is an error of no known kind."""
    with closing(Workers(3 * AT_ONCE, "test")) as workers, ThreadPoolExecutor(AT_ONCE) as players:
        futures = [players.submit(Play(SEED + first + number, kind, workers).run) for number in range(runs)]
        return [future.result(LONGEST) for future in futures]


def injected(played: Sequence[Played]) -> Counter[str]:
    return sum((each.injected for each in played), Counter[str]())


def ends(played: Sequence[Played]) -> dict[str, int]:
    return dict(Counter(each.error.code if each.error else "converged" for each in played).most_common())


def test_ten_thousand_seeded_faults_leave_no_wrong_byte_and_end_in_a_known_way(
    record_property: Callable[[str, object], None],
) -> None:
    troubled = play(TROUBLED, RUNS // 2, 0)
    troubled += play(BEARER, RUNS // 5, 10_000_000)
    troubled += play(UNLISTED, RUNS // 10, 20_000_000)
    lied_to = play(LIED_TO, RUNS // 10, 30_000_000) + play(HOPELESS, RUNS // 10, 40_000_000)
    everything = [*troubled, *lied_to]
    converged = [each for each in troubled if each.error is None]
    share = len(converged) / len(troubled)
    count = injected(everything).total()
    record_property(
        "injected", f"{count} faults in {len(everything)} copies: {dict(injected(everything).most_common())}"
    )
    record_property("troubled", f"{share:.2%} of {len(troubled)} copies converged: {ends(troubled)}")
    record_property("lied to", f"{len(lied_to)} copies: {ends(lied_to)}")
    assert [(each.what, each.wrong) for each in everything if each.wrong] == []
    assert [(each.what, each.missing) for each in everything if each.missing and not each.error] == []
    assert [(each.what, each.unattached) for each in converged if each.unattached] == []
    assert share >= 0.99, [f"{each.what}: {each.error!r}" for each in troubled if each.error]
    assert count >= WANTED or RUNS < DEFAULT


def test_registries_that_say_nothing_for_too_long_are_left_and_leave_no_wrong_byte(
    record_property: Callable[[str, object], None],
) -> None:
    played = play(STALLED, 40, 50_000_000)
    stalls = {name: count for name, count in injected(played).items() if name in SLOW}
    record_property("stalled", f"{stalls} in {len(played)} copies: {ends(played)}")
    assert [(each.what, each.wrong) for each in played if each.wrong] == []
    assert [(each.what, each.unattached) for each in played if each.unattached and not each.error] == []
    assert set(stalls) == set(SLOW)


class Moving(Registry):
    """A registry that lets a tag name something else from its request number ``moment`` on."""

    def __init__(self, first: Artifact, second: Artifact, moment: int) -> None:
        self._moment = moment
        self._second = second
        super().__init__()
        put(self, "vendor/app", second, "v1")
        put(self, "vendor/app", first, "v1")

    def answer(self, request: Request) -> Response:
        if len(self.requests) == self._moment:
            self.store.make("vendor/app").tags["v1"] = str(self._second.root.digest)
        return super().answer(request)


@pytest.mark.parametrize("moment", range(24))
def test_a_tag_that_moves_between_two_calls_is_mirrored_as_one_or_the_other(moment: int) -> None:
    first, second = Maker(1).make("attested"), Maker(2).make("attested")
    with Moving(first, second, moment) as origin, Registry() as goal:
        transport = Transport()
        source = DistributionRepository(transport, endpoint_of(origin), "vendor/app", role="source")
        target = DistributionRepository(transport, endpoint_of(goal), "ours/app", role="target")
        mirror(source, target, Wanted("v1", tag="v1"))
        transport.close()
        assert lacking(goal, "ours/app", second if moment == 0 else first, "v1") == []
