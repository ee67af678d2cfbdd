"""Clients of the API, alone and many at once: each hands in configs of its own, and knows what must be there."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

_TIMEOUT_SECONDS: Final = 60
_BUSY: Final = 429
_CREATED: Final = 201
_FAULTY: Final = 500
_PATIENCE_SECONDS: Final = 300
_LOOK_SECONDS: Final = 1.0
_PAGE: Final = 100
_ENDED: Final = frozenset({"active", "error", "superseded"})

type Answer = tuple[int, Any]
type Ask = Callable[[str, str, Any], Answer]


class Lost(Exception):
    """Something that was taken isn't there, or isn't what was handed in."""


class Caller:
    """Whoever has a token, on a connection that stays open. ``api`` is the API's URL."""

    def __init__(self, api: str, token: str) -> None:
        place = urlsplit(api)
        self._base = place.path
        self._connection = HTTPConnection(place.netloc, timeout=_TIMEOUT_SECONDS)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, body: Any = None) -> Answer:  # noqa: ANN401 - JSON
        """The status, and what the JSON says."""
        content = None if body is None else json.dumps(body)
        self._connection.request(method, self._base + path, content, self._headers)
        answer = self._connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None


@dataclass
class Told:
    """What one client was answered: statuses, seconds of each call, and the builds of its versions in their order."""

    component: str
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    builds: list[str] = field(default_factory=list)

    @property
    def faulty(self) -> int:
        """Answers that were 5xx."""
        return sum(count for status, count in self.statuses.items() if status >= _FAULTY)


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many clients, who each hand in ``versions`` configs, spread over ``seconds``, and read between."""

    api: str
    token: str
    app: str
    clients: int
    versions: int
    seconds: float

    def run(self) -> list[Told]:
        """All at once, until the time is over and each has handed in all of its own."""
        with ThreadPoolExecutor(self.clients) as pool:
            return list(pool.map(self._client, range(self.clients)))

    def check(self, told: Told) -> None:
        """Wait until all builds have ended; raises ``Lost`` where what was answered isn't what is there."""
        place = f"/v1/apps/{self.app}/components/{told.component}"
        with Caller(self.api, self.token) as caller:
            for kind, key in (("configs", "build_id"), ("builds", "id")):
                found = [each[key] for each in self._all(caller, f"{place}/{kind}")]
                if found != told.builds[::-1]:
                    raise Lost(f"{told.component}: {kind} are {found}, and {told.builds[::-1]} were taken")
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while running := [each for each in self._all(caller, f"{place}/builds") if each["status"] not in _ENDED]:
                if time.monotonic() > deadline:
                    raise Lost(f"{told.component}: {len(running)} builds have not ended")
                time.sleep(_LOOK_SECONDS)

    def _client(self, number: int) -> Told:
        told = Told(f"crowd-{number}")
        begun, handed_in = time.monotonic(), 0
        with Caller(self.api, self.token) as caller:
            while True:
                passed = time.monotonic() - begun
                due = min(self.versions, 1 + int(self.versions * passed / self.seconds))
                if passed >= self.seconds and handed_in == self.versions:
                    return told
                if handed_in < due:
                    self._hand_in(caller, told, handed_in)
                    handed_in += 1
                for path in self._reads(told):
                    self._ask(caller, told, "GET", path)

    def _hand_in(self, caller: Caller, told: Told, number: int) -> None:
        """A config, and the same again, which must be the same version."""
        place = f"/v1/apps/{self.app}/components/{told.component}/configs/kubernetes-manifest"
        body = {"namespace": "crowd", "manifest": f"a: {number}"}
        status, config = self._ask(caller, told, "POST", place, body)
        if status != _CREATED:
            raise Lost(f"{told.component}: {status}: {config}")
        told.builds.append(config["build_id"])
        status, again = self._ask(caller, told, "POST", place, body)
        if status == _CREATED:  # the build has failed meanwhile
            told.builds.append(again["build_id"])
        elif again.get("build_id") != config["build_id"]:
            raise Lost(f"{told.component}: {status}: {again}")

    def _reads(self, told: Told) -> list[str]:
        place = f"/v1/apps/{self.app}/components"
        of_one = f"{place}/{told.component}"
        newest = f"{of_one}/builds/{told.builds[-1]}"
        return [newest, f"{of_one}/builds", f"{place}?limit=10", newest, f"{of_one}/configs/latest", newest]

    @staticmethod
    def _ask(caller: Caller, told: Told, method: str, path: str, body: Any = None) -> Answer:  # noqa: ANN401 - JSON
        while True:
            begun = time.perf_counter()
            status, answer = caller.ask(method, path, body)
            told.seconds.append(time.perf_counter() - begun)
            told.statuses[status] += 1
            if status != _BUSY:
                return status, answer
            time.sleep(_LOOK_SECONDS)

    @staticmethod
    def _all(caller: Caller, path: str) -> list[Any]:
        found: list[Any] = []
        while True:
            status, page = caller.ask("GET", f"{path}?limit={_PAGE}&offset={len(found)}")
            if status >= 400:  # noqa: PLR2004 - HTTP's own
                raise Lost(f"{path}: {status}: {page}")
            found += page
            if len(page) < _PAGE:
                return found
