"""What routes do, asked in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.memory.inventory import MemoryInventory
from byoa.adapters.memory.tracking import MemoryTracked
from byoa.adapters.memory.vault import MemoryVault
from byoa.api.app import make
from byoa.builds.messages import BuildKey, MirroredArtifact, NamedObjects, Outcome, Trial, Tried
from byoa.builds.records import entry
from byoa.components.reading import check_config
from byoa.errors import AuthFailed, ByoaError, CredentialForbidden, RegistryUnavailable, Timeout
from byoa.tracking.messages import Moved
from byoa.trust.external_id import external_id
from local.pages.lookups import tried
from tests.api.served import APP, ORG, OTHER, SOURCE_ROLE, Answer, Served

if TYPE_CHECKING:
    from collections.abc import Callable

COMPONENTS = f"/v1/apps/{APP}/components"
WEB = f"{COMPONENTS}/web"
CONFIGS = f"{WEB}/configs/kubernetes-manifest"
CONFIG = {"namespace": "a", "manifest": "a: 1"}
TOML = """\
name = "web"
type = "kubernetes_manifest"
namespace = "a"
dependencies = ["database"]

[oci_artifact]
url = "oci://ghcr.io/vendor/app"
tag = "v1"  # the newest

[labels]
team = "a"
"""


@pytest.fixture
def served() -> Served:
    return Served()


def handed_in(served: Served, **fields: Any) -> Answer:
    return served.ask("POST", CONFIGS, {**CONFIG, **fields})


def went_well(served: Served, version: int = 1) -> BuildKey:
    key = BuildKey(organisation=ORG, app=APP, component="web", version=version)
    now = served.clock.now()
    served.ledger.begin(key, "one", entry("planning", "begun", now))
    mirror = MirroredArtifact(
        target="ecr", reference="oci://1.dkr.ecr.x/byoa/web@sha256:0", tag="bld", digest="sha256:0",
        blobs_copied=1, blobs_skipped=0, bytes_copied=1,
    )  # fmt: skip
    envelope = {"payloadType": "application/vnd.in-toto+json", "payload": "e30=", "signatures": [{"sig": "a"}]}
    served.ledger.keep_receipt(key, "one", json.dumps(envelope))
    outcome = Outcome(status="active", digest="sha256:0", tag="v1", mirrors=[mirror])
    served.ledger.finish(key, "one", outcome, [entry("active", "ready to install", now)])
    return key


def test_a_tag_that_moved_shows_on_the_component_until_it_is_built_again(served: Served) -> None:
    served.ask("POST", CONFIGS, {"toml": TOML})
    key = went_well(served)
    assert served.ask("GET", WEB).json["tag_moved"] is None
    moved = Moved(version=1, tag="v1", before="sha256:0", after="sha256:1", at_ts=0)
    MemoryTracked(ORG, served.ledger, served.components).note(key, moved)
    for shown in (served.ask("GET", WEB).json, served.ask("GET", COMPONENTS).json[0]):
        assert shown["tag_moved"] == {
            "tag": "v1", "digest_before": "sha256:0", "digest_after": "sha256:1",
            "noticed_at": "1970-01-01T00:00:00.000Z", "hook_id": None,
        }  # fmt: skip
    assert served.ask("POST", f"{WEB}/builds", {}).status == 201
    assert served.ask("GET", WEB).json["tag_moved"] is None


# ---- apps, the organisation --------------------------------------------------------------------------------------


def test_apps_are_listed_by_name_each_with_its_components(served: Served) -> None:
    assert served.ask("GET", "/v1/apps").json == []
    handed_in(served)
    served.ask("POST", "/v1/apps/bar/components", {"name": "web"})
    listed = served.ask("GET", "/v1/apps").json
    assert [each["id"] for each in listed] == ["bar", APP]
    assert served.ask("GET", listed[1]["links"]["components"]).json[0]["name"] == "web"
    assert served.ask("GET", listed[1]["links"]["builds"]).json[0]["app_id"] == APP
    assert served.ask("GET", listed[1]["links"]["self"]).json == listed[1]
    first = served.ask("GET", "/v1/apps?limit=1")
    assert [each["id"] for each in first.json] == ["bar"]
    assert [each["id"] for each in served.ask("GET", first.headers["Link"][1:].partition(">")[0]).json] == [APP]
    assert [each["id"] for each in served.ask("GET", "/v1/apps?q=s").json] == [APP]
    assert served.ask("GET", "/v1/apps/none").status == 404
    assert served.ask("GET", f"/v1/apps/{APP}", token=served.token(org=OTHER)).status == 404
    assert served.ask("GET", "/v1/apps", token=served.token(org=OTHER)).json == []


def test_components_of_all_apps_are_listed_together_each_with_its_newest_build(served: Served) -> None:
    handed_in(served)
    served.ask("POST", "/v1/apps/bar/components", {"name": "web"})
    served.ask("POST", "/v1/apps/bar/components", {"name": "db"}, token=served.token("admin", org=OTHER))
    listed = served.ask("GET", "/v1/components").json
    assert [(each["app_id"], each["id"]) for each in listed] == [("bar", "web"), (APP, "web")]
    assert [each["latest_build"] and each["latest_build"]["app_id"] for each in listed] == [None, APP]
    assert [served.ask("GET", each["links"]["self"]).json for each in listed] == listed
    first = served.ask("GET", "/v1/components?limit=1")
    assert served.ask("GET", first.headers["Link"][1:].partition(">")[0]).json == listed[1:]


def test_an_organisation_is_told_whom_its_vendors_are_to_trust(served: Served) -> None:
    told = served.ask("GET", "/v1/orgs/current", token=served.token("read")).json
    assert (told["id"], told["source_role_arn"]) == (ORG, SOURCE_ROLE)
    assert told["external_id"] == external_id("table", ORG)
    assert (
        served.ask("GET", "/v1/orgs/current", token=served.token(org=OTHER)).json["external_id"] != told["external_id"]
    )


def test_credentials_of_the_platform_s_own_account_are_not_stored(served: Served) -> None:
    for host, role in (
        ("222222222222.dkr.ecr.us-west-2.amazonaws.com", SOURCE_ROLE),
        ("111122223333.dkr.ecr.us-west-2.amazonaws.com", "arn:aws:iam::222222222222:role/byoa-pull"),
    ):
        body = {"ref": "ecr", "kind": "aws_ecr", "host": host, "value": {"role_arn": role}}
        answer = served.ask("POST", "/v1/credentials", body)
        assert (answer.status, answer.json["errors"][0]["code"]) == (422, "CredentialForbidden")
    assert served.secrets == {}


# ---- configs -----------------------------------------------------------------------------------------------------


def test_a_config_makes_a_version_and_its_build(served: Served) -> None:
    made = handed_in(served)
    assert made.status == 201
    assert (made.json["version"], made.json["component_id"]) == (1, "web")
    build = served.ask("GET", f"{WEB}/builds/{made.json['build_id']}").json
    assert (build["status"], build["component_config_version"]) == ("queued", 1)
    assert build["created_by_id"].startswith("tok")
    assert [line["status"] for line in build["status_v2"]["history"]] == ["queued"]


def test_the_same_content_makes_nothing_new_in_whatever_form(served: Served) -> None:
    first = served.ask("POST", CONFIGS, {"toml": TOML})
    fields = {
        "namespace": "a", "dependencies": ["database"], "labels": {"team": "a"},
        "oci_artifact": {"url": "oci://ghcr.io/vendor/app", "tag": "v1"},
    }  # fmt: skip
    again = served.ask("POST", CONFIGS, fields)
    rendered = served.ask("POST", CONFIGS, {"toml": first.json["toml"]})
    assert [each.status for each in (first, again, rendered)] == [201, 200, 200]
    assert {each.json["version"] for each in (first, again, rendered)} == {1}
    assert check_config(again.json["toml"]).config == check_config(TOML).config


def test_a_file_comes_back_as_it_was_written_and_whoever_saw_another_is_told(served: Served) -> None:
    first = served.ask("POST", CONFIGS, {"toml": TOML + "# the end\n"})
    assert first.json["toml"] == TOML + "# the end\n"
    seen = served.ask("GET", f"{WEB}/configs/latest").headers["ETag"]
    again = served.ask("POST", CONFIGS, {"toml": "# ours\n" + TOML}, if_match=seen)
    assert (again.status, again.json["version"], again.json["toml"]) == (200, 1, "# ours\n" + TOML)
    assert served.ask("GET", f"{WEB}/configs/1").json["toml"] == "# ours\n" + TOML
    assert served.ask("POST", CONFIGS, {"toml": TOML}, if_match=seen).code == "changed"
    made = served.ask("POST", f"{WEB}/builds", {"use_latest": True}).json
    assert served.ask("GET", f"{WEB}/configs/{made['component_config_version']}").json["toml"] == "# ours\n" + TOML


def test_all_faults_are_told_at_once_each_with_its_place(served: Served) -> None:
    answer = served.ask(
        "POST", CONFIGS, {"namespace": "A b", "manifest": "", "build_timeout": "9h", "labels": {"a b": "c"}}
    )
    assert (answer.status, answer.code) == (422, "invalid")
    assert {fault["pointer"] for fault in answer.json["errors"]} == {
        "/body/namespace", "/body/manifest", "/body/build_timeout", "/body/labels/a b",
    }  # fmt: skip
    told = served.ask("POST", CONFIGS, {"toml": TOML.replace('"a"', '"A b"', 1)}).json["errors"]
    assert [(fault["pointer"], fault["line"], fault["field"]) for fault in told] == [("/body/toml", 3, "namespace")]


def test_a_file_of_another_name_or_with_fields_beside_it_is_refused(served: Served) -> None:
    assert served.ask("POST", f"{COMPONENTS}/api/configs/kubernetes-manifest", {"toml": TOML}).status == 422
    assert served.ask("POST", CONFIGS, {"toml": TOML, "namespace": "a"}).status == 422
    assert served.ledger.records == {}


def test_configs_are_listed_newest_first_without_what_is_long(served: Served) -> None:
    for number in range(3):
        handed_in(served, manifest=f"a: {number}")
    listed = served.ask("GET", f"{WEB}/configs").json
    assert [each["version"] for each in listed] == [3, 2, 1]
    assert {each["toml"] for each in listed} == {None}
    assert served.ask("GET", f"{WEB}/configs/latest").json["kubernetes_manifest"]["manifest"] == "a: 2"
    assert served.ask("GET", f"{WEB}/configs/1").json["kubernetes_manifest"]["manifest"] == "a: 0"
    for absent in ("4", "0", "-1", "x", "9" * 30, "\u0661"):
        assert served.ask("GET", f"{WEB}/configs/{absent}").status == 404, absent
    for absent in ("A", "a.b", "none", "a" * 100):
        for rest in ("", "/configs", "/configs/1", "/configs/latest", "/builds", "/builds/latest", "/builds/x"):
            assert served.ask("GET", f"{COMPONENTS}/{absent}{rest}").status == 404, (absent, rest)


def test_a_file_is_checked_without_being_handed_in(served: Served) -> None:
    good = served.ask("POST", f"{COMPONENTS}/configs/check", {"toml": TOML}).json
    assert (good["valid"], good["form"]["namespace"]) == (True, "a")
    assert good["toml"] == TOML, "its own text, with its comments"
    bad = served.ask("POST", f"{COMPONENTS}/configs/check", {"toml": "name = 1\n"}).json
    assert not bad["valid"]
    assert (bad["faults"][0]["line"], bad["form"]) == (1, {"name": 1})
    assert served.ledger.records == {}
    assert served.deeds == {}, "nothing was done"


def test_a_check_changes_fields_and_keeps_the_rest(served: Served) -> None:
    changes = {"oci_artifact.tag": "v2", "labels.'a.b/c'": "d", "namespace": "B"}
    answer = served.ask("POST", f"{COMPONENTS}/configs/check", {"toml": TOML, "changes": changes}).json
    text = TOML.replace('"v1"', '"v2"').replace('team = "a"\n', 'team = "a"\n"a.b/c" = "d"\n')
    assert answer["toml"] == text.replace('namespace = "a"', 'namespace = "B"')
    assert answer["form"]["labels"] == {"team": "a", "a.b/c": "d"}
    assert [(fault["field"], fault["line"]) for fault in answer["faults"]] == [("namespace", 3)]
    assert answer["faults"] == [each.as_dict() for each in check_config(answer["toml"]).faults]
    mended = {"toml": answer["toml"], "changes": {"namespace": "b"}}
    assert served.ask("POST", f"{COMPONENTS}/configs/check", mended).json["valid"]


def test_a_text_that_is_no_toml_comes_back_as_it_was(served: Served) -> None:
    answer = served.ask("POST", f"{COMPONENTS}/configs/check", {"toml": "name = ", "changes": {"name": "web"}}).json
    assert (answer["toml"], answer["form"], answer["valid"]) == ("name = ", None, False)
    assert [fault["code"] for fault in answer["faults"]] == ["toml_invalid"]


@pytest.mark.parametrize(
    ("value", "message"),
    [(f"0x{'f' * 5000}", "a number of too many digits"), (f"{'{a = ' * 300}1{'}' * 300}", "too deeply nested")],
    ids=["hexadecimal", "deep"],
)
def test_a_file_that_no_json_could_tell_is_answered_with_its_fault(value: str, message: str, served: Served) -> None:
    answer = served.ask("POST", f"{COMPONENTS}/configs/check", {"toml": f"x = {value}\n", "changes": {"name": "web"}})
    assert (answer.status, answer.json["form"], answer.json["faults"][0]["code"]) == (200, None, "toml_invalid")
    assert message in answer.json["faults"][0]["message"]


def test_a_change_that_leads_nowhere_is_refused(served: Served) -> None:
    answer = served.ask("POST", f"{COMPONENTS}/configs/check", {"toml": TOML, "changes": {"name.x": 1}})
    assert (answer.status, answer.code) == (422, "EditRefused")


# ---- components --------------------------------------------------------------------------------------------------


def test_a_component_is_made_found_changed_and_made_once(served: Served) -> None:
    made = served.ask("POST", COMPONENTS, {"name": "web", "dependencies": ["database"]})
    assert (made.status, made.json["status"], made.json["config_versions"]) == (201, "pending", 0)
    assert served.ask("POST", COMPONENTS, {"name": "web"}).code == "exists"
    assert served.ask("GET", f"/v1/apps/{APP}/component/web").json == served.ask("GET", WEB).json == made.json
    etag = served.ask("GET", WEB).headers["ETag"]
    assert served.ask("PATCH", WEB, {"var_name": "w"}).code == "unconditional"
    changed = served.ask("PATCH", WEB, {"var_name": "w"}, if_match=etag)
    assert (changed.json["resolved_var_name"], changed.json["dependencies"]) == ("w", ["database"])
    assert served.ask("PATCH", WEB, {"var_name": "v"}, if_match=etag).code == "changed"
    assert served.ask("PATCH", WEB, {"name": "other"}, if_match="*").status == 422


def test_components_are_listed_by_name_with_their_newest_builds(served: Served) -> None:
    for name in ("web", "api", "web-worker"):
        served.ask("POST", f"{COMPONENTS}/{name}/configs/kubernetes-manifest", CONFIG)
    listed = served.ask("GET", COMPONENTS)
    assert [(each["name"], each["latest_build"]["status"]) for each in listed.json] == [
        ("api", "queued"), ("web", "queued"), ("web-worker", "queued"),
    ]  # fmt: skip
    assert [each["name"] for each in served.ask("GET", f"{COMPONENTS}?q=web").json] == ["web", "web-worker"]
    assert served.ask("GET", f"{COMPONENTS}?types=helm_chart").json == []
    assert [each["name"] for each in served.ask("GET", f"{COMPONENTS}?component_ids=web,api,none").json] == [
        "api",
        "web",
    ]
    assert served.ask("GET", "/v1/apps/other/components").json == []


def test_objects_of_a_build_that_went_well_are_told_by_kind_and_name(served: Served) -> None:
    build = handed_in(served).json["build_id"]
    key = BuildKey(organisation=ORG, app=APP, component="web", version=1)
    by_kind = {"Deployment": ["vendor/web"], "Namespace": ["vendor"]}
    served.ledger.keep_objects(key, "one", NamedObjects(by_kind=by_kind, left_out=3))
    assert served.ask("GET", f"{WEB}/builds/{build}/resources").status == 404
    went_well(served)
    assert served.ask("GET", f"{WEB}/builds/{build}/resources").json == {
        "resources": [
            {"kind": "Deployment", "namespace": "vendor", "name": "web"},
            {"kind": "Namespace", "namespace": None, "name": "vendor"},
        ],
        "left_out": 3,
    }
    stranger = served.token(org=OTHER)
    assert served.ask("GET", f"{WEB}/builds/{build}/resources", token=stranger).status == 404


def test_deleting_stops_the_build_keeps_receipts_and_tells(served: Served) -> None:
    handed_in(served)
    key = went_well(served)
    first = served.ledger.records[key].build_id
    running = handed_in(served, manifest="a: 2").json["build_id"]
    gone = served.ask("DELETE", WEB, if_match="*")
    assert gone.json == {"deleted": True, "stopped_build_id": running, "kept": ["configs", "builds", "receipts"]}
    assert served.ask("GET", WEB).status == served.ask("GET", f"{WEB}/builds").status == 404
    assert served.ask("GET", COMPONENTS).json == []
    stopped = served.ask("GET", f"{WEB}/builds/{running}").json
    assert (stopped["status"], stopped["failure"]["code"]) == ("error", "BuildCancelled")
    assert served.ask("GET", f"{WEB}/builds/{first}/receipt").json["payload"] == "e30="
    assert [(each.component, each.app) for each in served.told] == [("web", APP)]


def test_a_component_that_comes_back_counts_on_where_it_was(served: Served) -> None:
    handed_in(served)
    served.ask("DELETE", WEB, if_match="*")
    back = handed_in(served)
    assert (back.status, back.json["version"]) == (201, 2)


# ---- builds ------------------------------------------------------------------------------------------------------


def test_a_rebuild_is_a_new_version_of_the_same_content(served: Served) -> None:
    handed_in(served)
    again = served.ask("POST", f"{WEB}/builds", {"use_latest": True})
    assert (again.status, again.json["component_config_version"]) == (201, 2)
    listed = served.ask("GET", f"{WEB}/builds").json
    assert [each["component_config_version"] for each in listed] == [2, 1]
    assert {len(each["status_v2"]["history"]) for each in listed} == {0}
    assert served.ask("GET", f"{WEB}/builds/latest").json["id"] == again.json["id"]
    checksums = {each["checksum"] for each in served.ask("GET", f"{WEB}/configs").json}
    assert len(checksums) == 1


def test_what_has_no_config_has_nothing_to_build(served: Served) -> None:
    served.ask("POST", COMPONENTS, {"name": "web"})
    assert served.ask("POST", f"{WEB}/builds", {}).code == "no_config"
    assert served.ask("GET", f"{WEB}/builds/latest").status == 404
    assert served.ask("GET", f"{WEB}/configs/latest").status == 404
    answer = served.ask("POST", f"{COMPONENTS}/build-all").json
    assert (answer["builds"], answer["left_out"], answer["next_after"]) == ([], ["web"], None)


def test_all_components_are_built_in_parts(served: Served) -> None:
    for number in range(30):
        served.ask("POST", f"{COMPONENTS}/c{number:02}/configs/kubernetes-manifest", CONFIG)
    first = served.ask("POST", f"{COMPONENTS}/build-all").json
    rest = served.ask("POST", f"{COMPONENTS}/build-all?after={first['next_after']}").json
    built = [each["component_name"] for each in first["builds"] + rest["builds"]]
    assert built == [f"c{number:02}" for number in range(30)]
    assert rest["next_after"] is None


def test_a_build_is_cancelled_once(served: Served) -> None:
    build = handed_in(served).json["build_id"]
    ended = served.ask("POST", f"{WEB}/builds/{build}/cancel")
    assert (ended.status, ended.json["failure"]["code"]) == (200, "BuildCancelled")
    assert ended.json["status_v2"]["history"][-1]["metadata"]["stopped_by"].startswith("tok")
    assert served.ask("POST", f"{WEB}/builds/{build}/cancel").code == "ended"
    assert handed_in(served).status == 201, "a build that was cancelled serves for nobody"


def test_builds_of_an_app_are_the_newest_first(served: Served) -> None:
    for name in ("b", "a", "b"):
        served.ask(
            "POST",
            f"{COMPONENTS}/{name}/configs/kubernetes-manifest",
            {**CONFIG, "manifest": f"x: {len(served.ledger.records)}"},
        )
    assert [each["component_name"] for each in served.ask("GET", f"/v1/builds?app_id={APP}").json] == ["b", "a", "b"]
    assert len(served.ask("GET", f"/v1/builds?app_id={APP}&component_id=b").json) == 2
    served.ask(
        "POST", "/v1/apps/other/components/a/configs/kubernetes-manifest", {"namespace": "a", "manifest": "a: 1"}
    )
    assert [each["app_id"] for each in served.ask("GET", "/v1/builds").json] == ["other", APP, APP, APP]
    stopped = served.ask("GET", f"/v1/builds?app_id={APP}").json[1]
    served.ask("POST", f"/v1/apps/{APP}/components/a/builds/{stopped['id']}/cancel")
    for path in ("/v1/builds?status=error", f"/v1/builds?app_id={APP}&status=error"):
        assert [each["id"] for each in served.ask("GET", path).json] == [stopped["id"]]
    assert len(served.ask("GET", "/v1/builds?status=unfinished").json) == 3
    assert served.ask("GET", "/v1/builds?app_id=other&status=active").json == []
    for path, pointers in (
        ("component_id=b", ["/query/app_id"]),
        ("component_id=b&status=error", ["/query/app_id", "/query/status"]),
        (f"app_id={APP}&component_id=b&status=error", ["/query/status"]),
        ("status=queued", ["/query/status"]),
    ):
        refused = served.ask("GET", f"/v1/builds?{path}")
        assert (refused.status, [each["pointer"] for each in refused.json["errors"]]) == (422, pointers)


def test_a_build_is_of_its_component_alone(served: Served) -> None:
    build = handed_in(served).json["build_id"]
    assert served.ask("GET", f"{COMPONENTS}/api/builds/{build}").status == 404
    assert served.ask("GET", f"/v1/apps/other/components/web/builds/{build}").status == 404
    assert served.ask("GET", f"{WEB}/builds/{build}/receipt").status == 404


def test_a_build_that_went_well_tells_what_was_pinned_and_where_it_is(served: Served) -> None:
    handed_in(served)
    key = went_well(served)
    build = served.ask("GET", f"{WEB}/builds/{served.ledger.records[key].build_id}").json
    assert build["resolved"] == {"tag": "v1", "digest": "sha256:0", "resolved_at": None}
    assert build["oci_artifact"]["repository"] == "1.dkr.ecr.x/byoa/web"
    assert build["receipt_id"] == build["id"]


# ---- credentials -------------------------------------------------------------------------------------------------

BASIC = {"kind": "basic", "host": "ghcr.io", "value": {"username": "bot", "password": "hunter2-hunter2"}}


def test_credentials_are_written_and_never_read_back(served: Served) -> None:
    made = served.ask("POST", "/v1/credentials", {"ref": "ghcr", **BASIC})
    assert (made.status, made.json["type"], made.json["host"]) == (201, "basic", "ghcr.io")
    assert served.ask("POST", "/v1/credentials", {"ref": "ghcr", **BASIC}).code == "exists"
    one = served.ask("GET", "/v1/credentials/ghcr")
    replaced = served.ask("PUT", "/v1/credentials/ghcr", BASIC, if_match=one.headers["ETag"])
    assert replaced.json["version"] != made.json["version"]
    assert served.ask("PUT", "/v1/credentials/ghcr", BASIC, if_match=one.headers["ETag"]).code == "changed"
    said = [made, one, replaced, served.ask("GET", "/v1/credentials"), served.ask("GET", "/v1/audit")]
    assert all("hunter2" not in answer.text for answer in said)
    assert "hunter2" in served.secrets[f"byoa/{ORG}/ghcr"].secret.text
    assert served.ask("DELETE", "/v1/credentials/ghcr", if_match="*").status == 204
    assert served.ask("GET", "/v1/credentials/ghcr").status == 404


@pytest.mark.parametrize(
    "value",
    [{"username": "hunter2"}, {"username": "a", "password": "b", "hunter2": "c"}, {"kind": "token", "hunter2": "b"}],
)
def test_what_is_wrong_with_credentials_is_told_without_them(served: Served, value: dict[str, str]) -> None:
    answer = served.ask("POST", "/v1/credentials", {"ref": "a", "kind": "basic", "host": "ghcr.io", "value": value})
    assert (answer.status, answer.code) == (422, "CredentialMalformed")
    assert "hunter2" not in answer.text
    assert served.secrets == {}


@pytest.mark.parametrize("name", ["..", "a.b", "A", "a%2Fb", "byoa"])
def test_a_name_that_is_none_is_not_found(served: Served, name: str) -> None:
    assert served.ask("GET", f"/v1/credentials/{name}").status == 404


def test_a_config_is_taken_for_the_state_that_it_was_made_for(served: Served) -> None:
    assert handed_in(served).status == 201
    etag = served.ask("GET", f"{WEB}/configs/latest").headers["ETag"]
    wanted = {**CONFIG, "manifest": "b: 2"}
    assert served.ask("POST", CONFIGS, wanted, if_none_match="*").code == "changed"
    assert served.ask("POST", CONFIGS, wanted, if_match='"another"').code == "changed"
    assert served.ask("POST", CONFIGS, wanted, if_match=etag).status == 201
    assert served.ask("POST", CONFIGS, {**CONFIG, "manifest": "c: 3"}, if_match=etag).status == 412
    assert served.ask("POST", CONFIGS.replace("web", "api"), CONFIG, if_match=etag).status == 412
    assert served.ask("POST", CONFIGS.replace("web", "api"), CONFIG, if_none_match="*").status == 201


def test_stored_credentials_are_tried_by_the_function_that_may_read_them(served: Served) -> None:
    asked: list[Trial] = []

    def found(trial: Trial) -> Tried:
        asked.append(trial)
        return tried(trial)

    served.try_credentials = found
    assert served.ask("POST", "/v1/credentials/ghcr/test", {}).code == "not_found"
    served.ask("POST", "/v1/credentials", {"ref": "ghcr", **BASIC})
    place, reference = "/v1/credentials/ghcr/test", "oci://ghcr.io/vendor/app:v1"
    told = served.ask("POST", place, {"reference": reference}, token=served.token("sync")).json
    assert (told["ref"], told["type"], told["login"], told["reference"]) == ("ghcr", "basic", "accepted", reference)
    assert told["digest"].startswith("sha256:")
    assert served.ask("POST", place, {}).json["digest"] is None
    assert asked == [Trial(organisation=ORG, name="ghcr", reference=said) for said in (reference, None)]
    assert served.ask("POST", "/v1/credentials/A%2Fb/test", {}).status == 404
    assert served.ask("POST", place, {"reference": "ghcr.io/vendor/app"}).code == "ReferenceInvalid"
    served.ask("PUT", "/v1/policies", {"references": ["ghcr.io/other/*"]}, if_match="*")
    assert served.ask("POST", place, {"reference": reference}).code == "ReferenceForbidden"
    assert served.ask("POST", place, {}, token=served.token("read")).status == 403
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("error", "status"),
    [(CredentialForbidden("none"), 404), (AuthFailed("refused"), 400), (RegistryUnavailable("out"), 503),
     (Timeout("late"), 503)],
)  # fmt: skip
def test_a_trial_that_fails_tells_what_a_build_would_meet(served: Served, error: ByoaError, status: int) -> None:
    def fails(_: Trial) -> Tried:
        raise error

    served.try_credentials = fails
    served.ask("POST", "/v1/credentials", {"ref": "ghcr", **BASIC})
    answer = served.ask("POST", "/v1/credentials/ghcr/test", {})
    assert (answer.status, answer.code) == (status, error.code)


# ---- what two do at once -----------------------------------------------------------------------------------------


@dataclass
class Meanwhile:
    """A store in which somebody else is faster: ``does`` that once, before the first write that a caller means."""

    does: Callable[[], object]
    done: bool = False

    def first(self) -> None:
        if not self.done:
            self.done = True
            self.does()


def test_of_two_who_make_credentials_of_one_name_one_is_told(served: Served) -> None:
    first, second = ({"ref": "ghcr", **BASIC, "value": {"username": "u", "password": said}} for said in ("one", "two"))
    meanwhile = Meanwhile(lambda: served.ask("POST", "/v1/credentials", second))

    class Slow(MemoryVault):
        def swap(self, *args: Any, **said: Any) -> Any:
            meanwhile.first()
            return super().swap(*args, **said)

    served.face = make(replace(served.world, safe=lambda org: Slow(org, served.clock, served.secrets)))
    assert served.ask("POST", "/v1/credentials", first).code == "exists"
    assert "two" in MemoryVault(ORG, served.clock, served.secrets).read("ghcr").text


def test_of_two_who_replace_credentials_that_they_saw_one_is_told(served: Served) -> None:
    served.ask("POST", "/v1/credentials", {"ref": "ghcr", **BASIC})
    etag = served.ask("GET", "/v1/credentials/ghcr").headers["ETag"]
    first, second = ({**BASIC, "value": {"username": "u", "password": said}} for said in ("one", "two"))
    meanwhile = Meanwhile(lambda: served.ask("PUT", "/v1/credentials/ghcr", second, if_match=etag))

    class Slow(MemoryVault):
        def swap(self, *args: Any, **said: Any) -> Any:
            meanwhile.first()
            return super().swap(*args, **said)

    served.face = make(replace(served.world, safe=lambda org: Slow(org, served.clock, served.secrets)))
    assert served.ask("PUT", "/v1/credentials/ghcr", first, if_match=etag).code == "changed"
    assert "two" in MemoryVault(ORG, served.clock, served.secrets).read("ghcr").text


@pytest.mark.parametrize("there", [True, False], ids=["If-Match", "If-None-Match"])
def test_of_two_who_hand_in_a_config_for_what_they_saw_one_is_told(served: Served, *, there: bool) -> None:
    place = f"{COMPONENTS}/web/configs/kubernetes-manifest"
    headers = {"if_none_match": "*"}
    if there:
        served.ask("POST", place, CONFIG)
        headers = {"if_match": served.ask("GET", f"{COMPONENTS}/web/configs/latest").headers["ETag"]}
    first, second = ({**CONFIG, "manifest": f"said: {said}"} for said in ("one", "two"))
    meanwhile = Meanwhile(lambda: served.ask("POST", place, second, **headers))

    class Slow(MemoryInventory):
        def submit_after(self, *args: Any, **said: Any) -> Any:
            meanwhile.first()
            return super().submit_after(*args, **said)

    served.face = make(
        replace(served.world, inventory=lambda org: Slow(org, served.ledger, served.components, served.told))
    )
    assert served.ask("POST", place, first, **headers).code == "changed"
    assert served.ask("GET", f"{COMPONENTS}/web/configs/latest").json["version"] == 1 + there
    assert [key.version for key in served.ledger.records] == [*range(1, 2 + there)]
