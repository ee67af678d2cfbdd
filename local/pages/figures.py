"""The page with the last run's figures: beside tools that check every byte, beside oras, and against the goals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from local.pages.markdown import page, table

if TYPE_CHECKING:
    from pathlib import Path

CHECKING: Final = ("crane", "regctl", "skopeo")
TRUSTING: Final = ("oras",)
_UNITS: Final = {"ratio": " of the best peer", "seconds": " s", "MiB": " MiB above the imports", "requests": ""}

INTRODUCTION: Final = """\
Made of `bench/results/latest.json`, which `make bench` writes. [Performance](performance.md) says what the loads are,
and why what missed did. Seconds are medians of this one machine's run; a ratio below 1 means that BYOA took less time.
"""

CHECKED: Final = """\
The best of crane, regctl and skopeo, which compare each blob with its digest on the way, as BYOA does.
"""

TRUSTED: Final = """\
oras passes corrupt bytes on as long as the registry accepts them; it does less work and stands apart for that.
"""


def figure_page(results: Path) -> str:
    """The page, made from a run's JSON."""
    run = json.loads(results.read_text())
    machine = {name: text for name, text in run["machine"].items() if name != "tools"}
    tools = ", ".join(f"{name} {version}" for name, version in run["machine"]["tools"].items())
    return page(
        "Figures of the last run",
        INTRODUCTION,
        table(["of the run", ""], [*((name, str(text)) for name, text in machine.items()), ("tools", tools)]),
        "## Beside tools that check every byte\n",
        CHECKED,
        _beside(run["loads"], CHECKING),
        "## Beside oras\n",
        TRUSTED,
        _beside(run["loads"], TRUSTING),
        "## Goals\n",
        table(["load", "reached", "goal", ""], [row for load in run["loads"] for row in _goal(load)]),
    )


def _beside(loads: list[dict[str, Any]], peers: tuple[str, ...]) -> str:
    """Ours and the best of the peers, in each load that is measured by time and that one of them ran."""
    rows = []
    for load in loads:
        seconds = {each["tool"]: each["seconds"] for each in load["tools"] if each["seconds"]}
        best = min((peer for peer in peers if peer in seconds), key=seconds.__getitem__, default=None)
        if best and load["unit"] != "requests":
            ours, theirs = seconds["byoa"], seconds[best]
            rows.append((load["load"], f"{ours:.3f} s", f"{best}: {theirs:.3f} s", f"{ours / theirs:.2f}"))
    return table(["load", "BYOA", "best of them", "ratio"], rows)


def _goal(load: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    if load["goal"] is None:
        return []
    ours = load["tools"][0]
    asked = ours["requests"] or {"source": 0, "target": 0}
    reached = {
        "ratio": f"{load['ratio'] or 0:.2f} of {load['best_peer']}",
        "requests": f"{asked['source']:.0f}+{asked['target']:.0f}",
        "MiB": f"{ours['rss_mib']} MiB",
        "seconds": f"{ours['seconds']:.3f} s",
    }[load["unit"]]
    return [(load["load"], reached, f"≤ {load['goal']}{_UNITS[load['unit']]}", "met" if load["met"] else "**missed**")]
