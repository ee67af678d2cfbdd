"""Deliveries as API Gateway hands them over: taken, passed over, and refused, whoever's they are said to be."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.tracking import MemoryBell, MemoryHooks
from byoa.errors import StoreThrottled
from byoa.tracking.door import BODY_LIMIT, CALLS, REFUSALS, Answer, Door
from byoa.tracking.records import KINDS, PROOFS, issue, parse_address
from byoa.tracking.refusals import CODES
from local.desk import ORGANISATION
from local.samples import sample_hook, sample_secret

if TYPE_CHECKING:
    from byoa.tracking.messages import RegistryPushed

EVENTS = Path(__file__).parents[2] / "events" / "hooks"
OTHER = "org_other0000000"
SIGNED = [kind for kind in KINDS if PROOFS[kind] == "signature"]


class Gate:
    """A door with each kind's sample hook behind it."""

    def __init__(self) -> None:
        self.clock = SteppingClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.hooks: dict[Any, Any] = {}
        self.bell = MemoryBell()
        for kind in KINDS:
            MemoryHooks(ORGANISATION, self.hooks).add(sample_hook(kind))
        self.door = Door(MemoryHooks("", self.hooks), self.bell, self.clock)

    @property
    def told(self) -> list[RegistryPushed]:
        return self.bell.told

    def send(self, event: Any) -> Answer:
        return self.door.take(event)


@pytest.fixture
def gate() -> Gate:
    return Gate()


def sample(kind: str) -> Any:
    return json.loads((EVENTS / f"{kind}.json").read_bytes())


def code(answer: Answer) -> str:
    return str(answer.body.get("code"))


def test_every_kind_has_a_sample() -> None:
    assert {path.stem for path in EVENTS.iterdir()} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_sample_is_taken_and_tells_where_to_look_and_nothing_else(gate: Gate, kind: str) -> None:
    answer = gate.send(sample(kind))
    assert (answer.status, answer.body) == (202, {"status": "accepted", "reason": ""})
    (told,) = gate.told
    assert (told.organisation, told.hook_id, told.kind) == (ORGANISATION, sample_hook(kind).id, kind)  # type: ignore[arg-type]
    assert told.tags[0] == "v2.3.1"
    assert "sha256" not in told.model_dump_json(exclude={"delivery"}), "what a delivery calls a digest is not believed"
    assert not {"action", "build"} & set(told.model_dump()), "what is done about it the hook's record says"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_down_has_no_secret(gate: Gate, kind: str) -> None:
    spoilt = sample(kind) | {"body": "{}"}
    for event in (sample(kind), spoilt):
        answer = gate.send(event)
        text = json.dumps([answer.noted, answer.body])
        assert sample_secret(kind) not in text  # type: ignore[arg-type]
        assert event["headers"].get("authorization", "-") not in text


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_are_the_same_however_the_gateway_hands_them_over(gate: Gate, kind: str) -> None:
    event = sample(kind)
    raw = base64.b64encode(event["body"].encode()).decode()
    assert gate.send({**event, "body": raw, "isBase64Encoded": True}).status == 202
    assert gate.send({**event, "body": raw + "!", "isBase64Encoded": True}).status == 422
    assert len(gate.told) == 1


# ---- forged ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_an_address_that_is_not_quite_a_hook_s_is_none(gate: Gate, kind: str) -> None:
    event, other = sample(kind), KINDS[(KINDS.index(kind) + 1) % len(KINDS)]
    for path in (
        event["rawPath"][:-1] + "A",
        event["rawPath"].replace(sample_secret(kind), sample_secret(other)),  # type: ignore[arg-type]
        event["rawPath"].replace(sample_hook(kind).id, sample_hook(other).id),  # type: ignore[arg-type]
        event["rawPath"] + "/",
        "/hooks/x/y",
        "",
    ):
        answer = gate.send({**event, "rawPath": path})
        assert (answer.status, code(answer)) == (404, "hook_unknown")
    assert gate.told == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_hook_of_another_organisation_is_as_if_there_were_none(gate: Gate, kind: str) -> None:
    event = sample(kind)
    forged = {**event, "rawPath": event["rawPath"].replace(ORGANISATION, OTHER)}
    unknown = gate.send(forged)
    made = issue(OTHER, sample_hook(kind).id, "theirs", kind, "build", 0, "tok")  # type: ignore[arg-type]
    MemoryHooks(OTHER, gate.hooks).add(made.record)
    assert gate.send(forged)[:2] == unknown[:2]
    assert (unknown.status, gate.told) == (404, [])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if PROOFS[kind] in ("signature", "header")])
