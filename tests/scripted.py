"""A registry whose answers a test may replace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.registry import Registry, Request, Response, Settings

if TYPE_CHECKING:
    from collections.abc import Callable


class Scripted(Registry):
    """Where ``script`` returns ``None``, the registry's own answer stands."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.script: Callable[[Request], Response | None] = lambda _: None
        super().__init__(settings)

    def answer(self, request: Request) -> Response:
        return self.script(request) or super().answer(request)

    def plain(self, request: Request) -> Response:
        """What the registry itself would answer."""
        return Registry.answer(self, request)
