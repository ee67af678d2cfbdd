"""What a registry may send: each row of ``network.toml``, over TLS, in a world whose every dial is on record."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.content.packing import pack
from byoa.engine.mirroring import Wanted, mirror
from byoa.errors import ByoaError
from byoa.trust.credentials import Credential
from local.registry import Request, Response
from tests.faults.artifacts import Maker, put
from tests.hostile.rows import named, rows
from tests.hostile.world import World
from tests.scripted import Scripted
from tests.tls import issued, terminated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.adapters.registries.transport import Transport

FILE: Final = "network.toml"
NAMES: Final = ("registry.example", "auth.registry.example", "store.example", "metadata.example", "mixed.example")
REGISTRY, STORE = ("93.184.216.34", 443), ("93.184.216.35", 443)
OTHER_PORT: Final = ("93.184.216.34", 8443)
CANARY: Final = "canary-password"
OURS: Final = Credential("byoa", CANARY)
ARTIFACT: Final = Maker(1).make("plain")
WORDS: Final = "remote-words"


class Shown(Scripted):
    """A registry that notes what it was shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str, list[str], str]] = []
        self._noting = threading.Lock()
        super().__init__()
        put(self, "vendor/app", ARTIFACT, "v1")

    def answer(self, request: Request) -> Response:
        secret = [value for name in ("Authorization", "Cookie") for value in request.headers.get_all(name) or ()]
        with self._noting:
            self.shown.append((request.method, request.path, secret, request.first("scope") or ""))
        return super().answer(request)


class Scene:
    """The registry, the other one, and the world that they are in."""

    def __init__(self, registry: Shown, other: Shown, world: World, transport: Transport) -> None:
        self.registry = registry
        self.other = other
        self.world = world
        self.transport = transport

    def repository(self, host: str, role: Any, *, login: bool) -> DistributionRepository:
        endpoint = Endpoint("https", host, 443)
        credential = OURS if login else None
        return DistributionRepository(self.transport, endpoint, "vendor/app", role=role, credential=credential)

    def do(self, row: dict[str, Any], host: str) -> MemoryRepository:
        """What the row is about; the copy that was made, if one was."""
        target, what, login = MemoryRepository(), row.get("do", "pull"), row.get("login", False)
        if what == "push":
            there = self.repository(host, "target", login=login)
            mirror(MemoryRepository.holding(pack("a: 1\n")), there, Wanted("inline", "v2", attachments=False))
        elif what == "tags":
            self.repository(host, "source", login=login).all_tags()
        elif what == "referrers":
            self.repository(host, "source", login=login).referrers(ARTIFACT.root.digest)
        else:
            mirror(self.repository(host, "source", login=login), target, Wanted("v1", "v1", attachments=False))
        return target


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Any:
    context, authority = issued(tmp_path_factory.mktemp("tls"), *NAMES)
    return context, authority.read_text()


@pytest.fixture(scope="module")
def servers(tls: Any) -> Iterator[tuple[Shown, Shown, int, int]]:
    with ExitStack() as stack:
        registry, other = stack.enter_context(Shown()), stack.enter_context(Shown())
        ports = [stack.enter_context(terminated(each.address, tls[0]))[0] for each in (registry, other)]
        yield registry, other, ports[0], ports[1]


@pytest.fixture
def scene(request: pytest.FixtureRequest, tls: Any, servers: tuple[Shown, Shown, int, int]) -> Iterator[Scene]:
    registry, other, at_registry, at_other = servers
    world = World()
    world.names = {
        "registry.example": [REGISTRY[0]],
        "auth.registry.example": [STORE[0]],
        "store.example": [STORE[0]],
        "metadata.example": ["169.254.169.254"],
        "mixed.example": [STORE[0], "10.0.0.5"],
        "localhost": ["127.0.0.1"],
    }
    world.listening = {REGISTRY: at_registry, STORE: at_other, OTHER_PORT: at_other}
    for each in (registry, other):
        each.shown.clear()
        each.script = lambda _: None
    row = request.node.callspec.params["row"]
    transport = world.transport(row.get("opened", ""), tls[1])
    yield Scene(registry, other, world, transport)
    transport.close()


