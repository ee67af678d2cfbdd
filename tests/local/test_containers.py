from __future__ import annotations

import socket
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from byoa.settings import Settings, addresses
from local.containers import DOCKER_DESKTOP, host_of_containers, start_relay, variables
from local.desk import ROOT, Desk, Ports
from local.processes import LOOPBACK, DeskError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems' containers reach loopback by a name")
OUTPUTS = {"TableName": "t", "BusName": "b", "QuarantineBucketName": "q", "ReceiptKeyArn": "k", "SourceRoleArn": "r"}


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server on loopback that says what it hears, backwards, when it has heard all of it."""
    with socket.create_server((LOOPBACK, 0)) as server:
        threading.Thread(target=_answer, args=(server,), daemon=True).start()
        yield server.getsockname()[1]


def _answer(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection, connection.makefile("rb") as heard:
        connection.sendall(heard.read()[::-1])


@on_linux
def test_a_relay_passes_all_on_both_ways_and_the_end_too(echo: int, tmp_path: Path) -> None:
    free = Ports.free()
    relay = start_relay("127.0.0.2", replace(free, ecr=echo), tmp_path)
    assert relay
    sent = bytes(range(256)) * 4096
    with relay, socket.create_connection(("127.0.0.2", echo), timeout=10) as client, client.makefile("rb") as answer:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        assert answer.read() == sent[::-1]


@on_linux
def test_a_relay_hangs_up_where_nothing_listens(tmp_path: Path) -> None:
    ports = Ports.free()
    relay = start_relay("127.0.0.2", ports, tmp_path)
    assert relay
    with relay, socket.create_connection(("127.0.0.2", ports.ecr), timeout=10) as client:
        assert client.recv(1) == b""


@on_linux
def test_a_relay_that_can_t_listen_is_named(echo: int, tmp_path: Path) -> None:
    with pytest.raises(DeskError, match=r"The relay ended while starting[^$]*Address already in use"):
        start_relay(LOOPBACK, Ports(echo, echo, echo), tmp_path)


def test_docker_desktop_needs_no_relay(tmp_path: Path) -> None:
    assert start_relay(DOCKER_DESKTOP, Ports(), tmp_path) is None


@on_linux
@pytest.mark.parametrize("address", ["unix:///nonexistent.sock", "tcp://127.0.0.1:1"])
def test_without_an_engine_on_this_machine_there_is_no_host(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    assert host_of_containers() is None


def test_what_sam_is_given_are_settings_that_the_template_names() -> None:
    given = variables(Desk(Ports(), OUTPUTS), "10.0.0.1")["Parameters"]
    assert addresses(Settings.read(given).plain_http_hosts) == {
        "127.0.0.1:5101": "10.0.0.1:5101",
        "127.0.0.1:5103": "10.0.0.1:5103",
        "127.0.0.1:5104": "10.0.0.1:5104",
        "222222222222.dkr.ecr.us-west-2.amazonaws.com": "10.0.0.1:5105",
    }
    template = (ROOT / "template.yaml").read_text()
    assert all(f" {name}: " in template for name in given)


def test_a_host_without_an_address_is_reached_under_its_name() -> None:
    assert addresses("a:1, b:2=c:3,") == {"a:1": "a:1", "b:2": "c:3"}
    assert addresses("") == {}
