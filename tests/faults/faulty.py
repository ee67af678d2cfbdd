"""A registry of the desk that fails and lies, as a seed has it: the same faults for the same requests in each run."""

from __future__ import annotations

import io
import random
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from local.registry import Hangup, Registry, Request, Response, Settings, refusal
from local.registry.api import Api
from local.registry.messages import Body, Disconnected
from local.registry.store import Store, Upload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_WHOLE: Final = 64 * 1024 * 1024
_A_WHILE: Final = 5
_OTHER: Final = f"sha256:{'0' * 64}"
_CODES: Final = ("MANIFEST_UNKNOWN", "BLOB_UNKNOWN", "NAME_UNKNOWN", "DENIED", "TAG_INVALID", "UNSUPPORTED", "X")


class Gullible(Upload):
    """An upload that takes all bytes for what they are said to be."""

    def matches(self, digest: str) -> bool:
        """Believe it."""
        del digest
        return True


class GullibleStore(Store):
    """A store that never looks at what it is given, so that nothing but the client stands before wrong bytes."""

    def start(self, repository: str, algorithm: str = "sha256") -> Upload:
        """A new upload, unverified."""
        upload = Gullible(repository, algorithm, None)
        with self._lock:
            self._uploads[upload.session] = upload
        return upload


class Faulty(Registry):
    """A registry that plays one of its ``faults`` at a ``rate``, at most ``most`` times for one and the same request.

    ``faults`` are names of ``FAULTS`` with their weights; ``injected`` counts what was played.
    """

    def __init__(
        self,
        faults: Mapping[str, int],
        *,
        seed: int,
        rate: float = 0.3,
        most: int | None = 4,
        settings: Settings | None = None,
        gullible: bool = True,
    ) -> None:
        self.injected: Counter[str] = Counter()
        self.calm = threading.Event()
        self._faults = dict(faults)
        self._seed = seed
        self._rate = rate
        self._most = most
        self._asked: Counter[str] = Counter()
        self._played: Counter[str] = Counter()
        self._good: Counter[str] = Counter()
        self._turn = threading.Lock()
        super().__init__(settings)
        if gullible:
            self.store = GullibleStore()
            self._api = Api(self.settings, self.store)

    def answer(self, request: Request) -> Response:
        """Answer, or fail to."""
        found = self._draw(request)
        if found is None:
            self._good[request.headers.get("Authorization", "")] += 1
            return self.honest(request)
        name, chance = found
        return FAULTS[name].play(Occasion(self, request, chance))

    def honest(self, request: Request) -> Response:
        """What a registry without faults says."""
        return super().answer(request)

    def _may(self, name: str, request: Request) -> bool:
        """A token is forgotten that was good for a while: who refuses two in a row means it."""
        return name != "forget the token" or self._good[request.headers.get("Authorization", "")] >= _A_WHILE

    def close(self) -> None:
        """Let go of who is kept waiting."""
        self.calm.set()
        super().close()

    def _draw(self, request: Request) -> tuple[str, random.Random] | None:
        """Which fault is due, from the seed, the request and how often it was made: threads don't matter."""
        what = _identity(request)
        with self._turn:
            self._asked[what] += 1
            chance = random.Random(f"{self._seed} {what} {self._asked[what]}")
            if chance.random() >= self._rate or (self._most is not None and self._played[what] >= self._most):
                return None
            fitting = [name for name in self._faults if FAULTS[name].fits(request) and self._may(name, request)]
            if not fitting:
                return None
            name = chance.choices(fitting, [self._faults[each] for each in fitting])[0]
            self._played[what] += 1
            self.injected[name] += 1
        return name, chance


