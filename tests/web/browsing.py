"""The dashboard in this process over the shipped memory adapters, and somebody who goes through its pages."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from byoa.builds import record
from byoa.builds.messages import BuildEnded, Failure, Outcome
from byoa.builds.records import entry, milliseconds
from byoa.trust.signing_in import CodeExchanged
from byoa.web.app import make
from tests.api.served import APP, ORG, Context, Served, event_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from byoa.builds.messages import BuildKey
    from byoa.trust.signing_in import CodeGiven
    from byoa.web.app import Dashboard

EVENTS = Path(__file__).parents[2] / "events"
HOST = "dashboard.example"
FORM = "application/x-www-form-urlencoded"


@dataclass
class Shown:
    """What a browser got."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    text: str

    @property
    def place(self) -> str:
        return self.headers.get("Location", "")

    @property
    def words(self) -> str:
        """What is to be read, and nothing of how it is marked up."""
        found = _Words()
        found.feed(self.text)
        return " ".join(" ".join(found.said).split())


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def handle_data(self, data: str) -> None:
        self.said.append(data)


@dataclass
class Browser:
    """Somebody with a browser, which keeps cookies and sends what browsers send."""

    served: Served = field(default_factory=Served)
    cookies: dict[str, str] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    """What the API's own function was asked."""

    def __post_init__(self) -> None:
        self.shown: tuple[str, ...] = ()
        self.exchange: Callable[[CodeGiven], CodeExchanged] = lambda _: CodeExchanged()
        self.open()

    def open(self) -> None:
        """The dashboard, started anew."""
        self.dashboard: Dashboard = make(self.served.world, self.served.face, self._send, self._exchange, self.shown)

    def _send(self, event: dict[str, Any]) -> dict[str, Any]:
        self.sent.append(event)
        return self.served.face(json.loads(json.dumps(event)), Context())  # type: ignore[arg-type]

    def _exchange(self, given: CodeGiven) -> CodeExchanged:
        return self.exchange(given)

    def ask(
        self, method: str, path: str, form: dict[str, str] | None = None, raw: str | None = None, **headers: str
    ) -> Shown:
        sent = {"host": HOST, "x-forwarded-proto": "https", "sec-fetch-site": "same-origin"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        body = urlencode(form) if form is not None else raw
        if body is not None:
            sent.setdefault("content-type", FORM)
        event = event_of(method, path, {name: each for name, each in sent.items() if each}, body and body.encode())
        event["cookies"] = [f"{name}={value}" for name, value in self.cookies.items()]
        found = self.dashboard(event, Context())  # type: ignore[arg-type]
        for cookie in found.get("cookies") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies.pop(name, None)
            if "Max-Age=0" not in cookie:
                self.cookies[name] = value
        body = found["body"]
        text = base64.b64decode(body) if found["isBase64Encoded"] else body.encode()
        shown = text.decode(errors="replace")
        return Shown(found["statusCode"], found["headers"], found.get("cookies") or [], shown)

    def get(self, path: str, **headers: str) -> Shown:
        return self.ask("GET", path, None, None, **headers)

    def post(self, path: str, form: dict[str, str] | None = None, **headers: str) -> Shown:
        return self.ask("POST", path, form or {}, None, **headers)

    def sign_in(self, *scopes: str, org: str = ORG) -> str:
        """With a new token of these scopes; the token."""
        token = self.served.token(*(scopes or ("admin",)), org=org)
        shown = self.post("/auth/login", {"token": token, "next": ""})
        assert (shown.status, shown.place) == (303, "/"), shown.text
        return token

    def hand_in(self, name: str = "web", **fields: Any) -> dict[str, Any]:
        """A config; what the API says of it."""
        path = f"/v1/apps/{APP}/components/{name}/configs/kubernetes-manifest"
        made = self.served.ask("POST", path, {"namespace": "vendor", **(fields or {"manifest": "a: 1"})})
        assert made.status in (200, 201), made.text
        found: dict[str, Any] = made.json
        return found

    def key(self, build_id: str) -> BuildKey:
        return next(key for key, build in self.served.ledger.records.items() if build.build_id == build_id)

    def go_well(self, build_id: str, other: Mapping[str, str] | None = None, **inspection: Any) -> None:
        """The build goes well, as the sample of the last step has it, with ``other`` texts in place of some."""
        ledger, key = self.served.ledger, self.key(build_id)
        ledger.begin(key, "one", entry("planning", "checking the config", self.served.clock.now()))
        text = (EVENTS / "record_build.json").read_text()
        for was, now in (other or {}).items():
            text = text.replace(was, now)
        sample = json.loads(text)
        said = {**key.model_dump(), "execution": "one"}
        sample["artifact"] |= {**said, "build_id": build_id}
        for name in ("objects", "attachments"):
            sample["artifact"][name] = inspection.pop(name, sample["artifact"][name])
        sample["artifact"]["inspection"] |= inspection
        for mirror in sample["mirrors"]:
            mirror["tag"] = build_id
            mirror["proof"]["at_ts"] = milliseconds(self.served.clock.now())
        record.record(BuildEnded.model_validate({**sample, **said}), ledger, self.served.clock, series=ledger.series)

    def fail(self, build_id: str, **failure: Any) -> None:
        """The build fails."""
        ledger, key = self.served.ledger, self.key(build_id)
        ledger.begin(key, "one", entry("planning", "checking the config", self.served.clock.now()))
        told = {"code": "ReferenceNotFound", "cause": "There is no such tag.", "remedy": "Push it.", **failure}
        last = entry("error", told["cause"], self.served.clock.now())
        ledger.finish(key, "one", Outcome(status="error", failure=Failure(**told)), [last])


def links(shown: Shown) -> list[str]:
    """Where a page leads."""
    return re.findall(r'href="([^"]*)"', shown.text)
