"""Loads on installs: plans and applies of whole processes beside kubectl, against one real API server.

Objects are of kinds that are healthy once they are there: nothing runs, so that neither tool waits for pods.
"""

from __future__ import annotations

import itertools
import shlex
import shutil
import subprocess
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import yaml

from bench.figures import OURS, Figure, Load, Run
from bench.measuring import compare
from bench.tools import environment, program
from byoa.installs.access import read_kubeconfig
from byoa.installs.objects import Kind, Place
from tests.kubernetes import MISSING, api_server, is_here, reached

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bench.stand import Stand

OBJECTS: Final = (25, 59, 300)
GOALS: Final = {"plan": 0.7, "apply": 0.7, "no-op": 0.3}
NAMES: Final = tuple(f"install, {what} of {count}" for count in OBJECTS for what in GOALS)

_KUBECTL: Final = "kubectl"
_ROUNDS: Final = 7
FLAT_MIB: Final = 24.0
"""What 300 objects may take more than 25."""

_NAMESPACES: Final = Kind("", "v1", "Namespace", "namespaces", namespaced=False)


def installs(stand: Stand) -> list[Load]:
    """Seconds and peaks of plan, apply from nothing, and apply of what is there already."""
    if not is_here():
        return [Load(name, [Figure(OURS, None, note=MISSING)], GOALS[name.split()[1]]) for name in NAMES]
    with ExitStack() as stack:
        folder = stand.folder / "installs"
        folder.mkdir()
        server = stack.enter_context(api_server(folder))
        admin = stack.enter_context(reached(read_kubeconfig(server.kubeconfig(folder).read_text())))

        def make(name: str) -> None:
            document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            admin.create(Place(_NAMESPACES, "", name), document)

        sets = [_Set(stand, folder, count, make).loads() for count in stand.sizes.installs]
        return with_memory(list(itertools.chain.from_iterable(sets)))


class _Set:
    """So many objects, as an artifact and as a file, and namespaces that they are new to."""

    def __init__(self, stand: Stand, folder: Path, count: int, make: Callable[[str], None]) -> None:
        self._stand = stand
        self._folder = folder
        self._count = count
        self._make = make
        self._numbers = itertools.count(1)
        self._file = folder / f"{count}.yaml"
        self._file.write_text(yaml.safe_dump_all(objects(count)))
        self._artifact = f"oci-layout:{folder / f'layout-{count}'}:v1"
        push = [str(program()), "push", self._artifact, str(self._file), "--reproducible"]
        subprocess.run(push, env=environment(folder), check=True, capture_output=True, cwd=folder)

    def loads(self) -> list[Load]:
        """The three of them."""
        there = {tool: self._namespace() for tool in _tools()}
        for tool, namespace in there.items():
            self._take(self._apply(tool, namespace))
        runs: dict[str, Callable[[str], Run]] = {
            "plan": lambda tool: self._take(self._plan(tool, self._namespace())),
            "apply": lambda tool: self._take(self._apply(tool, self._namespace())),
            "no-op": lambda tool: self._take(self._apply(tool, there[tool])),
        }
        rounds = self._stand.times(_ROUNDS)
        return [
            Load(f"install, {what} of {self._count}", compare(_tools(), rounds, run), GOALS[what])
            for what, run in runs.items()
        ]

    def _namespace(self) -> str:
        name = f"bench-{self._count}-{next(self._numbers)}"
        self._make(name)
        return name

    def _take(self, command: Sequence[str]) -> Run:
        taken = self._stand.clock([command])
        return Run(taken.seconds, taken.rss_mib, None, taken.disturbed)

    def _plan(self, tool: str, namespace: str) -> list[str]:
        if tool == OURS:
            return self._ours("plan", namespace)
        line = shlex.join(self._kubectl("diff", namespace))
        return ["/bin/sh", "-c", f"{line} > /dev/null; test $? -le 1"]  # it ends with 1 where something differs

    def _apply(self, tool: str, namespace: str) -> list[str]:
        return self._ours("apply", namespace, "--yes") if tool == OURS else self._kubectl("apply", namespace)

    def _ours(self, verb: str, namespace: str, *more: str) -> list[str]:
        where = ["--kubeconfig", str(self._folder / "kubeconfig"), "--keep-in", namespace, "-n", namespace]
        whose = ["--install", namespace, "--component", "bench"]
        return [str(program()), "install", verb, self._artifact, *where, *whose, *more]

    def _kubectl(self, verb: str, namespace: str) -> list[str]:
        where = ["--kubeconfig", str(self._folder / "kubeconfig"), "-n", namespace]
        return [str(shutil.which(_KUBECTL)), verb, "--server-side", *where, "-f", str(self._file)]


