"""Credentials that are replaced while a copy runs: asked for once, shown at once, and never another's."""

from __future__ import annotations

import base64
import logging
import threading
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

import pytest

from byoa.adapters.registries.accounts import Account
from byoa.adapters.registries.admission import Admission
from byoa.adapters.registries.authorization import Wallet
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.engine.patience import Patience
from byoa.errors import AuthFailed, ByoaError, CredentialForbidden, SecretUnavailable
from byoa.trust.credentials import Credential
from local.registry import Request, Response
from tests.faults.artifacts import Maker, put
from tests.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.adapters.registries.transport import Transport
    from byoa.oci.manifest import Descriptor

MAKER: Final = Maker(1)
ARTIFACT: Final = MAKER.artifact(MAKER.image(3))
BLOBS: Final = ARTIFACT.root.layers
OLD, NEW = Credential("us", "old-canary"), Credential("us", "new-canary")
PATIENT: Final = Patience(attempts=5, sleep=lambda _: None)
MANY: Final = 8

type Way = Literal["basic", "bearer"]
WAYS: Final = pytest.mark.parametrize("way", ["basic", "bearer"])


def sent_as(credential: Credential) -> str:
    return "Basic " + base64.b64encode(f"{credential.username}:{credential.password}".encode()).decode()


class Guarded(Scripted):
    """A registry that lets ``welcome`` logins in, by Basic or by tokens that name whose they are."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self.welcome = [OLD]
        self.tokens: set[str] = set()
        self.shown: list[tuple[str, str | None]] = []
        super().__init__()
        for name in ("vendor/app", "vendor/other"):
            put(self, name, ARTIFACT, "v1")
        self.script = self._judge

    def _judge(self, request: Request) -> Response | None:
        shown = request.headers["Authorization"]
        self.shown.append((request.path, shown))
        logins = {sent_as(each): each for each in self.welcome}
        if request.path == "/token":
            if shown not in logins:
                return Response(401)
            token = f"token-{len(self.shown)}-{logins[shown].password}"
            self.tokens.add(token)
            return Response(200, [], f'{{"token": "{token}", "expires_in": 3600}}'.encode())
        if self.way == "basic" and shown in logins:
            return None
        if self.way == "bearer" and (shown or "").removeprefix("Bearer ") in self.tokens:
            return None
        challenge = {"basic": 'Basic realm="x"', "bearer": f'Bearer realm="http://{self.address}/token"'}[self.way]
        return Response(401, [("WWW-Authenticate", challenge)])

    def rotate(self) -> None:
        """The old password is no longer good, nor is what was made of it."""
        self.welcome = [NEW]
        self.tokens.clear()


@pytest.fixture
def way() -> Way:
    return "basic"


@pytest.fixture
def registry(way: Way) -> Iterator[Guarded]:
    with Guarded(way) as made:
        yield made


class Safe:
    """What a secret's reader has to say, in turn; counts how often it is asked."""

    def __init__(self, *answers: Credential | ByoaError | None) -> None:
        self.asked = 0
        self._answers = list(answers)

    def __call__(self) -> Credential | None:
        self.asked += 1
        answer = self._answers.pop(0)
        if isinstance(answer, ByoaError):
            raise answer
        return answer


def source(
    transport: Transport, registry: Scripted, renew: Callable[[], Credential | None] | None = None, **settings: Any
) -> DistributionRepository:
    host, _, port = registry.address.partition(":")
    settings = {"credential": OLD, "patience": PATIENT, "role": "source", **settings}
    return DistributionRepository(
        transport, Endpoint("http", host, int(port)), settings.pop("name", "vendor/app"), renew=renew, **settings
    )


def read(repository: DistributionRepository, blob: Descriptor) -> int:
    with repository.open_blob(blob) as reader:
        count = 0
        while more := reader.readinto(memoryview(bytearray(4096))):
            count += more
        return count


