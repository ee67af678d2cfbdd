"""The two requests that a copy of an artifact that is there already costs, by bare sockets: a floor for every client.

    python bench/loads/bare_requests.py FILE JOBS

FILE holds lines of SRC DST, as `byoa mirror --from` takes them. No answer is read for more than the digest in its head.
"""

import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_DIGEST = b"docker-content-digest: "
_ACCEPT = "application/vnd.oci.image.manifest.v1+json"
_open = threading.local()


def _digest(reference: str) -> bytes:
    host, _, rest = reference.removeprefix("oci://").partition("/")
    repository, _, tag = rest.rpartition(":")
    connection = _open.__dict__.get(host)
    if connection is None:
        address, _, port = host.partition(":")
        connection = _open.__dict__[host] = socket.create_connection((address, int(port)))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    target = f"/v2/{repository}/manifests/{tag}"
    connection.sendall(f"HEAD {target} HTTP/1.1\r\nHost: {host}\r\nAccept: {_ACCEPT}\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    start = answer.lower().index(_DIGEST) + len(_DIGEST)
    return answer[start : answer.index(b"\r", start)]


def _is_there(line: str) -> bool:
    source, target = line.split()
    return _digest(source) == _digest(target)


def main() -> int:
    """Ask for every pair; 0 where all targets have what their sources have."""
    lines = Path(sys.argv[1]).read_text().splitlines()
    with ThreadPoolExecutor(int(sys.argv[2])) as pool:
        return 0 if all(pool.map(_is_there, lines)) else 1


if __name__ == "__main__":
    sys.exit(main())
