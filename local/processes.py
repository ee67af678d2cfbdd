"""What starts and stops the servers on the desk: the emulator, the registry.

The demo and the tests use this one layer. Nothing is ever stopped by name: only what was started here.
"""

import contextlib
import http.client
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from local.interrupts import held

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 10.0
TAIL_BYTES = 2000


class DeskError(Exception):
    """Something on the desk doesn't work; ``cause`` says what, ``remedy`` what to do about it."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause}\n{remedy}")
        self.cause = cause
        self.remedy = remedy


class Process:
    """A server in a session of its own, writing to ``<folder>/<name>.log``; a context manager that stops it.

    ``scratch`` is a folder for the process's own use: made at the start, removed at the stop. Raises DeskError when
    the program can't be run.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        folder: Path,
        *,
        environment: Mapping[str, str],
        scratch: Path | None = None,
    ) -> None:
        self.name = name
        self.log = folder.resolve() / f"{name}.log"
        self._scratch = scratch
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if scratch:
            scratch.mkdir(parents=True, exist_ok=True)
        try:
            with self.log.open("wb") as log:
                self._process = subprocess.Popen(
                    command,
                    env=dict(environment),
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            raise DeskError(f"The {name} can't be run: {error}.", "Make the environments: run `make setup`.") from error

    @property
    def pid(self) -> int:
        """The process id, which is also its group's and its session's."""
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_until(self, ready: Callable[[], bool], *, seconds: float = START_SECONDS) -> None:
        """Wait until ``ready()``; if the process ends before or takes longer, stop it and raise DeskError."""
        deadline = time.monotonic() + seconds
        while not ready():
            ended = self._has_ended()
            if ended or time.monotonic() > deadline:
                self.stop()
                how = "ended while starting" if ended else f"isn't ready after {seconds:g} s"
                raise DeskError(f"The {self.name} {how}.", f"Its log, {self.log}, ends with:\n{self.tail()}")
            time.sleep(0.02)

    def tail(self) -> str:
        """The end of the log."""
        return self.log.read_bytes()[-TAIL_BYTES:].decode(errors="replace").strip() or "(nothing)"

    def stop(self) -> None:
        """Ask the process to end, wait, then end all that is left of its session. Safe to call again."""
        if self._process.returncode is None:
            self._process.terminate()
            deadline = time.monotonic() + STOP_SECONDS
            while not self._has_ended() and time.monotonic() < deadline:
                time.sleep(0.02)
            # Not reaped yet, so the group's id can't have passed on to a stranger.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _has_ended(self) -> bool:
        """Whether the process ended, without reaping it."""
        if self._process.returncode is not None:
            return True
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


type Keep = Callable[[Process], object]
"""Is told of a process as soon as it runs, whether or not it gets ready."""


def nobody(_: Process) -> None:
    """Who needs to know of no process before it is ready: a Ctrl-C ends a test, and those that it started."""


def started(make: Callable[[], Process], keep: Keep, ready: Callable[[Process], bool]) -> Process:
    """What ``make`` starts, when it is ``ready``. ``keep`` knows of it before, and no Ctrl-C comes in between.

    Raises DeskError when it can't be run, ends or doesn't get ready.
    """
    with held():
        process = make()
        keep(process)
    process.wait_until(lambda: ready(process))
    return process


def free_port() -> int:
    """A TCP port on the loopback interface that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def start_emulator(
    folder: Path,
    port: int,
    *,
    enforce_iam: bool = False,
    extra_environment: Mapping[str, str] | None = None,
    keep: Keep = nobody,
) -> Process:
    """Start the emulator of AWS on ``port`` and wait until it answers; its log goes to ``folder``.

    ``enforce_iam`` checks signatures and the permissions of function roles. ``extra_environment`` reaches MiniStack
    and, through it, every function. Raises DeskError when the port is taken or the emulator doesn't start.
    """
    python = ROOT / ".venvs/emulator/bin/python"
    if not python.exists():
        raise DeskError("The emulator's environment is missing.", "Make it: run `make setup`.")
    _require_free(port)
    scratch = folder.resolve() / "emulator-scratch"
    settings = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": LOOPBACK,
        "AUTH": str(enforce_iam).lower(),
        "DOCKER_HOST": "unix:///nonexistent.sock",  # MiniStack would tidy up containers there
        "LOG_LEVEL": "WARNING",
        "TMPDIR": str(scratch),
        "HOME": str(scratch),  # no function reads the developer's logins
    }
    environment = clean_environment() | settings | dict(extra_environment or {})
    command: list[str | Path] = [python, "-m", "local.emulator"]
    return started(
        lambda: Process("emulator", command, folder, environment=environment, scratch=scratch),
        keep,
        lambda _: _is_healthy(port),
    )


def start_registry(
    folder: Path,
    port: int,
    *arguments: str,
    extra_environment: Mapping[str, str] | None = None,
    keep: Keep = nobody,
) -> Process:
    """Start the desk's OCI registry on ``port`` and wait until it listens; its log goes to ``folder``.

    ``arguments`` are passed on to ``python -m local.registry``, also those of further registries with ports of their
    own. Raises DeskError when a port is taken or the registry doesn't start.
    """
    ports = [port, *(int(value) for name, value in itertools.pairwise(arguments) if name == "--port")]
    for each in ports:
        _require_free(each)
    command = [sys.executable, "-m", "local.registry", "--port", str(port), *arguments]
    environment = clean_environment() | dict(extra_environment or {})
    return started(
        lambda: Process("registry", command, folder, environment=environment),
        keep,
        lambda _: all(map(_listens, ports)),
    )


def start_cluster(folder: Path, port: int, token: str, *, names: Sequence[str] = (), keep: Keep = nobody) -> Process:
    """Start the desk's own Kubernetes cluster on ``port`` and wait until it answers; ``folder`` takes its authority.

    ``names`` are more of those that its certificate is for. Raises DeskError when the port is taken.
    """
    _require_free(port)
    command = [sys.executable, "-m", "local.cluster", "--port", str(port), "--folder", str(folder.resolve())]
    command += [part for name in names for part in ("--name", name)]
    command += [
        "--namespace",
        "vendor",
        "--namespace",
        "shop",
    ]  # whoever has a cluster has made what is installed there
    variable = "BYOA_CLUSTER_TOKEN"  # arguments are everybody's to read
    environment = clean_environment() | {variable: token}
    return started(
        lambda: Process("cluster", [*command, "--token-variable", variable], folder, environment=environment),
        keep,
        lambda process: process.tail().startswith("cluster listening"),
    )


def clean_environment() -> dict[str, str]:
    """What a server may inherit: no proxies, profiles or tokens."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def is_free(port: int) -> bool:
    """Whether a server could listen on ``port`` of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _require_free(port: int) -> None:
    if not is_free(port):
        raise DeskError(f"Port {port} is taken.", "Stop what listens there; `ss -ltnp` shows it.")


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _listens(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=2).close()
    except OSError:
        return False
    return True
