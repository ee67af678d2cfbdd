"""What only a real API server shows: schemas, immutable fields, admission, rights, certificates, and its own noise."""

from __future__ import annotations

import base64
import json
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from byoa.adapters.kubernetes.cluster import KubernetesCluster
from byoa.bootstrap import terminal
from byoa.engine.patience import Patience
from byoa.errors import (
    ApprovalMissing,
    ClusterForbidden,
    ClusterUnavailable,
    ClusterUntrusted,
    InstallUnhealthy,
    ObjectInvalid,
)
from byoa.installs.access import Access
from byoa.installs.apply import apply
from byoa.installs.objects import Kind, Place
from tests.installs.beds import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    JOBS,
    NAMESPACES,
    SERVICES,
    Bed,
    actions,
    config_map,
    deployment,
    job,
    role,
    secret,
    service,
)
from tests.installs.conftest import opened
from tests.kubernetes import INSTALLER, Server
from tests.tls import certificate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from byoa.installs.objects import Object

CANARY = "c4n4ry-9b1d"


def with_container(found: Object, **fields: Any) -> Object:
    container = {**found["spec"]["template"]["spec"]["containers"][0], **fields}
    pod = {**found["spec"]["template"]["spec"], "containers": [container]}
    spec = {**found["spec"], "template": {**found["spec"]["template"], "spec": pod}}
    return {**found, "spec": spec}


