from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from byoa.adapters.registries.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport()
    yield made
    made.close()
