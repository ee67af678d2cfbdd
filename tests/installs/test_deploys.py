"""Deploys from nothing to teardown, over a cluster in memory and a real API server."""

from __future__ import annotations

import base64
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.memory.cluster import MemoryCluster
from byoa.errors import (
    ApprovalMissing,
    ClusterThrottled,
    DeploySuperseded,
    DocumentInvalid,
    KindUnknown,
    NamespaceMissing,
    ObjectInvalid,
    PlanChanged,
)
from byoa.installs.deploy import Approval, deploy
from byoa.installs.inventory import EMPTY
from byoa.installs.kinds import know_kinds
from byoa.installs.normalising import normalise
from byoa.installs.objects import COMPONENT, INSTALL, Kind, Place, uid_of
from byoa.installs.plans import fingerprint
from byoa.installs.recover import recover
from byoa.installs.stages import stage_of
from tests.installs.beds import (
    CONFIG_MAPS,
    DEFINITIONS,
    DEPLOYMENTS,
    JOBS,
    NAMESPACES,
    SECRETS,
    Bed,
    actions,
    config_map,
    definition,
    deployment,
    job,
    namespace,
    role,
    secret,
    service,
    widget,
)

if TYPE_CHECKING:
    from byoa.installs.objects import Identity, Object

FINALIZER = {"metadata": {"finalizers": ["example.com/hold"]}}


def everything(bed: Bed) -> list[Object]:
    """Objects of all stages, in an order in which none could be applied one by one."""
    hook = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": f"{bed.corner}-hook"},
        "webhooks": [],
    }
    return [
        hook,
        widget(bed.corner, "one", size="large"),
        job("once", suspend=True),
        service("web"),
        secret("keys", token="c4n4ry"),
        config_map("conf", colour="blue"),
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web"}},
        role("web"),
        definition(bed.corner),
        namespace(f"{bed.corner}-more"),
        {**config_map("other"), "metadata": {"name": "other", "namespace": f"{bed.corner}-more"}},
    ]


def test_a_set_comes_from_nothing_in_one_run_and_a_second_one_writes_nothing(bed: Bed) -> None:
    objects = [*everything(bed), *(config_map(f"more-{number}") for number in range(14))]
    assert len(objects) == 25
    first = bed.deploy(*objects)
    assert (first.status, first.plan.counts["create"]) == ("active", len(objects))
    before = bed.versions()
    assert all(before.values())
    again = bed.deploy(*objects)
    assert (again.status, again.plan.counts["unchanged"]) == ("noop", len(objects))
    assert bed.versions() == before


def test_what_comes_with_the_set_is_planned_and_not_checked_and_a_plan_writes_nothing(bed: Bed) -> None:
    found = bed.plan(*everything(bed))
    unchecked = {step.identity.kind for step in found.steps if step.unchecked}
    assert unchecked == {"Widget", "ConfigMap"}
    assert not found.faults
    assert bed.shelf.read() is None
    assert bed.get(DEFINITIONS, f"widgets.{bed.corner}.example.com") is None


def test_objects_carry_their_install_s_labels_and_their_namespace(bed: Bed) -> None:
    bed.deploy(config_map("conf"))
    found = bed.get(CONFIG_MAPS, "conf")
    assert found
    assert {INSTALL: bed.corner, COMPONENT: "web"}.items() <= found["metadata"]["labels"].items()


def test_an_object_that_the_artifact_dropped_is_pruned(bed: Bed) -> None:
    bed.deploy(config_map("a"), config_map("b"), config_map("c"))
    outcome = bed.deploy(config_map("a"), config_map("b"))
    assert (outcome.status, outcome.plan.counts["delete"]) == ("active", 1)
    assert bed.get(CONFIG_MAPS, "c") is None
    assert bed.deploy(config_map("a"), config_map("b")).status == "noop"


def test_what_lost_its_labels_is_kept_and_said(bed: Bed) -> None:
    bed.deploy(config_map("a"), config_map("b"), config_map("c"))
    bed.edit(bed.place(CONFIG_MAPS, "c"), {"metadata": {"labels": {INSTALL: "another"}}}, "kubectl-edit")
    outcome = bed.deploy(config_map("a"), config_map("b"))
    assert bed.get(CONFIG_MAPS, "c")
    assert [step.why for step in outcome.plan.steps if step.action == "keep"] == [
        f"it no longer has this install's labels ({INSTALL}, {COMPONENT})"
    ]


