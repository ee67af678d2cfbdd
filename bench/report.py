"""The figures for people and for machines: a table, one JSON object, and the file of the last honest run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.figures import Figure, Load

_COLUMNS = ("load", "tool", "seconds", "ratio", "requests", "CPU s", "peak MiB", "goal", "")
_WIDTH = 130
_GOAL_UNITS = {
    "ratio": "",
    "seconds": " s",
    "requests": "",
    "USD": " USD",
    "MiB": " MiB above the imports",
    "MiB at the peak": " MiB at the peak",
}


def show(loads: Sequence[Load], *, stderr: bool) -> None:
    """Print the table."""
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH
    table = Table(*_COLUMNS, box=None, pad_edge=False)
    for row in rows(loads):
        table.add_row(*row)
    console.print(table, soft_wrap=True)
    for load in loads:
        for line in notes(load):
            console.print(f"{load.name}: {line}", soft_wrap=True, markup=False)


def rows(loads: Sequence[Load]) -> list[list[str]]:
    """The table's rows: one for each tool, with the load's name, goal and verdict on the first."""
    found = []
    for load in loads:
        for number, figure in enumerate(load.figures):
            head = [load.name, goal_of(load), _verdict(load)] if number == 0 else ["", "", ""]
            found.append([head[0], *_cells(load, figure), head[1], head[2]])
    return found


def goal_of(load: Load) -> str:
    """The goal as people write it."""
    return "" if load.goal is None else f"≤ {load.goal}{_GOAL_UNITS[load.unit]}"


def notes(load: Load) -> list[str]:
    """What a load has to say beside its figures."""
    said = [f"{name} {_shown(value)}" for name, value in load.more.items()]
    failed = [f"{figure.tool} failed: {figure.note}" for figure in load.figures if figure.note]
    disturbed = [
        f"{figure.more['disturbed']} of {figure.more['runs']} runs of {figure.tool} were disturbed by other processes"
        for figure in load.figures
        if figure.more.get("disturbed")
    ]
    return [*said, *failed, *disturbed]


def as_json(loads: Sequence[Load]) -> str:
    """One line."""
    return json.dumps({"loads": [load.as_dict() for load in loads]}, ensure_ascii=False)


def save(loads: Sequence[Load], machine: dict[str, Any], folder: Path) -> None:
    """Keep the run, as JSON and as Markdown."""
    folder.mkdir(exist_ok=True)
    document = {"machine": machine, "loads": [load.as_dict() for load in loads]}
    (folder / "latest.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    (folder / "latest.md").write_text(markdown(loads, machine))


def markdown(loads: Sequence[Load], machine: dict[str, Any]) -> str:
    """The run as a page."""
    about = "\n".join(f"- {name}: {_shown(value)}" for name, value in machine.items())
    heads = [name or "met" for name in _COLUMNS]
    lines = [_row(heads), _row(["---"] * len(heads)), *(_row(cells) for cells in rows(loads))]
    said = "\n".join(f"- {load.name}: {line}" for load in loads for line in notes(load))
    table = "\n".join(lines)
    return (
        f"# The last run of `make bench`\n\n{about}\n\n{table}\n\n{said}\n\n"
        "Times are this machine's; ratios are ours over the best peer's, of medians of whole processes in one run.\n"
        "CPU seconds are the tool's, the source registry's and the target registry's; loads of many artifacts name\n"
        "those of all together. Where a registry or all cores are busy all the time, a tool has little to gain.\n"
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _cells(load: Load, figure: Figure) -> list[str]:
    best = load.best_peer
    ours = figure is load.ours
    shown_ratio = f"{load.ratio:.2f} of {best.tool}" if ours and best and load.ratio is not None else ""
    return [
        figure.tool,
        "-" if figure.seconds is None else f"{figure.seconds:.3f}",
        shown_ratio,
        str(figure.requests) if figure.requests else "",
        str(figure.cpu) if figure.cpu else "",
        "" if figure.rss_mib is None else f"{figure.rss_mib:.0f}",
    ]


def _verdict(load: Load) -> str:
    return {True: "ok", False: "missed", None: ""}[load.met]


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(each)}" for name, each in value.items() if each is not None)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
