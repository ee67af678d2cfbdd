"""`byoa validate --online`: component files together with the artifacts that they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.errors import CredentialForbidden, RegistryUnavailable
from tests.cli.homes import FAULT, FINE, MEND

if TYPE_CHECKING:
    from tests.cli.homes import Home


def test_what_builds_would_find_is_told_of_each_component(home: Home) -> None:
    home.write("db", "web")
    done = home.here("validate", "app", "--online")
    assert (done.code, done.err) == (FINE, "")
    head, db, _, last = done.out.splitlines()
    assert head.split() == ["COMPONENT", "TAG", "DIGEST", "FETCHES", "FORMAT", "RESOURCES"]
    assert db.split()[:2] == ["db", "v1"]
    assert db.endswith("48213 bytes  flux    1")
    assert last == "all configs valid (2)"
    web = home.here("validate", "app", "--online", "--json").json()["components"][1]
    assert (web["name"], web["errors"], web["found"]["resources"]) == ("web", [], 1)


def test_what_it_meets_is_a_fault_at_its_line_as_any_other(home: Home) -> None:
    file = home.write("db", "web") / "components" / "web.toml"
    file.write_text(file.read_text() + 'credentials_ref = "ghcr"\n')
    home.vendors.errors["web"] = CredentialForbidden("The organisation has no credentials of that name.")
    done = home.here("validate", "app", "--online", "--json", GITHUB_ACTIONS="true")
    assert (done.code, done.json()["valid"]) == (MEND, False)
    db, web = done.json()["components"]
    (fault,) = web["errors"]
    assert (fault["code"], fault["field"], fault["line"]) == ("CredentialForbidden", "oci_artifact.credentials_ref", 7)
    assert fault["message"].startswith("ghcr: ")
    assert (db["errors"], web["found"]["digest"]) == ([], None)
    assert "::error file=app/components/web.toml,line=7,col=1,title=CredentialForbidden::" in done.err


def test_a_registry_that_is_out_is_nobody_s_fault_here(home: Home) -> None:
    home.write("web")
    home.vendors.errors["web"] = RegistryUnavailable("The registry can't be reached.")
    assert home.here("validate", "app", "--online").code == FAULT


def test_faulty_files_are_told_and_not_looked_at(home: Home) -> None:
    file = home.write("db", "web") / "components" / "web.toml"
    file.write_text(file.read_text().replace("tag", "tga"))
    done = home.here("validate", "app", "--online", "--json")
    assert (done.code, [each["found"] is None for each in done.json()["components"]]) == (MEND, [False, True])
    assert {each.artifacts[0].url for each in home.vendors.asked} == {"oci://ghcr.io/vendor/db"}


def test_what_nothing_builds_is_told(home: Home) -> None:
    (home.write("db") / "components" / "over.toml").write_text(
        'name = "over"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\n[kustomize]\npath = "./over"\n'
        '[public_repo]\nrepo = "https://github.com/vendor/app.git"\ndirectory = "."\nbranch = "main"\n'
    )
    done = home.here("validate", "app", "--online")
    assert (done.code, "over.toml:4:2: kustomize: Components of" in done.err) == (MEND, True)
    assert "(SourceKindUnsupported)" in done.err
