"""One suite over all keepers of lookups, in memory and in the table; and functions that are asked over a socket."""

from __future__ import annotations

import io
import json
import random
import threading
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from byoa.adapters.aws.lookups import StackFunctions, StackLookups, TableShelf
from byoa.adapters.aws.rows import Rows
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.lookups import MemoryLookups
from byoa.builds.answer import answer
from byoa.builds.lookups import Answer, AwaitedLookup, LookUp, LookupEnded, Sought
from byoa.builds.messages import Failure, Trial
from byoa.errors import AuthFailed, PlatformMissing, StoreThrottled, Timeout
from local.pages.lookups import Samples, tried
from tests.adapters.test_quotas import make

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.api.ports import Lookups
    from byoa.builds.ports import LookupShelf
    from tests.local.cloud import Cloud

OURS, THEIRS = "org_0123456789ab", "org_0123456789abc"
"""One id begins with the other."""

ID = "lkpaaaaaaaaaaaaaaaaaaaaaaa"
ASKED = LookUp(organisation=OURS, action="diff", artifacts=[Sought(url="oci://a.io/b:1"), Sought(url="oci://a.io/b:2")])
FAILED = Failure(code="AuthFailed", cause="The registry refuses.", remedy="Log in.", where="before")


# ---- what is kept ------------------------------------------------------------------------------------------------


class Kept(NamedTuple):
    """One organisation's lookups, the place of its answers, and another organisation's lookups."""

    lookups: Lookups
    shelf: LookupShelf
    others: Lookups


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock(datetime(2026, 1, 1, tzinfo=UTC))


class NoFunctions:
    """Lambda that takes every message and does nothing."""

    def invoke(self, **_: Any) -> Any:
        return {"StatusCode": 202}

    class exceptions:  # noqa: N801 - boto3's own
        ResourceNotFoundException = LookupError


@pytest.fixture(params=["memory", "moto", pytest.param("emulator", marks=pytest.mark.emulator)])
def kept(request: pytest.FixtureRequest, clock: SteppingClock) -> Iterator[Kept]:
    if request.param == "memory":
        held: dict[Any, Any] = {}
        ours, theirs = (MemoryLookups(each, clock, Samples(clock), held) for each in (OURS, THEIRS))
        yield Kept(ours, ours, theirs)
    elif request.param == "moto":
        with mock_aws(), closing(boto3.client("dynamodb", "us-east-1")) as client:
            make(client, "table")
            yield in_table(client, "table", clock)
    else:
        cloud: Cloud = request.getfixturevalue("cloud")
        with closing(cloud.client("dynamodb")) as client:
            table = f"lookups-{random.getrandbits(40)}"
            make(client, table)
            yield in_table(client, table, clock)


def in_table(client: Any, table: str, clock: SteppingClock) -> Kept:
    ours, theirs = (TableShelf(each, Rows(client, table), clock) for each in (OURS, THEIRS))
    lookups, others = (StackLookups(lambda _: NoFunctions(), "byoa", each) for each in (ours, theirs))  # type: ignore[arg-type, return-value]
    return Kept(lookups, ours, others)


def now_ts(clock: SteppingClock) -> int:
    return round(clock.moment.timestamp() * 1000)


def difference(clock: SteppingClock) -> Answer:
    """What the samples' difference is, as an answer."""
    samples = Samples(clock)
    found = samples.look_up(ASKED)
    return Answer(action="diff", artifacts=found.artifacts, difference=samples.read(found).difference)


def test_a_lookup_runs_until_it_ended(kept: Kept, clock: SteppingClock) -> None:
    assert kept.lookups.find(ID) is None
    kept.lookups.begin(ID, ASKED, now_ts(clock))
    running = kept.lookups.find(ID)
    assert running
    assert (running.id, running.action, running.ended) == (ID, "diff", None)
    ended = LookupEnded(ended_ts=5, answer=difference(clock))
    kept.shelf.end(ID, ended)
    done = kept.lookups.find(ID)
    assert done
    assert done.ended == ended
    assert done.began_ts == running.began_ts


def test_a_failure_is_kept_as_well(kept: Kept, clock: SteppingClock) -> None:
    kept.lookups.begin(ID, ASKED, now_ts(clock))
    kept.shelf.end(ID, LookupEnded(ended_ts=5, failure=FAILED))
    found = kept.lookups.find(ID)
    assert found
    assert found.ended
    assert (found.ended.answer, found.ended.failure) == (None, FAILED)


def test_another_organisation_finds_nothing(kept: Kept, clock: SteppingClock) -> None:
    kept.lookups.begin(ID, ASKED, now_ts(clock))
    assert kept.others.find(ID) is None


