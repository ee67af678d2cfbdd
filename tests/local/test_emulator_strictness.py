"""The emulator refuses what AWS refuses: definitions, sizes, histories, throttled functions."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import botocore.exceptions
import pytest

from tests.local.cloud import ROLE, Cloud, emulated, history, task

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.emulator

KIB = 1024
LIMIT = 256 * KIB
BIG = "$string($range(1, 60000, 1))"  # some 340 KB
END = {"Type": "Succeed"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with emulated(tmp_path_factory.mktemp("strict"), extra_environment={"SFN_WAIT_SCALE": "0"}) as cloud:
        yield cloud


def refused(code: str, message: str = "") -> Any:
    return pytest.raises(botocore.exceptions.ClientError, match=rf"(?s)\({code}\).*{message}")


def ended(cloud: Cloud, name: str, states: dict[str, Any], event: Any = None) -> dict[str, Any]:
    return cloud.finish(cloud.start(cloud.machine(name, {"StartAt": next(iter(states)), "States": states}), event))


# Definitions

YAML = """
QueryLanguage: JSONata
StartAt: Call
States:
  Call:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments: {FunctionName: "${Function}"}
    Retry: &retry [{ErrorEquals: [States.ALL]}]
    Next: Again
  Again:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments: {FunctionName: "${Function}"}
    Retry: *retry
    End: true
