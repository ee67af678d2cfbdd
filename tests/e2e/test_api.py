"""The deployed API, with its roles enforced: from the first token to a receipt, and what is refused on the way."""

from __future__ import annotations

import hmac
import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.bootstrap import terminal
from byoa.content.packing import pack
from byoa.engine.copying import copy
from byoa.installs.inventory import EMPTY
from byoa.installs.inventory import pack as pack_inventory
from byoa.oci.reference import Reference
from local import members
from local.desk import ORGANISATION
from tests.issuer import DISCOVERY, JWKS, Issuer, issuing

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Pipeline

pytestmark = pytest.mark.emulator

APP = "/v1/apps/api/components"
OTHER = "org_stranger0000"


class Client:
    """Whoever has a token."""

    def __init__(self, pipeline: Pipeline, token: str | None) -> None:
        self.place = pipeline.desk.api
        self.token = token

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.place + path, content, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        return status, json.loads(text) if text[:1] in (b"{", b"[") else text.decode()


def bootstrap(pipeline: Pipeline, organisation: str) -> Client:
    return Client(pipeline, members.bootstrap(pipeline.desk, organisation))


@pytest.fixture(scope="module")
def admin(enforced: Pipeline) -> Client:
    return bootstrap(enforced, ORGANISATION)


def test_a_config_that_is_handed_in_becomes_a_build_with_a_receipt(enforced: Pipeline, admin: Client) -> None:
    enforced.push("flux", "v2.3.1")
    status, token = admin.ask("POST", "/v1/tokens", {"name": "ci", "scopes": ["sync"]}, idempotency_key="first")
    assert status == 201, token
    sync = Client(enforced, token["token"])
    source = {"url": f"oci://{enforced.desk.vendor}/vendor/flux", "tag": "v2.3.1"}
    status, config = sync.ask(
        "POST", f"{APP}/flux/configs/kubernetes-manifest", {"namespace": "vendor", "oci_artifact": source}
    )
    assert (status, config["version"]) == (201, 1), config
    assert sync.ask("POST", f"{APP}/flux/configs/kubernetes-manifest", {"toml": config["toml"]})[0] == 200
    place = f"{APP}/flux/builds/{config['build_id']}"
    deadline = time.monotonic() + 90
    while (build := sync.ask("GET", place)[1])["status"] not in ("active", "error"):
        assert time.monotonic() < deadline, build
        time.sleep(0.2)
    assert build["status"] == "active", build
    assert build["resolved"]["digest"].startswith("sha256:")
    assert sync.ask("GET", f"{place}/receipt")[1]["payloadType"]
    assert sync.ask("GET", "/v1/general/receipt-key")[1]["public_key"].startswith("-----BEGIN PUBLIC KEY-----")
    for query in ("?app_id=api", "?app_id=api&status=active", "?status=active"):
        assert sync.ask("GET", f"/v1/builds{query}")[1][0]["id"] == build["id"], query
    assert sync.ask("GET", "/v1/builds?app_id=api&status=unfinished") == (200, [])
    (component,) = sync.ask("GET", APP)[1]
    assert component["latest_build"]["id"] == build["id"]
    assert sync.ask("GET", "/v1/tokens")[0] == 403
    status, gone = sync.ask("DELETE", f"{APP}/flux", if_match="*")
    assert (status, gone["stopped_build_id"]) == (200, None)
    assert sync.ask("GET", f"{APP}/flux")[0] == 404
    assert sync.ask("GET", f"{place}/receipt")[0] == 200
    deeds = [(deed["operation"], deed["status"]) for deed in admin.ask("GET", "/v1/audit?limit=100")[1]]
    assert deeds[:2] == [("delete_component", 200), ("create_config", 200)]
    assert deeds[-1][0] == "bootstrap"
    assert admin.ask("DELETE", f"/v1/tokens/{token['id']}")[0] == 204
    assert sync.ask("GET", APP)[0] == 401


def push(pipeline: Pipeline, text: str) -> str:
    """Another content under the same tag."""
    packed = pack(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {text}}}\n")
    reference = Reference.parse(f"oci://{pipeline.desk.vendor}/vendor/hooked:v1")
    target = terminal.repository(reference, "target", None, plain_http=True)
    copy(MemoryRepository.holding(packed), target, packed.manifest, tag="v1")
    return str(packed.manifest.digest)


