"""Agents of one install after each other: what one of them leaves, or gives back, the next one ends the same."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from byoa.bootstrap import terminal
from byoa.engine.copying import copy
from byoa.engine.workers import Workers
from byoa.errors import DeploySuperseded
from byoa.installs.access import read_kubeconfig
from byoa.installs.inventory import unpack
from byoa.oci.digest import Digest
from byoa.oci.reference import Reference, Registry
from byoa.trust.limits import STAGED
from byoa_cli.leases import Hand
from local.cluster import Cluster
from local.registry import Registry as MirrorRegistry
from tests.api.loopback import listening
from tests.cli.homes import Home, until
from tests.installs.beds import CONFIG_MAPS, DEPLOYMENTS, config_map
from tests.installs.platform import INSTALL, ORG, Counted, Died
from tests.installs.test_agent import OBJECTS, Asking, Bed
from tests.installs.test_agent_at_clusters import corners
from tests.kubernetes import reached
from tests.terminal import BYOA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.api.loopback import Answer, Loopback, Request
    from tests.kubernetes import Server

SIGNALS = pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
GIVEN_BACK = "the deploy was given back, and another agent may go on with it\n"


def test_a_deploy_that_an_agent_left_half_written_is_ended_before_a_newer_one_begins() -> None:
    bed = Bed()
    deploy = bed.platform.ask(bed.platform.build(*OBJECTS))
    job = bed.lease()
    assert job
    with pytest.raises(Died):
        bed.run(job, Counted(at=8).around)
    assert bed.now(deploy).status == "executing"
    newer = bed.platform.ask(bed.platform.build(OBJECTS[0], OBJECTS[2]))
    assert bed.lease() is None, "the lease has not ended"
    bed.passes(61)
    assert (bed.run_next(), bed.run_next()) == ("active", "active")
    assert (bed.now(deploy).status, bed.now(newer).status) == ("active", "active")
    assert (bed.there(CONFIG_MAPS, "two"), bool(bed.there(CONFIG_MAPS, "one"))) == (None, True)


def test_whatever_was_done_when_a_deploy_is_given_back_the_next_agent_ends_it_the_same_at_once() -> None:
    for at in range(1, 200):
        bed = Bed()
        bed.platform.ask(bed.platform.build(*OBJECTS, config_map("old")))
        bed.run_next()
        deploy = bed.platform.ask(bed.platform.build(config_map("new"), *OBJECTS))
        job = bed.lease()
        assert job
        try:
            bed.run(job, Counted(at=at).around)
        except Died:
            job.give_back()
            with pytest.raises(DeploySuperseded):
                job.renew()
            assert bed.run_next() in ("active", "noop"), at
        else:
            assert at > 5
            return
        assert bed.now(deploy).status in ("active", "noop")
        assert (bed.there(CONFIG_MAPS, "old"), bool(bed.there(CONFIG_MAPS, "new"))) == (None, True)
        (packed, _) = next(iter(bed.platform.store.packed.values()))
        assert len(unpack(packed).uids) == 4


def test_nobody_gives_back_what_another_agent_has() -> None:
    bed = Bed()
    deploy = bed.platform.ask(bed.platform.build(*OBJECTS))
    job = bed.lease()
    assert job
    other = Asking(bed.served, bed.served.token("agent", org=ORG, installs=(INSTALL,)))
    other.ask("POST", "installs", INSTALL, "jobs", deploy.id, "give-back", body={"lease_id": job.lease})
    job.renew()
    bed.passes(61)
    second = bed.lease()
    assert second
    job.give_back()
    second.renew()


class Held:
    """The API on loopback, which keeps the answer to one request till somebody has what it is of ended."""

    def __init__(self, api: Loopback, what: str, nth: int = 1) -> None:
        self.came, self.let = threading.Event(), threading.Event()
        self._what, self._left = what, nth
        api.script = self._answer

    def _answer(self, request: Request, honest: Any) -> Answer | None:
        if f"{request.method} {request.path}".endswith(self._what):
            self._left -= 1
            if self._left == 0:
                self.came.set()
                self.let.wait(60)
        found: Answer = honest()
        return found


class Place:
    """A platform, its mirror and a cluster on loopback, where agents are processes."""

    def __init__(self, folder: Path, kubeconfig: str, mirror: MirrorRegistry, bed: Bed, api: Loopback) -> None:
        self.mirror, self.bed, self.api = mirror, bed, api
        self.home = Home(api, folder)
        (folder / "kubeconfig").write_text(kubeconfig)
        self._words = ["install", "run", "--kubeconfig", "kubeconfig", "--plain-http", mirror.address]
        self._variables = {"BYOA_API": api.address, "BYOA_TOKEN": f"{bed.token}\n"}

    def deploy(self, *objects: Any) -> Any:
        build = self.bed.platform.build(*objects)
        assert build.outcome
        reference = Reference.parse(build.outcome.mirrors[0].reference)
        target = terminal.repository(reference, "target", None, plain_http=True)
        root = self.bed.platform.mirror.fetch_manifest(Digest.parse(build.outcome.digest or ""))
        copy(self.bed.platform.mirror, target, root, limits=STAGED, target_name="mirror")
        terminal.transport().close()
        return self.bed.platform.ask(build)

    @contextmanager
    def agent(self) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [BYOA, *self._words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.home.folder,
            env=self.home.environment | self._variables, start_new_session=True,
        ) as agent:  # fmt: skip
            try:
                yield agent
            finally:
                agent.kill()

    def run_what_waits(self) -> list[str]:
        """What became of each deploy, told by an agent that comes next."""
        done = self.home.byoa(*self._words, "--once", **self._variables)
        assert done.code == 0, done.err
        return [line.rpartition(": ")[2] for line in done.err.splitlines() if " dpl" in line and "apply" not in line]


@contextmanager
def placed(folder: Path, kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with MirrorRegistry() as mirror, reached(read_kubeconfig(kubeconfig)) as cluster:
        monkeypatch.setattr("tests.installs.platform.OURS", Registry.parse(mirror.address))
        bed = corners(cluster, monkeypatch)()
        with listening(bed.served) as api:
            yield Place(folder, kubeconfig, mirror, bed, api)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with Cluster() as cluster, placed(tmp_path, cluster.kubeconfig(), monkeypatch) as found:
        yield found


def ended(agent: subprocess.Popen[str], number: int, held: Held | None = None) -> tuple[int, str]:
    """How an agent ends by a signal, and what it says last; the answer that is ``held`` comes when it is ended."""
    agent.send_signal(number)
    if held:
        time.sleep(0.2)  # should the answer be sooner nevertheless, it ends the same
        held.let.set()
    _, said = agent.communicate(timeout=60)
    return agent.returncode, said.splitlines(keepends=True)[-1].partition(": ")[2]


@SIGNALS
def test_an_agent_that_waits_ends_by_a_word(place: Place, number: int, code: int) -> None:
    with place.agent() as agent:
        until(lambda: place.api.paths("POST"))
        assert ended(agent, number) == (code, "no deploy was in hand\n")


@SIGNALS
def test_an_agent_that_is_ended_in_the_middle_gives_the_deploy_back_and_the_next_ends_it(
    place: Place, number: int, code: int
) -> None:
    deploy = place.deploy(*OBJECTS)
    held = Held(place.api, "/inventory", 3)
    with place.agent() as agent:
        assert held.came.wait(60)
        assert place.bed.now(deploy).status == "executing"
        assert ended(agent, number) == (code, GIVEN_BACK)
    held.let.set()
    assert place.run_what_waits() == ["active"]
    assert place.bed.there(DEPLOYMENTS, "web")
    (packed, _) = next(iter(place.bed.platform.store.packed.values()))
    assert {each.name for each in unpack(packed).uids} == {"one", "two", "web"}


def test_a_lease_that_is_answered_when_the_agent_ends_is_given_back(place: Place) -> None:
    deploy = place.deploy(*OBJECTS)
    held = Held(place.api, "/jobs/lease")
    with place.agent() as agent:
        assert held.came.wait(60)
        assert ended(agent, signal.SIGTERM, held) == (143, GIVEN_BACK)
    assert place.run_what_waits() == ["active"]
    assert place.bed.now(deploy).status == "active"


@pytest.mark.parametrize(("handed", "told"), [(True, GIVEN_BACK), (False, "no deploy was in hand\n")])
def test_a_signal_just_when_an_agent_asks_loses_no_lease(
    monkeypatch: pytest.MonkeyPatch, *, handed: bool, told: str
) -> None:
    bed = Bed()
    bed.platform.ask(bed.platform.build(*OBJECTS))
    hand, add = Hand(bed.api, INSTALL), Workers.add

    def ended_at_once(workers: Workers, job: Any) -> None:
        if handed:
            add(workers, job)
            job.error()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Workers, "add", ended_at_once)
        with pytest.raises(KeyboardInterrupt):
            hand.take()
    assert hand.give_back() == told.strip()
    assert bed.run_next() == "active", "at once, and not when the lease has ended"


def test_at_a_real_server_an_agent_is_ended_while_it_writes_and_nothing_is_forgotten(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"c{number:03}" for number in range(150)]
    with placed(tmp_path, server.kubeconfig(tmp_path).read_text(), monkeypatch) as place:

        def there() -> dict[str, Any]:
            found = place.bed.platform.cluster.list(CONFIG_MAPS, place.bed.corner)
            return {each["metadata"]["name"]: (each.get("data") or {}).get("a") for each in found}

        for value, more in (("1", [config_map("old")]), ("2", [])):
            deploy = place.deploy(*(config_map(name, a=value) for name in names), *more)
            with place.agent() as agent:
                until(lambda: value in there().values())  # noqa: B023 - called in this round
                assert ended(agent, signal.SIGTERM)[0] == 143
            place.run_what_waits()
            assert place.bed.now(deploy).status in ("active", "noop")
        assert there() == dict.fromkeys(names, "2")
        (packed, _) = next(iter(place.bed.platform.store.packed.values()))
        assert {each.name for each in unpack(packed).uids} == {*names}
