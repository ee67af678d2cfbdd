"""What the command line's client of the API bears: lost answers, throttling, strangers, proxies, certificates."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from byoa.adapters.remote.wire import ANSWER_LIMIT, Way, Wire
from byoa.bootstrap import terminal
from byoa.errors import (
    ApiRefused,
    ApiUnavailable,
    ApiUnusable,
    ByoaError,
    ConfigInvalid,
    InternalFault,
    LoginMissing,
    StoreThrottled,
)
from tests.api.loopback import listening
from tests.tls import certificate, terminated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.api.loopback import Answer, Loopback, Request

JSON = {"Content-Type": "application/json"}
NEW = {"name": "ci", "scopes": ["read"], "expires_in_days": 1}


@pytest.fixture
def api() -> Iterator[Loopback]:
    with listening() as loopback:
        yield loopback


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it would have waited between tries."""
    waits: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", waits.append)
    return waits


def wire(api: Loopback, *scopes: str) -> Wire:
    return Wire(api.address, api.served.token(*scopes))


def first(*answers: Answer | None) -> Callable[[Request, Callable[[], Answer]], Answer | None]:
    """These answers in place of the API's, one for each request; then its own."""
    left = list(answers)
    return lambda _, honest: left.pop(0) if left else honest()


def always(*answer: Any) -> Callable[..., Answer]:
    return lambda *_: (*answer,)


def problem(code: str, status: int, **more: Any) -> Answer:
    body = {"code": code, "detail": "It is so.", "remedy": "Do this.", "status": status, **more}
    return status, JSON, json.dumps(body).encode()


def refused(api: Loopback, *answer: Any) -> ByoaError:
    api.script = always(*answer)
    with pytest.raises(ByoaError) as caught:
        wire(api).ask("GET", "account")
    return caught.value


def test_a_request_carries_the_token_and_the_organisation(api: Loopback) -> None:
    token = api.served.token()
    said = Wire(api.address, token, "org_0123456789ab").ask("GET", "account").fields()
    assert said["org_ids"] == ["org_0123456789ab"]
    headers = api.requests[0].headers
    assert (headers["Authorization"], headers["X-Nuon-Org-ID"]) == (f"Bearer {token}", "org_0123456789ab")
    assert "Idempotency-Key" not in headers


def test_a_token_shows_in_no_repr(api: Loopback) -> None:
    token = api.served.token()
    assert token not in repr(Wire(api.address, token))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_passes_by_itself_is_tried_again(status: int, api: Loopback, slept: list[float]) -> None:
    api.script = first((status, {}, b""), (status, {}, b""))
    assert wire(api).ask("GET", "account").status == 200
    assert len(api.requests) == 3


def test_it_waits_as_long_as_it_is_asked_to_and_no_longer_than_it_would(api: Loopback, slept: list[float]) -> None:
    api.script = first((429, {"Retry-After": "3"}, b""), (503, {"Retry-After": "86400"}, b""))
    wire(api).ask("GET", "account")
    assert slept == [3, 20]


def test_it_gives_up_after_five_tries(api: Loopback, slept: list[float]) -> None:
    assert isinstance(refused(api, 502, {}, b"<html>"), ApiUnavailable)
    assert len(api.requests) == 5


def test_a_write_whose_answer_is_lost_is_done_once(api: Loopback, slept: list[float]) -> None:
    def lose_the_first(_: Request, honest: Callable[[], Answer]) -> Answer | None:
        answer = honest()
        return None if len(api.requests) == 1 else answer

    api.script = lose_the_first
    toml = 'name = "web"\ntype = "kubernetes_manifest"\nnamespace = "a"\n[oci_artifact]\nurl = "oci://a.example/b"\n'
    place = ("apps", "shop", "components", "web", "configs", "kubernetes-manifest")
    made = wire(api).ask("POST", *place, body={"toml": f'{toml}tag = "v1"\n'})
    assert (made.status, made.fields()["version"]) == (201, 1)
    keys = {each.headers["Idempotency-Key"] for each in api.requests}
    assert (len(api.requests), len(keys)) == (2, 1)
    assert len(api.served.ledger.records) == 1


def test_two_writes_have_two_keys(api: Loopback) -> None:
    asked = wire(api)
    for _ in range(2):
        asked.ask("POST", "tokens", body=NEW)
    assert len({each.headers["Idempotency-Key"] for each in api.requests}) == 2