def deliver(client: Client, hook: dict[str, Any], body: bytes) -> tuple[int, Any]:
    signature = hmac.digest(hook["secret"].encode(), body, "sha256").hex()
    request = urllib.request.Request(client.place + hook["path"], body, {"X-Signature": f"sha256={signature}"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def until(found: Callable[[], Any], seconds: float = 90) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return value


def test_a_push_that_a_hook_tells_of_is_noted_and_where_a_hook_is_for_that_built(
    enforced: Pipeline, admin: Client
) -> None:
    before, place = push(enforced, "before"), f"{APP}/hooked"
    source = {"url": f"oci://{enforced.desk.vendor}/vendor/hooked", "tag": "v1"}
    config = {"namespace": "vendor", "oci_artifact": source}
    assert admin.ask("POST", f"{place}/configs/kubernetes-manifest", config)[0] == 201
    until(lambda: admin.ask("GET", place)[1]["status"] == "active")
    notes, builds = (
        admin.ask("POST", "/v1/hooks", {"name": action, "kind": "generic", "action": action})[1]
        for action in ("note", "build")
    )
    body = json.dumps(source | {"digest": "sha256:whatever"}).encode()
    after = push(enforced, "after")
    spoilt = [{**notes, "secret": builds["secret"]}, {**notes, "path": notes["path"].replace(ORGANISATION, OTHER)}]
    assert [deliver(admin, each, body)[0] for each in spoilt] == [401, 404]
    assert deliver(admin, notes, b"x" * 256 * 1024 + b"x")[0] == 413
    assert deliver(admin, notes, body) == (202, {"status": "accepted", "reason": ""})
    moved = until(lambda: admin.ask("GET", place)[1]["tag_moved"])
    assert (moved["digest_before"], moved["digest_after"], moved["hook_id"]) == (before, after, notes["id"])
    assert admin.ask("GET", place)[1]["config_versions"] == 1
    assert deliver(admin, builds, body)[0] == 202
    built = until(lambda: (found := admin.ask("GET", place)[1])["config_versions"] == 2 and found)
    assert built["latest_build"]["created_by_id"] == builds["id"]
    build = until(lambda: (found := admin.ask("GET", place)[1])["status"] == "active" and found)
    assert (build["latest_build"]["resolved"]["digest"], build["tag_moved"]) == (after, None)
    assert [admin.ask("DELETE", f"/v1/hooks/{each['id']}")[0] for each in (notes, builds)] == [204, 204]
    assert deliver(admin, builds, body)[0] == 404


def test_credentials_are_kept_for_builds_and_not_told(enforced: Pipeline, admin: Client) -> None:
    kept = {"kind": "basic", "host": "ghcr.io", "value": {"username": "bot", "password": "hunter2"}}
    status, made = admin.ask("POST", "/v1/credentials", {"ref": "by-api", **kept})
    assert (status, made["type"]) == (201, "basic"), made
    assert "by-api" in [each["ref"] for each in admin.ask("GET", "/v1/credentials?limit=100")[1]]
    value = enforced.call("secretsmanager", "get_secret_value", SecretId=f"byoa/{ORGANISATION}/by-api")
    assert json.loads(value["SecretString"])["password"] == "hunter2"
    assert admin.ask("PUT", "/v1/credentials/by-api", kept, if_match="*")[0] == 200
    assert admin.ask("DELETE", "/v1/credentials/by-api", if_match="*")[0] == 204
    assert admin.ask("GET", "/v1/credentials/by-api")[0] == 404


def test_strangers_and_other_organisations_get_nothing(enforced: Pipeline, admin: Client) -> None:
    nobody, other = Client(enforced, None), bootstrap(enforced, OTHER)
    assert admin.ask("POST", APP, {"name": "mine"})[0] == 201
    assert nobody.ask("GET", f"{APP}/mine")[0] == nobody.ask("GET", "/v1/nothing")[0] == 401
    assert other.ask("GET", f"{APP}/mine")[0] == 404
    assert other.ask("GET", APP) == (200, [])
    assert other.ask("GET", "/v1/orgs/current", x_nuon_org_id=ORGANISATION)[0] == 403
    assert nobody.ask("GET", "/healthz") == (200, {"status": "ok"})
    assert nobody.ask("GET", "/v1/openapi.json")[1]["openapi"].startswith("3.1")
    assert "BYOA" in nobody.ask("GET", "/v1/docs")[1]


def test_a_job_of_ci_is_let_in_by_its_token(enforced: Pipeline, admin: Client) -> None:
    with issuing(Issuer(), enforced.desk.ports.issuer) as issuer:
        rule = {"name": "main", "issuer": issuer.name, "claims": {"repository": "vendor/app"}, "scopes": ["sync"]}
        assert admin.ask("POST", "/v1/issuers", {**rule, "claims": {"ref": "main"}})[0] == 422
        status, made = admin.ask("POST", "/v1/issuers", rule)
        assert (status, made["audience"]) == (201, f"byoa:{ORGANISATION}"), made
        job = Client(enforced, issuer.sign(issuer.claims(time.time(), made["audience"])))
        here = {"x_nuon_org_id": ORGANISATION}
        status, account = job.ask("GET", "/v1/account", **here)
        assert (status, account["scopes"]) == (200, ["sync"]), account
        assert job.ask("POST", APP, {"name": "by-job"}, **here)[0] == 201
        assert job.ask("GET", "/v1/tokens", **here)[0] == 403
        assert job.ask("GET", "/v1/account", x_nuon_org_id=OTHER)[0] == 401
        renamed = Client(enforced, issuer.sign(issuer.claims(time.time(), made["audience"]), header={"kid": "new"}))
        assert renamed.ask("GET", "/v1/account", **here)[0] == 401
        assert issuer.asked == [DISCOVERY, JWKS] * 2
    assert admin.ask("GET", "/v1/audit?limit=1")[1][0]["token_name"] == account["name"]
    assert admin.ask("DELETE", f"/v1/issuers/{made['id']}")[0] == 204
    assert job.ask("GET", "/v1/account", **here)[0] == 401


def test_an_install_s_agent_leases_a_deploy_whose_receipt_is_good_and_tells_how_it_went(
    enforced: Pipeline, admin: Client
) -> None:
    enforced.push("flux", "v2.3.1")
    source = {"url": f"oci://{enforced.desk.vendor}/vendor/flux", "tag": "v2.3.1"}
    _, config = admin.ask(
        "POST", f"{APP}/leased/configs/kubernetes-manifest", {"namespace": "vendor", "oci_artifact": source}
    )
    deadline = time.monotonic() + 90
    while admin.ask("GET", f"{APP}/leased/builds/{config['build_id']}")[1]["status"] != "active":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    cluster = {"kind": "static", "server": "https://k8s.example.com", "token": "a-token-of-a-cluster"}
    status, install = admin.ask("POST", "/v1/apps/api/installs", {"name": "leased", "cluster": cluster})
    assert status == 201, install
    place = f"/v1/installs/{install['id']}"
    assert admin.ask("PATCH", place, {"cluster": {"kind": "agent"}}, if_match="*")[0] == 200
    _, token = admin.ask("POST", "/v1/tokens", {"name": "agent", "scopes": ["agent"], "install_ids": [install["id"]]})
    agent = Client(enforced, token["token"])
    status, deploy = admin.ask("POST", f"{place}/components/leased/deploys", {})
    assert status == 201, deploy
    _, leased = agent.ask("POST", f"{place}/jobs/lease")
    job = leased["job"]
    assert job["checked"]["digest"] == deploy_digest(admin, config)
    lease = {"lease_id": job["lease_id"]}
    assert agent.ask("POST", f"{place}/jobs/lease")[1]["job"] is None
    jobs = f"{place}/jobs/{deploy['id']}"
    assert agent.ask("POST", f"{jobs}/renew", lease)[0] == 200
    assert agent.ask("POST", f"{jobs}/report", lease)[1]["status"] == "executing"
    inventory = {**lease, "packed": pack_inventory(EMPTY), "version": ""}
    assert agent.ask("PUT", f"{jobs}/inventory", inventory)[1]["version"] == "1"
    assert agent.ask("GET", f"{jobs}/inventory?lease_id={job['lease_id']}")[1]["version"] == "1"
    told = json.dumps({"code": "ClusterForbidden", "cause": "It may not.", "remedy": "", "where": None})
    failure = {"error": "ClusterForbidden", "cause": json.dumps({"errorMessage": told})}
    assert agent.ask("POST", f"{jobs}/report", {**lease, "ended": {"failure": failure}})[1]["status"] == "error"
    assert agent.ask("GET", place)[0] == 403
    assert admin.ask("GET", f"{place}/components/leased/deploys/latest")[1]["failure"]["code"] == "ClusterForbidden"
    assert admin.ask("DELETE", place, if_match="*")[0] == 204


def deploy_digest(admin: Client, config: Any) -> str:
    _, build = admin.ask("GET", f"{APP}/leased/builds/{config['build_id']}")
    return str(build["resolved"]["digest"])
