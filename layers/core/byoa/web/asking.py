"""The API for pages: what is only read is read in this process, all else is done by the API's own function.

Both know who asks by the session's token, so a page shows and does what its reader may and nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from byoa.api.doorkeeping import TokenRecord
    from byoa.api.face import Face

    type Event = dict[str, Any]
    type Send = Callable[[Event], Event]
    """Has the API's function answer a request, as API Gateway would."""

_GOOD: Final = range(200, 300)
_ABSENT: Final = 404


class Reply(NamedTuple):
    """What the API answered: its status, its headers, their names in lower case, and its JSON data."""

    status: int
    headers: Mapping[str, str]
    document: Any

    @property
    def good(self) -> bool:
        """Whether it is what was asked for."""
        return self.status in _GOOD

    def held(self) -> Reply:
        """It, where it is good. Raises ``Refused``."""
        if not self.good:
            raise Refused(self)
        return self

    @property
    def more(self) -> bool:
        """Whether a list goes on."""
        return self.headers.get("x-nuon-page-next") == "true"


class Refused(Exception):
    """The API answered something else than was asked for; ``problem`` is its body."""

    def __init__(self, reply: Reply) -> None:
        self.status = reply.status
        self.problem: dict[str, Any] = reply.document
        super().__init__(self.problem.get("code"))


@dataclass(slots=True)
class Asking:
    """The API, as one who was let in may use it. ``asked`` are the paths that a page was made of, with their ETags."""

    face: Face
    send: Send
    context: LambdaContext
    address: str
    domain: str = ""
    caller: TokenRecord | None = None
    token: str = ""
    asked: dict[str, str] = field(default_factory=dict)

    def reply(self, path: str, /, **query: str | int | None) -> Reply:
        """What GET answers, whatever it is."""
        event = self._event("GET", path, {name: str(value) for name, value in query.items() if value not in (None, "")})
        found = _read(self.face.answer(event, self.context, self.caller))
        self.asked[_place(event)] = found.headers.get("etag", "")
        return found

    def ask(self, method: str, path: str, body: object) -> Reply:
        """What the API answers to something that changes nothing, in this process; it isn't noted as read."""
        event = self._event(method, path, {}, {"content-type": "application/json"})
        event["body"] = json.dumps(body)
        return _read(self.face.answer(event, self.context, self.caller))

    def get(self, path: str, **query: str | int | None) -> Any:  # noqa: ANN401 - JSON data
        """What is there. Raises ``Refused``."""
        return self.listing(path, **query).document

    def find(self, path: str, **query: str | int | None) -> Any:  # noqa: ANN401 - JSON data
        """The same, or ``None`` where there is nothing of that name."""
        found = self.reply(path, **query)
        return None if found.status == _ABSENT else found.held().document

    def listing(self, path: str, **query: str | int | None) -> Reply:
        """The same with its headers. Raises ``Refused``."""
        return self.reply(path, **query).held()

    def write(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """Have the API's function do something, with the token of whoever asks."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        event = self._event(method, path, {}, {"authorization": f"Bearer {self.token}", **sent})
        if body is not None:
            event["headers"]["content-type"] = "application/json"
            event["body"] = json.dumps(body)
        return _read(self.send(event))

    def _event(self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str] = {}) -> Event:
        return {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": urlencode(query),
            "headers": dict(headers),
            **({"queryStringParameters": dict(query)} if query else {}),
            "requestContext": {
                "stage": "$default",
                "domainName": self.domain,
                "requestId": getattr(self.context, "aws_request_id", ""),
                "http": {"method": method, "path": path, "sourceIp": self.address},
            },
            "isBase64Encoded": False,
        }


def _place(event: Event) -> str:
    query = event["rawQueryString"]
    return f"{event['rawPath']}?{query}" if query else str(event["rawPath"])


def _read(answer: Event) -> Reply:
    headers = {name.lower(): str(value) for name, value in (answer.get("headers") or {}).items()}
    text = answer.get("body") or ""
    is_json = headers.get("content-type", "").partition(";")[0] in ("application/json", "application/problem+json")
    return Reply(int(answer["statusCode"]), headers, json.loads(text) if text and is_json else text or None)
