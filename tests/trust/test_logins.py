"""Docker's config entries: what a person's own file means, and what a stored one must be."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byoa.errors import CredentialMalformed
from byoa.oci.reference import Registry
from byoa.trust.credentials import Credential
from byoa.trust.logins import check_login, find_login, login_of, place_of, read_entry, stored_login

HOST: Final = Registry.parse("registry.example.com")
HUB: Final = Registry.parse("docker.io")
CANARY: Final = "canary-secret"


def pair(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


OURS: Final = Credential("ours", CANARY)
ENTRY: Final = {"auth": pair(f"ours:{CANARY}")}
OTHER: Final = {"auth": pair("theirs:other")}


def same(found: Credential | None, wanted: Credential) -> bool:
    return found == wanted


# Entries

ENTRIES: Final[dict[str, tuple[dict[str, Any], Credential]]] = {
    "a pair in base64": (ENTRY, OURS),
    "a pair apart": ({"username": "ours", "password": CANARY}, OURS),
    "both, as clusters write it": ({**ENTRY, "username": "ours", "password": CANARY}, OURS),
    "both, at odds": ({**ENTRY, "username": "theirs", "password": "other"}, OURS),
    "with what says nothing": ({**ENTRY, "email": "a@b.c", "serveraddress": "other.example", "x": 7}, OURS),
    "a password with colons": ({"auth": pair("ours:a:b::")}, Credential("ours", "a:b::")),
    "a password filled up with NULs": ({"auth": pair(f"ours:\0{CANARY}\0\0")}, OURS),
    "wrapped base64": ({"auth": f"{ENTRY['auth'][:8]}\r\n {ENTRY['auth'][8:]}\n"}, OURS),
    "$, % and UTF-8": ({"auth": pair("robot$team+x:$HOME%41ä€𝄞")}, Credential("robot$team+x", "$HOME%41ä€𝄞")),
    "a robot of Quay's": ({"auth": pair("org+robot:t")}, Credential("org+robot", "t")),
    "a namespace of Oracle's": ({"auth": pair("ns/us@example.com:t")}, Credential("ns/us@example.com", "t")),
    "a refresh token": ({"identitytoken": CANARY}, Credential("", "", identity_token=CANARY)),
    "a refresh token beside a name": (
        {"auth": pair("00000000-0000-0000-0000-000000000000:"), "identitytoken": CANARY},
        Credential("00000000-0000-0000-0000-000000000000", "", identity_token=CANARY),
    ),
    "a refresh token by its name": ({"auth": pair(f"<token>:{CANARY}")}, Credential("", "", identity_token=CANARY)),
    "a token": ({"registrytoken": CANARY}, Credential("", "", registry_token=CANARY)),
}  # fmt: skip


@pytest.mark.parametrize(("entry", "wanted"), ENTRIES.values(), ids=ENTRIES.keys())
def test_an_entry_means_the_same_in_a_file_and_stored(entry: dict[str, Any], wanted: Credential) -> None:
    found = read_entry(entry)
    assert found
    assert same(found, wanted)
    assert same(find_login({"registry.example.com": entry}, HOST), wanted)
    assert same(stored_login({"auths": {"registry.example.com": entry}}, HOST), wanted)


@pytest.mark.parametrize("entry", [None, 7, [], "x", {}, {"auth": ""}, {"auth": None}, {"auth": 7}, {"email": "a@b.c"}])
def test_what_is_no_login_is_passed_over_in_a_file(entry: object) -> None:
    assert read_entry(entry) is None


BROKEN: Final = {
    "no colon": pair(CANARY),
    "no name": pair(f":{CANARY}"),
    "not base64": f"{CANARY}%",
    "not padded": pair("ours:ab").rstrip("="),
    "not ASCII": "ä",
    "not UTF-8": pair(b"ours:\xff"),
}


@pytest.mark.parametrize("auth", BROKEN.values(), ids=BROKEN.keys())
def test_an_auth_that_is_no_pair_is_named_and_not_quoted(auth: str) -> None:
    for read in (read_entry, lambda entry: stored_login({"auths": {"registry.example.com": entry}}, HOST)):
        with pytest.raises(CredentialMalformed) as caught:
            read({"auth": auth, "username": "ours", "password": CANARY})
        shown = f"{caught.value!r} {caught.value.as_json()} {caught.value.__cause__!r}"
        assert not [each for each in (CANARY, auth) if each in shown]
        assert caught.value.__context__ is None or isinstance(caught.value.__context__, CredentialMalformed)


@pytest.mark.parametrize(
    "entry",
    [
        {"auth": pair("ours:secret\n")}, {"auth": pair("ours:sec\r\nret")}, {"auth": pair("ou\0rs:secret")},
        {"auth": pair("ours:sec\0ret")}, {"username": "ours", "password": "secret\n"}, {"auth": pair("ours:\x7f")},
        {"identitytoken": "a\nb"}, {"registrytoken": "a b"}, {"registrytoken": "a\r\nX: y"}, {"registrytoken": "é"},
        {"username": "us:er", "password": "secret"}, {"auth": pair("ours:" + "x" * 64 * 1024)},
        {"auth": pair("x" * 2000 + ":secret")}, {"identitytoken": "x" * 20_000}, {"registrytoken": "x" * 20_000},
        {"auth": pair("ours:")}, {"username": "ours"}, {"username": "ours", "password": "\ud800"},
        {"auth": 7}, {"auth": [], "username": "ours", "password": "x"}, "x", [], 7,
    ],
)  # fmt: skip
def test_a_stored_login_that_no_registry_gave_out_is_malformed(entry: object) -> None:
    with pytest.raises(CredentialMalformed) as caught:
        stored_login({"auths": {"registry.example.com": entry}}, HOST)
    assert "secret" not in caught.value.as_json()
    assert "byoa credentials set" in caught.value.remedy


def test_a_key_file_of_googles_is_not_too_long() -> None:
    check_login(Credential("_json_key", json.dumps({"private_key": "x" * 3300})))


def test_what_a_helper_says_is_read_like_an_entry() -> None:
    assert login_of("ours", CANARY) == OURS
    assert login_of("<token>", CANARY) == Credential("", "", identity_token=CANARY)
    assert login_of("", "") is None


@given(st.text(), st.text())
def test_any_pair_is_kept_as_it_is_or_refused(username: str, password: str) -> None:
    try:
        encoded = pair(f"{username}:{password}")
        found = read_entry({"auth": encoded})
    except (CredentialMalformed, UnicodeEncodeError):
        return
    assert found
    if found.identity_token is None:
        name, _, secret = f"{username}:{password}".partition(":")
        assert (found.username, found.password) == (name, secret.strip("\0"))


# Keys


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("registry.example.com", "registry.example.com"), ("Registry.Example.COM", "registry.example.com"),
        ("https://registry.example.com", "registry.example.com"),
        ("http://registry.example.com/", "registry.example.com"),
        ("https://registry.example.com/v1/", "registry.example.com"),
        ("registry.example.com/v2", "registry.example.com"),
        ("registry.example.com:443", "registry.example.com"),
        ("registry.example.com:5000", "registry.example.com:5000"),
        ("registry.example.com/team", "registry.example.com/team"), ("[::1]:5000/team", "[::1]:5000/team"),
        ("https://index.docker.io/v1/", "docker.io"), ("index.docker.io", "docker.io"), ("docker.io", "docker.io"),
        ("registry-1.docker.io", "docker.io"), ("docker.io/library/app", "docker.io/library/app"),
        ("*.example.com", None), ("", None), ("https://", None), ("user@registry.example.com", None),
    ],
)  # fmt: skip
def test_a_key_is_one_place(key: str, place: str | None) -> None:
    assert place_of(key) == place


def test_the_longest_path_that_covers_a_repository_counts() -> None:
    auths = {"registry.example.com": OTHER, "registry.example.com/team": ENTRY, "registry.example.com/team/x": OTHER}
    for found in (find_login(auths, HOST, "team/app"), stored_login({"auths": auths}, HOST, "team/app")):
        assert found == OURS
    assert find_login(auths, HOST, "teams/app") == Credential("theirs", "other")


def test_a_port_makes_another_host() -> None:
    auths = {"registry.example.com:5000": ENTRY}
    assert find_login(auths, HOST) is None
    assert find_login(auths, Registry.parse("registry.example.com:5000")) == OURS
    with pytest.raises(CredentialMalformed):
        stored_login({"auths": auths}, HOST)
    with pytest.raises(CredentialMalformed):
        stored_login({"auths": {"registry.example.com": ENTRY}}, Registry.parse("registry.example.com:5000"))


@pytest.mark.parametrize(
    ("exact", "other", "registry"),
    [
        ("registry.example.com", "https://registry.example.com", HOST),
        ("registry.example.com", "registry.example.com:443", HOST),
        ("https://index.docker.io/v1/", "docker.io", HUB),
        ("https://index.docker.io/v1/", "index.docker.io", HUB),
        ("docker.io", "registry-1.docker.io", HUB),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_of_two_keys_of_one_place_a_file_means_the_usual_one_and_a_stored_one_neither(
    exact: str, other: str, registry: Registry, order: int
) -> None:
    auths = dict([(exact, ENTRY), (other, OTHER)][::order])
    assert find_login(auths, registry) == OURS
    with pytest.raises(CredentialMalformed):
        stored_login({"auths": auths}, registry)


def test_an_empty_entry_of_the_usual_key_leaves_it_to_the_other() -> None:
    assert find_login({"docker.io": ENTRY, "https://index.docker.io/v1/": {}}, HUB) == OURS


def test_a_broken_login_that_nobody_asked_for_stops_nobody_with_a_file_of_their_own() -> None:
    assert find_login({"other.example": {"auth": "%"}, "registry.example.com": ENTRY}, HOST) == OURS


@pytest.mark.parametrize(
    "config",
    [
        None, [], "x", {}, {"auths": None}, {"auths": []}, {"auths": {}}, {"auths": {"other.example": ENTRY}},
        {"auths": {"registry.example.com/team": ENTRY}}, {"auths": {"registry.example.com": {}}},
        {"auths": {"*.example.com": ENTRY}}, {"auths": {"registry.example.com": ENTRY, "*": OTHER}},
        {"auths": {"registry.example.?om": ENTRY}}, {"auths": {"registry.example.com/team-[ab]": ENTRY}},
        {"auths": {"registry.example.com": ENTRY, "not a host": OTHER}},
        {"auths": {"registry.example.com": ENTRY}, "credsStore": "desktop"},
        {"auths": {"registry.example.com": ENTRY}, "credHelpers": {"other.example": "gcloud"}},
        {"credHelpers": {"registry.example.com": "ecr-login"}},
    ],
)  # fmt: skip
def test_a_stored_config_that_can_be_understood_in_two_ways_is_malformed(config: object) -> None:
    with pytest.raises(CredentialMalformed) as caught:
        stored_login(config, HOST, "app")
    assert CANARY not in caught.value.as_json()
    assert caught.value.remedy


def test_empty_settings_of_a_laptop_say_nothing() -> None:
    config = {"auths": {"registry.example.com": ENTRY}, "credsStore": "", "credHelpers": {}, "HttpHeaders": {"x": "y"}}
    assert stored_login(config, HOST) == OURS


def test_brackets_of_an_address_are_no_pattern() -> None:
    assert stored_login({"auths": {"[2001:db8::1]:5000": ENTRY}}, Registry.parse("[2001:db8::1]:5000")) == OURS