def test_what_somebody_else_made_anew_is_kept_and_said(bed: Bed) -> None:
    bed.deploy(config_map("a"), config_map("b"), config_map("c"))
    place = bed.place(CONFIG_MAPS, "c")
    gone = bed.cluster.get(place)
    assert gone
    bed.cluster.delete(place, uid_of(gone))
    labels = {INSTALL: bed.corner, COMPONENT: "web"}
    bed.cluster.create(place, {**config_map("c"), "metadata": {"name": "c", "labels": labels}})
    outcome = bed.deploy(config_map("a"), config_map("b"))
    assert bed.cluster.get(place)
    assert [step.why for step in outcome.plan.steps if step.action == "keep"] == [
        "another object of its name has taken its place"
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [("kustomize.toolkit.fluxcd.io/prune", "disabled"), ("helm.sh/resource-policy", "keep"),
     ("argocd.argoproj.io/sync-options", "Validate=false,Prune=false")],
)  # fmt: skip
def test_what_other_tools_would_keep_is_kept(memory: Bed, name: str, value: str) -> None:
    kept = {**config_map("c"), "metadata": {"name": "c", "annotations": {name: value}}}
    memory.deploy(config_map("a"), config_map("b"), kept)
    memory.deploy(config_map("a"), config_map("b"))
    assert memory.get(CONFIG_MAPS, "c")


def test_a_namespace_and_a_definition_go_by_name_only_with_what_goes_along(bed: Bed) -> None:
    more = f"{bed.corner}-more"
    kinds = f"widgets.{bed.corner}.example.com"
    rest = [config_map("a"), config_map("b"), config_map("c")]
    bed.deploy(*rest, namespace(more), definition(bed.corner), widget(bed.corner, "one"))
    bed.edit(bed.place(Kind(f"{bed.corner}.example.com", "v1", "Widget", "widgets", namespaced=True), "one"),
             {"metadata": {"labels": {INSTALL: "another"}}}, "kubectl-edit")  # fmt: skip
    kept = bed.deploy(*rest)
    whys = {step.identity.kind: step.why for step in kept.plan.steps if step.action == "keep"}
    assert "1 objects of its kind go along" in whys["CustomResourceDefinition"]
    assert "go along" in whys["Namespace"]
    assert bed.get(NAMESPACES, more)
    bed.seconds = 0.5
    bed.deploy(*rest, approve=(f"CustomResourceDefinition/{kinds}", f"Namespace/{more}"))
    found = bed.get(NAMESPACES, more)
    assert found is None or found["metadata"]["deletionTimestamp"]


def test_a_claim_stays_unless_it_is_named_because_its_data_may_go_along(bed: Bed) -> None:
    kind = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", namespaced=True)
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": spec}
    rest = [config_map("a"), config_map("b")]
    place = bed.place(kind, "data")
    bed.cluster.apply(place, bed.plan(claim).steps[0].wanted or {})
    bed.edit(place, {"status": {"phase": "Bound"}}, "pv-controller", "/status")
    bed.deploy(*rest, claim)
    kept = bed.deploy(*rest)
    name = f"PersistentVolumeClaim/{bed.corner}/data"
    assert [step.why for step in kept.plan.steps if step.action == "keep"] == [
        f"it goes only if {name} is approved by name; its data may go along"
    ]
    assert "deletionTimestamp" not in (bed.cluster.get(place) or {})["metadata"]
    bed.seconds = 0.5
    bed.deploy(*rest, approve=(name,))
    left = bed.cluster.get(place)
    assert left is None or left["metadata"]["deletionTimestamp"], "an API server's own finalizer may hold it"


def test_an_empty_artifact_deletes_nothing_without_approval(bed: Bed) -> None:
    bed.deploy(config_map("a"), config_map("b"))
    with pytest.raises(ApprovalMissing, match="deletions:2"):
        bed.deploy()
    assert bed.get(CONFIG_MAPS, "a")
    bed.deploy(approve=("deletions:2",))
    assert bed.get(CONFIG_MAPS, "a") is None


def test_half_of_what_is_tracked_goes_with_approval_only(bed: Bed) -> None:
    objects = [config_map(name) for name in "abcd"]
    bed.deploy(*objects)
    with pytest.raises(ApprovalMissing, match="deletions:2"):
        bed.deploy(*objects[:2])
    with pytest.raises(ApprovalMissing):
        bed.deploy(*objects[:1], approve=("deletions:2",))
    assert bed.deploy(*objects[:3]).plan.counts["delete"] == 1