@WAYS
def test_a_login_that_is_rotated_between_two_blobs_is_asked_for_once_and_the_copy_goes_on(
    registry: Guarded, transport: Transport
) -> None:
    safe = Safe(NEW)
    repository = source(transport, registry, safe)
    read(repository, BLOBS[0])
    registry.rotate()
    assert [read(repository, blob) for blob in BLOBS] == [blob.size for blob in BLOBS]
    assert safe.asked == 1
    late = [shown for _, shown in registry.shown[-2:]]
    assert all("old-canary" not in str(shown) and shown != sent_as(OLD) for shown in late)


@WAYS
def test_a_login_that_was_stale_from_the_first_is_as_good_as_a_rotated_one(
    registry: Guarded, transport: Transport
) -> None:
    registry.rotate()
    safe = Safe(NEW)
    assert source(transport, registry, safe).fetch_manifest("v1") == ARTIFACT.root
    assert safe.asked == 1


@WAYS
@pytest.mark.parametrize("again", [None, OLD], ids=["the same version", "the same login"])
def test_where_nothing_has_replaced_it_the_refusal_stands_and_nobody_is_asked_twice(
    registry: Guarded, transport: Transport, again: Credential | None
) -> None:
    registry.rotate()
    safe = Safe(again)
    repository = source(transport, registry, safe)
    for _ in range(2):
        with pytest.raises(AuthFailed):
            repository.fetch_manifest("v1")
    assert safe.asked == 1
    assert len(registry.shown) == {"basic": 3, "bearer": 4}[registry.way]


@WAYS
def test_a_replacement_that_is_refused_as_well_is_the_end(registry: Guarded, transport: Transport) -> None:
    registry.welcome = []
    safe = Safe(NEW)
    with pytest.raises(AuthFailed):
        source(transport, registry, safe).fetch_manifest("v1")
    assert safe.asked == 1
    assert len(registry.shown) <= 4


@WAYS
def test_a_secret_that_was_deleted_meanwhile_is_named(registry: Guarded, transport: Transport) -> None:
    registry.rotate()
    with pytest.raises(CredentialForbidden):
        source(transport, registry, Safe(CredentialForbidden("gone"))).fetch_manifest("v1")


@WAYS
def test_a_secret_that_cant_be_read_for_a_while_is_asked_for_again(registry: Guarded, transport: Transport) -> None:
    registry.rotate()
    busy = [SecretUnavailable("busy") for _ in range(3)]
    safe = Safe(*busy, NEW)
    assert source(transport, registry, safe).fetch_manifest("v1") == ARTIFACT.root
    assert safe.asked == 4


@pytest.mark.parametrize("way", ["bearer"])
def test_a_token_that_merely_ran_out_is_asked_for_again_and_the_secret_isnt(
    registry: Guarded, transport: Transport
) -> None:
    safe = Safe()
    repository = source(transport, registry, safe)
    read(repository, BLOBS[0])
    registry.tokens.clear()
    read(repository, BLOBS[1])
    assert [path for path, _ in registry.shown].count("/token") == 2
    assert safe.asked == 0


@pytest.mark.parametrize("way", ["bearer"])
@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_token_service_that_refuses_the_login_has_it_replaced(
    registry: Guarded, transport: Transport, status: int
) -> None:
    registry.rotate()
    judge = registry.script

    def script(request: Request) -> Response | None:
        answer = judge(request)
        return Response(status) if answer and answer.status == 401 and request.path == "/token" else answer

    registry.script = script
    safe = Safe(NEW)
    assert source(transport, registry, safe).fetch_manifest("v1") == ARTIFACT.root
    assert safe.asked == 1


@pytest.mark.parametrize("way", ["bearer"])
def test_a_token_that_opens_nothing_has_the_login_replaced(registry: Guarded, transport: Transport) -> None:
    """Some services give whoever is unknown to them a token for anybody."""
    registry.rotate()
    judge = registry.script

    def script(request: Request) -> Response | None:
        answer = judge(request)
        anybody = Response(200, [], b'{"token": "anybody"}')
        return anybody if answer and answer.status == 401 and request.path == "/token" else answer

    registry.script = script
    safe = Safe(NEW)
    assert source(transport, registry, safe).fetch_manifest("v1") == ARTIFACT.root
    assert safe.asked == 1


