"""Lets containers on this machine reach the desk, which listens on loopback alone.

`python -m local.relay ADDRESS PORT…` listens at ADDRESS, the host's on the containers' own network, and passes what
comes to each PORT on to the same port on loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import sys

from local.processes import LOOPBACK

READY = "listening"
_FREEBIND = getattr(socket, "IP_FREEBIND", 15)
"""Linux's ip(7): bind to an address that is there only while a container runs."""

_BLOCK = 65536


def listening(address: str, port: int) -> socket.socket:
    """A socket at ``address``, whether or not the machine has it at this moment. Raises OSError when it is taken."""
    found = socket.socket()
    try:
        found.setsockopt(socket.SOL_IP, _FREEBIND, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((address, port))
    except BaseException:
        found.close()
        raise
    return found


async def _serve(address: str, ports: list[int]) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for port in ports:
            pass_on = functools.partial(_pass_on, port)
            await stack.enter_async_context(await asyncio.start_server(pass_on, sock=listening(address, port)))
        print(READY, flush=True)
        await asyncio.Event().wait()


async def _pass_on(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        inner_reader, inner_writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        writer.close()
        return
    with contextlib.closing(writer), contextlib.closing(inner_writer):
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while block := await source.read(_BLOCK):
            target.write(block)
            await target.drain()
        target.write_eof()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], [int(port) for port in sys.argv[2:]]))
