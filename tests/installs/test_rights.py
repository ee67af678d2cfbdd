"""The least that an install has to be allowed: what is printed suffices, and each part of it is missed by name."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from byoa.adapters.memory.cluster import MemoryCluster
from byoa.errors import ByoaError, ClusterForbidden
from byoa.installs.access import read_kubeconfig
from byoa.installs.builtin import BUILTIN
from byoa.installs.cluster import EVERYTHING, Right, Rule
from byoa.installs.granting import Grantee, grants
from byoa.installs.kinds import know_kinds
from byoa.installs.normalising import normalise
from byoa.installs.objects import Place, uid_of
from byoa.installs.rights import lacking, of_objects, told
from tests.installs.beds import (
    CONFIG_MAPS,
    NAMESPACES,
    Bed,
    config_map,
    definition,
    job,
    namespace,
    real_time,
    role,
    secret,
    service,
    widget,
)
from tests.kubernetes import STRANGER, Server, reached
from tests.terminal import byoa

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from byoa.adapters.kubernetes.cluster import KubernetesCluster
    from byoa.installs.objects import Object

RBAC = "rbac.authorization.k8s.io"
KINDS = {kind.type: kind for kind in BUILTIN}


def everything(corner: str) -> list[Object]:
    """Namespaced objects and others, roles, and a binding of a role that is the cluster's."""
    own = {"apiGroup": RBAC, "kind": "Role", "name": "web"}
    admin = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"}
    account = [{"kind": "ServiceAccount", "name": "web", "namespace": corner}]
    claim = {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
        "spec": {"storageClassName": f"{corner}-late", "accessModes": ["ReadWriteOnce"],
                 "resources": {"requests": {"storage": "1Gi"}}},
    }  # fmt: skip
    late = {
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": f"{corner}-late"},
        "provisioner": "example.com/none", "volumeBindingMode": "WaitForFirstConsumer",
    }  # fmt: skip
    watching = {**role("web"), "rules": [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "watch"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get"], "resourceNames": ["web"]},
    ]}  # fmt: skip
    return [
        namespace(corner), definition(corner), widget(corner, "one"), config_map("conf"), secret("keys", token="x"),
        service("web"), job("once", suspend=True), watching, claim, late,
        {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": {"name": "own"}, "roleRef": own,
         "subjects": account},
        {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": {"name": "admin"}, "roleRef": admin,
         "subjects": account},
    ]  # fmt: skip


def granted(bed: Bed, objects: list[Object]) -> list[Object]:
    """What is printed for them, for the user that nothing else is granted to."""
    wanted, faults = normalise(objects, know_kinds(BUILTIN, objects), bed.owner)
    assert not faults
    found = grants(wanted, bed.owner, Grantee("installers"), bed.shelf.rights)
    user = {"apiGroup": RBAC, "kind": "User", "name": "stranger"}
    return [{**each, "subjects": [user]} if "subjects" in each else each for each in found]


def apply_all(cluster: Any, found: list[Object]) -> None:
    for each in found:
        kind = KINDS[each["apiVersion"].rpartition("/")[0], each["kind"]]
        about = each["metadata"]
        place = Place(kind, about.get("namespace", ""), about["name"])
        cluster.apply(place, each, force=True, manager="administrator")


@pytest.fixture
def poor(server: Server, tmp_path: Path) -> Iterator[KubernetesCluster]:
    with reached(read_kubeconfig(server.kubeconfig(tmp_path, STRANGER).read_text())) as found:
        yield found


def rights_of(found: list[Object]) -> list[tuple[Object, int, str]]:
    """Each right by itself: a role, the number of its rule, and a verb."""
    return [
        (each, number, verb)
        for each in found
        for number, rule in enumerate(each.get("rules", ()))
        for verb in rule["verbs"]
    ]


def without(found: Object, number: int, verb: str) -> Object:
    rules = json.loads(json.dumps(found["rules"]))
    rules[number]["verbs"].remove(verb)
    return {**found, "rules": [rule for rule in rules if rule["verbs"]]}


def one_of(found: Object, number: int, verb: str) -> Right:
    rule = found["rules"][number]
    name = rule.get("resourceNames", [""])[0]
    namespace = found["metadata"].get("namespace", "")
    return Right(verb, rule["apiGroups"][0], rule["resources"][0], namespace, name)