def test_what_a_finalizer_holds_stays_tracked_and_named_and_the_rest_goes(bed: Bed) -> None:
    held = {**config_map("c"), "metadata": {"name": "c", **FINALIZER["metadata"]}}
    objects = [config_map(name) for name in "abefg"]
    bed.deploy(*objects, held, config_map("d"))
    bed.seconds = 0.5
    outcome = bed.deploy(*objects)
    assert [(str(identity), why) for identity, why in outcome.left] == [
        (f"ConfigMap/{bed.corner}/c", "it was deleted, and 1 finalizers hold it")
    ]
    assert bed.get(CONFIG_MAPS, "d") is None
    assert f"ConfigMap/{bed.corner}/c" in {str(each) for each in tracked(bed)}
    bed.edit(bed.place(CONFIG_MAPS, "c"), {"metadata": {"finalizers": None}}, "somebody")
    bed.deploy(*objects)
    assert f"ConfigMap/{bed.corner}/c" not in {str(each) for each in tracked(bed)}


def test_what_the_cluster_refuses_to_delete_stays_tracked_and_named_and_the_rest_goes(memory: Bed) -> None:
    objects = [config_map(name) for name in "abefg"]
    memory.deploy(*objects, config_map("c"), config_map("d"))
    assert isinstance(memory.cluster, MemoryCluster)

    def refuse(verb: str, place: Place, _: Object | None) -> None:
        if verb == "delete" and place.name == "c":
            raise ObjectInvalid("An admission rule of the cluster refuses it.")

    memory.cluster.refuse = refuse
    outcome = memory.deploy(*objects)
    assert [(str(identity), why) for identity, why in outcome.left] == [
        (f"ConfigMap/{memory.corner}/c", "An admission rule of the cluster refuses it.")
    ]
    assert memory.get(CONFIG_MAPS, "d") is None
    assert f"ConfigMap/{memory.corner}/c" in {str(each) for each in tracked(memory)}
    memory.cluster.refuse = lambda *_: None
    memory.deploy(*objects)
    assert memory.get(CONFIG_MAPS, "c") is None


def test_5_000_objects_are_applied_found_unchanged_and_pruned(memory: Bed) -> None:
    objects = [config_map(f"c{number:04}", n=str(number)) for number in range(5000)]
    assert memory.deploy(*objects).plan.counts["create"] == 5000
    assert memory.deploy(*objects).status == "noop"
    assert memory.deploy(*objects[:4000]).plan.counts["delete"] == 1000
    assert len(tracked(memory)) == 4000


def tracked(bed: Bed) -> list[object]:
    found = bed.shelf.read()
    return list(found.uids) if found else []


def test_what_somebody_edited_by_hand_is_drift_and_is_restored(bed: Bed) -> None:
    bed.deploy(config_map("a", colour="blue"), config_map("b"))
    assert bed.plan(config_map("a", colour="blue"), config_map("b")).is_noop
    bed.edit(bed.place(CONFIG_MAPS, "a"), {"data": {"colour": "red"}}, "kubectl-edit")
    (step, _) = bed.plan(config_map("a", colour="blue"), config_map("b")).steps
    assert (step.action, step.taken) == ("change", (("kubectl-edit", ".data.colour"),))
    assert [(each.path, each.before, each.after) for each in step.changes] == [("/data/colour", '"red"', '"blue"')]
    bed.deploy(config_map("a", colour="blue"), config_map("b"))
    found = bed.get(CONFIG_MAPS, "a")
    assert found
    assert found["data"]["colour"] == "blue"


@pytest.mark.parametrize("manager", ["kubectl-patch", "curl", "k9s", "Mozilla"])
def test_what_people_wrote_with_other_tools_is_taken_back_as_well(manager: str, memory: Bed) -> None:
    memory.deploy(config_map("a", colour="blue"))
    memory.edit(memory.place(CONFIG_MAPS, "a"), {"data": {"colour": "red"}}, manager)
    (step,) = memory.plan(config_map("a", colour="blue")).steps
    assert (step.action, step.taken) == ("change", ((manager, ".data.colour"),))


def test_replicas_that_an_autoscaler_set_are_left_alone_and_shown(bed: Bed) -> None:
    objects = [{**deployment("web"), "metadata": {"name": "web"}}, config_map("a")]
    bed.seconds = 0.1
    bed.cluster.apply(bed.place(DEPLOYMENTS, "web"), bed.plan(*objects).steps[0].wanted or {})
    bed.edit(bed.place(DEPLOYMENTS, "web"), {"spec": {"replicas": 5}}, "kube-controller-manager")
    (step, _) = bed.plan(*objects).steps
    assert (step.action, step.left) == ("unchanged", (("kube-controller-manager", ".spec.replicas"),))
    (step, _) = bed.plan(*objects, take_over=frozenset({"kube-controller-manager"})).steps
    assert (step.action, step.taken) == ("change", (("kube-controller-manager", ".spec.replicas"),))


