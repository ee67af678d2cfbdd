"""Answers byte by byte over a real socket: in pieces, too slow, without end, cut off."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.registries import connection
from byoa.adapters.registries.deadlines import Allowance
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.transport import Response, Stream, Transport
from byoa.errors import RegistryProtocolError, RegistryUnavailable, ShortRead, Timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

type Script = Callable[[socket.socket], None]


@contextmanager
def answering(script: Script) -> Iterator[Endpoint]:
    """A server that reads each connection's first request and then does what ``script`` says, until that returns."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    taken, _ = listening.accept()
                except OSError:
                    return
                with taken:
                    taken.recv(65536)
                    try:
                        script(taken)
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        yield Endpoint("http", "127.0.0.1", listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)


type Asked = Callable[[Endpoint, Allowance], Response]


@pytest.fixture
def asked() -> Iterator[Asked]:
    """Asks with an allowance of the test's own."""
    made: list[Transport] = []

    def ask(endpoint: Endpoint, allowance: Allowance) -> Response:
        made.append(Transport(allowance=allowance))
        return made[-1].request("GET", endpoint, "/", {})

    yield ask
    for transport in made:
        transport.close()


type Get = Callable[[Endpoint], Response]


@pytest.fixture
def get() -> Iterator[Get]:
    transport = Transport(allowance=Allowance(silence=2.0))
    yield lambda endpoint: transport.request("GET", endpoint, "/", {})
    transport.close()


def sending(*pieces: bytes, pause: float = 0.0) -> Script:
    def script(peer: socket.socket) -> None:
        for piece in pieces:
            peer.sendall(piece)
            time.sleep(pause)

    return script


def everything(response: Response) -> bytes:
    with response:
        return response.read(1_000_000)


WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (WHOLE, b"abc"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + WHOLE, b"abc"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (CHUNKED + b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\nTrailer: x\r\n\r\n", b"abc"),
        (CHUNKED + b"0\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_an_answer_is_the_same_in_whatever_pieces_it_comes(content: bytes, body: bytes, size: int, get: Get) -> None:
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    with answering(sending(*pieces, pause=0.0005)) as endpoint:
        assert everything(get(endpoint)) == body


@pytest.mark.parametrize(
    "content",
    [
        WHOLE[:-1],
        CHUNKED,
        CHUNKED + b"2\r\nab",
        CHUNKED + b"2\r\nab\r\n",
        CHUNKED + b"2\r\nabc\r\n0\r\n\r\n",
        CHUNKED + b"2\r\nab\r\nxyz\r\n",
        CHUNKED + b"2\r\nab\r\n0\r\n",
        CHUNKED + b"0\r\n" + b"Trailer: x\r\n" * 10_000,
    ],
)
def test_a_body_that_is_cut_off_is_never_taken_for_whole(content: bytes, get: Get) -> None:
    with answering(sending(content)) as endpoint, pytest.raises(ShortRead):
        everything(get(endpoint))


def test_what_came_before_a_break_is_handed_on_first(get: Get) -> None:
    with answering(sending(WHOLE[:-1])) as endpoint, get(endpoint) as response:
        view = memoryview(bytearray(3))
        assert (response.readinto(view), bytes(view[:2])) == (2, b"ab")
        with pytest.raises(ShortRead):
            response.readinto(view)


@pytest.mark.parametrize("content", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_who_hangs_up_in_the_midst_of_a_head_is_unavailable(content: bytes, get: Get) -> None:
    with answering(sending(content)) as endpoint, pytest.raises(RegistryUnavailable):
        get(endpoint)


def test_a_head_without_end_is_refused(get: Get) -> None:
    line = b"X: " + b"y" * 8000 + b"\r\n"
    with answering(sending(b"HTTP/1.1 200 OK\r\n", *[line] * 20)) as endpoint, pytest.raises(RegistryProtocolError):
        get(endpoint)


def test_interim_answers_without_end_are_refused(get: Get) -> None:
    interim = b"HTTP/1.1 102 Processing\r\n\r\n"
    with answering(sending(*[interim] * 1000)) as endpoint, pytest.raises(RegistryProtocolError):
        get(endpoint)


def test_a_switch_of_protocols_that_nobody_asked_for_is_refused(get: Get) -> None:
    content = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + WHOLE
    with answering(sending(content)) as endpoint, pytest.raises(RegistryProtocolError):
        get(endpoint)


HASTY = Allowance(silence=2.0, answer=5.0, window=0.2)
"""A minute of waiting lasts a fifth of a second."""


def test_a_head_that_drips_is_given_up(asked: Asked) -> None:
    dripping = sending(b"HTTP/1.1 200 OK\r\nX: ", *[b"y"] * 200, pause=0.02)
    with answering(dripping) as endpoint, pytest.raises(RegistryUnavailable) as caught:
        asked(endpoint, HASTY)
    assert "in time" in caught.value.cause


def test_a_body_that_drips_is_given_up(asked: Asked) -> None:
    dripping = sending(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n", *[b"y"] * 200, pause=0.02)
    with answering(dripping) as endpoint, pytest.raises(ShortRead):
        everything(asked(endpoint, HASTY))


def test_who_is_slow_to_read_is_not_taken_for_a_slow_sender(asked: Asked) -> None:
    content = b"z" * 300
    with answering(sending(b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n" + content)) as endpoint:
        response = asked(endpoint, HASTY)
        view = memoryview(bytearray(1))
        for _ in range(3):
            assert response.readinto(view) == 1
            time.sleep(0.15)
        assert everything(response) == content[3:]


STEADY = [b"y" * 50] * 200
"""Twice as fast as the slowest that is borne, for two seconds."""

SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n"


def steady(head: bytes) -> Script:
    return sending(head, *STEADY, pause=0.01)


def short(**more: Any) -> Allowance:
    return Allowance(silence=2.0, answer=0.3, window=0.2, slowest=1000, **more)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", SIZED])
def test_an_answer_that_keeps_the_pace_and_takes_too_long_is_given_up_for_good(head: bytes, asked: Asked) -> None:
    with answering(steady(head)) as endpoint, pytest.raises(RegistryUnavailable) as caught:
        everything(asked(endpoint, short()))
    assert caught.value.given_up


def test_a_blob_that_keeps_the_pace_may_take_as_long_as_it_needs(asked: Asked) -> None:
    view, count = memoryview(bytearray(10_000)), 0
    with answering(steady(SIZED)) as endpoint, asked(endpoint, short()) as response:
        while count < len(view):
            count += response.readinto(view[count:])
    assert bytes(view) == b"".join(STEADY)


def test_a_blob_in_the_midst_of_which_our_own_time_ends_is_a_timeout(asked: Asked) -> None:
    left = iter([5.0] * 6)
    allowance = short(left=lambda: next(left, 0.0))
    with answering(steady(SIZED)) as endpoint, asked(endpoint, allowance) as response, pytest.raises(Timeout):
        list(iter(lambda: response.readinto(memoryview(bytearray(10_000))), 0))


def test_without_time_nobody_is_asked(asked: Asked) -> None:
    seen: list[socket.socket] = []
    with answering(seen.append) as endpoint, pytest.raises(Timeout) as caught:
        asked(endpoint, Allowance(left=lambda: 0.0))
    assert caught.value.given_up
    assert not seen


def test_what_came_is_handed_on_after_a_while_though_the_buffer_is_not_full(
    monkeypatch: pytest.MonkeyPatch, asked: Asked
) -> None:
    monkeypatch.setattr(connection, "_A_WHILE", 0.05)
    with answering(steady(SIZED)) as endpoint, asked(endpoint, Allowance()) as response:
        assert 0 < response.readinto(memoryview(bytearray(10_000))) < 10_000


class Endless:
    """A blob without an end."""

    def readinto(self, buffer: memoryview, /) -> int:
        return len(buffer)


def test_who_takes_nothing_of_what_is_sent_is_given_up() -> None:
    transport = Transport(allowance=Allowance(silence=0.2))
    with answering(lambda _: time.sleep(3)) as endpoint, pytest.raises(RegistryUnavailable):
        transport.request("PUT", endpoint, "/", {}, Stream(Endless(), 1 << 30))


def test_a_line_of_chunking_that_says_more_than_a_size_is_refused(get: Get) -> None:
    line = b"1;" + b"x" * 8000 + b"\r\ny\r\n"
    with answering(sending(CHUNKED + line * 3 + b"0\r\n\r\n")) as endpoint, pytest.raises(ShortRead):
        everything(get(endpoint))


def test_a_connection_with_more_on_it_than_was_asked_for_is_not_used_again(get: Get) -> None:
    asked: list[bytes] = []

    def script(peer: socket.socket) -> None:
        asked.append(b"")
        peer.sendall(WHOLE + WHOLE.replace(b"abc", b"bad"))
        time.sleep(0.1)

    with answering(script) as endpoint:
        for _ in range(2):
            assert everything(get(endpoint)) == b"abc"
            time.sleep(0.02)
    assert len(asked) == 2
