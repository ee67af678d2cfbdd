"""Through our code, with IAM out of the way: whoever a message is of, a function asks for nobody else's things."""

from __future__ import annotations

import importlib
import json
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws.dynamodb import DynamoLedger
from byoa.adapters.memory.clocks import SteppingClock
from byoa.bootstrap import clients, pipeline, process
from byoa.components.reading import check_config
from byoa.errors import ByoaError
from local import processes
from tests.template import TEMPLATE
from tests.tenancy.roles import ONE, OTHER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.builds.messages import Build

ACCOUNT = "123456789012"
TABLE = TEMPLATE["Resources"]["Table"]["Properties"]
CACHES = (
    process.settings, clients.own, clients._ours, clients.session, clients._tenant, clients._sources, pipeline._lines,
    pipeline.reachable, pipeline.signer, pipeline._ecr_registry,
)  # fmt: skip
EXECUTION = "execution-{}"
NAMES = r"org_[a-z0-9]{12,}"
OTHERS = {ONE: OTHER, OTHER: ONE}

type Event = dict[str, Any]


class Context:
    """What Lambda tells a function of its invocation."""

    function_name = "byoa-some-step"
    aws_request_id = "11111111-2222-3333-4444-555555555555"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class Asked(NamedTuple):
    """A request to AWS: what it says, and for whom its session was opened, if for anybody."""

    text: str
    session: str | None


