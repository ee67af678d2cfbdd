"""Requests about one repository, with its authorization and its patience: what downloads and uploads share."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Final

from byoa.adapters.registries.answers import refusal
from byoa.adapters.registries.authorization import Account, Wallet
from byoa.adapters.registries.endpoints import Endpoint, Location
from byoa.adapters.registries.locations import parse_location, redirected
from byoa.adapters.registries.traits import PLAIN, Traits
from byoa.adapters.registries.transport import Response, Stream, Transport
from byoa.engine.patience import HASTY, Patience
from byoa.errors import (
    AuthFailed,
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

_REFUSED: Final = (401, 403)
_REDIRECTED: Final = (301, 302, 303, 307, 308)
_REDIRECTED_WRITE: Final = (307, 308)
"""The others would make a GET of it (RFC 9110, 15.4)."""

_REDIRECTS: Final = 3
_REPOSITORY: Final = re.compile(r"/v2/(?P<name>[a-z0-9._/-]{1,255})/(?:manifests|blobs|tags|referrers)/", re.ASCII)
"""The path of what a registry has for one repository."""


class Exchange:
    """Sends requests about ``repository``, or about none, and counts them. Safe to share between threads."""

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
        scopes = [f"repository:{repository}:{'pull' if role == 'source' else 'pull,push'}"] if repository else []
        scopes += [f"repository:{mount_from}:pull"] if mount_from and mount_from != repository else []
        self._wallet = wallet or Wallet(transport)
        self._renew = renew
        self._renewable = renew is not None
        self._renewing = threading.Lock()
        self.no_list: ByoaError | None = None
        """Why the registry has no list of referrers for us, where it didn't just say that it has none."""
        self._sent = 0
        self._guests = 0
        self._earlier_tokens = 0
        self._account = Account(endpoint, tuple(scopes), credential, role, traits.token_hosts)
        if traits.basic_at_once:
            self._wallet.use_basic(self._account)
        self._tokens_before = self._wallet.requests.get(self._account, 0)

    @property
    def requests(self) -> int:
        """How many HTTP requests this has cost, those for tokens and to redirected addresses included."""
        tokens = self._wallet.requests.get(self._account, 0) - self._tokens_before
        return self._sent + self._guests + self._earlier_tokens + tokens

    @property
    def logged_in(self) -> bool:
        """Whether what is asked now carries what a login made."""
        return self._account.credential is not None and self._header(self._account) is not None

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
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | Stream | None = None,
        *,
        elsewhere: bool = True,
    ) -> Response:
        """One request, after a refusal once more with what the challenge asks for, and wherever redirects lead.

        Credentials go to the registry's own endpoint alone, and nothing is written to another one. Without
        ``elsewhere`` a redirect to another endpoint is the answer. A body that is a stream can't be sent twice: raises
        ``RegistryUnavailable`` once the challenge is answered.
        """
        return self.request_at(Location(self.endpoint, path), method, headers, body, elsewhere=elsewhere)

    def request_at(
        self,
        place: Location,
        method: str,
        headers: Mapping[str, str],
        body: bytes | Stream | None = None,
        *,
        elsewhere: bool = True,
    ) -> Response:
        """The same for a place that the registry named: its own endpoint, or one that it had sent us to before."""
        reading = body is None
        own = place.endpoint == self.endpoint
        response = (self._asked if own else self._visit)(self._account, method, place, headers, body)
        for _ in range(_REDIRECTS):
            if response.status not in (_REDIRECTED if reading else _REDIRECTED_WRITE):
                break
            following = self._redirect(response, place, body)
            if not elsewhere and following.endpoint != self.endpoint:
                break
            response.close()
            place = following
            response = self._visit(self._account, method, place, headers, body)
        else:
            if response.status in _REDIRECTED:
                response.close()
                raise RedirectRefused("The registry redirects more than a few times.")
        response.place = place
        return response

    def _redirect(self, response: Response, place: Location, body: bytes | Stream | None) -> Location:
        try:
            following = redirected(response.header("Location"), place, {self.endpoint, *self.transport.plain})
            if body is not None and (following.endpoint != self.endpoint or isinstance(body, Stream)):
                raise RedirectRefused(f"The registry sends what is written to it to {following.endpoint.authority}.")
        except ByoaError:
            response.close()
            raise
        return following

    def _visit(
        self, ours: Account, method: str, place: Location, headers: Mapping[str, str], body: bytes | Stream | None
    ) -> Response:
        """One request where the registry sent us: in its API as who we are, elsewhere as nobody.

        A path of its own outside of its API may be signed, and a signature and credentials don't go together.
        """
        own, found = place.endpoint == self.endpoint, _REPOSITORY.match(place.path)
        if found is None:
            response = self._send(method, place, headers, body, None)
            if not own or response.status not in _REFUSED:
                return response
            response.close()
            return self._asked(ours, method, place, headers, body)
        if own and found["name"] == self.repository:
            return self._asked(ours, method, place, headers, body)
        scope = f"repository:{found['name']}:pull"
        guest = Account(place.endpoint, (scope,), ours.credential if own else None, self.role, ours.token_hosts)
        before = self._wallet.requests.get(guest, 0)
        try:
            return self._asked(guest, method, place, headers, body)
        except AuthFailed as error:
            raise AuthFailed(
                f"The registry sends us to {place.endpoint.authority}, which wants credentials of its own.",
                remedy=f"Name the artifact by that host: oci://{place.endpoint.authority}/{found['name']}.",
            ) from error
        finally:
            self._guests += self._wallet.requests.get(guest, 0) - before

    def _asked(
        self, account: Account, method: str, place: Location, headers: Mapping[str, str], body: bytes | Stream | None
    ) -> Response:
        sent = self._header(account)
        response = self._send(method, place, headers, body, sent)
        if response.status not in _REFUSED or not self._admitted(response, account, sent):
            return response
        if isinstance(body, Stream):
            raise RegistryUnavailable("The registry asked for new credentials in the midst of an upload.")
        again = self._account if self._is_ours(account) else account
        return self._send(method, place, headers, body, self._header(again))

    def _is_ours(self, account: Account) -> bool:
        """Whether it is this repository's, if with credentials of before."""
        return account[:2] == self._account[:2]

    def _header(self, account: Account) -> str | None:
        return self.tried(lambda: self._wallet.header(account))

    def _admitted(self, response: Response, account: Account, sent: str | None) -> bool:
        """Whether it is worth asking again: a challenge was answered, or credentials that had run out are renewed."""
        if self._renewable and sent and self._is_ours(account):
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
            self._earlier_tokens = self.requests - self._sent - self._guests
            self._account = self._account._replace(credential=renewed)
            self._tokens_before = self._wallet.requests.get(self._account, 0)
            self._wallet.use_basic(self._account)
            return True

    def _send(
        self, method: str, place: Location, headers: Mapping[str, str], body: bytes | Stream | None, sent: str | None
    ) -> Response:
        self._sent += 1
        known = {"Authorization": sent} if sent else {}
        return self.transport.request(method, place.endpoint, place.path, {**headers, **known}, body)

    def expect(self, response: Response, statuses: tuple[int, ...], what: str) -> None:
        """Raise what an answer of another status means; ``what`` was asked for."""
        if response.status not in statuses:
            error = refusal(response, self.role, what)
            self.note(error)
            raise error

    def own_place(self, address: str | None, place: Location | None = None) -> Location:
        """An address on the registry's own endpoint, where its credentials may go; ``place`` is what named it.

        Raises for every other.
        """
        base = place or Location(self.endpoint, "/")
        location = parse_location(address or "", base.endpoint, base.path)
        if location is None:
            raise RegistryProtocolError("The registry names no sound place to go on.")
        if location.endpoint != self.endpoint:
            raise RedirectRefused(f"The registry sends an upload or a listing to {location.endpoint.authority}.")
        return location
