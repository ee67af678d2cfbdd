"""The page that lists the decisions, by their own titles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from local.pages.markdown import page

if TYPE_CHECKING:
    from pathlib import Path

INTRODUCTION: Final = "Why things are as they are, each in a page or less.\n"


def decision_page(folder: Path) -> str:
    """The list of what is in ``folder``, in its order."""
    titles = {path.name: path.read_text().partition("\n")[0] for path in sorted(folder.glob("[0-9]*.md"))}
    lines = [f"- [{title.removeprefix('# ')}]({name})\n" for name, title in titles.items()]
    return page("Decisions", INTRODUCTION, "".join(lines))