def with_memory(loads: Sequence[Load]) -> list[Load]:
    """The loads, each with the further goal that it takes hardly more memory than the one that takes the least."""
    least = min((load.ours.rss_mib for load in loads if load.ours and load.ours.rss_mib), default=0.0)
    return [
        replace(load, further=(load.ours.rss_mib - least <= FLAT_MIB,)) if load.ours and load.ours.rss_mib else load
        for load in loads
    ]


def objects(count: int) -> list[dict[str, Any]]:
    """So many objects of twelve kinds in turn, each a little different."""
    return [_KINDS[number % len(_KINDS)](f"bench-{number:03}") for number in range(count)]


def _tools() -> list[str]:
    return [OURS, *([_KUBECTL] if shutil.which(_KUBECTL) else [])]


def _object(api: str, kind: str, name: str, **rest: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON data
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "labels": {"app": name}}, **rest}


def _pod(name: str) -> dict[str, Any]:
    container = {"name": "main", "image": "registry.example.com/web:1", "env": [{"name": "NAME", "value": name}]}
    return {"metadata": {"labels": {"app": name}}, "spec": {"restartPolicy": "Never", "containers": [container]}}


_RBAC: Final = "rbac.authorization.k8s.io"
_KINDS: Final[tuple[Callable[[str], dict[str, Any]], ...]] = (
    lambda name: _object("v1", "ConfigMap", name, data={f"key-{n}": name * 8 for n in range(8)}),
    lambda name: _object("v1", "Secret", name, stringData={"token": name * 4}),
    lambda name: _object("v1", "ServiceAccount", name),
    lambda name: _object("v1", "Service", name, spec={
        "clusterIP": "None", "selector": {"app": name}, "ports": [{"port": 80}],
    }),
    lambda name: _object("batch/v1", "Job", name, spec={"suspend": True, "template": _pod(name)}),
    lambda name: _object("batch/v1", "CronJob", name, spec={
        "schedule": "@daily", "jobTemplate": {"spec": {"template": _pod(name)}},
    }),
    lambda name: _object(f"{_RBAC}/v1", "Role", name, rules=[
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"], "resourceNames": [name]},
    ]),
    lambda name: _object(f"{_RBAC}/v1", "RoleBinding", name, subjects=[{"kind": "ServiceAccount", "name": name}],
                         roleRef={"apiGroup": _RBAC, "kind": "ClusterRole", "name": "view"}),
    lambda name: _object("networking.k8s.io/v1", "NetworkPolicy", name, spec={"podSelector": {}}),
    lambda name: _object("networking.k8s.io/v1", "Ingress", name, spec={"rules": [{"http": {"paths": [{
        "path": "/", "pathType": "Prefix", "backend": {"service": {"name": name, "port": {"number": 80}}},
    }]}}]}),
    lambda name: _object("policy/v1", "PodDisruptionBudget", name, spec={
        "minAvailable": 1, "selector": {"matchLabels": {"app": name}},
    }),
    lambda name: _object("autoscaling/v2", "HorizontalPodAutoscaler", name, spec={
        "maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
    }),
)  # fmt: skip
