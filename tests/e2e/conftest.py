from __future__ import annotations

import base64
import json
import time
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.aws.dynamodb import DynamoLedger
from byoa.adapters.memory.clocks import SystemClock
from byoa.bootstrap import terminal as bootstrap
from byoa.components.reading import check_config
from byoa.engine.copying import copy
from byoa.oci.reference import Reference, Registry
from byoa.trust.credentials import Credential
from local.demo import ARTIFACTS
from local.desk import API, APP, ORGANISATION, Desk, Ports, desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from byoa.builds.messages import Build
    from byoa.builds.ports import Accepted, Catalogue
    from byoa.engine.ports import Repository
    from local.private import Place


SPREAD_FROM = 100_000
"""Bytes from which the stack under test shares an artifact out: less than it would really be worth it."""
OTHER_API = "b40b1450"
"""The id of an API on a desk with ports of its own."""


class Pipeline:
    """The deployed stack as its users meet it."""

    def __init__(self, running: Desk, catalogue: Catalogue, folder: Path) -> None:
        self.desk = running
        self.catalogue = catalogue
        self.folder = folder
        """Where the desk's servers write their logs."""

    def push(self, layout: str, tag: str) -> None:
        source = bootstrap.layout(ARTIFACTS / layout)
        reference = Reference.parse(f"oci://{self.desk.vendor}/vendor/{layout}:{tag}")
        target = bootstrap.repository(reference, "target", None, plain_http=True)
        copy(source, target, source.fetch_manifest(tag), tag=tag)

    def submit(self, name: str, body: str) -> Accepted:
        checked = check_config(f'name = "{name}"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\n{body}')
        assert checked.config, checked.faults
        return self.catalogue.submit(ORGANISATION, APP, checked.config)

    def submit_artifact(self, name: str, repository: str, tag: str, note: str = "") -> Accepted:
        url = f"oci://{self.desk.vendor}/vendor/{repository}"
        labels = f'[labels]\nnote = "{note}"\n' if note else ""
        return self.submit(name, f'[oci_artifact]\nurl = "{url}"\ntag = "{tag}"\n{labels}')

    def submit_private(self, name: str, place: Place, credentials: str | None) -> Accepted:
        """A component whose artifact is at a private ``place``, with the name of stored credentials."""
        named = f'credentials_ref = "{credentials}"\n' if credentials else ""
        return self.submit(name, f'[oci_artifact]\nurl = "{place.url}"\ntag = "{place.tag}"\n{named}')

    def look(self, build: Build) -> Build:
        found = self.catalogue.build(build.organisation, build.build_id)
        assert found
        return found

    def wait(self, build: Build, seconds: float = 90) -> Build:
        deadline = time.monotonic() + seconds
        while not (found := self.look(build)).ended:
            assert time.monotonic() < deadline, found
            time.sleep(0.2)
        return found

    def mirrored(self, build: Build) -> Repository:
        """The repository that the build filled, as an install reads it."""
        assert build.outcome, build
        assert build.outcome.mirrors, build.outcome.failure
        token = self.call("ecr", "get_authorization_token")["authorizationData"][0]["authorizationToken"]
        username, _, password = base64.b64decode(token).decode().partition(":")
        repository = Reference.parse(build.outcome.mirrors[0].reference).repository
        served = Reference(Registry.parse(self.desk.ecr), repository)
        return bootstrap.repository(served, "source", Credential(username, password), plain_http=True)

    def call(self, service: str, operation: str, **arguments: Any) -> Any:
        with closing(self.desk.client(service)) as client:
            return getattr(client, operation)(**arguments)

    def put_event(self, build: Build) -> None:
        entry = {
            "EventBusName": self.desk.outputs["BusName"],
            "Source": "io.byoa",
            "DetailType": "Component Config Changed",
            "Detail": json.dumps(build.key.model_dump()),
        }
        self.call("events", "put_events", Entries=[entry])

    def executions(self) -> list[dict[str, Any]]:
        machine = self.desk.outputs["BuildStateMachineArn"]
        found: list[dict[str, Any]] = self.call("stepfunctions", "list_executions", stateMachineArn=machine)[
            "executions"
        ]
        return found


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The environment stays as it is: a session's fixture outlives these tests, and others mock AWS."""
    with _pipeline(tmp_path_factory.mktemp("desk"), enforce_iam=False) as found:
        yield found


@pytest.fixture(scope="session")
def enforced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The same with the functions' roles enforced."""
    with _pipeline(tmp_path_factory.mktemp("enforced"), enforce_iam=True) as found:
        yield found


@contextmanager
def _pipeline(folder: Path, *, enforce_iam: bool) -> Iterator[Pipeline]:
    parameters = [f"SpreadFromBytes={SPREAD_FROM}"]
    ports = replace(Ports.free(), api=OTHER_API if enforce_iam else API)
    with (
        desk(folder, ports, enforce_iam=enforce_iam, say=lambda _: None, parameters=parameters) as running,
        closing(running.client("dynamodb")) as table,
    ):
        yield Pipeline(running, DynamoLedger(table, running.outputs["TableName"], SystemClock()), folder)
        bootstrap.transport().close()
