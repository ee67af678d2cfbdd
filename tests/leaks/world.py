"""The pipeline's functions as Lambda calls them, over an AWS in memory and a registry that misbehaves.

Everything that a build leaves behind anywhere is at hand: what functions log, say and raise, the table, events,
objects, and what the state machine hands on.
"""

from __future__ import annotations

import base64
import importlib
import io
import json
import logging
import socket
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto import mock_aws
from moto.backends import get_backend

from byoa import step
from byoa.adapters.aws.dynamodb import DynamoLedger
from byoa.adapters.aws.stream import event_of
from byoa.adapters.memory.clocks import SystemClock
from byoa.adapters.registries.dialing import Dialer, resolve
from byoa.bootstrap import clients, lines, pipeline, process, sources
from byoa.components.reading import check_config
from byoa.engine.patience import Patience
from byoa.errors import ByoaError
from byoa.trust.external_id import external_id
from tests.faults.artifacts import Artifact, put
from tests.leaks.kinds import HOSTS, ROLE
from tests.leaks.scenes import DOMAIN, PACKED
from tests.leaks.searching import Searcher, canary, told
from tests.scripted import Scripted
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from byoa.adapters.registries.dialing import Place
    from tests.leaks.kinds import Form

ORG, APP, TABLE, BUCKET, BUS = "org_0123456789ab", "shop", "table", "quarantine", "bus"
REPOSITORY: Final = "team/app"
TAG: Final = "v1"
ACCOUNT: Final = "123456789012"
STEPS: Final = ("resolve_digest", "stage_artifact", "inspect_artifact", "mirror_artifact")
_CACHES: Final = (
    process.settings, clients.own, clients._ours, clients.session, clients._tenant, clients._sources, pipeline._lines,
    pipeline.reachable, pipeline.signer, pipeline._ecr_registry, sources._careful,
)  # fmt: skip


