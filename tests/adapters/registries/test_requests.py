"""What a copy costs: every request is counted, and where a registry asks for rest there are none."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.authorization import Wallet
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.hosts import Host
from byoa.adapters.registries.transport import Transport
from byoa.engine.copying import copy
from byoa.engine.mirroring import Wanted, mirror
from byoa.engine.patience import Patience
from byoa.engine.sending import Pace
from byoa.engine.workers import Workers
from byoa.errors import (
    AuthFailed,
    ByoaError,
    ReferrersUnknown,
    RegistryProtocolError,
    RegistryThrottled,
    RegistryUnavailable,
    TargetThrottled,
)
from byoa.trust.credentials import Credential
from local.registry import Registry, Request, Response, Settings, as_json
from tests.faults.artifacts import Artifact, Maker, lacking, put
from tests.faults.clock import Clock
from tests.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OURS: Final = Credential("byoa", "desk")
BEARER: Final = Settings(auth="bearer")
BASIC: Final = Settings(auth="basic")


class Counted(Scripted):
    """A registry that knows what it was asked."""

    @property
    def asked(self) -> list[tuple[str, int]]:
        """Method and status of each request; that for a token is called ``TOKEN``."""
        return [("TOKEN" if seen.path == "/token" else seen.method, seen.status) for seen in self.requests]

    @property
    def methods(self) -> list[str]:
        return [method for method, _ in self.asked]


@pytest.fixture
def origin() -> Iterator[Counted]:
    with Counted() as made:
        yield made


@pytest.fixture
def goal() -> Iterator[Counted]:
    with Counted() as made:
        yield made


type Client = Callable[..., DistributionRepository]


@pytest.fixture
def client(transport: Transport) -> Client:
    wallet = Wallet(transport)

    def make(registry: Registry, role: Any = "source", name: str = "vendor/app", **more: Any) -> DistributionRepository:
        return DistributionRepository(transport, endpoint_of(registry), name, role=role, wallet=wallet, **more)

    return make


def endpoint_of(registry: Registry) -> Endpoint:
    host, _, port = registry.address.partition(":")
    return Endpoint("http", host, int(port))


def small() -> Artifact:
    return Maker(1).make("plain")


def in_memory(artifact: Artifact) -> MemoryRepository:
    return MemoryRepository(dict(artifact.blobs), {each.digest: each for each in artifact.manifests})


BARE: Final = Wanted("v1", tag="v1", attachments=False)
WHOLE: Final = Wanted("v1", tag="v1")


# Without attachments


def test_a_small_artifact_costs_three_requests_and_six(origin: Counted, goal: Counted, client: Client) -> None:
    put(origin, "vendor/app", small(), "v1")
    mirror(client(origin), client(goal, "target"), BARE)
    assert origin.methods == ["GET"] * 3
    assert goal.methods == ["HEAD", "POST", "PUT", "POST", "PUT", "PUT"]


def test_nothing_to_do_costs_one_request_and_one(origin: Counted, goal: Counted, client: Client) -> None:
    put(origin, "vendor/app", small(), "v1")
    put(goal, "vendor/app", small(), "v1")
    mirror(client(origin), client(goal, "target"), BARE)
    assert (origin.methods, goal.methods) == (["GET"], ["HEAD"])


def test_a_blob_of_another_repository_of_the_registry_costs_one_request(origin: Counted, client: Client) -> None:
    put(origin, "vendor/app", small(), "v1")
    mirror(client(origin), client(origin, "target", "ours/app", mount_from="vendor/app"), BARE)
    assert origin.methods == ["GET", "HEAD", "POST", "POST", "PUT"]


def test_a_blob_over_a_mebibyte_is_asked_for_before_it_is_sent(origin: Counted, goal: Counted, client: Client) -> None:
    maker = Maker(1)
    artifact = maker.artifact(maker.image(sizes=(1024 * 1024 + 1,)))
    put(origin, "vendor/app", artifact, "v1")
    mirror(client(origin), client(goal, "target"), BARE)
    assert goal.methods == ["HEAD", "POST", "PUT", "HEAD", "POST", "PUT", "PUT"]


def test_an_index_costs_one_question_and_one_request_for_each_child(
    origin: Counted, goal: Counted, client: Client
) -> None:
    maker = Maker(1)
    artifact = maker.artifact(maker.index(maker.image(1), maker.image(1)))
    put(origin, "vendor/app", artifact, "v1")
    mirror(client(origin), client(goal, "target"), BARE)
    assert origin.methods == ["GET"] * (3 + 3)
    assert goal.methods == ["HEAD"] * 3 + ["POST", "PUT"] * 3 + ["PUT"] * 3


def test_a_copy_over_kept_connections_opens_one_to_each_side(
    origin: Counted, goal: Counted, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Endpoint] = []
    connect = Transport._connect

    def note(transport: Transport, endpoint: Endpoint, *more: Any) -> Any:
        opened.append(endpoint)
        return connect(transport, endpoint, *more)

    monkeypatch.setattr(Transport, "_connect", note)
    put(origin, "vendor/app", small(), "v1")
    source, target = client(origin), client(goal, "target")
    for _ in range(2):
        mirror(source, target, WHOLE)
    assert sorted(map(str, opened)) == sorted(str(endpoint_of(each)) for each in (origin, goal))


def test_an_answer_closed_twice_gives_its_connection_back_once(origin: Counted, transport: Transport) -> None:
    response = transport.request("HEAD", endpoint_of(origin), "/v2/", {})
    response.close()
    response.close()
    assert len(transport._pool(endpoint_of(origin))._idle) == 1


def test_of_a_refusals_body_little_is_read_and_much_is_not(origin: Counted, transport: Transport) -> None:
    for size, kept in ((1024, 1), (1025, 0)):
        origin.script = lambda _, size=size: Response(307, [], b"x" * size)  # type: ignore[misc]
        transport.request("GET", endpoint_of(origin), "/v2/", {}).close()
        assert len(transport._pool(endpoint_of(origin))._idle) == kept


# With attachments


def test_looking_for_attachments_costs_four_requests_at_the_source_for_each_manifest(
    origin: Counted, goal: Counted, client: Client
) -> None:
    put(origin, "vendor/app", small(), "v1")
    mirror(client(origin), client(goal, "target"), WHOLE)
    assert origin.methods == ["GET"] * 3 + ["GET", "HEAD", "HEAD", "HEAD"]
    assert goal.methods == ["HEAD", "POST", "PUT", "POST", "PUT", "PUT"]


def test_a_signature_costs_its_copy_and_another_look(origin: Counted, goal: Counted, client: Client) -> None:
    artifact = Maker(1).make("signed")
    put(origin, "vendor/app", artifact, "v1")
    mirror(client(origin), client(goal, "target"), WHOLE)
    assert origin.methods == ["GET"] * 3 + ["GET", "HEAD", "HEAD", "HEAD"] * 2 + ["GET"] * 2
    assert goal.methods == [
        "HEAD", "POST", "PUT", "POST", "PUT", "PUT",
        "HEAD", "POST", "POST", "PUT", "PUT",
    ]  # fmt: skip
    assert lacking(goal, "vendor/app", artifact, "v1") == []


def test_nothing_to_do_with_a_signature_costs_one_question_for_it_and_one_for_the_list(
    origin: Counted, goal: Counted, client: Client
) -> None:
    artifact = Maker(1).make("signed")
    put(origin, "vendor/app", artifact, "v1")
    put(goal, "vendor/app", artifact, "v1")
    mirror(client(origin), client(goal, "target"), WHOLE)
    assert origin.methods == ["GET"] + ["GET", "HEAD", "HEAD", "HEAD"] * 2
    assert goal.methods == ["HEAD", "HEAD", "GET"]


def test_a_host_without_the_referrers_api_is_asked_for_it_once(goal: Counted, client: Client) -> None:
    with Counted(Settings(referrers=False)) as old:
        for name in ("vendor/app", "vendor/other"):
            put(old, name, Maker(1).make("attested"), "v1")
        for name in ("vendor/app", "vendor/other"):
            mirror(client(old, "source", name), client(goal, "target", name), WHOLE)
            assert lacking(goal, name, Maker(1).make("attested"), "v1") == []
        assert len([seen for seen in old.requests if "/referrers/" in seen.path]) == 1


@pytest.mark.parametrize("status", [400, 404, 405, 406, 410, 501])
def test_a_registry_without_the_referrers_api_may_say_so_in_many_ways(
    origin: Counted, client: Client, status: int
) -> None:
    artifact = Maker(1).make("signed")
    put(origin, "vendor/app", artifact, "v1")
    origin.script = lambda request: Response(status) if "/referrers/" in request.path else None
    assert client(origin).referrers(artifact.root.digest) == ()


def test_a_page_for_people_is_no_list_of_referrers(origin: Counted, client: Client) -> None:
    page = Response(200, [("Content-Type", "text/html; charset=utf-8")], b"<html>")
    origin.script = lambda request: page if "/referrers/" in request.path else None
    assert client(origin).referrers(small().root.digest) == ()


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"manifests": [{"digest": "x"}]}', b'{"manifests": 7}'])
def test_a_list_of_referrers_that_cannot_be_read_is_unknown_and_not_empty(
    origin: Counted, client: Client, content: bytes
) -> None:
    listed = [("Content-Type", "application/vnd.oci.image.index.v1+json")]
    origin.script = lambda request: Response(200, listed, content) if "/referrers/" in request.path else None
    source = client(origin)
    for _ in range(2):
        with pytest.raises(ReferrersUnknown):
            source.referrers(small().root.digest)


def test_a_list_of_referrers_whose_second_page_is_gone_is_an_error(origin: Counted, client: Client) -> None:
    artifact = Maker(1).make("signed")
    put(origin, "vendor/app", artifact, "v1")

    def script(request: Request) -> Response | None:
        if "/referrers/" not in request.path:
            return None
        response = Registry.answer(origin, request)
        if "last" in request.query:
            return Response(404)
        response.headers.append(("Link", f'<{request.path}?last=1>; rel="next"'))
        return response

    origin.script = script
    with pytest.raises(ByoaError):
        client(origin).referrers(artifact.root.digest)


# What credentials cost


def test_a_registry_that_wants_a_token_costs_one_refusal_and_one_token(client: Client) -> None:
    with Counted(BEARER) as origin, Counted(BEARER) as goal:
        put(origin, "vendor/app", small(), "v1")
        mirror(client(origin, credential=OURS), client(goal, "target", credential=OURS), BARE)
        assert origin.asked == [("GET", 401), ("TOKEN", 200)] + [("GET", 200)] * 3
        assert goal.methods == ["HEAD", "TOKEN", "HEAD", "POST", "PUT", "POST", "PUT", "PUT"]


def test_another_repository_of_a_known_host_costs_a_token_and_no_refusal(client: Client) -> None:
    with Counted(BEARER) as origin:
        put(origin, "vendor/app", small(), "v1")
        put(origin, "vendor/other", small(), "v1")
        client(origin, credential=OURS).fetch_manifest("v1")
        origin.forget_requests()
        client(origin, "source", "vendor/other", credential=OURS).fetch_manifest("v1")
        assert origin.asked == [("TOKEN", 200), ("GET", 200)]


def test_a_known_repository_costs_neither(client: Client) -> None:
    with Counted(BEARER) as origin:
        put(origin, "vendor/app", small(), "v1")
        client(origin, credential=OURS).fetch_manifest("v1")
        origin.forget_requests()
        client(origin, credential=OURS).fetch_manifest("v1")
        assert origin.asked == [("GET", 200)]


def test_a_registry_that_wants_a_password_costs_one_refusal_for_each_host(client: Client) -> None:
    with Counted(BASIC) as origin:
        put(origin, "vendor/app", small(), "v1")
        put(origin, "vendor/other", small(), "v1")
        client(origin, credential=OURS).fetch_manifest("v1")
        client(origin, "source", "vendor/other", credential=OURS).fetch_manifest("v1")
        assert origin.asked == [("GET", 401), ("GET", 200), ("GET", 200)]


def test_a_repository_for_everybody_is_read_without_credentials_beside_one_that_wants_some(client: Client) -> None:
    with Counted(Settings(auth="basic", anonymous_pull=True)) as origin:
        put(origin, "vendor/app", small(), "v1")
        client(origin, "target", credential=OURS).check_push()
        assert client(origin).fetch_manifest("v1") == small().root
        with pytest.raises(AuthFailed):
            client(origin, "target").check_push()


def test_nobody_is_asked_whether_it_is_a_registry(client: Client) -> None:
    with Counted(BEARER) as origin, Counted(BASIC) as goal:
        put(origin, "vendor/app", Maker(1).make("attested"), "v1")
        mirror(client(origin, credential=OURS), client(goal, "target", credential=OURS), WHOLE)
        assert [seen for seen in [*origin.requests, *goal.requests] if seen.path.rstrip("/") == "/v2"] == []


def test_a_token_service_that_fails_is_tried_as_often_as_anything_else(client: Client) -> None:
    with Counted(BEARER) as origin:
        put(origin, "vendor/app", small(), "v1")
        failures = [Response(503)] * 4
        origin.script = lambda request: failures.pop() if request.path == "/token" and failures else None
        clock = Clock()
        source = client(origin, credential=OURS, patience=Patience(attempts=5, sleep=clock.sleep))
        assert source.fetch_manifest("v1") == small().root
        assert origin.methods == ["GET"] + ["TOKEN"] * 5 + ["GET"]


def test_a_token_service_that_always_fails_is_left_after_five_tries(client: Client) -> None:
    with Counted(BEARER) as origin:
        origin.script = lambda request: Response(503) if request.path == "/token" else None
        source = client(origin, credential=OURS, patience=Patience(attempts=5, sleep=Clock().sleep))
        with pytest.raises(RegistryUnavailable):
            source.fetch_manifest("v1")
        assert origin.methods == ["GET"] + ["TOKEN"] * 5


# Consideration


def at_rest(transport: Transport, registry: Registry) -> Clock:
    """A clock of our own for one host's rests."""
    clock = Clock()
    transport._hosts[endpoint_of(registry)] = Host(16, now=clock.now, sleep=clock.sleep)
    return clock


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("refused", ["HEAD", "POST", "PUT"])
def test_when_a_host_asks_one_of_its_users_to_rest_all_others_rest_too(
    goal: Counted, transport: Transport, client: Client, status: int, refused: str
) -> None:
    clock = at_rest(transport, goal)
    refusals = [Response(status, [("Retry-After", "30")])]
    goal.script = lambda request: refusals.pop() if request.method == refused and refusals else None
    with pytest.raises(ByoaError):
        copy(in_memory(small()), client(goal, "target"), small().root)
    assert clock.slept == []
    client(goal, "source", "vendor/other").find_manifest("v1")
    assert clock.slept == [30.0]


