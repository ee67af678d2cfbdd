from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tests.leaks.world import World, world

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def shared() -> Iterator[World]:
    """One world for all tests of a module: what one left behind, the next one searches again."""
    with pytest.MonkeyPatch.context() as patch, world(patch) as made:
        yield made


@pytest.fixture
def quiet(request: pytest.FixtureRequest) -> Iterator[None]:
    """Pytest keeps no lines itself: at DEBUG that takes ten times as long as all else."""
    plugin = request.config.pluginmanager.get_plugin("logging-plugin")
    handlers = [plugin.caplog_handler, plugin.report_handler] if plugin else []
    for handler in handlers:
        handler.setLevel(logging.CRITICAL + 1)
    yield
    for handler in handlers:
        handler.setLevel(logging.NOTSET)


@pytest.fixture
def stack(quiet: None, shared: World) -> Iterator[World]:
    """The world, in which the registry behaves and nothing is left in the log."""
    shared.registry.script = shared.ecr.script = lambda _: None
    shared.forget()
    shared.rest()
    shared.seconds, shared.refuses = 60.0, {}
    yield shared
    shared.registry.script = shared.ecr.script = lambda _: None
    shared.refuses = {}
