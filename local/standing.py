"""A desk that is left running, until it is taken down; another one may run beside it, at ports of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from local import members, mirrors, private
from local import ports as port_numbers
from local.containers import host_of_containers, start_relay, variables
from local.desk import STATE, Desk, aws_environment, deploy, start_servers
from local.interrupts import Interrupted, Kept, held
from local.processes import DeskError
from local.samples import push_artifacts, put_samples
from local.telling import told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local.desk import Ports
    from local.processes import Process

OF_USERS = {"BYOA_APP": "shop"}
"""An app of their own: the one that `events/` speak of holds the samples."""


class Standing(NamedTuple):
    """Where a desk keeps what people and `make down` need: in `.desk`, with ports from PORT on in `.desk/PORT`."""

    first: int | None = None
    state: Path = STATE

    @property
    def folder(self) -> Path:
        """What it has for itself."""
        return self.state if self.first is None else self.state / str(self.first)

    @property
    def record(self) -> Path:
        """The file of its processes; it is there while the desk is up."""
        return self.folder / "up.json"

    @property
    def servers(self) -> Path:
        """The folder of its servers."""
        return self.folder / "up"

    @property
    def shells(self) -> Path:
        """Variables, for `source`."""
        return self.folder / "env"

    @property
    def sam(self) -> Path:
        """Variables, for `sam local`."""
        return self.folder / "sam.json"

    def note(self, processes: Sequence[Process]) -> None:
        """Write down what `make down` is to stop."""
        self.record.write_text(json.dumps([_identity(each.pid) for each in processes]))

    def command(self, verb: str) -> str:
        """`make up` or `make down`, for this one."""
        return f"make {verb}" if self.first is None else f"make {verb} PORT={self.first}"

    def others(self) -> Iterator[Standing]:
        """Those of this folder that are up as well."""
        found = [None, *(int(each.name) for each in self.state.glob("[1-9]*") if each.name.isdigit())]
        places = (Standing(first, self.state) for first in found if first != self.first)
        return (place for place in places if place.record.exists())


def up(standing: Standing) -> None:
    """Leave a desk running and say how to use it.

    Raises DeskError, or Interrupted at a Ctrl-C, and leaves nothing running then.
    """
    host = host_of_containers()
    ports = port_numbers.chosen(standing.first, (host,) if host else ())
    if standing.record.exists():
        raise _up_already(standing, ports)
    port_numbers.require_free(ports)
    _claim(standing, ports)
    kept = Kept(standing.note)
    try:
        ready, token = _made(standing, ports, host, kept)
    except KeyboardInterrupt:
        with held(passed_on=False):
            kept.stop()
            _forget(standing)
        raise Interrupted(kept.told()) from None
    except BaseException:
        with held():  # the logs stay, for who looks why
            kept.stop()
            standing.record.unlink(missing_ok=True)
        raise
    with held(passed_on=False):  # it is up, and too late to stop it
        print("\n".join(told(ready, standing, token, containers=host is not None)))


def _made(standing: Standing, ports: Ports, host: str | None, kept: Kept) -> tuple[Desk, str]:
    """All that a desk is, and an admin's token; ``host`` is what containers call this machine."""
    start_servers(standing.servers, ports, keep=kept.add)
    if host:
        start_relay(host, ports, standing.servers, keep=kept.add)
    ready = deploy(standing.servers, ports)
    push_artifacts(ready)
    token = members.bootstrap(ready)
    write_for_shells(ready, token, standing.shells)
    mirrors.write_login(ready)
    private.write_secrets(private.places(ready), standing.servers)
    if host:
        put_samples(ready)
        standing.sam.write_text(f"{json.dumps(variables(ready, host), indent=2)}\n")
    return ready, token


def _claim(standing: Standing, ports: Ports) -> None:
    """Of two that are started at the same moment one goes on, and the record is its own from then on."""
    standing.folder.mkdir(parents=True, exist_ok=True)
    try:
        with standing.record.open("x") as record:
            record.write("[]")
    except FileExistsError:
        raise _up_already(standing, ports) from None


def _up_already(standing: Standing, ports: Ports) -> DeskError:
    down_first = f"Run `{standing.command('down')}` first."
    return DeskError("A desk is up already, or was not taken down.", f"{down_first} {port_numbers.beside(ports)}")


def down(standing: Standing) -> None:
    """Stop what `up` started, and nothing else: a process id may have passed on meanwhile."""
    if not standing.record.exists():
        left = "".join(f"; to stop what is: {other.command('down')}" for other in standing.others())
        print(f"nothing is up{'' if standing.first is None else f' at port {standing.first}'}{left}")
        return
    _stop(standing)
    print("stopped")


def down_all() -> None:
    """Stop all of this folder."""
    for standing in (Standing(), *Standing().others()):
        if standing.record.exists():
            _stop(standing)


def _stop(standing: Standing) -> None:
    for pid, born in reversed(json.loads(standing.record.read_text())):
        if _identity(pid) == [pid, born]:
            _stop_group(pid)
    _forget(standing)


def _forget(standing: Standing) -> None:
    """Remove all that is written of one whose processes are stopped."""
    for made in (standing.record, standing.shells, standing.sam):
        made.unlink(missing_ok=True)
    shutil.rmtree(standing.servers, ignore_errors=True)
    if standing.first is not None:
        shutil.rmtree(standing.folder, ignore_errors=True)


def for_shells(ready: Desk, token: str) -> dict[str, dict[str, str]]:
    """What a shell is given, under what it is for: all that people need is the first part."""
    stack = ready.environment()
    names = ("BYOA_TABLE", "BYOA_SOURCE_ROLE")
    return {
        "the command line at the API": {**members.variables(ready, token), **OF_USERS},
        "a browser": {"BYOA_DASHBOARD": ready.dashboard},
        "byoa install": {
            "BYOA_CLUSTER": ready.cluster,
            "BYOA_CLUSTER_CA": str(ready.cluster_ca),
            "BYOA_CLUSTER_TOKEN": ready.ports.cluster_token,
        },
        "what reads mirrors": mirrors.variables(ready),
        "byoa admin": {name: stack[name] for name in names},
        "byoa admin, and AWS's own tools": aws_environment(ready.aws),
    }


def write_for_shells(ready: Desk, token: str, file: Path) -> None:
    """A file for shells, which nobody else reads: it has a token."""
    parts = [
        "".join([f"# for {use}\n", *(f"export {name}={value}\n" for name, value in part.items())])
        for use, part in for_shells(ready, token).items()
    ]
    private.write_secret(file, "".join(parts))


def _identity(pid: int) -> list[int]:
    """A process id and when its process began, in the kernel's ticks: together they name one process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return [pid, -1]
    return [pid, int(fields[19])]


def _stop_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        for _ in range(500):
            os.kill(pid, 0)
            time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