@dataclass(frozen=True)
class Occasion:
    """A request to which a fault is due."""

    registry: Faulty
    request: Request
    chance: random.Random

    def honest(self) -> Response:
        """What a registry without faults says."""
        return self.registry.honest(self.request)

    def read(self) -> tuple[Response, bytes]:
        """The same, with its body. There is nothing to spoil in an empty one: the connection is closed."""
        response = self.honest()
        content = response.body if isinstance(response.body, bytes) else b"".join(response.body)
        if not content:
            raise Hangup
        return response, content

    def some_of(self, content: bytes) -> bytes:
        """The content up to a byte before its end."""
        return content[: self.chance.randrange(len(content))]

    def flipped(self, content: bytes) -> bytes:
        """The content with another bit."""
        changed = bytearray(content)
        changed[self.chance.randrange(len(changed))] ^= 1 << self.chance.randrange(8)
        return bytes(changed)


@dataclass(frozen=True)
class Fault:
    """What is played, and the requests that it fits."""

    play: Callable[[Occasion], Response]
    fits: Callable[[Request], bool] = lambda _: True


def _identity(request: Request) -> str:
    """What makes two requests the same one. Sessions are renamed with each try, so all of a method are one."""
    if _is_upload(request):
        return f"{request.method} upload {request.first('digest') or request.first('mount') or ''}"
    return f"{request.method} {request.path}"


def _is_upload(request: Request) -> bool:
    return "/blobs/uploads/" in request.path


def _has_session(request: Request) -> bool:
    return _is_upload(request) and request.method in ("PATCH", "PUT", "GET")


def _has_body(request: Request) -> bool:
    return bool(request.body.length)


def _is_get(request: Request) -> bool:
    return request.method == "GET" and not _is_upload(request)


def _is_blob(request: Request) -> bool:
    return _is_get(request) and "/blobs/" in request.path


def _is_addressed(request: Request) -> bool:
    """Whether the client knows the digest of what it asks for."""
    return _is_blob(request) or (_is_get(request) and "/manifests/sha" in request.path and ":" in request.path)


def _is_listing(request: Request) -> bool:
    return _is_get(request) and not _is_addressed(request) and request.path != "/token"


def _is_ranged(request: Request) -> bool:
    return _is_blob(request) and "Range" in request.headers


def _is_mount(request: Request) -> bool:
    return "mount" in request.query


def _is_authorized(request: Request) -> bool:
    return request.path != "/token" and "Authorization" in request.headers


def _replaced(response: Response, name: str, value: str) -> Response:
    response.headers = [*((key, kept) for key, kept in response.headers if key != name), (name, value)]
    return response


def _without(response: Response, name: str) -> Response:
    response.headers = [(key, kept) for key, kept in response.headers if key != name]
    return response


def _breaking(content: bytes) -> Iterator[bytes]:
    yield content
    raise Hangup


# What passes: trouble that another try helps


def _hang_up(occasion: Occasion) -> Response:
    """Close the connection without a word."""
    raise Hangup


def _lose_the_answer(occasion: Occasion) -> Response:
    """Do what was asked, and close the connection without saying so."""
    occasion.honest()
    raise Hangup


def _break_the_request(occasion: Occasion) -> Response:
    """Take some of the body, and close the connection."""
    content = occasion.request.body.read(_WHOLE)
    occasion.request.body = Body(io.BytesIO(occasion.some_of(content)), len(content))
    try:
        occasion.honest()
    except Disconnected:
        raise Hangup from None
    raise Hangup


def _spoil_the_request(occasion: Occasion) -> Response:
    """Receive other bytes than were sent."""
    content = occasion.flipped(occasion.request.body.read(_WHOLE))
    occasion.request.body = Body(io.BytesIO(content), len(content))
    return occasion.honest()


def _break_the_answer(occasion: Occasion) -> Response:
    """Close the connection in the midst of the body."""
    response, content = occasion.read()
    response.body = _breaking(occasion.some_of(content))
    return _replaced(response, "Content-Length", str(len(content)))


def _cut_the_answer(occasion: Occasion) -> Response:
    """Close the connection between two chunks of the body."""
    response, content = occasion.read()
    response.body = _breaking(occasion.some_of(content))
    return _without(response, "Content-Length")


