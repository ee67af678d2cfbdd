"""Cold starts: every function in a fresh interpreter, the steps in their order on a real build."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.bytecode import compile_all
from bench.figures import Figure, Load
from local.desk import ROOT, STACK, aws_environment

if TYPE_CHECKING:
    from bench.pipeline import Pipeline

IMPORTS_SECONDS = 0.4
_FIRST_ANSWER_SECONDS = 0.7
_PYTHON = ROOT / ".venvs" / "emulator" / "bin" / "python"
"""Has boto3, as Lambda's runtime does, and nothing of ours."""
_PROGRAM = Path(__file__).parent / "first_answer.py"
_TIMES = ("imports", "first_answer", "again")

type Event = dict[str, Any]


class AnswerMissing(Exception):
    """A function answered with an error where the next one needs its answer."""


def cold_start(pipeline: Pipeline, rounds: int, folder: Path) -> Load:
    """Every function's imports, and imports, clients and first answer together; medians."""
    pause(pipeline)
    compile_all(_PYTHON, (_PYTHON.parent.parent / "lib").glob("python3*/site-packages"))
    taken: dict[str, list[dict[str, float]]] = {}
    for _ in range(rounds):
        for name, times in round_of(pipeline, folder).items():
            taken.setdefault(name, []).append(times)
    figures = [_figure(name, runs) for name, runs in taken.items()]
    slowest = max(figures, key=lambda figure: figure.seconds or 0.0)
    answer = max(figure.more["first_answer_seconds"] for figure in figures)
    more = {"first_answer_seconds": answer, "first_answer_goal": _FIRST_ANSWER_SECONDS, "slowest": slowest.tool}
    ours = Figure("byoa", slowest.seconds, note="", more={"first_answer_seconds": answer})
    kept = answer <= _FIRST_ANSWER_SECONDS
    return Load("cold start", [ours, *figures], IMPORTS_SECONDS, "seconds", more, (kept,), frozenset(taken))


def pause(pipeline: Pipeline) -> None:
    """Let no event start a build any more: the steps are run by hand."""
    bus = pipeline.desk.outputs["BusName"]
    for rule in pipeline.call("events", "list_rules", EventBusName=bus)["Rules"]:
        pipeline.call("events", "disable_rule", Name=rule["Name"], EventBusName=bus)


def round_of(pipeline: Pipeline, folder: Path, group: Path | None = None) -> dict[str, dict[str, float]]:
    """One build through all steps, then the functions beside them with their sample events; all inside ``group``.

    Seconds of each function: ``imports``, until its ``first_answer``, and of the same question asked ``again``.
    """
    build = pipeline.submit("cold")
    key = build.key.model_dump()
    times: dict[str, dict[str, float]] = {}

    def step(name: str, event: Event, *, sample: bool = False) -> Event:
        found = _run(pipeline, name, event, folder, group)
        if found["error"] and not sample:
            raise AnswerMissing(f"{name}: {found['error']}")
        times[name] = {key: found[key] for key in _TIMES}
        return dict(found["answer"] or {})

    message = step("validate_reference", {**key, "execution": "bench"})
    for name in ("resolve_digest", "stage_artifact", "inspect_artifact"):
        message = step(name, message)
    mirrored = step("mirror_artifact", {"artifact": message, "target": message["targets"][0]})
    step("record_build", {**key, "execution": "bench", "artifact": message, "mirrors": [mirrored]})
    for name in ("publish_changes", "record_stopped", "sweep_builds", "api"):
        step(name, json.loads((ROOT / "events" / f"{name}.json").read_bytes()), sample=True)
    return times


def alone(pipeline: Pipeline, name: str, folder: Path) -> dict[str, float]:
    """What ``round_of`` tells of one function, asked by its sample event."""
    event = json.loads((ROOT / "events" / f"{name}.json").read_bytes())
    return {key: value for key, value in _run(pipeline, name, event, folder, None).items() if key in _TIMES}


def _run(pipeline: Pipeline, name: str, event: Event, folder: Path, group: Path | None) -> dict[str, Any]:
    result = folder / f"{name}.json"
    settings = pipeline.call("lambda", "get_function_configuration", FunctionName=f"{STACK}-{name.replace('_', '-')}")[
        "Environment"
    ]["Variables"]
    subprocess.run(
        [_PYTHON, _PROGRAM, name, result, *([group / "cgroup.procs"] if group else [])],
        input=json.dumps(event),
        env={**_surroundings(pipeline.build), **aws_environment(pipeline.desk.aws), **settings},
        stdout=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return dict(json.loads(result.read_text()))


def _surroundings(build: Path) -> dict[str, str]:
    """The function's code and layers as they are deployed, where nothing can be written: no byte code either."""
    layers = [str(build / layer / "python") for layer in ("CoreLayer", "DependenciesLayer")]
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT), *layers]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "POWERTOOLS_TRACE_DISABLED": "1",
    }


def _figure(name: str, runs: list[dict[str, float]]) -> Figure:
    answer = round(statistics.median(run["first_answer"] for run in runs), 4)
    more = {"first_answer_seconds": answer, "runs": len(runs)}
    return Figure(name, statistics.median(run["imports"] for run in runs), more=more)
