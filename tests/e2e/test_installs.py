"""Installs on the desk: the stack pulls the mirror, plans, applies to the desk's cluster, prunes and watches."""

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
from byoa.installs.access import Access
from byoa.installs.messages import Answered, Install
from byoa.installs.objects import Kind, Place
from byoa.installs.ports import Request
from byoa.oci.graph import blobs_of
from local.desk import APP, ORGANISATION, damaged_in
from tests.e2e.test_api import bootstrap
from tests.kubernetes import reached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.builds.messages import Build
    from byoa.installs.cluster import Cluster
    from byoa.installs.messages import Deploy
    from byoa.installs.objects import Object
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
    (first, *_) = objects
    secret = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {first}}}\nstringData: {{a: {CANARY}}}\n"
    return f'manifest = """\n{text}{secret}"""\n'


class Stack:
    """The deployed stack, an install of it, and the desk's cluster."""

    def __init__(self, pipeline: Pipeline, table: Any, cluster: Cluster) -> None:
        self.pipeline = pipeline
        name = pipeline.desk.outputs["TableName"]
        self.installs = DynamoInstalls(DynamoDeploys(ORGANISATION, Rows(table, name), SystemClock()))
        ports = pipeline.desk.ports
        ca = pipeline.desk.cluster_ca.read_text()
        self.access = Access("127.0.0.1", ports.cluster, ca, ports.cluster_token)
        self.cluster = cluster

    def install(self, *, token: str | None = None, **settings: Any) -> Install:
        """One whose cluster is the desk's, in a namespace of its own."""
        number = next(_NUMBERS)
        identity = "inl" + chr(ord("a") + number) * 23
        way = {"kind": "static", "server": self.pipeline.desk.cluster, "ca": self.access.ca, "private": True}
        fields = {"organisation": ORGANISATION, "app": APP, "id": identity, "name": f"i{number}", "access": way}
        usual = {"approval": "approve-all", "created_at_ts": 1, "updated_at_ts": 1}
        found = Install.model_validate({**fields, **usual, **settings})
        assert self.installs.create(found)
        secret = json.dumps({"server": way["server"], "token": token or self.access.token})
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

    def next_of(self, install: Install, component: str, number: int, seconds: float = 60) -> Deploy:
        """The component's deploy of that number, as soon as it is asked for."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.installs.deploys(install, component, 1).items
            if found and found[0].number >= number:
                return found[0]
            assert time.monotonic() < deadline, found
            time.sleep(0.2)

    def wait(self, deploy: Deploy, *until: str, seconds: float = 60) -> Deploy:
        deadline = time.monotonic() + seconds
        while True:
            found = self.installs.deploy(deploy.id)
            assert found
            if found.ended or found.status in until:
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.2)

    def left_of(self, install: Install) -> set[str]:
        """The kinds of the table's items whose keys name an install, or a deploy of it."""
        table = self.installs.deploying.rows
        pages = table.client.get_paginator("scan").paginate(TableName=table.table, ConsistentRead=True)
        keys = [item["sk"]["S"] for page in pages for item in page["Items"]]
        ids = {each.id for name in ("ground", "house") for each in self.installs.deploys(install, name, 9).items}
        return {key.partition("#")[0] for key in keys if any(each in key for each in (install.id, *ids))}

    def blobs(self, build: Build) -> list[str]:
        """The digests of what the mirror of a build consists of, its manifest apart."""
        return [str(blob.digest) for blob in blobs_of(self.pipeline.mirrored(build).fetch_manifest(build.build_id))]

    def get(self, name: str, kind: Kind = CONFIG_MAPS) -> Object | None:
        return self.cluster.get(Place(kind, "vendor", name))


@pytest.fixture(scope="module")
def stack(enforced: Pipeline) -> Iterator[Stack]:
    desk = enforced.desk
    access = Access("127.0.0.1", desk.ports.cluster, desk.cluster_ca.read_text(), desk.ports.cluster_token)
    with contextlib.closing(desk.client("dynamodb")) as table, reached(access) as cluster:
        yield Stack(enforced, table, cluster)


def test_the_whole_way(stack: Stack) -> None:
    install = stack.install()
    first = stack.build("whole", manifest(**{"whole-a": "1", "whole-b": "1"}))
    done = stack.wait(stack.ask(install, first, "whole"))
    assert done.status == "active", done.failure
    assert done.counts == {"create": 3, "change": 0, "recreate": 0, "delete": 0, "unchanged": 0}
    second = stack.build("whole", manifest(**{"whole-a": "2", "whole-c": "1"}))
    done = stack.wait(stack.ask(install, second, "whole"))
    assert (done.status, done.counts) == (
        "active", {"create": 1, "change": 1, "recreate": 0, "delete": 1, "unchanged": 1},
    )  # fmt: skip
    assert stack.get("whole-b") is None
    assert CANARY not in json.dumps([done.model_dump(), stack.installs.contents(done)])
    assert stack.wait(stack.ask(install, second, "whole")).status == "noop"


def test_drift_that_the_schedule_finds_is_mended_where_the_install_says_so(stack: Stack) -> None:
    install = stack.install(mend=True)
    build = stack.build("drift", manifest(**{"drift-a": "1"}))
    assert stack.wait(stack.ask(install, build, "drift")).status == "active"
    place = Place(CONFIG_MAPS, "vendor", "drift-a")
    live = stack.cluster.get(place)
    assert live
    stack.cluster.replace(place, {**live, "data": {"value": "by hand"}})
    found = stack.wait(stack.ask(install, None, "drift", operation="drift", cause="schedule"))
    assert (found.status, found.counts["change"]) == ("drift-detected", 1), found.failure
    mended = stack.next_of(install, "drift", found.number + 1)
    assert (stack.wait(mended).status, mended.cause, mended.operation) == ("active", "schedule", "apply")
    assert (stack.get("drift-a") or {})["data"] == {"value": "1"}


