"""The desk's registry as a process that writes an access log: stands in where no other registry is on PATH.

python bench/desk_registry.py --port 5000 --dir FOLDER
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local.registry import Registry
from local.registry.settings import Settings

if TYPE_CHECKING:
    from local.registry import Request, Response


class _Logging(Registry):
    def answer(self, request: Request) -> Response:
        """Answer, and note it the way that web servers do."""
        response = super().answer(request)
        line = f'127.0.0.1 - - [-] "{request.method} {request.path} HTTP/1.1" {response.status} 0\n'
        os.write(sys.stdout.fileno(), line.encode())
        return response


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--dir", type=Path, required=True)
    given = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    with _Logging(Settings(directory=given.dir), port=given.port):
        signal.sigwait((signal.SIGTERM, signal.SIGINT))


if __name__ == "__main__":
    main()
