"""Asks an issuer of JWTs for its keys, or for the token that a code stands for.

A document says where; no redirect is followed, and nobody is connected to who isn't admitted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from byoa.adapters.registries.endpoints import Location
from byoa.adapters.registries.locations import endpoint_of, parse_location
from byoa.errors import ByoaError, EndpointBlocked, IssuerUnusable
from byoa.oci.reference import Registry
from byoa.trust.client_secrets import Shown, shown
from byoa.trust.issuers import DOCUMENT_LIMIT, KeysFound, parse_issuer, read_discovery, read_keys
from byoa.trust.signing_in import CodeExchanged, check_client, read_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from byoa.adapters.registries.endpoints import Endpoint
    from byoa.adapters.registries.transport import Transport
    from byoa.trust.issuers import Discovered
    from byoa.trust.signing_in import CodeGiven

_GOOD: Final = 200
_REFUSED: Final = (400, 401, 403)
_BLOCKED: Final = "Serve the issuer at a public address on port 443; a platform's operator may open further ones."


class IssuerKeys:
    """What issuers sign with. Hosts of ``plain`` are spoken to without TLS, each at the address that it has there."""

    def __init__(self, transport: Transport, plain: Mapping[str, str]) -> None:
        self._transport = transport
        self._plain = plain

    def fetch(self, issuer: str) -> KeysFound:
        """The keys that ``issuer`` signs with now. Raises ``IssuerUnusable``, whatever is wrong."""
        found = self._discover(issuer)
        place = self._place(found.keys, issuer)
        if place is None:
            raise IssuerUnusable("The issuer's document names no sound address of its keys.")
        keys = read_keys(self._document(place, "The host of the issuer's keys"))
        return KeysFound(keys=keys, authorization_endpoint=found.authorization)

    def exchange(self, given: CodeGiven, secret: str | None = None) -> CodeExchanged:
        """The ID token that a code stands for; none where the issuer refuses the code (RFC 6749, 4.1.3 and 5.2).

        ``secret`` is the client's, where it has one. Raises ``IssuerUnusable`` for all else that is wrong. Nothing of
        the token is looked at.
        """
        told = self._discover(given.issuer)
        place = self._place(told.token, given.issuer)
        if place is None:
            raise IssuerUnusable("The issuer's document names no sound address for codes.")
        more = Shown({}, {}) if secret is None else shown(given.client_id, secret, told.ways)
        headers = {"Content-Type": "application/x-www-form-urlencoded", **more.headers}
        body = urlencode({**given.form(), **more.form}).encode()
        status, content = self._ask("POST", place, "The issuer", headers, body)
        if status in _REFUSED:
            if secret is not None:
                check_client(content)
            return CodeExchanged()
        if status != _GOOD:
            raise IssuerUnusable(f"The issuer answers with {status} where a code is handed in.")
        return read_answer(content)

    def _discover(self, issuer: str) -> Discovered:
        found = parse_issuer(issuer)
        told = self._document(Location(self._endpoint(found.registry), found.discovery), "The issuer")
        return read_discovery(told, issuer, frozenset(self._plain.values()))

    def _place(self, address: str, issuer: str) -> Location | None:
        """An address of the issuer's document, as it is reached here."""
        place = parse_location(address, endpoint_of(parse_issuer(issuer).registry)) if address else None
        if place is None or place.endpoint.scheme == "http":  # of one of ``plain``, which ``read_discovery`` asked
            return place
        named = Registry(place.endpoint.host, None if place.endpoint.port == 443 else place.endpoint.port)  # noqa: PLR2004 - https
        return Location(self._endpoint(named), place.path)

    def _endpoint(self, registry: Registry) -> Endpoint:
        plain = self._plain.get(str(registry))
        return endpoint_of(Registry.parse(plain), scheme="http") if plain else endpoint_of(registry)

    def _document(self, place: Location, who: str) -> bytes:
        """A whole document. Causes name neither hosts nor texts: the second host is one that a remote chose."""
        status, content = self._ask("GET", place, who)
        if status != _GOOD:
            raise IssuerUnusable(f"{who} answers with {status} where a document is looked for.")
        return content

    def _ask(
        self, method: str, place: Location, who: str, headers: Mapping[str, str] = {}, body: bytes | None = None
    ) -> tuple[int, bytes]:
        """A status, and a body of at most a document's length and a byte."""
        wanted = {"Accept": "application/json", **headers}
        try:
            with self._transport.request(method, place.endpoint, place.path, wanted, body) as response:
                status, encoded, content = response.status, response.encoded, response.read(DOCUMENT_LIMIT)
        except EndpointBlocked:
            raise IssuerUnusable(f"{who} is at no address that this platform connects to.", remedy=_BLOCKED) from None
        except ByoaError as error:
            raise IssuerUnusable(f"{who} can't be reached, or doesn't answer as HTTP over TLS.") from error
        if encoded:
            raise IssuerUnusable(f"{who} answers in an encoding that was not asked for.")
        return status, content
