"""An emulator of AWS for a test, and the few things that tests do with it."""

from __future__ import annotations

import contextlib
import io
import json
import textwrap
import time
import zipfile
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest

from local import processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROLE = "arn:aws:iam::000000000000:role/desk"
INVOKE = "arn:aws:states:::lambda:invoke"


class Cloud:
    """Clients of one emulator, all closed at the end, and the few things every test does with them."""

    def __init__(self, port: int, closing: contextlib.ExitStack) -> None:
        self.port = port
        self._closing = closing
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            make = cast("Callable[..., Any]", boto3.client)
            url = f"http://127.0.0.1:{self.port}"
            keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
            client = make(service, endpoint_url=url, region_name="us-east-1", **keys)
            self._clients[service] = self._closing.enter_context(contextlib.closing(client))
        return self._clients[service]

    def function(self, name: str, body: str, **settings: Any) -> str:
        """Deploy ``def handler(event, context)`` with this body; its ARN."""
        code = io.BytesIO()
        source = "import json, os, subprocess, sys, time\ncalls = 0\n\ndef handler(event, context):\n"
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("index.py", source + textwrap.indent(textwrap.dedent(body), "    "))
        settings = {"Role": ROLE, "Runtime": "python3.13", "Handler": "index.handler", "Timeout": 10} | settings
        made = self.client("lambda").create_function(FunctionName=name, Code={"ZipFile": code.getvalue()}, **settings)
        return str(made["FunctionArn"])

    def call(self, function: str, event: Any = None) -> Any:
        """What the function answers, or the error it reports."""
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        with contextlib.closing(answer["Payload"]) as payload:
            return json.loads(payload.read())

    def machine(self, name: str, definition: dict[str, Any]) -> str:
        whole = json.dumps({"QueryLanguage": "JSONata", **definition})
        made = self.client("stepfunctions").create_state_machine(name=name, definition=whole, roleArn=ROLE)
        return str(made["stateMachineArn"])

    def start(self, machine: str, event: Any = None, **named: str) -> str:
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=machine, input=json.dumps(event or {}), **named
        )
        return str(started["executionArn"])

    def finish(self, execution: str) -> dict[str, Any]:
        """The execution's description once it has ended."""

        def ended() -> dict[str, Any] | None:
            found = self.client("stepfunctions").describe_execution(executionArn=execution)
            return None if found["status"] == "RUNNING" else found

        return eventually(ended)

    def queue(self, name: str) -> tuple[str, str]:
        """A new queue's URL and ARN."""
        url = self.client("sqs").create_queue(QueueName=name)["QueueUrl"]
        return url, f"arn:aws:sqs:us-east-1:000000000000:{name}"

    def next_message(self, url: str) -> Any:
        def received() -> Any:
            found = self.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages")
            return found and json.loads(found[0]["Body"])

        return eventually(received)

    def stack(self, name: str, resources: dict[str, Any], **parameters: str) -> dict[str, str]:
        """Create a stack; its final status as ``status`` and the physical id of each resource."""
        formation = self.client("cloudformation")
        formation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}), **parameters)

        def settled() -> str | None:
            status = str(formation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
            return None if status.endswith("_IN_PROGRESS") else status

        status = eventually(settled)
        found = formation.describe_stack_resources(StackName=name)["StackResources"]
        return {"status": status} | {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}


def eventually[T](ask: Callable[[], T | None], seconds: float = 15) -> T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(0.02)
    pytest.fail("it never happened")


@contextlib.contextmanager
def emulated(folder: Path, **settings: Any) -> Iterator[Cloud]:
    port = processes.free_port()
    with processes.start_emulator(folder, port, **settings), contextlib.ExitStack() as closing:
        yield Cloud(port, closing)


def task(function: str, **more: Any) -> dict[str, Any]:
    arguments = {"FunctionName": function, "Payload": "{% $states.input %}"}
    return {"Type": "Task", "Resource": INVOKE, "Arguments": arguments, "TimeoutSeconds": 20, "End": True} | more


def history(cloud: Cloud, execution: str) -> list[str]:
    events = cloud.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
    return [event["type"] for event in events]