def test_who_knows_the_address_alone_is_refused(gate: Gate, kind: str) -> None:
    event = sample(kind)
    proofs = {"x-hub-signature-256", "x-signature", "authorization"}
    bare = {name: value for name, value in event["headers"].items() if name not in proofs}
    assert code(gate.send({**event, "headers": bare})) == "signature_missing"
    for name in proofs & event["headers"].keys():
        spoilt = bare | {name: event["headers"][name][:-1] + "x"}
        assert code(gate.send({**event, "headers": spoilt})) == "signature_wrong"
    assert gate.told == []


@pytest.mark.parametrize("kind", SIGNED)
def test_a_signature_is_of_these_bytes(gate: Gate, kind: str) -> None:
    event = sample(kind)
    for body in (event["body"] + " ", event["body"].replace("v2.3.1", "v2.3.2"), "", event["body"].replace(":", ": ")):
        assert code(gate.send({**event, "body": body})) == "signature_wrong"
    assert gate.told == []


def test_a_proof_of_one_s_own_hook_opens_no_other_s(gate: Gate) -> None:
    """Both know their own secrets, and the other's address."""
    mine, theirs = (issue(org, "hok" + "a" * 23, "a", "harbor", "note", 0, "tok") for org in (ORGANISATION, OTHER))
    for each in (mine, theirs):
        MemoryHooks(each.record.organisation, gate.hooks).add(each.record)
    event = sample("harbor")
    for made, other in ((mine, theirs), (theirs, mine)):
        answer = gate.send({**event, "rawPath": made.path, "headers": {"Authorization": other.signing_secret}})
        assert code(answer) == "signature_wrong"
    assert gate.send({**event, "rawPath": mine.path, "headers": {"AUTHORIZATION": mine.signing_secret}}).status == 202


# ---- replayed, oversized, too many -------------------------------------------------------------------------------


def test_a_delivery_that_can_be_known_again_is_named_by_what_is_signed(gate: Gate) -> None:
    event = sample("github")
    renamed = {**event, "headers": event["headers"] | {"x-github-delivery": "another"}}
    for each in (event, renamed):
        gate.send(each)
    first, second = gate.told
    assert first.delivery == second.delivery is not None


@pytest.mark.parametrize(("size", "status"), [(BODY_LIMIT, 422), (BODY_LIMIT + 1, 413), (11 * 1024 * 1024, 413)])
@pytest.mark.parametrize("encoded", [True, False])
def test_a_delivery_has_a_size_and_what_is_larger_is_not_looked_at(
    gate: Gate, size: int, status: int, *, encoded: bool
) -> None:
    body = b"x" * size
    text = base64.b64encode(body).decode() if encoded else body.decode()
    answer = gate.send({**sample("quay"), "body": text, "isBase64Encoded": encoded})
    assert answer.status == status
    if status == 413:
        unknown = {**sample("quay"), "rawPath": "/hooks/x/y", "body": text, "isBase64Encoded": encoded}
        assert gate.send(unknown).status == 413


