"""Who a job of GitHub Actions is: a token of GitHub's in place of a secret. It is kept in memory, and never printed."""

from __future__ import annotations

import os
import time
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Final

from byoa.bootstrap import terminal
from byoa.errors import LoginMissing
from byoa.trust.jwts import life_of
from byoa_cli.commands import UsageError
from byoa_cli.options import address

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE: Final = "the job's token of GitHub Actions"

_ASKED_AT, _ASKED_WITH = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
_SAID: Final = {"1": True, "true": True, "0": False, "false": False}
_PERMISSION: Final = "Give the job `permissions: id-token: write`, or set BYOA_TOKEN."
_LIFE: Final = 300.0
"""Seconds that a token is taken to be good for where it doesn't say."""


def said() -> bool | None:
    """What ``BYOA_OIDC`` says: whether a job's token is what is shown. ``None`` where it says nothing."""
    text = os.environ.get("BYOA_OIDC", "")
    if text and text.lower() not in _SAID:
        raise UsageError("BYOA_OIDC is 1 for the job's token, or 0 for none")
    return _SAID.get(text.lower())


def job_token(org: str | None) -> Callable[[], str] | None:
    """What has the job's token for the organisation; ``None`` where this is no job that may have one.

    Raises ``LoginMissing`` for a job of GitHub Actions that may not, and ``UsageError`` where no organisation is named.
    """
    place, secret = os.environ.get(_ASKED_AT), os.environ.get(_ASKED_WITH)
    if not place or not secret:
        if os.environ.get("GITHUB_ACTIONS") == "true":
            raise LoginMissing("There is no token, and the job may have none of GitHub.", remedy=_PERMISSION)
        return None
    if not org:
        raise UsageError("--org is wanted, or BYOA_ORG: a job's token names no organisation")
    _check(place)
    return Renewed(terminal.github_job(place, secret, f"byoa:{org}"))


def _check(place: str) -> None:
    """GitHub is asked over https alone, but on this machine. Raises ``UsageError``."""
    try:
        address(place.partition("?")[0])
    except ArgumentTypeError:
        raise UsageError(f"{_ASKED_AT} is no https:// address") from None


class Renewed:
    """A token that is asked for when one is wanted, and anew when half of its life is over. It shows in no ``repr``.

    Its life is measured from when it came, so that clocks may differ.
    """

    def __init__(self, fetch: Callable[[], str], now: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._now = now
        self._token = ""
        self._until = 0.0

    def __repr__(self) -> str:
        return "Renewed()"

    def __call__(self) -> str:
        """The token that is good now. Raises what ``fetch`` raises."""
        if not self._token or self._now() >= self._until:
            self._token = self._fetch()
            self._until = self._now() + (life_of(self._token) or _LIFE) / 2
        return self._token
