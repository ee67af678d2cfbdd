"""How objects fail at the desk's API server and at a real one. Nothing runs there: tests write what controllers do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.memory.clocks import PlayedTime
from byoa.errors import InstallUnhealthy
from byoa.installs.events import PODS
from byoa.installs.objects import Kind
from tests.installs.beds import DEPLOYMENTS, JOBS, Bed, config_map, definition, deployment, job, widget

if TYPE_CHECKING:
    from byoa.installs.objects import Object

EVENTS = Kind("", "v1", "Event", "events", namespaced=True)
SINCE = "2026-01-01T00:00:00Z"


@pytest.fixture(params=["desk", "real"])
def bed(request: pytest.FixtureRequest) -> Bed:
    """Time is played once what is to fail is there: a deadline takes no longer than its looks."""
    found: Bed = request.getfixturevalue(request.param)
    return found


def there(bed: Bed, kind: Kind, wanted: Object, status: Object) -> None:
    """An object of the install, in the status that its controller has written."""
    place = bed.place(kind, wanted["metadata"]["name"])
    bed.cluster.apply(place, bed.plan(wanted).steps[0].wanted or {})
    bed.edit(place, {"status": status}, "its-controller", "/status")


def play(bed: Bed) -> Bed:
    bed.clock, bed.seconds = PlayedTime(), 900.0
    return bed


def test_pods_whose_image_can_t_be_pulled_fail_early_with_kubelet_s_reason_and_its_warning(bed: Bed) -> None:
    counts = {"replicas": 2, "updatedReplicas": 2, "unavailableReplicas": 2, "observedGeneration": 1}
    there(bed, DEPLOYMENTS, deployment("web"), {**counts, "readyReplicas": 0, "availableReplicas": 0})
    pod = {"containers": [{"name": "main", "image": "registry.example.com/web:1"}]}
    name, about = "web-6d4cf56db6-x7k2p", {"name": "web-6d4cf56db6-x7k2p", "labels": {"app": "web"}}
    bed.cluster.create(bed.place(PODS, name), {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": pod})
    waits = {"name": "main", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
    told = {"phase": "Pending", "containerStatuses": [{**waits, "state": {"waiting": {"reason": "ImagePullBackOff"}}}]}
    bed.edit(bed.place(PODS, name), {"status": told}, "kubelet", "/status")
    event = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "one", "namespace": bed.corner}, "type": "Warning",
        "involvedObject": {"kind": "Pod", "name": name, "namespace": bed.corner}, "reason": "Failed",
        "lastTimestamp": SINCE,
    }  # fmt: skip
    bed.cluster.create(bed.place(EVENTS, "one"), event)
    told_of = rf"Deployment/{bed.corner}/web \(.*pods wait: ImagePullBackOff; last warning: Failed\) failed"
    with pytest.raises(InstallUnhealthy, match=told_of):
        play(bed).deploy(deployment("web"), config_map("a"))
    assert 15 <= bed.clock.now() < 20
    assert {each.kind for each in (bed.shelf.read() or ((),))[0]} == {"Deployment", "ConfigMap"}, "it stays tracked"


def test_a_job_that_failed_is_told_with_its_reason(bed: Bed) -> None:
    why = {"status": "True", "reason": "BackoffLimitExceeded", "lastTransitionTime": SINCE, "lastProbeTime": SINCE}
    conditions = [{"type": name, **why} for name in ("FailureTarget", "Failed")]
    there(bed, JOBS, job("migrate"), {"startTime": SINCE, "failed": 1, "conditions": conditions})
    with pytest.raises(InstallUnhealthy, match=r"the job failed: BackoffLimitExceeded\) failed"):
        play(bed).deploy(job("migrate"), config_map("a"))
    assert bed.clock.now() < 5


def test_a_custom_object_whose_controller_says_that_it_isn_t_ready_is_named_at_the_deadline(bed: Bed) -> None:
    fields = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    defined = definition(bed.corner)
    defined["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"] = fields
    bed.deploy(defined, widget(bed.corner, "one"))
    kind = next(each for each in bed.cluster.kinds() if each.group == f"{bed.corner}.example.com")
    status: dict[str, Any] = {"conditions": [{"type": "Ready", "status": "False", "reason": "NoLicense"}]}
    bed.edit(bed.place(kind, "one"), {"status": status}, "its-controller")
    told_of = rf"Widget.*/{bed.corner}/one \(it is not ready: NoLicense\) did not get healthy in time"
    with pytest.raises(InstallUnhealthy, match=told_of):
        play(bed).deploy(defined, widget(bed.corner, "one", size="2"))
    assert bed.clock.now() >= 900
