"""Opens the connections. Whoever is asked for is resolved once, and the very address that was checked is connected to.

A name is refused where any of its addresses is not admitted: who gives two answers may give the other one next time.
Nothing here tells what a name resolves to, which may be what somebody wants to learn.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from byoa.engine.workers import Job
from byoa.errors import EndpointBlocked, RegistryUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.adapters.registries.deadlines import Allowance, Watch

type Place = tuple[int, int, int, str, tuple[Any, ...]]
"""Family, kind, protocol, a name, and the address to connect to: as ``socket.getaddrinfo`` gives them."""

_ADDRESSES: Final = 8
"""Addresses of one name that are tried: more than registries have."""

_ONE_ADDRESS: Final = 2.0
"""Seconds that each of them has at least: a lost packet is sent again after one."""


_LOOKUPS: Final = threading.BoundedSemaphore(8)
"""How many names are looked up at once: one that nobody answers for holds its thread longer than we wait for it."""


class Admission(Protocol):
    """Who may be connected to; ``trust.addresses.Reachable`` is one."""

    def admits(self, address: str, port: int) -> bool:
        """Whether this address may be, at this port."""
        ...

    def admits_port(self, port: int) -> bool:
        """Whether any address may be, at this port."""
        ...


def resolve(host: str, port: int, seconds: float) -> list[Place]:
    """The name's addresses. The system's resolver knows no time and no interrupt, so another thread waits for it.

    Raises ``OSError``, of which ``TimeoutError`` is one, and ``RegistryUnavailable`` where no thread gets free for it.
    """

    def ask() -> list[Place]:
        # As bytes, which the stubs don't know: a str has Python import its tables of internationalised names.
        return cast("list[Place]", socket.getaddrinfo(cast("str", host.encode("ascii")), port, type=socket.SOCK_STREAM))

    if ":" in host or host.rpartition(".")[2].isdecimal():  # an address: nobody is asked
        return ask()
    until = time.monotonic() + seconds
    if not _LOOKUPS.acquire(timeout=seconds):
        raise RegistryUnavailable("Too many names are being looked up that no name server answers for.")
    job = Job(ask)
    thread = _start(job)
    thread.join(max(until - time.monotonic(), 0.0))
    if thread.is_alive():
        raise TimeoutError
    return job.result()


def _start(job: Job[list[Place]]) -> threading.Thread:
    """A thread that looks a name up, and then makes room for another, whether anybody still waits for it or not."""

    def work() -> None:
        try:
            job.run()
        finally:
            _LOOKUPS.release()

    thread = threading.Thread(target=work, name="resolver", daemon=True)
    try:
        thread.start()
    except BaseException:
        _LOOKUPS.release()
        raise
    return thread


def connect(place: Place, seconds: float) -> socket.socket:
    """A socket that is connected to ``place``. Raises ``OSError``."""
    family, kind, protocol, _, address = place
    made = socket.socket(family, kind, protocol)
    try:
        made.settimeout(seconds)
        made.connect(address)
    except BaseException:
        made.close()
        raise
    return made


class Dialer:
    """Connects to wherever it is asked, or, with an ``admission``, to what that admits alone."""

    def __init__(
        self,
        admission: Admission | None = None,
        *,
        resolve: Callable[[str, int, float], list[Place]] = resolve,
        connect: Callable[[Place, float], socket.socket] = connect,
    ) -> None:
        self._admission = admission
        self._resolve = resolve
        self._connect = connect

    def dial(self, host: str, port: int, allowance: Allowance, watch: Watch) -> socket.socket:
        """A socket to the first address of the name that answers; they share the time.

        Raises ``EndpointBlocked`` for who may not be connected to, and ``OSError``.
        """
        seconds = allowance.connect
        places = self._admitted(host, port, min(watch.seconds(), seconds))[:_ADDRESSES]
        failure = OSError("The name has no address.")
        for place in places:
            try:
                return self._connect(place, min(watch.seconds(), max(seconds / len(places), _ONE_ADDRESS)))
            except OSError as error:
                failure = error
        raise failure

    def _admitted(self, host: str, port: int, seconds: float) -> list[Place]:
        """The addresses of the name, all of which are admitted."""
        admission = self._admission
        if admission and not admission.admits_port(port):
            raise EndpointBlocked(
                f"Port {port} of {host} is not one that this platform connects to.",
                remedy="Use a registry on port 443; a platform's operator may open further ports.",
            )
        places = self._resolve(host, port, seconds)
        if admission and not all(admission.admits(place[4][0], port) for place in places):
            raise EndpointBlocked(f"{host} leads to an address that is not public.")
        return places


OPEN: Final = Dialer()
"""Connects to anybody: for people at a terminal, and to what is our own."""