def test_a_date_is_rested_until_as_well(goal: Counted, transport: Transport, client: Client) -> None:
    clock = at_rest(transport, goal)
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=59), usegmt=True)
    refusals = [Response(429, [("Retry-After", date)])]
    goal.script = lambda _: refusals.pop() if refusals else None
    with pytest.raises(ByoaError):
        client(goal).find_manifest("v1")
    client(goal).find_manifest("v1")
    (slept,) = clock.slept
    assert 0 < slept <= 59


def test_a_copy_by_many_workers_gets_over_a_host_that_wants_rest(
    goal: Counted, transport: Transport, client: Client
) -> None:
    clock = at_rest(transport, goal)
    refusals = [Response(429, [("Retry-After", "30")]) for _ in range(3)]
    goal.script = lambda request: refusals.pop() if request.method == "PUT" and refusals else None
    maker = Maker(1)
    artifact = maker.artifact(maker.image(8))
    patience = Patience(attempts=5, longest=60, sleep=lambda _: None)
    with closing(Workers(4, "test")) as workers:
        pace = Pace(workers=workers, patience=patience)
        copy(in_memory(artifact), client(goal, "target", patience=patience), artifact.root, tag="v1", pace=pace)
    assert clock.now() >= 1030
    assert lacking(goal, "vendor/app", artifact, "v1") == []


