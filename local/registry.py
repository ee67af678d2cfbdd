"""An OCI registry for the desk (distribution-spec 1.1), in memory or on disk, alone or inside a test.

    python local/registry.py --port 5000
    python local/registry.py --port 5000 --dir ./registry --auth bearer --username me --password secret
    python local/registry.py --port 5000 --no-referrers
    python local/registry.py --port 5000 --ecr http://127.0.0.1:4566 --region eu-west-1

In a test::

    with Registry(Settings(auth="basic")) as registry:
        pull(registry.address)
    assert ("GET", "/v2/", 401) in registry.requests

A registry that misbehaves is a subclass whose ``answer`` changes, delays or withholds what this one answers.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from local.registry_api import Api
from local.registry_ecr import AwsControlPlane, ControlPlane, EcrSettings, MemoryControlPlane, RepositoryFacts
from local.registry_messages import Hangup, Request, Response, as_json, refusal
from local.registry_server import Server
from local.registry_settings import Settings
from local.registry_store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "AwsControlPlane",
    "ControlPlane",
    "EcrSettings",
    "Hangup",
    "MemoryControlPlane",
    "Registry",
    "RepositoryFacts",
    "Request",
    "Response",
    "Seen",
    "Settings",
    "as_json",
    "refusal",
]

_STOPPED_BY = (signal.SIGTERM, signal.SIGINT)


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
        return self._api.answer(request)

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


def _parser() -> argparse.ArgumentParser:
    about, _, rest = (__doc__ or "").partition("\n\n")
    examples = rest.partition("\n\nIn a test")[0]
    parser = argparse.ArgumentParser(
        description=about, epilog=f"examples:\n{examples}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=0, help="where to listen on 127.0.0.1 (default: any free port)")
    parser.add_argument("--auth", choices=["anonymous", "basic", "bearer"], default="anonymous")
    parser.add_argument("--username", default=Settings.username)
    parser.add_argument("--password", default=Settings.password)
    parser.add_argument("--anonymous-pull", action="store_true", help="let everybody pull")
    parser.add_argument("--no-referrers", action="store_true", help="answer 404 to the referrers API")
    parser.add_argument("--dir", type=Path, help="keep everything there, an OCI layout for each repository")
    parser.add_argument("--ecr", metavar="ENDPOINT_URL", help="behave as ECR, with this control plane")
    parser.add_argument("--region", default=EcrSettings.region, help="the region of --ecr (default: %(default)s)")
    parser.add_argument("--verbose", action="store_true", help="log requests to stderr")
    return parser


def _settings(arguments: Sequence[str] | None) -> tuple[Settings, int]:
    given = _parser().parse_args(arguments)
    ecr = EcrSettings(given.ecr, given.region) if given.ecr else None
    settings = Settings(
        auth=given.auth,
        username=given.username,
        password=given.password,
        anonymous_pull=given.anonymous_pull,
        referrers=not given.no_referrers,
        ecr=ecr,
        directory=given.dir,
        verbose=given.verbose,
    )
    return settings, given.port


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    settings, port = _settings(arguments)
    # Blocked before the first thread starts, so that the signals wait for ``sigwait`` and interrupt nothing.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPED_BY)
    try:
        registry = Registry(settings, port=port)
    except OSError as error:
        sys.exit(f"registry: {error}")
    with registry:
        print(f"registry listening on http://{registry.address}", flush=True)
        signal.sigwait(_STOPPED_BY)


if __name__ == "__main__":
    main()
