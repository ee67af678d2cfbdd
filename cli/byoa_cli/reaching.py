"""Where a command finds configs, builds and credentials: at an API, or with AWS credentials in a stack's table.

An option goes before a variable, a variable before a profile. A profile's token is shown to that profile's API alone.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.bootstrap import terminal
from byoa_cli.commands import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.api.asking import Api
    from byoa.builds.ports import Catalogue
    from byoa_cli.profiles import Profile

_NOWHERE: Final = (
    "nothing says where to look: log in to an API (`byoa login`, or --api and BYOA_TOKEN), "
    "or name a stack's table with --table and --org"
)
_OPTION, _VARIABLE, _NOTHING = 2, 1, 0


class Seat(NamedTuple):
    """An API, and who one is there: ``source`` says where the token is from. The token shows in no ``repr``."""

    address: str
    token: str | Callable[[], str]
    org: str | None
    app: str | None
    profile: str
    source: str

    def __repr__(self) -> str:
        return f"Seat({self.address!r})"

    def api(self) -> Api:
        """What speaks to it."""
        return terminal.api(self.address, self.token, self.org)


class Reached(NamedTuple):
    """Where configs and builds are: at an API, or else in a ``table``.

    ``organisation`` is empty where the token alone says whose they are.
    """

    organisation: str
    app: str | None
    api: Api | None = None
    table: Catalogue | None = None

    @property
    def catalogue(self) -> Catalogue:
        """Configs and builds. Most commands ask an API for other things, and don't wait for the models' import."""
        return self.table or terminal.remote_catalogue(self.asked_api())

    def named_app(self) -> str:
        """The app. Raises ``UsageError`` where nothing names one."""
        if not self.app:
            raise UsageError("--app is wanted, or BYOA_APP, or an app in the profile")
        return self.app

    def asked_api(self) -> Api:
        """The API. Raises ``UsageError`` where it is a table that is looked at."""
        if self.api is None:
            raise UsageError("this is done through an API: --api, BYOA_API, or `byoa login`")
        return self.api


def reach(
    api: str | None, profile: str | None, org: str | None, table: str | None = None, app: str | None = None
) -> Reached:
    """Where to look, as options, variables and profiles have it. Raises ``UsageError`` where they don't.

    ``LoginMissing`` where there is no token, and ``ProfileUnreadable`` for a profile that can't be used.
    """
    found = seat(api, profile, org) if goes_to_api(api, profile, table, "BYOA_TABLE") else None
    if found:
        return Reached(found.org or "", app or found.app, api=found.api())
    if not table:
        raise UsageError(_NOWHERE)
    if not org:
        raise UsageError("--table wants --org as well")
    return Reached(org, app, table=terminal.catalogue(table))


def goes_to_api(api: str | None, profile: str | None, other: str | None, variable: str) -> bool:
    """Whether an API is asked, or what the option ``other`` names, for which ``variable`` may stand.

    The profile that goes by itself is asked where nothing else is named. Raises ``UsageError`` where both options are.
    """
    at_other, at_api = _rank(other, variable), max(_rank(api, "BYOA_API"), _rank(profile, "BYOA_PROFILE"))
    if at_other == at_api == _OPTION:
        raise UsageError("--api and --profile go without the option for who has AWS credentials")
    return at_other != _OPTION and (at_api > _NOTHING or not other)


def reach_api(api: str | None, profile: str | None, org: str | None, app: str | None = None) -> Reached:
    """The same, at an API alone."""
    found = seat(api, profile, org)
    if not found:
        raise UsageError("nothing says which API: log in with `byoa login`, or give --api and BYOA_TOKEN")
    return Reached(found.org or "", app or found.app, api=found.api())


def seat(api: str | None, profile: str | None, org: str | None) -> Seat | None:
    """The API and who one is there; ``None`` where nothing names one. Raises what ``reach`` raises."""
    from byoa_cli.profiles import DEFAULT, kept_profile

    name = profile or DEFAULT
    kept = kept_profile(profile)
    address = api or (kept.api if kept else None)
    if address is None:
        return None
    own = kept if kept and kept.api == address else None
    told = os.environ.get("BYOA_TOKEN", "").strip()  # a Secret that was made of a file ends with a line
    token = None if _job_is_wanted() else told or (own.token if own else None)
    if not token:
        return _job_seat(address, org, own, name)
    of_profile = own is not None and token == own.token
    source = f"profile {name}" if of_profile else "BYOA_TOKEN"
    _check(token, source)
    if of_profile:
        _note_readers()
    known = own.org if own and of_profile else None
    return Seat(address, token, org or known, own.app if own else None, name, source)


def _job_is_wanted() -> bool:
    """Whether a job of CI is told to show its own token, whatever else there is."""
    if not os.environ.get("BYOA_OIDC"):
        return False
    from byoa_cli.jobs import said

    return bool(said())


def _job_seat(address: str, org: str | None, own: Profile | None, name: str) -> Seat:
    """Whoever has no token is a job of CI that is given one, or nobody."""
    from byoa.errors import LoginMissing
    from byoa_cli.jobs import SOURCE, job_token, said

    known = org or (own.org if own else None)
    token = job_token(known) if said() is not False else None
    if token is None:
        raise LoginMissing(f"There is no token for {address}.")
    return Seat(address, token, known, own.app if own else None, name, SOURCE)


def _note_readers() -> None:
    from byoa_cli.output import print_note
    from byoa_cli.profiles import others_may_read, place

    if others_may_read():
        print_note(f"others may read your token: chmod 600 {place()}")


def _check(token: str, source: str) -> None:
    from byoa_cli.profiles import is_token

    if not is_token(token):
        raise UsageError(
            f"what {source} has is no token: one of BYOA's is byoa_org_…, as `byoa tokens create` prints it, and an "
            "issuer's a JWT"
        )


def _rank(value: str | None, variable: str) -> int:
    if value is None:
        return _NOTHING
    return _VARIABLE if value == os.environ.get(variable) else _OPTION
