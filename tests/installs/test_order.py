"""The order of an app's components: what others depend on comes first."""

from __future__ import annotations

import re

import pytest

from byoa.errors import DependenciesCyclic
from byoa.installs.order import dependents_of, in_order, nearest, reversed_order

SHOP = {"web": ["api"], "api": ["db", "cache"], "db": [], "cache": [], "docs": []}


def test_each_component_comes_behind_those_that_it_depends_on_and_by_name() -> None:
    assert in_order(SHOP) == ["cache", "db", "docs", "api", "web"]


def test_the_reverse_is_the_order_of_a_teardown() -> None:
    assert in_order(reversed_order(SHOP)) == ["docs", "web", "api", "cache", "db"]


def test_dependents_are_found_through_others_and_in_order() -> None:
    assert dependents_of("db", SHOP) == ["api", "web"]
    assert dependents_of("web", SHOP) == []
    assert dependents_of("db", {**SHOP, "a": ["web", "db"]}) == ["api", "web", "a"]


def test_names_of_no_component_are_of_no_matter() -> None:
    assert in_order({"web": ["gone"]}) == ["web"]
    assert dependents_of("gone", {"web": ["gone"]}) == ["web"]


@pytest.mark.parametrize(
    ("dependencies", "named"),
    [
        ({"web": ["web"]}, "web."),
        ({"web": ["api"], "api": ["web"]}, "api, web."),
        ({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}, "a, b, c."),
    ],
)
def test_a_cycle_is_refused_with_its_names(dependencies: dict[str, list[str]], named: str) -> None:
    with pytest.raises(DependenciesCyclic, match=rf": {re.escape(named)}"):
        in_order(dependencies)


def test_a_long_cycle_is_not_named_whole() -> None:
    ring = {f"c{number}": [f"c{(number + 1) % 9}"] for number in range(9)}
    with pytest.raises(DependenciesCyclic, match=r"c\d, c\d, c\d, c\d, c\d, …\."):
        in_order(ring)


def test_a_cycle_elsewhere_is_none_of_what_is_behind_a_component() -> None:
    assert dependents_of("db", {**SHOP, "x": ["y"], "y": ["x"]}) == ["api", "web"]
    with pytest.raises(DependenciesCyclic):
        dependents_of("db", {**SHOP, "db": ["web"]})


def test_the_nearest_members_are_reached_through_components_that_are_none() -> None:
    assert nearest("web", {"db", "web"}, SHOP) == ["db"]
    assert nearest("web", {"api", "db"}, SHOP) == ["api"]
    assert nearest("web", {"docs"}, SHOP) == []
    assert nearest("a", {"a"}, {"a": ["a"]}) == []