def test_a_token_of_a_login_is_replaced_like_a_password(registry: Guarded, transport: Transport) -> None:
    registry.script = lambda request: None if request.headers["Authorization"] == "Bearer new" else Response(401)
    safe = Safe(Credential("", "", registry_token="new"))
    kept = Credential("", "", registry_token="old")
    assert source(transport, registry, safe, credential=kept).fetch_manifest("v1") == ARTIFACT.root


@WAYS
def test_a_source_that_says_no_to_the_right_login_is_believed(registry: Guarded, transport: Transport) -> None:
    judge = registry.script
    registry.script = lambda request: judge(request) or (Response(403) if request.path != "/token" else None)
    safe = Safe()
    with pytest.raises(AuthFailed):
        source(transport, registry, safe).fetch_manifest("v1")
    assert safe.asked == 0


def test_whoever_has_no_login_has_none_replaced(registry: Guarded, transport: Transport) -> None:
    safe = Safe()
    with pytest.raises(AuthFailed):
        source(transport, registry, safe, credential=None).fetch_manifest("v1")
    assert safe.asked == 0


def test_a_stranger_that_we_are_sent_to_has_nothing_replaced(registry: Guarded, transport: Transport) -> None:
    with Guarded("basic") as other:
        transport.plain |= {Endpoint("http", "127.0.0.1", int(other.address.partition(":")[2]))}
        judge = registry.script
        there = f"http://{other.address}/v2/real/app/manifests/v1"
        registry.script = lambda request: judge(request) or Response(307, [("Location", there)])
        safe = Safe()
        with pytest.raises(AuthFailed):
            source(transport, registry, safe).fetch_manifest("v1")
        assert {shown for _, shown in other.shown} == {None}
        assert safe.asked == 0


@WAYS
def test_another_repository_of_the_registry_that_we_are_sent_to_is_read_with_the_replacement(
    registry: Guarded, transport: Transport
) -> None:
    def script(request: Request) -> Response | None:
        moved = Response(307, [("Location", request.path.replace("/vendor/app/", "/vendor/other/"))])
        return registry._judge(request) or (moved if "/vendor/app/" in request.path else None)

    registry.script = script
    safe, wallet = Safe(NEW), Wallet(transport)
    repository = source(transport, registry, safe, wallet=wallet)
    read(repository, BLOBS[0])
    registry.rotate()
    assert read(repository, BLOBS[1]) == BLOBS[1].size
    assert {account.credential for account in (*wallet._passes, *wallet._turns)} == {NEW}
    assert safe.asked == 1
    assert repository.requests == len(registry.shown)


def test_no_login_of_another_endpoint_is_replaced(transport: Transport) -> None:
    """None has one; if one ever had, it wouldn't get ours."""
    here, there = (Account(Endpoint("https", host, 443), (), OLD, "source") for host in ("a.example", "b.example"))
    admission = Admission(Wallet(transport), here, Safe(NEW), lambda action: action(), at_once=False)
    assert admission._renewed(there) is None
    assert admission._renewed(here) == here._replace(credential=NEW)


