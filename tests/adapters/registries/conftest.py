from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.transport import Transport
from tests.adapters.registries.attested import SIGNED
from tests.faults.artifacts import put
from tests.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.adapters.registries.attested import Client


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport()
    yield made
    made.close()


@pytest.fixture
def origin() -> Iterator[Scripted]:
    with Scripted() as made:
        put(made, "vendor/app", SIGNED, "v1")
        yield made


@pytest.fixture
def goal() -> Iterator[Scripted]:
    with Scripted() as made:
        yield made


@pytest.fixture
def client(transport: Transport) -> Client:
    def make(
        registry: Scripted, role: Any = "source", name: str = "vendor/app", mount_from: str | None = None
    ) -> DistributionRepository:
        host, _, port = registry.address.partition(":")
        endpoint = Endpoint("http", host, int(port))
        return DistributionRepository(transport, endpoint, name, role=role, mount_from=mount_from)

    return make
