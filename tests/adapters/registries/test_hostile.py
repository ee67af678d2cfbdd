"""A registry that means harm: lists without end, tokens of any life, addresses elsewhere, the worst of texts."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.accounts import Account
from byoa.adapters.registries.answers import refusal
from byoa.adapters.registries.authorization import Wallet
from byoa.adapters.registries.connection import Pool
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.http1 import read_chunk_size, read_head
from byoa.adapters.registries.locations import parse_location
from byoa.adapters.registries.transport import Response, Transport
from byoa.content.packing import pack
from byoa.engine.mirroring import Wanted, mirror
from byoa.errors import ByoaError, GraphLimit, ManifestInvalid, RegistryProtocolError, Transient
from byoa.oci.digest import Digest
from byoa.oci.manifest import OCI_INDEX, OCI_MANIFEST, read_manifest
from byoa.oci.reference import Reference, parse_repository, parse_tag
from byoa.oci.tagschema import referrers_tag, signature_tags
from byoa.trust.credentials import Credential
from local.registry import Request, Settings
from local.registry import Response as Answer
from tests.faults.artifacts import Maker, put
from tests.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.adapters.registries.connection import Connection
    from byoa.oci.manifest import Manifest

OURS = Credential("byoa", "canary-password")
WHOLE = Wanted("v1", "v1")


class Shown(Scripted):
    """A registry that notes what it was shown."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.shown: list[str | None] = []
        super().__init__(settings)

    def answer(self, request: Request) -> Answer:
        self.shown.append(request.headers["Authorization"])
        return super().answer(request)


@pytest.fixture
def registry() -> Iterator[Shown]:
    with Shown() as made:
        put(made, "vendor/app", Maker(1).make("plain"), "v1")
        yield made


@pytest.fixture
def other() -> Iterator[Shown]:
    with Shown() as made:
        yield made


type Client = Callable[..., DistributionRepository]


@pytest.fixture
def client(transport: Transport) -> Client:
    def make(registry: Scripted, role: Any = "source", credential: Credential | None = None) -> DistributionRepository:
        return DistributionRepository(transport, endpoint(registry), "vendor/app", role=role, credential=credential)

    return make


def endpoint(registry: Scripted) -> Endpoint:
    host, _, port = registry.address.partition(":")
    return Endpoint("http", host, int(port))


def as_json(document: object, *headers: tuple[str, str]) -> Answer:
    return Answer(200, [("Content-Type", "application/json"), *headers], json.dumps(document).encode())


# Lists


def test_what_is_no_tag_is_counted_and_nowhere_kept(registry: Shown, client: Client) -> None:
    strange = ["\x1b[2Jx", "a\nfinished", "", "a" * 129, "a/b", "ä", 7, None, ["v2"]]
    registry.script = lambda _: as_json({"tags": ["v1", *strange, "v2"]})
    found = client(registry).all_tags()
    assert (found.names, found.passed_over) == (("v1", "v2"), len(strange))


def paged(page: Callable[[int], object]) -> Callable[[Request], Answer | None]:
    """Pages without end of a list, each with what ``page`` makes of its number."""

    def script(request: Request) -> Answer | None:
        if "/manifests/" in request.path or "/blobs/" in request.path:
            return None
        number = int(request.first("last") or 0) + 1
        content_type = ("Content-Type", OCI_INDEX)
        return as_json(page(number), content_type, ("Link", f'<{request.path}?last={number}>; rel="next"'))

    return script


def test_lists_of_tags_of_megabytes_come_to_an_end(registry: Shown, client: Client) -> None:
    registry.script = paged(lambda number: {"tags": [str(number % 10) * 4_000_000]})
    with pytest.raises(GraphLimit, match="33554432 bytes"):
        client(registry).all_tags()


@pytest.mark.parametrize("each", [1, 4000])
def test_lists_of_referrers_come_to_an_end(registry: Shown, client: Client, each: int) -> None:
    def page(number: int) -> object:
        listed = (Digest.of(f"{number} {entry}".encode()) for entry in range(each))
        entries = [{"mediaType": OCI_MANIFEST, "digest": str(digest), "size": 3} for digest in listed]
        return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}

    registry.script = paged(page)
    with pytest.raises(GraphLimit):
        client(registry).referrers(Digest.of(b""))


