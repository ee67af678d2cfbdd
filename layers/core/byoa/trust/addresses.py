"""Which addresses and ports a stranger may have this platform connect to: public ones on 443, and what is opened.

The networks stand here one by one. The standard library's words for them (``is_private``, ``is_global``) differ between
versions, know nothing of carriers' networks and of clouds' own addresses, and call tunnels and multicast global.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from byoa.errors import EndpointBlocked, InternalFault, ReferenceUnsupported
from byoa.oci.reference import HTTPS_PORT

if TYPE_CHECKING:
    from byoa.oci.reference import Registry

_SPECIAL: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
            "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "168.63.129.16/32",
        ),
    )
)  # fmt: skip
"""IANA's special-purpose registry (RFC 6890), multicast, what is reserved, and Azure's own host (168.63.129.16).

Alibaba's metadata, 100.100.100.200, is among the carriers' addresses.
"""

_GLOBAL: Final = IPv6Network("2000::/3")
_NOT_GLOBAL: Final = tuple(
    map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"))
)
"""What is special in it: Teredo and other protocols' own, documentation, 6to4, sinks.

Outside of it all is: loopback, mapped and translated IPv4 (which would lead into the IPv4 networks above), private and
link-local addresses, multicast.
"""

_NEVER: Final = (
    IPv4Network("169.254.0.0/16"), IPv4Network("168.63.129.16/32"), IPv4Network("100.100.100.200/32"),
    IPv6Network("fe80::/10"), IPv6Network("fd00:ec2::/32"), IPv6Network("fd20:ce::/32"), IPv6Network("::ffff:0:0/96"),
)  # fmt: skip
"""What no setting opens: there clouds keep machines' credentials, and Lambda what its functions are called with."""

_CARRYING: Final = tuple(
    (IPv6Network(network), shift)
    for network, shift in (
        ("64:ff9b::/96", 0), ("64:ff9b:1::/48", 0), ("::/96", 0), ("::ffff:0:0:0/96", 0), ("2002::/16", 80)
    )
)  # fmt: skip
"""What is made IPv4 addresses of on the way (RFC 6052, 8215, 4291, 7915, 3056), and how far from the end they stand."""

_V6: Final = "[0-9A-Fa-f:]{2,39}/[0-9]{1,3}"
_OPENED: Final = re.compile(
    rf"(?:(?P<public>\*)(?=:)|(?P<v4>[0-9.]{{7,15}}/[0-9]{{1,2}})|\[(?P<v6>{_V6})\]|(?P<bare>{_V6})(?!:))"
    "(?::(?P<port>[0-9]{1,5}))?",
    re.ASCII,
)
_PORT_LIMIT: Final = 65535

type _Network = IPv4Network | IPv6Network


def is_public(address: str) -> bool:
    """Whether ``address`` (IPv4 or IPv6, as a resolver gives it) is one on the public internet."""
    if "%" in address:
        return False
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if found.version == 4:  # noqa: PLR2004 - IPv4
        return not any(found in network for network in _SPECIAL)
    return found in _GLOBAL and not any(found in network for network in _NOT_GLOBAL)


def is_closed(address: str) -> bool:
    """Whether ``address`` is one that no setting opens: a metadata service's, link-local, or led to one on the way."""
    try:
        found = ip_address(address)
    except ValueError:
        return True
    return any(each in network for each in (found, *_carried(found)) for network in _NEVER)


class Anywhere:
    """Where a person's own machine may connect to: anywhere but there."""

    def admits(self, address: str, port: int) -> bool:  # noqa: ARG002 - as the other
        """Whether this address may be."""
        return not is_closed(address)

    def admits_port(self, port: int) -> bool:  # noqa: ARG002 - as the other
        """Whether any address may be, at this port."""
        return True


class Reachable(NamedTuple):
    """Where connections for tenants may go.

    ``ports`` are those of public addresses; ``ranges`` are further networks, each with its one port.
    """

    ports: frozenset[int] = frozenset({HTTPS_PORT})
    ranges: tuple[tuple[_Network, int], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take what an operator opens: ``CIDR[:PORT]`` and ``*:PORT`` for public addresses, with commas between.

        IPv6 stands in brackets where a port follows. Without a port it is 443. Metadata services stay closed, whatever
        is opened around them. Raises ``InternalFault`` for anything else: a guard that was misread would be open.
        """
        ports, ranges = {HTTPS_PORT}, []
        for number, part in enumerate(filter(None, map(str.strip, text.split(","))), 1):
            found = _OPENED.fullmatch(part)
            port = int(found["port"] or HTTPS_PORT) if found else 0
            network = _network(found["v4"] or found["v6"] or found["bare"] or "") if found else None
            if found is None or not 0 < port <= _PORT_LIMIT or bool(network) == bool(found["public"]):
                raise InternalFault(
                    f"Part {number} of the setting Reachable is neither CIDR[:PORT] nor *:PORT.",
                    remedy="Write for example 10.0.0.0/8:5000, [fd00::/8]:5000 or *:8443, with commas between.",
                )
            if network:
                ranges.append((network, port))
            ports |= {port} if found["public"] else set()
        return cls(frozenset(ports), tuple(ranges))

    def admits(self, address: str, port: int) -> bool:
        """Whether ``address``, as a resolver gives it, may be connected to at ``port``."""
        if port in self.ports and is_public(address):
            return True
        if is_closed(address):
            return False
        found = ip_address(address)
        return any(port == opened and found in network for network, opened in self.ranges)

    def admits_port(self, port: int) -> bool:
        """Whether any address may be connected to at ``port``."""
        return port in self.ports or any(port == opened for _, opened in self.ranges)

    def check(self, registry: Registry) -> None:
        """Refuse what shows without asking for the name's addresses.

        Raises ``EndpointBlocked`` for an address that isn't public and ``ReferenceUnsupported`` for a port.
        """
        port = registry.port or HTTPS_PORT
        literal = is_address(registry.host)
        if literal and not is_public(registry.host) and not self.admits(registry.host, port):
            raise EndpointBlocked(f"{registry} is not a public address.")
        if not (self.admits(registry.host, port) if literal else self.admits_port(port)):
            raise ReferenceUnsupported(
                f"Registries are not asked at port {port}.",
                remedy=f"Serve the registry on port 443; a platform's operator may open this one (Reachable=*:{port}).",
            )


def _network(text: str) -> _Network | None:
    """The network, none of whose bits stand behind its prefix; ``None`` for what is none."""
    try:
        return ip_network(text)
    except ValueError:
        return None


def _carried(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """The IPv4 address that is reached by ``address``, where that is one of IPv6 that carries one."""
    return [IPv4Address(int(address) >> shift & 0xFFFFFFFF) for network, shift in _CARRYING if address in network]


def is_address(host: str) -> bool:
    """Whether a host is written as an address, and not by a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
