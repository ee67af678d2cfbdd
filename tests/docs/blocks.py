"""The blocks of code in README and documentation, each with what a comment before it says of it.

``<!-- file: NAME -->`` makes a block a file of the page's examples, ``<!-- fault: CODE -->`` says what is wrong with
it, ``<!-- exit: CODE -->`` how a session's last command ends, and a session ``<!-- on: desk -->`` is run by tests/e2e,
one ``<!-- on: api -->`` at an API by ``test_at_an_api``.
"""

from __future__ import annotations

import re
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from sybil import Document
from sybil.parsers.markdown.lexers import DirectiveInHTMLCommentLexer, RawFencedCodeBlockLexer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
_FENCES: Final = RawFencedCodeBlockLexer(re.compile(r"(?P<language>[^\n]*)\n"))
_COMMENTS: Final = DirectiveInHTMLCommentLexer(directive="file|fault|exit|on|asked|answered", arguments="[^\n]*?")


class Block(NamedTuple):
    """A block, where it stands, and what is said of it: ``{"fault": "field_unknown"}``."""

    page: Path
    line: int
    language: str
    text: str
    told: dict[str, str]

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """All blocks of a page, in its order."""
    told: dict[str, str] = {}
    for example in Document.parse(str(page), _FENCES, _COMMENTS).examples():
        lexemes = example.region.lexemes
        if "directive" in lexemes:
            told[lexemes["directive"]] = lexemes["arguments"].strip()
            continue
        yield Block(page, example.line, lexemes["language"].strip(), lexemes["source"], told)
        told = {}


def every(*languages: str) -> list[Block]:
    """All blocks in one of the languages."""
    return [block for page in PAGES for block in blocks(page) if block.language in languages]


def write_files(page: Path, folder: Path, places: Mapping[str, str]) -> None:
    """Put the page's example files into a folder, each of the ``places`` in them replaced."""
    for block in blocks(page):
        if "file" in block.told:
            path = folder / block.told["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(reduce(lambda text, place: text.replace(*place), places.items(), block.text))
