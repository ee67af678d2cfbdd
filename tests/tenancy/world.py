"""Two organisations in one account, functions in this process, and all that they ask of AWS."""

from __future__ import annotations

import contextlib
import importlib
import json
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws.deploys import DynamoDeploys
from byoa.adapters.aws.dynamodb import DynamoLedger
from byoa.adapters.aws.installs import DynamoInstalls
from byoa.adapters.aws.rows import Rows
from byoa.adapters.memory.clocks import SteppingClock
from byoa.bootstrap import clients, installs, pipeline, process
from byoa.components.reading import check_config
from byoa.errors import ByoaError
from byoa.installs.messages import DeployStatusChanged, Install
from byoa.installs.ports import Request
from local import processes
from tests.template import TEMPLATE
from tests.tenancy.roles import ONE, OTHER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from byoa.builds.messages import Build
    from local.cluster import Cluster

ACCOUNT = "123456789012"
TABLE = TEMPLATE["Resources"]["Table"]["Properties"]
CACHES = (
    process.settings, clients.own, clients._ours, clients.session, clients._tenant, clients._sources, clients._clusters,
    installs._plan_key, pipeline._lines, pipeline.reachable, pipeline.signer, pipeline._ecr_registry,
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

    def __init__(self, clusters: dict[str, Cluster]) -> None:
        self.asked: list[Asked] = []
        self._sessions: dict[str, str] = {}
        emitter = clients.session().get_component("event_emitter")
        emitter.register_first("before-send", self._note)
        emitter.register("after-call.sts.AssumeRole", self._opened)
        self.ledger = DynamoLedger(clients.dynamodb(), "table", SteppingClock())
        self.builds = {whose: self._submit(whose) for whose in (ONE, OTHER)}
        self.clusters = clusters

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
            alone = "AssumeRole" in each.text or "HOST#" in each.text or "https://kms." in each.text
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

    # ---- deploys

    def installs(self, whose: str) -> DynamoInstalls:
        return DynamoInstalls(DynamoDeploys(whose, Rows(clients.dynamodb(), "table"), SteppingClock()))

    def deployed(self, whose: str) -> Install:
        """An install of the organisation's, in a cluster of its own, and an active build to deploy there."""
        self._finish(whose)
        cluster, identity = self.clusters[whose], f"inl{'a' if whose == ONE else 'b'}{'a' * 22}"
        access = {"kind": "static", "server": cluster.address, "ca": cluster.ca, "private": True}
        fields = {"organisation": whose, "app": "shop", "id": identity, "name": "prod", "access": access}
        usual = {"approval": "approve-all", "created_at_ts": 1, "updated_at_ts": 1}
        install = Install.model_validate({**fields, **usual})
        assert self.installs(whose).create(install)
        secret = json.dumps({"server": cluster.address, "token": min(cluster.tokens)})
        tags = [{"Key": "org_id", "Value": whose}]
        name = f"byoa-clusters/{whose}/{identity}"
        clients.own("secretsmanager").create_secret(Name=name, SecretString=secret, Tags=tags)
        return install

    def install(self, whose: str) -> Install:
        """The one that ``deployed`` made."""
        (found,) = self.installs(whose).page("shop", 2).items
        return found

    def _finish(self, whose: str) -> None:
        """End its build as one that is mirrored and has a receipt."""
        found = self.messages(whose)
        artifact = found["mirror_artifact"]["artifact"]
        mirrored = self.call("mirror_artifact", found["mirror_artifact"])
        ended = {**found["validate_reference"], "artifact": artifact, "mirrors": [mirrored]}
        assert self.call("record_build", ended)["status"] == "active"

    def ask(self, whose: str, install: Install, build: Build | None = None) -> Event:
        """The event that a deploy was asked for, with the execution that it begins."""
        wanted = build or self.builds[whose]
        deploy = self.installs(whose).ask(install, "web", Request("apply", wanted.build_id, wanted.version))
        return {**deploy.key.model_dump(), "execution": EXECUTION.format(whose[-1])}

    def deploy_messages(self, whose: str) -> dict[str, Event]:
        """What each function of a deploy is given, as the state machine hands it on. It isn't recorded."""
        install = self.deployed(whose)
        key = self.ask(whose, install)
        checked = {**self._answered("receive_deploy", key, whose), **key}
        self._answered("pull_mirror", checked, whose)
        loaded = self._answered("load_manifests", checked, whose)
        named = {name: loaded[name] for name in ("objects", "target_namespace")}
        planned = self._answered("plan_install", {**named, **checked}, whose)
        task = {**checked, "plan": planned["plan"]}
        way = {
            "applied": self._answered("apply_install", task, whose),
            "health": self._answered("check_health", task, whose),
            "pruned": self._answered("prune_install", task, whose),
        }
        deploy = self.installs(whose).deploys(install, "web", 1).items[0]
        names = DeployStatusChanged.model_fields
        drifted = {name: value for name, value in deploy.model_dump(mode="json").items() if name in names}
        event = {"detail": {name: value for name, value in key.items() if name != "execution"}}
        return {
            "receive_deploy": key, "pull_mirror": checked, "load_manifests": checked,
            "plan_install": {**named, **checked}, "apply_install": task, "check_health": task, "prune_install": task,
            "record_deploy": {**key, "checked": checked, "planned": planned, **way},
            "end_stopped_deploy": {"status": "ABORTED", "name": key["execution"], "input": json.dumps(event)},
            "release_deploys": {**drifted, "status": "active", "changed_at_ts": 1},
            "drift_due": {"found": {**drifted, "status": "drift-detected", "changed_at_ts": 1}},
            "follow_builds": {**self.builds[whose].key.model_dump(), "id": self.builds[whose].build_id},
        }  # fmt: skip

    def _answered(self, function: str, message: Event, whose: str) -> Event:
        answer = self.call(function, message)
        assert isinstance(answer, dict), (function, answer)
        self.check(whose)
        return answer

    def things(self, whose: str) -> str:
        """All that an organisation has."""
        table = clients.own("dynamodb").scan(TableName="table")["Items"]
        objects = clients.own("s3").list_objects_v2(Bucket="quarantine", Prefix=f"{whose}/").get("Contents", [])
        items = sorted(json.dumps(each, sort_keys=True) for each in table if each["pk"]["S"] == f"ORG#{whose}")
        return json.dumps([items, [(each["Key"], each["ETag"]) for each in objects]])


def relabelled(event: Any, mine: str, others: str) -> Any:
    """The other's message, said to be of the one."""
    return json.loads(json.dumps(event).replace(others, mine))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    with opened({}, monkeypatch, tmp_path) as found:
        yield found


@contextlib.contextmanager
def opened(clusters: dict[str, Cluster], monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[World]:
    """A world whose organisations have these ``clusters``, if any."""
    port = processes.free_port()
    settings = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "BYOA_ACCOUNT": ACCOUNT,
        "BYOA_CLUSTER_ROLE": f"arn:aws:iam::{ACCOUNT}:role/cluster",
        "BYOA_BUCKET": "quarantine",
        "BYOA_ECR_ENDPOINT": f"http://127.0.0.1:{port}",
        "BYOA_SERIES": "table",
        "BYOA_SOURCE_ROLE": f"arn:aws:iam::{ACCOUNT}:role/source",
        "BYOA_TABLE": "table",
        "BYOA_TENANT_ROLE": f"arn:aws:iam::{ACCOUNT}:role/tenant",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with contextlib.ExitStack() as keep:
        ports = [cluster.address.rpartition(":")[2] for cluster in clusters.values()]
        monkeypatch.setenv("BYOA_REACHABLE", ",".join(f"127.0.0.1/32:{number}" for number in ports))
        keep.enter_context(processes.start_registry(folder, port))
        keep.enter_context(mock_aws())
        for cache in CACHES:
            cache.cache_clear()
        with (
            closing(boto3.client("dynamodb")) as table,
            closing(boto3.client("s3")) as s3,
            closing(boto3.client("kms")) as kms,
        ):
            attributes = {name: TABLE[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")}
            table.create_table(TableName="table", BillingMode="PAY_PER_REQUEST", **attributes)
            s3.create_bucket(Bucket="quarantine")
            receipts = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["KeyId"]
            plans = kms.create_key(KeyUsage="GENERATE_VERIFY_MAC", KeySpec="HMAC_256")["KeyMetadata"]["KeyId"]
            monkeypatch.setenv("BYOA_RECEIPT_KEY", receipts)
            monkeypatch.setenv("BYOA_PLAN_KEY", plans)
        yield World(clusters)
        for whose in OTHERS:
            pipeline._lines().open(whose).transport.close()
    for cache in CACHES:
        cache.cache_clear()
