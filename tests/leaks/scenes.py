"""What a registry does that knows the secret, and tells it back wherever an answer has room: each with its error."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from byoa.content.packing import pack
from byoa.errors import (
    AuthFailed,
    ByoaError,
    ContentTooLarge,
    DigestMismatch,
    GraphLimit,
    InsecureTransport,
    ManifestAmbiguous,
    ManifestInvalid,
    ManifestTooLarge,
    MediaTypeUnsupported,
    RealmRefused,
    RedirectRefused,
    ReferenceNotFound,
    RegistryProtocolError,
    RegistryThrottled,
    RegistryUnavailable,
    ShortRead,
    SizeMismatch,
    TargetConflict,
    TargetForbidden,
    TargetIncomplete,
    TargetThrottled,
    UploadLost,
)
from byoa.oci.manifest import EMPTY_JSON, OCI_INDEX, OCI_MANIFEST
from local.registry import Hangup, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.leaks.kinds import Form

DOMAIN: Final = "echo.example"
"""Under which a registry can name hosts at will; nothing is there."""

GONE: Final = "127.0.0.1:9"
"""Where functions may not connect to."""


PACKED: Final = pack("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n")
"""What the vendor's registry holds."""

BLOBS: Final = {str(digest): content for digest, content in PACKED.blobs.items()}


class Echo:
    """A secret as a registry can tell it back."""

    def __init__(self, secret: str, shown: str = "", method: str = "", path: str = "") -> None:
        content = secret.encode()
        self.secret, self.method = secret, method
        self.blob = BLOBS.get(path.rpartition("/")[2], b"")
        """What is asked for, where it is a blob."""
        self.words = [
            secret, shown, content.hex(), base64.b64encode(content).decode(), quote(secret, safe=""),
            base64.b64encode(f"AWS:{secret}".encode()).decode(),
        ]  # fmt: skip
        self.text = " ".join(self.words)
        self.url = quote(self.text, safe="")
        self.host = f"{content.hex()[:60]}.{DOMAIN}"
        self.plain_host = f"{secret.lower().strip('+/~=').replace('+', '-').replace('/', '-')}.{DOMAIN}"

    def answer(self, status: int, *headers: tuple[str, str], body: bytes | str | None = None) -> Response:
        """An answer that tells it in headers and, unless it is given one, in its body."""
        everywhere = [("X-Echo", self.text), ("Server", self.text), ("Set-Cookie", f"a={self.url}")]
        told = {"errors": [{"code": self.text, "message": self.text, "detail": self.words}]}
        content = json.dumps(told) if body is None else body
        return Response(status, [*headers, *everywhere], content.encode() if isinstance(content, str) else content)


class Scene(NamedTuple):
    """``at`` is part of ``METHOD PATH`` of what is answered otherwise, or ``challenge`` or ``token``."""

    at: str
    answer: Callable[[Echo], Response]
    wanted: type[ByoaError] | None
    asks: str = ""
    """The way of asking for credentials that it is about, where not both."""


def _raise(error: Exception) -> Any:
    raise error


def _manifest(echo: Echo, *, headers: tuple[tuple[str, str], ...] = (), **fields: Any) -> Response:
    config = {"mediaType": EMPTY_JSON, "size": 2, "digest": f"sha256:{'0' * 64}"}
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [], **fields}
    return echo.answer(200, ("Content-Type", OCI_MANIFEST), *headers, body=json.dumps(document))


def _layer(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "mediaType": "application/vnd.oci.image.layer.v1.tar",
        "size": 10,
        "digest": f"sha256:{number:064}",
    } | fields


def _challenge(*values: Callable[[Echo], str]) -> Callable[[Echo], Response]:
    return lambda echo: echo.answer(401, *(("WWW-Authenticate", value(echo)) for value in values))


def _to(location: Callable[[Echo], str], status: int = 307) -> Callable[[Echo], Response]:
    return lambda echo: echo.answer(status, ("Location", location(echo)))


MANIFEST: Final = "GET /v2/team/app/manifests/"
BLOB: Final = "GET /v2/team/app/blobs/"
REFERRERS: Final = "GET /v2/team/app/referrers/"

