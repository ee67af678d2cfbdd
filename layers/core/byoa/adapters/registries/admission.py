"""What one repository's requests show of who we are, and what becomes of it when it is refused."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Protocol

from byoa.errors import AuthFailed, TargetForbidden

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.adapters.registries.accounts import Account
    from byoa.adapters.registries.authorization import Wallet
    from byoa.adapters.registries.transport import Response
    from byoa.trust.credentials import Credential

_BODY_LIMIT: Final = 64 * 1024


class Tried(Protocol):
    """Does something, again and again as patience has it."""

    def __call__[T](self, action: Callable[[], T]) -> T:
        """What ``action`` returns; raises what it raises in the end."""
        ...


class Admission:
    """An account whose credential may be replaced while others use it. Safe to share between threads.

    ``renew`` is asked once for what has replaced a credential that is refused; ``None`` is: nothing has.
    ``tried`` does what may fail for a while. ``at_once``: Basic credentials are shown before they are asked for.
    """

    def __init__(
        self,
        wallet: Wallet,
        account: Account,
        renew: Callable[[], Credential | None] | None,
        tried: Tried,
        *,
        at_once: bool,
    ) -> None:
        self.account = account
        self._wallet = wallet
        self._renew = renew
        self._tried = tried
        self._renewing = threading.Lock()
        self._at_once = at_once
        if at_once:
            wallet.use_basic(account)

    def header(self, account: Account) -> tuple[Account, str | None]:
        """What a request in the account's name carries, and in whose name that is by now.

        Raises what ``Wallet.answer`` raises, and what ``renew`` does.
        """
        return self._held(account, self._wallet.header)

    def answer(
        self, response: Response, account: Account, shown: str | None, *, challenged: bool
    ) -> tuple[Account | None, bool]:
        """In whose name to ask again after a refusal, if in any, and whether a challenge has been answered for that.

        ``shown`` is what the refused request carried; with ``challenged`` that answered a challenge already. ECR says
        403 to a password that has run out; elsewhere that means that the right one may not. Where there is a name, the
        response is closed. Raises the same as ``header``.
        """
        try:
            other, answered = self._answer(response, account, shown, challenged=challenged)
        except BaseException:
            response.close()
            raise
        if other:
            response.close()
        return other, answered

    def _answer(
        self, response: Response, account: Account, shown: str | None, *, challenged: bool
    ) -> tuple[Account | None, bool]:
        unknown = response.status == 401  # noqa: PLR2004 - RFC 9110, 15.5.2
        challenges = response.headers("WWW-Authenticate")
        if unknown and not challenged and not self._wallet.repeats(account, challenges, shown):
            response.read(_BODY_LIMIT)
            response.close()  # its connection may serve the question for a token
            return self._held(account, lambda ours: self._wallet.answer(ours, challenges, shown))[0], True
        return self._renewed(account) if shown and (unknown or account.role == "target") else None, challenged

    def _held[T](self, account: Account, action: Callable[[Account], T]) -> tuple[Account, T]:
        """``action``, in the name of what has replaced the account's credential where a token service refuses it."""
        try:
            return account, self._tried(lambda: action(account))
        except (AuthFailed, TargetForbidden):
            renewed = self._renewed(account)
            if renewed is None:
                raise
        return renewed, self._tried(lambda: action(renewed))

    def _renewed(self, refused: Account) -> Account | None:
        """The account with another credential than the refused one, where there is another.

        Whoever comes second waits, and has what the first one got. A ``renew`` that raises may be asked again.
        """
        if refused.credential is None or refused.endpoint != self.account.endpoint:
            return None
        with self._renewing:
            if self.account.credential == refused.credential and not self._replaced():
                return None
            other = refused._replace(credential=self.account.credential)
        if self._at_once:
            self._wallet.use_basic(other)
        return other

    def _replaced(self) -> bool:
        credential = self._renew() if self._renew else None
        self._renew = None
        if credential is None or credential == self.account.credential:
            return False
        self._wallet.forget(self.account)
        self.account = self.account._replace(credential=credential)
        return True
