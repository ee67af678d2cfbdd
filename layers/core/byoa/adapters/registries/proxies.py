"""Proxies on the way to registries, as the variables of the environment name them (golang.org/x/net/http/httpproxy).

Who speaks for people heeds them; the pipeline, whose references are strangers', doesn't.
"""

from __future__ import annotations

import base64
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from byoa.adapters.registries.endpoints import Endpoint


class ProxyFailed(OSError):
    """A proxy is no help; ``cause`` says why."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Proxy(NamedTuple):
    """Where a proxy listens, and the value of Proxy-Authorization that it is shown, if any."""

    host: str
    port: int
    authorization: str | None = None


class Proxies:
    """The proxy for each endpoint, by the variables in ``environment``, of which the lower-case ones go first."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        def read(name: str) -> str:
            return environment.get(name) or environment.get(name.upper()) or ""

        self._by_scheme = {"https": read("https_proxy"), "http": read("http_proxy")}
        self._direct = [part.strip().lower() for part in read("no_proxy").split(",") if part.strip()]

    def of(self, endpoint: Endpoint) -> Proxy | None:
        """The proxy on the way; ``None`` where there is none. Raises ``ProxyFailed`` for a setting that can't be used.

        This machine is always spoken to directly.
        """
        setting = self._by_scheme[endpoint.scheme]
        if not setting or _is_here(endpoint.host) or any(_names(part, endpoint) for part in self._direct):
            return None
        return _parse(setting)


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _names(part: str, endpoint: Endpoint) -> bool:
    """Whether a part of NO_PROXY is ``endpoint``: a domain with all below it, an address or a network, with a port."""
    if part == "*":
        return True
    host, colon, port = part.rpartition(":")
    if colon and port.isdecimal() and (host.endswith("]") or ":" not in host):
        if int(port) != endpoint.port:
            return False
        part = host
    part = part.strip("[]")
    try:
        return ip_address(endpoint.host) in ip_network(part, strict=False)
    except ValueError:
        domain = part.removeprefix("*").removeprefix(".")
        return endpoint.host.endswith(f".{domain}") or (endpoint.host == domain and not part.startswith((".", "*")))


def _parse(setting: str) -> Proxy:
    try:
        parts = urlsplit(setting if "://" in setting else f"http://{setting}")
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        raise ProxyFailed("The setting for the proxy is no address.") from None
    if parts.scheme != "http" or not host or not host.isascii():
        raise ProxyFailed("The setting for the proxy names no http:// address, which is the kind that is spoken to.")
    if parts.username is None:
        return Proxy(host, port)
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return Proxy(host, port, f"Basic {base64.b64encode(pair).decode()}")
