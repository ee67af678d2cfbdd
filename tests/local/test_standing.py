"""What `make up` writes for shells, where it keeps it, and what it says: nothing that doesn't work on this machine."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from local import members, mirrors, ports, private, standing
from local.desk import Desk, Ports
from local.processes import LOOPBACK, DeskError, is_free
from local.standing import Standing
from local.telling import told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "byoa_a-token"
OUTPUTS = {
    "TableName": "t", "ReceiptKeyArn": "k", "SourceRoleArn": "r", "TryCredentialsFunctionName": "f",
    "RegistryHost": "000000000000.dkr.ecr.us-east-1.amazonaws.com",
    "ApiUrl": "https://b40a0b40.execute-api.us-east-1.amazonaws.com",
}  # fmt: skip


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server((LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


def test_the_command_line_needs_the_first_part_alone() -> None:
    first, *rest = standing.for_shells(Desk(Ports(), OUTPUTS), TOKEN).values()
    api = "http://127.0.0.1:4666/_aws/execute-api/b40a0b40"
    wanted = {"BYOA_API": api, "BYOA_TOKEN": TOKEN, "BYOA_ORG": "org_demo00000000", "BYOA_APP": "shop"}
    assert first == wanted
    assert not any(TOKEN in part.values() for part in rest)
    assert {"BYOA_DASHBOARD": "http://b40a0b40.execute-api.localhost:4666/"} in rest


def test_the_file_is_one_that_a_shell_reads_and_nobody_else(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("of before")
    file.chmod(0o644)
    standing.write_for_shells(Desk(Ports(), OUTPUTS), TOKEN, file)
    assert file.stat().st_mode & 0o777 == 0o600
    lines = file.read_text().splitlines()
    assert f"export BYOA_TOKEN={TOKEN}" in lines
    assert all(line.startswith(("# for ", "export ")) for line in lines)


def test_a_secret_s_file_is_nobody_else_s_from_its_first_byte(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    private.write_secret(file, "one")
    private.write_secret(file, "two")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("two", 0o600)


def test_two_desks_share_no_port_no_file_and_no_name_that_cookies_are_kept_by(tmp_path: Path) -> None:
    one, other = Desk(ports.chosen(None), OUTPUTS), Desk(ports.chosen(4800), OUTPUTS)
    assert [other.ports.emulator, other.ports.vendor, other.ports.cluster] == [4800, 4801, 4807]
    assert ports.every(one.ports).isdisjoint(ports.every(other.ports))
    assert len(ports.every(other.ports)) == len(ports.every(one.ports)) == 8
    assert other.dashboard == "http://b40b12c0.execute-api.localhost:4800/"
    places = [Standing(None, tmp_path), Standing(4800, tmp_path)]
    files = [{place.record, place.servers, place.shells, place.sam} for place in places]
    assert files[0].isdisjoint(files[1])


@pytest.mark.parametrize("first", [0, 80, 65529, 6000, 6666])
def test_ports_that_no_desk_or_no_browser_takes_are_refused(first: int) -> None:
    with pytest.raises(DeskError, match=str(first)):
        ports.chosen(first)


def test_a_taken_port_is_named_with_ports_that_are_free(taken: int) -> None:
    with pytest.raises(DeskError, match=rf"^Port {taken} is taken\.\n") as refused:
        ports.require_free(replace(Ports.free(), emulator=taken))
    command = refused.value.remedy.split("`")[1]
    first = int(command.removeprefix("make up PORT="))
    assert all(map(is_free, ports.every(ports.chosen(first))))


def test_of_several_taken_ports_all_are_named(taken: int) -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        also = server.getsockname()[1]
        with pytest.raises(DeskError, match=rf"^Ports {min(taken, also)} and {max(taken, also)} are taken\.\n"):
            ports.require_free(replace(Ports.free(), emulator=taken, vendor=also))


def test_a_desk_that_is_up_is_not_started_again(tmp_path: Path) -> None:
    place = Standing(4800, tmp_path)
    place.folder.mkdir()
    place.record.write_text("[]")
    with pytest.raises(DeskError, match=r"(?s)up already.*`make down PORT=4800` first\. .*`make up PORT=\d+`"):
        standing.up(place)


def test_of_two_that_are_started_at_once_one_goes_on_and_the_other_leaves_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Standing(4800, tmp_path)

    def first_is_quicker(_: Ports) -> None:
        place.folder.mkdir()
        place.record.write_text("[[1, -1]]")

    monkeypatch.setattr(standing, "start_servers", lambda *_, **__: pytest.fail("it was started"))
    monkeypatch.setattr(ports, "require_free", first_is_quicker)
    with pytest.raises(DeskError, match="up already"):
        standing.up(place)
    assert place.record.read_text() == "[[1, -1]]"


def test_what_could_not_be_started_leaves_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Standing(4800, tmp_path)

    def taken_meanwhile(*_: object, **__: object) -> None:
        assert place.record.read_text() == "[]"
        raise DeskError("Port 4800 is taken.", "")

    monkeypatch.setattr(standing, "start_servers", taken_meanwhile)
    monkeypatch.setattr(ports, "require_free", lambda _: None)
    with pytest.raises(DeskError, match="taken"):
        standing.up(place)
    assert not place.record.exists()


@pytest.mark.parametrize("host", [None, "172.17.0.1"])
def test_builds_that_go_on_by_hand_alone_are_put_where_a_container_engine_answers(
    host: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = list[str]()
    ready = Desk(Ports(), OUTPUTS, tmp_path)
    monkeypatch.setattr(standing, "host_of_containers", lambda: host)
    for name in ("start_servers", "start_relay", "push_artifacts", "put_samples", "write_for_shells"):
        monkeypatch.setattr(standing, name, lambda *_, name=name, **__: done.append(name))
    monkeypatch.setattr(standing, "deploy", lambda *_: ready)
    monkeypatch.setattr(standing, "variables", lambda *_: {})
    monkeypatch.setattr(members, "bootstrap", lambda _: TOKEN)
    monkeypatch.setattr(mirrors, "write_login", lambda _: None)
    monkeypatch.setattr(private, "_owner_login", lambda _: None)
    monkeypatch.setattr(ports, "require_free", lambda _: None)
    place = Standing(4800, tmp_path)
    place.servers.mkdir(parents=True)
    standing.up(place)
    assert ("push_artifacts" in done, "put_samples" in done, place.sam.exists()) == (True, host is not None, bool(host))


def test_what_is_down_names_what_is_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = Standing(4800, tmp_path)
    place.servers.mkdir(parents=True)
    place.record.write_text("[]")
    for asked in (None, 4900, 4800, None):
        standing.down(Standing(asked, tmp_path))
    assert capsys.readouterr().out.splitlines() == [
        "nothing is up; to stop what is: make down PORT=4800",
        "nothing is up at port 4900; to stop what is: make down PORT=4800",
        "stopped",
        "nothing is up",
    ]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("first", [None, 4800])
def test_what_is_said_are_addresses_of_this_machine(first: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private, "_owner_login", lambda _: None)
    place, ready = Standing(first), Desk(ports.chosen(first), OUTPUTS)
    lines = "\n".join(told(ready, place, TOKEN, containers=True)).splitlines()
    named = [line for line in lines if "amazonaws.com" in line]
    assert named == [line for line in lines if private.ECR in line], "a component's reference, and nothing to open"
    assert f"for the command line: source .desk/{f'{first}/' if first else ''}env" in lines
    assert lines[-1] == ("to stop: make down" if first is None else "to stop: make down PORT=4800")
