"""What somebody does to an object between its plan and our write is met, on every cluster, and undone by nobody."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from byoa.errors import ByoaError, ObjectBusy, ObjectOwned, PlanChanged
from byoa.installs import parcels
from byoa.installs.apply import apply
from byoa.installs.inventory import EMPTY
from byoa.installs.objects import COMPONENT, INSTALL, Place, tied, uid_of, version_of
from byoa.installs.plan import plan
from byoa.installs.plans import imprint_of
from byoa.installs.pocket import Pocket
from byoa.installs.prune import prune
from tests.installs.beds import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    NAMESPACES,
    SECRETS,
    Bed,
    config_map,
    definition,
    deployment,
    namespace,
    secret,
    service,
    widget,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.installs.cluster import Applied, Cluster
    from byoa.installs.objects import Object
    from byoa.installs.plans import Plan


@dataclass
class Interrupted:
    """A cluster to which something happens just before a write to ``name``, so many times."""

    cluster: Cluster
    name: str = ""
    happens: Callable[[], object] = lambda: None
    times: int = 1
    requests: list[str] = field(default_factory=list)

    def apply(self, place: Place, wanted: Object, **settings: Any) -> Applied:
        dry = settings.get("dry_run")
        if not dry:
            self._meet(place)
        self.requests.append(f"{'try' if dry else 'apply'} {place.name}")
        return self.cluster.apply(place, wanted, **settings)

    def delete(self, place: Place, uid: str, **settings: Any) -> bool:
        self._meet(place)
        return self.cluster.delete(place, uid, **settings)

    def _meet(self, place: Place) -> None:
        if place.name == self.name and self.times > 0:
            self.times -= 1
            self.happens()

    def get(self, place: Place) -> Object | None:
        self.requests.append(f"get {place.name}")
        return self.cluster.get(place)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cluster, name)


@pytest.fixture
def other(bed: Bed) -> Bed:
    """Another install in the same cluster, into the same namespace."""
    return replace(bed, install=f"{bed.corner}-other")


def data(bed: Bed, name: str) -> Any:
    found = bed.get(CONFIG_MAPS, name)
    return found and found["data"]


def again(bed: Bed, found: Plan) -> Plan:
    """The plan for whoever goes on with it: with what is tracked now."""
    return found._replace(inventory=bed.shelf.read() or EMPTY)


def refuses(bed: Bed, place: Place, wanted: Object, **settings: Any) -> bool:
    with pytest.raises(ObjectBusy) as met:
        bed.cluster.apply(place, wanted, **settings)
    return met.value.stale


def test_a_server_ties_an_apply_to_a_state_and_one_that_is_tied_to_none_makes_new_objects_alone(bed: Bed) -> None:
    place, wanted = bed.place(CONFIG_MAPS, "a"), config_map("a", colour="blue")
    first = bed.cluster.apply(place, tied(wanted, None)).object
    assert version_of(first) != "1"
    assert refuses(bed, place, tied(wanted, None))
    second = bed.cluster.apply(place, tied(config_map("a", colour="red"), first)).object
    for live in (first, None):
        assert refuses(bed, place, tied(wanted, live), force=True)
    assert data(bed, "a") == {"colour": "red"}
    managed = [each["fieldsV1"] for each in second["metadata"].get("managedFields", [])]
    assert managed in ([], [{"f:data": {"f:colour": {}}}]), "nobody owns what it is tied to"
    assert bed.cluster.delete(place, uid_of(second))
    assert refuses(bed, place, tied(wanted, second))
    third = bed.cluster.apply(place, tied(wanted, None)).object
    assert refuses(bed, place, tied(wanted, second))
    with pytest.raises(ObjectBusy) as met:
        bed.cluster.delete(place, uid_of(third), version=version_of(second))
    assert met.value.stale
    assert bed.cluster.delete(place, uid_of(third), version=version_of(third))


def test_custom_objects_are_tied_as_well(bed: Bed) -> None:
    bed.deploy(definition(bed.corner), widget(bed.corner, "one", size="large"), service("web"), secret("s", a="b"))
    place = bed.place(next(kind for kind in bed.cluster.kinds() if kind.group == f"{bed.corner}.example.com"), "one")
    live = bed.cluster.get(place)
    assert refuses(bed, place, tied(widget(bed.corner, "one"), None))
    assert (
        bed.cluster.apply(place, tied(widget(bed.corner, "one", size="small"), live)).object["spec"]["size"] == "small"
    )
    assert refuses(bed, place, tied(widget(bed.corner, "one"), live))


# ---- changed between plan and write --------------------------------------------------------------------------------


def test_a_field_that_somebody_changes_after_the_plan_ends_the_deploy_and_stays(bed: Bed) -> None:
    bed.deploy(config_map("a", colour="blue"))
    place = bed.place(CONFIG_MAPS, "a")
    cluster = Interrupted(bed.cluster, "a", lambda: bed.edit(place, {"data": {"colour": "red"}}, "kubectl-edit"))
    with pytest.raises(PlanChanged) as met:
        bed.deploy(config_map("a", colour="green"), cluster=cluster)
    assert met.value.where == f"ConfigMap/{bed.corner}/a"
    assert data(bed, "a") == {"colour": "red"}


def test_what_differs_of_a_secret_is_met_too_and_not_said(bed: Bed) -> None:
    bed.deploy(secret("keys", token="c4n4ry-old"))
    changed = {"data": {"token": "YzRuNHJ5LWJldHdlZW4="}}
    cluster = Interrupted(bed.cluster, "keys", lambda: bed.edit(bed.place(SECRETS, "keys"), changed, "kubectl-edit"))
    with pytest.raises(PlanChanged) as met:
        bed.deploy(secret("keys", token="c4n4ry-new"), cluster=cluster)
    assert "c4n4ry" not in str(met.value.as_dict())


def test_a_field_that_the_plan_says_nothing_of_makes_no_difference(bed: Bed) -> None:
    bed.deploy(config_map("a", colour="blue"))
    place = bed.place(CONFIG_MAPS, "a")
    cluster = Interrupted(bed.cluster, "a", lambda: bed.edit(place, {"data": {"more": "theirs"}}, "somebody"))
    assert bed.deploy(config_map("a", colour="green"), cluster=cluster).status == "active"
    assert data(bed, "a") == {"colour": "green", "more": "theirs"}


def test_a_controller_that_notes_a_status_all_the_time_ends_no_deploy(bed: Bed) -> None:
    place = bed.place(DEPLOYMENTS, "web")
    bed.cluster.apply(place, bed.plan(deployment("web")).steps[0].wanted or {})
    counts = iter(range(1000, 1100))

    def noted() -> None:
        bed.edit(place, {"status": {"observedGeneration": next(counts)}}, "kube-controller-manager", "/status")

    found = bed.plan(deployment("web", image="registry.example.com/web:2"))
    assert apply(found, bed.work(Interrupted(bed.cluster, "web", noted, times=3))).done == 1
    live = bed.get(DEPLOYMENTS, "web")
    assert live
    assert live["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":2")
    found = bed.plan(deployment("web", image="registry.example.com/web:3"))
    with pytest.raises(ObjectBusy, match="all the time"):
        apply(found, bed.work(Interrupted(bed.cluster, "web", noted, times=99)))


@pytest.mark.parametrize("then", ["gone", "made anew"])
def test_an_object_that_somebody_deletes_after_the_plan_is_not_the_one_that_was_approved(then: str, bed: Bed) -> None:
    place = bed.place(CONFIG_MAPS, "a")

    def delete() -> None:
        bed.cluster.delete(place, uid_of(bed.cluster.get(place) or {}))
        if then == "made anew":
            about = {"name": "a", "labels": {INSTALL: bed.corner, COMPONENT: "web"}}
            bed.cluster.create(place, {**config_map("a", colour="blue"), "metadata": about})

    bed.deploy(config_map("a", colour="blue"))
    with pytest.raises(PlanChanged):
        bed.deploy(config_map("a", colour="green"), cluster=Interrupted(bed.cluster, "a", delete))
    assert data(bed, "a") == ({"colour": "blue"} if then == "made anew" else None)


def test_whoever_wrote_it_and_was_killed_goes_on(bed: Bed) -> None:
    bed.deploy(config_map("a", colour="blue"))
    found = bed.plan(config_map("a", colour="green"), config_map("b", colour="green"))
    for _ in range(2):
        assert apply(again(bed, found), bed.work()).done == 2
        assert data(bed, "a") == data(bed, "b") == {"colour": "green"}


def test_without_a_conflict_there_is_one_request_for_each_object(bed: Bed) -> None:
    bed.deploy(config_map("a", colour="blue"))
    found = bed.plan(config_map("a", colour="green"), config_map("b"))
    cluster = Interrupted(bed.cluster)
    apply(found, bed.work(cluster))
    assert sorted(each for each in cluster.requests if each.endswith((" a", " b"))) == ["apply a", "apply b"]


def test_a_plan_that_was_put_away_still_says_which_state_it_is_for(bed: Bed) -> None:
    bed.deploy(config_map("a", colour="blue"), config_map("b"))
    made, pocket = bed.plan(config_map("a", colour="green"), config_map("c"), config_map("b")), Pocket()
    found = parcels.fetch_plan(parcels.put_plan(made, pocket), pocket)
    assert imprint_of(found.steps[0]) == imprint_of(made.steps[0])
    bed.edit(bed.place(CONFIG_MAPS, "a"), {"metadata": {"annotations": {"seen": "yes"}}}, "somebody")
    assert apply(again(bed, found), bed.work()).done == 2
    bed.edit(bed.place(CONFIG_MAPS, "a"), {"data": {"colour": "red"}}, "kubectl-edit")
    with pytest.raises(PlanChanged):
        apply(again(bed, found), bed.work())


# ---- two first deploys of one object -------------------------------------------------------------------------------


def test_of_two_installs_that_make_the_same_object_the_second_is_refused_by_the_first_one_s_name(
    bed: Bed, other: Bed
) -> None:
    cluster = Interrupted(bed.cluster, "a", lambda: bed.deploy(config_map("a", colour="blue")))
    with pytest.raises(ObjectOwned) as met:
        other.deploy(config_map("a", colour="red"), cluster=cluster)
    assert (met.value.where, met.value.cause) == (
        f"ConfigMap/{bed.corner}/a", f"It belongs to install {bed.corner}, component web.",
    )  # fmt: skip
    assert bed.deploy(config_map("a", colour="blue")).status == "noop"
    other.deploy(teardown=True)
    assert data(bed, "a") == {"colour": "blue"}


def test_two_that_make_the_same_namespace_share_it_and_the_second_does_not_track_it(bed: Bed, other: Bed) -> None:
    more = f"{bed.corner}-more"
    cluster = Interrupted(bed.cluster, more, lambda: bed.deploy(namespace(more), config_map("x")))
    assert other.deploy(namespace(more), config_map("y"), cluster=cluster).status == "active"
    live, kept = bed.get(NAMESPACES, more), other.shelf.read()
    assert live
    assert kept
    assert live["metadata"]["labels"][INSTALL] == bed.corner
    assert [each.name for each in kept.uids] == ["y"]
    assert other.deploy(namespace(more), config_map("y")).status == "noop"


def test_what_somebody_makes_after_the_plan_is_not_taken_unseen(bed: Bed) -> None:
    place = bed.place(CONFIG_MAPS, "a")
    cluster = Interrupted(bed.cluster, "a", lambda: bed.cluster.create(place, config_map("a", of="somebody")))
    with pytest.raises(PlanChanged):
        bed.deploy(config_map("a", of="us"), cluster=cluster)
    assert data(bed, "a") == {"of": "somebody"}


def test_of_installs_that_race_for_an_object_one_has_it_and_all_others_are_told_whose_it_is(bed: Bed) -> None:
    racers = [replace(bed, install=f"{bed.corner}-{number}") for number in range(4)]
    for name in ("one", "two", "three"):
        plans = [(racer, racer.plan(config_map(name, of=racer.install))) for racer in racers]
        start, ends = threading.Barrier(len(racers)), list[str | ByoaError]()

        def run(racer: Bed, found: Any, start: Any = start, ends: Any = ends) -> None:
            start.wait()
            try:
                apply(found, racer.work())
            except ByoaError as error:
                ends.append(error)
            else:
                ends.append(racer.install)

        threads = [threading.Thread(target=run, args=pair) for pair in plans]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (winner,) = (each for each in ends if isinstance(each, str))
        assert data(bed, name) == {"of": winner}
        told = [each.cause for each in ends if isinstance(each, ObjectOwned)]
        assert told == [f"It belongs to install {winner}, component web."] * 3


# ---- deletions -----------------------------------------------------------------------------------------------------


def test_what_is_given_away_while_it_is_deleted_stays(bed: Bed) -> None:
    bed.deploy(config_map("a"), config_map("b"), config_map("c"))
    found = bed.plan(config_map("a"), config_map("b"))
    given = {"metadata": {"labels": {INSTALL: "another"}}}
    cluster = Interrupted(bed.cluster, "c", lambda: bed.edit(bed.place(CONFIG_MAPS, "c"), given, "kubectl-label"))
    done = prune(found, bed.work(cluster), bed.owner, lambda: None)
    assert [why for _, why in done.left] == [f"it no longer has this install's labels ({INSTALL}, {COMPONENT})"]
    assert bed.get(CONFIG_MAPS, "c")


def test_what_only_changes_while_it_is_deleted_goes(bed: Bed) -> None:
    bed.deploy(config_map("a"), config_map("b"), config_map("c"))
    found = bed.plan(config_map("a"), config_map("b"))
    counts = iter(range(99))

    def touched() -> None:
        bed.edit(bed.place(CONFIG_MAPS, "c"), {"data": {"n": str(next(counts))}}, "somebody")

    done = prune(found, bed.work(Interrupted(bed.cluster, "c", touched, times=3)), bed.owner, lambda: None)
    assert (len(done.gone), bed.get(CONFIG_MAPS, "c")) == (1, None)


# ---- while it is planned -------------------------------------------------------------------------------------------


def test_what_comes_of_an_object_and_what_is_there_are_of_one_state(bed: Bed) -> None:
    bed.deploy(config_map("a", colour="blue"))
    counts = iter(range(99))

    def touched() -> None:
        bed.edit(bed.place(CONFIG_MAPS, "a"), {"data": {"n": str(next(counts))}}, "somebody")

    met = Met(bed.cluster, touched, times=2)
    (step,) = plan(bed.task(config_map("a", colour="green")), met, bed.shelf.read()).steps
    assert [each.path for each in step.changes] == ["/data/colour"]
    assert (met.tries, data(bed, "a")["n"]) == (3, "1")


@dataclass
class Met:
    """A cluster in which something happens after an object was tried, and before it is looked at."""

    cluster: Cluster
    happens: Callable[[], object]
    times: int
    tries: int = 0

    def apply(self, place: Place, wanted: Object, **settings: Any) -> Applied:
        found = self.cluster.apply(place, wanted, **settings)
        self.tries += 1
        if self.tries <= self.times:
            self.happens()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cluster, name)