def test_it_is_kept_for_a_day(kept: Kept, clock: SteppingClock) -> None:
    kept.lookups.begin(ID, ASKED, now_ts(clock))
    clock.moment += timedelta(hours=23, minutes=59)
    assert kept.lookups.find(ID)
    clock.moment += timedelta(minutes=1)
    assert kept.lookups.find(ID) is None


def test_what_was_not_begun_does_not_end(kept: Kept) -> None:
    kept.shelf.end(ID, LookupEnded(ended_ts=5, failure=FAILED))
    assert kept.lookups.find(ID) is None


def test_a_long_answer_is_kept_whole(kept: Kept, clock: SteppingClock) -> None:
    """A difference is half a megabyte at most, and text packs well."""
    found = difference(clock)
    assert found.difference
    lines = [f"-replicas: {number % 977} of the deployment" for number in range(16_000)]
    (changed,) = found.difference.objects
    place = changed.changes[0].model_copy(update={"lines": lines})
    objects = [changed.model_copy(update={"changes": [place]})]
    long = found.model_copy(update={"difference": found.difference.model_copy(update={"objects": objects})})
    assert len(long.model_dump_json()) > 500_000
    kept.lookups.begin(ID, ASKED, now_ts(clock))
    kept.shelf.end(ID, LookupEnded(ended_ts=5, answer=long))
    ended = kept.lookups.find(ID)
    assert ended
    assert ended.ended
    assert ended.ended.answer == long


def test_what_does_not_fit_is_told_in_its_place(clock: SteppingClock) -> None:
    """Bytes that don't pack."""
    with mock_aws(), closing(boto3.client("dynamodb", "us-east-1")) as client:
        make(client, "table")
        shelf = TableShelf(OURS, Rows(client, "table"), clock)
        shelf.begin(ID, ASKED, now_ts(clock))
        answer(AwaitedLookup(organisation=OURS, id=ID, asked=ASKED), Vast(Samples(clock)), shelf, clock)
        found = shelf.find(ID)
    assert found
    assert found.ended
    assert found.ended.failure
    assert (found.ended.answer, found.ended.failure.code) == (None, "ContentTooLarge")


class Vast:
    """Samples whose difference is random."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def look_up(self, asked: LookUp) -> Any:
        return self._samples.look_up(asked)

    def read(self, found: Any) -> Any:
        read = self._samples.read(found)
        assert read.difference
        notes = [random.Random(1).randbytes(400_000).hex()]
        return read.model_copy(update={"difference": read.difference.model_copy(update={"notes": notes})})


# ---- who is asked ------------------------------------------------------------------------------------------------


class Lambda:
    """Lambda's Invoke over HTTP. ``answers`` are by function; ``waits`` are seconds before each."""

    def __init__(self, clock: SteppingClock) -> None:
        self.samples = Samples(clock)
        self.asked: list[tuple[str, str, Any]] = []
        self.waits: dict[str, float] = {}
        self.fails: dict[str, Any] = {}
        self.address = ""
        self.over = threading.Event()

    def client(self, seconds: int) -> Any:
        config = Config(read_timeout=seconds, retries={"total_max_attempts": 1})
        return boto3.client(
            "lambda", "us-east-1", endpoint_url=self.address, config=config,
            aws_access_key_id="a", aws_secret_access_key="b",
        )  # fmt: skip

    def answer(self, function: str, kind: str, message: Any) -> tuple[int, Any, bool]:
        self.asked.append((function, kind, message))
        self.over.wait(self.waits.get(function, 0))
        if function in self.fails:
            return 200, self.fails[function], True
        if kind == "Event":
            return 202, None, False
        if function == "byoa-look-up-artifact":
            return 200, self.samples.look_up(LookUp.model_validate(message)).model_dump(mode="json"), False
        if function == "byoa-read-artifacts":
            from byoa.builds.lookups import LookedUp  # noqa: PLC0415 - beside its use

            return 200, self.samples.read(LookedUp.model_validate(message)).model_dump(mode="json"), False
        return 404, {"Type": "User", "Message": "none"}, False


@contextmanager
def serving(lambdas: Lambda) -> Iterator[Lambda]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            function = self.path.split("/")[3]
            status, document, failed = lambdas.answer(function, self.headers["X-Amz-Invocation-Type"], message)
            body = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            if failed:
                self.send_header("X-Amz-Function-Error", "Unhandled")
            if status == 404:
                self.send_header("x-amzn-errortype", "ResourceNotFoundException")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        lambdas.address = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield lambdas
        finally:
            lambdas.over.set()
            server.shutdown()


@pytest.fixture
def lambdas(clock: SteppingClock) -> Iterator[Lambda]:
    with serving(Lambda(clock)) as found:
        yield found


def lookups(lambdas: Lambda, clock: SteppingClock) -> StackLookups:
    client: Any = NoFunctions()
    return StackLookups(lambdas.client, "byoa", TableShelf(OURS, Rows(client, "table"), clock))


