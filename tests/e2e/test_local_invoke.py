"""`sam local invoke` of every function with its event, against the desk, in the real Lambda runtime interface."""

from __future__ import annotations

import json
import os
import socket
import socketserver
import subprocess
import threading
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.aws.dynamodb import DynamoLedger
from byoa.adapters.memory.clocks import SystemClock
from byoa.bootstrap import terminal as bootstrap
from byoa.components.reading import check_config
from byoa.engine.copying import copy
from byoa.oci.reference import Reference
from local.demo import ARTIFACTS
from local.desk import APP, ORGANISATION, ROOT, Desk, Ports, desk, sam

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.emulator

STEPS = (
    "validate_reference", "resolve_digest", "stage_artifact", "stage_blob", "inspect_artifact", "mirror_artifact",
    "mirror_blob",
)  # fmt: skip
ALL = (*STEPS, "record_build", "record_stopped", "publish_changes")


IP_FREEBIND = 15
"""Linux's ip(7): bind to an address that is there only while a container runs."""


def _gateway() -> str | None:
    """The host's address on the engine's default network; ``None`` where no engine answers."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    try:
        done = subprocess.run(
            ["curl", "-sf", "--unix-socket", host, "http://engine/networks"],
            capture_output=True,
            timeout=10,
            check=False,
        )
        networks = json.loads(done.stdout) if done.returncode == 0 else []
    except (OSError, subprocess.TimeoutExpired):
        return None
    default = (network for network in networks if network["Name"] in ("bridge", "podman"))
    return next((str(network["IPAM"]["Config"][0]["Gateway"]) for network in default), None)


class _Relay(socketserver.ThreadingTCPServer):
    """The desk listens on loopback alone; this lets containers on this machine reach one port of it."""

    allow_reuse_address = True
    daemon_threads = True

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_IP, IP_FREEBIND, 1)
        super().server_bind()


class _Pass(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.server_address[1])) as inner:  # type: ignore[index]
            other = threading.Thread(target=_pump, args=(inner, self.request), daemon=True)
            other.start()
            _pump(self.request, inner)
            other.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    """The address at which containers reach the desk's three ports."""
    address = _gateway()
    if address is None:
        pytest.skip("no container engine answers")
    ports = Ports()
    with ExitStack() as stack:
        for port in (ports.emulator, ports.vendor, ports.ecr):
            relay = stack.enter_context(_Relay((address, port), _Pass))
            threading.Thread(target=relay.serve_forever, daemon=True).start()
            stack.callback(relay.shutdown)
        yield address


@pytest.fixture(scope="module")
def stage(gateway: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Path]]:
    """A desk on the ports that the samples name, with their configs in its table."""
    folder = tmp_path_factory.mktemp("invoke")
    with desk(folder, Ports(), say=lambda _: None) as running:
        _take_the_rules_off(running)
        _push_flux(running)
        _seed(running, gateway)
        yield running, folder / "build" / "template.yaml"


def _take_the_rules_off(running: Desk) -> None:
    """Nothing but the invocations themselves may run the samples' builds."""
    bus = running.outputs["BusName"]
    with closing(running.client("events")) as events:
        for rule in events.list_rules(EventBusName=bus)["Rules"]:
            events.disable_rule(Name=rule["Name"], EventBusName=bus)


def _push_flux(running: Desk) -> None:
    layout = bootstrap.layout(ARTIFACTS / "flux")
    reference = Reference.parse(f"oci://{running.vendor}/vendor/flux:v2.3.1")
    target = bootstrap.repository(reference, "target", None, plain_http=True)
    copy(layout, target, layout.fetch_manifest("v2.3.1"), tag="v2.3.1")


def _seed(running: Desk, gateway: str) -> None:
    with closing(running.client("dynamodb")) as client:
        ledger = DynamoLedger(client, running.outputs["TableName"], SystemClock())
        for name in ("flux", "stopped"):
            artifact = f'[oci_artifact]\nurl = "oci://{gateway}:{running.ports.vendor}/vendor/flux"\ntag = "v2.3.1"\n'
            config = check_config(
                f'name = "{name}"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\n{artifact}'
            ).config
            assert config
            assert ledger.submit(ORGANISATION, APP, config).build.version == 1


@pytest.fixture(scope="module")
def answers(stage: tuple[Desk, Path], gateway: str) -> dict[str, Any]:
    """What each function answers to its sample, invoked in the pipeline's order."""
    running, template = stage
    return {name: _invoke(running, template, name, gateway) for name in ALL}


def _invoke(running: Desk, template: Path, name: str, gateway: str) -> Any:
    logical = "".join(part.capitalize() for part in name.split("_")) + "Function"
    variables = {
        "BYOA_TABLE": running.outputs["TableName"],
        "BYOA_BUCKET": running.outputs["QuarantineBucketName"],
        "BYOA_BUS": running.outputs["BusName"],
        "BYOA_RECEIPT_KEY": running.outputs["ReceiptKeyArn"],
        "BYOA_ACCOUNT": "000000000000",
        "AWS_ENDPOINT_URL": f"http://{gateway}:{running.ports.emulator}",  # else SAM takes the caller's own
    }
    environment = template.parent / "environment.json"
    environment.write_text(json.dumps({"Parameters": variables}))
    event = template.parent / f"{name}.json"
    sample = (ROOT / "events" / f"{name}.json").read_text()
    event.write_text(sample.replace("127.0.0.1:", f"{gateway}:"))
    ports = running.ports
    overrides = [
        f"EcrEndpoint=http://{gateway}:{ports.ecr}",
        f"PlainHttpHosts={gateway}:{ports.vendor}",
    ]
    printed = sam(
        ["local", "invoke", logical, "--skip-pull-image", "--template", str(template), "--event", str(event),
         "--env-vars", str(environment), "--parameter-overrides", *overrides],
        running.aws,
    )  # fmt: skip
    return json.loads(printed.strip().splitlines()[-1]) if printed.strip() else None


@pytest.mark.parametrize("name", ALL)
def test_the_function_answers_its_sample(answers: dict[str, Any], name: str) -> None:
    answer = answers[name]
    assert answer is None or "errorType" not in answer, answer


def test_the_answers_are_right(answers: dict[str, Any]) -> None:
    digest = "sha256:fac2bf4015b35638ed9d43cff4f53e09743639903d7b6f839127b6589d27b581"
    assert answers["validate_reference"]["reference"].endswith(":5101/vendor/flux:v2.3.1")
    assert answers["resolve_digest"]["digest"] == digest
    assert answers["stage_artifact"]["blobs"] == 2
    assert answers["stage_blob"]["done"]
    assert answers["mirror_blob"]["done"]
    assert answers["inspect_artifact"]["inspection"]["resources"] == 3
    assert answers["mirror_artifact"]["digest"] == digest
    assert answers["record_build"]["status"] == "active"
    assert answers["record_stopped"]["status"] == "error"
    assert answers["publish_changes"] == {"batchItemFailures": []}
