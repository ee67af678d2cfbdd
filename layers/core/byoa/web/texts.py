"""How values are written on pages: each is text and never markup, and what can't be seen is shown as an escape."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from markupsafe import Markup

_KEPT: Final = frozenset("\n\t")
_UNITS: Final = ("KiB", "MiB", "GiB", "TiB")
_STEP: Final = 1024


class Exact(str):
    """A text that a field holds and that comes back as it is: shown without escapes of ours, markup it is none."""

    __slots__ = ()


def visible(value: object) -> object:
    r"""A value of a template as it is written: no character that steers how others are shown (``\u202e``)."""
    if value is None:
        return ""
    if isinstance(value, Markup | Exact) or not isinstance(value, str) or value.isprintable():
        return value
    return "".join(
        each if each.isprintable() or each in _KEPT else each.encode("unicode_escape").decode() for each in value
    )


def short(digest: str | None) -> str:
    """A digest's algorithm and its first twelve figures, which is what people compare."""
    algorithm, colon, figures = (digest or "").partition(":")
    return f"{algorithm}{colon}{figures[:12]}"


def size(count: int | None) -> str:
    """Bytes, for people."""
    if count is None:
        return ""
    if count < _STEP:
        return f"{count} B"
    power = min(len(_UNITS), (count.bit_length() - 1) // 10)
    return f"{count / _STEP**power:.1f} {_UNITS[power - 1]}"


def duration(milliseconds: int | None) -> str:
    """How long something took."""
    if milliseconds is None:
        return ""
    seconds = milliseconds / 1000
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004 - an hour


def when(moment: str | int | None) -> Markup:
    """A moment (RFC 3339, or milliseconds since 1970 UTC), which ``times.js`` tells in the reader's own zone."""
    if moment is None or moment == "":
        return Markup("")
    if isinstance(moment, int):
        found = datetime.fromtimestamp(moment / 1000, UTC)
    else:
        found = datetime.fromisoformat(moment)
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
    exact, shown = found.isoformat(timespec="milliseconds"), found.strftime("%Y-%m-%d %H:%M:%S UTC")
    return Markup('<time datetime="{}">{}</time>').format(exact, shown)
