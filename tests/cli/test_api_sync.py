"""`byoa sync` through the API, and what follows builds there."""

from __future__ import annotations

import pytest

from tests.cli.homes import DIGEST, FAULT, FINE, MEND, USAGE, Home, ended_by
from tests.screen import Screen
from tests.terminal import BYOA

OBJECTS = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n"

# ---- sync --------------------------------------------------------------------------------------------------------


def test_a_sync_has_the_rhythm_that_it_has_at_a_table(home: Home) -> None:
    done = home.here("sync", home.write("web", "db"), "--no-wait")
    assert (done.code, done.out) == (FINE, "")
    assert done.err.splitlines() == [
        f"syncing directory from {home.folder}/app",
        "validating configs",
        "all configs valid",
        "successfully synced db (config version 1)",
        "successfully synced web (config version 1)",
    ]
    again = home.here("sync", home.write("web", "db"), "--no-wait")
    assert again.err.splitlines()[-2:] == ["unchanged: db (config version 1)", "unchanged: web (config version 1)"]
    assert len(home.build_ids()) == 2


def test_a_file_is_synced_as_it_is_unless_it_names_another(home: Home) -> None:
    app = home.write("web")
    (home.folder / "app" / "objects.yaml").write_text(OBJECTS)
    file = home.folder / "app" / "components" / "web.toml"
    file.write_text("# ours\n" + file.read_text())
    named = 'name = "named"\ntype = "kubernetes_manifest"\nnamespace = "a"\nmanifest = "./objects.yaml"\n'
    file.with_name("named.toml").write_text(named)
    assert home.here("sync", app, "--no-wait").code == FINE
    assert home.here("configs", "get", "web").out == file.read_text()
    assert f'manifest = """\n{OBJECTS}' in home.here("configs", "get", "named").out


def test_a_sync_follows_the_builds_to_their_end(home: Home) -> None:
    done = ended_by(home, "active", "sync", home.write("web"))
    assert done.code == FINE
    assert "finished building component web" in done.err
    assert f"  pinned v1 → {DIGEST}" in done.err


@pytest.mark.parametrize(("code", "wanted"), [("ReferenceNotFound", MEND), ("RegistryUnavailable", FAULT)])
def test_a_build_that_fails_is_told_with_whose_turn_it_is(code: str, wanted: int, home: Home) -> None:
    done = ended_by(home, "error", "sync", home.write("web"), "--json", code=code)
    assert done.code == wanted
    (component,) = done.json()["components"]
    assert (done.json()["ok"], component["status"], component["error"]["code"]) == (False, "error", code)


def test_what_the_folder_lacks_is_left_unless_it_is_to_be_pruned(synced: Home) -> None:
    (synced.folder / "app" / "components" / "db.toml").unlink()
    done = synced.here("sync", "app", "--no-wait")
    assert "the app has a component db that is not in this folder; it was left as it is" in done.err
    assert synced.api.paths("DELETE") == []
    done = synced.here("sync", "app", "--no-wait", "--prune", "--yes", "--json")
    assert (done.code, done.json()["orphans"], done.json()["pruned"]) == (FINE, [], ["db"])
    assert synced.here("sync", "app", "--no-wait", "--json").json()["orphans"] == []


def test_a_prune_asks_first_and_hands_nothing_in_where_nobody_can_be_asked(synced: Home) -> None:
    (synced.folder / "app" / "components" / "db.toml").unlink()
    writes = len(synced.api.paths("POST"))
    done = synced.here("sync", "app", "--no-wait", "--prune")
    assert (done.code, len(synced.api.paths("POST"))) == (USAGE, writes)
    for answer, deleted in (("n", 0), ("y", 1)):
        command = [BYOA, "sync", str(synced.folder / "app"), "--no-wait", "--prune"]
        with Screen(command, {**synced.environment, "TERM": "dumb"}) as screen:
            screen.wait_for("[y/N]")
            screen.type(f"{answer}\n")
            code, _ = screen.end()
        assert (code, len(synced.api.paths("DELETE"))) == (FINE, deleted)


def test_a_folder_that_has_all_components_is_pruned_of_none(synced: Home) -> None:
    assert synced.here("sync", "app", "--no-wait", "--prune", "--yes", "--json").json()["pruned"] == []
    assert synced.api.paths("DELETE") == []


def test_a_token_that_may_only_read_syncs_nothing(home: Home) -> None:
    done = home.here("sync", home.write("web"), "--json", BYOA_TOKEN=home.api.served.token("read"))
    assert (done.code, done.json()["error"]["problem"]) == (MEND, "scope_missing")
    assert home.build_ids() == []
