"""What builds used, as the emulator recorded it: durations, transitions, requests, logs."""

from __future__ import annotations

import http.client
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from bench.prices import Use, kibs_of, transaction_units
from local.desk import STACK

if TYPE_CHECKING:
    from bench.pipeline import Pipeline

_DURATION = re.compile(r"^REPORT .*?\bDuration: ([\d.]+) ms", re.DOTALL)
_SERVICES = ("dynamodb", "s3", "ecr", "events", "kms")
_LOG_OVERHEAD = 26
"""Bytes that CloudWatch adds to each line it takes in."""


class Recorder:
    """Records from its making on; ``use`` says what ``builds`` builds used since."""

    def __init__(self, pipeline: Pipeline, now_ms: int) -> None:
        self._pipeline = pipeline
        self._since = now_ms
        self._seen: dict[str, tuple[str, dict[str, Any]]] = {}
        self._executions = {each["executionArn"] for each in self._all_executions()}
        pipeline.call("cloudtrail", "lookup_events", MaxResults=1)  # loads it; it records what comes after
        _configure(pipeline, "cloudtrail._recording_enabled", "true")

    def use(self, builds: int, own_reads: int) -> tuple[Use, dict[str, float]]:
        """What the builds used, and each function's mean duration in milliseconds.

        ``own_reads`` are the DynamoDB reads of whoever watched the builds: nobody pays those for a build.
        """
        calls, units = self._calls()
        calls["dynamodb:GetItem"] -= own_reads
        functions = {name: self._logs(name) for name in self._functions()}
        memory = {name: self._memory(name) for name in functions}
        durations = {name: found[0] for name, found in functions.items()}
        gb_seconds = sum(memory[name] / 1024 * sum(each) / 1000 for name, each in durations.items())
        use = Use(
            builds,
            sum(len(each) for each in durations.values()),
            gb_seconds,
            self._transitions(),
            units,
            sum(found[1] for found in functions.values()),
            dict(calls),
        )
        shown = {name.removeprefix(f"{STACK}-"): sum(each) / len(each) for name, each in durations.items() if each}
        return use, shown

    def note(self) -> None:
        """Take down the newest requests: the emulator tells of 50 at a time, so this follows each build."""
        for service in _SERVICES:
            where = [{"AttributeKey": "EventSource", "AttributeValue": f"{service}.amazonaws.com"}]
            found = self._pipeline.call("cloudtrail", "lookup_events", MaxResults=50, LookupAttributes=where)
            self._seen |= {event["EventId"]: (service, event) for event in found["Events"]}

    def _calls(self) -> tuple[Counter[str], int]:
        """Requests to AWS by service and operation, each key of a batch as one, and the write units of the table."""
        counts: Counter[str] = Counter()
        units, build_kib = 0, self._build_kib()
        for service, event in self._seen.values():
            name = event["EventName"]
            counts[f"{service}:{name}"] += 1
            if name == "TransactWriteItems":
                detail = json.loads(event["CloudTrailEvent"])["requestParameters"]
                units += sum(transaction_units(each, build_kib) for each in detail["TransactItems"])
            elif name == "BatchGetItem":
                asked = json.loads(event["CloudTrailEvent"])["requestParameters"]["RequestItems"]
                counts[f"{service}:{name}"] += sum(len(each["Keys"]) for each in asked.values()) - 1
            elif name == "UpdateItem":
                units += build_kib
        return counts, units

    def _functions(self) -> list[str]:
        found = self._pipeline.call("lambda", "list_functions")["Functions"]
        return [each["FunctionName"] for each in found if each["FunctionName"].startswith(STACK)]

    def _memory(self, name: str) -> int:
        return int(self._pipeline.call("lambda", "get_function_configuration", FunctionName=name)["MemorySize"])

    def _logs(self, name: str) -> tuple[list[float], int]:
        """The durations of a function's invocations, and the bytes of its log."""
        durations, size, more = list[float](), 0, dict[str, str]()
        while True:
            page = self._pipeline.call(
                "logs", "filter_log_events", logGroupName=f"/aws/lambda/{name}", startTime=self._since, **more
            )
            for event in page["events"]:
                size += len(event["message"].encode()) + _LOG_OVERHEAD
                if found := _DURATION.search(event["message"]):
                    durations.append(float(found[1]))
            if not page.get("nextToken"):
                return durations, size
            more = {"nextToken": page["nextToken"]}

    def _all_executions(self) -> list[dict[str, Any]]:
        machine = self._pipeline.desk.outputs["BuildStateMachineArn"]
        found = self._pipeline.call("stepfunctions", "list_executions", stateMachineArn=machine, maxResults=1000)
        return list(found["executions"])

    def _transitions(self) -> int:
        """Tasks begun, retries among them, other states entered, and one for the start of each execution.

        The emulator tells of tasks inside a Map, but not that it entered their states.
        """
        count = 0
        for each in self._all_executions():
            if each["executionArn"] not in self._executions:
                history = self._pipeline.call(
                    "stepfunctions", "get_execution_history", executionArn=each["executionArn"], maxResults=1000
                )
                count += 1 + sum(map(_is_transition, history["events"]))
        return count

    def _build_kib(self) -> int:
        """The mean size of a finished build's item: the largest there is, and while it grew it was smaller."""
        table = self._pipeline.desk.outputs["TableName"]
        found = self._pipeline.call("dynamodb", "scan", TableName=table)["Items"]
        builds = [item for item in found if item.get("entity", {}).get("S") == "build"]
        return sum(map(kibs_of, builds)) // max(len(builds), 1)


def _is_transition(event: dict[str, Any]) -> bool:
    kind = str(event["type"])
    return kind == "TaskScheduled" or (kind.endswith("StateEntered") and kind != "TaskStateEntered")


def _configure(pipeline: Pipeline, name: str, value: str) -> None:
    connection = http.client.HTTPConnection(pipeline.desk.aws.removeprefix("http://"), timeout=10)
    connection.request("POST", "/_ministack/config", json.dumps({name: value}), {"Content-Type": "application/json"})
    connection.getresponse().read()
    connection.close()