def _shorten(occasion: Occasion) -> Response:
    """Send some of the content and say that it is all."""
    response, content = occasion.read()
    response.body = occasion.some_of(content)
    return _without(response, "Content-Length")


def _lengthen(occasion: Occasion) -> Response:
    """Send more than there is."""
    response, content = occasion.read()
    response.body = content + occasion.chance.randbytes(3)
    return _without(response, "Content-Length")


def _flip(occasion: Occasion) -> Response:
    """Send a body with another bit."""
    response, content = occasion.read()
    response.body = occasion.flipped(content)
    return response


def _ignore_the_range(occasion: Occasion) -> Response:
    """Send the whole blob where a part was asked for."""
    del occasion.request.headers["Range"]
    return occasion.honest()


def _refuse_the_range(occasion: Occasion) -> Response:
    """Say that there is no such part."""
    return refusal(416, "SIZE_INVALID", "scripted")


def _mistake_the_range(occasion: Occasion) -> Response:
    """Say that another part is sent."""
    values = ["bytes 0-1/2", "bytes 1-2/3", "", "bytes x-y/z", "pages 1-2/3"]
    return _replaced(occasion.honest(), "Content-Range", occasion.chance.choice(values))


def _throttle(occasion: Occasion) -> Response:
    """Ask for patience."""
    return Response(occasion.chance.choice([429, 503]), [("Retry-After", "0")])


def _fail(occasion: Occasion) -> Response:
    """Break down."""
    body = occasion.chance.choice([b"", b"<html>", b'{"errors": []}'])
    return Response(occasion.chance.choice([408, 500, 502, 503, 504]), [], body)


def _forget_the_upload(occasion: Occasion) -> Response:
    """Know nothing of an upload."""
    *_, name, _, _, session = occasion.request.path.removeprefix("/v2/").rsplit("/", 3)
    upload = occasion.registry.store.upload(name, session)
    if upload:
        occasion.registry.store.end(upload)
    return refusal(404, "BLOB_UPLOAD_UNKNOWN", "scripted")


def _decline_the_mount(occasion: Occasion) -> Response:
    """Answer a mount with a place to send the blob to."""
    occasion.request.query.clear()
    return occasion.honest()


def _forget_the_token(occasion: Occasion) -> Response:
    """Refuse a token that was good."""
    realm = f'Bearer realm="http://{occasion.request.host}/token",service="byoa-desk"'
    return refusal(401, "UNAUTHORIZED", "scripted", headers=[("WWW-Authenticate", realm)])


def _stall(occasion: Occasion) -> Response:
    """Say nothing for longer than anybody waits."""
    occasion.registry.calm.wait(30)
    raise Hangup


def _stall_midway(occasion: Occasion) -> Response:
    """Stop in the midst of a body for longer than anybody waits."""
    response, content = occasion.read()

    def dripping() -> Iterator[bytes]:
        yield occasion.some_of(content)
        occasion.registry.calm.wait(30)
        raise Hangup

    response.body = dripping()
    return _replaced(response, "Content-Length", str(len(content)))


# What lies: an answer that no other try mends, or that must be seen through


def _lie_about_the_digest(occasion: Occasion) -> Response:
    """Say another digest than the content has."""
    value = occasion.chance.choice([_OTHER, "sha256:x", "", "md5:00", f"sha512:{'0' * 128}"])
    return _replaced(occasion.honest(), "Docker-Content-Digest", value)


def _lie_about_the_type(occasion: Occasion) -> Response:
    """Say another media type than the content has."""
    values = ["text/html", "", "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"]
    return _replaced(occasion.honest(), "Content-Type", occasion.chance.choice(values))


def _lie_about_the_length(occasion: Occasion) -> Response:
    """Say another length than the body has."""
    response, content = occasion.read()
    values = [str(len(content) + 7), str(max(0, len(content) - 7)), "-1", "x", "9" * 30, "5, 7"]
    response.body, response.close = content, True
    return _replaced(response, "Content-Length", occasion.chance.choice(values))


