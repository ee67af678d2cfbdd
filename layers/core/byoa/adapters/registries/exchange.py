"""Requests about one repository, with its authorization and its patience: what downloads and uploads share."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from byoa.adapters.registries.answers import refusal
from byoa.adapters.registries.authorization import Account, Wallet
from byoa.adapters.registries.locations import Location, parse_location
from byoa.adapters.registries.traits import PLAIN, Traits
from byoa.adapters.registries.transport import Endpoint, Response, Stream, Transport
from byoa.engine.patience import HASTY, Patience
from byoa.errors import (
    ByoaError,
    DigestMismatch,
    RedirectRefused,
    RegistryProtocolError,
    RegistryUnavailable,
    TargetIncomplete,
    Transient,
    UploadLost,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from byoa.adapters.registries.answers import Role
    from byoa.trust.credentials import Credential

_REFUSED = (401, 403)


class Exchange:
    """Sends requests about ``repository`` and counts them. Safe to share between threads."""

    def __init__(  # noqa: PLR0913 - where it is, and settings by name
        self,
        transport: Transport,
        endpoint: Endpoint,
        repository: str,
        *,
        role: Role,
        credential: Credential | None = None,
        wallet: Wallet | None = None,
        traits: Traits = PLAIN,
        patience: Patience = HASTY,
        mount_from: str | None = None,
        renew: Callable[[], Credential] | None = None,
    ) -> None:
        self.transport = transport
        self.endpoint = endpoint
        self.repository = repository
        self.role = role
        self.traits = traits
        self.patience = patience
        self.base = f"/v2/{repository}"
        self.host = transport.host(endpoint, traits.concurrency)
        scopes = [f"repository:{repository}:{'pull' if role == 'source' else 'pull,push'}"]
        scopes += [f"repository:{mount_from}:pull"] if mount_from and mount_from != repository else []
        self._wallet = wallet or Wallet(transport)
        self._renew = renew
        self._renewable = renew is not None
        self._renewing = threading.Lock()
        self._sent = 0
        self._earlier_tokens = 0
        self._account = Account(endpoint, tuple(scopes), credential, role, traits.token_hosts)
        if traits.basic_at_once:
            self._wallet.use_basic(self._account)
        self._tokens_before = self._wallet.requests.get(self._account, 0)

    @property
    def requests(self) -> int:
        """How many HTTP requests this has cost, those for tokens and to redirected addresses included."""
        return self._sent + self._earlier_tokens + self._wallet.requests.get(self._account, 0) - self._tokens_before

    def tried[T](self, action: Callable[[], T]) -> T:
        """Do ``action``, again and again as patience has it. What asks for rest gives it to all who use the host."""
        tries = 0
        while True:
            tries += 1
            try:
                return action()
            except (TargetIncomplete, UploadLost):  # the same request would get the same answer
                raise
            except (Transient, DigestMismatch) as error:
                self.note(error)
                if not self.patience.again(tries, error):
                    raise

    def note(self, error: ByoaError) -> None:
        """Let the host rest where ``error`` asks for it."""
        if isinstance(error, Transient) and error.retry_after:
            self.host.rest(error.retry_after)

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | Stream | None = None
    ) -> Response:
        """One request, and after a refusal once more with what the challenge asks for.

        A body that is a stream can't be sent twice: raises ``RegistryUnavailable`` once the challenge is answered.
        """
        account = self._account
        sent = self._header(account)
        response = self._send(method, path, headers, body, sent)
        if response.status not in _REFUSED or not self._admitted(response, account, sent):
            return response
        if isinstance(body, Stream):
            raise RegistryUnavailable("The registry asked for new credentials in the midst of an upload.")
        return self._send(method, path, headers, body, self._header(self._account))

    def _header(self, account: Account) -> str | None:
        return self.tried(lambda: self._wallet.header(account))

    def _admitted(self, response: Response, account: Account, sent: str | None) -> bool:
        """Whether it is worth asking again: a challenge was answered, or credentials that had run out are renewed."""
        if self._renewable and sent:
            renewed = self._renewed(sent)
            if renewed:
                response.close()
            return renewed
        if response.status != 401:  # noqa: PLR2004 - RFC 9110, 15.5.2
            return False
        with response:
            challenges = response.headers("WWW-Authenticate")
            response.read(64 * 1024)
        self.tried(lambda: self._wallet.answer(account, challenges, sent))
        return True

    def _renewed(self, refused: str) -> bool:
        """Whether there are other credentials than the ``refused`` ones: another thread's, or new ones, once."""
        with self._renewing:
            if self._wallet.header(self._account) != refused:
                return True
            if self._renew is None:
                return False
            renewed, self._renew = self._renew(), None
            self._earlier_tokens = self.requests - self._sent
            self._account = self._account._replace(credential=renewed)
            self._tokens_before = self._wallet.requests.get(self._account, 0)
            self._wallet.use_basic(self._account)
            return True

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | Stream | None, sent: str | None
    ) -> Response:
        self._sent += 1
        known = {"Authorization": sent} if sent else {}
        return self.transport.request(method, self.endpoint, path, {**headers, **known}, body)

    def bare_get(self, location: Location, headers: Mapping[str, str]) -> Response:
        """A GET elsewhere, without credentials."""
        self._sent += 1
        return self.transport.request("GET", location.endpoint, location.path, headers)

    def expect(self, response: Response, statuses: tuple[int, ...], what: str) -> None:
        """Raise what an answer of another status means; ``what`` was asked for."""
        if response.status not in statuses:
            error = refusal(response, self.role, what)
            self.note(error)
            raise error

    def own_place(self, address: str | None) -> Location:
        """An address on the registry's own endpoint, where its credentials may go. Raises for every other."""
        location = parse_location(address or "", self.endpoint)
        if location is None:
            raise RegistryProtocolError("The registry names no sound place to go on.")
        if location.endpoint != self.endpoint:
            raise RedirectRefused("The registry sends an upload or a listing to another host.")
        return location
