"""An issuer of JWTs on loopback: it has keys of its own, says where they are, and signs what it is asked to.

People sign in with it too: it gives codes, and a code's token once, to who shows the verifier.
"""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote_plus, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt import PyJWS
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from byoa.adapters.registries.dialing import Dialer
from byoa.adapters.registries.issuers import IssuerKeys
from byoa.adapters.registries.transport import Transport
from byoa.trust.addresses import Reachable
from byoa.trust.signing_in import challenge_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.trust.issuers import KeysFound
    from byoa.trust.signing_in import CodeExchanged, CodeGiven

GITHUB = "https://token.actions.githubusercontent.com"
DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/.well-known/jwks"
AUTHORIZE, TOKEN = "/authorize", "/token"
CLIENT = "byoa-dashboard"
KINDS = {"RS256": "rsa", "PS256": "rsa", "RS512": "rsa", "ES256": "ec", "ES384": "ec384", "EdDSA": "ed"}


@cache
def private(kind: str, number: int = 1) -> Any:
    """A key; the same for the same names, because making one takes a tenth of a second."""
    del number
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    if kind == "weak":
        return rsa.generate_private_key(65537, 1024)
    if kind == "ed":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP384R1() if kind == "ec384" else ec.SECP256R1())


def public(kind: str, kid: str, number: int = 1, **more: str) -> dict[str, Any]:
    """The public half as a JSON Web Key."""
    key = private(kind, number).public_key()
    makers: dict[str, Any] = {"rsa": RSAAlgorithm, "weak": RSAAlgorithm, "ed": OKPAlgorithm}
    return {**makers.get(kind, ECAlgorithm).to_jwk(key, as_dict=True), "kid": kid, "use": "sig", **more}


