"""The loads on the API: how soon it answers, in process and over the desk, what calls cost, fifty clients at once."""

from __future__ import annotations

import io
import json
import logging
import statistics
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bench.crowd import Caller, Crowd
from bench.figures import OURS, Figure, Load, percentile
from bench.loads.cold_start import IMPORTS_SECONDS, alone, pause
from bench.pipeline import deployed
from bench.prices import cost_per_thousand
from bench.usage import Recorder
from local import members
from local.desk import APP
from tests.api.served import Served

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.crowd import Answer, Ask
    from bench.pipeline import Pipeline
    from bench.stand import Stand

NAMES: Final = ("api, in process", "api, over the desk", "api, 50 clients", "api, cold start", "api, cost")

_IN_PROCESS_SECONDS: Final = 0.005
_DESK_SECONDS: Final = 0.015
_LONGEST_SECONDS: Final = 30.0
"""When API Gateway gives up, and answers 503."""
_COMPONENTS: Final = 50
_PLACE: Final = f"/v1/apps/{APP}/components"
_QUIET: Final = "org_quiet0000001"
"""Whose calls are timed: the emulator looks at every item of an organisation for each query, and the crowd leaves
thousands, where a table of AWS's reads what it answers.
"""
_ENOUGH_MS: Final = 2
"""Milliseconds apart, so that the journal's entries differ."""

type Call = Callable[[int], tuple[str, str, object]]


class CallRefused(Exception):
    """The API answered something else than the load is about."""


def api(stand: Stand) -> list[Load]:
    """All of them; one desk for those that need one. The crowd comes first, while builds run."""
    loads = [_latency(NAMES[0], _in_process(), stand.sizes.calls, _IN_PROCESS_SECONDS)]
    with deployed(stand.folder / "desk") as running:
        token = members.bootstrap(running.desk)
        crowd = _crowd(running, token, stand)
        pause(running)
        with Caller(running.desk.api, members.bootstrap(running.desk, _QUIET)) as caller:
            loads += [_latency(NAMES[1], caller.ask, stand.sizes.calls, _DESK_SECONDS), crowd]
            loads.append(_cold_start(running, stand))
            loads.append(_cost(running, caller.ask, stand.sizes.alone))
    return loads


def _in_process() -> Ask:
    """The API over the shipped memory adapters."""
    served = Served()
    for handler in logging.getLogger("byoa").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(io.StringIO())  # lines are made, and shown nowhere
    token = served.token(days=300)

    def ask(method: str, path: str, body: object) -> Answer:
        found = served.ask(method, path, body, token=token)
        return found.status, found.json

    return ask


def _calls(ask: Ask) -> dict[str, Call]:
    """What is asked, by name; there are fifty components with a build each then."""
    build_id = ""
    for number in range(_COMPONENTS):
        build_id = str(_asked(ask, *_config(f"app-{number}", "a: 0"))["build_id"])
    newest = f"{_PLACE}/app-{_COMPONENTS - 1}/builds/{build_id}"
    return {
        "GET build": lambda _: ("GET", newest, None),
        "GET components": lambda _: ("GET", f"{_PLACE}?limit=10", None),
        "POST config": lambda number: _config(f"app-{number % _COMPONENTS}", f"a: {number + 1}"),
    }


def _config(component: str, manifest: str) -> tuple[str, str, object]:
    body = {"namespace": "bench", "manifest": manifest}
    return "POST", f"{_PLACE}/{component}/configs/kubernetes-manifest", body


def _asked(ask: Ask, method: str, path: str, body: object) -> dict[str, object]:
    status, answer = ask(method, path, body)
    if status not in (200, 201):
        raise CallRefused(f"{method} {path}: {status}: {json.dumps(answer)[:300]}")
    return answer if isinstance(answer, dict) else {}


def _latency(name: str, ask: Ask, rounds: int, goal: float) -> Load:
    """Each call so many times, one after the other; the goal is the slowest one's 95th percentile."""
    figures = []
    for kind, call in _calls(ask).items():
        seconds = [_seconds(ask, call, number) for number in range(rounds)]
        p50, p95 = statistics.median(seconds), percentile(seconds, 0.95)
        figures.append(Figure(kind, p95, more={"p50_seconds": round(p50, 5), "calls": rounds}))
    slowest = max(figures, key=lambda figure: figure.seconds or 0.0)
    shown = {figure.tool: f"p50 {figure.more['p50_seconds'] * 1000:.1f} ms, p95 {(figure.seconds or 0) * 1000:.1f} ms"
             for figure in figures}  # fmt: skip
    ours = Figure(OURS, slowest.seconds)
    return Load(name, [ours, *figures], goal, "seconds", shown, no_peers=frozenset(each.tool for each in figures))


def _seconds(ask: Ask, call: Call, number: int) -> float:
    method, path, body = call(number)
    begun = time.perf_counter()
    _asked(ask, method, path, body)
    return time.perf_counter() - begun


def _crowd(running: Pipeline, token: str, stand: Stand) -> Load:
    """Raises ``Lost`` where something that was taken isn't there; a 5xx misses the goal."""
    crowd = Crowd(running.desk.api, token, "crowd", stand.sizes.clients, 3, stand.sizes.crowd_seconds)
    begun = time.perf_counter()
    told = crowd.run()
    taken = time.perf_counter() - begun
    for each in told:
        crowd.check(each)
    seconds = [second for each in told for second in each.seconds]
    faulty = sum(each.faulty for each in told)
    more = {
        "clients": crowd.clients,
        "calls": len(seconds),
        "calls_per_second": round(len(seconds) / taken, 1),
        "p50_seconds": round(statistics.median(seconds), 4),
        "p95_seconds": round(percentile(seconds, 0.95), 4),
        "statuses": dict(sum((each.statuses for each in told), Counter[int]())),
        "builds": sum(len(each.builds) for each in told),
        "faulty": faulty,
        "lost": 0,
    }
    return Load(NAMES[2], [Figure(OURS, max(seconds))], _LONGEST_SECONDS, "seconds", more, (faulty == 0,))


def _cold_start(running: Pipeline, stand: Stand) -> Load:
    rounds = [alone(running, "api", stand.folder) for _ in range(stand.times(5))]
    first = statistics.median(each["first_answer"] for each in rounds)
    ours = Figure(OURS, statistics.median(each["imports"] for each in rounds))
    return Load(NAMES[3], [ours], IMPORTS_SECONDS, "seconds", {"first_answer_seconds": round(first, 4)})


def _cost(running: Pipeline, ask: Ask, count: int) -> Load:
    """Each call so many times, one after the other; builds don't go on, but the stream tells of what is handed in."""
    parts = {}
    for name, call in _calls(ask).items():
        recorder = Recorder(running, int(time.time() * 1000))
        for number in range(count):
            _seconds(ask, call, 1000 + number)
            time.sleep(_ENOUGH_MS / 1000)
            recorder.note()
        use, _ = recorder.use(count, own_reads=0)
        use = replace(use, calls={**use.calls, "execute-api:Invoke": count})
        parts[name] = round(sum(cost_per_thousand(use).values()), 5)
    return Load(NAMES[4], [Figure(OURS, None)], None, "USD", {"usd_per_1000": parts})