FAULTS: dict[str, tuple[Object, str]] = {
    "an unknown field": ({**config_map("x"), "dta": {}}, ".dta: field not declared in schema."),
    "a name twice in env": (
        with_container(deployment("x"), env=[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]),
        "duplicate entries",
    ),
    "a number as a text": (
        with_container(deployment("x"), env=[{"name": "A", "value": 5}]),
        ".value: expected string.",
    ),
    "a value out of range": (service("x", 800000), "spec.ports[0].port: must be between 1 and 65535, inclusive"),
    "a selector that fits nothing": (
        {**deployment("x"), "spec": {**deployment("x")["spec"], "selector": {"matchLabels": {"app": "y"}}}},
        "does not match template",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_a_schema_refuses_is_refused_once_and_told_by_its_field(real: Bed, fault: str) -> None:
    wrong, told = FAULTS[fault]
    before = real.cluster._wire.requests  # type: ignore[attr-defined]
    (found,) = real.plan(config_map("a"), wrong).faults
    assert isinstance(found, ObjectInvalid)
    assert told in found.cause
    assert found.where == f"{wrong['kind']}/{real.corner}/x"
    assert real.cluster._wire.requests - before <= 8  # type: ignore[attr-defined] # none was tried again
    with pytest.raises(ObjectInvalid):
        real.deploy(config_map("a"), wrong)
    assert real.get(CONFIG_MAPS, "a") is None


def test_all_faults_are_told_at_once(real: Bed) -> None:
    objects = [{**config_map(name), "dta": {}} for name in "abc"]
    assert [fault.where for fault in real.plan(*objects).faults] == [
        f"ConfigMap/{real.corner}/{name}" for name in "abc"
    ]


IMMUTABLE: dict[str, tuple[Object, Object, Kind]] = {
    "a selector": (
        deployment("x"),
        {
            **deployment("x"),
            "spec": {
                **deployment("y")["spec"],
                "selector": {"matchLabels": {"app": "y"}},
            },
        },
        DEPLOYMENTS,
    ),
    "a job's template": (job("x", suspend=True), job("x", suspend=True, image="registry.example.com/job:2"), JOBS),
    "an address": (
        service("x"), {**service("x"), "spec": {**service("x")["spec"], "clusterIP": "None"}}, SERVICES,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", IMMUTABLE)
def test_what_can_t_be_changed_in_place_is_recreated_after_approval_by_name(real: Bed, case: str) -> None:
    old, new, kind = IMMUTABLE[case]
    place = real.place(kind, "x")
    real.cluster.apply(place, real.plan(old).steps[0].wanted or {})
    before = real.cluster.get(place)
    found = real.plan(new, config_map("a"))
    assert actions(found)[f"{kind.kind}/x"] == "recreate"
    with pytest.raises(ApprovalMissing, match=f"{kind.kind}/{real.corner}/x"):
        real.deploy(new, config_map("a"))
    assert real.cluster.get(place) == before
    name = f"{kind.kind}/{real.corner}/x"
    if kind == DEPLOYMENTS:  # nobody makes it healthy here
        apply(real.plan(new, config_map("a")).as_approved(frozenset((name,))), real.work())
    else:
        real.deploy(new, config_map("a"), approve=(name,))
    after = real.cluster.get(place)
    assert before
    assert after
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert real.plan(new, config_map("a")).is_noop


def test_what_is_invalid_is_not_taken_for_immutable_and_the_object_lives(real: Bed) -> None:
    real.deploy(service("x"), config_map("a"))
    before = real.get(SERVICES, "x")
    (fault,) = real.plan(service("x", 800000), config_map("a")).faults
    assert isinstance(fault, ObjectInvalid)
    assert real.get(SERVICES, "x") == before


def test_a_claim_is_never_recreated(real: Bed) -> None:
    def claim(size: str) -> Object:
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
        return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "x"}, "spec": spec}

    kind = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", namespaced=True)
    real.cluster.apply(real.place(kind, "x"), real.plan(claim("2Gi")).steps[0].wanted or {})
    (fault,) = real.plan(claim("1Gi")).faults
    assert isinstance(fault, ObjectInvalid)
    assert "not recreated" in fault.cause


def test_the_api_server_s_warnings_are_shown_of_a_dry_run_too(real: Bed) -> None:
    level = {"metadata": {"labels": {"pod-security.kubernetes.io/warn": "restricted"}}}
    real.edit(real.place(NAMESPACES, real.corner), level, "somebody")
    (step,) = real.plan(deployment("web")).steps
    assert any("would violate PodSecurity" in warning for warning in step.warnings)


def hook(corner: str, port: int) -> Object:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": f"{corner}-down"},
        "webhooks": [
            {
                "name": "down.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "timeoutSeconds": 1, "failurePolicy": "Fail", "clientConfig": {"url": f"https://127.0.0.1:{port}/"},
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": corner}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}],
            }
        ],
    }  # fmt: skip


@pytest.fixture
def without_webhook(real: Bed) -> Iterator[Bed]:
    kinds = {kind.type: kind for kind in real.cluster.kinds()}
    place = Place(kinds["admissionregistration.k8s.io", "ValidatingWebhookConfiguration"], "", f"{real.corner}-down")
    made = real.cluster.create(place, hook(real.corner, 9))
    yield real
    real.cluster.delete(place, made["metadata"]["uid"])


def test_a_webhook_that_doesn_t_answer_is_named_and_asked_again(
    without_webhook: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    time.sleep(1.5)  # the server reads its configurations once a second
    wire = without_webhook.cluster._wire  # type: ignore[attr-defined]
    monkeypatch.setattr(wire, "_patience", Patience(attempts=3, sleep=lambda _: None))
    before = wire.requests
    with pytest.raises(ClusterUnavailable, match=r"down\.example\.com"):
        without_webhook.plan(config_map("a"))
    assert wire.requests - before == len(("/api", "/apis", "what is tracked")) + 3


def test_rights_that_are_missing_are_all_named_before_a_write(real: Bed, server: Server, tmp_path: Path) -> None:
    with opened(server, tmp_path, INSTALLER) as poor:
        bed = Bed(poor, real.corner, real.clock)
        with pytest.raises(ClusterForbidden):
            bed.shelf.read()
        grant(real, "configmaps", "get", "create", "update")
        grant(real, "configmaps", "get", "create", "update", namespace="default")
        await_rights(bed)
        (fault,) = bed.plan(config_map("a"), role("web"), secret("keys")).faults
        there = f"in namespace {real.corner}"
        assert fault.cause == (
            f"The login may not list, patch and delete configmaps {there}; list events {there}; "
            f"get, list, create, patch and delete roles.rbac.authorization.k8s.io {there}; "
            f"get, list, create, patch and delete secrets {there}."
        )
    assert real.get(CONFIG_MAPS, "a") is None


def await_rights(bed: Bed) -> None:
    """The server's authorizer hears of new roles a little later."""
    for place in (bed.shelf.place, bed.place(CONFIG_MAPS, "a")):
        for _ in range(100):
            try:
                bed.cluster.get(place)
                break
            except ClusterForbidden:
                time.sleep(0.2)


def grant(bed: Bed, resource: str, *verbs: str, namespace: str = "") -> None:
    where = namespace or bed.corner
    kinds = {kind.type: kind for kind in bed.cluster.kinds()}
    group = "rbac.authorization.k8s.io"
    name = f"{bed.corner}-{resource}"
    parts: dict[str, Object] = {
        "Role": {"rules": [{"apiGroups": [""], "resources": [resource], "verbs": list(verbs)}]},
        "RoleBinding": {
            "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
            "subjects": [{"apiGroup": group, "kind": "User", "name": "installer"}],
        },
    }
    for kind, rest in parts.items():
        about = {"name": name, "namespace": where}
        made = {"apiVersion": f"{group}/v1", "kind": kind, "metadata": about, **rest}
        bed.cluster.apply(Place(kinds[group, kind], where, name), made)


def test_a_login_that_is_unknown_is_refused(server: Server, tmp_path: Path) -> None:
    with opened(server, tmp_path, "no-such-token") as found, pytest.raises(ClusterForbidden, match="login"):
        found.kinds()


def test_another_authority_or_another_name_is_not_trusted(server: Server, tmp_path: Path) -> None:
    _, stranger = certificate(x509.IPAddress(ip_address("127.0.0.1")), tmp_path)
    with opened(server, tmp_path, ca=stranger.read_text()) as found, pytest.raises(ClusterUntrusted):
        found.kinds()
    port = int(server.address.rpartition(":")[2])
    other = terminal.cluster(Access("127.0.0.1", port, server.ca.read_text(), "x", "another.example.com"))
    with pytest.raises(ClusterUntrusted):
        other.kinds()


def test_nobody_at_the_address_is_worth_another_try() -> None:
    found = terminal.cluster(Access("127.0.0.1", 9, None, "x"))
    with pytest.raises(ClusterUnavailable):
        found.kinds()


def test_what_the_server_says_of_a_secret_or_of_a_pod_is_not_repeated(real: Bed) -> None:
    coded = base64.b64encode(CANARY.encode()).decode()
    wrong = [
        {**secret("keys", token=CANARY), "type": "kubernetes.io/tls"},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "odd"}, "data": {f"no key {CANARY}": coded}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "raw"}, "data": {"token": CANARY}},
        with_container(deployment("web"), env=[{"name": "A", "value": CANARY}, {"name": "A", "value": "2"}]),
    ]
    real.deploy(job("once", suspend=True), config_map("a"))
    pod = {"containers": [{"name": "main", "image": "x", "env": [{"name": "A", "value": CANARY}]}]}
    wrong.append({**job("once"), "spec": {"template": {"spec": {**pod, "restartPolicy": "Always"}}}})
    found = real.plan(*wrong)
    assert len(found.faults) >= 4
    told = " ".join(str(fault.as_dict()) for fault in found.faults)
    assert CANARY not in told
    assert coded not in told


