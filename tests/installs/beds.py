"""Clusters to install to: the one in memory, and a real API server. A test gets a corner of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from byoa.adapters.kubernetes.cluster import KubernetesCluster, _path
from byoa.adapters.memory.clocks import PlayedTime, Stopwatch
from byoa.adapters.memory.cluster import MemoryCluster
from byoa.installs.apply import Work
from byoa.installs.deploy import Approval, deploy
from byoa.installs.normalising import Owner
from byoa.installs.objects import Identity, Kind, Object, Place
from byoa.installs.plan import Task, plan
from byoa.installs.shelves import ConfigMapShelf

if TYPE_CHECKING:
    from byoa.installs.cluster import Cluster
    from byoa.installs.plans import Plan
    from byoa.installs.record import Outcome

NAMESPACES = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps", namespaced=True)
SECRETS = Kind("", "v1", "Secret", "secrets", namespaced=True)
SERVICES = Kind("", "v1", "Service", "services", namespaced=True)
DEPLOYMENTS = Kind("apps", "v1", "Deployment", "deployments", namespaced=True)
JOBS = Kind("batch", "v1", "Job", "jobs", namespaced=True)
DEFINITIONS = Kind(
    "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False
)


@dataclass(slots=True)
class Bed:
    """A cluster, and an install's component in it whose objects are in the namespace ``corner``."""

    cluster: Cluster
    corner: str
    clock: Any = field(default_factory=PlayedTime)
    seconds: float = 60.0
    digest: str = "sha256:one"
    install: str = ""
    component: str = "web"

    @property
    def owner(self) -> Owner:
        return Owner(self.install or self.corner, self.component, self.corner)

    @property
    def shelf(self) -> ConfigMapShelf:
        return ConfigMapShelf(self.cluster, self.owner, "default")

    def task(self, *objects: Object, **settings: Any) -> Task:
        return Task(digest=self.digest, objects=objects, owner=self.owner, **settings)

    def plan(self, *objects: Object, **settings: Any) -> Plan:
        return plan(self.task(*objects, **settings), self.cluster, self.shelf.read())

    def work(self, cluster: Cluster | None = None, **settings: Any) -> Work:
        used = cluster or self.cluster
        shelf = ConfigMapShelf(used, self.owner, "default")
        until = self.clock.now() + self.seconds
        return Work(cluster=used, shelf=shelf, clock=self.clock, until=until, **settings)

    def deploy(
        self, *objects: Object, approve: tuple[str, ...] = (), cluster: Cluster | None = None, **settings: Any
    ) -> Outcome:
        task = self.task(*objects, **settings)
        work = self.work(cluster, take_over=task.take_over)
        return deploy(task, work, Approval(names=frozenset(approve)))

    def get(self, kind: Kind, name: str) -> Object | None:
        return self.cluster.get(Place(kind, self.corner if kind.namespaced else "", name))

    def place(self, kind: Kind, name: str) -> Place:
        return Place(kind, self.corner if kind.namespaced else "", name)

    def edit(self, place: Place, changes: Object, manager: str, part: str = "") -> None:
        """What somebody else does to an object (a merge patch), or to a ``part`` of it, such as its status."""
        if isinstance(self.cluster, MemoryCluster):
            self.cluster.edit(place, changes, manager)
            return
        assert isinstance(self.cluster, KubernetesCluster)
        path = f"{_path(place)}{part}?{urlencode({'fieldManager': manager})}"
        answer = self.cluster._wire.ask("PATCH", path, changes, content_type="application/merge-patch+json")
        assert answer.fine, answer.message

    def versions(self) -> dict[Identity, str]:
        """What each object of the corner is at, but for what others write."""
        tracked = self.shelf.read()
        kinds = {kind.type: kind for kind in reversed(self.cluster.kinds())}
        found: dict[Identity, str] = {}
        for identity in tracked.uids if tracked else ():
            live = self.cluster.get(Place(kinds[identity.group, identity.kind], identity.namespace, identity.name))
            found[identity] = str(live["metadata"]["resourceVersion"]) if live else ""
        kept = self.cluster.get(self.shelf.place)
        found[self.shelf.place.identity] = str(kept["metadata"]["resourceVersion"]) if kept else ""
        return found


def real_time() -> Stopwatch:
    return Stopwatch()


def namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def config_map(name: str, **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name: str, **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def service(name: str, port: Any = 80) -> Object:
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": port}]},
    }  # fmt: skip


def deployment(name: str, *, image: str = "registry.example.com/web:1", replicas: int | None = 2) -> Object:
    spec: Object = {
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "main", "image": image}]},
        },
    }
    spec |= {} if replicas is None else {"replicas": replicas}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def job(name: str, *, image: str = "registry.example.com/job:1", suspend: bool = False) -> Object:
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": image}]}
    return {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
        "spec": {"suspend": suspend, "template": {"spec": pod}},
    }  # fmt: skip


def definition(corner: str, *, fields: tuple[str, ...] = ("size",), status: bool = False) -> Object:
    """Widgets of a group that no other test has."""
    properties = {name: {"type": "string"} for name in fields}
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}
    version: Object = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    version |= {"subresources": {"status": {}}} if status else {}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{corner}.example.com"},
        "spec": {
            "group": f"{corner}.example.com", "scope": "Namespaced", "versions": [version],
            "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
        },
    }  # fmt: skip


def widget(corner: str, name: str, **spec: str) -> Object:
    return {"apiVersion": f"{corner}.example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


def role(name: str) -> Object:
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]
    about = {"name": name}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": about, "rules": rules}


def actions(found: Plan) -> dict[str, str]:
    return {f"{step.identity.kind}/{step.identity.name}": step.action for step in found.steps}