def test_a_hook_takes_so_many_deliveries_a_minute_and_others_go_on(gate: Gate) -> None:
    for _ in range(CALLS):
        assert gate.send(sample("quay")).status == 202
    answer = gate.send(sample("quay"))
    assert (answer.status, code(answer)) == (429, "throttled")
    assert 0 < answer.retry_after <= 60
    assert gate.send(sample("dockerhub")).status == 202
    gate.clock.moment += timedelta(minutes=1)
    assert gate.send(sample("quay")).status == 202


@pytest.mark.parametrize("kind", [kind for kind in KINDS if PROOFS[kind] not in ("address", "event")])
def test_what_proves_nothing_uses_up_nothing_of_what_the_hook_may_be_called(gate: Gate, kind: str) -> None:
    noise = sample(kind)
    noise["headers"] |= dict.fromkeys(("x-hub-signature-256", "x-signature", "authorization"), "x")
    for number in range(3 * CALLS):
        noise["requestContext"]["http"]["sourceIp"] = f"198.51.100.{number}"
        assert gate.send(noise).status == 401
    noise["requestContext"]["http"]["sourceIp"] = "203.0.113.9"
    assert [gate.send(noise).status for _ in range(REFUSALS + 1)] == [401] * REFUSALS + [429]
    for _ in range(CALLS):
        assert gate.send(sample(kind)).status == 202
    assert gate.send(sample(kind)).status == 429


def test_who_is_refused_again_and_again_is_not_listened_to(gate: Gate) -> None:
    path = sample("quay")["rawPath"]
    event = {**sample("quay"), "rawPath": path[:-1] + ("A" if path[-1] != "A" else "B")}
    for _ in range(REFUSALS):
        assert gate.send(event).status == 404
    assert gate.send(event).status == gate.send(sample("quay")).status == 429
    elsewhere = sample("quay")
    elsewhere["requestContext"]["http"]["sourceIp"] = "198.51.100.7"
    assert gate.send(elsewhere).status == 202, "a guesser elsewhere stops nobody's hook"
    gate.clock.moment += timedelta(minutes=1)
    assert gate.send(sample("quay")).status == 202


def test_what_one_registry_sends_to_wrong_places_stops_no_other_s_hook(gate: Gate) -> None:
    """All of a registry's customers have its deliveries from the same addresses."""
    gone = issue(OTHER, "hok" + "a" * 23, "deleted", "quay", "note", 0, "tok").path
    for path in (gone, "/hooks/x/y"):
        event = {**sample("quay"), "rawPath": path}
        assert [gate.send(event).status for _ in range(REFUSALS + 1)] == [404] * REFUSALS + [429]
    assert gate.send(sample("quay")).status == 202


def test_meters_forget_whom_they_have_heard_of_least_lately(gate: Gate) -> None:
    event = {**sample("quay"), "rawPath": "/hooks/x/y"}
    for number in range(5000):
        event["requestContext"]["http"]["sourceIp"] = f"address {number}"
        gate.send(event)
    assert len(gate.door.refusals._windows) <= 4096


def test_a_bus_that_does_not_take_it_is_no_accepted_delivery(gate: Gate) -> None:
    class Busy:
        def ring(self, pushed: RegistryPushed) -> None:
            raise StoreThrottled("The bus did not take the event.")

    with pytest.raises(StoreThrottled):
        Door(MemoryHooks("", gate.hooks), Busy(), gate.clock).take(sample("quay"))


@pytest.mark.parametrize("name", CODES)
def test_every_refusal_has_the_api_s_members(name: str) -> None:
    from byoa.api.problems import body_of  # noqa: PLC0415 - beside the one thing that it is compared with
    from byoa.tracking.refusals import Refused  # noqa: PLC0415 - the same

    body = Refused(name).body()
    assert body.keys() == body_of(400, "", "", "", "").keys()
    assert (body["code"], body["status"]) == (name, CODES[name][0])


def test_the_samples_addresses_are_their_hooks() -> None:
    for kind in KINDS:
        knock = parse_address(sample(kind)["rawPath"])
        assert knock
        assert knock[:2] == (ORGANISATION, sample_hook(kind).id)
