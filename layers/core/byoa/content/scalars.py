"""What a plain scalar is: YAML 1.1 as Go's yaml.v2 has it, which kubectl, client-go and the API server's tools share.

PyYAML's resolver differs both ways: it takes dates and base 60 for numbers, and ``y``, ``1e3`` and ``0o7`` for text.
"""

from __future__ import annotations

import enum
import re
from typing import Final


class Scalar(enum.Enum):
    """The types that JSON tells apart, as far as it matters here."""

    TEXT = enum.auto()
    NULL = enum.auto()
    BOOL = enum.auto()
    INT = enum.auto()
    FLOAT = enum.auto()
    BEYOND = enum.auto()
    """Infinity or no number: JSON has neither."""


NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
DOUBTFUL: Final = frozenset("+-.0123456789yYnNtTfFoO~")
"""The first characters of all plain scalars that aren't text, but for the empty one."""

_BOOLS: Final = frozenset(form for word in ("y", "n", "yes", "no", "on", "off", "true", "false")
                          for form in (word, word.capitalize(), word.upper()))  # fmt: skip
_BEYOND: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_INT: Final = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9][0-9]*|0)")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
# Python's floats are Go's: a decimal beyond their range is text there.
_LONGEST: Final = 400


def resolve(text: str) -> Scalar:
    """The type of ``text`` as a plain scalar."""
    if text in NULLS:
        return Scalar.NULL
    if text[0] not in DOUBTFUL:
        return Scalar.TEXT
    if text in _BOOLS:
        return Scalar.BOOL
    if _BEYOND.fullmatch(text):
        return Scalar.BEYOND
    return _number(text.replace("_", "")) if text[0] in "+-.0123456789" else Scalar.TEXT


def _number(digits: str) -> Scalar:
    if _INT.fullmatch(digits) and len(digits) < _LONGEST:
        return Scalar.INT
    if not _FLOAT.fullmatch(digits) or len(digits) > _LONGEST:
        return Scalar.TEXT
    return Scalar.TEXT if float(digits) in (float("inf"), float("-inf")) else Scalar.FLOAT
