"""Ctrl-C at the desk: a sentence, exit code 130, and nothing that runs without `make down` knowing of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local import desk, members, ports, standing
from local.desk import ROOT, Ports
from local.interrupts import Interrupted, Kept, held
from local.processes import DeskError, Process, started
from local.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SLEEP = ["sleep", "60"]
ENVIRONMENT = {"PATH": "/bin:/usr/bin"}


@pytest.fixture(autouse=True)
def terminal() -> Iterator[None]:
    """As at a terminal: what a shell starts in the background is deaf to Ctrl-C, and so are its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    ended = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGINT, before)
    signal.signal(signal.SIGTERM, ended)


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def never_ready(folder: Path, pids: list[int], while_waiting: Callable[[], object]) -> Callable[..., None]:
    """In place of the servers: one that gets ready never, while which something happens."""

    def start(*_: object, keep: Callable[[Process], object], **__: object) -> None:
        def ready(process: Process) -> bool:
            pids.append(process.pid)
            while_waiting()
            return False

        started(lambda: Process("registry", SLEEP, folder, environment=ENVIRONMENT), keep, ready)

    return start


@pytest.mark.parametrize("first", [4800, None])
def test_what_is_waited_for_is_recorded_and_stopped_with_all_that_was_written(
    first: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, pids, recorded = Standing(first, tmp_path / "state"), list[int](), list[list[int]]()

    def while_waiting() -> None:
        recorded.extend(json.loads(place.record.read_text()))
        press()

    monkeypatch.setattr(standing, "start_servers", never_ready(place.servers, pids, while_waiting))
    monkeypatch.setattr(ports, "require_free", lambda _: None)
    with pytest.raises(Interrupted, match=r"^all that was started is stopped \(registry\)$"):
        standing.up(place)
    assert [pid for pid, _ in recorded] == pids
    assert not alive(pids[0])
    assert not [*place.state.iterdir()]


def test_a_demo_stops_what_is_waited_for_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pids = list[int]()
    monkeypatch.setattr(desk, "start_servers", never_ready(tmp_path, pids, press))
    with pytest.raises(Interrupted, match="registry"), desk.desk(tmp_path, Ports()):
        pytest.fail("it never got ready")
    assert not alive(pids[0])


def test_a_ctrl_c_while_a_demo_runs_says_what_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: object, keep: Callable[[Process], object], **__: object) -> None:
        keep(Process("cluster", SLEEP, tmp_path, environment=ENVIRONMENT))

    monkeypatch.setattr(desk, "start_servers", start)
    monkeypatch.setattr(desk, "deploy", lambda *_, **__: None)
    with pytest.raises(Interrupted, match=r"stopped \(cluster\)"), desk.desk(tmp_path, Ports()):
        press()


def test_what_did_not_come_up_keeps_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, pids = Standing(4800, tmp_path), list[int]()

    def fails() -> None:
        raise DeskError("It doesn't work.", "")

    monkeypatch.setattr(standing, "start_servers", never_ready(place.servers, pids, fails))
    monkeypatch.setattr(ports, "require_free", lambda _: None)
    with pytest.raises(DeskError, match="doesn't work"):
        standing.up(place)
    assert not alive(pids[0])
    assert ((place.servers / "registry.log").exists(), place.record.exists()) == (True, False)


def test_a_ctrl_c_between_start_and_record_comes_after_the_record(tmp_path: Path) -> None:
    known = list[int]()
    kept = Kept(lambda processes: known.extend(each.pid for each in processes))

    def make() -> Process:
        press()
        return Process("server", SLEEP, tmp_path, environment=ENVIRONMENT)

    with pytest.raises(KeyboardInterrupt):
        started(make, kept.add, lambda _: pytest.fail("nobody waits any more"))
    kept.stop()
    assert (len(known), kept.told()) == (1, "all that was started is stopped (server)")
    assert not alive(known[0])


def test_a_sigterm_waits_for_the_end_of_what_is_held_too() -> None:
    done: list[str] = []

    def end_it() -> None:
        with held():
            signal.raise_signal(signal.SIGTERM)
            done.append("held")

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt):
        end_it()
    assert done == ["held"]


def test_a_second_ctrl_c_cuts_no_stopping_short() -> None:
    ended = list[str]()
    with held(passed_on=False):
        press()
        ended.append("stopped")

    def stop() -> None:
        with held():
            press()
            ended.append("held")

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert ended == ["stopped", "held"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_who_is_deaf_to_ctrl_c_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with held():
        press()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_other_threads_have_nothing_to_hold() -> None:
    done = list[bool]()

    def run() -> None:
        with held():
            done.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert done == [True]


# ---- the command -------------------------------------------------------------------------------------------------


LOCAL = [sys.executable, "-m", "local"]
WAITING = """
import sys
from local import demo, standing
from local.__main__ import main

def waits(*_, **__):
    print("waiting", flush=True)
    sys.stdin.read()

standing.up = demo.demo = standing.down = waits
sys.exit(main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("verb", "told"),
    [
        ("up", "nothing is left running"),
        ("demo", "nothing is left running"),
        ("down", "what still runs is stopped by the same command"),
    ],
)
def test_ctrl_c_or_sigterm_is_a_sentence_and_130(verb: str, told: str, number: int) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", WAITING, verb], cwd=ROOT, text=True, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout
    assert child.stdout.readline() == "waiting\n"
    child.send_signal(number)
    _, said = child.communicate(timeout=30)
    assert (child.returncode, said) == (130, f"interrupted: {told}\n")


@pytest.mark.parametrize("verb", ["up", "down"])
def test_a_port_that_is_no_number_is_refused_as_other_ports_are(verb: str) -> None:
    done = subprocess.run([*LOCAL, verb, "--port=abc"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: PORT=abc is no number.\nChoose one from 1024 to 65528: `PORT=4800`.\n"


def test_what_is_shown_of_byoa_hears_of_no_ctrl_c(tmp_path: Path) -> None:
    script = tmp_path / "byoa"
    script.write_text(f"#!{sys.executable}\nimport os\nprint(os.getsid(0) == os.getpid())\n")
    script.chmod(0o755)
    assert members.seen([str(script)], {**os.environ}, stdout=subprocess.PIPE).stdout == "True\n"
