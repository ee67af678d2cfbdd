"""Whether an object does what it is for, by what its status says: rules per kind, and none that asks anybody.

The rules are kstatus' (kubernetes-sigs/cli-utils, pkg/kstatus/status/core.go) but where a comment says otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from byoa.installs.objects import goes_away, group_of, mapping, metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from byoa.installs.objects import Object

type State = Literal["healthy", "progressing", "failed", "terminating"]


class Health(NamedTuple):
    """What an object's status comes to, and why, in words that hold nothing of the object but numbers and reasons."""

    state: State
    reason: str = ""


HEALTHY: Final = Health("healthy")
_LONGEST: Final = 128
"""Characters of an event's reason (Kubernetes API reference, events.k8s.io/v1)."""

WAITING: Final = frozenset(
    ("CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError", "ErrImageNeverPull", "ErrImagePull",
     "ImageInspectError", "ImagePullBackOff", "InvalidImageName", "RunContainerError")
)  # fmt: skip
"""Reasons for which a container waits and that don't pass by themselves, as a rule (kubelet's own words)."""


def judge(found: Object, *, has_status: bool = False, late_binding: bool = False) -> Health:
    """The health of one object.

    ``has_status`` is whether its kind is a custom one with a status of its own, which may not be written yet;
    ``late_binding`` whether the storage class of a claim waits for who uses it.
    """
    if goes_away(found):
        return Health("terminating", "it is being deleted")
    behind = _behind(found)
    if behind:
        return behind
    kind = (group_of(str(found.get("apiVersion"))), str(found.get("kind")))
    if kind == ("", "PersistentVolumeClaim"):
        return _claim(found, late_binding=late_binding)
    rule = _RULES.get(kind)
    return rule(found) if rule else _custom(found, has_status=has_status)


def _behind(found: Object) -> Health | None:
    """What goes for all kinds: who has not seen the newest state, or says that it is stuck."""
    observed, generation = mapping(found, "status").get("observedGeneration"), metadata(found).get("generation")
    if isinstance(observed, int) and isinstance(generation, int) and observed != generation:
        return Health("progressing", "its controller has not seen the newest state")
    told = _conditions(found)
    if _is(told, "Stalled", "True"):
        return Health("failed", f"it is stalled{_why(told['Stalled'])}")
    if _is(told, "Reconciling", "True"):
        return Health("progressing", f"it is reconciling{_why(told['Reconciling'])}")
    return None


def _conditions(found: Object) -> dict[str, dict[str, Any]]:
    listed = mapping(found, "status").get("conditions")
    items = listed if isinstance(listed, list) else []
    return {str(each.get("type")): each for each in items if isinstance(each, dict)}


def _is(told: Mapping[str, dict[str, Any]], name: str, status: str) -> bool:
    return name in told and str(told[name].get("status")) == status


def _why(condition: Mapping[str, Any]) -> str:
    """A condition's reason, which is one word by its own rules; what doesn't look like one isn't told."""
    reason = condition.get("reason")
    return f": {reason}" if is_word(reason) else ""


def is_word(reason: object) -> bool:
    """Whether a reason is one word, of a length that Kubernetes' own stay under."""
    return isinstance(reason, str) and reason.isascii() and reason.isalnum() and len(reason) <= _LONGEST


def _number(holder: Mapping[str, Any], name: str, default: int = 0) -> int:
    value = holder.get(name, default)
    return value if isinstance(value, int) else default


def _short(have: int, want: int, what: str) -> Health | None:
    return Health("progressing", f"{have} of {want} {what}") if have < want else None


def _too_many(have: int, want: int) -> Health | None:
    return Health("progressing", f"{have - want} old replicas are still there") if have > want else None


def _first(*found: Health | None) -> Health:
    return next((each for each in found if each), HEALTHY)


def _deployment(found: Object) -> Health:
    status, told = mapping(found, "status"), _conditions(found)
    want = _number(mapping(found, "spec"), "replicas", 1)
    progressing = told.get("Progressing", {})
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Health("failed", "its progress deadline is exceeded")
    replicas, updated = _number(status, "replicas"), _number(status, "updatedReplicas")
    available = _number(status, "availableReplicas")
    return _first(
        None if "observedGeneration" in status else Health("progressing", "no controller has seen it"),
        _short(replicas, want, "replicas are there"),
        _short(updated, want, "replicas are new"),
        _too_many(replicas, want),
        _short(available, updated, "replicas are available"),
        _short(_number(status, "readyReplicas"), want, "replicas are ready"),
        Health("progressing", "it is not available") if _is(told, "Available", "False") else None,
        Health("progressing", "it has not rolled out")
        if progressing and progressing.get("reason") not in ("NewReplicaSetAvailable", None)
        else None,
    )


def _stateful_set(found: Object) -> Health:
    spec, status = mapping(found, "spec"), mapping(found, "status")
    if mapping(spec, "updateStrategy").get("type") == "OnDelete":
        return HEALTHY
    want, replicas = _number(spec, "replicas", 1), _number(status, "replicas")
    there = (
        None if "observedGeneration" in status else Health("progressing", "no controller has seen it"),
        _short(replicas, want, "replicas are there"),
        _short(_number(status, "readyReplicas"), want, "replicas are ready"),
        _too_many(replicas, want),
    )
    partition = _number(mapping(spec, "updateStrategy", "rollingUpdate"), "partition", -1)
    if partition > 0:
        updated = _number(status, "updatedReplicas")
        return _first(*there, _short(updated, want - partition, "replicas beyond the partition are new"))
    return _first(
        *there,
        _short(_number(status, "currentReplicas"), want, "replicas are current"),
        Health("progressing", "it has not rolled out")
        if status.get("currentRevision") != status.get("updateRevision")
        else None,
    )


