"""In which order the components of an app are deployed: what others depend on comes first, and is torn down last.

``dependencies`` are components of one app, each with the names of those that it depends on. Names of none are of no
matter.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Final

from byoa.errors import DependenciesCyclic

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    type Dependencies = Mapping[str, Collection[str]]

_NAMED: Final = 5
"""Components of a cycle that are named."""


def in_order(dependencies: Dependencies) -> list[str]:
    """All components, each behind those that it depends on; by name where several may be next.

    Raises ``DependenciesCyclic``.
    """
    sorter = TopologicalSorter({each: _known(names, dependencies) for each, names in dependencies.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        raise DependenciesCyclic(f"These components depend on each other: {_told(error.args[1])}.") from None
    found: list[str] = []
    while ready := sorted(sorter.get_ready()):
        found += ready
        sorter.done(*ready)
    return found


def dependents_of(component: str, dependencies: Dependencies) -> list[str]:
    """Those that depend on a component, directly or through others, in order. Raises ``DependenciesCyclic``."""
    found, edge = {component}, {component}
    while edge:
        edge = {each for each, names in dependencies.items() if not edge.isdisjoint(names)} - found
        found |= edge
    return [each for each in in_order({each: dependencies.get(each, ()) for each in found}) if each != component]


def nearest(component: str, members: Collection[str], dependencies: Dependencies) -> list[str]:
    """The ``members`` that a component depends on, directly or through components that are none of these, by name."""
    found: set[str] = set()
    seen, edge = {component}, {component}
    while edge:
        reached = {name for each in edge for name in _known(dependencies.get(each, ()), dependencies)} - seen
        seen |= reached
        found |= {each for each in reached if each in members}
        edge = reached - found
    return sorted(found)


def reversed_order(dependencies: Dependencies) -> dict[str, list[str]]:
    """The same components, each with the names of those that depend on it: the order of a teardown."""
    found: dict[str, list[str]] = {each: [] for each in dependencies}
    for each, names in dependencies.items():
        for name in _known(names, dependencies):
            found[name].append(each)
    return found


def _known(names: Iterable[str], dependencies: Dependencies) -> list[str]:
    return [name for name in names if name in dependencies]


def _told(cycle: list[str]) -> str:
    told = sorted({*cycle})
    return ", ".join(told[:_NAMED]) + (", …" if len(told) > _NAMED else "")
