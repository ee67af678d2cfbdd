"""Template placeholders in manifests: ``{{ ... }}``, which are rendered at install time and never here.

YAML with placeholders often is no YAML yet. So each one is covered by a token that reads as plain text, and shown as
``{{...}}`` wherever a value that holds it is shown.
"""

from __future__ import annotations

import re
from typing import Final

from byoa.errors import DocumentLimit

SHOWN: Final = "{{...}}"

# The tokens' ends are private-use characters that no font or tool is known to use. Numbers keep tokens apart, so that
# two templated keys of a mapping aren't duplicates.
ENDS: Final = "\U0010fff0\U0010fff1"
_OPEN: Final = ENDS[0].encode()
_CLOSE: Final = ENDS[1].encode()

# Possessive and without braces inside: every byte is looked at a bounded number of times.
_PLACEHOLDER: Final = re.compile(rb"\{\{[^{}\n]{0,1024}+\}\}")
_TOKEN: Final = re.compile(f"{ENDS[0]}[0-9]+{ENDS[1]}")
_ONLY_TOKENS: Final = re.compile(rb"^[ \t]*+(?:%b[0-9]++%b[ \t]*+)++$" % (_OPEN, _CLOSE), re.MULTILINE)
_MOST: Final = 100_000


def cover(text: bytes) -> tuple[bytes, list[int]]:
    """``text`` with tokens for its placeholders, and the numbers (from 0, ascending) of the lines that held some.

    Lines of nothing but placeholders, such as ``{{- if .x }}``, become empty; the others keep their numbers. ``text``
    has newlines only as line ends and must not hold ``ENDS``. Raises ``DocumentLimit`` for over 100,000 placeholders.
    """
    if text.count(b"{{") > _MOST:
        raise DocumentLimit(f"The text has more than {_MOST} template placeholders.")
    lines: list[int] = []
    pieces: list[bytes] = []
    at = line = 0
    for found in _PLACEHOLDER.finditer(text):
        before = text[at : found.start()]
        line += before.count(b"\n")
        pieces += [before, b"%b%d%b" % (_OPEN, len(lines), _CLOSE)]
        lines.append(line)
        at = found.end()
    if not lines:
        return text, lines
    return _ONLY_TOKENS.sub(b"", b"".join([*pieces, text[at:]])), lines


def show(text: str) -> str:
    """``text`` with ``{{...}}`` for every token."""
    return _TOKEN.sub(SHOWN, text)