@pytest.mark.parametrize(
    "said",
    ["86400", format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)],
    ids=["in seconds", "as a date"],
)
def test_nobody_rests_for_longer_than_a_minute(
    origin: Counted, transport: Transport, client: Client, said: str
) -> None:
    clock = at_rest(transport, origin)
    put(origin, "vendor/app", small(), "v1")
    refusals = [Response(429, [("Retry-After", said)])]
    origin.script = lambda _: refusals.pop() if refusals else None
    patience = Patience(attempts=5, longest=60, sleep=lambda _: None)
    assert client(origin, patience=patience).fetch_manifest("v1") == small().root
    assert clock.now() <= 1060


def test_a_target_that_throttles_for_ever_is_left_after_five_tries(
    goal: Counted, transport: Transport, client: Client
) -> None:
    at_rest(transport, goal)
    goal.script = lambda request: Response(429, [("Retry-After", "1")]) if request.method == "PUT" else None
    artifact = small()
    clock = Clock()
    patience = Patience(attempts=5, sleep=clock.sleep)
    with pytest.raises(TargetThrottled):
        copy(
            in_memory(artifact), client(goal, "target", patience=patience), artifact.root, pace=Pace(patience=patience)
        )
    assert goal.methods.count("PUT") == 5
    assert clock.slept == [1.0] * 4


