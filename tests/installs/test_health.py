"""Whether objects do what they are for, kind by kind, and how long that is waited for."""

from __future__ import annotations

from typing import Any

import pytest

from byoa.adapters.memory.cluster import MemoryCluster
from byoa.errors import InstallUnhealthy
from byoa.installs.check import look
from byoa.installs.events import PODS
from byoa.installs.health import judge, pods_reasons
from tests.installs.beds import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    NAMESPACES,
    Bed,
    config_map,
    definition,
    deployment,
    job,
    namespace,
    widget,
)


def an_object(api: str, kind: str, spec: Any = None, status: Any = None, **about: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "x", **about}, "spec": spec or {}, "status": status}


def told(**conditions: str) -> dict[str, Any]:
    """``Ready="False:Reason"`` and its like, as conditions."""
    parts = {name: value.partition(":") for name, value in conditions.items()}
    return {"conditions": [{"type": name, "status": part[0], "reason": part[2]} for name, part in parts.items()]}


READY = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2, "observedGeneration": 1}
SETTLED = {**READY, "currentReplicas": 2, "currentRevision": "a", "updateRevision": "a"}
SCHEDULED = {
    "desiredNumberScheduled": 1, "currentNumberScheduled": 1, "updatedNumberScheduled": 1, "numberAvailable": 1,
    "numberReady": 1, "observedGeneration": 1,
}  # fmt: skip
TWO = {"replicas": 2}
IN_PART = {**TWO, "updateStrategy": {"rollingUpdate": {"partition": 1}}}
OURS = "example.com/v1"

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "going": (an_object("v1", "ConfigMap", deletionTimestamp="2026-01-01T00:00:00Z"), "terminating"),
    "behind": (an_object("apps/v1", "Deployment", TWO, READY, generation=2), "progressing"),
    "stalled": (an_object(OURS, "A", status=told(Stalled="True:X", Ready="True")), "failed"),
    "reconciling": (an_object(OURS, "A", status=told(Reconciling="True", Ready="True")), "progressing"),
    "deployment": (an_object("apps/v1", "Deployment", TWO, READY), "healthy"),
    "deployment unseen": (an_object("apps/v1", "Deployment", TWO), "progressing"),
    "deployment short": (an_object("apps/v1", "Deployment", {"replicas": 3}, READY), "progressing"),
    "deployment with old pods": (an_object("apps/v1", "Deployment", TWO, {**READY, "replicas": 3}), "progressing"),
    "deployment not ready": (an_object("apps/v1", "Deployment", TWO, {**READY, "readyReplicas": 1}), "progressing"),
    "deployment not available": (
        an_object("apps/v1", "Deployment", TWO, {**READY, **told(Available="False")}), "progressing",
    ),
    "deployment late": (
        an_object("apps/v1", "Deployment", TWO, {**READY, **told(Progressing="False:ProgressDeadlineExceeded")}),
        "failed",
    ),
    "deployment rolling": (
        an_object("apps/v1", "Deployment", TWO, {**READY, **told(Progressing="True:ReplicaSetUpdated")}), "progressing",
    ),
    "stateful set": (an_object("apps/v1", "StatefulSet", TWO, SETTLED), "healthy"),
    "stateful set on delete": (
        an_object("apps/v1", "StatefulSet", {**TWO, "updateStrategy": {"type": "OnDelete"}}), "healthy",
    ),
    "stateful set rolling": (
        an_object("apps/v1", "StatefulSet", TWO, {**SETTLED, "updateRevision": "b"}), "progressing",
    ),
    "stateful set in part": (
        an_object("apps/v1", "StatefulSet", IN_PART, {**SETTLED, "updatedReplicas": 1, "updateRevision": "b"}),
        "healthy",
    ),
    "stateful set in part, not ready": (
        an_object("apps/v1", "StatefulSet", IN_PART, {**SETTLED, "readyReplicas": 1}), "progressing",
    ),
    "stateful set in part, not rolled out": (
        an_object("apps/v1", "StatefulSet", IN_PART, {**SETTLED, "updatedReplicas": 0}), "progressing",
    ),
    "stateful set with old pods": (an_object("apps/v1", "StatefulSet", TWO, {**SETTLED, "replicas": 3}), "progressing"),
    "daemon set": (an_object("apps/v1", "DaemonSet", status=SCHEDULED), "healthy"),
    "daemon set unseen": (an_object("apps/v1", "DaemonSet", status={}), "progressing"),
    "daemon set short": (an_object("apps/v1", "DaemonSet", status={**SCHEDULED, "numberReady": 0}), "progressing"),
    "replica set": (an_object("apps/v1", "ReplicaSet", TWO, {**READY, "fullyLabeledReplicas": 2}), "healthy"),
    "job done": (an_object("batch/v1", "Job", status=told(Complete="True")), "healthy"),
    "job running": (an_object("batch/v1", "Job", status={"active": 1}), "progressing"),
    "job suspended": (an_object("batch/v1", "Job", {"suspend": True}), "healthy"),
    "job failed": (an_object("batch/v1", "Job", status=told(Failed="True:BackoffLimitExceeded")), "failed"),
    "pod ready": (an_object("v1", "Pod", status={"phase": "Running", **told(Ready="True")}), "healthy"),
    "pod done": (an_object("v1", "Pod", status={"phase": "Succeeded"}), "healthy"),
    "pod failed": (an_object("v1", "Pod", status={"phase": "Failed"}), "failed"),
    "claim": (an_object("v1", "PersistentVolumeClaim", status={"phase": "Bound"}), "healthy"),
    "claim lost": (an_object("v1", "PersistentVolumeClaim", status={"phase": "Lost"}), "failed"),
    "claim waiting": (an_object("v1", "PersistentVolumeClaim", status={"phase": "Pending"}), "progressing"),
    "service": (an_object("v1", "Service", {"clusterIP": "10.0.0.1"}), "healthy"),
    "balancer without address": (
        an_object("v1", "Service", {"type": "LoadBalancer", "clusterIP": "10.0.0.1"}), "progressing",
    ),
    "balancer": (
        an_object(
            "v1", "Service", {"type": "LoadBalancer", "clusterIP": "10.0.0.1"},
            {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
        ),
        "healthy",
    ),
    "definition": (
        an_object("apiextensions.k8s.io/v1", "CustomResourceDefinition", status=told(Established="True")), "healthy",
    ),
    "definition with a taken name": (
        an_object("apiextensions.k8s.io/v1", "CustomResourceDefinition", status=told(NamesAccepted="False:Taken")),
        "failed",
    ),
    "aggregated API": (
        an_object("apiregistration.k8s.io/v1", "APIService", {"service": {"name": "x"}}, told(Available="False")),
        "progressing",
    ),
    "config map": (an_object("v1", "ConfigMap"), "healthy"),
    "custom": (an_object(OURS, "A", status=told(Ready="True")), "healthy"),
    "custom without conditions": (an_object(OURS, "A"), "healthy"),
    "custom not ready": (an_object(OURS, "A", status=told(Ready="False:Broken")), "progressing"),
    "custom of an older generation": (
        an_object(
            OURS, "A", status={"conditions": [{"type": "Ready", "status": "True", "observedGeneration": 1}]},
            generation=2,
        ),
        "progressing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_object_is_judged_by_its_kind_s_rules(case: str) -> None:
    found, state = CASES[case]
    health = judge(found)
    assert health.state == state
    assert bool(health.reason) == (state != "healthy")


def test_a_claim_whose_class_waits_for_a_consumer_is_fine() -> None:
    claim = an_object("v1", "PersistentVolumeClaim", status={"phase": "Pending"})
    assert judge(claim, late_binding=True).state == "healthy"


def test_a_reason_is_told_only_if_it_is_one_word() -> None:
    assert judge(an_object("batch/v1", "Job", status=told(Failed="True:\x1b[31mX"))).reason == "the job failed"
    assert judge(an_object("batch/v1", "Job", status=told(Failed="True:Late"))).reason == "the job failed: Late"


def pod(reason: str, **about: Any) -> dict[str, Any]:
    status = {"containerStatuses": [{"state": {"waiting": {"reason": reason}}}]}
    return an_object("v1", "Pod", status=status, **about)


def test_reasons_of_pods_are_kubelet_s_own_and_those_that_go_away_have_none() -> None:
    pods = [pod("ImagePullBackOff"), pod("PodInitializing"), pod("CrashLoopBackOff", deletionTimestamp="x")]
    assert pods_reasons(pods) == ["ImagePullBackOff"]


def a_pod(name: str, *, status: Any = None, **labels: str) -> dict[str, Any]:
    spec = {"containers": [{"name": "main", "image": "x"}]}
    return {**an_object("v1", "Pod", spec, status), "metadata": {"name": name, "labels": labels}}


BROKEN = "registry.example.com/web:broken"


@pytest.fixture
def bed() -> Bed:
    found = Bed(MemoryCluster(broken_images=frozenset({BROKEN})), "corner", seconds=900.0)
    found.cluster.create(found.place(NAMESPACES, "corner"), namespace("corner"))
    return found


def test_an_image_that_can_t_be_pulled_fails_early_with_its_reason_and_stays_tracked(bed: Bed) -> None:
    with pytest.raises(InstallUnhealthy, match=r"Deployment/corner/web .*pods wait: ImagePullBackOff.* failed"):
        bed.deploy(deployment("web", image=BROKEN), config_map("a"))
    assert bed.clock.now() < 60
    inventory = bed.shelf.read()
    assert inventory
    assert {each.kind for each in inventory.uids} == {"Deployment", "ConfigMap"}
    assert bed.deploy(deployment("web"), config_map("a")).status == "active"


def test_nothing_is_pruned_as_long_as_the_rest_is_not_healthy(bed: Bed) -> None:
    rest = [config_map("a"), config_map("b"), deployment("web")]
    bed.deploy(*rest, config_map("old"))
    with pytest.raises(InstallUnhealthy):
        bed.deploy(*rest[:2], deployment("web", image=BROKEN))
    assert bed.get(CONFIG_MAPS, "old")
    bed.deploy(*rest)
    assert bed.get(CONFIG_MAPS, "old") is None


def test_a_job_that_fails_is_told_with_its_reason(bed: Bed) -> None:
    with pytest.raises(InstallUnhealthy, match="the job failed: BackoffLimitExceeded"):
        bed.deploy(job("migrate", image=BROKEN))


def test_a_custom_object_without_a_controller_is_given_its_time(bed: Bed) -> None:
    bed.deploy(definition("corner", status=True), widget("corner", "one"))
    assert 30 <= bed.clock.now() < 60


def test_a_controller_is_given_its_time_also_where_another_component_brought_the_definition(bed: Bed) -> None:
    operator = Bed(bed.cluster, "corner", bed.clock, 900.0, component="operator")
    operator.deploy(definition("corner", status=True))
    assert bed.clock.now() < 1
    bed.deploy(widget("corner", "one"))
    assert 30 <= bed.clock.now() < 60
    before, again = bed.clock.now(), bed.deploy(widget("corner", "one"))
    assert (again.status, bed.clock.now()) == ("noop", before)
    assert [each.health.state for each in again.findings] == ["healthy"], "who looks once gives nothing its time"


def test_a_custom_object_that_never_gets_ready_is_named_at_the_deadline(bed: Bed) -> None:
    bed.deploy(definition("corner"), widget("corner", "one"))
    kind = next(kind for kind in bed.cluster.kinds() if kind.kind == "Widget")
    bed.edit(bed.place(kind, "one"), {"status": told(Ready="False:NoLicense")}, "its-controller")
    with pytest.raises(InstallUnhealthy, match=r"Widget.*it is not ready: NoLicense.*did not get healthy in time"):
        bed.deploy(definition("corner"), widget("corner", "one", size="2"))


def test_after_a_noop_health_is_told_and_not_waited_for(bed: Bed) -> None:
    bed.deploy(definition("corner"), widget("corner", "one"))
    kind = next(kind for kind in bed.cluster.kinds() if kind.kind == "Widget")
    bed.edit(bed.place(kind, "one"), {"status": told(Ready="False")}, "its-controller")
    before = bed.clock.now()
    outcome = bed.deploy(definition("corner"), widget("corner", "one"))
    assert (outcome.status, bed.clock.now()) == ("noop", before)
    assert [each.health.state for each in outcome.findings if each.place.kind == kind] == ["progressing"]


def test_what_is_gone_after_it_was_applied_has_failed(bed: Bed) -> None:
    steps = bed.plan(config_map("a")).steps
    assert [each.health.state for each in look(steps, bed.work())] == ["failed"]


def warn(bed: Bed, reason: str, about: str, at: str, **moments: str | None) -> None:
    """A warning about an object (``Kind/name``), at a day of January."""
    kind = next(kind for kind in bed.cluster.kinds() if kind.kind == "Event")
    what, _, name = about.partition("/")
    event = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": f"{name}.{reason.lower()}"}, "type": "Warning",
        "involvedObject": {"kind": what, "name": name}, "reason": reason,
        **(moments or {"lastTimestamp": f"2026-01-0{at}T00:00:00Z"}),
    }  # fmt: skip
    bed.cluster.create(bed.place(kind, f"{name}.{reason.lower()}"), event)


def test_the_newest_warning_about_an_object_is_told(bed: Bed) -> None:
    for number, reason in enumerate(("FailedMount", "Older")):
        warn(bed, reason, "Job/migrate", str(2 - number))
    with pytest.raises(InstallUnhealthy, match="last warning: FailedMount"):
        bed.deploy(job("migrate", image=BROKEN))


def waiting(bed: Bed, *pods: str) -> dict[str, Any]:
    """A Deployment whose pods are these, and aren't ready for no reason that they tell."""
    found = deployment("web")
    bed.cluster.apply(bed.place(DEPLOYMENTS, "web"), bed.plan(found).steps[0].wanted or {})
    bed.edit(bed.place(DEPLOYMENTS, "web"), {"status": {"readyReplicas": 0, "availableReplicas": 0}}, "a-controller")
    for name in pods:
        bed.cluster.create(bed.place(PODS, name), a_pod(name, status={"phase": "Running"}, app="web"))
    return found


def test_the_newest_warning_about_a_workload_s_pods_is_told_at_the_deadline(bed: Bed) -> None:
    found = waiting(bed, "web-6d4cf56db6-x7k2p")
    warn(bed, "FailedScheduling", "Pod/web-6d4cf56db6-x7k2p", "1")
    warn(bed, "Unhealthy", "Pod/web-6d4cf56db6-x7k2p", "2", lastTimestamp=None, eventTime="2026-01-02T00:00:00.1Z")
    warn(bed, "BackOff", "Pod/web-api-x7k2p", "3")
    with pytest.raises(InstallUnhealthy, match=r"available; last warning: Unhealthy\) did not get healthy in time"):
        bed.deploy(found, config_map("a"))


def test_of_a_deployment_that_gets_no_pods_its_replica_set_s_warning_is_told(bed: Bed) -> None:
    found = waiting(bed)
    warn(bed, "FailedCreate", "ReplicaSet/web-6d4cf56db6", "1")
    warn(bed, "Other", "ReplicaSet/web-api-6d4cf56db6", "2")
    with pytest.raises(InstallUnhealthy, match="last warning: FailedCreate"):
        bed.deploy(found, config_map("a"))


@pytest.mark.parametrize(
    "status",
    [
        {"phase": "Running", **pod("CrashLoopBackOff")["status"]},
        {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]},
    ],
    ids=["CrashLoopBackOff", "Unschedulable"],
)
def test_a_pod_that_waits_for_what_doesn_t_pass_fails_after_fifteen_seconds(
    bed: Bed, status: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    bed.cluster.apply(bed.place(PODS, "one"), bed.plan(a_pod("one")).steps[0].wanted or {})
    bed.edit(bed.place(PODS, "one"), {"status": status}, "kubelet")
    reason = request.node.callspec.id
    with pytest.raises(InstallUnhealthy, match=rf"Pod/corner/one \(the pod is not ready: {reason}\) failed"):
        bed.deploy(a_pod("one"), config_map("a"))
    assert 15 <= bed.clock.now() < 20
