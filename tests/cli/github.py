"""GitHub, as far as a job's steps meet it: it gives the job a token for an audience, against the job's secret."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.api.served import ORG
from tests.issuer import GITHUB, Issuer, issuing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cli.homes import Home

type Answer = tuple[int, bytes]

SECRET = "the-job-s-secret-for-github"
RULE: dict[str, Any] = {
    "name": "tags", "issuer": GITHUB, "claims": {"repository": "vendor/app", "ref": "refs/tags/v*"}, "scopes": ["sync"],
}  # fmt: skip
JOB = {"ref": "refs/tags/v2.3.1", "ref_type": "tag", "sub": "repo:vendor/app:ref:refs/tags/v2.3.1"}


@dataclass
class GitHub:
    """``tokens`` are those that it gave, ``audiences`` what they were asked for; ``script`` answers in its stead."""

    issuer: Issuer
    home: Home
    address: str = ""
    seconds: float = 300
    tokens: list[str] = field(default_factory=list)
    audiences: list[str] = field(default_factory=list)
    script: Callable[[], Answer] | None = None

    @property
    def variables(self) -> dict[str, str]:
        """What a job's steps have, where the job may have a token."""
        place = f"http://{self.address}/idtoken/1?api-version=2.0"
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": place,
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": SECRET,
            "BYOA_API": self.home.api.address,
            "BYOA_ORG": ORG,
        }

    def sign(self, audience: str) -> str:
        now = self.home.api.served.clock.moment.timestamp()
        claims = self.issuer.claims(now, audience, **JOB, iat=now, exp=now + self.seconds, jti=str(len(self.tokens)))
        return self.issuer.sign(claims)

    def answer(self, target: str, shown: str | None) -> Answer:
        if self.script:
            return self.script()
        place = urlsplit(target)
        query = parse_qs(place.query)
        if shown != f"Bearer {SECRET}" or place.path != "/idtoken/1" or query.get("api-version") != ["2.0"]:
            return 403, b'{"message": "no"}'
        (audience,) = query["audience"]
        self.audiences.append(audience)
        self.tokens.append(self.sign(audience))
        return 200, json.dumps({"value": self.tokens[-1], "count": 1}).encode()


class _Handler(BaseHTTPRequestHandler):
    github: GitHub

    def do_GET(self) -> None:
        status, body = self.github.answer(self.path, self.headers["Authorization"])
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def github(home: Home) -> Iterator[GitHub]:
    """GitHub, whose tokens for tags of ``vendor/app`` the home's organisation lets in, till the block ends."""
    with issuing() as issuer:
        found = GitHub(issuer, home)
        served = home.api.served
        served.fetch_keys = issuer.fetch
        assert served.ask("POST", "/v1/issuers", RULE).status == 201
        handler = type("Handler", (_Handler,), {"github": found})
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
            found.address = f"127.0.0.1:{server.server_address[1]}"
            try:
                yield found
            finally:
                server.shutdown()
