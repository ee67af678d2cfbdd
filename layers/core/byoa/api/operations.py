"""How a route is written down: its method and path, and the scope that it needs. There is no route without one."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from byoa.api.tokens import Scope

    type Function = Callable[..., Any]


class Operation(NamedTuple):
    """A route and the function that answers it, whose name is the operation's id and whose docstring describes it.

    ``open`` is the scope of what everybody may have, because it is the same for all, and ``any`` of what anybody may
    who was let in. ``faults`` are the statuses that it may answer with beside those that every route has, ``example``
    is a body that it takes. An answer that is shown ``once`` is kept nowhere; what is ``conditional`` wants If-Match.
    What is ``idle`` changes nothing, whatever its method, or is an agent's beat: nobody notes it, and no answer of it
    is kept. A ``lookup`` is noted, but its answer is kept for no key, and where it takes long it comes later (202).
    """

    method: str
    path: str
    scope: Scope | Literal["open", "any"]
    function: Function
    status: int = 200
    faults: tuple[int, ...] = ()
    example: Any = None
    once: bool = False
    conditional: bool = False
    paged: bool = False
    idle: bool = False
    lookup: bool = False

    @property
    def name(self) -> str:
        """The operation's id."""
        return str(self.function.__name__)

    @property
    def tag(self) -> str:
        """What it is about: its module's name."""
        return str(self.function.__module__).rpartition(".")[2]

    @property
    def description(self) -> str:
        """Its docstring, on one line."""
        return " ".join((self.function.__doc__ or "").split())

    def matches(self, path: str) -> bool:
        """Whether a path is of this route, whatever the method."""
        return _pattern(self.path).fullmatch(path) is not None


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"<\w+>", "[^/]+", path))


class Operations(list[Operation]):
    """The routes of one module."""

    def add(  # noqa: PLR0913 - what is said of a route
        self,
        method: str,
        path: str,
        scope: Scope | Literal["open", "any"],
        *,
        status: int = 200,
        faults: Sequence[int] = (),
        example: object = None,
        once: bool = False,
        conditional: bool = False,
        paged: bool = False,
        idle: bool = False,
        lookup: bool = False,
    ) -> Callable[[Function], Function]:
        """Make a function the one that answers; see ``Operation``."""

        def register(function: Function) -> Function:
            said = (status, tuple(faults), example, once, conditional, paged, idle, lookup)
            self.append(Operation(method, path, scope, function, *said))
            return function

        return register
