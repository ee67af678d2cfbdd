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


def number_of(text: str) -> str:
    """The number that the plain scalar ``text`` is, as JSON writes it: ``0x10``, ``16`` and ``16.0`` are one."""
    digits = text.replace("_", "")
    if _INT.fullmatch(digits):
        return str(_whole(digits))
    value = float(digits)
    return str(int(value)) if value.is_integer() else repr(value)


def _whole(digits: str) -> int:
    bare = digits.lstrip("+-")
    based = len(bare) > 1 and bare[0] == "0"
    octal = based and bare[1] in "01234567"
    value = int(bare, 8) if octal else int(bare, 0) if based else int(bare)
    return -value if digits[0] == "-" else value


def is_true(text: str) -> bool:
    """Whether ``text``, a plain scalar that is a truth, is the true one."""
    return text.lower() in {"y", "yes", "on", "true"}


def _number(digits: str) -> Scalar:
    if _INT.fullmatch(digits) and len(digits) < _LONGEST:
        return Scalar.INT
    if not _FLOAT.fullmatch(digits) or len(digits) > _LONGEST:
        return Scalar.TEXT
    return Scalar.TEXT if float(digits) in (float("inf"), float("-inf")) else Scalar.FLOAT
