"""What the tests of odd registries are about: an artifact with something attached, and how a client is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from byoa.adapters.registries.distribution import DistributionRepository
from byoa.content.packing import pack
from byoa.engine.mirroring import Wanted
from tests.faults.artifacts import Maker

WHOLE: Final = Wanted("v1", "v1")
SIGNED: Final = Maker(1).make("attested")
PACKED: Final = pack("a: 1\n")

type Client = Callable[..., DistributionRepository]
