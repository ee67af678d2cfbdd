"""The API in this process over the shipped memory adapters, spoken to as API Gateway does."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from byoa.adapters.identity.verifying import PyJwtVerifier
from byoa.adapters.memory.applied import MemoryShelf
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.installs import DeployStore, MemoryDeploys, MemoryInstalls
from byoa.adapters.memory.inventory import MemoryAnswers, MemoryInventory, MemoryJournal, MemoryTokens
from byoa.adapters.memory.issuers import MemoryIssuers
from byoa.adapters.memory.leases import MemoryLeases
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.adapters.memory.lookups import MemoryLookups
from byoa.adapters.memory.tracking import MemoryHooks
from byoa.adapters.memory.vault import MemoryClientSecrets, MemoryClusterTokens, MemoryVault
from byoa.api.app import make
from byoa.api.ports import World
from byoa.api.tokens import DAY_MS, issue
from byoa.builds.records import milliseconds
from byoa.trust.issuers import KeysFound
from local.pages.lookups import Samples, tried

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.api.face import Face
    from byoa.builds.messages import Trial, Tried
    from byoa.builds.ports import LookupFunctions

ORG, OTHER = "org_0123456789ab", "org_other0000000"
APP = "shop"
SOURCE_ROLE = "arn:aws:iam::111122223333:role/byoa-SourceRole-EXAMPLE"
CLUSTER_ROLE = "arn:aws:iam::111111111111:role/stack-clusters"
DER = b"0Y the public key in DER, of which nothing here looks at more than its bytes"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        return str(self.json["code"])


class Context:
    function_name = "api"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:api"
    aws_request_id = "request"


def event_of(method: str, path: str, headers: dict[str, str], body: str | bytes | None) -> dict[str, Any]:
    """What API Gateway makes of a request (HTTP API, payload 2.0)."""
    import base64  # noqa: PLC0415 - bytes are the exception

    place = urlsplit(path)
    raw = isinstance(body, bytes)
    query: dict[str, str] = {}
    for key, value in parse_qsl(place.query, keep_blank_values=True):
        query[key] = f"{query[key]},{value}" if key in query else value
    return {
        "version": "2.0",
        "routeKey": "ANY /{proxy+}",
        "rawPath": place.path,
        "rawQueryString": place.query,
        "headers": {key.lower(): value for key, value in headers.items()},
        **({"queryStringParameters": query} if query else {}),
        "requestContext": {
            "stage": "$default",
            "requestId": "request",
            "http": {"method": method, "path": place.path, "sourceIp": "192.0.2.1"},
        },
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": raw,
    }


@dataclass
class Served:
    """A world with two organisations, and the API over it."""

    clock: SteppingClock = field(default_factory=SteppingClock)
    functions: LookupFunctions | None = None
    """What lookups are asked of; samples where there are none."""
    lasting: float = 0
    """Seconds that a lookup takes."""

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger(self.clock, "table")
        self.components: dict[Any, Any] = {}
        self.told: list[Any] = []
        self.tokens: dict[Any, Any] = {}
        self.hooks: dict[Any, Any] = {}
        self.deeds: dict[Any, Any] = {}
        self.answers: dict[Any, Any] = {}
        self.secrets: dict[Any, Any] = {}
        self.looked_up: dict[Any, Any] = {}
        self.awaited: list[Any] = []
        self.installing = DeployStore(self.clock, "table")
        self.cluster_tokens: dict[str, str] = {}
        self.client_secrets: dict[str, str] = {}
        self.leased: dict[Any, Any] = {}
        self.receipt_check: Callable[[bytes, bytes], bool] = lambda *_: True
        self.rules: dict[Any, Any] = {}
        self.keys: dict[Any, Any] = {}
        self.asked: dict[Any, Any] = {}
        self.try_credentials: Callable[[Trial], Tried] = tried
        self.fetch_keys: Callable[[str, str], KeysFound] = lambda *_: KeysFound(keys=[])
        self.face: Face = make(self.world)

    @property
    def world(self) -> World:
        return World(
            clock=self.clock,
            doorkeeper=MemoryTokens("", self.tokens, self.issuers),
            inventory=lambda org: MemoryInventory(org, self.ledger, self.components, self.told),
            tokens=lambda org: MemoryTokens(org, self.tokens),
            hooks=lambda org: MemoryHooks(org, self.hooks),
            journal=lambda org: MemoryJournal(org, self.deeds),
            answers=lambda org: MemoryAnswers(org, self.answers),
            safe=lambda org: MemoryVault(org, self.clock, self.secrets),
            lookups=self.lookups,
            installs=lambda org: MemoryInstalls(org, self.installing),
            clusters=lambda org: MemoryClusterTokens(org, self.cluster_tokens),
            client_secrets=lambda org: MemoryClientSecrets(org, self.client_secrets),
            deploying=lambda _: MemoryDeploys(self.installing),
            leases=lambda org: MemoryLeases(org, self.leased, self.installing),
            shelf=lambda key, execution: MemoryShelf(self.installing, key, execution),
            receipt_check=self._check_receipt,
            receipt_key=lambda: DER,
            table="table",
            source_role=SOURCE_ROLE,
            cluster_role=CLUSTER_ROLE,
            issuers=self.issuers,
            try_credentials=self._try_credentials,
            fetch_keys=self._fetch_keys,
            verifier=PyJwtVerifier(),
        )

    def lookups(self, org: str = ORG) -> MemoryLookups:
        functions = self.functions or Samples(self.clock)
        return MemoryLookups(org, self.clock, functions, self.looked_up, self.awaited, lambda: self.lasting)

    def _try_credentials(self, trial: Trial) -> Tried:
        return self.try_credentials(trial)

    def _fetch_keys(self, organisation: str, issuer: str) -> KeysFound:
        return self.fetch_keys(organisation, issuer)

    def _check_receipt(self, signature: bytes, payload: bytes) -> bool:
        return self.receipt_check(signature, payload)

    def issuers(self, org: str) -> MemoryIssuers:
        return MemoryIssuers(org, self.rules, self.keys, self.asked)

    def token(self, *scopes: str, org: str = ORG, days: int = 30, installs: tuple[str, ...] = ()) -> str:
        now_ts = milliseconds(self.clock.now())
        ends_ts = now_ts + days * DAY_MS
        record, token = issue(org, "test", scopes or ("admin",), now_ts, ends_ts, "test", installs)
        MemoryTokens(org, self.tokens).add(record)
        return token

    def ask(
        self, method: str, path: str, body: Any = None, *, token: str | None = "", raw: str | bytes | None = None,
        **headers: str,
    ) -> Answer:  # fmt: skip
        """A request with an admin's token, another one, or none; ``raw`` is a body as it is."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["authorization"] = f"Bearer {token or self.token()}"
        content = raw if raw is not None else None if body is None else json.dumps(body)
        if content is not None:
            sent.setdefault("content-type", "application/json")
        found = self.face(event_of(method, path, sent, content), Context())  # type: ignore[arg-type]
        return Answer(found["statusCode"], found.get("headers") or {}, found.get("body") or "")