def test_a_plan_waits_for_approval_and_an_older_deploy_is_overtaken(stack: Stack) -> None:
    install = stack.install(approval="prompt")
    build = stack.build("asked", manifest(**{"asked-a": "1"}))
    first, second = (stack.ask(install, build, "asked") for _ in range(2))
    waits = stack.wait(second, "pending-approval")
    assert waits.status == "pending-approval", waits.failure
    assert stack.wait(first).status == "cancelled"
    assert stack.get("asked-a") is None
    said = Answered(decision="approve", fingerprint=waits.fingerprint or "", by="tok_2", at_ts=1)
    assert stack.installs.answer(waits, said)
    assert stack.wait(waits).status == "active"
    assert stack.get("asked-a")


def test_a_mirror_whose_bytes_were_changed_since_the_build_is_corrupt_and_nothing_is_written(stack: Stack) -> None:
    install = stack.install()
    build = stack.build("changed", manifest(**{"changed-a": "1"}))
    listed = damaged_in(stack.pipeline.folder)
    listed.write_text("\n".join(stack.blobs(build)))
    try:
        found = stack.wait(stack.ask(install, build, "changed"))
    finally:
        listed.unlink()
    assert (found.status, found.failure and found.failure.code) == ("error", "DigestMismatch"), found
    assert found.counts == {}, "nothing was planned"
    assert (stack.get("changed-a"), stack.get("changed-a", SECRETS)) == (None, None)
    assert stack.wait(stack.ask(install, build, "changed")).status == "active", "as it was built"


def test_a_deploy_whose_execution_is_stopped_from_outside_is_ended_and_its_component_free(stack: Stack) -> None:
    way = {"kind": "static", "server": f"https://127.0.0.1:{stack.pipeline.desk.ports.issuer}", "private": True}
    install, build = stack.install(access=way), stack.build("stopped", manifest(**{"stopped-a": "1"}))
    deploy = stack.wait(stack.ask(install, build, "stopped"), "planning")
    assert deploy.execution
    machine = stack.pipeline.desk.outputs["InstallStateMachineArn"]
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{deploy.execution}"
    stack.pipeline.call("stepfunctions", "stop_execution", executionArn=execution)
    found = stack.wait(deploy)
    assert (found.status, found.failure and found.failure.code) == ("error", "InternalFault"), found
    assert found.failure
    assert "ABORTED" in found.failure.cause
    assert stack.installs.remove(install), "nobody holds its component"


def test_a_followed_component_is_deployed_as_soon_as_it_is_built(stack: Stack) -> None:
    install = stack.install(follow=["followed"])
    build = stack.build("followed", manifest(**{"followed-a": "1"}))
    found = stack.wait(stack.next_of(install, "followed", 1))
    assert (found.status, found.cause, found.build_id) == ("active", "followed", build.build_id), found.failure


def test_what_depends_on_a_followed_component_comes_behind_it_and_goes_before_it(stack: Stack) -> None:
    """A run, a teardown of all by the API, and what is left of the install when it is removed."""
    install = stack.install(follow=["ground"], deploy_dependents=True)
    text = manifest(**{"house-a": "1"})
    stack.build("house", f'dependencies = ["ground"]\n{text}')
    stack.build("ground", manifest(**{"ground-a": "1"}))
    ground, house = (stack.wait(stack.next_of(install, name, 1)) for name in ("ground", "house"))
    assert (ground.status, house.status, house.run) == ("active", "active", ground.id), house.failure
    assert began(house) >= ground.history[-1].created_at_ts
    admin = bootstrap(stack.pipeline, ORGANISATION)
    status, asked = admin.ask("POST", f"/v1/installs/{install.id}/components/teardown-all")
    assert (status, [each["component_id"] for each in asked["deploys"]]) == (201, ["house", "ground"])
    house, ground = (stack.wait(stack.next_of(install, name, 2)) for name in ("house", "ground"))
    assert (house.status, ground.status) == ("inactive", "inactive"), ground.failure
    assert began(ground) >= house.history[-1].created_at_ts
    assert (stack.get("house-a"), stack.get("ground-a")) == (None, None)
    assert admin.ask("DELETE", f"/v1/installs/{install.id}", If_Match="*") == (204, "")
    assert stack.left_of(install) <= {"DEPLOY", "DEPLOYID", "PLAN"}, "what is kept is what was done"
    secrets = stack.pipeline.call("secretsmanager", "list_secrets")["SecretList"]
    assert not [each["Name"] for each in secrets if install.id in each["Name"]]


def began(deploy: Deploy) -> int:
    """When it was let begin."""
    return next(each.created_at_ts for each in deploy.history if each.status == "queued")


def test_a_wrong_token_is_told_as_such_and_an_agent_s_deploy_is_left_to_it(stack: Stack) -> None:
    build = stack.build("wrong", manifest(**{"wrong-a": "1"}))
    agents = stack.ask(stack.install(access={"kind": "agent"}), build, "wrong")
    found = stack.wait(stack.ask(stack.install(token="nobody-s"), build, "wrong"))
    assert (found.status, found.failure and found.failure.code) == ("error", "ClusterForbidden")
    untouched = stack.installs.deploy(agents.id)
    assert untouched
    assert (untouched.status, untouched.execution) == ("queued", None)