class World:
    """Two organisations in one account, functions in this process, and every request to AWS that they make."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._sessions: dict[str, str] = {}
        emitter = clients.session().get_component("event_emitter")
        emitter.register_first("before-send", self._note)
        emitter.register("after-call.sts.AssumeRole", self._opened)
        self.ledger = DynamoLedger(clients.dynamodb(), "table", SteppingClock())
        self.builds = {whose: self._submit(whose) for whose in (ONE, OTHER)}

    def _note(self, request: Any, **_: Any) -> None:
        key = re.search(r"Credential=([^/]+)/", str(request.headers["Authorization"]))
        assert key, "a request that nobody signed"
        self.asked.append(Asked(f"{request.url} {request.body!r}", self._sessions.get(key[1])))

    def _opened(self, parsed: Any, **_: Any) -> None:
        whose = parsed["AssumedRoleUser"]["Arn"].rpartition("/")[2]
        self._sessions[parsed["Credentials"]["AccessKeyId"]] = whose

    def _submit(self, whose: str) -> Build:
        body = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {'one' if whose == ONE else 'other'}}}\n"
        text = f'name = "web"\ntype = "kubernetes_manifest"\nnamespace = "a"\nmanifest = """{body}"""\n'
        config = check_config(text).config
        assert config
        return self.ledger.submit(whose, "shop", config).build

    def call(self, function: str, event: Event) -> Any:
        """What a function answers, or the name of its error."""
        self.asked.clear()
        handler = importlib.import_module(f"functions.{function}").handler
        try:
            return handler(json.loads(json.dumps(event)), Context())
        except ByoaError as error:
            return type(error).__name__

    def check(self, whose: str) -> None:
        """All that was asked since the last call is about one organisation, and in its session where it is of any."""
        for each in self.asked:
            named = set(re.findall(NAMES, each.text))
            assert named <= {whose}, each.text
            alone = "AssumeRole" in each.text or "HOST#" in each.text
            assert each.session == (None if alone else whose), each.text

    def messages(self, whose: str) -> dict[str, Event]:
        """What each step of the organisation's build is given, as the state machine hands it on."""
        key = {**self.builds[whose].key.model_dump(), "execution": EXECUTION.format(whose[-1])}
        found: dict[str, Event] = {"validate_reference": key}
        message = key
        for name, following in (
            ("validate_reference", "resolve_digest"),
            ("resolve_digest", "stage_artifact"),
            ("stage_artifact", "inspect_artifact"),
        ):
            answer = self.call(name, message)
            assert isinstance(answer, dict), (name, answer)
            self.check(whose)
            found[following] = message = {**message, **answer}
        artifact = self.call("inspect_artifact", message)
        assert isinstance(artifact, dict), artifact
        self.check(whose)
        artifact = {**message, **artifact}
        blob = {"digest": artifact["nodes"][-1]["digest"], "size": artifact["nodes"][-1]["size"]}
        blob |= {"media_type": artifact["nodes"][-1]["media_type"], "session": None, "rounds": 0}
        task = {"artifact": artifact, "target": "ecr"}
        failure = {"error": "InternalFault", "cause": "x"}
        stopped = {"status": "FAILED", "name": key["execution"]}
        return found | {
            "stage_blob": {"artifact": found["stage_artifact"], "blob": blob},
            "mirror_artifact": task,
            "mirror_blob": {**task, "blob": blob},
            "retire_tags": task,
            "record_build": {**key, "artifact": artifact, "failure": failure},
            "record_stopped": {**stopped, "input": json.dumps({"detail": self.builds[whose].key.model_dump()})},
        }

    def things(self, whose: str) -> str:
        """All that an organisation has."""
        table = clients.own("dynamodb").scan(TableName="table")["Items"]
        objects = clients.own("s3").list_objects_v2(Bucket="quarantine", Prefix=f"{whose}/").get("Contents", [])
        items = sorted(json.dumps(each, sort_keys=True) for each in table if each["pk"]["S"] == f"ORG#{whose}")
        return json.dumps([items, [(each["Key"], each["ETag"]) for each in objects]])


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[World]:
    port = processes.free_port()
    settings = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "BYOA_ACCOUNT": ACCOUNT,
        "BYOA_BUCKET": "quarantine",
        "BYOA_ECR_ENDPOINT": f"http://127.0.0.1:{port}",
        "BYOA_SERIES": "table",
        "BYOA_SOURCE_ROLE": f"arn:aws:iam::{ACCOUNT}:role/source",
        "BYOA_TABLE": "table",
        "BYOA_TENANT_ROLE": f"arn:aws:iam::{ACCOUNT}:role/tenant",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for cache in CACHES:
        cache.cache_clear()
    with processes.start_registry(tmp_path, port), mock_aws():
        with closing(boto3.client("dynamodb")) as table, closing(boto3.client("s3")) as s3:
            attributes = {name: TABLE[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")}
            table.create_table(TableName="table", BillingMode="PAY_PER_REQUEST", **attributes)
            s3.create_bucket(Bucket="quarantine")
        yield World()
        for whose in OTHERS:
            pipeline._lines().open(whose).transport.close()
    for cache in CACHES:
        cache.cache_clear()


REFUSED: dict[str, str | None] = {
    "validate_reference": "DuplicateEvent",
    "resolve_digest": "DuplicateEvent",
    "stage_artifact": "ReferenceNotFound",  # its own config is what it fetches from
    "inspect_artifact": "ReferenceNotFound",
    "stage_blob": "DuplicateEvent",
    "mirror_artifact": "DuplicateEvent",
    "mirror_blob": "DuplicateEvent",
    "retire_tags": "InternalFault",
    "record_build": None,
    "record_stopped": None,
}
"""What each function says of a message that is about another's build; the last two end what is theirs, and it isn't."""


def relabelled(event: Any, mine: str, others: str) -> Any:
    """The other's message, said to be of the one."""
    return json.loads(json.dumps(event).replace(others, mine))


def test_each_function_asks_for_its_own_organisation_s_things_alone(world: World) -> None:
    for whose in (ONE, OTHER):
        for function, event in world.messages(whose).items():
            if function not in ("validate_reference", "resolve_digest", "stage_artifact", "inspect_artifact"):
                world.call(function, event)
                world.check(whose)


def test_a_message_of_another_s_build_does_nothing_with_it_whoever_it_is_said_to_be_of(world: World) -> None:
    given = {whose: world.messages(whose) for whose in (ONE, OTHER)}
    before = {whose: world.things(whose) for whose in (ONE, OTHER)}
    for mine, others in OTHERS.items():
        for function, event in given[others].items():
            answer = world.call(function, relabelled(event, mine, others))
            world.check(mine)
            assert world.things(others) == before[others], function
            assert answer == REFUSED[function], function


def test_a_sweep_handles_each_build_in_its_own_organisation_s_session(world: World) -> None:
    assert world.call("sweep_builds", {})["told"] == len(OTHERS)
    found = [each for each in world.asked if "AssumeRole" not in each.text]
    (index,) = [each for each in found if each.session is None]
    assert "unfinished" in index.text
    for each in found:
        assert set(re.findall(NAMES, each.text)) == ({each.session} if each.session else set())


@pytest.mark.parametrize("name", ["theirs", f"{OTHER}/theirs", f"../{OTHER}/theirs", f"byoa/{OTHER}/theirs", "*"])
def test_nobody_tries_another_s_credentials(name: str, world: World) -> None:
    value = {"kind": "basic", "host": "ghcr.io", "username": "u", "password": "p"}
    tag = [{"Key": "org_id", "Value": OTHER}]
    clients.own("secretsmanager").create_secret(Name=f"byoa/{OTHER}/theirs", SecretString=json.dumps(value), Tags=tag)
    answer = world.call("try_credentials", {"organisation": ONE, "name": name})
    assert answer in ("CredentialForbidden", "ReferenceInvalid", "TenantForbidden")
    world.check(ONE)


def test_nobody_reads_what_was_fetched_for_another(world: World) -> None:
    staged = {whose: world.messages(whose)["inspect_artifact"] for whose in (ONE, OTHER)}
    for mine, others in OTHERS.items():
        root = {name: staged[others][name] for name in ("digest", "media_type", "size")}
        found = {**root, "reference": "oci://ghcr.io/a/b:v1", "artifact_type": None, "resolved_at_ts": 0}
        event = {"organisation": others, "action": "inspect", "artifacts": [found], "reads": True}
        assert world.call("read_artifacts", event)["contents"]["resources"] == 1
        world.check(others)
        assert world.call("read_artifacts", event | {"organisation": mine}) == "ReferenceNotFound"
        world.check(mine)


def test_who_asks_as_one_organisation_is_told_nothing_of_the_other(world: World) -> None:
    """What the command line asks of the table."""
    for mine, others in OTHERS.items():
        world.asked.clear()
        build = world.builds[others].build_id
        assert world.ledger.build(mine, build) is None
        assert world.ledger.receipt(mine, build) is None
        assert {each.organisation for each in world.ledger.builds(mine, "shop", None, 10)} == {mine}
        assert {each.organisation for each in world.ledger.builds(mine, "shop", "web", 10)} == {mine}
        assert all(set(re.findall(NAMES, each.text)) == {mine} for each in world.asked)


@pytest.mark.parametrize("field", ["organisation", "app", "component"])
@pytest.mark.parametrize("text", [f"{OTHER}/x", f"../{OTHER}", f"{ONE}#x", "org_*", "", f"{OTHER}\n"])
def test_no_name_in_a_message_leads_elsewhere(field: str, text: str, world: World) -> None:
    key = world.builds[ONE].key.model_dump() | {"execution": "e", field: text}
    assert world.call("validate_reference", key) == "EventUntrusted"
    assert world.asked == []
