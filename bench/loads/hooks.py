"""The load on hooks: what the function computes from a delivery to its 202, AWS's own time left out."""

from __future__ import annotations

import io
import json
import logging
import statistics
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from unittest.mock import patch

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from bench.figures import OURS, Figure, Load, percentile
from byoa.adapters.aws.eventbridge import EventBus
from byoa.adapters.aws.hooks import BusBell, DynamoPorter
from byoa.adapters.aws.rows import Rows
from byoa.adapters.aws.table import dump
from byoa.adapters.memory.clocks import SystemClock
from byoa.bootstrap import hooks as wiring
from byoa.tracking.door import BODY_LIMIT, Door
from byoa.tracking.messages import HOOKS_SOURCE
from byoa.tracking.records import KINDS, HookRecord
from byoa.trust.windows import Windows
from functions import hooks as function
from local.samples import sample_hook

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from bench.stand import Stand
    from byoa.tracking.records import Kind

NAMES: Final = ("api, a hook",)

_GOAL_SECONDS: Final = 0.1
"""Of the issue: 202 within 100 ms."""
_EVENTS: Final = Path(__file__).parents[2] / "events" / "hooks"
_NOBODY: Final = cast("LambdaContext", None)
_TAKEN: Final = 202
_WARM: Final = 5


class NotTaken(Exception):
    """The function answered something else than 202."""


class _Answers(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: object) -> list[bytes]:
        return [self.read()]


def hook(stand: Stand) -> list[Load]:
    """CPU time of a delivery of each kind, and of the largest, through the handler, boto3 and logging."""
    figures = []
    with ExitStack() as stack:
        for handler in logging.getLogger("byoa").handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(io.StringIO())
        for kind in KINDS:
            event = json.loads((_EVENTS / f"{kind}.json").read_bytes())
            stack.enter_context(patch.object(wiring, "door", _door(kind)))
            figures.append(_figure(kind, event, stand.sizes.calls))
        stack.enter_context(patch.object(wiring, "door", _door("quay")))
        figures.append(_figure("256 KiB", _largest(), stand.sizes.calls))
    slowest = max(figures, key=lambda figure: figure.seconds or 0.0)
    shown = {each.tool: f"p50 {each.more['p50_seconds'] * 1000:.1f} ms, p95 {(each.seconds or 0) * 1000:.1f} ms of CPU"
             for each in figures}  # fmt: skip
    kinds = frozenset(each.tool for each in figures)
    return [Load(NAMES[0], [Figure(OURS, slowest.seconds), *figures], _GOAL_SECONDS, "seconds", shown, no_peers=kinds)]


def _figure(name: str, event: dict[str, Any], rounds: int) -> Figure:
    for _ in range(_WARM):
        _taken(event)
    seconds = []
    for _ in range(rounds):
        begun = time.process_time()
        _taken(event)
        seconds.append(time.process_time() - begun)
    p50, p95 = statistics.median(seconds), percentile(seconds, 0.95)
    return Figure(name, p95, more={"p50_seconds": round(p50, 5), "calls": rounds})


def _taken(event: dict[str, Any]) -> None:
    answer = function.handler(event, _NOBODY)
    if answer["statusCode"] != _TAKEN:
        raise NotTaken(answer["body"])


def _door(kind: Kind) -> Any:  # noqa: ANN401 - what gives the handler its door
    """The real adapters over boto3, whose requests are answered here: all but the network and AWS."""
    record = sample_hook(kind)
    item = {name: getattr(record, name) for name in HookRecord.__slots__}
    found = json.dumps({"Item": dump({"pk": "HOOK#", "sk": "HOOK#", **item})}).encode()
    table, events = (
        _client("dynamodb", found),
        _client("events", b'{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}'),
    )
    bell = BusBell(EventBus(events, "bus", HOOKS_SOURCE))
    made = Door(DynamoPorter(Rows(table, "table")), bell, SystemClock(), calls=Windows(10**9))
    return lambda: made


def _client(service: str, body: bytes) -> Any:  # noqa: ANN401 - of boto3
    keys = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench"}
    client = boto3.client(service, "us-east-1", **keys)  # type: ignore[call-overload]
    kind = "application/x-amz-json-1.0"

    def answer(request: Any, **_: object) -> AWSResponse:  # noqa: ANN401 - botocore's
        return AWSResponse(request.url, 200, HTTPHeaders.from_dict({"Content-Type": kind}), _Answers(body))

    client.meta.events.register(f"before-send.{service}", answer)
    return client


def _largest() -> dict[str, Any]:
    """A push of fifty tags, in as many bytes as a delivery may have."""
    event: dict[str, Any] = json.loads((_EVENTS / "quay.json").read_bytes())
    said = json.loads(event["body"]) | {"updated_tags": [f"v{number}" for number in range(50)]}
    left = BODY_LIMIT - len(json.dumps(said | {"homepage": ""}))
    event["body"] = json.dumps(said | {"homepage": "x" * left})
    return event
