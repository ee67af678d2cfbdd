"""Registries of a desk (`make up`): their names are AWS's, and on loopback the desk answers for them.

``BYOA_DESK_REGISTRIES`` is a list of ``HOST=ADDRESS:PORT`` with commas between, which `.desk/env` has. An address that
isn't this machine's own is refused: nothing that a reference names is asked elsewhere, or without TLS, on a network.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Final

from byoa.errors import ReferenceInvalid

if TYPE_CHECKING:
    from byoa.oci.reference import Registry

VARIABLE: Final = "BYOA_DESK_REGISTRIES"
_REMEDY: Final = f"Unset {VARIABLE}, or `source` the desk's env once more."


def answers_for(registry: Registry) -> Registry | None:
    """Where the desk answers for a registry of its own, without TLS. Raises ``ReferenceInvalid``."""
    listed = os.environ.get(VARIABLE)
    return _read(listed).get(registry) if listed else None


@cache
def _read(listed: str) -> dict[Registry, Registry]:
    from ipaddress import ip_address

    from byoa.bootstrap import terminal
    from byoa.oci.reference import Registry

    found = {}
    for each in listed.split(","):
        host, _, place = each.strip().partition("=")
        try:
            address = Registry.parse(place)
            local = ip_address(address.host).is_loopback
            found[Registry.parse(host)] = address
        except (ValueError, ReferenceInvalid):
            local = False
        if not local:
            raise ReferenceInvalid(f"{VARIABLE} is no list of HOST=ADDRESS:PORT on this machine.", remedy=_REMEDY)
    terminal.speak_plainly(found.values())
    return found
