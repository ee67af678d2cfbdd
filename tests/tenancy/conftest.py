from __future__ import annotations

from tests.tenancy.world import clusters, world

__all__ = ["clusters", "world"]
