"""The emulator behaves as AWS does where MiniStack alone doesn't, shown by real calls."""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import http.client
import io
import json
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local import processes
from local.emulator.anchors import MiniStackChanged, anchored, edited
from tests.local.cloud import ROLE, Cloud, emulated, eventually, history, task

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.emulator

SLOTS = 2


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    extra = {"EMULATOR_LAMBDA_SLOTS": str(SLOTS), "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.1"}
    with contextlib.ExitStack() as running:
        with pytest.MonkeyPatch.context() as shell:
            shell.setenv("AWS_PROFILE", "production")
            shell.setenv("HTTPS_PROXY", "http://proxy.invalid")
            cloud = running.enter_context(emulated(tmp_path_factory.mktemp("desk"), extra_environment=extra))
        yield cloud


# Lambda


def test_an_exception_is_reported_by_its_class(cloud: Cloud) -> None:
    cloud.function("raises", "class Corrupt(Exception): pass\nraise Corrupt('not what it claims')")
    error = cloud.call("raises")
    assert (error["errorType"], error["errorMessage"]) == ("Corrupt", "not what it claims")
    assert "index.py" in error["stackTrace"][0]


def test_a_function_that_raised_stays_warm(cloud: Cloud) -> None:
    cloud.function("stays", "if event: raise ValueError\nreturn os.getpid()")
    before = cloud.call("stays")
    cloud.call("stays", event=True)
    assert cloud.call("stays") == before


def test_a_function_that_exits_is_reported_so(cloud: Cloud) -> None:
    cloud.function("exits", "os._exit(1)")
    assert cloud.call("exits")["errorType"] == "Runtime.ExitError"


def test_a_function_cannot_forge_a_failure(cloud: Cloud) -> None:
    answer = {"errorType": "Corrupt", "errorMessage": "", "failure": {}, "failed": True}
    cloud.function("forges", "return event")
    assert cloud.call("forges", answer) == answer


def test_what_child_processes_print_and_read_stays_out_of_the_protocol(cloud: Cloud) -> None:
    forged = json.dumps({"status": "ok", "result": "forged"})
    cloud.function("spawns", f"subprocess.run(['sh', '-c', 'cat; echo \"$0\"', {forged!r}])\nreturn event")
    assert [cloud.call("spawns", number) for number in range(3)] == [0, 1, 2]


def test_a_call_has_its_own_log_and_all_of_it(cloud: Cloud) -> None:
    cloud.function("logs", "print(*range(event), sep='\\n', end='')\nreturn event")
    for count in (300, 1, 0, 2):
        assert printed(cloud, "logs", count) == [str(number) for number in range(count)]


def printed(cloud: Cloud, function: str, event: Any) -> list[str]:
    """What one call of ``function`` printed."""
    called = cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event), LogType="Tail")
    called["Payload"].close()
    lines = base64.b64decode(called.get("LogResult", "")).decode().splitlines()
    return [line for line in lines if not line.startswith(("START ", "END ", "REPORT "))]


def test_a_silent_call_waits_for_no_log(cloud: Cloud) -> None:
    cloud.function("silent", "pass")
    cloud.call("silent")
    began = time.monotonic()
    for _ in range(20):
        cloud.call("silent")
    assert time.monotonic() - began < 0.8  # MiniStack alone waits for 50 ms in each


def test_what_a_layer_holds_is_unpacked_once_for_all_functions(cloud: Cloud) -> None:
    layers = [layer(cloud, "common", "word = 'first'"), layer(cloud, "other", "pass")]
    body = "import common, other\nreturn [common.word, common.__file__, other.__file__]"
    said = [cloud.call(cloud.function(name, body, Layers=layers)) for name in ("one", "two")]
    assert said[0] == said[1]
    assert said[0][0] == "first"
    settings = cloud.client("lambda").get_function_configuration(FunctionName="one")
    assert [each["Arn"] for each in settings["Layers"]] == layers


