"""The one way of texts to a terminal: a stranger's may steer it, or pass for lines and styles of ours.

Tags, names of files, kinds, images, descriptions: none of them is trusted to be letters. What isn't printable is shown
as an escape, and nothing is read as markup: styles are given beside the texts that have them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

type Part = str | tuple[str, str]
"""A text, or a text and its style."""


def visible(text: str) -> str:
    r"""``text``, with each character that is not printable as its escape: ``\x1b``, ``\u202e``, ``\n``.

    Those are the control characters of C0 and C1, line ends among them, the ones that turn the direction of writing or
    have no width, blanks that look like the blank, and halves of characters.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def escaped(text: str) -> str:
    r"""``visible`` for a line of TOML or JSON, in whose strings the escapes mean what they stand for: ``\u00a0``."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in text)


def styled(*parts: Part) -> Text:
    """One line of ``parts``, all of them made visible, for ``Console.print``."""
    from rich.text import Text

    shown = (visible(part) if isinstance(part, str) else (visible(part[0]), part[1]) for part in parts)
    return Text.assemble(*shown)