@pytest.mark.parametrize("path", ["/manifests/", "/blobs/"])
@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_source_that_always_fails_is_left_after_five_tries(
    origin: Counted, goal: Counted, client: Client, path: str, status: int
) -> None:
    put(origin, "vendor/app", small(), "v1")
    origin.script = lambda request: Response(status) if path in request.path else None
    patience = Patience(attempts=5, sleep=Clock().sleep)
    with pytest.raises(ByoaError) as caught:
        mirror(
            client(origin, patience=patience),
            client(goal, "target", patience=patience),
            BARE,
            pace=Pace(patience=patience),
        )
    assert caught.value.where == "source"
    assert [asked[1] for asked in origin.asked].count(status) == 5


def test_one_server_error_after_another_is_counted_together(origin: Counted, client: Client) -> None:
    put(origin, "vendor/app", small(), "v1")
    answers = [Response(500), Response(429), Response(502), Response(503), Response(500), Response(500)]
    origin.script = lambda _: answers.pop() if answers else None
    with pytest.raises(RegistryThrottled):
        client(origin, patience=Patience(attempts=5, sleep=Clock().sleep)).fetch_manifest("v1")
    assert len(origin.requests) == 5


def test_what_another_try_cannot_help_is_tried_once(origin: Counted, client: Client) -> None:
    origin.script = lambda _: as_json(403, {"errors": [{"code": "DENIED"}]})
    with pytest.raises(AuthFailed):
        client(origin, patience=Patience(attempts=5, sleep=Clock().sleep)).fetch_manifest("v1")
    assert len(origin.requests) == 1


@pytest.mark.parametrize("answer", [Response(416), as_json(400, {"errors": [{"code": "BLOB_UPLOAD_UNKNOWN"}]})])
def test_a_source_that_speaks_of_uploads_is_not_taken_for_a_target(
    origin: Counted, client: Client, answer: Response
) -> None:
    origin.script = lambda _: answer
    with pytest.raises(RegistryProtocolError):
        client(origin).fetch_manifest("v1")
