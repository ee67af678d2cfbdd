"""The largest deploy that the limits let through: its messages, its records and its events fit all the same.

Step Functions takes 256 KiB a message, and of what one state assigns; DynamoDB 400 KB an item; EventBridge 256 KiB an
entry until 2026. 200 KiB is ours, so that envelopes have room.
"""

from __future__ import annotations

import secrets
from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from pydantic import TypeAdapter, ValidationError

from byoa.adapters.aws.deploys import DynamoDeploys
from byoa.adapters.aws.installs import DynamoInstalls
from byoa.adapters.aws.rows import Rows
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.cluster import MemoryCluster
from byoa.api.deploys import NAMES_LIMIT, OWNERS_LIMIT, Names, Owners
from byoa.api.installs import Pem
from byoa.builds.messages import Failure
from byoa.installs import bounds, contents, records
from byoa.installs.messages import (
    HISTORY,
    Answered,
    Before,
    Dependent,
    DeployStatusChanged,
    Install,
    ObjectHealth,
)
from byoa.installs.objects import Place
from byoa.installs.ports import Request
from tests.installs.beds import NAMESPACES, config_map, deployment, namespace
from tests.installs.platform import APP, HEAD, INSTALL, ORG, Execution, Platform
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from byoa.installs.messages import Deploy
    from byoa.installs.objects import Object

MESSAGE = 200 * 1024
ITEM = 400 * 1000
TABLE = TEMPLATE["Resources"]["Table"]["Properties"]

LONGEST = "n" * 240
NAMES = [f"Deployment/{'s' * 63}/{number:04d}{LONGEST}" for number in range(100)]
OWNERS = [f"{number:02d}{'o' * 126}" for number in range(20)]
CERTIFICATES = "\n".join(["-" * 64] * 500)
"""As long as the API takes them."""


def _fitting(names: list[str], limit: int) -> list[str]:
    return bounds.fitting(names, 1000, limit - 2)


class Weighing(Execution):
    """An execution that weighs what its states are given, what they answer, and what RecordDeploy is told."""

    def __init__(self, platform: Platform, deploy: Deploy) -> None:
        super().__init__(platform, deploy, "e" * 80)
        self.weights: dict[str, int] = {}

    def _call(self, state: str, model: Any, message: dict[str, Any], function: Any) -> Any:
        answer = super()._call(state, model, message, function)
        for name, found in ((state, message), (f"{state}'s answer", answer)):
            self.weights[name] = max(bounds.length(found), self.weights.get(name, 0))
        return answer


def _platform(cluster: MemoryCluster | None = None) -> Platform:
    platform = Platform(cluster=cluster or MemoryCluster())
    platform.cluster.create(Place(NAMESPACES, "", "corner"), namespace("corner"))
    access = {"kind": "static", "server": "https://k8s.example.com", "ca": CERTIFICATES, "server_name": "a" * 253}
    platform.install(access=access, approval="prompt")
    return platform


def _weighed(platform: Platform, *objects: Object) -> tuple[Deploy, dict[str, int]]:
    """A deploy that is approved with as many names as there can be, and what its second execution weighs."""
    deploy = platform.ask(platform.build(*objects), take_over=tuple(_fitting(OWNERS, OWNERS_LIMIT)))
    first = Weighing(platform, deploy)
    first.run()
    waits = platform.installs.deploy(deploy.id)
    assert waits
    if waits.status != "pending-approval":
        return waits, first.weights
    said = Answered(
        decision="approve", fingerprint=waits.fingerprint or "", names=_fitting(NAMES, NAMES_LIMIT), note="x" * 1000,
        by="tok_2", at_ts=1,
    )  # fmt: skip
    answered = platform.installs.answer(waits, said)
    assert answered
    second = Weighing(platform, answered)
    second.run()
    found = platform.installs.deploy(deploy.id)
    assert found
    return found, second.weights


def _too_heavy(weights: dict[str, int]) -> dict[str, int]:
    return {name: weight for name, weight in weights.items() if weight > MESSAGE}


def _named(number: int, found: Object) -> Object:
    return {**found, "metadata": {**found["metadata"], "name": f"{number:04d}{LONGEST}"}}


# ---- what people say -------------------------------------------------------------------------------------------------