@WAYS
def test_many_threads_have_a_rotated_login_replaced_once(registry: Guarded, transport: Transport) -> None:
    safe = Safe(NEW)
    repository = source(transport, registry, safe)
    repository.fetch_manifest("v1")
    registry.rotate()
    start = threading.Barrier(MANY)
    found: list[int | ByoaError] = []

    def work() -> None:
        start.wait()
        try:
            found.append(read(repository, BLOBS[0]))
        except ByoaError as error:
            found.append(error)

    threads = [threading.Thread(target=work) for _ in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [BLOBS[0].size] * MANY
    assert safe.asked == 1


@WAYS
def test_two_logins_in_one_process_never_share_what_is_made_of_them(registry: Guarded, transport: Transport) -> None:
    """Two organisations, one host, one name for their secrets, one warm environment."""
    registry.welcome = [OLD, NEW]
    wallet = Wallet(transport)
    theirs = source(transport, registry, wallet=wallet)
    ours = source(transport, registry, wallet=wallet, credential=NEW)
    nobodys = source(transport, registry, wallet=wallet, credential=None)
    for _ in range(2):
        for repository, password in ((theirs, "old-canary"), (ours, "new-canary")):
            registry.shown.clear()
            repository.fetch_manifest("v1")
            login = {"old-canary": sent_as(OLD), "new-canary": sent_as(NEW)}[password]
            shown = [each for _, each in registry.shown if each]
            assert all(each == login or each.endswith(password) for each in shown)
        registry.shown.clear()
        with pytest.raises(AuthFailed):
            nobodys.fetch_manifest("v1")
        assert {shown for _, shown in registry.shown} == {None}


@WAYS
def test_one_login_that_is_replaced_leaves_another_as_it_is(registry: Guarded, transport: Transport) -> None:
    registry.welcome = [NEW, Credential("them", "their-canary")]
    wallet = Wallet(transport)
    theirs = source(transport, registry, Safe(), wallet=wallet, credential=Credential("them", "their-canary"))
    assert theirs.fetch_manifest("v1") == ARTIFACT.root
    assert source(transport, registry, Safe(NEW), wallet=wallet).fetch_manifest("v1") == ARTIFACT.root
    assert theirs.fetch_manifest("v1") == ARTIFACT.root


@WAYS
def test_nothing_that_was_made_of_a_replaced_login_is_kept(registry: Guarded, transport: Transport) -> None:
    wallet = Wallet(transport)
    repository = source(transport, registry, Safe(NEW), wallet=wallet)
    repository.fetch_manifest("v1")
    registry.rotate()
    repository.fetch_manifest("v1")
    assert [account.credential for account in wallet._passes] == [NEW]
    assert OLD not in {account.credential for account in wallet._turns}


@WAYS
def test_what_a_replacement_costs_is_counted(registry: Guarded, transport: Transport) -> None:
    repository = source(transport, registry, Safe(NEW))
    repository.fetch_manifest("v1")
    registry.rotate()
    repository.fetch_manifest("v1")
    assert repository.requests == len(registry.shown)


# What shows


def spellings(secret: str) -> set[str]:
    plain = secret.encode()
    return {secret, base64.b64encode(plain).decode().rstrip("="), quote(secret), plain.hex()}


@WAYS
def test_no_secret_shows_in_errors_representations_and_logs(
    registry: Guarded, transport: Transport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wallet = Wallet(transport)
    repository = source(transport, registry, Safe(NEW), wallet=wallet)
    repository.fetch_manifest("v1")
    registry.welcome = []
    registry.tokens.clear()
    with pytest.raises(AuthFailed) as caught:
        repository.fetch_manifest("v1")
    account = Account(Endpoint("https", "r.example", 443), (), OLD, "source")
    everything = [
        repr(vars(wallet)), repr(wallet._passes), repr(account), str(account), f"{OLD!r} {OLD}", repr(vars(repository)),
        repr(vars(repository._exchange)), repr(vars(repository._exchange._admission)), caplog.text,
    ]  # fmt: skip
    error: BaseException | None = caught.value
    while error:
        everything += [repr(error), str(error), error.as_json() if isinstance(error, ByoaError) else ""]
        error = error.__cause__ or error.__context__
    for secret in ("old-canary", "new-canary", "us:old-canary", "us:new-canary", *registry.tokens):
        for spelling in spellings(secret):
            assert not [text for text in everything if spelling in text]


def test_a_name_may_be_a_secret_too() -> None:
    """DigitalOcean takes its token for both."""
    assert "canary" not in f"{Credential('name-canary', 'x')!r} {[Credential('name-canary', 'x')]}"