class Ran:
    """How a build went: its last message or its error, and everything that was handed on or told on the way."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.error: ByoaError | None = None
        self.raised: list[BaseException] = []

    @property
    def code(self) -> str:
        return self.error.code if self.error else "active"


class World:
    """One stack of which a test may ask builds, and everything that they left."""

    def __init__(self, registry: Scripted, ecr: Scripted) -> None:
        self.registry = registry
        self.ecr = ecr
        self.searcher = Searcher()
        self.log = io.StringIO()
        self.lent = ""
        """The last password that ECR gave anybody."""
        self.seconds = 60.0
        self.refuses: dict[str, str] = {}
        """Operations of AWS that fail, each with the code of its error."""
        self._builds = 0
        self._names = 0
        self._held = get_backend("s3")[ACCOUNT]["aws"].buckets[BUCKET].keys
        self._table = get_backend("dynamodb")[ACCOUNT]["us-east-1"].tables[TABLE]
        """Moto's own, as the bucket's objects: asked as a client does, it takes longer than all else."""
        self.ledger = DynamoLedger(boto3.client("dynamodb", "us-east-1"), TABLE, SystemClock())
        self.secrets: Any = boto3.client("secretsmanager", "us-east-1")

    def store(self, value: object) -> str:
        """Store credentials as somebody may who has the rights, sound or not; returns their name."""
        self._names += 1
        text, name = value if isinstance(value, str) else json.dumps(value), f"creds-{self._names}"
        tags = [{"Key": "org_id", "Value": ORG}]
        self.secrets.create_secret(Name=f"byoa/{ORG}/{name}", SecretString=text, Tags=tags)
        return name

    def lend(self, form: Form, **changed: object) -> tuple[Callable[[], str], str, str]:
        """Store new credentials: what their secret is when they are lent, their name, and their registry's host."""
        secret = self.searcher.add(canary())
        host = HOSTS.get(form.kind, self.registry.address)
        name = self.store({"kind": form.kind, "host": host, **form.fields(host, secret), **changed})
        return (lambda: self.lent if form.kind == "aws_ecr" else secret), name, host

    def submit(self, url: str, credentials: str | None, component: str | None = None, tag: str = TAG) -> Any:
        """Hand in a config version; returns the build's key."""
        self._builds += 1
        ref = f'credentials_ref = "{credentials}"\n' if credentials else ""
        checked = check_config(
            f'name = "{component or f"web-{self._builds}"}"\ntype = "kubernetes_manifest"\nnamespace = "web"\n'
            f'[oci_artifact]\nurl = "{url}"\ntag = "{tag}"\n{ref}'
        )
        assert checked.config, checked.faults
        return self.ledger.submit(ORG, APP, checked.config).build.key

    def invoke(self, function: str, event: Any, ran: Ran) -> Any:
        """Call a function's handler. What it returns is a message, what it raises an error of the build."""
        context = LambdaContext()
        context._function_name, context._aws_request_id = f"byoa-{function}", "request"
        context.get_remaining_time_in_millis = lambda: int(self.seconds * 1000)  # type: ignore[method-assign]
        handler = importlib.import_module(f"functions.{function}").handler
        try:
            answer = handler(event, context)
        except ByoaError as error:
            ran.error = error
            ran.raised.append(error)
            return None
        ran.messages.append(answer)
        return answer

    def build(self, key: Any, *, steps: tuple[str, ...] = STEPS, **changed: Any) -> Ran:
        """Run a build as the state machine does; ``changed`` is changed in the message after ValidateReference."""
        ran, build = Ran(), {**key.model_dump(), "execution": f"execution-{self._builds}"}
        message = self.invoke("validate_reference", build, ran)
        message = message and {**message, **changed}
        for name in steps:
            if message is None:
                break
            event = {"artifact": message, "target": "ecr"} if name == "mirror_artifact" else message
            answer = self.invoke(name, event, ran)
            message = answer and (answer if name == "mirror_artifact" else {**message, **answer})
            if name == "inspect_artifact":
                inspected = message
        ended: dict[str, Any] = {}
        if message is None:
            assert ran.error
            report = {"errorMessage": str(ran.error), "errorType": type(ran.error).__name__, "stackTrace": []}
            ended = {"failure": {"error": type(ran.error).__name__, "cause": json.dumps(report)}}
        elif "mirror_artifact" in steps:
            ended = {"artifact": inspected, "mirrors": [message]}
        if ended:
            failed = ran.error
            ran.messages.append(ended)
            self.invoke("record_build", {**build, **ended}, ran)
            ran.error = failed
        return ran

    def rest(self) -> None:
        """Begin anew: no registry was asked for anything, none asked for rest, and no build or object is there."""
        self._table.items.clear()
        self._held.clear()
        _hang_up()

    def leaks(self, *rans: Ran, printed: str = "") -> list[str]:
        """Where anything of a canary shows, in all that was left since the last ``rest``; it empties the log."""
        items = [item.to_json()["Attributes"] for item in self._table.all_items()]
        sinks = {
            "log": self.log.getvalue(),
            "messages between states": json.dumps([ran.messages for ran in rans]),
            "exceptions": "".join(told(error) for ran in rans for error in ran.raised),
            "table": json.dumps(items),
            "events": json.dumps([event for item in items for event in _events(item)]),
            "quarantine": self._objects(),
            "printed": printed,
        }
        self.forget()
        return [each for where, text in sinks.items() for each in self.searcher.find(where, text)]

    def forget(self) -> None:
        """Empty the log."""
        self.log.seek(0)
        self.log.truncate()

    def _objects(self) -> str:
        return "\n".join(f"{name} {key.value!r} {key.metadata}" for name, key in self._held.items())


def _events(item: dict[str, Any]) -> Iterator[Any]:
    """What the table's stream has the bus told of an item: that it is new, and that something of it is otherwise."""
    before = {**item, "status": {"S": "none"}}
    for old in (None, before, {**item, "told_again_ts": {"N": "1"}}):
        event = event_of({"dynamodb": {"NewImage": item, "OldImage": old}})
        if event:
            yield event[0]
            yield event[1].model_dump(mode="json")


@contextmanager
def world(patch: pytest.MonkeyPatch) -> Iterator[World]:
    """A stack with an artifact in its vendor's registry, its log at DEBUG whatever logs."""
    with ExitStack() as stack:
        registry, ecr = stack.enter_context(Scripted()), stack.enter_context(Scripted())
        put(registry, REPOSITORY, Artifact(PACKED.manifest, [PACKED.manifest], dict(PACKED.blobs)), TAG)
        _surround(patch, registry.address, ecr.address)
        stack.enter_context(mock_aws())
        _hang_up()
        for cache in _CACHES:
            cache.cache_clear()
            stack.callback(cache.cache_clear)
        patch.setattr(lines, "Dialer", partial(Dialer, resolve=_nowhere))
        patch.setattr(pipeline, "IN_A_STEP", Patience(attempts=2, first=0.0, longest=0.0))
        _make_stores()
        made = World(registry, ecr)
        _note_what_aws_lends(made)
        sources._careful().add((ROLE, external_id(TABLE, ORG)))  # moto lets everybody assume every role
        stack.enter_context(_logged(made.log))
        yield made
        _hang_up()


