"""What a refusal says of the login: that it was refused, that nobody asked for it, or that there was none."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.transport import Transport
from byoa.errors import AuthFailed, ByoaError, ReferenceNotFound
from byoa.trust.credentials import Credential
from local.registry import Response
from tests.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.registry import Request

LOGIN = Credential("bot", "pw")
BASIC = "Basic " + base64.b64encode(b"bot:pw").decode()
GIVEN = "The registry refuses the credentials it was given (status {})."
KEPT = "The registry refuses us without asking for the credentials (status {})."
NONE = "The registry wants credentials, and was given none (status {})."


@pytest.fixture
def registry() -> Iterator[Scripted]:
    with Scripted() as made:
        yield made


def refused(
    registry: Scripted, credential: Credential | None, act: Callable[[Any], object] = lambda it: it.fetch_manifest("v1")
) -> ByoaError:
    endpoint = Endpoint("http", *_host_and_port(registry))
    transport = Transport()
    repository = DistributionRepository(transport, endpoint, "team/app", role="source", credential=credential)
    try:
        with pytest.raises(ByoaError) as caught:
            act(repository)
    finally:
        transport.close()
    return caught.value


def _host_and_port(registry: Scripted) -> tuple[str, int]:
    host, _, port = registry.address.partition(":")
    return host, int(port)


def asking_for(way: str, registry: Scripted, *, good: bool, then: int) -> Callable[[Request], Response]:
    """A registry that answers ``then`` to a login, of which its token service thinks that it is ``good``."""
    challenge = {"basic": 'Basic realm="x"', "bearer": f'Bearer realm="http://{registry.address}/token"'}[way]

    def answer(request: Request) -> Response:
        shown = request.headers["Authorization"]
        if request.path.startswith("/token"):
            return Response(200, [], json.dumps({"token": "t"}).encode()) if good else Response(401)
        if shown is None:
            return Response(401, [("WWW-Authenticate", challenge)])
        return Response(then)

    return answer


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("way", "credential", "wanted"), [("basic", LOGIN, GIVEN), ("bearer", LOGIN, GIVEN), ("bearer", None, NONE)]
)
def test_a_refusal_says_whether_a_login_was_given(
    registry: Scripted, way: str, credential: Credential | None, wanted: str, status: int
) -> None:
    registry.script = asking_for(way, registry, good=True, then=status)
    error = refused(registry, credential)
    assert (type(error), error.cause) == (AuthFailed, wanted.format(status))


@pytest.mark.parametrize(("credential", "wanted"), [(LOGIN, GIVEN), (None, NONE)], ids=["a login", "none"])
def test_so_does_a_token_service_s(registry: Scripted, credential: Credential | None, wanted: str) -> None:
    registry.script = asking_for("bearer", registry, good=False, then=200)
    assert refused(registry, credential).cause == wanted.format(401)


@pytest.mark.parametrize(("credential", "wanted"), [(LOGIN, KEPT), (None, NONE)], ids=["a login", "none"])
def test_who_refuses_everybody_has_seen_no_login(
    registry: Scripted, credential: Credential | None, wanted: str
) -> None:
    registry.script = lambda _: Response(403)
    assert refused(registry, credential).cause == wanted.format(403)


@pytest.mark.parametrize("way", ["basic", "bearer"])
@pytest.mark.parametrize(
    "act",
    [lambda it: it.fetch_manifest("v1"), lambda it: it.all_tags()],
    ids=["a manifest", "tags"],
)
def test_what_a_login_doesn_t_see_isn_t_said_to_need_one(
    registry: Scripted, way: str, act: Callable[[Any], object]
) -> None:
    registry.script = asking_for(way, registry, good=True, then=404)
    error = refused(registry, LOGIN, act)
    assert isinstance(error, ReferenceNotFound)
    assert "the login, which was not refused, may read this repository" in error.remedy
    assert "needs credentials" not in error.remedy


def test_who_gave_none_is_told_that_one_may_help(registry: Scripted) -> None:
    for credential in (None, LOGIN):
        error = refused(registry, credential)
        assert isinstance(error, ReferenceNotFound)
        assert error.remedy == ReferenceNotFound.default_remedy
