"""Installs on the desk: the mirror is pulled, planned, applied to the desk's cluster, pruned and watched by the stack."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.aws.deploys import DynamoDeploys
from byoa.adapters.aws.installs import DynamoInstalls
from byoa.adapters.aws.rows import Rows
from byoa.adapters.memory.clocks import SystemClock
from byoa.bootstrap import terminal
from byoa.installs.access import Access
from byoa.installs.messages import Install
from byoa.installs.objects import Kind, Place
from byoa.installs.ports import Request
from local.desk import APP, ORGANISATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.builds.messages import Build
    from byoa.installs.messages import Deploy
    from byoa.installs.objects import Object
    from byoa.installs.ports import Cluster
    from tests.e2e.conftest import Pipeline

pytestmark = pytest.mark.emulator

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps", namespaced=True)
SECRETS = Kind("", "v1", "Secret", "secrets", namespaced=True)
_NUMBERS = itertools.count(1)

CANARY = "canary-that-no-record-shows"


def manifest(**objects: str) -> str:
    """ConfigMaps of the namespace vendor, each with one value, and one Secret."""
    text = "".join(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{value: '{value}'}}\n---\n"
        for name, value in objects.items()
    )
    return f'manifest = """\n{text}apiVersion: v1\nkind: Secret\nmetadata: {{name: keys}}\nstringData: {{a: {CANARY}}}\n"""\n'


class Stack:
    """The deployed stack, an install of it, and the desk's cluster."""

    def __init__(self, pipeline: Pipeline, table: Any) -> None:
        self.pipeline = pipeline
        name = pipeline.desk.outputs["TableName"]
        self.installs = DynamoInstalls(DynamoDeploys(ORGANISATION, Rows(table, name), SystemClock()))
        ports = pipeline.desk.ports
        ca = pipeline.desk.cluster_ca.read_text()
        self.access = Access("127.0.0.1", ports.cluster, ca, ports.cluster_token)
        self.cluster: Cluster = terminal.cluster(self.access)

    def install(self, *, token: str | None = None, **settings: Any) -> Install:
        """One whose cluster is the desk's, in a namespace of its own."""
        number = next(_NUMBERS)
        identity = "inl" + chr(ord("a") + number) * 23
        way = {"kind": "static", "server": self.pipeline.desk.cluster, "ca": self.access.ca, "private": True}
        fields = {"organisation": ORGANISATION, "app": APP, "id": identity, "name": f"i{number}", "access": way}
        usual = {"approval": "approve-all", "created_at_ts": 1, "updated_at_ts": 1}
        found = Install.model_validate({**fields, **usual, **settings})
        assert self.installs.create(found)
        secret = json.dumps({"token": token or self.access.token})
        tags = [{"Key": "org_id", "Value": ORGANISATION}]
        name = f"byoa-clusters/{ORGANISATION}/{identity}"
        self.pipeline.call("secretsmanager", "create_secret", Name=name, SecretString=secret, Tags=tags)
        return found

    def build(self, component: str, text: str) -> Build:
        build = self.pipeline.wait(self.pipeline.submit(component, text).build)
        assert build.status == "active", build
        return build

    def ask(self, install: Install, build: Build | None, component: str, **request: Any) -> Deploy:
        wanted = {"operation": "apply", "build_id": build.build_id if build else None, "by": "tok_1", **request}
        return self.installs.ask(install, component, Request(**wanted))

    def wait(self, deploy: Deploy, *until: str, seconds: float = 60) -> Deploy:
        deadline = time.monotonic() + seconds
        while True:
            found = self.installs.deploy(deploy.id)
            assert found
            if found.ended or found.status in until:
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.2)

    def get(self, name: str, kind: Kind = CONFIG_MAPS) -> Object | None:
        return self.cluster.get(Place(kind, "vendor", name))


@pytest.fixture(scope="module")
def stack(enforced: Pipeline) -> Iterator[Stack]:
    with contextlib.closing(enforced.desk.client("dynamodb")) as table:
        yield Stack(enforced, table)


def test_the_whole_way_with_the_roles_enforced(stack: Stack) -> None:
    install = stack.install()
    first = stack.build(
        "whole", manifest(whole_a="1".replace("_", "-"), **{"whole-b": "1"}).replace("whole_a", "whole-a")
    )
    done = stack.wait(stack.ask(install, first, "whole"))
    if done.status != "active":
        import subprocess

        print([h.status_human_description for h in done.history])
        print(
            subprocess.run(
                f"ls {stack.pipeline.folder}; grep -h -iE 'refused|denied|not authorized' {stack.pipeline.folder}/*.log {stack.pipeline.folder}/*/*.log| tail -20",
                shell=True,
                capture_output=True,
                text=True,
            ).stdout[-6000:]
        )
    assert done.status == "active", done.failure
    assert done.counts == {"create": 3, "change": 0, "recreate": 0, "delete": 0, "unchanged": 0}
    assert stack.get("whole-a")
    second = stack.build("whole", manifest(**{"whole-a": "2", "whole-c": "1"}))
    done = stack.wait(stack.ask(install, second, "whole"))
    assert (done.status, done.counts) == (
        "active", {"create": 1, "change": 1, "recreate": 0, "delete": 1, "unchanged": 1},
    )  # fmt: skip
    assert stack.get("whole-b") is None
    shown = json.dumps([done.model_dump(), stack.installs.contents(done)])
    assert CANARY not in shown
    assert stack.wait(stack.ask(install, second, "whole")).status == "noop"
