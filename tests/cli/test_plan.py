"""`byoa sync --plan`: what would change, and what the builds would meet, with nothing written."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from byoa.errors import CredentialForbidden, DocumentInvalid, ReferenceNotFound, RegistryUnavailable
from tests.cli.homes import DIGEST, FAULT, FINE, MEND, USAGE, ended_by, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.errors import ByoaError
    from tests.cli.homes import Home

NAMED = 'credentials_ref = "ghcr"\n'


def kept(home: Home) -> object:
    served = home.api.served
    return dict(served.ledger.records), dict(served.ledger.configs), dict(served.components), dict(served.secrets)


def files(home: Home) -> list[str]:
    return sorted(str(path.relative_to(home.folder)) for path in (home.folder / "app").rglob("*"))


def test_it_tells_of_new_changed_and_unchanged_components_and_writes_nothing(home: Home) -> None:
    home.vendors.tags |= {"db": DIGEST, "web": DIGEST}
    assert ended_by(home, "active", "sync", home.write("web", "db")).code == FINE
    home.write("web", tag="v2")
    home.write("cache")
    (home.folder / "app" / "components" / "inline.toml").write_text(
        'name = "inline"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\n'
        'manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"\n'
    )
    before, there = kept(home), files(home)
    done = home.here("sync", "app", "--plan")
    assert (done.code, kept(home), files(home)) == (FINE, before, there)
    head, *rows = [line.split() for line in done.out.splitlines()]
    assert head == ["COMPONENT", "CHANGE", "TAG", "DIGEST", "FETCHES", "FORMAT", "RESOURCES"]
    assert [row[:2] for row in rows] == [["cache", "new"], ["db", "none"], ["inline", "new"], ["web", "version"]]
    assert rows[1][2:] == ["v1", DIGEST, "48213", "bytes", "flux", "1"]
    assert rows[3][1:4] == ["version", "2", "v2"]
    assert done.err.splitlines()[-1] == "3 of 4 components would be built; nothing was written"


def test_machines_get_one_document(home: Home) -> None:
    home.write("web", "db")
    found = home.here("sync", "app", "--plan", "--json").json()
    assert (found["ok"], found["orphans"]) == (True, [])
    web = found["components"][1]
    assert (web["component"], web["change"], web["config_version"], web["pinned"]) == ("web", "new", None, None)
    assert (web["bytes"], web["format"], web["resources"], web["error"]) == (48213, "flux", 1, None)
    assert web["reference"] == "oci://ghcr.io/vendor/web:v1"


def test_a_tag_that_moved_is_told_of_as_sync_doesn_t_build_it(home: Home) -> None:
    assert ended_by(home, "active", "sync", home.write("web")).code == FINE
    done = home.here("sync", "app", "--plan")
    assert (done.code, "note the tag of web has moved: `byoa builds create web`" in done.err) == (FINE, True)


def test_what_failed_would_be_built_again(home: Home) -> None:
    assert ended_by(home, "error", "sync", home.write("web")).code == MEND
    (web,) = home.here("sync", "app", "--plan", "--json").json()["components"]
    assert (web["change"], web["config_version"]) == ("again", 2)


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (CredentialForbidden("The organisation has no credentials of that name."), 7, MEND),
        (ReferenceNotFound("The registry has no such tag."), 6, MEND),
        (RegistryUnavailable("The registry can't be reached."), 5, FAULT),
    ],
    ids=lambda value: getattr(value, "code", ""),
)
def test_what_would_stop_a_build_is_told_at_its_line(error: ByoaError, line: int, code: int, home: Home) -> None:
    file = home.write("db", "web") / "components" / "web.toml"
    file.write_text(file.read_text() + NAMED)
    home.vendors.errors["web"] = error
    done = home.here("sync", "app", "--plan", GITHUB_ACTIONS="true")
    assert done.code == code
    assert f"web.toml:{line}:1: oci_artifact." in done.err
    assert f"({error.code})" in done.err
    assert f"::error file=app/components/web.toml,line={line},col=1,title={error.code}::" in done.err
    assert ("ghcr: The organisation" in done.err) == isinstance(error, CredentialForbidden)
    assert "48213 bytes" in done.out, "the other one is looked at all the same"


def test_contents_that_a_build_refuses_and_parts_that_a_registry_does(home: Home) -> None:
    home.write("db", "web")
    home.vendors.reading["web"] = DocumentInvalid("A document has no kind.")
    home.vendors.refused.add("db")
    done = home.here("sync", "app", "--plan", "--json")
    assert done.code == MEND
    db, web = done.json()["components"]
    assert (db["error"]["code"], db["bytes"], db["format"]) == ("AuthFailed", None, None)
    assert (web["error"]["code"], web["bytes"], web["resources"]) == ("DocumentInvalid", 48213, None)


def test_a_lookup_is_asked_once_and_what_the_api_itself_lacks_ends_the_command(home: Home) -> None:
    home.write("web")
    home.vendors.errors["web"] = RegistryUnavailable("The registry can't be reached.")
    assert home.here("sync", "app", "--plan").code == FAULT
    assert len(home.vendors.asked) == 1
    done = home.here("sync", "app", "--plan", "--json", BYOA_TOKEN=home.api.served.token("read"))
    assert (done.code, done.json()["error"]["problem"]) == (MEND, "scope_missing")


@contextmanager
def answered_later(home: Home, times: int) -> Iterator[None]:
    """Lookups take longer than their requests wait."""
    served = home.api.served
    served.lasting = 60

    def work() -> None:
        for _ in range(times):
            until(lambda: served.awaited)
            with home.api.lock:
                served.lookups().go_on()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    thread.join()


def test_a_lookup_that_takes_long_is_waited_for(home: Home) -> None:
    home.write("web")
    with answered_later(home, 2):
        done = home.here("sync", "app", "--plan", "--json")
    (web,) = done.json()["components"]
    assert (done.code, web["bytes"], web["resources"]) == (FINE, 48213, 1)


def test_one_that_fails_later_is_told_as_one_that_fails_at_once(home: Home) -> None:
    home.write("web")
    home.vendors.errors["web"] = ReferenceNotFound("The registry has no such tag.")
    with answered_later(home, 1):
        done = home.here("sync", "app", "--plan", "--json")
    (web,) = done.json()["components"]
    assert (done.code, web["error"]["code"]) == (MEND, "ReferenceNotFound")
    assert web["error"]["cause"] == "The registry has no such tag."


def test_a_table_is_no_place_to_plan_at(home: Home) -> None:
    done = home.here("sync", home.write("web"), "--plan", "--table", "t", "--org", "org_0123456789ab", "--app", "shop")
    assert (done.code, "this is done through an API" in done.err) == (USAGE, True)


def test_what_a_prune_would_delete_is_told_without_a_question(synced: Home) -> None:
    (synced.folder / "app" / "components" / "db.toml").unlink()
    done = synced.here("sync", "app", "--plan", "--prune")
    assert (done.code, synced.api.paths("DELETE")) == (FINE, [])
    assert "note not in this folder, and would be deleted: db" in done.err


def test_no_text_of_a_lookup_steers_the_terminal(home: Home) -> None:
    evil = "\x1b]0;x\x07\u202e[red]\n::error::"
    home.write("db", "web")
    home.vendors.errors["web"] = ReferenceNotFound(evil, remedy=evil)
    home.vendors.tags["db"] = evil
    done = home.here("sync", "app", "--plan", GITHUB_ACTIONS="true")
    assert not [each for each in (done.out + done.err).replace("\n", "") if not each.isprintable()]
    assert "\n::error::" not in done.out + done.err
