"""The emulator of AWS that suites over stores run against, beside moto and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local.cloud import Cloud, emulated

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with emulated(tmp_path_factory.mktemp("stores")) as found:
        yield found
