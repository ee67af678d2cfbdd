"""Whom a stranger may have us connect to: each row of ``addresses.toml``, by name and by itself, and what is opened."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byoa.adapters.registries.dialing import Dialer
from byoa.adapters.registries.endpoints import Endpoint
from byoa.errors import EndpointBlocked, InternalFault, ReferenceUnsupported, RegistryUnavailable
from byoa.oci.reference import Registry
from byoa.trust.addresses import Reachable, is_public
from tests.hostile.rows import named, rows
from tests.hostile.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.adapters.registries.dialing import Place

ROWS = rows("addresses.toml")
NAME = "registry.example"


@pytest.fixture
def world() -> World:
    return World()


def ask(world: World, host: str, port: int = 443, reachable: str = "") -> None:
    transport = world.transport(reachable)
    try:
        transport.request("GET", Endpoint("https", host, port), "/v2/", {})
    finally:
        transport.close()


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_a_name_with_such_an_address_ends_as_its_row_says(row: dict[str, Any], world: World) -> None:
    wanted = EndpointBlocked if row.get("wanted") else RegistryUnavailable  # nobody listens at any of them
    for address in row["addresses"]:
        for port in row.get("ports", [443]):
            world.names = {NAME: [address]}
            with pytest.raises(wanted) as caught:
                ask(world, NAME, port)
            assert address not in caught.value.as_json() or not address
        assert ("wanted" in row) != ((address, 443) in world.dialled)
    assert ("wanted" in row) == (not world.dialled)


@pytest.mark.parametrize("row", rows("addresses.toml", "names"), ids=named)
def test_this_machine_s_own_names_lead_nowhere(row: dict[str, Any]) -> None:
    """With the real resolver, whatever it says of them."""
    dialled: list[Place] = []

    def note(place: Place, seconds: float) -> socket.socket:
        dialled.append(place)
        raise ConnectionRefusedError

    world, dialer = World(), Dialer(Reachable(), connect=note)
    for name in row["names"]:
        world.dialer = lambda reachable="": dialer  # type: ignore[method-assign]
        with pytest.raises((EndpointBlocked, RegistryUnavailable)):
            ask(world, name)
    with pytest.raises(EndpointBlocked):
        ask(world, "localhost")
    assert dialled == []


@pytest.mark.parametrize("place", range(3))
def test_one_address_that_is_not_public_is_enough_to_refuse_a_name(world: World, place: int) -> None:
    for private in ("127.0.0.1", "fd00::1", "169.254.169.254"):
        answers = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"]
        answers.insert(place, private)
        world.names = {NAME: answers}
        with pytest.raises(EndpointBlocked, match=r"registry\.example leads to an address that is not public"):
            ask(world, NAME)
    assert world.dialled == []


def test_of_a_thousand_addresses_all_are_looked_at_and_few_are_tried(world: World) -> None:
    public = [f"93.184.{high}.{low}" for high in range(4) for low in range(250)]
    world.names = {NAME: public}
    with pytest.raises(RegistryUnavailable):
        ask(world, NAME)
    assert 0 < len(world.dialled) <= 16
    world.dialled.clear()
    world.names = {NAME: [*public, "10.0.0.1"]}
    with pytest.raises(EndpointBlocked):
        ask(world, NAME)
    assert world.dialled == []


def _fails(error: OSError) -> Callable[[str, int, float], list[Place]]:
    def resolve(host: str, port: int, seconds: float) -> list[Place]:
        raise error

    return resolve


@pytest.mark.parametrize(
    "resolve",
    [
        _fails(socket.gaierror(socket.EAI_NONAME, "no name")),
        _fails(socket.gaierror(socket.EAI_AGAIN, "SERVFAIL")),
        _fails(TimeoutError()),
        lambda host, port, seconds: [],
    ],
    ids=["no such name", "SERVFAIL", "no answer", "an empty answer"],
)
def test_a_name_that_does_not_resolve_is_nobody_s(
    resolve: Callable[[str, int, float], list[Place]], world: World
) -> None:
    world.resolve = resolve  # type: ignore[assignment,method-assign]
    with pytest.raises(RegistryUnavailable):
        ask(world, NAME)
    assert world.dialled == []


def test_a_name_is_resolved_once_for_each_connection_and_what_was_checked_is_dialled(world: World) -> None:
    """Who answers otherwise the second time is believed the first: there is no second time."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])

    def rebinding(host: str, port: int, seconds: float) -> list[Place]:
        world.names = {NAME: next(answers)}
        return World.resolve(world, host, port, seconds)

    world.resolve = rebinding  # type: ignore[method-assign]
    with pytest.raises(RegistryUnavailable):
        ask(world, NAME)
    with pytest.raises(EndpointBlocked):
        ask(world, NAME)
    assert world.asked == [NAME, NAME]
    assert world.dialled == [("93.184.216.34", 443)]