def segment(document: Any) -> str:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@dataclass
class Issuer:
    """``name`` is what its tokens have as ``iss``; it is found at ``address``, without TLS."""

    name: str = GITHUB
    address: str = ""
    number: int = 1
    keys: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    script: Callable[[str], tuple[int, dict[str, str], bytes] | None] | None = None
    secret: str = ""
    """What its client shows, where it has one; in one of these ``ways``, which its document names, if any."""

    ways: tuple[str, ...] = ()
    codes: dict[str, tuple[dict[str, str], dict[str, Any]]] = field(default_factory=dict)
    """Codes that were given: what was asked for, and what the token will say."""

    def __post_init__(self) -> None:
        self.keys = self.keys or [public(kind, kind, self.number) for kind in ("rsa", "ec", "ec384", "ed")]

    @property
    def host(self) -> str:
        return self.name.removeprefix("https://").partition("/")[0]

    @property
    def plain(self) -> dict[str, str]:
        return {self.host: self.address}

    def claims(self, now: float, audience: str, **more: Any) -> dict[str, Any]:
        """What GitHub says of a job, with made-up names; ``None`` takes a claim away."""
        said = {
            "iss": self.name, "aud": audience, "sub": "repo:vendor/app:ref:refs/heads/main", "repository": "vendor/app",
            "repository_id": "74", "repository_owner": "vendor", "repository_owner_id": "65", "ref": "refs/heads/main",
            "ref_type": "branch", "event_name": "push", "environment": "production", "run_id": "30433642",
            "iat": int(now), "nbf": int(now) - 5, "exp": int(now) + 300, "jti": "example",
        }  # fmt: skip
        return {name: value for name, value in {**said, **more}.items() if value is not None}

    def sign(self, claims: dict[str, Any], algorithm: str = "RS256", header: dict[str, Any] | None = None) -> str:
        kind = KINDS[algorithm]
        headers = {name: value for name, value in {"kid": kind, **(header or {})}.items() if value is not None}
        return PyJWS().encode(json.dumps(claims).encode(), private(kind, self.number), algorithm, headers)

    def fetch(self, _: str, issuer: str) -> KeysFound:
        """What FetchKeys does: the real adapter, over real connections, to this address alone."""
        with self.asking() as keys:
            return keys.fetch(issuer)

    def exchange(self, given: CodeGiven, secret: str | None = None) -> CodeExchanged:
        """What ExchangeCode does, by the same."""
        with self.asking() as keys:
            return keys.exchange(given, secret)

    @contextmanager
    def asking(self) -> Iterator[IssuerKeys]:
        _, _, port = self.address.partition(":")
        transport = Transport(dialer=Dialer(Reachable.parse(f"127.0.0.1/32:{port}")))
        try:
            yield IssuerKeys(transport, self.plain)
        finally:
            transport.close()

    def sign_in(self, place: str, now: float, **claims: Any) -> dict[str, str]:
        """What its page does with somebody who comes to ``place``: the query that they go back with."""
        asked = dict(parse_qsl(urlsplit(place).query))
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        said = {"sub": "person", "aud": asked["client_id"], "nonce": asked["nonce"], "email": "person@vendor.example"}
        code = f"code-{len(self.codes)}"
        self.codes[code] = (asked, self.claims(now, asked["client_id"], **{**said, "email_verified": True, **claims}))
        return {"code": code, "state": asked["state"]}

    def exchanged(self, form: dict[str, str], shown: str) -> tuple[int, dict[str, str], bytes]:
        """What it answers to a code (RFC 6749, 4.1.3; RFC 7636, 4.6), where its client shows what it has to."""
        if self.secret and not self._knows(form, shown):
            return 401, {"WWW-Authenticate": "Basic"}, json.dumps({"error": "invalid_client"}).encode()
        asked, claims = self.codes.pop(form.get("code", ""), ({}, {}))
        fitting = (
            asked
            and form["grant_type"] == "authorization_code"
            and (form["client_id"], form["redirect_uri"]) == (asked["client_id"], asked["redirect_uri"])
            and challenge_of(form["code_verifier"]) == asked["code_challenge"]
        )
        if not fitting:
            return 400, {}, json.dumps({"error": "invalid_grant"}).encode()
        told = {"access_token": "opaque", "token_type": "Bearer", "id_token": self.sign(claims)}
        return 200, {"Content-Type": "application/json"}, json.dumps(told).encode()

    def _knows(self, form: dict[str, str], shown: str) -> bool:
        """Whether the client shows its secret in a way that it takes, and in one alone (RFC 6749, 2.3)."""
        pair = ":".join(map(quote_plus, (form["client_id"], self.secret)))
        basic = f"Basic {base64.b64encode(pair.encode()).decode()}"
        if "client_secret_basic" in (self.ways or ("client_secret_basic",)) and shown:
            return shown == basic and "client_secret" not in form
        return "client_secret_post" in self.ways and not shown and form.get("client_secret") == self.secret

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        documents = {
            DISCOVERY: {
                "issuer": self.name, "jwks_uri": f"https://{self.host}{JWKS}",
                "authorization_endpoint": f"https://{self.host}{AUTHORIZE}?tenant=a",
                "token_endpoint": f"https://{self.host}{TOKEN}",
                **({"token_endpoint_auth_methods_supported": [*self.ways]} if self.ways else {}),
            },
            JWKS: {"keys": self.keys},
        }  # fmt: skip
        if path not in documents:
            return 404, {}, b"{}"
        return 200, {"Content-Type": "application/json"}, json.dumps(documents[path]).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    issuer: Issuer

    def do_GET(self) -> None:
        self.tell(lambda: self.issuer.answer(self.path))

    def do_POST(self) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.tell(lambda: self.issuer.exchanged(form, self.headers.get("Authorization", "")))

    def tell(self, answer: Callable[[], tuple[int, dict[str, str], bytes]]) -> None:
        self.issuer.asked.append(self.path)
        told = self.issuer.script(self.path) if self.issuer.script else None
        status, headers, body = told or answer()
        self.send_response_only(status)
        last = {"Content-Length": str(len(body)), "Connection": "close"}  # the next one on this port is another server
        for name, value in {**headers, **last}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def issuing(issuer: Issuer | None = None, port: int = 0) -> Iterator[Issuer]:
    """An issuer that answers, till the block ends."""
    found = issuer or Issuer()
    handler = type("Handler", (_Handler,), {"issuer": found})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        found.address = f"127.0.0.1:{server.server_address[1]}"
        try:
            yield found
        finally:
            server.shutdown()
