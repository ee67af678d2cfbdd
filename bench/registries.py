"""Registries as processes: two real ones, and the null registry. Each can be emptied, and counts its requests."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.access_log import parse_access_log
from local.processes import LOOPBACK, Process, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HERE = Path(__file__).parent
_MEMORY = Path("/dev/shm")
_NEEDED = 6 * 1024**3
_QUIET_SECONDS = 0.02
_DISTRIBUTION = """version: 0.1
log: {{level: error, accesslog: {{disabled: false}}}}
storage:
  filesystem: {{rootdirectory: {storage}}}
  maintenance: {{uploadpurging: {{enabled: false}}}}
http: {{addr: 127.0.0.1:{port}}}
"""


@dataclass(slots=True)
class Registry:
    """A registry that runs, on one port for all of its life. ``folder`` takes its log and what it stores."""

    kind: str
    folder: Path
    arguments: Sequence[str] = ()
    port: int = field(default_factory=free_port)
    _process: Process | None = None
    _counted: int = 0

    @property
    def host(self) -> str:
        """``HOST:PORT``."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """The process's id; 0 while none runs."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start it and wait until it listens. Raises DeskError when it doesn't."""
        storage = self.folder / "storage"
        storage.mkdir(parents=True, exist_ok=True)
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._process = Process(self.kind, self._command(storage), self.folder, environment=inherited)
        self._process.wait_until(self._listens)
        self._counted = 0

    def stop(self) -> None:
        """Stop it. What it stores stays."""
        if self._process:
            self._process.stop()
            self._process = None

    def empty(self) -> None:
        """Start again with nothing in it."""
        self.stop()
        shutil.rmtree(self.folder / "storage", ignore_errors=True)
        self.start()

    def count(self) -> int | None:
        """Requests since the last call, once the log is quiet; ``None`` where the registry keeps no log."""
        if self.kind == "olareg" or self._process is None:
            return None
        size = -1
        while size != (size := self._process.log.stat().st_size):
            time.sleep(_QUIET_SECONDS)
        entries = parse_access_log(self._process.log.read_text(errors="replace"))
        before, self._counted = self._counted, len(entries)
        return len(entries) - before

    def _command(self, storage: Path) -> list[str | Path]:
        port = str(self.port)
        if self.kind == "docker-registry":
            config = self.folder / "config.yml"
            config.write_text(_DISTRIBUTION.format(storage=storage, port=port))
            return [str(shutil.which(self.kind)), "serve", config]
        if self.kind == "olareg":
            return [str(shutil.which(self.kind)), "serve", "--addr", LOOPBACK, "--port", port, "--dir", storage]
        if self.kind == "null":
            return [sys.executable, _HERE / "null_registry.py", "--port", port, *self.arguments]
        return [sys.executable, _HERE / "desk_registry.py", "--port", port, "--dir", storage]

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self.port), timeout=1):
            return True
        return False


@dataclass(frozen=True, slots=True)
class Pair:
    """A source and a target."""

    source: Registry
    target: Registry

    @property
    def pids(self) -> list[int]:
        """Their processes."""
        return [self.source.pid, self.target.pid]


def real_kinds() -> list[str]:
    """The real registries that there are, the one of the goals first; without any, the desk's own."""
    return [kind for kind in ("docker-registry", "olareg") if shutil.which(kind)] or ["desk"]


@contextlib.contextmanager
def storage_folder() -> Iterator[Path]:
    """A folder for what registries store, in memory where there is enough of it; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="byoa-bench-", dir=_MEMORY if in_memory() else None) as name:
        yield Path(name)


def in_memory() -> bool:
    """Whether registries store in memory here."""
    return _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _NEEDED


@contextlib.contextmanager
def running(kind: str, folder: Path, arguments: Sequence[str] = ()) -> Iterator[Pair]:
    """A source and a target of one kind, stopped and gone at the end; ``arguments`` say what a null source serves.

    What they stored goes too: in memory, the next load would have to find other memory.
    """
    pair = Pair(Registry(kind, folder / "source", arguments), Registry(kind, folder / "target"))
    try:
        pair.source.start()
        pair.target.start()
        yield pair
    finally:
        for registry in (pair.target, pair.source):
            registry.stop()
            shutil.rmtree(registry.folder, ignore_errors=True)
