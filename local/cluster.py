"""The desk's own cluster: Kubernetes' API, and behind it a memory. Nothing runs there.

Honest about what it is: it has kinds and definitions, namespaces, field owners by leaf, dry runs, UIDs, finalizers,
selectors, statuses and bearer tokens, and toys for controllers. It has no schemas, defaults, webhooks, immutable fields
or rights, and nothing to watch: what needs these is tried on a real API server. A workload is healthy unless its image
is called `bad` or its annotation `desk.byoa.dev/health` says `bad`.

python -m local.cluster --port 5107 --folder .desk/up/cluster --namespace vendor
python -m local.cluster --port 5107 --folder .desk/up/cluster --token-variable BYOA_CLUSTER_TOKEN --name my.host

In a test::

    with Cluster() as cluster:
        install(cluster.address, cluster.ca, *cluster.tokens)
"""

from __future__ import annotations

import argparse
import base64
import os
import secrets
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from byoa.adapters.memory.cluster import MemoryCluster
from byoa.adapters.memory.served import SERVED
from byoa.installs.objects import Place
from local.kube.api import KubernetesApi
from local.kube.certificates import certified
from local.processes import LOOPBACK
from local.registry.server import Server

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Sequence

_STOPPED_BY = (signal.SIGTERM, signal.SIGINT)
NAMESPACES = next(kind for kind in SERVED if kind.kind == "Namespace")
AUTHORITY = "ca.pem"
KUBECONFIG = "kubeconfig"


class Cluster:
    """It listens on loopback from when it is made; a context manager that ends it.

    ``tokens`` are those of all who are let in, which may change; ``ca`` is its authority in PEM, ``None`` without TLS.
    """

    def __init__(
        self,
        memory: MemoryCluster | None = None,
        *,
        port: int = 0,
        tokens: set[str] | None = None,
        names: Sequence[str] = (),
        tls: bool = True,
    ) -> None:
        self.memory = memory or MemoryCluster()
        self.tokens = tokens or {secrets.token_urlsafe()}
        self.requests: list[tuple[str, str, int]] = []
        """Method, path and status of each request."""
        context, ca = certified([LOOPBACK, "localhost", *names]) if tls else (None, None)
        self.ca: str | None = ca
        api = KubernetesApi(self.memory, self.tokens)
        self._server = _Server(context, (LOOPBACK, port), api.answer, lambda *seen: self.requests.append(seen))
        self.address = f"{'https' if tls else 'http'}://{LOOPBACK}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self._thread.join()

    def kubeconfig(self) -> str:
        """For kubectl, and for `byoa install`."""
        authority = base64.b64encode((self.ca or "").encode()).decode()
        cluster = f"{{server: '{self.address}', certificate-authority-data: {authority}}}"
        return (
            "apiVersion: v1\nkind: Config\ncurrent-context: desk\n"
            f"clusters: [{{name: desk, cluster: {cluster}}}]\n"
            "contexts: [{name: desk, context: {cluster: desk, user: desk}}]\n"
            f"users: [{{name: desk, user: {{token: {min(self.tokens)}}}}}]\n"
        )


def _namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


class _Server(Server):
    """TLS, whose handshake is done by each connection's own thread."""

    def __init__(self, context: ssl.SSLContext | None, *arguments: Any) -> None:  # noqa: ANN401 - the base class's
        self._context = context
        super().__init__(*arguments)

    def get_request(self) -> tuple[socket.socket, Any]:
        """A new connection, which has said nothing yet."""
        connection, peer = super().get_request()
        if self._context:
            connection = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, peer

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hung up or don't trust us."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT. The authority and a kubeconfig are in the folder before it listens."""
    about, _, examples = (__doc__ or "").partition("\n\npython")
    parser = argparse.ArgumentParser(
        prog="cluster", description=about, epilog=f"examples:\npython{examples.partition('\n\nIn a test')[0]}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--port", type=int, default=0, help=f"where to listen on {LOOPBACK} (default: any free port)")
    parser.add_argument("--folder", type=Path, required=True, help=f"takes {AUTHORITY} and {KUBECONFIG}")
    parser.add_argument("--token-variable", metavar="NAME", help="the token is in this environment variable")
    parser.add_argument("--namespace", action="append", default=[], help="one that is there from the beginning")
    parser.add_argument("--name", action="append", default=[], help="another name in its certificate")
    given = parser.parse_args(arguments)
    tokens = {os.environ[given.token_variable]} if given.token_variable else None
    os.umask(0o077)  # the kubeconfig has the token
    given.folder.mkdir(parents=True, exist_ok=True)
    # Blocked before the first thread starts, so that the signals wait for ``sigwait`` and interrupt nothing.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPED_BY)
    try:
        running = Cluster(port=given.port, tokens=tokens, names=given.name)
    except OSError as error:
        sys.exit(f"cluster: {error}")
    with running:
        for name in given.namespace:
            running.memory.apply(Place(NAMESPACES, "", name), _namespace(name), manager="desk")
        (given.folder / AUTHORITY).write_text(running.ca or "")
        (given.folder / KUBECONFIG).write_text(running.kubeconfig())
        print(f"cluster listening on {running.address}", flush=True)
        signal.sigwait(_STOPPED_BY)


if __name__ == "__main__":
    main()