SCENES: Final[dict[str, Scene]] = {
    "a status that nobody knows": Scene(MANIFEST, lambda echo: echo.answer(418), RegistryProtocolError),
    "an unknown encoding": Scene(
        MANIFEST,
        lambda echo: echo.answer(200, ("Content-Encoding", echo.text), body=echo.text),
        RegistryProtocolError,
    ),
    "a length that is none": Scene(
        MANIFEST, lambda echo: echo.answer(200, ("Content-Length", echo.text)), RegistryProtocolError
    ),
    "a transfer coding that is none": Scene(
        MANIFEST, lambda echo: echo.answer(200, ("Transfer-Encoding", echo.text)), RegistryProtocolError
    ),
    "a digest that is none": Scene(
        MANIFEST,
        lambda echo: _manifest(echo, headers=(("Docker-Content-Digest", f"sha256:{echo.text}"),)),
        RegistryProtocolError,
    ),
    "another digest": Scene(
        MANIFEST,
        lambda echo: _manifest(
            echo, headers=(("Docker-Content-Digest", f"sha256:{echo.secret.encode().hex():0<64.64}"),)
        ),
        DigestMismatch,
    ),
    "not found": Scene(MANIFEST, lambda echo: echo.answer(404), ReferenceNotFound),
    "refused again": Scene(
        MANIFEST, _challenge(lambda echo: f'Basic realm="{echo.text}"', lambda echo: echo.text), AuthFailed, "Basic"
    ),
    "forbidden": Scene(MANIFEST, lambda echo: echo.answer(403), AuthFailed),
    "asks to slow down": Scene(MANIFEST, lambda echo: echo.answer(429, ("Retry-After", echo.text)), RegistryThrottled),
    "fails": Scene(MANIFEST, lambda echo: echo.answer(503, ("Retry-After", echo.text)), RegistryUnavailable),
    "hangs up": Scene(MANIFEST, lambda _: _raise(Hangup()), RegistryUnavailable),
    "a redirect out of TLS": Scene(MANIFEST, _to(lambda echo: f"http://{echo.host}/{echo.url}"), RedirectRefused),
    "a redirect to a host of letters": Scene(MANIFEST, _to(lambda echo: f"http://{echo.plain_host}/"), RedirectRefused),
    "a redirect with a login": Scene(MANIFEST, _to(lambda echo: f"https://u:{echo.url}@r.example/"), RedirectRefused),
    "a redirect to no address": Scene(MANIFEST, _to(lambda echo: echo.text), RedirectRefused),
    "a redirect to another scheme": Scene(MANIFEST, _to(lambda echo: f"ftp://{echo.host}/"), RedirectRefused),
    "redirects without end": Scene(MANIFEST, _to(lambda echo: f"?again={echo.url}"), RedirectRefused),
    "a redirect to where nobody may go": Scene(
        MANIFEST, _to(lambda echo: f"https://{GONE}/{echo.url}"), RedirectRefused
    ),
    "a redirect to a blocked name": Scene(
        MANIFEST, _to(lambda echo: f"https://{echo.host}:9/{echo.url}"), RedirectRefused
    ),
    "a redirect to nowhere": Scene(MANIFEST, _to(lambda echo: f"https://{echo.host}/{echo.url}"), RegistryUnavailable),
    "a redirect to another registry that wants a login": Scene(
        MANIFEST,
        _to(lambda echo: f"https://{echo.host}/v2/{echo.secret.encode().hex()}/manifests/v1"),
        RegistryUnavailable,
    ),
    "a manifest that is no JSON": Scene(
        MANIFEST, lambda echo: echo.answer(200, ("Content-Type", OCI_MANIFEST), body=f'{{"{echo.text}'), ManifestInvalid
    ),
    "a manifest of no known form": Scene(
        MANIFEST, lambda echo: _manifest(echo, layers=echo.text, config=echo.text), ManifestInvalid
    ),
    "a descriptor of no sound digest": Scene(
        MANIFEST, lambda echo: _manifest(echo, layers=[_layer(1, digest=echo.text)]), ManifestInvalid
    ),
    "a descriptor of no sound type": Scene(
        MANIFEST, lambda echo: _manifest(echo, layers=[_layer(1, mediaType=echo.text)]), ManifestInvalid
    ),
    "a manifest of an unknown type": Scene(
        MANIFEST,
        lambda echo: echo.answer(
            200, ("Content-Type", f"application/{echo.secret.encode().hex()}"), body=json.dumps({"a": echo.text})
        ),
        MediaTypeUnsupported,
    ),
    "a manifest that can be read in two ways": Scene(
        MANIFEST,
        lambda echo: echo.answer(200, ("Content-Type", OCI_MANIFEST), body=f'{{"a": 1, "a": "{echo.text}"}}'),
        ManifestAmbiguous,
    ),
    "a manifest and an index at once": Scene(
        MANIFEST, lambda echo: _manifest(echo, manifests=[], annotations={"a": echo.text}), ManifestAmbiguous
    ),
    "a manifest that is too large": Scene(
        MANIFEST,
        lambda echo: echo.answer(200, ("Content-Type", OCI_MANIFEST), body=(echo.text * 50_000)[: 4 * 1024 * 1024 + 1]),
        ManifestTooLarge,
    ),
    "a manifest cut short": Scene(
        MANIFEST,
        lambda echo: Response(
            200, [("Content-Type", OCI_MANIFEST), ("Content-Length", "9999")], echo.text.encode(), close=True
        ),
        ShortRead,
    ),
    # ---- how a registry asks for credentials, and its token service ----
    "a realm on another host": Scene(
        "challenge",
        _challenge(lambda echo: f'Bearer realm="https://{echo.host}/{echo.url}",service="x"'),
        RealmRefused,
    ),
    "a realm on a host of letters": Scene(
        "challenge", _challenge(lambda echo: f'Bearer realm="https://{echo.plain_host}/token"'), RealmRefused
    ),
    "a realm that is no address": Scene(
        "challenge", _challenge(lambda echo: f'Bearer realm="{echo.text}"'), RealmRefused
    ),
    "a realm with a login": Scene(
        "challenge", _challenge(lambda echo: f'Bearer realm="https://u:{echo.url}@r.example/"'), RealmRefused
    ),
    "a realm without TLS": Scene(
        "challenge", _challenge(lambda echo: f'Bearer realm="http://{echo.host}/token"'), InsecureTransport
    ),
    "a challenge of another scheme": Scene(
        "challenge", _challenge(lambda echo: f"{echo.words[2]} {echo.text}"), AuthFailed
    ),
    "a challenge that is too long": Scene(
        "challenge", _challenge(lambda echo: f'Basic realm="{echo.text * 40}"'), RegistryProtocolError
    ),
    "a token service without tokens": Scene(
        "token", lambda echo: echo.answer(200, body=json.dumps({"error": echo.text})), RegistryProtocolError, "Bearer"
    ),
    "a token service without JSON": Scene(
        "token", lambda echo: echo.answer(200, body=echo.text), RegistryProtocolError, "Bearer"
    ),
    "a token that is none": Scene(
        "token", lambda echo: echo.answer(200, body=json.dumps({"token": echo.text})), RegistryProtocolError, "Bearer"
    ),
    "the secret itself as a token": Scene(
        "token", lambda echo: echo.answer(200, body=json.dumps({"token": echo.secret})), None, "Bearer"
    ),
    "a token service that refuses": Scene("token", lambda echo: echo.answer(401), AuthFailed, "Bearer"),
    "a token service that knows no such login": Scene("token", lambda echo: echo.answer(400), AuthFailed, "Bearer"),
    "a token service that fails": Scene("token", lambda echo: echo.answer(500), RegistryUnavailable, "Bearer"),
    "a token service that asks to slow down": Scene(
        "token", lambda echo: echo.answer(429), RegistryThrottled, "Bearer"
    ),
    "a token service that redirects out of TLS": Scene(
        "token", _to(lambda echo: f"http://{echo.host}/"), RedirectRefused, "Bearer"
    ),
    "a token service that redirects without end": Scene(
        "token", _to(lambda echo: f"/token?again={echo.url}"), RealmRefused, "Bearer"
    ),
    # ---- blobs, and what is attached ----
    "too many layers": Scene(
        MANIFEST,
        lambda echo: _manifest(echo, layers=[_layer(number) for number in range(1, 20)], annotations={"a": "b"}),
        GraphLimit,
    ),
    "a layer that is too large": Scene(
        MANIFEST, lambda echo: _manifest(echo, layers=[_layer(1, size=10**12)]), ContentTooLarge
    ),
    "other bytes": Scene(BLOB, lambda echo: echo.answer(200, body=echo.text.ljust(10_000)), DigestMismatch),
    "more bytes": Scene(BLOB, lambda echo: echo.answer(200, body=echo.blob + echo.text.encode()), SizeMismatch),
    "a blob that is not there": Scene(BLOB, lambda echo: echo.answer(404), ReferenceNotFound),
    "a blob somewhere else": Scene(BLOB, _to(lambda echo: f"https://{echo.host}/{echo.url}"), RegistryUnavailable),
    "no list of what is attached": Scene(REFERRERS, lambda echo: echo.answer(500), None),
    "a list that nobody may see": Scene(REFERRERS, lambda echo: echo.answer(403), None),
    "a list that is none": Scene(
        REFERRERS, lambda echo: echo.answer(200, ("Content-Type", OCI_INDEX), body=echo.text), None
    ),
    "a list somewhere else": Scene(REFERRERS, _to(lambda echo: f"http://{echo.host}/{echo.url}"), None),
    "a list that goes on somewhere else": Scene(
        REFERRERS,
        lambda echo: echo.answer(
            200,
            ("Content-Type", OCI_INDEX),
            ("Link", f'<https://{echo.host}/{echo.url}>; rel="next"'),
            body=json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}),
        ),
        None,
    ),
    "a list that goes on nowhere": Scene(
        REFERRERS,
        lambda echo: echo.answer(
            200,
            ("Content-Type", OCI_INDEX),
            ("Link", f'{echo.text}; rel="next"'),
            body=json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}),
        ),
        RegistryProtocolError,
    ),
}

