"""A desk that is left running, until it is taken down."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from local import members, private
from local.containers import host_of_containers, start_relay, variables
from local.desk import ROOT, STATE, Desk, Ports, aws_environment, cluster_folder, deploy, start_servers
from local.processes import DeskError
from local.samples import put_samples

if TYPE_CHECKING:
    from local.processes import Process

RECORD = STATE / "up.json"
FOLDER = STATE / "up"
FOR_SHELLS = STATE / "env"
FOR_SAM = STATE / "sam.json"
OF_USERS = {"BYOA_APP": "shop"}
"""An app of their own: the one that `events/` speak of holds the samples."""


def up() -> None:
    """Leave a desk running and say how to use it. Raises DeskError, and leaves nothing running then."""
    if RECORD.exists():
        raise DeskError("A desk is up already, or was not taken down.", "Run `make down` first.")
    started: list[Process] = []
    host = host_of_containers()
    ports = Ports(names=(host,) if host else ())
    try:
        start_servers(FOLDER, ports, keep=started.append)
        if host and (relay := start_relay(host, ports, FOLDER)):
            started.append(relay)
        RECORD.write_text(json.dumps([_identity(process.pid) for process in started]))
        ready = deploy(FOLDER, ports)
        put_samples(ready)
        token = members.bootstrap(ready)
    except BaseException:
        for process in reversed(started):
            process.stop()
        RECORD.unlink(missing_ok=True)
        raise
    write_for_shells(ready, token)
    _tell(ready, host, token)


def down() -> None:
    """Stop what `up` started, and nothing else: a process id may have passed on meanwhile."""
    if not RECORD.exists():
        print("nothing is up")
        return
    for pid, born in reversed(json.loads(RECORD.read_text())):
        if _identity(pid) == [pid, born]:
            _stop_group(pid)
    for made in (RECORD, FOR_SHELLS, FOR_SAM):
        made.unlink(missing_ok=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    print("stopped")


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
        "byoa admin": {name: stack[name] for name in names},
        "byoa admin, and AWS's own tools": aws_environment(ready.aws),
    }


def write_for_shells(ready: Desk, token: str) -> None:
    """`.desk/env`, which nobody else reads: it has a token."""
    parts = [
        "".join([f"# for {use}\n", *(f"export {name}={value}\n" for name, value in part.items())])
        for use, part in for_shells(ready, token).items()
    ]
    private.write_secret(FOR_SHELLS, "".join(parts))


def _tell(ready: Desk, host: str | None, token: str) -> None:
    places = {
        "AWS (emulator)": ready.aws,
        "API": ready.api,
        "dashboard": ready.dashboard,
        "vendor's registry": ready.vendor,
        "ECR's data plane": ready.ecr,
        "cluster (in memory)": ready.cluster,
    }
    print("\n" + "\n".join(f"{name:<26} {value}" for name, value in {**places, **ready.outputs}.items()))
    vendors, shown = private.places(ready), FOLDER.relative_to(ROOT)
    private.write_secrets(vendors, FOLDER)
    for place in vendors:
        login = (
            f"user {private.USER}, password in {shown / place.secret_file}" if place.secret_file else private.ROLE_ARN
        )
        print(f"{place.component:<26} {place.url}:{place.tag}  {login}")
    print(f"\nfor a browser, to sign in: {ready.dashboard}auth/login#{token}")
    print(f"for the command line: source {FOR_SHELLS.relative_to(ROOT)}")
    kubeconfig = cluster_folder(FOLDER).relative_to(ROOT) / "kubeconfig"
    print(f"for kubectl and byoa install: --kubeconfig {kubeconfig}")
    print("to store the logins of what is private, and to try them:")
    for place in vendors:
        print("\n".join(f"  {command}" for command in private.commands(place, shown)))
    if host:
        FOR_SAM.write_text(f"{json.dumps(variables(ready, host), indent=2)}\n")
        print(f"for SAM: sam local invoke FUNCTION -e events/EVENT.json --env-vars {FOR_SAM.relative_to(ROOT)}")
    else:
        print("for SAM: `sam local` needs a container engine, and none answers; start one, then make down and make up")
    print("to stop: make down")


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
