"""Names that no name server answers for: each holds a thread, and there are never more than a few."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.registries.dialing import resolve
from byoa.errors import RegistryUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_ONCE = 8
FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))]


class System:
    """The system's resolver, which answers for a name that hangs once it gives up."""

    def __init__(self) -> None:
        self.gives_up = threading.Event()

    def getaddrinfo(self, host: bytes, *_: Any, **__: Any) -> list[Any]:
        if host.startswith(b"hangs"):
            self.gives_up.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return FOUND


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    made = System()
    monkeypatch.setattr(socket, "getaddrinfo", made.getaddrinfo)
    yield made
    made.gives_up.set()
    for thread in _resolvers():
        thread.join()


def _resolvers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "resolver"]


def test_lookups_that_hang_are_few_and_the_next_one_is_refused(system: System) -> None:
    for number in range(AT_ONCE):
        with pytest.raises(TimeoutError):
            resolve(f"hangs-{number}.example", 443, 0.01)
    for name in ("hangs-too.example", "sound.example"):
        with pytest.raises(RegistryUnavailable, match="Too many names"):
            resolve(name, 443, 0.01)
    assert len(_resolvers()) == AT_ONCE
    assert resolve("192.0.2.1", 443, 0.01) == FOUND, "an address is asked of nobody"


def test_when_the_system_gives_up_names_are_looked_up_again(system: System) -> None:
    for number in range(AT_ONCE):
        with pytest.raises(TimeoutError):
            resolve(f"hangs-{number}.example", 443, 0.01)
    system.gives_up.set()
    for _ in range(2 * AT_ONCE):
        assert resolve("sound.example", 443, 60) == FOUND


def test_more_at_once_than_there_are_threads_wait_for_each_other(system: System) -> None:
    answers: list[Any] = []
    asking = [
        threading.Thread(target=lambda: answers.append(resolve("sound.example", 443, 60))) for _ in range(4 * AT_ONCE)
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert answers == [FOUND] * 4 * AT_ONCE
    with pytest.raises(TimeoutError):
        resolve("hangs.example", 443, 0.01)
    assert resolve("sound.example", 443, 60) == FOUND
