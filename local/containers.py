"""How `sam local` finds the desk: by the host's address in the containers' network, for their loopback is their own."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
from typing import TYPE_CHECKING, Any

from local import private
from local.desk import ACCOUNT, STACK
from local.processes import LOOPBACK, Process, clean_environment, nobody, started
from local.relay import READY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from local.desk import Desk, Ports
    from local.processes import Keep

DOCKER_DESKTOP = "host.docker.internal"
"""How containers of Docker Desktop, which are in a machine of their own, reach this one's loopback."""

_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "[fc00::/7]")
_DEFAULT_NETWORKS = ("bridge", "podman")


def host_of_containers() -> str | None:
    """What containers here call this machine; ``None`` where no engine answers."""
    if sys.platform != "linux":
        return DOCKER_DESKTOP
    information, networks = _ask("/info"), _ask("/networks")
    if information and information.get("OperatingSystem") == "Docker Desktop":
        return DOCKER_DESKTOP
    default = (network for network in networks or [] if network["Name"] in _DEFAULT_NETWORKS)
    return next((str(network["IPAM"]["Config"][0]["Gateway"]) for network in default), None)


def start_relay(host: str, ports: Ports, folder: Path, *, keep: Keep = nobody) -> Process | None:
    """Have the desk answer at ``host`` too, where that is an address; ``None`` where containers reach loopback anyway.

    Raises DeskError when it can't listen there.
    """
    if host == DOCKER_DESKTOP:
        return None
    served = [str(port) for port in (ports.emulator, ports.vendor, ports.ecr, *private.ports_of(ports), ports.cluster)]
    command = [sys.executable, "-m", "local.relay", host, *served]
    return started(
        lambda: Process("relay", command, folder, environment=clean_environment()),
        keep,
        lambda relay: relay.tail() == READY,
    )


def variables(running: Desk, host: str) -> dict[str, dict[str, str]]:
    """What `sam local --env-vars` is to be given: where the desk is for a container, and what the stack is called."""
    ports, outputs = running.ports, running.outputs
    return {
        "Parameters": {
            "AWS_ENDPOINT_URL": f"http://{host}:{ports.emulator}",
            "BYOA_ACCOUNT": ACCOUNT,
            "BYOA_BUCKET": outputs["QuarantineBucketName"],
            "BYOA_BUS": outputs["BusName"],
            "BYOA_ECR_ENDPOINT": f"http://{host}:{ports.ecr}",
            "BYOA_OWN_HOSTS": running.ecr,
            "BYOA_PLAIN_HTTP_HOSTS": f"{running.vendor}={host}:{ports.vendor},{private.plain_http_hosts(ports, host)}",
            "BYOA_REACHABLE": _reachable(host, (ports.vendor, *private.ports_of(ports), ports.cluster)),
            "BYOA_RECEIPT_KEY": outputs["ReceiptKeyArn"],
            "BYOA_SERIES": "",  # as the events' builds have their ids
            "BYOA_SOURCE_ROLE": outputs["SourceRoleArn"],
            "BYOA_STACK": STACK,
            "BYOA_TABLE": outputs["TableName"],
            "BYOA_TENANT_ROLE": outputs["SourceRoleArn"],  # without roles enforced any will do
        }
    }


def _reachable(host: str, ports: Iterable[int]) -> str:
    """The vendor's registries, under the address that configs name and where containers find them.

    What Docker Desktop's name for this machine resolves to is its own affair: some private address.
    """
    ranges = _PRIVATE if host == DOCKER_DESKTOP else (f"{host}/32",)
    return ",".join(f"{each}:{port}" for each in (f"{LOOPBACK}/32", *ranges) for port in ports)


class _Engine(http.client.HTTPConnection):
    """A connection to the engine's socket."""

    def __init__(self, path: str) -> None:
        super().__init__("engine", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def engine() -> http.client.HTTPConnection | None:
    """A connection to the container engine's API; ``None`` where its place is no socket of this machine."""
    scheme, _, place = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").partition("://")
    return _Engine(place) if scheme == "unix" else None


def _ask(path: str) -> Any:  # noqa: ANN401 - JSON of the engine's
    connection = engine()
    if connection is None:
        return None
    try:
        connection.request("GET", path)
        return json.load(connection.getresponse())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
