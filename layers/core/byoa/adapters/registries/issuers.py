"""Asks an issuer of JWTs for its keys: two documents, no redirects, and nobody is connected to who isn't admitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.adapters.registries.endpoints import Location
from byoa.adapters.registries.locations import endpoint_of, parse_location
from byoa.errors import ByoaError, EndpointBlocked, IssuerUnusable
from byoa.oci.reference import Registry
from byoa.trust.issuers import DOCUMENT_LIMIT, parse_issuer, read_discovery, read_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from byoa.adapters.registries.endpoints import Endpoint
    from byoa.adapters.registries.transport import Transport
    from byoa.trust.issuers import Key

_GOOD: Final = 200
_BLOCKED: Final = "Serve the issuer at a public address on port 443; a platform's operator may open further ones."


class IssuerKeys:
    """What issuers sign with. Hosts of ``plain`` are spoken to without TLS, each at the address that it has there."""

    def __init__(self, transport: Transport, plain: Mapping[str, str]) -> None:
        self._transport = transport
        self._plain = plain

    def fetch(self, issuer: str) -> list[Key]:
        """The keys that ``issuer`` signs with now. Raises ``IssuerUnusable``, whatever is wrong."""
        found = parse_issuer(issuer)
        told = self._get(Location(self._endpoint(found.registry), found.discovery), "The issuer")
        place = parse_location(read_discovery(told, issuer), endpoint_of(found.registry))
        if place is None:
            raise IssuerUnusable("The issuer's document names no sound address of its keys.")
        named = Registry(place.endpoint.host, None if place.endpoint.port == 443 else place.endpoint.port)  # noqa: PLR2004 - https
        return read_keys(self._get(Location(self._endpoint(named), place.path), "The host of the issuer's keys"))

    def _endpoint(self, registry: Registry) -> Endpoint:
        plain = self._plain.get(str(registry))
        return endpoint_of(Registry.parse(plain), scheme="http") if plain else endpoint_of(registry)

    def _get(self, place: Location, who: str) -> bytes:
        """A whole document. Causes name neither hosts nor texts: the second host is one that a remote chose."""
        headers = {"Accept": "application/json"}
        try:
            with self._transport.request("GET", place.endpoint, place.path, headers) as response:
                status, encoded, content = response.status, response.encoded, response.read(DOCUMENT_LIMIT)
        except EndpointBlocked:
            raise IssuerUnusable(f"{who} is at no address that this platform connects to.", remedy=_BLOCKED) from None
        except ByoaError as error:
            raise IssuerUnusable(f"{who} can't be reached, or doesn't answer as HTTP over TLS.") from error
        if status != _GOOD:
            raise IssuerUnusable(f"{who} answers with {status} where a document is looked for.")
        if encoded:
            raise IssuerUnusable(f"{who} answers in an encoding that was not asked for.")
        return content
