"""What it means that no answer came, and what to do about it. Nothing here quotes the other side."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING, Final

from byoa.adapters.registries.connection import NoHandshake, Refused
from byoa.adapters.registries.deadlines import OutOfTime, TooLate
from byoa.errors import RegistryUnavailable, Timeout, Transient

if TYPE_CHECKING:
    from byoa.adapters.registries.endpoints import Endpoint

_PROXY: Final = "Check HTTPS_PROXY, or name the host in NO_PROXY."
_PROXY_LOGIN: Final = "Write the proxy's name and password into HTTPS_PROXY, as http://NAME:PASSWORD@HOST:PORT."


def unreachable(error: OSError, endpoint: Endpoint | None = None) -> Transient:
    """Say what went wrong with ``endpoint``. Who was too late once would be so again, and who isn't trusted, too."""
    if isinstance(error, TooLate):
        own = isinstance(error, OutOfTime)
        cause = "No time is left to wait for the registry." if own else "The registry took longer than an answer may."
        return _final(Timeout(cause, remedy=str(error)) if own else RegistryUnavailable(cause))
    return _by_proxy(error) or _by_tls(error, endpoint) or _by_network(error, endpoint)


def _final(error: Transient) -> Transient:
    error.given_up = True
    return error


def _by_proxy(error: OSError) -> Transient | None:
    if isinstance(error, Refused):
        wants = error.status == 407  # noqa: PLR2004 - RFC 9110, 15.5.8
        cause = f"The proxy doesn't connect us (status {error.status})." if error.status else "No proxy answers."
        cause = "The proxy wants a login." if wants else cause
        found = RegistryUnavailable(cause, remedy=_PROXY_LOGIN if wants else _PROXY)
        return _final(found) if 400 <= error.status < 500 else found  # noqa: PLR2004 - RFC 9110, 15.5
    module = sys.modules.get("byoa.adapters.registries.proxies")
    if module and isinstance(error, module.ProxyFailed):
        return _final(RegistryUnavailable(error.cause, remedy=_PROXY))
    return None


def _by_tls(error: OSError, endpoint: Endpoint | None) -> Transient | None:
    """The module is there if any connection has asked for it."""
    module = sys.modules.get("byoa.adapters.registries.tls")
    if module is None or endpoint is None:
        return None
    if isinstance(error, NoHandshake):
        cause = f"{endpoint.authority} doesn't answer to TLS."
        return RegistryUnavailable(cause, remedy=module.unspoken(endpoint.authority))
    told = module.explain(error, endpoint.authority)
    return _final(RegistryUnavailable(told[0], remedy=told[1])) if told else None


def _by_network(error: OSError, endpoint: Endpoint | None) -> Transient:
    who = endpoint.authority if endpoint else "The registry"
    if isinstance(error, TimeoutError):
        return RegistryUnavailable(f"{who} did not answer in time.")
    if isinstance(error, socket.gaierror):
        return RegistryUnavailable(
            f"The name of {who} does not resolve.",
            remedy="Check the host's name; on your own machine, where the way out is a proxy, name it in HTTPS_PROXY.",
        )
    plain = endpoint is not None and endpoint.scheme == "http"
    remedy = "Check host and port; for a registry that speaks TLS, leave --plain-http out." if plain else ""
    return RegistryUnavailable(f"{who} can't be reached, or hung up.", remedy=remedy)