def test_a_list_of_referrers_may_have_texts_that_grow_when_they_are_escaped(registry: Shown, client: Client) -> None:
    entry = {
        "mediaType": OCI_MANIFEST,
        "digest": str(Digest.of(b"x")),
        "size": 3,
        "annotations": {"n": "é" * 1_500_000},
    }
    content = json.dumps({"schemaVersion": 2, "manifests": [entry]}, ensure_ascii=False).encode()
    registry.script = lambda _: Answer(200, [("Content-Type", OCI_INDEX)], content)
    assert [each.digest for each in client(registry).referrers(Digest.of(b""))] == [Digest.of(b"x")]


# The tag schema


@pytest.fixture
def plain() -> Iterator[Shown]:
    """A registry without the referrers API."""
    with Shown(Settings(referrers=False)) as made:
        yield made


def referring(subject: Manifest, **more: object) -> Manifest:
    document = json.loads(pack("a: 1\n").manifest.content)
    described = {"mediaType": OCI_MANIFEST, "digest": str(subject.digest), "size": subject.descriptor.size}
    return read_manifest(json.dumps({**document, "subject": described, **more}).encode(), OCI_MANIFEST)


def test_a_list_by_tag_keeps_what_stands_in_it_and_adds_all_annotations(plain: Shown, client: Client) -> None:
    packed = pack("a: 1\n")
    source = MemoryRepository.holding(packed)
    first, second = referring(packed.manifest, annotations={"a": "b"}), referring(packed.manifest)
    for each in (first, second):
        source.push_manifest(each)
    target = client(plain, "target")
    mirror(source, target, Wanted("inline", "v1"))
    listed = json.loads(target.fetch_manifest(referrers_tag(packed.manifest.digest)).content)["manifests"]
    assert [each.get("annotations") for each in listed] == [{"a": "b"}, None]


def test_tags_for_sha512_are_as_long_as_tags_may_be() -> None:
    subject = Digest.of(b"", "sha512")
    assert referrers_tag(subject) == f"sha512-{subject.hex[:64]}"
    assert signature_tags(subject) == ()
    assert [parse_tag(tag) for tag in (*signature_tags(Digest.of(b"")), referrers_tag(subject))]


def test_an_artifact_by_sha512_is_mirrored_between_registries_that_refuse_longer_tags(
    registry: Shown, plain: Shown, client: Client
) -> None:
    def strict(request: Request) -> Answer | None:
        name = request.path.rpartition("/manifests/")[2]
        return Answer(400) if "/manifests/" in request.path and ":" not in name and len(name) > 128 else None

    child = json.loads(pack("a: 1\n").manifest.content)
    content = json.dumps(child).encode()
    listed = {"mediaType": OCI_MANIFEST, "digest": str(Digest.of(content, "sha512")), "size": len(content)}
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [listed]}).encode()
    source = MemoryRepository.holding(pack("a: 1\n"))
    manifest = read_manifest(content, OCI_MANIFEST, expected=Digest.of(content, "sha512"))
    source.manifests[manifest.digest] = manifest
    source.push_manifest(read_manifest(index, OCI_INDEX), "v1")
    for each in (registry, plain):
        each.script = strict
        mirror(source, client(each, "target"), WHOLE)
    done = mirror(client(registry), client(plain, "target"), WHOLE)
    assert done.copied.digest == Digest.of(index)


# Tokens

LIVES = st.one_of(
    st.integers(),
    st.integers(min_value=1, max_value=5000).map(lambda digits: "9" * digits),
    st.floats().map(json.dumps),
    st.sampled_from(["1e400", "-1e400", "NaN", "Infinity", "true", "null", "[]", "{}", '"600"', "600.5", ""]),
    st.text().map(json.dumps),
)


@settings(max_examples=60, deadline=None)
@given(LIVES.map(str))
def test_whatever_a_token_service_says_of_a_life_is_used_or_refused(life: str) -> None:
    transport = Transport()
    with Scripted() as registry:
        registry.script = lambda _: Answer(200, [], f'{{"token": "good", "expires_in": {life}}}'.encode())
        account = Account(endpoint(registry), ("repository:a:pull",), None, "source")
        wallet = Wallet(transport)
        try:
            wallet.answer(account, [f'Bearer realm="http://{registry.address}/token"'], None)
        except RegistryProtocolError:
            return
        finally:
            transport.close()
        assert wallet.header(account) == "Bearer good"


