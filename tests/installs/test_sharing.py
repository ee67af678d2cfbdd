"""Two installs whose artifacts name the same object: neither undoes what the other wants unless somebody says so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from byoa.errors import DocumentInvalid, ObjectOwned
from byoa.installs.objects import COMPONENT, INSTALL, Kind
from tests.installs.beds import (
    CONFIG_MAPS,
    DEFINITIONS,
    NAMESPACES,
    Bed,
    actions,
    config_map,
    definition,
    deployment,
    namespace,
    widget,
)

if TYPE_CHECKING:
    from byoa.installs.objects import Object


@pytest.fixture
def other(bed: Bed) -> Bed:
    """Another install in the same cluster, into the same namespace."""
    return replace(bed, install=f"{bed.corner}-other")


def labels(bed: Bed, kind: Kind, name: str) -> Any:
    found = bed.get(kind, name)
    return found and found["metadata"]["labels"]


def test_an_object_of_another_install_is_refused_by_its_owner_s_name_and_nothing_is_written(
    bed: Bed, other: Bed
) -> None:
    bed.deploy(config_map("a", colour="blue"))
    (fault,) = other.plan(config_map("a", colour="red"), config_map("b")).faults
    assert isinstance(fault, ObjectOwned)
    assert (fault.where, fault.cause) == (
        f"ConfigMap/{bed.corner}/a", f"It belongs to install {bed.corner}, component web.",
    )  # fmt: skip
    with pytest.raises(ObjectOwned):
        other.deploy(config_map("a", colour="red"), config_map("b"))
    assert (bed.get(CONFIG_MAPS, "b"), other.shelf.read()) == (None, None)
    assert bed.deploy(config_map("a", colour="blue")).status == "noop"


def test_so_is_one_of_another_component_and_one_that_is_just_the_same(bed: Bed) -> None:
    bed.deploy(config_map("a"))
    second = replace(bed, component="second")
    (fault,) = second.plan(config_map("a")).faults
    assert fault.cause == "It belongs to component web."


def test_what_is_taken_over_by_name_is_ours_and_the_other_install_deletes_it_no_more(bed: Bed, other: Bed) -> None:
    bed.deploy(config_map("a", colour="blue", of="one"), config_map("x"), config_map("y"))
    name = f"ConfigMap/{bed.corner}/a"
    with pytest.raises(ObjectOwned):
        other.deploy(config_map("a", colour="red"), take_over=frozenset({f"Secret/{bed.corner}/a"}))
    outcome = other.deploy(config_map("a", colour="red"), take_over=frozenset({name}))
    assert actions(outcome.plan) == {"ConfigMap/a": "change"}
    found = bed.get(CONFIG_MAPS, "a")
    assert found
    assert (found["data"], found["metadata"]["labels"][INSTALL]) == ({"colour": "red"}, other.owner.install)
    assert other.deploy(config_map("a", colour="red")).status == "noop"
    assert [type(fault) for fault in bed.plan(config_map("a"), config_map("x"), config_map("y")).faults] == [
        ObjectOwned
    ]
    kept = bed.deploy(config_map("x"), config_map("y"))
    assert [step.why for step in kept.plan.steps if step.action == "keep"] == [
        f"it no longer has this install's labels ({INSTALL}, {COMPONENT})"
    ]
    assert bed.get(CONFIG_MAPS, "a")


def test_a_namespace_and_a_definition_that_are_the_same_are_shared(bed: Bed, other: Bed) -> None:
    more, kinds = f"{bed.corner}-more", f"widgets.{bed.corner}.example.com"
    common = [namespace(more), definition(bed.corner)]
    bed.deploy(*common, widget(bed.corner, "one"))
    mine = {**config_map("a"), "metadata": {"name": "a", "namespace": more}}
    objects = [*common, mine, widget(bed.corner, "two")]
    outcome = other.deploy(*objects)
    theirs = f"it belongs to install {bed.corner}, component web, and is as this artifact has it"
    found = {str(step.identity): step.why for step in outcome.plan.steps if step.shared}
    assert found == {f"Namespace/{more}": theirs, f"CustomResourceDefinition/{kinds}": theirs}
    assert outcome.plan.counts == {"create": 2, "change": 0, "recreate": 0, "delete": 0, "unchanged": 2}
    assert labels(bed, NAMESPACES, more)[INSTALL] == bed.corner
    assert other.deploy(*objects).status == "noop"
    other.seconds = 0.5
    other.deploy(teardown=True, approve=(f"Namespace/{more}", f"CustomResourceDefinition/{kinds}"))
    assert bed.get(NAMESPACES, more)
    assert bed.get(DEFINITIONS, kinds)
    assert bed.plan(*common, widget(bed.corner, "one")).is_noop


def test_less_than_what_is_there_is_the_same_too(bed: Bed, other: Bed) -> None:
    more = f"{bed.corner}-more"
    whole = {**namespace(more), "metadata": {"name": more, "labels": {"team": "shop"}}}
    bed.deploy(whole)
    assert other.deploy(namespace(more), config_map("a")).status == "active"
    assert labels(bed, NAMESPACES, more)["team"] == "shop"


@pytest.mark.parametrize("wanted", [{"team": "other"}, {"tier": "one"}], ids=["another value", "one more"])
def test_what_differs_is_not_shared_but_may_be_taken_over(bed: Bed, other: Bed, wanted: dict[str, str]) -> None:
    more = f"{bed.corner}-more"
    bed.deploy({**namespace(more), "metadata": {"name": more, "labels": {"team": "shop"}}})
    different: Object = {**namespace(more), "metadata": {"name": more, "labels": wanted}}
    (fault,) = other.plan(different).faults
    assert fault.cause.endswith(", and isn't as this artifact has it.")
    other.deploy(different, take_over=frozenset({f"Namespace/{more}"}))
    found = labels(bed, NAMESPACES, more)
    assert {**wanted, INSTALL: other.owner.install}.items() <= found.items()


def test_nobody_s_object_is_still_taken_as_it_was(bed: Bed) -> None:
    bed.cluster.create(bed.place(CONFIG_MAPS, "a"), config_map("a", colour="blue"))
    assert actions(bed.deploy(config_map("a", colour="blue")).plan) == {"ConfigMap/a": "change"}
    assert labels(bed, CONFIG_MAPS, "a")[INSTALL] == bed.corner


def test_objects_in_a_namespace_that_only_changes_are_checked(bed: Bed, other: Bed) -> None:
    """Else one of another install in it would be written unseen."""
    bed.deploy(config_map("a"))
    found = other.plan(namespace(bed.corner), config_map("a"), deployment("web"))
    assert [type(fault) for fault in found.faults] == [ObjectOwned]
    assert actions(found)["Deployment/web"] == "create"
    assert not any(step.unchecked for step in found.steps)


def test_an_owner_whose_name_is_none_is_not_repeated(memory: Bed) -> None:
    memory.deploy(config_map("a"))
    memory.edit(memory.place(CONFIG_MAPS, "a"), {"metadata": {"labels": {INSTALL: "\x1b[31m"}}}, "somebody")
    (fault,) = memory.plan(config_map("a")).faults
    assert fault.cause == "It belongs to install of another name, component web."


@pytest.mark.parametrize("value", ["text", ["a"], 5])
def test_labels_that_are_no_mapping_are_a_fault_of_the_document(bed: Bed, value: Any) -> None:
    """As they are where a placeholder in a key of the metadata becomes ``labels``."""
    (fault,) = bed.plan({**config_map("a"), "metadata": {"name": "a", "labels": value}}).faults
    assert isinstance(fault, DocumentInvalid)
    assert fault.where == "ConfigMap/a"
