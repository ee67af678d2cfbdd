"""The command line at the deployed API, with its roles enforced and no AWS credentials: from the login to a receipt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.bootstrap import terminal as bootstrap
from byoa.content.packing import pack
from byoa.engine.copying import copy
from byoa.oci.reference import Reference
from local import members
from local.desk import ORGANISATION

if TYPE_CHECKING:
    from tests.e2e.conftest import Pipeline

pytestmark = pytest.mark.emulator

BYOA = Path(sys.executable).with_name("byoa")


def byoa(home: Path, *arguments: str, stdin: str = "", code: int = 0) -> str:
    environment = {"PATH": os.defpath, "HOME": str(home), "COLUMNS": "200"}
    done = subprocess.run(
        [BYOA, *arguments], env=environment, cwd=home, capture_output=True, text=True, input=stdin, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_a_vendor_has_all_it_needs_in_a_token(enforced: Pipeline, tmp_path: Path) -> None:
    enforced.push("flux", "v2.3.1")
    made = members.bootstrap(enforced.desk)
    app = ("--app", "line")
    byoa(tmp_path, "login", "--api", enforced.desk.api, *app, stdin=made)
    assert json.loads(byoa(tmp_path, "whoami", "--json"))["org_ids"] == [ORGANISATION]
    ci = byoa(tmp_path, "tokens", "create", "ci", "--scope", "sync", "--days", "1")
    byoa(tmp_path, "login", "--api", enforced.desk.api, "--profile", "ci", *app, stdin=ci)
    components = tmp_path / "shop" / "components"
    components.mkdir(parents=True)
    source = f'[oci_artifact]\nurl = "oci://{enforced.desk.vendor}/vendor/flux"\ntag = "v2.3.1"\n'
    for name in ("flux", "gone"):
        text = f'name = "{name}"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\n{source}'
        (components / f"{name}.toml").write_text(text)
    done = json.loads(byoa(tmp_path, "sync", "shop", "--profile", "ci", "--json"))
    assert [each["status"] for each in done["components"]] == ["active", "active"], done
    (build_id, digest) = (done["components"][0][key] for key in ("build_id", "digest"))
    assert digest in byoa(tmp_path, "components", "list")
    assert "active" in byoa(tmp_path, "builds", "logs", build_id, "--follow")
    (tmp_path / "receipt.json").write_text(byoa(tmp_path, "receipt", "get", build_id))
    (tmp_path / "key.pem").write_text(byoa(tmp_path, "receipt", "key"))
    assert "verified" in byoa(tmp_path, "receipt", "verify", "receipt.json", "--key", "key.pem")
    (components / "gone.toml").unlink()
    pruned = json.loads(byoa(tmp_path, "sync", "shop", "--profile", "ci", "--prune", "--yes", "--json"))
    assert (pruned["pruned"], pruned["components"][0]["created"]) == (["gone"], False)
    anew = json.loads(byoa(tmp_path, "builds", "create", "flux", "--json"))
    assert (anew["component_config_version"], anew["status"]) == (2, "active")
    assert len(json.loads(byoa(tmp_path, "builds", "list", "-c", "flux", "--all", "--json"))["builds"]) == 2
    byoa(tmp_path, "credentials", "set", "line", "--kind", "basic", "--host", "ghcr.io", "-u", "a", stdin="b")
    assert "ghcr.io" in byoa(tmp_path, "credentials", "list")
    byoa(tmp_path, "credentials", "delete", "line", "--yes")
    byoa(tmp_path, "tokens", "list", "--profile", "ci", code=1)
    assert "create_config" in byoa(tmp_path, "audit", "list")


def test_what_moves_behind_a_tag_is_planned_locked_and_compared(enforced: Pipeline, tmp_path: Path) -> None:
    app = ("--app", "locked")
    byoa(tmp_path, "login", "--api", enforced.desk.api, *app, stdin=members.bootstrap(enforced.desk))
    components = tmp_path / "shop" / "components"
    components.mkdir(parents=True)
    (components / "moves.toml").write_text(
        'name = "moves"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\n'
        f'[oci_artifact]\nurl = "oci://{enforced.desk.vendor}/vendor/moves"\ntag = "stable"\n'
    )
    _tag(enforced, "v1")
    (planned,) = json.loads(byoa(tmp_path, "sync", "shop", "--plan", "--json"))["components"]
    assert (planned["change"], planned["resources"], planned["error"]) == ("new", 1, None), planned
    assert byoa(tmp_path, "components", "list") == "", "a plan hands nothing in"
    (built,) = json.loads(byoa(tmp_path, "sync", "shop", "--json"))["components"]
    assert built["digest"] == planned["digest"]
    byoa(tmp_path, "sync", "shop", "--locked")
    assert "the same artifact" in byoa(tmp_path, "diff", "moves")
    _tag(enforced, "v2")
    (moved,) = json.loads(byoa(tmp_path, "sync", "shop", "--locked", "--json", code=1))["moved"]
    assert (moved["component"], moved["why"], moved["locked"]) == ("moves", "tag", built["digest"])
    changed = json.loads(byoa(tmp_path, "diff", "moves", "--json", code=1))
    assert (changed["after"]["digest"], changed["changed"]) == (moved["found"], 1)
    assert moved["found"] in byoa(tmp_path, "validate", "shop", "--online")


def _tag(pipeline: Pipeline, value: str) -> None:
    """Let the tag stable mean a ConfigMap that says ``value``."""
    packed = pack(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web}}\ndata: {{said: {value}}}\n")
    reference = Reference.parse(f"oci://{pipeline.desk.vendor}/vendor/moves:stable")
    target = bootstrap.repository(reference, "target", None, plain_http=True)
    copy(MemoryRepository.holding(packed), target, packed.manifest, tag="stable")


def test_an_install_is_planned_approved_looked_at_and_torn_down(enforced: Pipeline, tmp_path: Path) -> None:
    """By a token that may deploy, against the desk's own cluster, with values of the install's in the manifest."""
    desk, home = enforced.desk, tmp_path
    byoa(home, "login", "--api", desk.api, "--app", "line", stdin=members.bootstrap(desk))
    deployer = byoa(home, "tokens", "create", "deployer", "--scope", "deploy", "--days", "1")
    byoa(home, "login", "--api", desk.api, "--profile", "deployer", "--app", "line", stdin=deployer)
    (home / "components").mkdir()
    text = (
        'name = "placed"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\n'
        "manifest = '''\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: placed}\n"
        "data: {greeting: \"{{ .nuon.inputs.inputs.greeting }}\"}\n'''\n"
    )
    (home / "components" / "placed.toml").write_text(text)
    byoa(home, "sync", "components", "--json")
    (home / "inputs.toml").write_text('[inputs]\ngreeting = "hello"\n')
    (home / "ca.pem").write_text(desk.cluster_ca.read_text())
    way = ("--server", desk.cluster, "--ca", "ca.pem", "--private", "--token-stdin", "--inputs", "inputs.toml")
    made = json.loads(byoa(home, "installs", "create", "acme", *way, "--json", stdin=desk.ports.cluster_token))
    by = ("acme", "placed", "--profile", "deployer", "--json")
    waits = json.loads(byoa(home, "installs", "deploy", *by, code=1))
    assert (waits["status"], waits["counts"]["create"]) == ("pending-approval", 1), waits
    done = json.loads(byoa(home, "installs", "approve", *by, "--note", "seen"))
    assert (done["status"], done["error"], done["install_id"]) == ("active", None, made["id"])
    assert json.loads(byoa(home, "installs", "drift", *by))["status"] == "no-drift"
    assert json.loads(byoa(home, "installs", "plan", *by))["status"] == "noop"
    (home / "inputs.toml").write_text('[inputs]\ngreeting = "good morning"\n')
    byoa(home, "installs", "change", "acme", "--inputs", "inputs.toml")
    drifted = json.loads(byoa(home, "installs", "drift", *by, code=1))
    assert drifted["status"] == "drift-detected"
    assert drifted["objects"][0]["changes"][0]["after"] == '"good morning"'
    assert json.loads(byoa(home, "installs", "deploy", *by, "--approve"))["status"] == "active"
    assert json.loads(byoa(home, "installs", "recover", *by, "--approve"))["status"] == "noop"
    assert json.loads(byoa(home, "installs", "teardown", *by, "--approve", "--yes"))["status"] == "inactive"
    assert byoa(home, "installs", "delete", "acme", "--yes") == "deleted acme\n"