def _daemon_set(found: Object) -> Health:
    status = mapping(found, "status")
    if "observedGeneration" not in status:
        return Health("progressing", "no controller has seen it")
    want = _number(status, "desiredNumberScheduled")
    return _first(
        _short(_number(status, "currentNumberScheduled"), want, "pods are scheduled"),
        _short(_number(status, "updatedNumberScheduled"), want, "pods are new"),
        _short(_number(status, "numberAvailable"), want, "pods are available"),
        _short(_number(status, "numberReady"), want, "pods are ready"),
    )


def _replica_set(found: Object) -> Health:
    status, want = mapping(found, "status"), _number(mapping(found, "spec"), "replicas", 1)
    return _first(
        _short(_number(status, "fullyLabeledReplicas"), want, "replicas have their labels"),
        _short(_number(status, "availableReplicas"), want, "replicas are available"),
        _short(_number(status, "readyReplicas"), want, "replicas are ready"),
    )


def _job(found: Object) -> Health:
    """Healthy when it is done: kstatus takes one for healthy that has begun."""
    told = _conditions(found)
    if _is(told, "Failed", "True"):
        return Health("failed", f"the job failed{_why(told['Failed'])}")
    if _is(told, "Complete", "True") or mapping(found, "spec").get("suspend") is True:
        return HEALTHY
    return Health("progressing", "the job is not complete")


def _pod(found: Object) -> Health:
    """One that failed has failed: kstatus takes it for current."""
    status = mapping(found, "status")
    phase = status.get("phase")
    if phase == "Succeeded":
        return HEALTHY
    if phase == "Failed":
        return Health("failed", "the pod failed")
    if _is(_conditions(found), "Ready", "True"):
        return HEALTHY
    reasons = waiting_reasons(found)
    return Health("progressing", f"the pod is not ready{_listed(reasons)}")


def _claim(found: Object, *, late_binding: bool) -> Health:
    """A claim whose class waits for a consumer is fine without a volume; one whose volume is lost has failed."""
    phase = mapping(found, "status").get("phase")
    if phase == "Bound" or (late_binding and phase in (None, "Pending")):
        return HEALTHY
    if phase == "Lost":
        return Health("failed", "its volume is lost")
    return Health("progressing", "the claim is not bound")


def _service(found: Object) -> Health:
    spec = mapping(found, "spec")
    if spec.get("type") != "LoadBalancer":
        return HEALTHY
    if not spec.get("clusterIP"):
        return Health("progressing", "it has no address in the cluster")
    if not mapping(found, "status", "loadBalancer").get("ingress"):
        return Health("progressing", "its load balancer has no address")
    return HEALTHY


def _definition(found: Object) -> Health:
    told = _conditions(found)
    if _is(told, "NamesAccepted", "False"):
        return Health("failed", f"its names are not accepted{_why(told['NamesAccepted'])}")
    return HEALTHY if _is(told, "Established", "True") else Health("progressing", "it is not established")


def _api_service(found: Object) -> Health:
    told = _conditions(found)
    local = not mapping(found, "spec").get("service")
    if local or _is(told, "Available", "True"):
        return HEALTHY
    return Health("progressing", f"the API is not available{_why(told.get('Available', {}))}")


def _custom(found: Object, *, has_status: bool) -> Health:
    """A custom object: by its condition Ready, of this generation where it tells one."""
    ready = _conditions(found).get("Ready")
    if ready is None:
        return Health("progressing", "its controller has written no status") if has_status else HEALTHY
    observed, generation = ready.get("observedGeneration"), metadata(found).get("generation")
    if isinstance(observed, int) and observed != generation:
        return Health("progressing", "it is not known whether its newest state is ready")
    if str(ready.get("status")) == "True":
        return HEALTHY
    return Health("progressing", f"it is not ready{_why(ready)}")


def _at_once(_: Object) -> Health:
    return HEALTHY


_RULES: Final[dict[tuple[str, str], Callable[[Object], Health]]] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "ReplicaSet"): _replica_set,
    ("batch", "Job"): _job,
    ("", "Pod"): _pod,
    ("", "Service"): _service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    ("apiregistration.k8s.io", "APIService"): _api_service,
    # An Ingress, a policy or an autoscaler has conditions that say nothing of whether it was taken.
    ("policy", "PodDisruptionBudget"): _at_once,
    ("autoscaling", "HorizontalPodAutoscaler"): _at_once,
    ("networking.k8s.io", "Ingress"): _at_once,
}

WORKLOADS: Final = frozenset(
    (("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("apps", "ReplicaSet"), ("batch", "Job"))
)
"""Kinds whose pods say why they don't get on."""


def waiting_reasons(pod: Object) -> list[str]:
    """Why containers of a pod wait, in kubelet's words, and that no node takes it; what passes by itself isn't told."""
    status = mapping(pod, "status")
    told = [status.get(name) for name in ("initContainerStatuses", "containerStatuses")]
    listed = [each for part in told if isinstance(part, list) for each in part]
    reasons = {str(mapping(each, "state", "waiting").get("reason")) for each in listed} & WAITING
    scheduled = _conditions(pod).get("PodScheduled", {})
    if scheduled.get("reason") == "Unschedulable":
        reasons.add("Unschedulable")
    return sorted(reasons)


def pods_reasons(pods: Iterable[Object]) -> list[str]:
    """Why any of the pods waits that is not going away, each reason once."""
    return sorted({reason for pod in pods if not goes_away(pod) for reason in waiting_reasons(pod)})


def _listed(reasons: list[str]) -> str:
    return f": {', '.join(reasons)}" if reasons else ""
