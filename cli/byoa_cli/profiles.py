"""Who the command line is to which API: profiles in ``~/.config/byoa/config.toml``, which nobody else may read.

[profiles.default]
api = "https://api.example.com"
token = "byoa_…"
org = "org_0123456789ab"
app = "shop"
dashboard = "https://dashboard.example.com"
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from byoa.errors import ProfileUnreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT: Final = "default"
_LIMIT: Final = 1024 * 1024


class Profile(NamedTuple):
    """An API and who one is there. The token shows in no ``repr``."""

    api: str
    token: str | None = None
    org: str | None = None
    app: str | None = None
    dashboard: str | None = None

    def __repr__(self) -> str:
        return f"Profile({self.api!r})"


def place() -> Path:
    """The file. A relative ``XDG_CONFIG_HOME`` counts as none (XDG Base Directory Specification 0.8)."""
    set_to = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(set_to) if os.path.isabs(set_to) else Path.home() / ".config") / "byoa" / "config.toml"  # noqa: PTH117


def read_profile(name: str) -> Profile | None:
    """The profile of that name, ``None`` where there is none. Raises ``ProfileUnreadable`` for what can't be used."""
    from byoa_cli.options import address

    said = _profiles(_read()).get(name)
    if said is None:
        return None
    fields = {key: said[key] for key in Profile._fields if key in said} if isinstance(said, dict) else {}
    if "api" not in fields or not all(isinstance(value, str) for value in fields.values()):
        raise _unsound(f"The profile {name} has no api, or a value that is no text.")
    try:
        return Profile(**{**fields, "api": address(fields["api"])})
    except ValueError:
        raise _unsound(f"The api of the profile {name} is no https:// address.") from None


def kept_profile(name: str | None) -> Profile | None:
    """The profile that is named, or ``default``, which needn't be there. Raises ``LoginMissing`` for a name of none."""
    from byoa.errors import LoginMissing

    found = read_profile(name or DEFAULT)
    if found is None and name is not None:
        raise LoginMissing(f"There is no profile {name}.", remedy=f"Log in with `byoa login --profile {name}`.")
    return found


def others_may_read() -> bool:
    """Whether the file is open to others than its owner."""
    try:
        return bool(place().stat().st_mode & 0o077)
    except OSError:
        return False


def keep_profile(name: str, profile: Profile | None) -> Path:
    """Write a profile over what has its name, or take it away; the rest stays, but for comments. The file's path.

    Raises ``ProfileUnreadable`` where the file can't be read or written.
    """
    document = _read()
    kept = {key: value for key, value in _profiles(document).items() if key != name}
    if profile:
        kept[name] = {key: value for key, value in profile._asdict().items() if value is not None}
    text = "\n".join(_tables({**document, "profiles": kept}, ()))
    if tomllib.loads(text).get("profiles", {}) != kept:
        raise _unsound("The file has values that can't be kept as they are.")
    _write(text)
    return place()


def is_token(text: str) -> bool:
    """Whether it could be a token: what a header takes as one word (RFC 6750, 2.1)."""
    return re.fullmatch(r"[A-Za-z0-9._~+/-]{8,8192}=*", text) is not None


def _read() -> dict[str, Any]:
    try:
        with place().open("rb") as file:
            return tomllib.loads(file.read(_LIMIT).decode())
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        raise _unsound("The file is no TOML.") from None
    except OSError as error:
        raise _unsound(f"The file can't be read: {error.strerror}.") from error


def _profiles(document: Mapping[str, Any]) -> dict[str, Any]:
    found = document.get("profiles", {})
    if not isinstance(found, dict):
        raise _unsound("What the file has as profiles is no table.")
    return found


def _write(text: str) -> None:
    """All of it or nothing: whoever reads meanwhile has the file of before."""
    path = place()
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        with suppress(FileNotFoundError):
            new.unlink()
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        new.replace(path)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise _unsound(f"The file can't be written: {error.strerror}.") from error


def _tables(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    """A table as lines of TOML; a text, a number and a list of them are written as JSON has them."""
    own = [f"{_key(key)} = {_value(value)}" for key, value in table.items() if not isinstance(value, dict)]
    lines = [f"[{'.'.join(map(_key, path))}]", *own, ""] if own and path else own
    for key, value in table.items():
        if isinstance(value, dict):
            lines += _tables(value, (*path, key))
    return lines


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name, re.ASCII) else _value(name)


def _value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str).replace("\x7f", "\\u007f")


def _unsound(cause: str) -> ProfileUnreadable:
    return ProfileUnreadable(cause, where=str(place()))
