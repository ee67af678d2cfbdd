"""What the corrections rely on in MiniStack's source, checked before anything is corrected."""

import importlib.metadata
import inspect
from collections.abc import Callable
from typing import Any

VERSION = "1.5.33"


class MiniStackChanged(SystemExit):
    """MiniStack isn't the one that the corrections were written for; ends the program with a message."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"local/emulator corrects MiniStack {VERSION}, and {what}. "
            "Pin that version again, or look through local/emulator/."
        )


def require_version() -> None:
    """Raise MiniStackChanged unless the pinned version is installed."""
    installed = importlib.metadata.version("ministack")
    if installed != VERSION:
        raise MiniStackChanged(f"{installed} is installed")


def anchored(owner: Any, name: str, line: str) -> Callable[..., Any]:  # noqa: ANN401 - a module or a class
    """The function ``name`` of ``owner``, whose source must hold ``line``, the one a correction is about.

    Raises MiniStackChanged when the function is gone or reads differently.
    """
    function: Callable[..., Any] | None = getattr(owner, name, None)
    if function is None or line not in inspect.getsource(function):
        raise MiniStackChanged(f"{owner.__name__}.{name} no longer has {line!r}")
    return function


def edited(text: str, old: str, new: str, *, times: int = 1) -> str:
    """``text`` with ``old``, which must occur exactly ``times``, replaced; raises MiniStackChanged otherwise."""
    if text.count(old) != times:
        raise MiniStackChanged(f"the worker script no longer has {times} times {old!r}")
    return text.replace(old, new)