def test_what_is_said_of_a_deploy_has_a_limit_in_bytes_and_not_in_characters() -> None:
    assert TypeAdapter(Names).validate_python(_fitting(NAMES, NAMES_LIMIT))
    assert TypeAdapter(Owners).validate_python(_fitting(OWNERS, OWNERS_LIMIT))
    assert TypeAdapter(Pem).validate_python(CERTIFICATES)
    assert len(CERTIFICATES) > 32_000
    for kind, value in ((Names, ["\x01" * 600] * 10), (Owners, ["😀" * 128] * 4), (Pem, "\n" * 32_000)):
        with pytest.raises(ValidationError, match="at most"):
            TypeAdapter(kind).validate_python(value)


def test_a_list_is_cut_by_its_count_and_by_its_length() -> None:
    assert bounds.fitting(range(100), 3) == [0, 1, 2]
    cut = bounds.fitting(["ä" * 100] * 100, 1000, 4096)
    assert 0 < bounds.length(cut) <= 4096
    assert bounds.fitting(["x" * 5000, "y"], 10, 4096) == [], "what is named stands in its order"


@pytest.mark.parametrize("name", ["x" * 64, "X", "a b", "-a", "a/b", "x" * 30_000, ""])
def test_a_namespace_that_an_input_makes_none_of_is_told_as_such(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.installs.platform.HEAD", HEAD.replace("corner", "{{ .nuon.inputs.inputs.name }}"))
    platform = Platform()
    platform.install(inputs={"name": name})
    found = platform.deploy(config_map("conf"))
    assert found.failure
    assert (found.failure.code, found.failure.where) == ("TemplateInvalid", "namespace")


# ---- messages --------------------------------------------------------------------------------------------------------


def test_many_objects_that_are_refused_leave_room() -> None:
    platform = _platform()
    unknown = {"apiVersion": "vendor.example.com/v1", "kind": "T" * 63, "metadata": {"name": "x"}}
    found, weights = _weighed(platform, *(_named(number, unknown) for number in range(300)))
    assert (found.status, found.failure and found.failure.code) == ("error", "KindUnknown")
    assert weights["PlanInstall's answer"] > bounds.LISTED // 2
    assert _too_heavy(weights) == {}


def test_many_objects_that_fail_leave_room() -> None:
    platform = _platform(MemoryCluster(broken_images=frozenset({"bad"})))
    found, weights = _weighed(platform, *(_named(number, deployment("x", image="bad")) for number in range(60)))
    assert (found.status, found.failure and found.failure.code) == ("error", "InstallUnhealthy")
    assert len(found.health) > 20
    assert weights["ReceiveDeploy's answer"] > 60 * 1024, "names and certificates"
    assert _too_heavy(weights) == {}
    assert 2 * weights["ReceiveDeploy's answer"] < MESSAGE, "it is assigned twice"
    assert weights["CheckHealth's answer"] + weights["RecordDeploy"] < 256 * 1024, "what is seen is assigned beside"


def test_many_objects_that_don_t_go_away_leave_room() -> None:
    platform = _platform()
    held = {"finalizers": ["example.com/hold"]}
    kept = [config_map(f"kept-{number}") for number in range(70)]
    gone = [_named(number, {**config_map("x"), "metadata": held}) for number in range(60)]
    assert _weighed(platform, *kept, *gone)[0].status == "active"
    found, weights = _weighed(platform, *kept)
    assert (found.status, found.counts["delete"]) == ("active", 60)
    assert len(found.left) > 20
    assert _too_heavy(weights) == {}


# ---- the table and the bus -------------------------------------------------------------------------------------------


def _largest(deploy: Deploy) -> Deploy:
    """A deploy that says all that one can say."""
    clock = SteppingClock()
    for _ in range(HISTORY):
        deploy = records.moved(
            deploy, records.entry("planning", "x" * 512, clock.now(), step="receive", digest="d" * 71)
        )
    failure = Failure(code="InstallUnhealthy", cause="x" * bounds.TEXT, remedy="x" * 512, where="x" * 400)
    health = [{"object": f"{number:04d}{LONGEST}", "state": "progressing", "reason": "x" * 300} for number in range(50)]
    left = [[f"{number:04d}{LONGEST}", "x" * 300] for number in range(50)]
    said = Answered(
        decision="approve", fingerprint="plan-1", names=_fitting(NAMES, NAMES_LIMIT), note="x" * 1000, at_ts=1
    )
    return records.failed(
        deploy, failure, clock.now(), answered=said, take_over=_fitting(OWNERS, OWNERS_LIMIT), fingerprint="p" * 128,
        needs=bounds.fitting(NAMES, 20), health=[ObjectHealth(**each) for each in bounds.fitting(health, 50)],
        left=bounds.fitting(left, 50),
    )  # fmt: skip


def test_a_deploy_and_its_plan_and_its_install_fit_into_their_items_and_its_events_onto_the_bus() -> None:
    with mock_aws(), closing(boto3.client("dynamodb", "us-east-1")) as client:
        client.create_table(
            TableName="table",
            BillingMode="PAY_PER_REQUEST",
            **{name: TABLE[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")},
        )
        deploys = DynamoDeploys(ORG, Rows(client, "table"), SteppingClock())
        fields = {
            "organisation": ORG,
            "app": APP,
            "id": INSTALL,
            "name": "n" * 63,
            "created_at_ts": 1,
            "updated_at_ts": 1,
        }
        access = {"kind": "static", "server": "https://k8s.example.com", "ca": CERTIFICATES}
        inputs = {f"{number:03d}": "é" * 150 for number in range(200)}
        install = Install.model_validate({**fields, "access": access, "inputs": inputs, "follow": ["f" * 63] * 100})
        installs = DynamoInstalls(deploys)
        assert installs.create(install)
        asked = Request("apply", "bld" + "a" * 23, 1, waits_for=tuple(_before()), dependents=tuple(_dependents()))
        deploy = installs.release(installs.ask(install, "web", asked).key, None)
        assert deploy
        deploys.begin(deploy.key, "e" * 80)
        plan = contents.pack(_plan())
        ended = deploys.finish(deploy.key, "e" * 80, lambda found, part: (_largest(found), part), plan)
        assert ended
        items = client.scan(TableName="table")["Items"]
    sizes = {item["sk"]["S"]: _in_the_table({"M": item}) for item in items}
    assert max(sizes.values()) > 200_000
    assert {name: size for name, size in sizes.items() if size > ITEM} == {}
    told = {name: value for name, value in ended.model_dump().items() if name in DeployStatusChanged.model_fields}
    changed = DeployStatusChanged.model_validate({**told, "changed_at_ts": 1})
    assert len(changed.model_dump_json()) < MESSAGE


def _in_the_table(value: Any) -> int:
    """The bytes of an attribute's value, as DynamoDB counts them (developer guide, "Item sizes and formats")."""
    ((kind, found),) = value.items()
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _in_the_table(each) for name, each in found.items())
    if kind == "L":
        return 3 + sum(1 + _in_the_table(each) for each in found)
    return 1 if kind in {"BOOL", "NULL"} else 21 if kind == "N" else len(found.encode())


def _before() -> list[Before]:
    """As many as a deploy waits for, each with the longest name."""
    return [
        Before(component=f"{number:03d}{'c' * 60}", number=9_999_999_999, id="dpl" + "a" * 23)
        for number in range(bounds.WAITED)
    ]


def _dependents() -> list[Dependent]:
    """As much as a deploy has behind it."""
    names = [f"{number:03d}{'c' * 60}" for number in range(80)]
    found = [
        {"component": name, "build_id": "bld" + "a" * 23, "config_version": 10**9, "after": names[:15]}
        for name in names
    ]
    kept = bounds.fitting(found, 200, bounds.DEPENDENTS)
    assert len(kept) > 70
    return [Dependent.model_validate(each) for each in kept]


def _plan(errors: int = 5000, needs: int = 400) -> dict[str, Any]:
    """A plan whose names are as long as they can be, with nothing in common that could be packed."""
    names = iter([secrets.token_hex(120) for _ in range(errors + needs)])
    faults = [{"code": "KindUnknown", "cause": next(names), "remedy": "", "where": "x"} for _ in range(errors)]
    return {
        "plan": "p", "counts": {}, "objects": [{"object": "a", "changes": []}] * 3,
        "errors": faults, "needs": [next(names) for _ in range(needs)],
    }  # fmt: skip


@pytest.mark.parametrize(("errors", "needs"), [(5000, 400), (0, 400), (0, 5000), (2, 5000)])
def test_a_plan_of_which_nothing_packs_well_is_cut_and_says_so(errors: int, needs: int) -> None:
    found = _plan(errors, needs)
    text = contents.pack(found)
    assert len(text) <= contents.KEPT
    kept = contents.unpack(text)
    assert kept["more"] == len(found["objects"]) + errors - len(kept["objects"]) - len(kept["errors"])
    assert kept["needs"] == found["needs"] if needs < 1000 else 0 < len(kept["needs"]) < needs
