"""What an organisation has, through the API: components, configs, builds, receipts, tokens, credentials."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest

from byoa.adapters.memory.tracking import MemoryTracked
from byoa.builds.messages import AttachedTo, NamedObjects
from byoa.errors import AuthFailed
from byoa.tracking.messages import Moved
from byoa.trust.external_id import external_id
from tests.api.served import APP, ORG, SOURCE_ROLE
from tests.cli.homes import DIGEST, FINE, MEND, USAGE, Home, ended_by

if TYPE_CHECKING:
    from byoa.builds.messages import Trial, Tried

# ---- components, configs, builds ---------------------------------------------------------------------------------


def test_apps_are_listed(synced: Home) -> None:
    head, line = synced.here("apps", "list").out.splitlines()
    assert (head.split(), line.split()[0]) == (["NAME", "CREATED", "AT", "BY"], APP)
    told = synced.here("apps", "list", "--json").json()
    assert ([each["name"] for each in told["apps"]], told["more"]) == ([APP], False)
    assert synced.here("apps", "list", "-q", "none").err == "no apps\n"


def test_components_are_listed_with_their_newest_builds(synced: Home) -> None:
    synced.finish()
    done = synced.here("components", "list")
    head, *lines = done.out.splitlines()
    assert head.split() == ["NAME", "STATUS", "VERSION", "PINNED", "TAG", "MOVED", "UPDATED", "AT"]
    assert [line.split()[:6] for line in lines] == [
        ["db", "active", "1", "v1", "→", DIGEST], ["web", "active", "1", "v1", "→", DIGEST],
    ]  # fmt: skip
    assert [each["name"] for each in synced.here("components", "list", "-q", "w", "--json").json()["components"]] == [
        "web"
    ]


def test_a_tag_that_moved_shows(synced: Home) -> None:
    synced.finish()
    assert "tag moved" not in synced.here("components", "get", "web").out
    served = synced.api.served
    key = next(key for key in served.ledger.records if key.component == "web")
    moved = Moved(version=1, tag="v1", before=DIGEST, after=DIGEST[:-1] + "7", at_ts=0)
    MemoryTracked(ORG, served.ledger, served.components).note(key, moved)
    assert f"v1 means {moved.after} since 1970-01-01T00:00:00" in synced.here("components", "get", "web").out
    rows = {line.split()[0]: line.split() for line in synced.here("components", "list").out.splitlines()}
    assert ("yes" in rows["web"], "yes" in rows["db"]) == (True, False)


def test_a_component_whose_build_failed_says_what_to_do(synced: Home) -> None:
    synced.finish("error")
    shown = synced.here("components", "get", "web").out
    assert shown.endswith("ReferenceNotFound: It isn't there.\n  next: Push it.\n")
    assert shown.count("It isn't there.") == 1


def test_lists_are_shown_in_parts(synced: Home) -> None:
    def names(*words: str) -> tuple[list[str], bool]:
        found = synced.here("components", "list", "--json", *words).json()
        return [each["name"] for each in found["components"]], found["more"]

    assert names("--limit", "1") == (["db"], True)
    assert names("--limit", "1", "--offset", "1") == (["web"], False)
    assert names("--limit", "1", "--page", "1") == (["web"], False)
    assert names("--all") == (["db", "web"], False)
    assert "there are more: --offset 1, or --all" in synced.here("builds", "list", "--limit", "1").err
    for words in (["--all", "--limit", "1"], ["--page", "1", "--offset", "1"], ["--limit", "0"]):
        assert synced.here("components", "list", *words).code == USAGE


def test_one_component_is_shown_and_deleted(synced: Home) -> None:
    synced.finish()
    assert f"v1 → {DIGEST}" in synced.here("components", "get", "web").out
    assert synced.here("components", "delete", "web").code == USAGE, "nobody can be asked"
    assert synced.here("components", "delete", "web", "--yes").out == "deleted web\n"
    done = synced.here("components", "get", "web", "--json")
    assert (done.code, done.json()["error"]["problem"]) == (MEND, "not_found")


def test_a_config_is_printed_as_the_file_that_it_could_be(synced: Home) -> None:
    synced.here("sync", synced.write("web", tag="v2"), "--no-wait")
    versions = synced.here("configs", "list", "web", "--json").json()["configs"]
    assert [each["version"] for each in versions] == [2, 1]
    assert "oci://ghcr.io/vendor/web:v2" in synced.here("configs", "list", "web").out
    assert tomllib.loads(synced.here("configs", "get", "web").out)["oci_artifact"]["tag"] == "v2"
    assert tomllib.loads(synced.here("configs", "get", "web", "1").out)["oci_artifact"]["tag"] == "v1"
    assert synced.here("configs", "get", "web", "7").code == MEND


def test_builds_are_listed_and_shown_as_the_api_tells_them(synced: Home) -> None:
    (web,) = synced.here("builds", "list", "--component", "web", "--json").json()["builds"]
    assert (web["component_name"], web["status"], web["app_id"]) == ("web", "queued", APP)
    assert web["status_v2"]["history"] == []
    shown = synced.here("builds", "get", web["id"], "--json").json()
    assert [each["status"] for each in shown["status_v2"]["history"]] == ["queued"]
    assert len(synced.here("builds", "list").out.splitlines()) == 3
    done = synced.here("builds", "get", "bldaaaaaaaaaaaaaaaaaaaaaaa", "--json")
    assert (done.code, done.json()["error"]["code"]) == (MEND, "BuildNotFound")


def test_a_build_is_made_anew_and_stopped(synced: Home) -> None:
    done = synced.here("builds", "create", "web", "--no-wait", "--json")
    build = done.json()
    assert (done.code, build["component_config_version"], build["status"]) == (FINE, 2, "queued")
    assert synced.here("builds", "cancel", build["id"]).out == f"cancelled {build['id']}\n"
    again = synced.here("builds", "cancel", build["id"], "--json")
    assert (again.code, again.json()["error"]["problem"]) == (MEND, "ended")


def test_a_build_that_is_made_is_followed(synced: Home) -> None:
    synced.finish()
    done = ended_by(synced, "active", "builds", "create", "web")
    assert done.code == FINE
    assert done.out.startswith("queued bld")
    assert "finished building component web" in done.err


def test_the_logs_of_a_build_are_its_history(synced: Home) -> None:
    done = synced.here("builds", "logs", synced.build_ids()[0])
    assert (done.code, [line.split()[2:] for line in done.out.splitlines()]) == (
        FINE, [["queued", "waiting", "for", "the", "pipeline"]],
    )  # fmt: skip


@pytest.mark.parametrize(("status", "code"), [("active", FINE), ("error", MEND)])
def test_logs_that_are_followed_grow_until_the_end(status: str, code: int, synced: Home) -> None:
    done = ended_by(synced, status, "builds", "logs", synced.build_ids()[0], "--follow")
    assert done.code == code
    lines = [line.split()[2] for line in done.out.splitlines()[:3]]
    assert lines == ["queued", "planning", status], "each line once"
    assert (f"mirror ecr: oci://1.example/db@{DIGEST}" in done.out) is (status == "active")
    assert ("ReferenceNotFound: It isn't there." in done.out) is (status == "error")


def test_a_build_is_shown_with_what_is_attached_each_below_what_it_refers_to(synced: Home) -> None:
    ledger, build_id = synced.api.served.ledger, synced.build_ids()[0]
    build = ledger.build(ORG, build_id)
    assert build
    attached = [
        AttachedTo(digest="sha256:1", subject=DIGEST, kind="sbom"),
        AttachedTo(digest="sha256:2", subject="sha256:1", kind="signature", tag="sha256-1.sig"),
        AttachedTo(digest="sha256:3", subject="sha256:9", kind="attestation"),
    ]
    ledger.keep_objects(build.key, "one", NamedObjects(by_kind={}, left_out=0, attached=attached))
    synced.finish()
    lines = synced.byoa("builds", "get", build_id).out.splitlines()
    at = lines.index("  attached")
    assert lines[at + 1 : at + 4] == [
        "    sbom sha256:1", "      signature sha256:2 (sha256-1.sig)",
        "    attestation sha256:3, attached to sha256:9",
    ]  # fmt: skip
    told = synced.byoa("builds", "get", build_id, "--json").json()["attachments"]
    assert [each["subject"] for each in told] == [DIGEST, "sha256:1", "sha256:9"]


def test_a_receipt_and_its_key_come_through_the_api(synced: Home) -> None:
    ledger, build_id = synced.api.served.ledger, synced.build_ids()[0]
    assert synced.here("receipt", "get", build_id).code == MEND
    build = ledger.build(ORG, build_id)
    assert build
    ledger.keep_receipt(build.key, "one", '{"payloadType": "a", "payload": "YQ==", "signatures": []}')
    synced.finish()
    done = synced.here("receipt", "get", build_id)
    assert (done.code, json.loads(done.out)["payload"]) == (FINE, "YQ==")
    assert "-----BEGIN PUBLIC KEY-----" in synced.here("receipt", "key").out


def test_policies_are_set_shown_and_taken_back(home: Home) -> None:
    assert home.here("policies", "get").out.split("\n")[0].split() == [
        "builds", "may", "read", "whatever", "the", "platform", "allows",
    ]  # fmt: skip
    done = home.here("policies", "set", "ghcr.io/vendor/*", "QUAY.io/vendor/app")
    assert done.out.splitlines()[:3] == ["- *", "+ ghcr.io/vendor/*", "+ quay.io/vendor/app"]
    told = home.here("policies", "get", "--json").json()
    assert (told["references"], told["version"]) == (["ghcr.io/vendor/*", "quay.io/vendor/app"], 1)
    assert "inline manifests alone" in home.here("policies", "set", "--none").out
    assert home.here("policies", "set", "*", "--json").json()["references"] == ["*"]
    for words in ([], ["a.example/b", "--none"]):
        assert home.here("policies", "set", *words).code == USAGE
    done = home.here("policies", "set", "*.example.com/*", "--json")
    assert (done.code, done.json()["error"]["problem"]) == (MEND, "invalid")


# ---- tokens, audit, credentials ----------------------------------------------------------------------------------


def test_a_token_is_shown_when_it_is_made_and_never_again(home: Home) -> None:
    done = home.here("tokens", "create", "ci", "--scope", "sync", "--days", "7")
    token = done.out.strip()
    assert token.startswith(f"byoa_{ORG}_tok")
    assert token not in done.err
    listed = home.here("tokens", "list")
    assert token not in listed.out
    row = next(line for line in listed.out.splitlines() if " ci " in line)
    assert home.here("whoami", "--json", BYOA_TOKEN=token).json()["scopes"] == ["sync"]
    token_id = row.split()[0]
    assert home.here("tokens", "revoke", token_id).code == USAGE, "nobody can be asked"
    assert home.here("tokens", "revoke", token_id, "--yes").out == f"revoked {token_id}\n"
    assert home.here("whoami", BYOA_TOKEN=token).code == MEND


def test_a_token_is_revoked_by_its_name_where_no_other_has_it(home: Home) -> None:
    for name in ("one", "two", "two"):
        home.here("tokens", "create", name, "--scope", "read")
    ids = {each["name"]: each["id"] for each in home.here("tokens", "list", "--json").json()["tokens"]}
    assert home.here("tokens", "revoke", "one", "--yes").out == f"revoked {ids['one']}\n"
    for name, cause in (("two", "2 tokens have that name."), ("one", "No token has that id or name.")):
        done = home.here("tokens", "revoke", name, "--yes")
        assert (done.code, cause in done.err, "Take an id that `byoa tokens list` shows." in done.err) == (
            MEND,
            True,
            True,
        )


def test_a_token_is_not_taken_for_its_id(home: Home) -> None:
    done = home.here("tokens", "revoke", home.api.served.token("read"), "--yes")
    assert (done.code, home.api.requests) == (USAGE, [])


def test_a_hook_s_url_and_secret_are_shown_when_it_is_made_and_never_again(home: Home) -> None:
    done = home.here("hooks", "add", "ghcr", "--kind", "github", "--action", "build")
    url, secret = done.out.splitlines()
    assert url.startswith(f"{home.api.address}/hooks/{ORG}_hok")
    assert (len(secret), "the URL and the secret are" in done.err) == (43, True)
    assert not {url, secret, url.rsplit("/", 1)[1]} & set(done.err.split())
    bare = home.here("hooks", "add", "quay", "--kind", "quay")
    assert (len(bare.out.splitlines()), "the URL is" in bare.err) == (1, True)
    made = home.here("hooks", "add", "ci", "--kind", "generic", "--json").json()
    assert (made["secret"][:6], made["action"], made["url"]) == ("whsec_", "note", home.api.address + made["path"])
    listed = home.here("hooks", "list").out
    assert secret not in listed
    assert url.rsplit("/", 1)[1] not in listed
    hook_id = next(line for line in listed.splitlines() if " ghcr " in line).split()[0]
    assert [each["kind"] for each in home.here("hooks", "list", "--json").json()["hooks"] if each["id"] == hook_id] == [
        "github"
    ]
    assert home.here("hooks", "delete", hook_id).code == USAGE, "nobody can be asked"
    assert home.here("hooks", "delete", hook_id, "--yes").out == f"deleted {hook_id}\n"
    assert home.here("hooks", "delete", hook_id, "--yes").code == MEND


def test_what_one_kind_of_hook_has_no_other_takes(home: Home) -> None:
    account = ("--service-account", "byoa@vendor-project.iam.gserviceaccount.com")
    done = home.here("hooks", "add", "a", "--kind", "gar", *account)
    assert (done.code, len(done.out.splitlines())) == (FINE, 1)
    assert f"audience byoa:{done.err.split()[1]}" in " ".join(done.err.split())
    place = ("--account", "222222222222", "--region", "us-west-2", "--repository", "manifests")
    done = home.here("hooks", "add", "a", "--kind", "ecr", *place, "--action", "build")
    assert (done.code, done.out, done.err.split()[2:]) == (FINE, "", ["(ecr,", "build)"])
    assert home.here("hooks", "add", "a", "--kind", "ecr", *place).code == MEND
    asked = len(home.api.requests)
    for words in (("gar",), ("quay", *account), ("ecr", *place[:2]), ("gar", *account, *place[2:4])):
        assert home.here("hooks", "add", "a", "--kind", *words).code == USAGE
    assert len(home.api.requests) == asked


def test_a_url_is_not_taken_for_a_hook_s_id(home: Home) -> None:
    done = home.here("hooks", "delete", "https://api.example.com/hooks/a/b", "--yes")
    assert (done.code, home.api.requests) == (USAGE, [])


def test_who_did_what_is_listed(synced: Home) -> None:
    done = synced.here("audit", "list", "--json")
    assert [each["operation"] for each in done.json()["audit"]] == ["create_config", "create_config"]
    assert "/v1/apps/shop/components/web/configs/kubernetes-manifest" in synced.here("audit", "list").out


def test_through_the_api_too_a_name_keeps_what_it_is_for(home: Home) -> None:
    words = ("credentials", "set", "ghcr")
    home.here(*words, "--kind", "basic", "--host", "ghcr.io", "-u", "me", stdin="one")
    lost = home.here(*words, stdin="two")
    assert (lost.code, "--username" in lost.err) == (2, True)
    assert home.here(*words, "-u", "me", "--json", stdin="two").json()["was"] is None
    assert home.here("credentials", "get", "ghcr", "--json").json()["options"] == ["username"]
    other = home.here(*words, "--kind", "token", "--host", "quay.io", stdin="three")
    assert other.out.endswith("; it was basic for ghcr.io\n")


def test_stored_credentials_are_tried_through_the_api(home: Home) -> None:
    words = ("credentials", "set", "ghcr", "--kind", "basic", "--host", "ghcr.io", "-u", "me")
    assert home.here(*words, stdin="secret").code == FINE
    done = home.here("credentials", "test", "ghcr", "oci://ghcr.io/vendor/app:v1")
    assert (done.code, "accepted by ghcr.io" in done.out, "sha256:" in done.out) == (FINE, True, True)
    told = home.here("credentials", "test", "ghcr", "--json").json()
    assert (told["name"], told["kind"], told["login"], told["digest"]) == ("ghcr", "basic", "accepted", None)

    def refuses(_: Trial) -> Tried:
        raise AuthFailed("The registry refuses the credentials.")

    home.api.served.try_credentials = refuses
    asked = len(home.api.requests)
    done = home.here("credentials", "test", "ghcr", "--json")
    assert (done.code, done.json()["error"]["code"], len(home.api.requests)) == (MEND, "AuthFailed", asked + 1)


def test_credentials_go_through_the_api_and_never_come_back(home: Home) -> None:
    words = ("credentials", "set", "ghcr", "--kind", "basic", "--host", "ghcr.io", "-u", "me")
    assert home.here(*words, stdin="s3cret-one").out.startswith("stored ghcr: basic for ghcr.io")
    assert home.here(*words, stdin="s3cret-two").out.startswith("stored a new version of ghcr")
    (kept,) = home.api.served.secrets.values()
    assert json.loads(kept.secret.text) == {
        "kind": "basic",
        "host": "ghcr.io",
        "username": "me",
        "password": "s3cret-two",
    }
    for shown in ("list", "get"):
        done = home.here("credentials", shown, *(["ghcr"] if shown == "get" else []))
        assert (done.code, "ghcr.io" in done.out, "s3cret" in done.out + done.err) == (FINE, True, False)
    assert home.here("credentials", "delete", "ghcr", "--yes", "--json").json() == {
        "name": "ghcr",
        "deleted": True,
        "gone": None,
    }
    done = home.here("credentials", "get", "ghcr", "--json")
    assert (done.code, done.json()["error"]["code"]) == (MEND, "CredentialForbidden")


def test_whom_a_vendor_s_role_is_to_trust_the_api_tells(home: Home) -> None:
    words = ("credentials", "set", "ecr", "--kind", "aws_ecr", "--host", "222222222222.dkr.ecr.us-west-2.amazonaws.com")
    role = "arn:aws:iam::222222222222:role/byoa-pull"
    told = home.here(*words, "--role-arn", role, "--json", BYOA_TABLE="another").json()
    assert told["external_id"] == external_id("table", ORG)
    assert told["trust_policy"]["Statement"][0]["Principal"] == {"AWS": SOURCE_ROLE}
    again = home.here("credentials", "get", "ecr", "--json").json()
    assert {name: again[name] for name in ("external_id", "trust_policy")} == {
        name: told[name] for name in ("external_id", "trust_policy")
    }
    own = home.here(*words, "--role-arn", SOURCE_ROLE, "--json")
    assert (own.code, own.json()["error"]["code"]) == (MEND, "CredentialForbidden")


@pytest.mark.parametrize("name", ["../other", "arn:aws:x", "UPPER", "a b", "."])
def test_a_name_that_is_none_is_sent_nowhere(name: str, home: Home) -> None:
    assert home.here("credentials", "get", name).code == MEND
    assert home.api.requests == []