def test_an_authority_that_a_controller_injects_is_shown_and_not_taken(bed: Bed) -> None:
    def hook(authority: str) -> Object:
        client = {"service": {"name": "x", "namespace": bed.corner}, "caBundle": authority}
        webhook = {
            "name": "x.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"], "clientConfig": client,
            "failurePolicy": "Ignore", "namespaceSelector": {"matchLabels": {"nobody": "has-this"}},
        }  # fmt: skip
        api, name = "admissionregistration.k8s.io/v1", f"{bed.corner}-hook"
        kind = "ValidatingWebhookConfiguration"
        return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, "webhooks": [webhook]}

    mine, theirs = (base64.b64encode(text.encode()).decode() for text in ("mine", "theirs"))
    bed.deploy(hook(mine), config_map("a"))
    kind = next(kind for kind in bed.cluster.kinds() if kind.kind == "ValidatingWebhookConfiguration")
    place = Place(kind, "", f"{bed.corner}-hook")
    bed.edit(place, {"webhooks": hook(theirs)["webhooks"]}, "cert-manager-cainjector")
    (step, _) = bed.plan(hook(mine), config_map("a")).steps
    field = '.webhooks[name="x.example.com"].clientConfig.caBundle'
    assert (step.action, step.left) == ("unchanged", (("cert-manager-cainjector", field),))
    assert bed.deploy(hook(mine), config_map("a")).status == "noop"
    assert (bed.cluster.get(place) or {})["webhooks"][0]["clientConfig"]["caBundle"] == theirs
    bed.deploy(teardown=True)


def test_a_key_that_stringdata_dropped_is_gone(bed: Bed) -> None:
    bed.deploy(secret("keys", one="1", two="2"), config_map("a"))
    bed.deploy(secret("keys", one="1"), config_map("a"))
    found = bed.get(SECRETS, "keys")
    assert found
    assert found["data"] == {"one": "MQ=="}


def test_a_secret_s_values_are_in_no_part_of_a_plan_that_is_shown(bed: Bed) -> None:
    bed.deploy(secret("keys", token="c4n4ry-old"), config_map("a"))
    found = bed.plan(secret("keys", token="c4n4ry-new"), config_map("a"))
    (step, _) = found.steps
    assert [(each.path, each.before, each.after) for each in step.changes] == [("/data/token", "(hidden)", "(hidden)")]


@pytest.mark.parametrize("value", [0, 7, 1e10, True, False, {"a": "b"}])
def test_a_secret_s_value_that_is_no_text_is_refused_and_not_made_one(value: Any, bed: Bed) -> None:
    found = bed.plan(secret("keys", token=value))
    assert [(each.code, each.where) for each in found.faults] == [("DocumentInvalid", f"Secret/{bed.corner}/keys")]


def test_a_secret_whose_data_is_no_mapping_is_the_cluster_s_to_refuse(bed: Bed) -> None:
    faulty = {**secret("keys", token="a"), "data": "x"}
    (wanted,), faults = normalise([faulty], know_kinds(bed.cluster.kinds(), [faulty]), bed.owner)
    assert (wanted.object["data"], faults) == ("x", [])


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a%2fb"])
@pytest.mark.parametrize("part", ["name", "namespace"])
def test_a_rendered_name_that_leads_elsewhere_is_refused_and_not_remembered(name: str, part: str, bed: Bed) -> None:
    """The API's path of an object without a name is the list of all, and that of ``..`` is its namespace's."""
    about = {"name": "a", "namespace": "fresh", part: name}
    objects = [namespace("fresh"), {**config_map("a"), "metadata": about}]
    if part == "namespace" and not name:
        assert bed.plan(*objects).faults == ()  # it is in the install's
        return
    assert [each.code for each in bed.plan(*objects).faults] == ["DocumentInvalid"]
    with pytest.raises(DocumentInvalid):
        bed.deploy(*objects)
    assert bed.shelf.read() is None


