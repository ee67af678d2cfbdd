"""How often a cluster is asked about each object: of few objects it is most of what an install takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from byoa.installs.plan import plan
from tests.installs.beds import CONFIG_MAPS, DEPLOYMENTS, Bed, config_map, deployment

if TYPE_CHECKING:
    from byoa.installs.objects import Object, Place

NAMES = ("one", "two", "three")


class Counted:
    """A cluster, and what it was asked about the objects of these names."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self.asked: list[tuple[str, str]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    def get(self, place: Place) -> Any:
        return self._note("get", place, self._cluster.get(place))

    def apply(self, place: Place, wanted: Object, **settings: Any) -> Any:
        verb = "try" if settings.get("dry_run") else "apply"
        return self._note(verb, place, self._cluster.apply(place, wanted, **settings))

    def _note(self, verb: str, place: Place, answer: Any) -> Any:
        if place.name in NAMES:
            self.asked.append((place.name, verb))
        return answer


def each(*verbs: str) -> list[tuple[str, str]]:
    return [(name, verb) for name in NAMES for verb in verbs]


def test_a_new_object_is_tried_and_that_tells_all_of_it(bed: Bed) -> None:
    counted = Counted(bed.cluster)
    found = plan(bed.task(*map(config_map, NAMES)), counted, None)
    assert found.counts["create"] == 3
    assert counted.asked == each("try")


def test_what_is_there_is_tried_and_looked_at_once_even_where_nothing_is_to_do(bed: Bed) -> None:
    objects = [config_map(name, colour="blue") for name in NAMES]
    bed.deploy(*objects)
    counted = Counted(bed.cluster)
    outcome = bed.deploy(*objects, cluster=counted)
    assert (outcome.status, len(outcome.findings)) == ("noop", 3)
    assert all(each.health.state == "healthy" for each in outcome.findings)
    assert counted.asked == each("try", "get")


def test_a_noop_tells_of_what_is_not_healthy_as_it_was_seen(memory: Bed) -> None:
    wanted = deployment("one")
    memory.deploy(wanted)
    memory.edit(memory.place(DEPLOYMENTS, "one"), {"status": {"readyReplicas": 0}}, "a-controller")
    outcome = memory.deploy(wanted)
    assert outcome.status == "noop"
    assert [found.health.state for found in outcome.findings] == ["progressing"]


def test_an_object_that_is_new_for_the_plan_and_there_when_it_is_looked_at_is_compared(memory: Bed) -> None:
    """Somebody makes it between the two."""

    class Overtaken(Counted):
        def apply(self, place: Place, wanted: Object, **settings: Any) -> Any:
            found = super().apply(place, wanted, **settings)
            return found._replace(created=False)  # as an API server says of what is there

    found = plan(memory.task(config_map("one")), Overtaken(memory.cluster), None)
    assert [step.action for step in found.steps] == ["create"], "it is gone again"
    assert memory.get(CONFIG_MAPS, "one") is None
