"""Homes for tests of the command line at an API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api.loopback import listening
from tests.api.served import APP
from tests.cli.homes import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[Home]:
    """Nobody has logged in there yet."""
    with listening() as api:
        yield Home(api, tmp_path)


@pytest.fixture
def home(stranger: Home) -> Home:
    (stranger.file.parent).mkdir(parents=True)
    text = f'[profiles.default]\napi = "{stranger.api.address}"\ntoken = "{stranger.token}"\napp = "{APP}"\n'
    stranger.file.write_text(text)
    stranger.file.chmod(0o600)
    return stranger


@pytest.fixture
def synced(home: Home) -> Home:
    home.hand_in("web", "db")
    return home
