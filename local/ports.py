"""The ports of a desk that is left running: the standard ones, or as many in a row from one that somebody chose."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from local import private
from local.desk import Ports
from local.processes import DeskError, is_free

if TYPE_CHECKING:
    from collections.abc import Collection

_COUNT: Final = 8
_FIRST, _LAST = 1024, 65535
_PROPOSED: Final = range(4700, _LAST, 100)
_UNSAFE: Final = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080}
)
"""Where browsers go to no web server (Fetch, 2.9 "Port blocking"), and so not to the dashboard."""


def first_of(text: str | None) -> int | None:
    """The port that somebody wrote, if any. Raises DeskError where it is no number."""
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise DeskError(f"PORT={text} is no number.", f"Choose one from {_FIRST} to {_LAST - _COUNT + 1}: `PORT=4800`.")
    return int(text)


def chosen(first: int | None, names: tuple[str, ...] = ()) -> Ports:
    """The standard ports, or those from ``first`` on; ``names`` as ``Ports`` has them.

    Raises DeskError where these can't be a desk's.
    """
    if first is None:
        return Ports(names=names)
    if not _FIRST <= first <= _LAST - _COUNT + 1:
        told = f"Port {first} can't be a desk's first of {_COUNT}."
        raise DeskError(told, f"Choose one from {_FIRST} to {_LAST - _COUNT + 1}.")
    if first in _UNSAFE:
        raise DeskError(f"Browsers refuse to open port {first}, where the dashboard would be.", _instead(()))
    return replace(Ports(*range(first, first + _COUNT)), names=names, api=f"b40b{first:04x}")


def require_free(ports: Ports) -> None:
    """Raises DeskError, and tells other ports, when something else listens on one of these."""
    wanted = every(ports)
    taken = [str(port) for port in sorted(wanted) if not is_free(port)]
    if taken:
        which = f"Port {taken[0]} is" if len(taken) == 1 else f"Ports {', '.join(taken[:-1])} and {taken[-1]} are"
        raise DeskError(f"{which} taken.", f"{_instead(wanted)} Or stop what listens there; `ss -ltnp` shows it.")


def beside(ports: Ports) -> str:
    """What starts a desk beside one that has ``ports``."""
    return _instead(every(ports))


def every(ports: Ports) -> frozenset[int]:
    """All of them."""
    own = (ports.emulator, ports.vendor, ports.ecr, ports.issuer, ports.cluster)
    return frozenset((*own, *private.ports_of(ports)))


def _instead(taken: Collection[int]) -> str:
    """A proposal whose ports are free at this moment."""
    for first in _PROPOSED:
        row = range(first, first + _COUNT)
        if first not in _UNSAFE and not any(port in taken for port in row) and all(map(is_free, row)):
            return f"Have other ports: `make up PORT={first}` takes {first} to {row[-1]}, which are free."
    return "Have other ports: `make up PORT=…` takes eight in a row."
