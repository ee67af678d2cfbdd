"""A real API server with its etcd on loopback, where both are on the PATH: no nodes, no controllers, nothing runs."""

from __future__ import annotations

import base64
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from byoa.adapters.kubernetes.cluster import KubernetesCluster
from byoa.adapters.kubernetes.wire import Wire
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.transport import Response, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from byoa.installs.access import Access

MISSING: Final = "needs a real API server: kube-apiserver and etcd on the PATH"
ADMIN: Final = "admin-token"
INSTALLER: Final = "installer-token"
"""A user who may do what RBAC in the cluster grants, which is nothing to begin with."""
STRANGER: Final = "stranger-token"
"""Another one."""

_SECONDS: Final = 60.0


class Server(NamedTuple):
    """Where it is, the authority that vouches for it, and the name that it is vouched for by."""

    address: str
    ca: Path
    name: str = "kubernetes"

    def kubeconfig(self, folder: Path, token: str = ADMIN) -> Path:
        data = base64.b64encode(self.ca.read_bytes()).decode()
        file = folder / "kubeconfig"
        file.write_text(
            "apiVersion: v1\nkind: Config\ncurrent-context: here\n"
            f"clusters: [{{name: c, cluster: {{server: '{self.address}', certificate-authority-data: {data}, "
            f"tls-server-name: {self.name}}}}}]\n"
            "contexts: [{name: here, context: {cluster: c, user: u}}]\n"
            f"users: [{{name: u, user: {{token: {token}}}}}]\n"
        )
        return file


@contextmanager
def reached(
    access: Access, token: Callable[[], str] | None = None, renew: Callable[[], bool] = lambda: False
) -> Iterator[KubernetesCluster]:
    """The cluster as whoever has this access reaches it."""
    transport = Transport(ca=access.ca, ca_alone=True, server_name=access.server_name)
    endpoint = Endpoint("https", access.host, access.port)

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        return transport.request(method, endpoint, path, headers, body)

    try:
        yield KubernetesCluster(Wire(send, access.authority, token or (lambda: access.token), renew=renew))
    finally:
        transport.close()


def is_here() -> bool:
    return all(shutil.which(name) for name in ("kube-apiserver", "etcd"))


@contextmanager
def api_server(folder: Path, *arguments: str, port: int = 0) -> Iterator[Server]:
    """Up in three seconds, and gone with all that it held. ``arguments`` are further ones of kube-apiserver's."""
    store, peer, secure = _ports(3)
    secure = port or secure
    started: list[subprocess.Popen[bytes]] = []
    try:
        started.append(_etcd(folder, store, peer))
        started.append(_kube_apiserver(folder, store, secure, arguments))
        _await(secure, started, folder)
        yield Server(f"https://127.0.0.1:{secure}", folder / "certs" / "apiserver.crt")
    finally:
        for process in reversed(started):  # at once: nothing of it is kept
            process.kill()
            process.wait()


def _ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return found


def _etcd(folder: Path, port: int, peer: int) -> subprocess.Popen[bytes]:
    client, other = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer}"
    return _start(
        folder, "etcd", "--data-dir", str(folder / "data"), "--unsafe-no-fsync",
        "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", other,
        "--initial-advertise-peer-urls", other, "--initial-cluster", f"default={other}",
    )  # fmt: skip


def _kube_apiserver(folder: Path, store: int, port: int, arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (folder / "sa.key").write_bytes(pem)
    users = f"{ADMIN},admin,1,system:masters\n{INSTALLER},installer,2\n{STRANGER},stranger,3\n"
    (folder / "tokens.csv").write_text(users)
    return _start(
        folder, "kube-apiserver", f"--etcd-servers=http://127.0.0.1:{store}", "--bind-address=127.0.0.1",
        f"--secure-port={port}", f"--cert-dir={folder / 'certs'}", "--authorization-mode=RBAC",
        f"--service-account-key-file={folder / 'sa.key'}", f"--service-account-signing-key-file={folder / 'sa.key'}",
        "--service-account-issuer=https://kubernetes.default.svc", f"--token-auth-file={folder / 'tokens.csv'}",
        "--service-cluster-ip-range=10.0.0.0/24", "--disable-admission-plugins=ServiceAccount", *arguments,
    )  # fmt: skip


def _start(folder: Path, *command: str) -> subprocess.Popen[bytes]:
    with (folder / f"{command[0]}.log").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)


def _await(port: int, started: list[subprocess.Popen[bytes]], folder: Path) -> None:
    context = ssl._create_unverified_context()
    asked = urllib.request.Request(f"https://127.0.0.1:{port}/readyz", headers={"Authorization": f"Bearer {ADMIN}"})
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        assert all(each.poll() is None for each in started), (folder / "kube-apiserver.log").read_text()[-2000:]
        with suppress(OSError), urllib.request.urlopen(asked, context=context, timeout=5) as answer:
            if answer.read() == b"ok":
                return
        time.sleep(0.1)
    raise TimeoutError