def test_the_first_is_asked_and_with_its_answer_the_second(lambdas: Lambda, clock: SteppingClock) -> None:
    found = lookups(lambdas, clock).answer(ASKED, 20)
    assert found
    assert found.difference
    assert found.difference.before == found.artifacts[0].digest
    first, second = lambdas.asked
    assert first == ("byoa-look-up-artifact", "RequestResponse", ASKED.model_dump(mode="json"))
    assert second[0] == "byoa-read-artifacts"
    assert second[2]["artifacts"][0]["digest"] == found.artifacts[0].digest


def test_the_second_is_not_asked_where_there_is_nothing_to_read(lambdas: Lambda, clock: SteppingClock) -> None:
    asked = LookUp(organisation=OURS, action="plan", artifacts=ASKED.artifacts[:1])
    found = lookups(lambdas, clock).answer(asked, 20)
    assert found
    assert found.plan
    assert [function for function, _, _ in lambdas.asked] == ["byoa-look-up-artifact"]


@pytest.mark.parametrize("slow", ["byoa-look-up-artifact", "byoa-read-artifacts"])
def test_who_answers_too_late_is_not_waited_for(lambdas: Lambda, clock: SteppingClock, slow: str) -> None:
    lambdas.waits[slow] = 60
    assert lookups(lambdas, clock).answer(ASKED, 2) is None
    assert lookups(lambdas, clock).answer(ASKED, 0.5) is None, "less than a second is no time"


def test_whose_answers_are_kept_gets_a_failure_for_what_is_late(lambdas: Lambda, clock: SteppingClock) -> None:
    lambdas.waits["byoa-look-up-artifact"] = 60
    functions = StackFunctions(lambda _: lambdas.client(1), "byoa")
    with pytest.raises(Timeout):
        functions.look_up(ASKED)


def test_what_a_function_ends_with_is_raised(lambdas: Lambda, clock: SteppingClock) -> None:
    told = AuthFailed("The registry refuses.", remedy="Log in.", where="after")
    lambdas.fails["byoa-look-up-artifact"] = {"errorType": "AuthFailed", "errorMessage": told.as_json()}
    with pytest.raises(AuthFailed) as caught:
        lookups(lambdas, clock).answer(ASKED, 20)
    assert caught.value.as_dict() == told.as_dict()


def test_a_function_of_another_stack_is_missing(lambdas: Lambda, clock: SteppingClock) -> None:
    with pytest.raises(PlatformMissing):
        StackFunctions(lambdas.client, "other").look_up(ASKED)


def test_what_goes_on_is_told_to_who_has_the_time(lambdas: Lambda, clock: SteppingClock) -> None:
    with mock_aws(), closing(boto3.client("dynamodb", "us-east-1")) as client:
        make(client, "table")
        shelf = TableShelf(OURS, Rows(client, "table"), clock)
        messages: list[Any] = []

        class Taking(NoFunctions):
            def invoke(self, **said: Any) -> Any:
                messages.append(said)
                return {"StatusCode": 202}

        StackLookups(lambda _: Taking(), "byoa", shelf).begin(ID, ASKED, now_ts(clock))  # type: ignore[arg-type, return-value]
        assert shelf.find(ID)
    ((name, kind, payload),) = [(each["FunctionName"], each["InvocationType"], each["Payload"]) for each in messages]
    assert (name, kind) == ("byoa-answer-lookup", "Event")
    assert AwaitedLookup.model_validate_json(payload) == AwaitedLookup(organisation=OURS, id=ID, asked=ASKED)


def test_credentials_are_tried_by_the_stack_s_function(clock: SteppingClock) -> None:
    trial = Trial(organisation=OURS, name="ghcr", reference=None)
    messages: list[dict[str, Any]] = []

    class Client:
        class exceptions:  # noqa: N801 - boto3's
            ResourceNotFoundException = KeyError

        def invoke(self, **asked: Any) -> Any:
            messages.append(asked)
            return {"Payload": io.BytesIO(tried(trial).model_dump_json().encode())}

    found = StackFunctions(lambda _: Client(), "byoa").try_credentials(trial)  # type: ignore[arg-type, return-value]
    assert found == tried(trial)
    ((name, payload),) = [(each["FunctionName"], each["Payload"]) for each in messages]
    assert (name, Trial.model_validate_json(payload)) == ("byoa-try-credentials", trial)


def test_lambda_that_is_away_is_busy_and_not_late(clock: SteppingClock) -> None:
    nowhere = Lambda(clock)
    nowhere.address = "http://127.0.0.1:1"
    with pytest.raises(StoreThrottled):
        lookups(nowhere, clock).answer(ASKED, 20)