def _surround(patch: pytest.MonkeyPatch, registry: str, ecr: str) -> None:
    port = registry.partition(":")[2]
    played = [registry, *(f"{host}={registry}" for host in HOSTS.values())]
    variables = {
        "ACCOUNT": ACCOUNT, "BUCKET": BUCKET, "BUS": BUS, "TABLE": TABLE, "SERIES": TABLE,
        "ECR_ENDPOINT": f"http://{ecr}", "PLAIN_HTTP_HOSTS": ",".join(played),
        "REACHABLE": f"127.0.0.1/32:{port}", "TENANT_ROLE": f"arn:aws:iam::{ACCOUNT}:role/tenant",
        "SOURCE_ROLE": f"arn:aws:iam::{ACCOUNT}:role/source",
    }  # fmt: skip
    for name, value in variables.items():
        patch.setenv(f"BYOA_{name}", value)
    for name, value in {"REGION": "us-east-1", "ACCESS_KEY_ID": "testing", "SECRET_ACCESS_KEY": "testing"}.items():
        patch.setenv(f"AWS_{name}", value)
    patch.delenv("AWS_ENDPOINT_URL", raising=False)


def _hang_up() -> None:
    for line in pipeline._lines()._kept.values():
        line.transport.close()
    pipeline._lines.cache_clear()


def _nowhere(host: str, port: int, seconds: float) -> list[Place]:
    """No name is any address: nobody is asked for one."""
    if host.endswith(DOMAIN):
        raise socket.gaierror(socket.EAI_NONAME, "no such name")
    return resolve(host, port, seconds)


def _make_stores() -> None:
    shape = TEMPLATE["Resources"]["Table"]["Properties"]
    boto3.client("dynamodb", "us-east-1").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        **{name: shape[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")},
    )
    boto3.client("s3", "us-east-1").create_bucket(Bucket=BUCKET)


def _note_what_aws_lends(world: World) -> None:
    """Sessions' keys are secrets, whosever they are, and so are ECR's passwords: moto's are known, and made anew."""

    def session(parsed: Any, **_: Any) -> None:
        for name in ("SecretAccessKey", "SessionToken"):
            if "Credentials" in parsed:
                world.searcher.add(parsed["Credentials"][name])

    def password(parsed: Any, **_: Any) -> None:
        world.lent = world.searcher.add(canary())
        login = base64.b64encode(f"AWS:{world.lent}".encode()).decode()
        parsed["authorizationData"][0]["authorizationToken"] = login

    def refuse(model: Any, **_: Any) -> Any:
        code = world.refuses.get(model.name)
        if code is None:
            return None
        message = "AWS tells what is wrong, and no secrets"
        status = 503 if code == "ServiceUnavailable" else 400
        return AWSResponse("", status, HTTPHeaders(), None), {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status, "RetryAttempts": 0},
        }

    events = clients.session().get_component("event_emitter")
    events.register("before-call", refuse)
    events.register("after-call.sts.AssumeRole", session)
    events.register("after-call.ecr.GetAuthorizationToken", password)


@contextmanager
def _logged(log: io.StringIO) -> Iterator[None]:
    """Every logger's every line, down to DEBUG, as a function's log would have it."""
    root, ours = logging.getLogger(), step.logger
    (handler,) = (each for each in ours.handlers if isinstance(each, logging.StreamHandler))
    all_of_it = logging.StreamHandler(log)
    before, level, own = handler.setStream(log), root.level, ours.log_level
    logging.getLogger("moto").setLevel(logging.WARNING)  # this AWS's own, and slow
    root.addHandler(all_of_it)
    root.setLevel(logging.DEBUG)
    ours.setLevel("DEBUG")
    try:
        yield
    finally:
        handler.setStream(before or handler.stream)
        root.removeHandler(all_of_it)
        root.setLevel(level)
        ours.setLevel(own)
