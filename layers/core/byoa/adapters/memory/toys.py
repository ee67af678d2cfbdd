"""Controllers that are toys: they write at once what real ones write in time, and run nothing.

A workload is healthy, unless its image is called ``bad`` (``registry.example.com/bad:1``, or ``…/web:bad``), or its
annotation ``desk.byoa.dev/health`` says ``bad``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa.installs.objects import mapping, metadata, uid_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.installs.objects import Object


BAD: Final = "bad"
HEALTH: Final = "desk.byoa.dev/health"


def play(found: Object, broken_images: frozenset[str]) -> list[Object]:
    """Write the status of ``found``, and return the pods that can't be started for it."""
    status = _STATUS.get(str(found.get("kind")))
    if status is None:
        return []
    images = [str(each.get("image")) for each in mapping(found, "spec", "template", "spec").get("containers") or []]
    told = (metadata(found).get("annotations") or {}).get(HEALTH)
    broken = told == BAD or any(image in broken_images or _is_bad(image) for image in images)
    found["status"] = {**status(found, broken=broken), "observedGeneration": metadata(found)["generation"]}
    return [_pod(found)] if broken and images else []


def _is_bad(image: str) -> bool:
    return BAD in image.rpartition("/")[2].partition("@")[0].split(":")


def _replicas(found: Object, *, broken: bool) -> dict[str, Any]:
    want = mapping(found, "spec").get("replicas", 1)
    ready = 0 if broken else want
    names = ("replicas", "updatedReplicas", "currentReplicas", "fullyLabeledReplicas")
    return {**dict.fromkeys(names, want), "readyReplicas": ready, "availableReplicas": ready}


def _scheduled(_: Object, *, broken: bool) -> dict[str, Any]:
    names = ("desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled")
    return {**dict.fromkeys(names, 1), "numberAvailable": not broken, "numberReady": not broken}


def _done(_: Object, *, broken: bool) -> dict[str, Any]:
    name = "Failed" if broken else "Complete"
    return {"conditions": [{"type": name, "status": "True", "reason": "BackoffLimitExceeded" if broken else "Done"}]}


def _bound(_: Object, *, broken: bool) -> dict[str, Any]:
    return {"phase": "Pending" if broken else "Bound"}


def _established(_: Object, *, broken: bool) -> dict[str, Any]:
    names = () if broken else ("NamesAccepted", "Established")
    return {"conditions": [{"type": name, "status": "True"} for name in names]}


_STATUS: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    "CustomResourceDefinition": _established,
    "DaemonSet": _scheduled,
    "Deployment": _replicas,
    "Job": _done,
    "PersistentVolumeClaim": _bound,
    "ReplicaSet": _replicas,
    "StatefulSet": _replicas,
}


def _pod(found: Object) -> Object:
    about = metadata(found)
    owner = {"apiVersion": found["apiVersion"], "kind": found["kind"], "name": about["name"], "uid": uid_of(found)}
    labels = mapping(found, "spec", "template", "metadata").get("labels") or {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{about['name']}-0", "namespace": about["namespace"], "labels": labels,
            "uid": f"{uid_of(found)}-0",
            "ownerReferences": [owner], "generation": 1, "resourceVersion": "1",
        },
        "spec": mapping(found, "spec", "template", "spec"),
        "status": {
            "phase": "Pending",
            "containerStatuses": [{"name": "main", "state": {"waiting": {"reason": "ImagePullBackOff"}}}],
        },
    }  # fmt: skip