def _answer(told: dict[str, Any], text: str, request: Request) -> Response:
    digest = request.path.rpartition("/")[2]

    def filled(value: str) -> str:
        return value.replace("~", text).replace("DIGEST", digest).replace("LONG", "x" * told.get("long", 0))

    headers = [(name, filled(value)) for name, value in told.get("headers", {}).items()]
    return Response(told["status"], headers, filled(told.get("body", WORDS)).encode())


def _play(scene: Scene, row: dict[str, Any], status: int, text: str) -> None:
    challenge, login = row.get("challenge"), row.get("login", False)
    asking = [("WWW-Authenticate", challenge.replace("~", text) if challenge else 'Basic realm="x"')]

    def registry(request: Request) -> Response | None:
        shown = request.headers["Authorization"] or ""
        if (challenge and shown != "Bearer good") or (login and not challenge and not shown):
            return Response(401, asking, WORDS.encode())
        told = {"headers": {}, **row, "status": status}
        return _answer(told, text, request) if row.get("at", "nothing") in f"{request.method} {request.path}" else None

    scene.registry.script = registry
    if "other" in row:
        scene.other.script = lambda request: _answer({**row["other"], "long": row.get("long", 0)}, text, request)


def _cases() -> list[Any]:
    cases = []
    for row in rows(FILE, "at", "challenge"):
        statuses = row.get("statuses") or [row.get("status", 200)]
        for status, (number, text) in product(statuses, enumerate(row.get("each", [""]))):
            cases.append(pytest.param(row, status, text, id=f"{named(row)} {status} {number}"))
    return cases


@pytest.mark.parametrize(("row", "status", "text"), _cases())
def test_a_copy_ends_as_its_row_says(row: dict[str, Any], status: int, text: str, scene: Scene) -> None:
    _play(scene, row, status, text)
    error, target = None, MemoryRepository()
    try:
        target = scene.do(row, row.get("host", "registry.example").replace("~", text))
    except ByoaError as caught:
        error = caught
    assert (error.code if error else None) == row.get("wanted"), error
    opened = {OTHER_PORT} if "opened" in row else set()
    assert set(scene.world.dialled) <= {REGISTRY, STORE} | opened, "nobody else was contacted"
    _says_nothing(error)
    _shows_nothing(scene, row)
    if error is None and "do" not in row:
        assert target.find_manifest("v1") == ARTIFACT.root.digest
    _goes_on(scene)


def _says_nothing(error: ByoaError | None) -> None:
    if error:
        told = error.as_json()
        assert WORDS not in told
        assert CANARY not in told
        assert "10.0.0.5" not in told, "what a name resolves to is nobody's business"
        assert len(error.cause) <= 512
        assert error.cause.isascii()
        assert error.cause.isprintable()


def _shows_nothing(scene: Scene, row: dict[str, Any]) -> None:
    if not row.get("shown_to_other"):
        shown = [secret for _, _, secret, _ in scene.other.shown]
        assert not any(shown), "what is for the registry goes nowhere else"
    for _, _, secret, _ in [*scene.registry.shown, *scene.other.shown]:
        assert len(secret) <= 1, "no cookies, and one login at most"
    if "scopes" in row:
        assert [scope for _, path, _, scope in scene.other.shown if path == "/token"] == row["scopes"]
    if row.get("wanted") and row.get("do") == "push":
        assert not [method for method, _, _, _ in scene.other.shown]
        assert "v2" not in scene.registry.store.repository("vendor/app").tags  # type: ignore[union-attr]


def _goes_on(scene: Scene) -> None:
    """The next good copy over the same connections works."""
    for each in (scene.registry, scene.other):
        each.script = lambda _: None
    good = scene.do({}, "registry.example")
    assert good.find_manifest("v1") == ARTIFACT.root.digest