# Credentials

type Ruse = Callable[[Request, str], Answer | None]


def challenged(realm: str) -> Ruse:
    """A registry that wants a token of ``realm``."""
    return lambda request, there: Answer(401, [("WWW-Authenticate", f"Bearer {realm.replace('THERE', there)}")])


def sent_on(to: str, *words: str, status: int = 307) -> Ruse:
    """A registry that asks for credentials, and sends those who have shown them elsewhere."""

    def ruse(request: Request, there: str) -> Answer | None:
        if not request.headers["Authorization"]:
            return Answer(401, [("WWW-Authenticate", 'Basic realm="x"')])
        wanted = any(word in f"{request.method} {request.path}" for word in words)
        return Answer(status, [("Location", to.replace("THERE", there))]) if wanted else None

    return ruse


def linked(to: str) -> Ruse:
    """A registry whose list of tags goes on elsewhere."""

    def ruse(request: Request, there: str) -> Answer | None:
        link = ("Link", f'<{to.replace("THERE", there)}>; rel="next"')
        return as_json({"tags": ["v1"]}, link) if "/tags/" in request.path else None

    return ruse


RUSES = {
    "a realm elsewhere": challenged('realm="http://THERE/token"'),
    "a realm with a user's name": challenged('realm="http://u:p@THERE/token"'),
    "a realm of another scheme's case": challenged('realm="HTTP://THERE/token"'),
    "two realms": challenged('realm="http://THERE/token", realm="http://THERE/other"'),
    "an injected service": challenged('realm="http://THERE/token",service="x&scope=registry:catalog:*"'),
    "a blob elsewhere": sent_on("http://THERE/blob", "GET /v2/vendor/app/blobs/"),
    "a blob behind an upper-case scheme": sent_on("HTTP://THERE/blob", "GET /v2/vendor/app/blobs/"),
    "a blob behind a backslash": sent_on("http:\\\\THERE/blob", "GET /v2/vendor/app/blobs/"),
    "a manifest elsewhere": sent_on("http://THERE/manifest", "GET /v2/vendor/app/manifests/", "HEAD"),
    "an upload elsewhere": sent_on("http://THERE/upload", "POST", status=202),
    "an upload with a user's name": sent_on("http://u:p@THERE/upload", "POST", status=202),
    "an upload without a scheme": sent_on("//THERE/upload", "POST", status=202),
    "a list that goes on elsewhere": linked("http://THERE/v2/vendor/app/tags/list"),
    "a list that goes on without a scheme": linked("//THERE/v2/vendor/app/tags/list"),
}


@pytest.mark.parametrize("ruse", RUSES.values(), ids=RUSES.keys())
def test_no_ruse_brings_a_request_to_another_host(ruse: Ruse, registry: Shown, other: Shown, client: Client) -> None:
    registry.script = lambda request: ruse(request, other.address)
    source, target = client(registry, credential=OURS), client(registry, "target", OURS)
    for attempt in (
        lambda: mirror(source, MemoryRepository(), WHOLE),
        lambda: mirror(MemoryRepository.holding(pack("a: 1\n")), target, Wanted("inline", "v2")),
        source.all_tags,
    ):
        with suppress(ByoaError):
            attempt()
    assert registry.shown
    assert other.shown == []


def test_a_refusal_that_echoes_the_credentials_shows_nothing_of_them(registry: Shown, client: Client) -> None:
    def echo(request: Request) -> Answer:
        shown = request.headers["Authorization"]
        if not shown:
            return Answer(401, [("WWW-Authenticate", 'Basic realm="x"')])
        return Answer(403, [("X-Echo", shown)], json.dumps({"errors": [{"code": shown, "message": shown}]}).encode())

    registry.script = echo
    with pytest.raises(ByoaError) as caught:
        client(registry, credential=OURS).fetch_manifest("v1")
    secret = (registry.shown[-1] or "").removeprefix("Basic ")
    assert secret
    assert secret not in caught.value.as_json()


# Answers


LINES = st.text(st.characters(min_codepoint=32, max_codepoint=126))