def test_deleting_can_be_tried_without_deleting(real: Bed) -> None:
    real.deploy(config_map("a"))
    found = real.get(CONFIG_MAPS, "a")
    assert found
    assert isinstance(real.cluster, KubernetesCluster)
    assert real.cluster.delete(real.place(CONFIG_MAPS, "a"), found["metadata"]["uid"], dry_run=True)
    assert real.get(CONFIG_MAPS, "a") == found


def many_kinds(bed: Bed) -> list[Object]:
    """One of each of the kinds that artifacts usually have, with as little said as is allowed."""
    pod: dict[str, Any] = {
        "metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "main", "image": "x"}]},
    }  # fmt: skip
    own = {"selector": {"matchLabels": {"app": "x"}}, "template": pod}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    backend = {"service": {"name": "x", "port": {"number": 80}}}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}
    hook = {
        "name": "x.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
        "clientConfig": {"service": {"name": "x", "namespace": bed.corner}}, "failurePolicy": "Ignore",
        "namespaceSelector": {"matchLabels": {"nobody": "has-this"}},
    }  # fmt: skip
    specs: dict[tuple[str, str], Object] = {
        ("apps/v1", "Deployment"): {"spec": own},
        ("apps/v1", "StatefulSet"): {"spec": {**own, "serviceName": "x", "volumeClaimTemplates": [
            {"metadata": {"name": "data"}, "spec": claim}
        ]}},
        ("apps/v1", "DaemonSet"): {"spec": own},
        ("batch/v1", "CronJob"): {"spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": {
            "spec": {**pod["spec"], "restartPolicy": "Never"}
        }}}}},
        ("v1", "Pod"): {"spec": pod["spec"]},
        ("v1", "PersistentVolumeClaim"): {"spec": claim},
        ("v1", "Service"): {"spec": {"ports": [{"port": 80}], "selector": {"app": "x"}}},
        ("v1", "ServiceAccount"): {},
        ("v1", "ConfigMap"): {"data": {"a": "b"}},
        ("v1", "Secret"): {"stringData": {"a": "b"}, "data": {"c": "ZA=="}},
        ("v1", "ResourceQuota"): {"spec": {"hard": {"pods": "100", "requests.cpu": "1000m"}}},
        ("v1", "LimitRange"): {"spec": {"limits": [{"type": "Container", "default": {"cpu": "1000m"}}]}},
        ("networking.k8s.io/v1", "Ingress"): {"spec": {"rules": [{"http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": backend}
        ]}}]}},
        ("networking.k8s.io/v1", "NetworkPolicy"): {"spec": {"podSelector": {}}},
        ("policy/v1", "PodDisruptionBudget"): {"spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "x"}}}},
        ("autoscaling/v2", "HorizontalPodAutoscaler"): {"spec": {"scaleTargetRef": target, "maxReplicas": 3}},
        ("rbac.authorization.k8s.io/v1", "ClusterRole"): {"rules": []},
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): {
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"{bed.corner}-x"},
            "subjects": [{"kind": "ServiceAccount", "name": "x", "namespace": bed.corner}],
        },
        ("storage.k8s.io/v1", "StorageClass"): {"provisioner": "example.com/none"},
        ("scheduling.k8s.io/v1", "PriorityClass"): {"value": 1},
        ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"): {"webhooks": [hook]},
        ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"): {"webhooks": [hook]},
    }  # fmt: skip
    wide = ("Cluster", "Storage", "Priority", "Validating", "Mutating")
    return [
        {
            "apiVersion": api, "kind": kind, **json.loads(json.dumps(spec)),
            "metadata": {"name": f"{bed.corner}-x" if kind.startswith(wide) else "x"},
        }
        for (api, kind), spec in specs.items()
    ]  # fmt: skip


def test_what_a_server_adds_to_objects_of_many_kinds_is_no_difference(real: Bed) -> None:
    objects = many_kinds(real)
    real.seconds = 0.1
    with pytest.raises(InstallUnhealthy, match="no controller has seen it"):
        real.deploy(*objects)
    before = real.versions()
    found = real.plan(*objects)
    assert [str(step.identity) for step in found.steps if step.action != "unchanged"] == []
    assert found.is_noop
    assert real.versions() == before
    assert real.deploy(teardown=True).status == "inactive"