def _lie_about_the_upload(occasion: Occasion) -> Response:
    """Say that an upload is elsewhere, or has other bytes than it has."""
    lies = [("Location", "http://localhost:1/x"), ("Location", ""), ("Range", "0-5"), ("Range", "x"), ("Range", "0-99")]
    return _replaced(occasion.honest(), *occasion.chance.choice(lies))


def _deny(occasion: Occasion) -> Response:
    """Say that what is there isn't, or isn't allowed."""
    status = occasion.chance.choice([400, 403, 404, 405, 409, 412, 413])
    return refusal(status, occasion.chance.choice(_CODES), "scripted")


def _pretend(occasion: Occasion) -> Response:
    """Say that something is there, is mounted or has been stored, without looking."""
    return Response(200 if occasion.request.method == "HEAD" else 201, [("Location", occasion.request.path)])


def _babble(occasion: Occasion) -> Response:
    """Answer something else altogether."""
    body = occasion.chance.choice([b"", b"{}", b"[" * 5000, b"\x00"])
    return Response(occasion.chance.choice([202, 203, 206, 299]), [], body)


def _send_elsewhere(occasion: Occasion) -> Response:
    """Redirect to where nobody should go."""
    here = occasion.request.path
    value = occasion.chance.choice(["http://169.254.169.254/", "file:///etc/passwd", "//x/y", "", here, "https://"])
    return Response(occasion.chance.choice([301, 302, 307, 308]), [("Location", value)])


def _encode(occasion: Occasion) -> Response:
    """Say that the body is compressed."""
    return _replaced(occasion.honest(), "Content-Encoding", "gzip")


def _may_pretend(request: Request) -> bool:
    """A stored manifest has to be believed: nobody could tell."""
    return request.method == "HEAD" or _is_mount(request) or (request.method == "PUT" and _is_upload(request))


PASSING: Final = {
    "hang up": Fault(_hang_up),
    "lose the answer": Fault(_lose_the_answer),
    "break the request": Fault(_break_the_request, _has_body),
    "break the answer": Fault(_break_the_answer, _is_get),
    "cut the answer": Fault(_cut_the_answer, _is_get),
    "shorten": Fault(_shorten, _is_addressed),
    "lengthen": Fault(_lengthen, _is_addressed),
    "flip": Fault(_flip, _is_addressed),
    "ignore the range": Fault(_ignore_the_range, _is_ranged),
    "refuse the range": Fault(_refuse_the_range, _is_ranged),
    "mistake the range": Fault(_mistake_the_range, _is_ranged),
    "throttle": Fault(_throttle),
    "fail": Fault(_fail),
    "forget the upload": Fault(_forget_the_upload, _has_session),
    "decline the mount": Fault(_decline_the_mount, _is_mount),
}
"""What a copy with enough patience gets over."""

ODD: Final = {
    "spoil the request": Fault(_spoil_the_request, lambda request: _has_body(request) and _is_upload(request)),
    "forget the token": Fault(_forget_the_token, _is_authorized),
}
"""The same, of registries that verify what they get, or want tokens."""

SLOW: Final = {"stall": Fault(_stall), "stall midway": Fault(_stall_midway, _is_get)}
"""The same, and takes its time."""

LYING: Final = {
    "lie about the digest": Fault(_lie_about_the_digest, lambda request: "/manifests/" in request.path),
    "lie about the type": Fault(_lie_about_the_type, _is_get),
    "lie about the length": Fault(_lie_about_the_length, _is_get),
    "lie about the upload": Fault(_lie_about_the_upload, _is_upload),
    "deny": Fault(_deny),
    "pretend": Fault(_pretend, _may_pretend),
    "babble": Fault(_babble),
    "send elsewhere": Fault(_send_elsewhere),
    "spoil a list": Fault(_flip, _is_listing),
    "encode": Fault(_encode),
}
"""What may end a copy, but never with wrong bytes in the target."""

FAULTS: Final = {**PASSING, **ODD, **SLOW, **LYING}