def test_a_plan_is_done_as_it_was_approved_or_not_at_all(bed: Bed) -> None:
    objects = [config_map("a", colour="green"), config_map("b")]
    bed.deploy(config_map("a", colour="blue"), config_map("b"))
    seen = fingerprint(bed.plan(*objects), b"key")
    bed.edit(bed.place(CONFIG_MAPS, "a"), {"data": {"colour": "red"}}, "kubectl-edit")
    with pytest.raises(PlanChanged):
        deploy(bed.task(*objects), bed.work(), Approval(fingerprint=seen, key=b"key"))
    seen = fingerprint(bed.plan(*objects), b"key")
    assert deploy(bed.task(*objects), bed.work(), Approval(fingerprint=seen, key=b"key")).status == "active"


def test_a_fingerprint_covers_secrets_with_a_key_and_is_the_same_twice(bed: Bed) -> None:
    bed.deploy(secret("keys", token="old"), config_map("a"))
    one, other = (bed.plan(secret("keys", token=value), config_map("a")) for value in ("new", "newer"))
    assert fingerprint(one, None) == fingerprint(other, None)
    assert fingerprint(one, b"key") != fingerprint(other, b"key")
    assert fingerprint(one, b"key") == fingerprint(bed.plan(secret("keys", token="new"), config_map("a")), b"key")


def test_the_older_of_two_deploys_writes_nothing_more(bed: Bed) -> None:
    bed.deploy(config_map("a"), config_map("b"))
    task, work = bed.task(config_map("a", n="old"), config_map("b"), config_map("c")), bed.work()

    def newer(word: str) -> None:
        if word == "applying":
            bed.digest = "sha256:two"
            bed.deploy(config_map("a", n="new"), config_map("b"))

    with pytest.raises(DeploySuperseded):
        deploy(task, work, Approval(), newer)
    found = bed.get(CONFIG_MAPS, "a")
    assert found
    assert (found["data"], bed.get(CONFIG_MAPS, "c")) == ({"n": "new"}, None)


def test_the_older_of_two_deploys_prunes_nothing_that_the_newer_one_wants(bed: Bed) -> None:
    bed.deploy(config_map("a"), config_map("b"), config_map("c"))
    task, work = bed.task(config_map("a"), config_map("b", n="1")), bed.work()

    def newer(word: str) -> None:
        if word == "pruning":
            bed.digest = "sha256:two"
            bed.deploy(config_map("a"), config_map("b"), config_map("c"))

    with pytest.raises(DeploySuperseded):
        deploy(task, work, Approval(), newer)
    assert bed.get(CONFIG_MAPS, "c")


@pytest.mark.parametrize(
    "about", [{"labels": {COMPONENT: "another"}}, {"annotations": {"helm.sh/resource-policy": "keep"}}]
)
def test_what_somebody_keeps_while_the_rest_is_waited_for_is_not_pruned(bed: Bed, about: Object) -> None:
    bed.deploy(config_map("a"), config_map("b"), config_map("c"), config_map("d"))
    task, work = bed.task(config_map("a"), config_map("b"), config_map("c", n="1")), bed.work()
    place = Place(CONFIG_MAPS, bed.corner, "d")

    def keeps(word: str) -> None:
        if word == "pruning":
            said = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "d", "namespace": bed.corner, **about},
            }
            bed.cluster.apply(place, said, force=True, manager="somebody")

    outcome = deploy(task, work, Approval(), keeps)
    assert bed.get(CONFIG_MAPS, "d")
    assert [str(each) for each, _ in outcome.left] == [f"ConfigMap/{bed.corner}/d"]
    assert actions(bed.plan(config_map("a"), config_map("b"), config_map("c", n="1")))["ConfigMap/d"] == "keep"


def test_an_older_artifact_brings_back_what_it_had_and_prunes_the_rest(bed: Bed) -> None:
    old = [config_map("a", n="1"), config_map("b"), config_map("x")]
    new = [config_map("a", n="2"), config_map("b"), config_map("y")]
    bed.deploy(*old)
    bed.deploy(*new)
    assert actions(bed.deploy(*old).plan) == {
        "ConfigMap/a": "change", "ConfigMap/b": "unchanged", "ConfigMap/x": "create", "ConfigMap/y": "delete",
    }  # fmt: skip


def test_a_teardown_deletes_all_in_reverse_and_a_second_one_finds_nothing(bed: Bed) -> None:
    bed.deploy(*everything(bed))
    bed.seconds = 0.5
    outcome = bed.deploy(teardown=True)
    assert outcome.status == "inactive"
    kept = {step.identity.kind for step in outcome.plan.steps if step.action == "keep"}
    assert kept == {"Namespace", "CustomResourceDefinition"}
    assert bed.get(CONFIG_MAPS, "conf") is None
    assert bed.deploy(teardown=True).status == "noop"
    assert {step.identity.kind for step in bed.plan(teardown=True).steps} == kept


