"""Requests about one repository, with its authorization and its patience: what downloads and uploads share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from byoa.adapters.registries.accounts import Account
from byoa.adapters.registries.admission import Admission
from byoa.adapters.registries.answers import refusal
from byoa.adapters.registries.authorization import Wallet
from byoa.adapters.registries.echoes import silence
from byoa.adapters.registries.endpoints import Endpoint, Location
from byoa.adapters.registries.locations import parse_location, redirected
from byoa.adapters.registries.traits import PLAIN, Traits
from byoa.adapters.registries.transport import Response, Stream, Transport
from byoa.engine.patience import HASTY, Patience
from byoa.errors import (
    AuthFailed,
    ByoaError,
    DigestMismatch,
    EndpointBlocked,
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
        renew: Callable[[], Credential | None] | None = None,
    ) -> None:
        self.transport = transport
        self.endpoint = endpoint
        self.repository = repository
        self.role = role
        self.traits = traits
        self.patience = patience
        self.base = f"/v2/{repository}"
        self.host = transport.host(endpoint, traits.concurrency)
        actions = "pull" if role == "source" else "pull,push"
        scopes = [self._scope(repository, actions)] if repository else []
        scopes += [self._scope(mount_from, "pull")] if mount_from and mount_from != repository else []
        self._wallet = wallet or Wallet(transport)
        self.no_list: ByoaError | None = None
        """Why the registry has no list of referrers for us, where it didn't just say that it has none."""
        self._sent = 0
        self._guests = 0
        account = Account(endpoint, tuple(dict.fromkeys(scopes)), credential, role, traits.token_hosts)
        self._admission = Admission(self._wallet, account, renew, self.tried, at_once=traits.basic_at_once)
        self._tokens_before = self._wallet.requests(account)

    @property
    def requests(self) -> int:
        """How many HTTP requests this has cost, those for tokens and to redirected addresses included."""
        return self._sent + self._guests + self._wallet.requests(self._admission.account) - self._tokens_before

    def _scope(self, repository: str, actions: str) -> str:
        """What a token is asked for, and never more, whatever a challenge names (token specification, "scope")."""
        return self.traits.scope or f"repository:{repository}:{actions}"

    @property
    def logged_in(self) -> bool:
        """Whether what is asked now carries what a login made."""
        account = self._admission.account
        return account.credential is not None and self._admission.header(account)[1] is not None

    def tried[T](self, action: Callable[[], T]) -> T:
        """Do ``action``, again and again as patience has it. What asks for rest gives it to all who use the host.

        What it raises in the end tells nothing of the credential.
        """
        tries = 0
        while True:
            tries += 1
            try:
                return action()
            except ByoaError as error:
                if not self._again(tries, error):
                    silence(error, self._admission.account.credential)
                    raise

    def _again(self, tries: int, error: ByoaError) -> bool:
        lasting = isinstance(error, TargetIncomplete | UploadLost)  # the same request would get the same answer
        if lasting or not isinstance(error, Transient | DigestMismatch):
            return False
        self.note(error)
        return self.patience.again(tries, error)

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
        response = (self._asked if own else self._visit)(self._admission.account, method, place, headers, body)
        for _ in range(_REDIRECTS):
            if response.status not in (_REDIRECTED if reading else _REDIRECTED_WRITE):
                break
            following = self._redirect(response, place, body)
            if not elsewhere and following.endpoint != self.endpoint:
                break
            response.close()
            place = following
            response = self._followed(method, place, headers, body)
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

    def _followed(
        self, method: str, place: Location, headers: Mapping[str, str], body: bytes | Stream | None
    ) -> Response:
        """A request to where a redirect led. Raises ``RedirectRefused`` where that may not be connected to."""
        try:
            return self._visit(self._admission.account, method, place, headers, body)
        except EndpointBlocked as error:
            if place.endpoint == self.endpoint:
                raise
            raise RedirectRefused(f"The registry redirects to where we don't go. {error.cause}") from error

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
                response.login = "given" if ours.credential else "none"  # where it is shown, that led here
                return response
            response.close()
            return self._asked(ours, method, place, headers, body)
        if own and found["name"] == self.repository:
            return self._asked(ours, method, place, headers, body)
        scope = self._scope(found["name"], "pull") if own else f"repository:{found['name']}:pull"
        guest = Account(place.endpoint, (scope,), ours.credential if own else None, self.role, ours.token_hosts)
        before = self._wallet.requests(guest)
        try:
            return self._asked(guest, method, place, headers, body)
        except AuthFailed as error:
            raise AuthFailed(
                f"The registry sends us to {place.endpoint.authority}, which wants credentials of its own.",
                remedy=f"Name the artifact by that host: oci://{place.endpoint.authority}/{found['name']}.",
            ) from error
        finally:
            self._guests += self._wallet.requests(guest) - before

    def _asked(
        self, account: Account, method: str, place: Location, headers: Mapping[str, str], body: bytes | Stream | None
    ) -> Response:
        """One request, and again where there is something else to show, each once.

        That is what the challenge asks for, and what has replaced a credential that is refused.
        """
        account, shown = self._admission.header(account)
        response = self._send(method, place, headers, body, shown)
        challenged = False
        while response.status in _REFUSED:
            other, challenged = self._admission.answer(response, account, shown, challenged=challenged)
            if other is None:
                break
            if isinstance(body, Stream):
                raise RegistryUnavailable("The registry asked for new credentials in the midst of an upload.")
            account, shown = self._admission.header(other)
            response = self._send(method, place, headers, body, shown)
        if account.credential:
            response.login = "given" if shown else "kept"
        return response

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
