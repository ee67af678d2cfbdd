"""rich's console, held to what ``printable`` lets through: a text that comes by another way is made visible here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console, Group

from byoa_cli.printable import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.text import Text


class Screen(Console):
    """Knows no markup and no names of emojis; lines are as long as they are."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, soft_wrap=True, markup=False, emoji=False)

    def render_str(self, text: str, **settings: Any) -> Text:  # noqa: ANN401 - rich's own
        """What becomes of every plain text that is printed, in tables as well."""
        return super().render_str(visible(text), **settings)


def cut(lines: Iterable[Text]) -> Group:
    """What a spinner has beside it: each line ends with an ellipsis where the terminal is too narrow for it.

    A spinner takes over no settings of a text that is given alone.
    """
    cells = [line.copy() for line in lines]
    for cell in cells:
        cell.no_wrap, cell.overflow = True, "ellipsis"
    return Group(*cells)