class Noting:
    """A cluster, and the stages of what was applied to it and deleted from it, in their order."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self.stages: dict[str, list[int]] = {"apply": [], "delete": []}

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._cluster, name)

        def call(place: Place, *more: Any, **named: Any) -> Any:
            if not named.get("dry_run") and not place.name.startswith("byoa-"):  # what is remembered
                self.stages[name].append(stage_of(place.kind))
            return method(place, *more, **named)

        return call if name in self.stages else method


def test_objects_come_by_stages_and_go_in_the_reverse(bed: Bed) -> None:
    coming, going = Noting(bed.cluster), Noting(bed.cluster)
    bed.deploy(*everything(bed), cluster=coming)
    assert coming.stages["apply"] == sorted(coming.stages["apply"])
    assert len(set(coming.stages["apply"])) >= 5
    bed.seconds = 0.5
    bed.deploy(teardown=True, cluster=going)
    assert going.stages["delete"] == sorted(going.stages["delete"], reverse=True)
    assert len(set(going.stages["delete"])) >= 4


def test_a_custom_object_with_a_field_that_its_new_definition_brings_is_no_fault(bed: Bed) -> None:
    bed.deploy(definition(bed.corner), widget(bed.corner, "one", size="1"), config_map("a"))
    objects = [definition(bed.corner, fields=("size", "shape")), widget(bed.corner, "one", shape="round")]
    assert not bed.plan(*objects, config_map("a")).faults
    assert bed.deploy(*objects, config_map("a")).status == "active"


def test_a_kind_and_a_namespace_that_nobody_has_are_told_before_anything_is_written(bed: Bed) -> None:
    stray = {**config_map("x"), "metadata": {"name": "x", "namespace": "nowhere"}}
    found = bed.plan(config_map("a"), widget("nobody", "one"), stray)
    assert {type(fault) for fault in found.faults} == {KindUnknown, NamespaceMissing}
    with pytest.raises(KindUnknown):
        bed.deploy(config_map("a"), widget("nobody", "one"), stray)
    assert bed.get(CONFIG_MAPS, "a") is None


@pytest.mark.parametrize("status", [True, False])
def test_a_cluster_says_which_kinds_keep_a_status_of_their_own(bed: Bed, status: bool) -> None:  # noqa: FBT001
    bed.deploy(definition(bed.corner, status=status))
    group = f"{bed.corner}.example.com"
    kinds: list[Kind] = []
    while not kinds:
        kinds = [each for each in bed.cluster.kinds() if each.group == group]
    assert bed.cluster.keeps_status(kinds[0]) is status
    assert bed.cluster.keeps_status(DEPLOYMENTS)
    assert not bed.cluster.keeps_status(CONFIG_MAPS)


def test_an_object_that_stands_twice_is_refused(bed: Bed) -> None:
    (fault,) = bed.plan(config_map("a", n="1"), config_map("a", n="2")).faults
    assert isinstance(fault, DocumentInvalid)
    assert fault.where == f"ConfigMap/{bed.corner}/a"


def test_a_job_and_a_namespaced_kind_take_no_namespace_from_a_cluster_wide_one(bed: Bed) -> None:
    bed.deploy(job("once", suspend=True), {**namespace(f"{bed.corner}-more"), "metadata": {
        "name": f"{bed.corner}-more", "namespace": "wrong",
    }})  # fmt: skip
    assert bed.get(JOBS, "once")
    found = bed.get(NAMESPACES, f"{bed.corner}-more")
    assert found
    assert "namespace" not in found["metadata"]


def test_a_component_s_objects_are_found_again_by_their_labels_in_all_namespaces(bed: Bed) -> None:
    bed.deploy(*everything(bed))
    known = (bed.shelf.read() or EMPTY).uids
    assert found_again(bed) == dict(known)
    bed.seconds = 0.5
    bed.deploy(teardown=True)


def found_again(bed: Bed) -> dict[Identity, str]:
    """A real server is told of other tests' definitions, and for a moment has neither them nor an answer."""
    for _ in range(50):
        with suppress(ClusterThrottled, KindUnknown):
            return recover(bed.cluster, bed.owner)
        time.sleep(0.2)
    raise AssertionError("the server never settled")
