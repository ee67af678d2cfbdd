"""One machine and its registries for all of these tests."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from byoa.bootstrap import terminal as bootstrap
from tests.interop.machine import Machine, Route

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with ExitStack() as until:
        yield Machine(tmp_path_factory.mktemp("machine"), until)
        bootstrap.transport().close()


@pytest.fixture
def route(request: pytest.FixtureRequest, machine: Machine) -> Route:
    source, target = request.param
    return Route(machine, machine.place(source), machine.place(target))
