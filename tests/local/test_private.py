"""The desk's private places hold what their owner pushed, and show it to nobody without a login."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from byoa.bootstrap import terminal
from byoa.errors import AuthFailed
from byoa.oci.reference import Reference
from byoa.trust.credentials import Credential
from local import private
from local.demo import ARTIFACTS, TAG, push
from local.desk import ORGANISATION, Desk, Ports, start_servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.private import Place
    from local.processes import Process

pytestmark = pytest.mark.emulator

PLACES = ("private-basic", "private-ecr", "private-token")


@pytest.fixture(scope="module")
def started() -> list[Process]:
    return []


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, started: list[Process]) -> Iterator[Desk]:
    """The servers alone: what the stack would say of itself is said here."""
    ports = Ports.free()
    try:
        start_servers(tmp_path_factory.mktemp("desk"), ports, say=lambda _: None, keep=started.append)
        desk = Desk(ports, {"TableName": "table", "SourceRoleArn": "arn:aws:iam::000000000000:role/source"})
        private.open_account(desk, ORGANISATION)
        for place in private.places(desk):
            push(place)
        yield desk
    finally:
        for process in reversed(started):
            process.stop()


@pytest.fixture(params=PLACES)
def place(running: Desk, request: pytest.FixtureRequest) -> Place:
    return next(each for each in private.places(running) if each.component == request.param)


def digest_at(place: Place) -> str:
    reference = Reference.parse(f"oci://{place.address}/{place.repository}:{place.tag}")
    found = terminal.repository(reference, "source", place.login, plain_http=True).find_manifest(place.tag)
    assert found
    return str(found)


def test_its_owner_reads_what_was_pushed(place: Place) -> None:
    assert digest_at(place) == str(terminal.layout(ARTIFACTS / place.layout).fetch_manifest(TAG).digest)


def test_nobody_else_does(place: Place) -> None:
    assert place.login
    for login in (None, Credential(place.login.username, "wrong")):
        with pytest.raises(AuthFailed):
            digest_at(replace(place, login=login))


def test_one_place_s_login_opens_no_other(running: Desk) -> None:
    logins = {place.component: place.login for place in private.places(running)}
    for place in private.places(running):
        for component in set(logins) - {place.component}:
            with pytest.raises(AuthFailed):
                digest_at(replace(place, login=logins[component]))


def test_no_password_stands_among_a_process_s_arguments(running: Desk, started: list[Process]) -> None:
    for process in started:
        arguments = Path(f"/proc/{process.pid}/cmdline").read_text()
        assert all(place.secret not in arguments for place in private.places(running) if place.secret)


def test_each_desk_has_passwords_of_its_own_which_no_description_shows() -> None:
    one, other = Ports().passwords, Ports().passwords
    assert len({one.basic, one.token, other.basic, other.token}) == 4
    assert one.basic not in repr(Ports(passwords=one))