UPLOAD: Final = "/v2/byoa/"
TARGET_SCENES: Final[dict[str, Scene]] = {
    "forbids": Scene(" /v2/", lambda echo: echo.answer(403), TargetForbidden),
    "asks to slow down": Scene("PUT ", lambda echo: echo.answer(429), TargetThrottled),
    "misses a part": Scene(
        "/manifests/bld", lambda echo: _refused(echo, 404, "MANIFEST_BLOB_UNKNOWN"), TargetIncomplete
    ),
    "forgets an upload": Scene("/blobs/uploads/", lambda echo: _refused(echo, 404, "BLOB_UPLOAD_UNKNOWN"), UploadLost),
    "uploads elsewhere": Scene(
        "/blobs/uploads/",
        lambda echo: echo.answer(202, ("Location", f"https://{echo.host}/{echo.url}")),
        RedirectRefused,
    ),
    "stores other bytes": Scene(
        "PUT /v2/byoa/org_0123456789ab/shop",
        lambda echo: echo.answer(
            201,
            ("Docker-Content-Digest", f"sha256:{echo.secret.encode().hex():0<64.64}"),
            ("Location", echo.text),
            body="",
        ),
        DigestMismatch,
    ),
    "holds other content": Scene(
        "/manifests/bld",
        lambda echo: echo.answer(
            409 if echo.method == "PUT" else 200,
            ("Docker-Content-Digest", f"sha256:{'0' * 64}"),
            ("Location", echo.text),
        ),
        TargetConflict,
    ),
}
"""The same of our own registry, which knows ECR's password."""


def _refused(echo: Echo, status: int, code: str) -> Response:
    return echo.answer(
        status, body=json.dumps({"errors": [{"code": code, "message": echo.text, "detail": echo.words}]})
    )


def script(
    form: Form, scene: Scene | None, secret: Callable[[], str], address: str
) -> Callable[[Request], Response | None]:
    """A registry that asks for credentials as ``form`` has them, and plays ``scene`` where it is about."""
    challenge = f'Bearer realm="http://{address}/token",service="x"' if form.asks == "Bearer" else 'Basic realm="x"'

    def played(request: Request) -> Response | None:
        shown = request.headers["Authorization"] or ""
        at, echo = scene.at if scene else "nothing", Echo(secret(), shown, request.method, request.path)
        if request.path == "/token":
            if scene and at == "token":
                return scene.answer(echo)
            return Response(200, [], json.dumps({"token": "a-token", "expires_in": 300}).encode())
        if not shown:
            if scene and at == "challenge":
                return scene.answer(echo)
            return Response(401, [("WWW-Authenticate", challenge)], b"")
        return scene.answer(echo) if scene and at in f"{request.method} {request.path}" else None

    return played
