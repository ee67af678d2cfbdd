"""Template placeholders in manifests: ``{{ ... }}``, which are rendered at install time and never here.

YAML with placeholders often is no YAML yet. So each one is covered by a token that reads as plain text, and shown as
``{{...}}`` wherever a value that holds it is shown.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from byoa.errors import DocumentLimit

SHOWN: Final = "{{...}}"

# The tokens' ends are private-use characters that no font or tool is known to use. Numbers keep tokens apart, so that
# two templated keys of a mapping aren't duplicates.
ENDS: Final = "\U0010fff0\U0010fff1"
_OPEN: Final = ENDS[0].encode()
_CLOSE: Final = ENDS[1].encode()

# Possessive and without braces inside: every byte is looked at a bounded number of times.
_PLACEHOLDER: Final = re.compile(rb"\{\{[^{}]{0,1024}+\}\}")
_TOKEN: Final = re.compile(f"{ENDS[0]}([0-9]+)[ \n]*{ENDS[1]}")
_ONLY_TOKENS: Final = re.compile(rb"^[ \t]*+(?:%b[0-9]++[ \n]*+%b[ \t]*+)++$" % (_OPEN, _CLOSE), re.MULTILINE)
_QUOTED: Final = re.compile(rb"""\"(?:[^"\\\n]|\\[^\n])*+\"|`[^`\n]*+`|'(?:[^'\\\n]|\\[^\n])++'""")
# What goes on in the next line must not be able to pass for YAML: whoever doesn't render it would read it as such.
_STRUCTURE: Final = re.compile(rb"""["'`#]|:(?!=)|^[ \t]*+(?:-[ \t\n]|---|\.\.\.|%|\?[ \t\n])""", re.MULTILINE)
_MOST_LINES: Final = 20
# Deeper than anything that YAML could be nested in here, so that it goes on within the same value.
_INDENT: Final = b"\n" + b" " * 80
_MOST: Final = 100_000
_NUON: Final = b".nuon"


class Covered(NamedTuple):
    """A text whose placeholders are covered, how many there were, and whether one of them is Nuon's own.

    ``texts`` are the placeholders themselves, in order, and ``lines`` where each of them begins, from 1.
    """

    text: bytes
    placeholders: int
    nuon: bool
    texts: tuple[bytes, ...] = ()
    lines: tuple[int, ...] = ()

    def lines_of(self, text: str) -> tuple[int, ...]:
        """The lines of the placeholders in ``text``, a part of the covered one."""
        return tuple(self.lines[int(token[1])] for token in _TOKEN.finditer(text))

    def uncover(self, text: str) -> str:
        """``text``, a part of the covered one, with its placeholders in place of their tokens."""
        return _TOKEN.sub(lambda token: self._shown(int(token[1])), text) if ENDS[0] in text else text

    def dropped(self) -> list[str]:
        """The placeholders of the lines that became empty."""
        left = {int(token[1]) for token in _TOKEN.finditer(self.text.decode())} if self.texts else set()
        return [self._shown(number) for number in range(len(self.texts)) if number not in left]

    def _shown(self, number: int) -> str:
        return self.texts[number].decode()


def cover(text: bytes, before: int = 0, *, exact: bool = False) -> Covered:
    """``text`` with tokens for its placeholders; each line keeps its number.

    Lines of nothing but placeholders, such as ``{{- if .x }}``, become empty, unless it is to be ``exact``: they may
    stand in a text of several lines. ``text`` has newlines as line ends and
    must not hold ``ENDS``. ``before`` counts the placeholders of what was read earlier. Raises ``DocumentLimit`` for
    over 100,000 of them in all.
    """
    if b"{{" not in text:
        return Covered(text, 0, nuon=False)
    if before + text.count(b"{{") > _MOST:
        raise DocumentLimit(f"The text has more than {_MOST} template placeholders.")
    found = [match for match in _PLACEHOLDER.finditer(text) if _is_action(match[0])]
    if not found:
        return Covered(text, 0, nuon=False)
    pieces: list[bytes] = []
    lines: list[int] = []
    at, line = 0, 1
    for number, match in enumerate(found):
        pieces += [text[at : match.start()], b"%b%d" % (_OPEN, number), _INDENT * match[0].count(b"\n"), _CLOSE]
        line += text.count(b"\n", at, match.start())
        lines.append(line)
        line += match[0].count(b"\n")
        at = match.end()
    covered = b"".join([*pieces, text[at:]])
    texts = tuple(match[0] for match in found)
    nuon = any(_NUON in each for each in texts)
    return Covered(covered if exact else _ONLY_TOKENS.sub(_line_ends, covered), len(found), nuon, texts, tuple(lines))


def is_token(text: str) -> bool:
    """Whether ``text`` is what covers one placeholder, and nothing else."""
    return text[:1] == ENDS[0] and _TOKEN.fullmatch(text) is not None


def is_placeholders(text: bytes) -> bool:
    """Whether ``text`` is placeholders on one line and nothing else but blanks."""
    return b"\n" not in text and b"{{" in text and not _PLACEHOLDER.sub(b"", text).strip()


def show(text: str) -> str:
    """``text`` with ``{{...}}`` for every token."""
    return _TOKEN.sub(SHOWN, text) if ENDS[0] in text else text


def _is_action(placeholder: bytes) -> bool:
    """Whether it is on one line, or can be nothing but the action of a template on several."""
    lines = placeholder.count(b"\n")
    if not lines:
        return True
    return lines < _MOST_LINES and not _STRUCTURE.search(_QUOTED.sub(b"", placeholder[2:-2]))


def _line_ends(tokens: re.Match[bytes]) -> bytes:
    return b"\n" * tokens[0].count(b"\n")
