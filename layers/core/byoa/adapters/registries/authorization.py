"""Answers registries' challenges: Basic, or a Bearer token for one repository (RFC 9110, 11.6; RFC 7617; RFC 6750).

One wallet serves many repositories: a token is asked for once, and who knows how a host wants to be asked doesn't ask
it again.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from byoa.adapters.registries.accounts import basic, bearer
from byoa.adapters.registries.fields import read_challenges
from byoa.adapters.registries.tokens import TokenServices
from byoa.adapters.registries.traits import DOCKER_HUB
from byoa.errors import AuthFailed, RegistryProtocolError

if TYPE_CHECKING:
    from byoa.adapters.registries.accounts import Account
    from byoa.adapters.registries.endpoints import Endpoint
    from byoa.adapters.registries.fields import Challenge
    from byoa.adapters.registries.transport import Transport

_CHALLENGE_LIMIT: Final = 4096
_EARLY_SECONDS: Final = 10


class _Pass:
    """A header and when it ends; without a ``repr``, as the header is as good as a password."""

    __slots__ = ("header", "until")

    def __init__(self, header: str, until: float) -> None:
        self.header = header
        self.until = until


class Wallet:
    """Authorization headers by account. Safe to share between threads."""

    def __init__(self, transport: Transport) -> None:
        self._services = TokenServices(transport)
        self._passes: dict[Account, _Pass] = {}
        self._challenges: dict[Endpoint, Challenge] = {}
        self._turns: dict[Account, threading.Lock] = {}
        self._lock = threading.Lock()

    def requests(self, account: Account) -> int:
        """How many requests for tokens the account's errand has cost, with whatever credentials."""
        return self._services.requests(account)

    def header(self, account: Account) -> str | None:
        """What the account's requests carry: a token is fetched as soon as the host is known to want one.

        Raises what ``answer`` raises.
        """
        found = self._passes.get(account)
        if found and time.monotonic() < found.until:
            return found.header
        challenge = self._challenges.get(account.endpoint)
        if challenge is None or not ("bearer" in challenge or account.credential):
            return None  # nobody asked yet, or what helps one account is nothing that another has
        return self._answer(account, challenge, found.header if found else None).header

    def use_basic(self, account: Account) -> None:
        """Send the credentials unasked, to a registry that is known to want them so."""
        if account.credential:
            self._passes[account] = _Pass(basic(account.credential), float("inf"))

    def forget(self, account: Account) -> None:
        """Keep nothing that was made of the account's credential at its registry: it is no longer good."""
        with self._lock:
            for kept in (self._passes, self._turns):
                for each in list(kept):  # others may add to it meanwhile
                    if each.endpoint == account.endpoint and each.credential == account.credential:
                        kept.pop(each, None)

    def repeats(self, account: Account, challenges: list[str], refused: str | None) -> bool:
        """Whether all that could answer a 401 is what it ``refused``: the credential itself, and no token of it.

        Raises ``RegistryProtocolError`` for a challenge that is too long.
        """
        credential = account.credential
        if refused is None or credential is None:
            return False
        if credential.registry_token:
            return refused == bearer(credential.registry_token)
        return "bearer" not in _parse_challenges(challenges) and refused == basic(credential)

    def answer(self, account: Account, challenges: list[str], refused: str | None) -> None:
        """Take up a 401's WWW-Authenticate headers, which answered the header ``refused``; Bearer goes before Basic.

        Raises ``AuthFailed`` where there is nothing to answer with, and ``RealmRefused`` or ``InsecureTransport``
        where the token service may not have the credentials.
        """
        challenge = _parse_challenges(challenges)
        self._answer(account, challenge, refused)
        self._challenges[account.endpoint] = challenge

    def _answer(self, account: Account, challenge: Challenge, refused: str | None) -> _Pass:
        with self._lock:
            turn = self._turns.setdefault(account, threading.Lock())
        with turn:
            found = self._passes.get(account)
            if found and found.header != refused and time.monotonic() < found.until:
                return found  # another thread was faster
            made = self._passes[account] = self._pass(account, challenge)
            return made

    def _pass(self, account: Account, challenge: Challenge) -> _Pass:
        credential = account.credential
        if credential and credential.registry_token:
            return _Pass(bearer(credential.registry_token), float("inf"))
        if "bearer" in challenge:
            token, seconds = self._services.fetch(account, challenge["bearer"])
            return _Pass(bearer(token), time.monotonic() + seconds - _EARLY_SECONDS)
        if "basic" not in challenge:
            raise AuthFailed(
                "The registry wants credentials in a way that isn't known here.",
                remedy="Use a registry that asks for Basic credentials or for a Bearer token.",
            )
        host = _login_host(account.endpoint)
        login = f"Log in, for example with `docker login {host}`; a config names stored credentials (credentials_ref)."
        if credential is None:
            raise AuthFailed("The registry wants credentials, and there are none for it.", remedy=login)
        if credential.identity_token and not credential.password:
            raise AuthFailed("The registry wants a name and a password, and the login is a token.", remedy=login)
        return _Pass(basic(credential), float("inf"))


def _login_host(endpoint: Endpoint) -> str:
    return "docker.io" if endpoint.host == DOCKER_HUB.address else endpoint.authority


def _parse_challenges(values: list[str]) -> Challenge:
    """Parameters by scheme, the first challenge of each scheme in all fields (RFC 9110, 11.6.1)."""
    found: Challenge = {}
    for value in values[:8]:
        if len(value) > _CHALLENGE_LIMIT:
            raise RegistryProtocolError("The registry's challenge is too long.")
        found = {**read_challenges(value), **found}
    return found
