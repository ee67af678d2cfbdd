"""`byoa.lock`: what was pinned, to be committed; and `byoa sync --locked`, which fails where something moved."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from byoa.errors import LockMismatch, ReferenceNotFound
from byoa_cli.locks import read
from tests.cli.homes import DIGEST, FINE, MEND, USAGE, ended_by

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.api.loopback import Answer, Request
    from tests.cli.homes import Home

OTHER = f"sha256:{'0' * 64}"


@pytest.fixture
def locked(home: Home) -> Home:
    """Two components, built and locked, whose tags mean what was built."""
    home.vendors.tags |= {"db": DIGEST, "web": DIGEST}
    assert ended_by(home, "active", "sync", home.write("web", "db")).code == FINE
    return home


def lock_of(home: Home) -> Path:
    return home.folder / "app" / "byoa.lock"


def document(home: Home) -> Any:
    return tomllib.loads(lock_of(home).read_text())


def why(home: Home, *more: str) -> list[tuple[str, str]]:
    """What `sync --locked` says has moved, with nothing handed in."""
    before = len(home.build_ids())
    done = home.here("sync", "app", "--locked", "--json", *more)
    assert (done.code, done.json()["error"]["code"]) == (MEND, "LockMismatch")
    assert len(home.build_ids()) == before
    return [(each["component"], each["why"]) for each in done.json()["moved"]]


def test_a_sync_locks_what_its_builds_pinned(locked: Home) -> None:
    found = document(locked)
    assert (found["lock"], list(found["components"])) == (1, ["db", "web"])
    web = found["components"]["web"]
    assert (web["version"], web["tag"], web["digest"]) == (1, "v1", DIGEST)
    assert web["mirrors"] == [f"oci://1.example/web@{DIGEST}"]


def test_the_same_builds_make_the_same_bytes_and_a_change_changes_its_own_lines(locked: Home) -> None:
    before = lock_of(locked).read_bytes()
    assert "wrote" not in locked.here("sync", "app").err
    assert lock_of(locked).read_bytes() == before
    locked.write("web", tag="v2")
    assert f"wrote {lock_of(locked).relative_to(locked.folder)}" in ended_by(locked, "active", "sync", "app").err
    changed = set(lock_of(locked).read_text().splitlines()) ^ set(before.decode().splitlines())
    assert sorted(line.partition(" ")[0] for line in changed) == ["config", "config", "version"]


def test_where_a_build_fails_the_lock_stays_and_what_has_no_file_leaves_it(locked: Home) -> None:
    before = document(locked)["components"]["web"]
    locked.write("web", tag="v2")
    (locked.folder / "app" / "components" / "db.toml").unlink()
    assert ended_by(locked, "error", "sync", "app").code == MEND
    assert document(locked)["components"] == {"web": before}


def test_without_waiting_nothing_is_locked(home: Home) -> None:
    home.here("sync", home.write("web"), "--no-wait")
    assert not lock_of(home).exists()


def test_a_lock_that_can_t_be_written_is_a_note(home: Home) -> None:
    lock_of(home).mkdir(parents=True)
    done = ended_by(home, "active", "sync", home.write("web"))
    assert (done.code, "note byoa.lock can't be written: Is a directory" in done.err) == (FINE, True)


@pytest.mark.parametrize("text", ["lock = 2\n", "<<<<<<< ours\n", "lock = true\n", "lock = 1.0\n", 'lock = "1"\n'])
def test_a_lock_that_can_t_be_read_is_left_to_people(text: str, home: Home) -> None:
    written = home.write("web")
    lock_of(home).write_text(text)
    done = ended_by(home, "active", "sync", written)
    assert done.code == FINE
    assert "isn't one that this version of byoa writes" in done.err
    assert lock_of(home).read_text() == text


def test_what_is_as_it_is_locked_is_synced_and_the_lock_left_alone(locked: Home) -> None:
    before = lock_of(locked).stat().st_mtime_ns
    assert locked.here("sync", "app", "--locked").code == FINE
    assert locked.here("sync", "app", "--plan", "--locked").code == FINE
    assert lock_of(locked).stat().st_mtime_ns == before


def test_all_that_moved_is_told_at_once_and_nothing_is_handed_in(locked: Home) -> None:
    locked.vendors.tags["db"] = OTHER
    locked.write("web", tag="v2")
    locked.write("cache")
    assert why(locked) == [("cache", "missing"), ("db", "tag"), ("web", "config")]
    assert why(locked, "--plan") == [("cache", "missing"), ("db", "tag"), ("web", "config")]
    done = locked.here("sync", "app", "--locked")
    assert f"moved db: locked is {DIGEST}, and its tag means {OTHER}" in done.err
    assert "error LockMismatch: Something isn't as byoa.lock says." in done.err


def test_what_is_locked_and_has_no_file_any_more_has_moved(locked: Home) -> None:
    (locked.folder / "app" / "components" / "db.toml").unlink()
    assert why(locked) == [("db", "left")]


@pytest.mark.parametrize(
    "text",
    [
        None, "<<<<<<< HEAD\n", "lock = 2\n", "lock = 1\n[components.web]\ndigest = 3\n",
        f"lock = {'1' * 5000}\n",
    ],
    ids=["missing", "conflict", "newer", "other", "long"],
)  # fmt: skip
def test_a_lock_that_is_none_fails(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "byoa.lock").write_text(text)
    with pytest.raises(LockMismatch):
        read(tmp_path)


def test_what_an_api_says_of_mirrors_is_text_in_the_lock_and_nothing_else(home: Home) -> None:
    evil = 'oci://1.example/a"]\n[components.b]\x1b\x7f\u202e'

    def told(request: Request, honest: Callable[[], Answer]) -> Answer:
        status, headers, body = honest()
        return status, headers, body.replace(b"oci://1.example/web", json.dumps(evil)[1:-1].encode())

    home.api.script = told
    assert ended_by(home, "active", "sync", home.write("web")).code == FINE
    assert document(home)["components"]["web"]["mirrors"] == [f"{evil}@{DIGEST}"]
    assert lock_of(home).read_text().replace("\n", "").isprintable()


def test_without_a_lock_nothing_is_handed_in(home: Home) -> None:
    done = home.here("sync", home.write("web"), "--locked", "--json")
    assert (done.code, done.json()["error"]["code"], home.build_ids()) == (MEND, "LockMismatch", [])


def test_a_build_that_pins_another_digest_than_is_locked_fails_the_command(locked: Home) -> None:
    """Its tag moved after it was looked at."""
    lock_of(locked).write_text(lock_of(locked).read_text().replace(DIGEST, OTHER))
    locked.vendors.tags |= {"db": OTHER, "web": OTHER}
    done = locked.here("sync", "app", "--locked", "--json")
    assert (done.code, done.json()["ok"], done.json()["error"]["code"]) == (MEND, False, "LockMismatch")
    assert [each["why"] for each in done.json()["moved"]] == ["build", "build"]
    assert f"moved web: locked is {OTHER}, and its build pinned {DIGEST}" in locked.here("sync", "app", "--locked").err


def test_a_tag_that_is_gone_is_told_at_its_line(locked: Home) -> None:
    locked.vendors.errors["web"] = ReferenceNotFound("The registry has no such tag.")
    done = locked.here("sync", "app", "--locked")
    assert (done.code, "web.toml:6:1: oci_artifact.tag:" in done.err) == (MEND, True)


def test_a_lock_is_held_only_by_who_waits(locked: Home) -> None:
    assert locked.here("sync", "app", "--locked", "--no-wait").code == USAGE
