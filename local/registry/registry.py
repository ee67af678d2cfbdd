"""The desk's registry: it listens, answers, and remembers what it was asked.

In a test::

    with Registry(Settings(auth="basic")) as registry:
        pull(registry.address)
    assert ("GET", "/v2/", 401) in registry.requests

A registry that misbehaves is a subclass whose ``answer`` changes, delays or withholds what this one answers.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple, Self

from local.registry.api import Api
from local.registry.damage import damaged
from local.registry.server import Server
from local.registry.settings import Settings
from local.registry.store import Store

if TYPE_CHECKING:
    from local.registry.messages import Request, Response


class Seen(NamedTuple):
    """A request that was answered: its method, its path without the query, the status (0: the connection ended)."""

    method: str
    path: str
    status: int


class Registry:
    """A registry that listens on 127.0.0.1 from its making until ``close``, or for the length of a ``with``."""

    def __init__(self, settings: Settings | None = None, *, port: int = 0) -> None:
        """Listen on ``port``, 0 for any free one. Raises ``OSError`` when it is taken."""
        self.settings = settings or Settings()
        self.store = Store(self.settings.directory)
        self._api = Api(self.settings, self.store)
        self._seen: list[Seen] = []
        self._lock = threading.Lock()
        self._closed = False
        self._server = Server(("127.0.0.1", port), self.answer, self._note, verbose=self.settings.verbose)
        # The poll is only how soon ``close`` is noticed; connections wake the server at once.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """``127.0.0.1:PORT``."""
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def requests(self) -> list[Seen]:
        """A copy of what was answered so far, in the order of the answers. Each is noted before it is sent."""
        with self._lock:
            return list(self._seen)

    def forget_requests(self) -> None:
        """Count from here on."""
        with self._lock:
            self._seen.clear()

    def answer(self, request: Request) -> Response:
        """Answer one request. Called from many threads at once; the place for a subclass to misbehave.

        Raises ``Hangup`` in subclasses that close the connection without an answer.
        """
        return damaged(request, self._api.answer(request), self.settings.damaged)

    def close(self) -> None:
        """Stop listening, end all connections and drop unfinished uploads. A second call does nothing."""
        if not self._closed:
            self._closed = True
            self._server.close()
            self._thread.join()
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _note(self, method: str, path: str, status: int) -> None:
        with self._lock:
            self._seen.append(Seen(method, path, status))