@given(st.one_of(LINES, st.datetimes().map(str), st.integers().map(str)))
def test_whatever_asks_for_patience_gets_a_minute_at_most(text: str) -> None:
    head = read_head(f"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\nRetry-After: {text}\r\n\r\n".encode(), "GET")
    response = Response(head, cast("Connection", None), Pool(0))  # of an empty body nothing is read
    error = refusal(response, "source", "The manifest")
    assert isinstance(error, Transient)
    assert error.retry_after is None or 0 <= error.retry_after <= 60


LONG = 64 * 1024
READERS: dict[str, tuple[Callable[[str], object], list[str]]] = {
    "references": (Reference.parse, ["oci://" + "a." * LONG, "oci://a/" + "a-" * LONG, "oci://a/b:" + "." * LONG]),
    "repositories": (parse_repository, ["a" + "_" * 250 + "!", "a-" * 120 + "!", "a/" * 127 + "!"]),
    "tags": (parse_tag, ["a" * LONG, "." * LONG]),
    "digests": (Digest.parse, ["a+" * LONG + ":x", "sha256:" + "0" * LONG]),
    "addresses": (lambda text: parse_location(text, Endpoint("http", "a", 80)), ["http://" + "a." * 4000, "/" * 8000]),
    "heads": (
        lambda text: read_head(text.encode(), "GET"),
        ["HTTP/1.1 200 OK\r\n" + "a:b\r\n" * 10_000, "HTTP/1.1 200 " + " " * LONG, "HTTP/1.1 200 OK\r\n" + "a" * LONG],
    ),
    "chunks": (lambda text: read_chunk_size(text.encode()), ["0" * LONG, "1" + " " * LONG, "1;" + " " * LONG]),
    "media types": (lambda text: read_manifest(b"{}", text), ["a/" + "a" * LONG, "a" * LONG]),
    "manifests": (
        lambda text: read_manifest(text.encode(), OCI_MANIFEST),
        ["[" * 1_000_000, '{"a":' * 200_000, "9" * LONG, '{"layers":' + "[" * LONG],
    ),
}


@pytest.mark.parametrize(("read", "texts"), READERS.values(), ids=READERS.keys())
def test_texts_of_the_worst_are_read_to_an_end(read: Callable[[str], object], texts: list[str]) -> None:
    """Who went back and forth in them would not be done before the machine is."""
    for text in texts:
        with suppress(ByoaError):
            read(text)


@pytest.mark.parametrize("text", ['Bearer realm="' + "\\" * 4000, "Bearer " + "a=," * 1300, "," * 4096, "a " * 2048])
def test_challenges_of_the_worst_are_read_to_an_end(registry: Shown, client: Client, text: str) -> None:
    registry.script = lambda _: Answer(401, [("WWW-Authenticate", text)])
    with pytest.raises(ByoaError):
        client(registry).fetch_manifest("v1")


@pytest.mark.parametrize("text", ["<" * 30_000, " " * 30_000 + "<", "<a>" + ";a=" * 15_000 + '"', "<a>" * 15_000])
def test_a_link_of_the_worst_is_an_error_and_not_the_end(registry: Shown, client: Client, text: str) -> None:
    registry.script = lambda _: as_json({"tags": ["v1"]}, ("Link", text))
    with pytest.raises(RegistryProtocolError, match="Link"):
        client(registry).all_tags()


def test_a_child_that_was_swapped_for_another_is_found_out(registry: Shown, client: Client) -> None:
    artifact = Maker(2).make("index")
    put(registry, "vendor/app", artifact, "v2")
    one, two = (each for each in artifact.manifests if not each.is_index)
    swapped = client(registry)
    registry.script = lambda request: (
        Answer(200, [("Content-Type", two.descriptor.media_type)], two.content)
        if request.path.endswith(str(one.digest))
        else None
    )
    target = MemoryRepository()
    with pytest.raises(ByoaError, match=re.escape("hash")):
        mirror(swapped, target, Wanted("v2", "v2"))
    assert target == MemoryRepository()


def test_a_digest_that_is_a_path_is_none() -> None:
    with pytest.raises(ManifestInvalid):
        Digest.parse("sha256:../../../etc/passwd", malformed=ManifestInvalid)