def test_a_port_is_refused_before_the_name_is_asked_for(world: World) -> None:
    with pytest.raises(EndpointBlocked, match=r"Port 6379 of registry\.example"):
        ask(world, NAME, 6379)
    assert world.asked == []


OPENED = "127.0.0.1/32:5101, 10.20.0.0/16:5000,[fd00:20::/32]:5000, 192.168.7.0/24, *:8443, fd00:30::/32"


@pytest.mark.parametrize(
    ("address", "port", "admitted"),
    [
        ("127.0.0.1", 5101, True),
        ("127.0.0.1", 5102, False),
        ("127.0.0.1", 443, False),
        ("127.0.0.2", 5101, False),
        ("10.20.255.255", 5000, True),
        ("10.21.0.0", 5000, False),
        ("10.20.0.1", 443, False),
        ("fd00:20::1", 5000, True),
        ("fd00:21::1", 5000, False),
        ("::ffff:10.20.0.1", 5000, False),
        ("192.168.7.7", 443, True),
        ("192.168.7.7", 8443, False),
        ("fd00:30::1", 443, True),
        ("93.184.216.34", 8443, True),
        ("93.184.216.34", 443, True),
        ("93.184.216.34", 5000, False),
        ("10.0.0.1", 8443, False),
    ],
)
def test_what_is_opened_is_open_and_nothing_beside_it(address: str, port: int, admitted: bool, world: World) -> None:  # noqa: FBT001
    world.names = {NAME: [address]}
    with pytest.raises(RegistryUnavailable if admitted else EndpointBlocked):
        ask(world, NAME, port, OPENED)
    assert world.dialled == [(address, port)] * admitted
    registry = Registry(address, None if port == 443 else port)
    if admitted:
        Reachable.parse(OPENED).check(registry)
    else:
        with pytest.raises((EndpointBlocked, ReferenceUnsupported)):
            Reachable.parse(OPENED).check(registry)


@pytest.mark.parametrize("row", [row for row in ROWS if row["id"] in ("B1", "B2")], ids=named)
def test_no_setting_opens_what_keeps_credentials(row: dict[str, Any], world: World) -> None:
    for address in {*row["addresses"], "::ffff:169.254.169.254", "fe80::1"} - {"192.0.0.192"}:
        world.names = {NAME: [address]}
        with pytest.raises(EndpointBlocked):
            ask(world, NAME, reachable="0.0.0.0/0, ::/0")
    assert world.dialled == []


@pytest.mark.parametrize(
    "address",
    [
        "64:ff9b::a9fe:a9fe", "64:ff9b::a83f:8110", "64:ff9b::6464:64c8", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1",
        "::a9fe:a9fe", "::ffff:0:a9fe:a9fe",
    ],
)  # fmt: skip
def test_nor_does_one_for_addresses_that_are_translated_to_them(address: str, world: World) -> None:
    world.names = {NAME: [address]}
    with pytest.raises(EndpointBlocked):
        ask(world, NAME, reachable="::/0, 64:ff9b::/96, 2002::/16")
    assert world.dialled == []
    for opened in ("64:ff9b::a14:1", "2002:a14:1::1", "::1"):
        assert Reachable.parse("::/0").admits(opened, 443)


def test_without_a_setting_nothing_is_opened() -> None:
    for text in ("", " ", ",", " , "):
        assert Reachable.parse(text) == Reachable()
    assert Reachable() == (frozenset({443}), ())


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0:5000/8", "*", "*:0", "*:65536", "*:443x", "10.0.0.0/8:0", "10.0.0.0/8:",
        "fd00::/8:5000x", "[fd00::/8", "::/129", "example.com", "example.com:443", "10.0.0.0/8;192.168.0.0/16",
        "10.0.0.0/8 192.168.0.0/16", "0x0a000000/8", "10.0.0.0/255.0.0.0", "fd00::/8:5000", "fd00::/8]:5000", "-1",
        "/8", "10.0.0.0/8,x", "*:8443,*", "\u0661\u0660.0.0.0/8", "10.0.0.0/8:\u0665", "10.0.0.1", "[10.0.0.0/8]:5000",
    ],
)  # fmt: skip
def test_a_setting_that_is_misread_opens_nothing(text: str) -> None:
    with pytest.raises(InternalFault, match="Reachable"):
        Reachable.parse(text)


@given(st.ip_addresses())
def test_every_public_address_is_global_to_the_standard_library_too(address: Any) -> None:
    assert not is_public(str(address)) or address.is_global
