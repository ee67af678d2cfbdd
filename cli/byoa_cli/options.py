"""Options that several commands share."""

from __future__ import annotations

import os
import re
from argparse import ArgumentTypeError, BooleanOptionalAction
from typing import TYPE_CHECKING

from byoa_cli.commands import Option

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LABEL_LIMIT = 63


def _organisation(value: str) -> str:
    if not re.fullmatch(r"org_[a-z0-9]{12,40}", value):
        raise ArgumentTypeError("an organisation's id is org_ and 12 to 40 lower-case letters and digits")
    return value


def label(value: str) -> str:
    """The name of an app, of a component, or of an install. Raises ``ArgumentTypeError``."""
    if len(value) > LABEL_LIMIT or not re.fullmatch(r"[a-z0-9]+(?:[_-][a-z0-9]+)*", value):
        raise ArgumentTypeError("an app's name is lower-case letters and digits, joined by single '-' or '_'")
    return value


def _folder(value: str) -> Path:
    from pathlib import Path

    folder = Path(value)
    if not folder.is_dir():
        raise ArgumentTypeError(f"there is no folder {value}")
    return folder


def _place(value: str) -> Path:
    from pathlib import Path

    place = Path(value)
    if not os.path.lexists(place):
        raise ArgumentTypeError(f"there is no file or folder {value}")
    return place


def _registry(value: str) -> str:
    from byoa.errors import ByoaError
    from byoa.oci.reference import Registry

    try:
        Registry.parse(value)
    except ByoaError as error:
        bare = value.partition("://")[2].partition("/")[0] or "registry.example.com:5000"
        raise ArgumentTypeError(f"a host and a port are wanted, as in {bare}, not {value}") from error
    return value


def _host(value: str) -> str:
    from byoa.oci.reference import Registry

    return str(Registry.parse(_registry(value)))


def address(value: str) -> str:
    """An API's address, without a slash at its end: https, or http on this machine. Raises ``ArgumentTypeError``."""
    if not _read_address(value):
        raise AddressInvalid("a token goes over https alone, but to this machine")
    return value.rstrip("/")


def page_address(value: str) -> str:
    """The same for pages, which are shown no token from here: all of ``.localhost`` is this machine (RFC 6761, 6.3)."""
    if not _read_address(value, ".localhost"):
        raise AddressInvalid("a page is read over https alone, but on this machine")
    return value.rstrip("/")


def _read_address(value: str, here: str | None = None) -> bool:
    """Whether an address is read over https, or on this machine, which names that end in ``here`` are as well."""
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        sound = bool(host) and parts.port != 0 and not (parts.query or parts.fragment or parts.username)
    except ValueError:
        raise AddressInvalid(_ADDRESS) from None
    if not sound or parts.scheme not in ("https", "http") or not value.isascii() or not value.isprintable():
        raise AddressInvalid(_ADDRESS)
    if parts.scheme == "https" or host == "localhost" or (here and host.endswith(here)):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class AddressInvalid(ArgumentTypeError, ValueError):
    """An address that is none."""


_ADDRESS = "an address is wanted, as in https://api.example.com"


def _profile(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
        raise ArgumentTypeError("a profile's name is letters, digits, '-' and '_'")
    return value


def whole(least: int, most: int) -> Callable[[str], int]:
    """What reads a whole number between the two."""

    def read(value: str) -> int:
        if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
            raise ArgumentTypeError(f"a whole number from {least} to {most} is wanted, not {value}")
        return int(value)

    return read


def platform_name(value: str) -> str:
    """``OS/ARCH`` or ``OS/ARCH/VARIANT``."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+){1,2}", value):
        raise ArgumentTypeError(f"OS/ARCH is wanted, as in linux/amd64 or linux/arm64/v8, not {value}")
    return value


def minutes(value: str) -> float:
    """Minutes, more than none, as seconds."""
    try:
        count = float(value)
    except ValueError:
        count = 0.0
    if not 0 < count < float("inf"):
        raise ArgumentTypeError(f"a number of minutes is wanted, more than none, not {value}")
    return count * 60


JSON = Option("--json", "-j", dest="as_json", action="store_true", help="One JSON document on stdout.")
BUILD = Option("build_id", metavar="BUILD", help="The build's id (bld…).")
FOLDER = Option(
    "folder", metavar="FOLDER", nargs="?", type=_folder, default=".",
    help="The app's folder, or its components/ folder (default: the current one).",
)  # fmt: skip
PLACE = Option(
    "place", metavar="FOLDER", nargs="?", type=_place, default=".",
    help="The app's folder, its components/ folder, or one component file (default: the current folder).",
)  # fmt: skip
API = Option(
    "--api", metavar="URL", type=address, variable="BYOA_API", needed=False, help="The API's address (https://…).",
)  # fmt: skip
PROFILE = Option(
    "--profile", metavar="NAME", type=_profile, variable="BYOA_PROFILE", needed=False,
    help="The profile that `byoa login` has kept (default: default).",
)  # fmt: skip
ORGANISATION = Option(
    "--org", metavar="ID", type=_organisation, variable="BYOA_ORG", needed=False,
    help="The organisation's id (org_…); at an API it is the token's.",
)  # fmt: skip
DASHBOARD = Option(
    "--dashboard", metavar="URL", type=page_address, variable="BYOA_DASHBOARD", needed=False,
    help="The dashboard's address (https://…).",
)  # fmt: skip
APP = Option("--app", "-a", metavar="NAME", type=label, variable="BYOA_APP", needed=False, help="The app's name.")
TABLE = Option(
    "--table", metavar="NAME", variable="BYOA_TABLE", needed=False,
    help="Without an API, with AWS credentials: the stack's table (output TableName).",
)  # fmt: skip
STACKS_ORGANISATION = Option(
    "--org", metavar="ID", type=_organisation, variable="BYOA_ORG", help="The organisation's id (org_…)."
)
STACKS_TABLE = Option("--table", metavar="NAME", variable="BYOA_TABLE", help="The stack's table (output TableName).")
"""For what takes AWS credentials whether there is an API or not."""

COMPONENT = Option("component", metavar="COMPONENT", type=label, help="The component's name.")
AT_API = (API, PROFILE, ORGANISATION)
"""Where an API is, and who one is there; the token comes from ``BYOA_TOKEN`` or the profile."""

ANYWHERE = (*AT_API, TABLE)
"""The same, or with AWS credentials a stack's table."""

YES = Option("--yes", "-y", action="store_true", help="Don't ask.")
WAIT = Option("--wait", action=BooleanOptionalAction, default=True, help="Follow the builds to their end (default).")
WAIT_AT_MOST = Option(
    "--timeout", metavar="MINUTES", type=minutes, default=1200.0, help="How long to wait (default: 20)."
)
PLAIN_HTTP = Option(
    "--plain-http", metavar="HOST[:PORT]", action="append", default=[], type=_registry,
    help="A registry to speak to without TLS; may be repeated.",
)  # fmt: skip
TOKEN_HOST = Option(
    "--token-host", metavar="HOST[:PORT]", action="append", default=[], type=_host,
    help="A host that may see a registry's login to make tokens of it; may be repeated.",
)  # fmt: skip
TIMEOUT = Option(
    "--timeout", metavar="MINUTES", type=minutes,
    help="Give up after so many in all (default: after ten in which next to nothing is answered or moves).",
)  # fmt: skip
