"""A world of its own for hostile registries: names with addresses, what listens there, and a record of every dial."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from byoa.adapters.registries.deadlines import Allowance
from byoa.adapters.registries.dialing import Dialer, connect
from byoa.adapters.registries.transport import Transport
from byoa.trust.addresses import Reachable

if TYPE_CHECKING:
    from byoa.adapters.registries.dialing import Place


class World:
    """``names`` has each name's addresses, ``listening`` the port on loopback of what is at an address and a port.

    Nothing else exists: who dials another address is noted in ``dialled`` as well, and refused.
    """

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = {}
        self.listening: dict[tuple[str, int], int] = {}
        self.asked: list[str] = []
        self.dialled: list[tuple[str, int]] = []

    def resolve(self, host: str, port: int, seconds: float) -> list[Place]:
        self.asked.append(host)
        if ":" in host or host.rpartition(".")[2].isdecimal():
            return [self._place(host, port)]
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [self._place(address, port) for address in self.names[host]]

    @staticmethod
    def _place(address: str, port: int) -> Place:
        if ":" in address:
            return socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0)
        return socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)

    def connect(self, place: Place, seconds: float) -> socket.socket:
        there = (place[4][0], place[4][1])
        self.dialled.append(there)
        if there not in self.listening:
            raise ConnectionRefusedError
        return connect(self._place("127.0.0.1", self.listening[there]), seconds)

    def dialer(self, reachable: str = "") -> Dialer:
        return Dialer(Reachable.parse(reachable), resolve=self.resolve, connect=self.connect)

    def transport(self, reachable: str = "", ca: str | None = None) -> Transport:
        return Transport(
            allowance=Allowance(connect=2.0, silence=5.0), dialer=self.dialer(reachable), ca=ca, by_environment=False
        )