def test_a_token_whose_answer_is_lost_is_made_once_and_told_of(api: Loopback, slept: list[float]) -> None:
    def lose_the_first(_: Request, honest: Callable[[], Answer]) -> Answer | None:
        answer = honest()
        return None if len(api.requests) == 1 else answer

    api.script = lose_the_first
    with pytest.raises(ApiRefused) as caught:
        wire(api).ask("POST", "tokens", body=NEW)
    assert caught.value.problem == "shown_once"
    assert len(api.served.tokens) == 2, "the one that asks, and one that was made"


def test_a_write_that_is_still_being_answered_is_waited_for(api: Loopback, slept: list[float]) -> None:
    status, headers, body = problem("in_flight", 409)
    api.script = first((status, {**headers, "Retry-After": "5"}, body))
    assert wire(api).ask("POST", "tokens", body=NEW).status == 201
    assert slept == [5]


def test_a_conflict_is_not_tried_again(api: Loopback, slept: list[float]) -> None:
    assert isinstance(refused(api, *problem("exists", 409)), ApiRefused)
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("token_refused", 401, LoginMissing),
        ("scope_missing", 403, ApiRefused),
        ("not_found", 404, ApiRefused),
        ("ConfigInvalid", 422, ConfigInvalid),
        ("StoreThrottled", 503, StoreThrottled),
        ("InternalFault", 500, InternalFault),
        ("ApiRefused", 400, ApiRefused),
        ("something_new", 418, ApiRefused),
        ("something_new", 500, ApiUnavailable),
    ],
)
def test_a_problem_becomes_the_error_that_it_is(
    code: str, status: int, kind: type[ByoaError], api: Loopback, slept: list[float]
) -> None:
    error = refused(api, *problem(code, status))
    assert type(error) is kind
    assert error.cause == "It is so."
    if kind is ApiRefused:
        assert error.as_dict()["problem"] == code
    if kind is not LoginMissing:
        assert error.remedy == "Do this."


def test_every_fault_of_what_was_sent_is_told(api: Loopback) -> None:
    faults = [{"pointer": f"/body/{number}", "code": "x", "message": "is wrong"} for number in range(12)]
    faults[1]["message"] = "Has an end."
    error = refused(api, *problem("invalid", 422, errors=faults))
    assert "/body/0: is wrong. /body/1: Has an end. /body/2: is" in error.cause
    assert error.cause.endswith("And 2 more.")


@pytest.mark.parametrize(
    "answer",
    [
        (404, {}, b"<html>not found</html>"),
        (403, JSON, b'{"message": "Forbidden"}'),
        (404, JSON, b'{"code": ["not_found"], "detail": 7}'),
        (404, JSON, b'{"code": "a b\\u001b", "detail": "x"}'),
        (200, JSON, b"<html>hello</html>"),
        (200, JSON, b"[" * 100_000),
        (200, JSON, b'"a text"'),
        (302, {"Location": "https://elsewhere.example/"}, b""),
        (307, {"Location": "/v1/other"}, b""),
    ],
    ids=ascii,
)
def test_what_is_no_api_is_said_to_be_none(answer: Answer, api: Loopback) -> None:
    api.script = always(*answer)
    with pytest.raises(ApiUnusable):
        wire(api).ask("GET", "account").fields()
    assert len(api.requests) == 1, "no redirect is followed with a token"


def test_an_answer_has_an_end(api: Loopback) -> None:
    assert isinstance(refused(api, 200, JSON, b" " * (ANSWER_LIMIT + 1)), ApiUnusable)


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_no_name_leads_to_another_path(segment: str, api: Loopback) -> None:
    with pytest.raises(ApiRefused) as caught:
        wire(api).ask("GET", "builds", segment)
    assert caught.value.problem == "not_found"
    assert api.requests == []


def test_a_name_is_one_segment_whatever_it_holds(api: Loopback) -> None:
    with pytest.raises(ApiRefused):
        wire(api).ask("GET", "builds", "a/b?c#d%2e")
    assert api.paths("GET") == ["/v1/builds/a%2Fb%3Fc%23d%252e"]


# ---- lists -------------------------------------------------------------------------------------------------------