def test_a_new_version_of_a_layer_is_another_one(cloud: Cloud) -> None:
    for word in ("old", "new"):
        version = layer(cloud, "versioned", f"word = {word!r}")
        function = cloud.function(f"with-{word}", "import versioned\nreturn versioned.word", Layers=[version])
        assert cloud.call(function) == word


def layer(cloud: Cloud, module: str, source: str) -> str:
    """Publish a layer with one module; its version's ARN."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(f"python/{module}.py", source)
    made = cloud.client("lambda").publish_layer_version(LayerName=module, Content={"ZipFile": content.getvalue()})
    return str(made["LayerVersionArn"])


def test_no_more_functions_run_at_once_than_there_are_slots(cloud: Cloud) -> None:
    cloud.function("slow", "time.sleep(0.3)\nreturn os.getpid()")
    with concurrent.futures.ThreadPoolExecutor(2 * SLOTS) as threads:
        workers = set(threads.map(cloud.call, ["slow"] * 2 * SLOTS))
    assert len(workers) <= SLOTS


def test_of_the_functions_that_wait_the_oldest_execution_s_goes_first(cloud: Cloud) -> None:
    function = cloud.function("tells-when", "time.sleep(0.3)\nreturn time.time()")
    first = task(function, Output="{% $states.result.Payload %}", Next="Second")
    del first["End"]
    second = task(function, Output="{% [$states.input, $states.result.Payload] %}")
    machine = cloud.machine("in-turn", {"StartAt": "First", "States": {"First": first, "Second": second}})
    started = [cloud.start(machine) for _ in range(3 * SLOTS)]
    ends = [json.loads(cloud.finish(each)["output"]) for each in started]
    assert max(end for _, end in ends[:SLOTS]) < min(begun for begun, _ in ends[-SLOTS:])


def test_functions_inherit_nothing_of_the_desk(cloud: Cloud) -> None:
    cloud.function("inherits", "return dict(os.environ)")
    inherited = cloud.call("inherits")
    assert not {"AWS_PROFILE", "HTTPS_PROXY", "VIRTUAL_ENV"} & inherited.keys()
    assert inherited["HOME"] == inherited["TMPDIR"]


# Step Functions


def test_retry_matches_a_class_and_waits_no_longer_than_its_cap(cloud: Cloud) -> None:
    body = "global calls\ncalls += 1\nclass Throttled(Exception): pass\nif calls < 2: raise Throttled\nreturn calls"
    retry = {"ErrorEquals": ["Throttled"], "IntervalSeconds": 20, "MaxDelaySeconds": 1, "MaxAttempts": 1}
    state = task(cloud.function("throttled", body), Retry=[retry], Output="{% $states.result.Payload %}")
    execution = cloud.start(cloud.machine("retries", {"StartAt": "Try", "States": {"Try": state}}))
    assert cloud.finish(execution)["output"] == "2"


def test_catch_matches_a_class_and_hands_over_the_error(cloud: Cloud) -> None:
    function = cloud.function("corrupt", "class Corrupt(Exception): pass\nraise Corrupt('bytes')")
    catch = {"ErrorEquals": ["Corrupt"], "Output": "{% $parse($states.errorOutput.Cause) %}", "Next": "Caught"}
    states = {"Try": task(function, Catch=[catch]), "Caught": {"Type": "Succeed"}}
    execution = cloud.start(cloud.machine("catches", {"StartAt": "Try", "States": states}))
    assert json.loads(cloud.finish(execution)["output"])["errorMessage"] == "bytes"


def test_a_throttled_function_is_named_as_on_aws(cloud: Cloud) -> None:
    function = cloud.function("reserved", "pass")
    cloud.client("lambda").put_function_concurrency(FunctionName="reserved", ReservedConcurrentExecutions=0)
    execution = cloud.start(cloud.machine("throttles", {"StartAt": "Try", "States": {"Try": task(function)}}))
    assert cloud.finish(execution)["error"] == "Lambda.TooManyRequestsException"


@pytest.fixture(scope="module")
def waiting(cloud: Cloud) -> str:
    states = {"Wait": {"Type": "Wait", "Seconds": 1, "Next": "Fail"}, "Fail": {"Type": "Fail", "Error": "Late"}}
    return cloud.machine("waits", {"StartAt": "Wait", "States": states})


def test_the_same_start_twice_is_one_execution(cloud: Cloud, waiting: str) -> None:
    first = cloud.start(waiting, {"version": 1}, name="build-1")
    assert cloud.start(waiting, {"version": 1}, name="build-1") == first


def test_the_same_name_for_another_input_is_refused(cloud: Cloud, waiting: str) -> None:
    cloud.start(waiting, {"version": 1}, name="build-2")
    with pytest.raises(cloud.client("stepfunctions").exceptions.ExecutionAlreadyExists):
        cloud.start(waiting, {"version": 2}, name="build-2")


def test_an_aborted_execution_stays_aborted_when_its_last_state_fails(cloud: Cloud) -> None:
    function = cloud.function("fails-late", "time.sleep(0.3)\nraise ValueError")
    machine = cloud.machine("fails", {"StartAt": "Try", "States": {"Try": task(function)}})
    execution = cloud.start(machine, name="build-3")
    eventually(lambda: "TaskScheduled" in history(cloud, execution) or None)
    cloud.client("stepfunctions").stop_execution(executionArn=execution)
    eventually(lambda: "TaskFailed" in history(cloud, execution) or None)
    time.sleep(0.1)
    assert cloud.finish(execution)["status"] == "ABORTED"


# EventBridge


def test_a_timed_out_execution_calls_a_function_whose_failure_reaches_its_destination(cloud: Cloud) -> None:
    url, destination = cloud.queue("unhandled-ends")
    function = cloud.function("ended", "raise ValueError(event['detail']['status'])")
    cloud.client("lambda").put_function_event_invoke_config(
        FunctionName="ended", MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": destination}}
    )
    pattern = {"source": ["aws.states"], "detail": {"status": ["TIMED_OUT"]}}
    cloud.client("events").put_rule(Name="ends", EventPattern=json.dumps(pattern))
    target = {"Id": "ended", "Arn": function, "DeadLetterConfig": {"Arn": destination}}
    cloud.client("events").put_targets(Rule="ends", Targets=[target | {"RetryPolicy": {"MaximumRetryAttempts": 3}}])

    states = {"Wait": {"Type": "Wait", "Seconds": 2, "End": True}}
    machine = cloud.machine("times-out", {"TimeoutSeconds": 1, "StartAt": "Wait", "States": states})
    execution = cloud.start(machine, {"org": "acme"}, name="build-4")

    message = cloud.next_message(url)
    assert message["responsePayload"]["errorType"] == "ValueError"
    detail = message["requestPayload"]["detail"]
    assert (detail["status"], detail["name"], detail["input"]) == ("TIMED_OUT", "build-4", '{"org": "acme"}')
    assert cloud.finish(execution)["status"] == "TIMED_OUT"


# DynamoDB streams


def stream_of(cloud: Cloud, table: str) -> str:
    made = cloud.client("dynamodb").create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    return str(made["TableDescription"]["LatestStreamArn"])


READ_KEYS = "keys = [record['dynamodb']['Keys']['pk']['S'] for record in event['Records']]\nprint(*keys)\n"
RAISE = READ_KEYS + "if 'poison' in keys: raise ValueError"
REPORT = READ_KEYS + (
    "numbers = [record['dynamodb']['SequenceNumber'] for record in event['Records']]\n"
    "failed = [number for number, key in zip(numbers, keys) if key == 'poison']\n"
    "return {'batchItemFailures': [{'itemIdentifier': number} for number in failed]}"
)


@pytest.mark.parametrize(
    ("name", "body", "settings", "batches"),
    [
        ("whole", RAISE, {"MaximumRetryAttempts": 1}, ["a poison b", "a poison b"]),
        (
            "halved",
            RAISE,
            {"MaximumRetryAttempts": 0, "BisectBatchOnFunctionError": True},
            ["a poison b", "a poison", "a", "poison b", "poison", "b"],
        ),
        (
            "reported",
            REPORT,
            {"MaximumRetryAttempts": 1, "FunctionResponseTypes": ["ReportBatchItemFailures"]},
            ["a poison b", "poison b"],
        ),
    ],
)
def test_a_poison_record_is_retried_and_then_put_aside(
    cloud: Cloud, name: str, body: str, settings: dict[str, Any], batches: list[str]
) -> None:
    stream = stream_of(cloud, f"{name}-configs")
    url, destination = cloud.queue(f"{name}-unpublished")
    cloud.function(f"{name}-publish", body)
    for key in ("a", "ignored", "poison", "b"):
        cloud.client("dynamodb").put_item(TableName=f"{name}-configs", Item={"pk": {"S": key}})
    pattern = json.dumps({"dynamodb": {"Keys": {"pk": {"S": [{"anything-but": ["ignored"]}]}}}})
    cloud.client("lambda").create_event_source_mapping(
        FunctionName=f"{name}-publish",
        EventSourceArn=stream,
        StartingPosition="TRIM_HORIZON",
        FilterCriteria={"Filters": [{"Pattern": pattern}]},
        DestinationConfig={"OnFailure": {"Destination": destination}},
        **settings,
    )
    assert cloud.next_message(url)["requestContext"]["condition"] == "RetryAttemptsExhausted"
    seen = eventually(lambda: (lines := printed_batches(cloud, f"{name}-publish"))[len(batches) - 1 :] and lines)
    assert seen == batches


def printed_batches(cloud: Cloud, function: str) -> list[str]:
    events = cloud.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    lines = "\n".join(event["message"] for event in events).splitlines()
    return [line for line in lines if set(line.split()) <= {"a", "poison", "b"} and line]


# ECR and CloudFormation

FILTERS = [{"filterType": "WILDCARD", "filter": "sha256-*"}]


def test_a_repository_keeps_what_it_was_created_with(cloud: Cloud) -> None:
    ecr = cloud.client("ecr")
    settings = {
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": FILTERS,
        "encryptionConfiguration": {"encryptionType": "KMS"},
        "imageScanningConfiguration": {"scanOnPush": True},
    }
    tags = [{"Key": "org", "Value": "acme"}]
    made = ecr.create_repository(repositoryName="acme/api", tags=tags, **settings)["repository"]
    found = ecr.describe_repositories(repositoryNames=["acme/api"])["repositories"][0]
    assert made == found
    assert settings.items() <= found.items()
    assert ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"] == tags


def test_a_repository_changes_its_mutability_and_lifecycle(cloud: Cloud) -> None:
    ecr = cloud.client("ecr")
    ecr.create_repository(repositoryName="acme/web")
    change = {"imageTagMutability": "MUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": FILTERS}
    assert change.items() <= ecr.put_image_tag_mutability(repositoryName="acme/web", **change).items()
    assert change.items() <= ecr.describe_repositories(repositoryNames=["acme/web"])["repositories"][0].items()
    stale = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}
    policy = json.dumps({"rules": [{"rulePriority": 1, "selection": stale, "action": {"type": "expire"}}]})
    ecr.put_lifecycle_policy(repositoryName="acme/web", lifecyclePolicyText=policy)
    assert ecr.get_lifecycle_policy(repositoryName="acme/web")["lifecyclePolicyText"] == policy


def test_repositories_that_exist_and_that_do_not_are_told_apart(cloud: Cloud) -> None:
    ecr = cloud.client("ecr")
    ecr.create_repository(repositoryName="acme/twice")
    with pytest.raises(ecr.exceptions.RepositoryAlreadyExistsException):
        ecr.create_repository(repositoryName="acme/twice")
    with pytest.raises(ecr.exceptions.RepositoryNotFoundException):
        ecr.describe_repositories(repositoryNames=["acme/never"])


def test_a_template_gets_the_properties_that_ministack_drops(cloud: Cloud) -> None:
    member = "ImageTagMutabilityExclusionFilter"
    exclusion = {f"{member}Type": "WILDCARD", f"{member}Value": "sha256-*"}
    _url, letters = cloud.queue("stack-letters")
    resources = {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Role": ROLE,
                "Code": {"ZipFile": "def handler(event, context): pass"},
                "ReservedConcurrentExecutions": 3,
                "DeadLetterConfig": {"TargetArn": letters},
            },
        },
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
            },
        },
        "Repository": {
            "Type": "AWS::ECR::Repository",
            "Properties": {
                "RepositoryName": "acme/stack",
                "ImageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
                f"{member}s": [exclusion],
            },
        },
    }
    made = cloud.stack("properties", resources)
    function = cloud.client("lambda").get_function(FunctionName=made["Function"])
    table = cloud.client("dynamodb").describe_time_to_live(TableName=made["Table"])
    repository = cloud.client("ecr").describe_repositories(repositoryNames=["acme/stack"])["repositories"][0]
    assert function["Concurrency"]["ReservedConcurrentExecutions"] == 3
    assert function["Configuration"]["DeadLetterConfig"]["TargetArn"] == letters
    assert table["TimeToLiveDescription"] == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    assert repository["imageTagMutabilityExclusionFilters"] == FILTERS


def test_a_state_machine_may_be_written_in_yaml(cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="definitions")
    definition = "QueryLanguage: JSONata\nStartAt: Say\nStates:\n  Say: {Type: Pass, Output: '${Word}', End: true}\n"
    s3.put_object(Bucket="definitions", Key="build.asl.yaml", Body=definition.encode())
    properties = {
        "RoleArn": ROLE,
        "DefinitionS3Location": {"Bucket": "definitions", "Key": "build.asl.yaml"},
        "DefinitionSubstitutions": {"Word": "done"},
    }
    made = cloud.stack("yaml", {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}})
    assert cloud.finish(cloud.start(made["Machine"]))["output"] == '"done"'


def test_a_template_with_broken_jsonata_is_refused(cloud: Cloud) -> None:
    states = {"Say": {"Type": "Pass", "Output": "{% $states.( %}", "End": True}}
    properties = {"RoleArn": ROLE, "Definition": {"QueryLanguage": "JSONata", "StartAt": "Say", "States": states}}
    made = cloud.stack("broken", {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}})
    assert made["status"] == "ROLLBACK_COMPLETE"


# API Gateway


def test_an_api_serves_the_routes_of_its_openapi_body(cloud: Cloud) -> None:
    uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{}/invocations"
    page = cloud.function("page", "return {'statusCode': 200, 'body': event['routeKey']}")
    gate = cloud.function("gate", "return {'isAuthorized': event['headers']['authorization'] == 'let me in'}")
    integration = {"type": "aws_proxy", "uri": uri.format(page), "payloadFormatVersion": "2.0"}
    gatekeeper = {
        "type": "request",
        "identitySource": "$request.header.Authorization",
        "authorizerUri": uri.format(gate),
        "authorizerPayloadFormatVersion": "2.0",
        "enableSimpleResponses": True,
    }
    operation = {"x-amazon-apigateway-integration": integration}
    scheme = {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authorizer": gatekeeper}
    body = {
        "openapi": "3.0.1",
        "info": {"title": "desk", "version": "1"},
        "paths": {
            "/open/{name}": {"get": operation},
            "/rest/{proxy+}": {"get": operation},
            "/closed": {"x-amazon-apigateway-any-method": operation | {"security": [{"Gate": []}]}},
        },
        "components": {"securitySchemes": {"Gate": scheme}},
        "tags": [{"name": "ms-custom-id", "x-amazon-apigateway-tag-value": "0c1a0c1a"}],
    }
    stage = {"ApiId": {"Ref": "Api"}, "StageName": "$default", "AutoDeploy": True}
    resources = {
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Body": body}},
        "Stage": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": stage},
    }
    assert cloud.stack("api", resources)["Api"] == "0c1a0c1a"
    assert get(cloud, "/open/x") == (200, "GET /open/{name}")
    assert get(cloud, "/rest/x/a%0Ab") == (200, "GET /rest/{proxy+}")
    assert get(cloud, "/closed")[0] == 401
    assert get(cloud, "/closed", Authorization="let me out")[0] == 403
    assert get(cloud, "/closed", Authorization="let me in") == (200, "ANY /closed")


def get(cloud: Cloud, path: str, **headers: str) -> tuple[int, str]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=10)) as connection:
        connection.request("GET", path, headers={"Host": f"0c1a0c1a.execute-api.localhost:{cloud.port}"} | headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


# Starting and stopping


def test_with_iam_a_function_may_do_what_its_role_says_and_no_more(tmp_path: Path) -> None:
    body = "import boto3\nreturn boto3.client('sqs').create_queue(QueueName=event)['QueueUrl']"
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allow = {"Effect": "Allow", "Action": "sqs:CreateQueue", "Resource": "arn:aws:sqs:*:*:mine"}
    with emulated(tmp_path, enforce_iam=True) as strict:
        iam = strict.client("iam")
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName="desk", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        iam.put_role_policy(RoleName="desk", PolicyName="mine", PolicyDocument=policy)
        strict.function("bounded", body, Role=role)
        assert strict.call("bounded", "mine").endswith("/mine")
        assert "AccessDenied" in strict.call("bounded", "theirs")["errorMessage"]


def test_a_taken_port_is_told_before_anything_starts(cloud: Cloud, tmp_path: Path) -> None:
    with pytest.raises(processes.DeskError, match=f"Port {cloud.port} is taken") as caught:
        processes.start_emulator(tmp_path, cloud.port)
    assert "ss -ltnp" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_dies_while_starting_shows_the_end_of_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such setting')"]
    process = processes.Process("server", command, tmp_path, environment={})
    with pytest.raises(processes.DeskError, match="ended while starting") as caught:
        process.wait_until(lambda: False)
    assert caught.value.remedy.endswith("no such setting")


def test_a_process_that_never_gets_ready_is_stopped(tmp_path: Path) -> None:
    process = processes.Process("server", ["sleep", "60"], tmp_path, environment={"PATH": "/bin:/usr/bin"})
    with pytest.raises(processes.DeskError, match="isn't ready"):
        process.wait_until(lambda: False, seconds=0.1)
    assert not alive(process.pid)


def test_a_program_that_cannot_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(processes.DeskError, match="can't be run"):
        processes.Process("server", [tmp_path / "missing"], tmp_path, environment={})


def test_stopping_ends_what_the_process_started_and_removes_its_scratch(tmp_path: Path) -> None:
    code = "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    scratch = tmp_path / "scratch"
    command = [sys.executable, "-c", code]
    environment = {"PATH": "/bin:/usr/bin"}
    with processes.Process("server", command, tmp_path, environment=environment, scratch=scratch) as process:
        process.wait_until(lambda: process.tail().isdigit())
        child = int(process.tail())
        assert alive(child)
        assert scratch.exists()
    assert eventually(lambda: not alive(child))
    assert not scratch.exists()
    process.stop()


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended and nobody has reaped doesn't."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


# Anchors


def test_it_refuses_to_start_when_the_source_to_correct_has_changed() -> None:
    code = (
        "import ministack.core.lambda_runtime as runtime; runtime._PYTHON_WORKER_SCRIPT = 'pass'; "
        "import local.emulator.functions as corrections; corrections.correct()"
    )
    python = processes.ROOT / ".venvs/emulator/bin/python"
    run = subprocess.run([python, "-c", code], cwd=processes.ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "the worker script no longer has" in run.stderr


def test_an_anchor_is_a_line_of_a_function_that_exists() -> None:
    assert anchored(textwrap, "dedent", "def dedent(text)") is textwrap.dedent
    with pytest.raises(MiniStackChanged, match=r"textwrap\.dedent no longer has 'no such line'"):
        anchored(textwrap, "dedent", "no such line")
    with pytest.raises(MiniStackChanged, match=r"textwrap\.gone no longer has"):
        anchored(textwrap, "gone", "def gone")


def test_an_edit_happens_as_often_as_expected_or_not_at_all() -> None:
    assert edited("a b a", "a", "c", times=2) == "c b c"
    with pytest.raises(MiniStackChanged, match="no longer has 1 times 'a'"):
        edited("a b a", "a", "c")