"""
WRITTEN_OUT = YAML.replace("&retry ", "").replace("*retry", "[{ErrorEquals: [States.ALL]}]")


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("alias", YAML, "SCHEMA_VALIDATION_FAILED: the alias or anchor 'retry'"),
        ("unknown", WRITTEN_OUT.replace("Arguments", "Parameters"), "Field 'Parameters' is not supported"),
        ("endless", WRITTEN_OUT.replace("End: true", ""), "is required: [Next, End]"),
        ("dangling", WRITTEN_OUT.replace("${Function}", "${Other}"), "${Other} is not among DefinitionSubstitutions"),
        ("written-out", WRITTEN_OUT, None),
    ],
)
def test_a_stack_with_a_definition_that_aws_refuses_fails(cloud: Cloud, name: str, text: str, why: str | None) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="build.asl.yaml", Body=text.encode())
    properties = {
        "RoleArn": ROLE,
        "DefinitionS3Location": {"Bucket": name, "Key": "build.asl.yaml"},
        "DefinitionSubstitutions": {"Function": "arn:aws:lambda:us-east-1:000000000000:function:f"},
    }
    made = cloud.stack(name, {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}})
    assert made["status"] == ("ROLLBACK_COMPLETE" if why else "CREATE_COMPLETE")
    if why:
        events = cloud.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
        failed = [each for each in events if each["ResourceStatus"] == "CREATE_FAILED"]
        assert why in failed[0]["ResourceStatusReason"]


def test_the_api_refuses_a_wrong_definition_when_it_is_made_and_when_it_is_changed(cloud: Cloud) -> None:
    with refused("InvalidDefinition", "Missing 'Next' target: Gone at /StartAt"):
        cloud.machine("gone", {"StartAt": "Gone", "States": {"End": END}})
    machine = cloud.machine("changes", {"StartAt": "End", "States": {"End": END}})
    with refused("InvalidDefinition", "INVALID_JSON_DESCRIPTION"):
        cloud.client("stepfunctions").update_state_machine(stateMachineArn=machine, definition="StartAt: End")


# Step Functions


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("output", {"Type": "Pass", "Output": f"{{% {BIG} %}}", "Next": "End"}),
        ("variable", {"Type": "Pass", "Assign": {"big": f"{{% {BIG} %}}"}, "Next": "End"}),
        (
            "item",
            {
                "Type": "Map",
                "Items": [1],
                "ItemProcessor": {
                    "StartAt": "Inner",
                    "States": {"Inner": {"Type": "Pass", "Output": f"{{% {BIG} %}}", "End": True}},
                },
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "End"}],
                "Output": "small",
                "Next": "End",
            },
        ),
    ],
)
def test_what_a_state_passes_on_is_bounded(cloud: Cloud, name: str, state: dict[str, Any]) -> None:
    failed = ended(cloud, f"big-{name}", {"Big": state, "End": END})
    assert (failed["status"], failed["error"]) == ("FAILED", "States.DataLimitExceeded")


@pytest.mark.parametrize("side", ["answers", "is-given"])
def test_a_task_that_moves_too_much_ends_the_execution_whatever_is_retried_and_caught(cloud: Cloud, side: str) -> None:
    function = cloud.function(f"much-{side}", f"print('called')\nreturn 'x' * {LIMIT if side == 'answers' else 1}")
    call = task(
        function,
        Arguments={"FunctionName": function, "Payload": f"{{% {BIG if side == 'is-given' else '1'} %}}"},
        Output="small",
        Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 3}],
        Catch=[{"ErrorEquals": ["States.ALL"], "Next": "End"}],
        Next="End",
    )
    del call["End"]
    execution = cloud.start(cloud.machine(f"much-{side}", {"StartAt": "Call", "States": {"Call": call, "End": END}}))
    failed = cloud.finish(execution)
    assert (failed["status"], failed["error"]) == ("FAILED", "States.DataLimitExceeded")
    assert history(cloud, execution).count("TaskScheduled") == 1


def test_sizes_are_counted_in_utf_8(cloud: Cloud) -> None:
    just = json.dumps("é" * ((LIMIT - 2) // 2), ensure_ascii=False)
    for name, output, status in (("just", "$states.input", "SUCCEEDED"), ("more", "$states.input & 'e'", "FAILED")):
        states = {"Pass": {"Type": "Pass", "Output": f"{{% {output} %}}", "End": True}}
        machine = cloud.machine(name, {"StartAt": "Pass", "States": states})
        started = cloud.client("stepfunctions").start_execution(stateMachineArn=machine, input=just)
        assert cloud.finish(started["executionArn"])["status"] == status


def test_an_input_that_is_too_large_or_no_json_starts_nothing(cloud: Cloud) -> None:
    machine = cloud.machine("inputs", {"StartAt": "End", "States": {"End": END}})
    with refused("ValidationException", "'input'.*less than or equal to 262144"):
        cloud.start(machine, "x" * (LIMIT - 1))
    with refused("InvalidExecutionInput"):
        cloud.client("stepfunctions").start_execution(stateMachineArn=machine, input="{")
    assert cloud.finish(cloud.start(machine, "x" * (LIMIT - 2)))["status"] == "SUCCEEDED"


def test_an_assign_sees_the_variables_as_they_were(cloud: Cloud) -> None:
    states = {
        "First": {"Type": "Pass", "Assign": {"a": 1, "b": 2}, "Next": "Swap"},
        "Swap": {"Type": "Pass", "Assign": {"a": "{% $b %}", "b": "{% $a %}"}, "Next": "End"},
        "End": {"Type": "Succeed", "Output": "{% [$a, $b] %}"},
    }
    assert ended(cloud, "swaps", states)["output"] == "[2, 1]"


def test_a_history_tells_of_the_states_inside_a_map(cloud: Cloud) -> None:
    function = cloud.function("counted", "pass")
    nested = {"StartAt": "Call", "States": {"Call": task(function)}}
    each = {"Type": "Map", "Items": [1, 2], "ItemProcessor": nested, "MaxConcurrency": 1, "End": True}
    execution = cloud.start(cloud.machine("maps", {"StartAt": "Each", "States": {"Each": each}}))
    cloud.finish(execution)
    call = ["TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited"]
    item = ["MapIterationStarted", *call, "MapIterationSucceeded"]
    around = (["ExecutionStarted", "MapStateEntered", "MapStateStarted"], ["MapStateSucceeded", "MapStateExited"])
    assert history(cloud, execution) == [*around[0], *item, *item, *around[1], "ExecutionSucceeded"]


def test_an_execution_ends_when_its_history_is_full(cloud: Cloud) -> None:
    passes: dict[str, Any] = {f"Pass{number}": {"Type": "Pass", "Next": f"Pass{number + 1}"} for number in range(100)}
    rule = {"Condition": "{% false %}", "Next": "End"}
    passes["Pass100"] = {"Type": "Choice", "Choices": [rule], "Default": "Pass0"}
    failed = ended(cloud, "loops", passes | {"End": END})
    assert failed["error"] == "States.Runtime"
    assert failed["cause"] == "The execution reached the maximum number of history events (25000)."


def test_a_throttled_function_is_retried_by_its_name_alone(cloud: Cloud) -> None:
    function = cloud.function("throttled", "pass")
    cloud.client("lambda").put_function_concurrency(FunctionName="throttled", ReservedConcurrentExecutions=0)
    for name, tries in (("Lambda.TooManyRequestsException", 3), ("Lambda.Unknown", 1)):
        call = task(function, Retry=[{"ErrorEquals": [name], "MaxAttempts": 2}])
        machine = cloud.machine(f"throttled-{tries}", {"StartAt": "Call", "States": {"Call": call}})
        execution = cloud.start(machine)
        assert cloud.finish(execution)["error"] == "Lambda.TooManyRequestsException"
        assert history(cloud, execution).count("TaskScheduled") == tries


def test_an_account_that_runs_too_much_throttles_by_the_same_name(tmp_path: Path) -> None:
    with emulated(tmp_path, extra_environment={"LAMBDA_ACCOUNT_CONCURRENCY": "1"}) as small:
        function = small.function("sleeps", "time.sleep(1)")
        machine = small.machine("busy", {"StartAt": "Call", "States": {"Call": task(function)}})
        both = [small.finish(each) for each in [small.start(machine), small.start(machine)]]
    assert [each.get("error") for each in both if each["status"] == "FAILED"] == ["Lambda.TooManyRequestsException"]


# Lambda


def test_a_request_is_bounded_synchronous_or_not(cloud: Cloud) -> None:
    cloud.function("takes", "return len(event)")
    client = cloud.client("lambda")
    assert cloud.call("takes", "x" * (6 * KIB * KIB - 2)) == 6 * KIB * KIB - 2
    with refused("RequestEntityTooLargeException", "Request must be smaller than 6291456 bytes"):
        client.invoke(FunctionName="takes", Payload=json.dumps("x" * (6 * KIB * KIB - 1)))
    with refused("RequestEntityTooLargeException", "1048577 byte payload .* Event .* 1048576 bytes"):
        client.invoke(FunctionName="takes", InvocationType="Event", Payload=json.dumps("x" * (KIB * KIB - 1)))
    taken = client.invoke(FunctionName="takes", InvocationType="Event", Payload=json.dumps("x" * (KIB * KIB - 2)))
    with contextlib.closing(taken["Payload"]):
        assert taken["StatusCode"] == 202


def test_an_answer_is_bounded(cloud: Cloud) -> None:
    cloud.function("gives", "return 'x' * event")
    assert len(cloud.call("gives", 6_291_554)) == 6_291_554
    too_large = cloud.call("gives", 6_291_555)
    assert too_large["errorType"] == "Function.ResponseSizeTooLarge"
    assert "6291556 bytes" in too_large["errorMessage"]


# EventBridge


def test_the_entries_of_a_request_are_bounded_together(cloud: Cloud) -> None:
    events = cloud.client("events")
    entry: dict[str, Any] = {"Source": "byoa", "DetailType": "é", "Resources": ["arn"]}

    def put(size: int) -> Any:
        halves = [entry | {"Detail": json.dumps("x" * (part - 2 - 9))} for part in (size // 2, size - size // 2)]
        return events.put_events(Entries=halves)

    assert put(KIB * KIB - 1)["FailedEntryCount"] == 0
    with refused("ValidationException", "Total size of the entries in the request is over the limit"):
        put(KIB * KIB)


def test_more_than_ten_entries_are_refused(cloud: Cloud) -> None:
    entry = {"Source": "byoa", "DetailType": "Told", "Detail": "{}"}
    with refused("ValidationException", "less than or equal to 10"):
        cloud.client("events").put_events(Entries=[entry] * 11)


# A share of the CPU


def test_a_function_gets_its_share_of_the_cpu_where_that_is_asked_for(tmp_path: Path) -> None:
    seconds, share = 0.1, 256 / 1769
    body = f"""
        began = time.monotonic()
        while time.process_time() < event["until"] + {seconds}: pass
        return time.process_time(), time.monotonic() - began
    """
    with emulated(tmp_path, extra_environment={"EMULATOR_LAMBDA_CPU": "proportional"}) as proportional:
        proportional.function("small", body, MemorySize=256)
        used, _ = proportional.call("small", {"until": 0})  # a worker's first call is not held back
        _, took = proportional.call("small", {"until": used})
    assert took > 0.8 * seconds / share
