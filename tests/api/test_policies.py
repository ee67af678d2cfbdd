"""What an organisation lets its builds read, set through the API in this process."""

from __future__ import annotations

import pytest

from byoa.builds import validate as validate_step
from byoa.builds.messages import ChangeReceived
from byoa.errors import ReferenceForbidden
from byoa.trust.policy import Policy
from tests.api.served import APP, ORG, OTHER, Served

POLICIES = "/v1/policies"
CONFIGS = f"/v1/apps/{APP}/components/web/configs/kubernetes-manifest"


@pytest.fixture
def served() -> Served:
    return Served()


def test_until_somebody_sets_them_builds_read_what_the_platform_allows(served: Served) -> None:
    found = served.ask("GET", POLICIES, token=served.token("read"))
    assert found.json == {
        "references": ["*"], "verification": [], "targets": ["ecr"], "version": 0, "updated_at": None,
        "updated_by_id": None,
    }  # fmt: skip


def test_what_is_set_is_answered_in_one_form_and_is_the_organisation_s_own(served: Served) -> None:
    body = {"references": ["oci://GHCR.io/vendor/*", "index.docker.io/library/nginx", "ghcr.io:443/vendor/*"]}
    made = served.ask("PUT", POLICIES, body, if_match=served.ask("GET", POLICIES).headers["ETag"])
    assert (made.status, made.json["version"]) == (200, 1)
    assert made.json["references"] == ["ghcr.io/vendor/*", "docker.io/library/nginx"]
    assert made.json["updated_by_id"].startswith("tok")
    assert served.ask("GET", POLICIES).json == made.json
    assert served.ask("GET", POLICIES, token=served.token(org=OTHER)).json["references"] == ["*"]
    deeds = served.ask("GET", "/v1/audit").json
    assert (deeds[0]["operation"], deeds[0]["status"]) == ("replace_policies", 200)


def test_a_build_is_held_to_them(served: Served) -> None:
    served.ask("PUT", POLICIES, {"references": ["ghcr.io/vendor/*"]}, if_match="*")
    for place, may in (("ghcr.io/vendor/app", True), ("quay.io/vendor/app", False)):
        made = served.ask("POST", CONFIGS, {"namespace": "a", "oci_artifact": {"url": f"oci://{place}", "tag": "v1"}})
        key = {"organisation": ORG, "app": APP, "component": "web", "version": made.json["version"]}
        change = ChangeReceived(**key, execution="one")
        policy = Policy(account="123456789012", prefix="byoa")
        if may:
            assert validate_step.validate(change, served.ledger, policy, served.clock).targets == ["ecr"]
        else:
            with pytest.raises(ReferenceForbidden):
                validate_step.validate(change, served.ledger, policy, served.clock)


def test_a_lookup_is_held_to_them_as_the_build_would_be(served: Served) -> None:
    served.ask("PUT", POLICIES, {"references": ["ghcr.io/vendor/*"]}, if_match="*")
    mine, other = ({"url": f"oci://{place}", "tag": "v1"} for place in ("ghcr.io/vendor/app", "quay.io/vendor/app"))
    for action in ("resolve", "plan", "inspect"):
        assert served.ask("POST", f"/v1/artifacts/{action}", mine).status == 200
        refused = served.ask("POST", f"/v1/artifacts/{action}", other, prefer="respond-async")
        assert (refused.status, refused.code) == (400, "ReferenceForbidden")
    refused = served.ask("POST", "/v1/artifacts/tags", {"url": other["url"]}, prefer="respond-async")
    assert (refused.status, refused.code) == (400, "ReferenceForbidden")
    refused = served.ask("POST", "/v1/artifacts/diff", {"before": mine, "after": other})
    assert (refused.code, refused.json["errors"][0]["pointer"]) == ("ReferenceForbidden", "/after")


def test_what_has_changed_meanwhile_is_not_replaced(served: Served) -> None:
    etag = served.ask("GET", POLICIES).headers["ETag"]
    body = {"references": ["ghcr.io/*"]}
    assert served.ask("PUT", POLICIES, body).status == 428
    assert served.ask("PUT", POLICIES, body, if_match=etag).status == 200
    assert served.ask("PUT", POLICIES, body, if_match=etag).status == 412
    assert served.ask("PUT", POLICIES, {"references": []}, if_match="*").json["version"] == 2


def test_what_means_nothing_yet_is_refused_with_every_other_fault(served: Served) -> None:
    body = {
        "references": ["ghcr.io/*", "*.example.com/*", "ghcr.io/vendor/app:v1"],
        "verification": [{"type": "cosign"}],
        "targets": ["acr"],
    }
    told = served.ask("PUT", POLICIES, body, if_match="*")
    assert (told.status, told.code) == (422, "invalid")
    assert [each["pointer"] for each in told.json["errors"]] == [
        "/body/references/1", "/body/references/2", "/body/verification", "/body/targets",
    ]  # fmt: skip
    assert served.ask("GET", POLICIES).json["version"] == 0
    for wrong in ({}, {"references": None}, {"references": ["*"], "policies": []}, {"references": ["a.b/c"] * 101}):
        assert served.ask("PUT", POLICIES, wrong, if_match="*").status == 422


def test_an_admin_sets_them_and_nobody_else(served: Served) -> None:
    for scope in ("read", "sync", "deploy"):
        answer = served.ask("PUT", POLICIES, {"references": []}, if_match="*", token=served.token(scope))
        assert answer.code == "scope_missing"