def await_(met: Any) -> Any:
    """The server's authorizer hears of roles a moment later."""
    until = time.monotonic() + 20
    while not (found := met()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def test_what_is_printed_is_enough_and_each_part_of_it_is_missed_before_a_write(
    real: Bed, poor: KubernetesCluster
) -> None:
    """Over a real API server's RBAC: 40 rights, each of them taken away once."""
    mine = f"{real.corner}-own"
    bed = Bed(poor, mine, real_time(), 20.0)
    objects = everything(mine)
    found = granted(bed, objects)
    apply_all(real.cluster, found)
    shown = {each["kind"] for each in found}
    assert shown == {"Namespace", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
    await_(lambda: allowed(bed, objects))
    assert not bed.plan(*objects, rights=bed.shelf.rights).faults
    listed = rights_of(found)
    assert len(listed) >= 40
    unmissed = [
        (each["kind"], each["metadata"].get("namespace"), each["rules"][number], verb)
        for each, number, verb in listed
        if not is_missed(real, bed, objects, (each, without(each, number, verb)), one_of(each, number, verb))
    ]
    assert unmissed == []
    await_(lambda: allowed(bed, objects))
    assert bed.shelf.read() is None, "nothing was written until now"
    assert bed.deploy(*objects, rights=bed.shelf.rights).status == "active"
    assert bed.deploy(*objects, rights=bed.shelf.rights).status == "noop"
    rest = [each for each in objects if each["metadata"]["name"] not in {"conf", "one"}]
    assert bed.deploy(*rest, rights=bed.shelf.rights).plan.counts["delete"] == 2


def allowed(bed: Bed, objects: list[Object]) -> bool:
    try:
        bed.shelf.read()
        return not bed.plan(*objects, rights=bed.shelf.rights).faults
    except ClusterForbidden:
        return False


def is_missed(real: Bed, bed: Bed, objects: list[Object], roles: tuple[Object, Object], right: Right) -> bool:
    """Whether a plan, or reading what is remembered, says so when a right is gone; it is granted again then.

    ``roles`` are the role with it and without.
    """
    apply_all(real.cluster, [roles[1]])
    await_(lambda: not bed.cluster.may(right))
    try:
        bed.shelf.read()
        faults: tuple[ByoaError, ...] = bed.plan(*objects, rights=bed.shelf.rights).faults
    except ClusterForbidden as error:
        faults = (error,)
    apply_all(real.cluster, [roles[0]])
    await_(lambda: bed.cluster.may(right))
    return any(isinstance(fault, ClusterForbidden) for fault in faults)


def test_all_that_is_missing_is_one_fault_that_names_it(memory: Bed) -> None:
    assert isinstance(memory.cluster, MemoryCluster)
    memory.cluster.denied = {
        Right("delete", "", "configmaps", memory.corner), Right("list", "", "pods", memory.corner),
        Right("update", "", "configmaps", "default", memory.shelf.place.name),
    }  # fmt: skip
    (fault,) = memory.plan(config_map("a"), job("x"), rights=memory.shelf.rights).faults
    assert fault.cause == (
        f"The login may not delete configmaps in namespace {memory.corner}; list pods in namespace {memory.corner}; "
        f"update configmaps {memory.shelf.place.name} in namespace default."
    )
    with pytest.raises(ClusterForbidden):
        memory.deploy(config_map("a"), job("x"), rights=memory.shelf.rights)
    assert memory.get(CONFIG_MAPS, "a") is None


def test_where_nothing_is_to_do_nothing_is_asked(memory: Bed) -> None:
    memory.deploy(config_map("a"))
    assert isinstance(memory.cluster, MemoryCluster)
    memory.cluster.denied = {Right("delete", "", "configmaps", memory.corner)}
    assert memory.plan(config_map("a")).is_noop
    assert memory.plan(config_map("a"), config_map("b")).faults
    assert not memory.plan(config_map("a"), config_map("b"), looking=True).faults, "who looks for drift writes nothing"


def test_deleting_takes_a_right_only_where_something_is_deleted_without_approval() -> None:
    bed = Bed(MemoryCluster(), "corner")
    bed.cluster.create(bed.place(NAMESPACES, "corner"), namespace("corner"))
    wanted, _ = normalise(everything("corner"), know_kinds(BUILTIN, everything("corner")), bed.owner)
    deleted = {right.resource for right in of_objects(wanted) if right.verb == "delete"}
    assert not deleted & {"namespaces", "customresourcedefinitions", "persistentvolumeclaims"}
    assert "configmaps" in deleted


class Telling:
    """A cluster that tells rules of a namespace, and answers what they don't cover."""

    def __init__(self, *rules: Rule, may: set[Right] | None = None) -> None:
        self.told, self.allowed, self.asked = rules, may or set(), list[Right]()

    def rules(self, namespace: str) -> tuple[Rule, ...]:
        return self.told

    def may(self, right: Right) -> bool:
        self.asked.append(right)
        return right in self.allowed


def rule(verbs: str, resources: str, *names: str) -> Rule:
    return Rule(frozenset(verbs.split()), frozenset({""}), frozenset(resources.split()), frozenset(names))


def test_what_the_rules_cover_isn_t_asked_for_and_the_rest_is() -> None:
    """EKS' access policies have no rules to tell."""
    get, other = Right("get", "", "configmaps", "a"), Right("get", "", "secrets", "a")
    cluster = Telling(rule("get list", "configmaps"), may={other})
    assert lacking(cluster, {get, other}) == []  # type: ignore[arg-type] # what of a cluster is asked
    assert cluster.asked == [EVERYTHING, other]
    assert lacking(Telling(rule("get", "*")), {get, other}) == []  # type: ignore[arg-type]
    assert lacking(Telling(rule("get", "secrets", "one")), {other}) == [other]  # type: ignore[arg-type]
    named = other._replace(name="one")
    assert lacking(Telling(rule("get", "secrets", "one")), {named}) == []  # type: ignore[arg-type]
    assert lacking(Telling(may={EVERYTHING}), {get, other}) == []  # type: ignore[arg-type]


def test_of_very_many_rights_some_are_told_and_the_others_counted() -> None:
    missing = [Right("get", "", f"r{number:02}", "a") for number in range(25)]
    assert told(missing).cause.endswith("get r19 in namespace a; and 5 more.")


# ---- the table of kinds, and the command -------------------------------------------------------------------------


def test_the_table_of_kubernetes_own_kinds_is_as_a_server_tells_them(cluster: KubernetesCluster) -> None:
    served = set(cluster.kinds())
    assert set(BUILTIN) <= served
    own = {kind for kind in served if "." not in kind.group or kind.group.endswith(".k8s.io")}
    assert {kind.type for kind in own} - {kind.type for kind in BUILTIN} <= {("events.k8s.io", "Event")}


MANIFESTS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: "{{ .nuon.install.name }}"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: main, image: x}]}}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: shop-high}
value: 1
"""


def test_a_folder_s_rights_are_printed_as_yaml_that_kubectl_takes(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text(MANIFESTS)
    code, printed, _ = byoa("install", "rbac", str(tmp_path), "--install", "shop", "--component", "web", "-n", "prod")
    assert code == 0
    found = list(yaml.safe_load_all(printed))
    assert [(each["kind"], each["metadata"].get("namespace")) for each in found] == [
        ("ServiceAccount", "default"), ("ClusterRole", None), ("ClusterRoleBinding", None),
        ("Role", "default"), ("RoleBinding", "default"), ("Role", "prod"), ("RoleBinding", "prod"),
        ("Role", "shop"), ("RoleBinding", "shop"),
    ]  # fmt: skip
    assert found[1]["rules"] == [
        {"apiGroups": ["scheduling.k8s.io"], "resources": ["priorityclasses"], "verbs": ["create"]},
        {
            "apiGroups": ["scheduling.k8s.io"], "resources": ["priorityclasses"], "resourceNames": ["shop-high"],
            "verbs": ["get", "patch", "delete"],
        },
    ]  # fmt: skip
    assert found[2]["subjects"] == [{"kind": "ServiceAccount", "name": "byoa", "namespace": "default"}]
    code, printed, _ = byoa(
        "install", "rbac", str(tmp_path), "--install", "shop", "--component", "web", "--group", "ops", "--json"
    )
    subjects = [each["subjects"] for each in json.loads(printed)["objects"] if "subjects" in each]
    assert subjects[0] == [{"apiGroup": RBAC, "kind": "Group", "name": "ops"}]


def test_of_a_kind_that_nobody_defines_a_cluster_has_to_be_asked(tmp_path: Path, desk_cluster: Any, desk: Bed) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "app.yaml").write_text(json.dumps(widget(desk.corner, "one")))
    arguments = ("install", "rbac", str(tmp_path / "app"), "--install", "shop", "--component", "web")
    code, _, said = byoa(*arguments)
    assert code == 1
    assert "Name a cluster that has it" in said
    desk.deploy(definition(desk.corner))
    (tmp_path / "kubeconfig").write_text(desk_cluster.kubeconfig())
    code, printed, _ = byoa(*arguments, "--kubeconfig", str(tmp_path / "kubeconfig"))
    assert code == 0
    assert f"- {desk.corner}.example.com" in printed


def test_a_namespace_that_is_not_there_takes_the_right_to_make_it(memory: Bed) -> None:
    assert isinstance(memory.cluster, MemoryCluster)
    memory.cluster.denied = {Right("create", "", "namespaces")}
    (fault,) = memory.plan(namespace("fresh")).faults
    assert fault.cause == "The login may not create namespaces."
    assert memory.plan(namespace(memory.corner)).faults == ()


def test_a_deleted_object_s_kind_is_asked_for_even_where_the_artifact_has_none_of_it(memory: Bed) -> None:
    memory.deploy(config_map("a"), config_map("b"), service("web"))
    assert isinstance(memory.cluster, MemoryCluster)
    memory.cluster.denied = {Right("delete", "", "services", memory.corner)}
    (fault,) = memory.plan(config_map("a"), config_map("b")).faults
    assert fault.cause == f"The login may not delete services in namespace {memory.corner}."
    found = memory.get(CONFIG_MAPS, "a")
    assert found
    assert uid_of(found)