def fill(api: Loopback, count: int) -> list[str]:
    asked = wire(api)
    names = sorted(f"c{number:03}" for number in range(count))
    for name in names:
        asked.ask("POST", "apps", "shop", "components", body={"name": name})
    api.requests.clear()
    return names


@pytest.mark.parametrize(
    ("offset", "limit", "requests"), [(0, None, 3), (0, 5, 1), (10, 5, 1), (0, 150, 2), (200, 100, 1), (500, 5, 1)]
)
def test_a_list_is_read_in_pages_as_far_as_it_is_wanted(
    offset: int, limit: int | None, requests: int, api: Loopback
) -> None:
    names = fill(api, 230)
    found = wire(api).listing("apps", "shop", "components", offset=offset, limit=limit)
    wanted = names[offset:] if limit is None else names[offset : offset + limit]
    assert [each["name"] for each in found.items] == wanted
    assert found.more is (limit is not None and offset + limit < len(names))
    assert len(api.requests) == requests


def test_a_list_that_leads_to_itself_ends(api: Loopback) -> None:
    api.script = always(200, {**JSON, "Link": '</v1/tokens?cursor=a>; rel="next"'}, b'[{"id": "a"}]')
    with pytest.raises(ApiUnusable):
        wire(api).listing("tokens")


def test_a_list_goes_on_at_the_same_place_wherever_its_link_leads(api: Loopback) -> None:
    link = {**JSON, "Link": '<https://elsewhere.example/x?cursor=abc&limit=7>; rel="next"'}
    api.script = first((200, link, b'[{"id": "a"}]'), (200, JSON, b'[{"id": "b"}]'))
    assert [each["id"] for each in wire(api).listing("tokens").items] == ["a", "b"]
    assert api.paths("GET")[1] == "/v1/tokens?cursor=abc&limit=100"


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"null", b'["a"]'])
def test_a_list_that_is_none_is_said_to_be(body: bytes, api: Loopback) -> None:
    api.script = always(200, JSON, body)
    with pytest.raises(ApiUnusable):
        wire(api).listing("tokens")


# ---- the way there -----------------------------------------------------------------------------------------------


def test_what_isn_t_there_is_unavailable(slept: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ApiUnavailable):
        Wire(f"http://127.0.0.1:{port}", "token").ask("GET", "account")
    assert slept == sorted(slept), "each wait is longer than the one before"
    assert 0 < sum(slept) < 10


def test_a_certificate_that_nobody_vouches_for_is_refused(api: Loopback, slept: list[float], tmp_path: Path) -> None:
    server, _ = certificate(x509.DNSName("localhost"), tmp_path)
    with (
        terminated(api.address.removeprefix("http://"), server) as (outer, _),
        pytest.raises(ApiUnavailable, match="TLS"),
    ):
        Wire(f"https://localhost:{outer}", "token").ask("GET", "account")
    assert api.requests == []


def test_a_proxy_is_asked_to_connect_and_never_sees_the_token(slept: list[float]) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def refuse() -> None:
            while True:
                try:
                    peer, _ = proxy.accept()
                except OSError:
                    return
                with peer:
                    heard.append(peer.recv(65536))
                    peer.sendall(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=refuse, daemon=True).start()
        way = Way(f"http://127.0.0.1:{proxy.getsockname()[1]}", "Basic abc")
        with pytest.raises(ApiUnavailable, match="proxy"):
            Wire("https://api.example.com", "s3cret-token", proxy=way).ask("GET", "account")
        proxy.shutdown(socket.SHUT_RDWR)
    assert heard[0].startswith(b"CONNECT api.example.com:443 ")
    assert b"proxy-authorization: basic abc" in heard[0].lower()
    assert b"s3cret" not in b"".join(heard)


def test_the_environment_names_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:word@proxy.example:3128")
    assert terminal._way("https://api.example.com") == Way("http://proxy.example:3128", "Basic bWU6d29yZA==")
    assert terminal._way("http://127.0.0.1:4666/x") is None
    monkeypatch.setenv("NO_PROXY", "example.com")
    assert terminal._way("https://api.example.com") is None


def test_a_proxy_that_can_t_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://proxy.example")
    with pytest.raises(ApiUnavailable, match="proxy"):
        terminal.api("https://api.example.com", "token")
