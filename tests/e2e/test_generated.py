"""All that the description names, asked of the deployed API by two organisations: by schemathesis, and by real ids."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.aws.issuers import DynamoIssuers
from byoa.adapters.aws.rows import Rows
from byoa.api.doorkeeping import IssuerRule
from local import members
from tests.e2e.test_api import Client

if TYPE_CHECKING:
    from tests.e2e.conftest import Pipeline

pytestmark = pytest.mark.emulator

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
ORGANISATIONS = ("org_generated201", "org_generated202")
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "unsupported_method", "allow_header_conformance", "use_after_free",
    "ensure_resource_availability", "ignored_auth", "object_level_authorization",
)  # fmt: skip
"""What bad bodies are answered is the matter of tests/api/test_generated.py."""


LOOKUPS = "^/v1/artifacts/|/test$"
"""They would ask the registries of their examples; tests/api/test_generated.py asks them."""
APP = "shop"
ABSENT = ("/receipt", "/resources", "/attachments", "/agent")
DEPLOYED = "/v1/installs/{install_id}/components/{component_id}"
STATIC = {"kind": "static", "server": "https://k8s.example.com", "token": "a-token-of-a-cluster"}
OWN_BY_NAME = {"create_config"}
"""Names are each organisation's own, and who hands in a config makes what it names."""


@pytest.fixture(scope="module")
def clients(enforced: Pipeline) -> list[Client]:
    """An admin of each organisation."""
    return [Client(enforced, members.bootstrap(enforced.desk, organisation)) for organisation in ORGANISATIONS]


def test_every_answer_of_the_deployed_api_is_described_and_nobody_reads_another_s(
    enforced: Pipeline, clients: list[Client], tmp_path: Path
) -> None:
    """The second organisation asks for all that the first one made. Nobody revokes tokens: it could be their own."""
    logins = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {client.token}"}]}
        for name, client in zip(ORGANISATIONS, clients, strict=True)
    ]
    (tmp_path / "logins.json").write_text(json.dumps({"auth": logins}))
    peers = {"path": "logins.json", "user": ORGANISATIONS[0], "peers": [*ORGANISATIONS]}
    settings = "\n".join(f"{name} = {json.dumps(value)}" for name, value in peers.items())
    (tmp_path / "schemathesis.toml").write_text(f'[parameters]\napp_id = "{APP}"\n\n[auth.wfc]\n{settings}\n')
    command: list[str | Path] = [
        *(SCHEMATHESIS, "run", f"{enforced.desk.api}/v1/openapi.json", "--url", enforced.desk.api, "--no-color"),
        *("--phases", "coverage,fuzzing,stateful", "--max-examples", "2", "--generation-deterministic"),
        *("--exclude-operation-id", "revoke_token", "--exclude-path-regex", LOOKUPS, "--checks", ",".join(CHECKS)),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def things(enforced: Pipeline, clients: list[Client]) -> dict[str, str]:
    """What the first organisation has, by the names that paths have for it."""
    owner, _ = clients

    def made(path: str, body: Any) -> Any:
        status, answer = owner.ask("POST", path, body)
        assert status == 201, answer
        return answer

    component = made(f"/v1/apps/{APP}/components", {"name": "owned"})["id"]
    config = made(
        f"/v1/apps/{APP}/components/{component}/configs/kubernetes-manifest", {"namespace": "a", "manifest": "a: 1"}
    )
    sought = {"url": f"oci://{enforced.desk.vendor}/vendor/flux", "tag": "v2.3.1"}
    status, lookup = owner.ask("POST", "/v1/artifacts/resolve", sought, prefer="respond-async")
    assert status == 202, lookup
    stored = {"ref": "owned", "kind": "basic", "host": "ghcr.io", "value": {"username": "a", "password": "b"}}
    return {
        "app_id": APP,
        "component_id": component,
        "component_name_or_id": component,
        "config_id": config["id"],
        "build_id": config["build_id"],
        "ref": made("/v1/credentials", stored)["ref"],
        "install_id": made(f"/v1/apps/{APP}/installs", {"name": "owned", "cluster": STATIC})["id"],
        "hook_id": made("/v1/hooks", {"name": "owned", "kind": "quay"})["id"],
        "issuer_id": _rule(enforced, ORGANISATIONS[0]),
        "lookup_id": lookup["id"],
        "token_id": made("/v1/tokens", {"name": "owned", "scopes": ["read"]})["id"],
    }


def test_no_described_place_of_one_organisation_s_things_is_there_for_another(
    clients: list[Client], things: dict[str, str]
) -> None:
    owner, stranger = clients
    places = [
        (method, path, operation)
        for path, methods in owner.ask("GET", "/v1/openapi.json")[1]["paths"].items()
        for method, operation in methods.items()
        if _named(path) - {"app_id"} and _named(path) <= things.keys() and operation["operationId"] not in OWN_BY_NAME
    ]
    assert len(places) > 15
    assert {"hook_id", "issuer_id", "lookup_id"} <= {name for _, path, _ in places for name in _named(path)}
    filled = {path: path.format_map(things) for _, path, _ in places}
    seen = {path: owner.ask("GET", place) for path, place in filled.items() if ("get", path) in _of(places)}
    assert [path for path, (status, _) in seen.items() if status != 200] == [
        path for path in seen if path.endswith(ABSENT) or path.startswith(DEPLOYED)
    ], "nothing is signed or inspected yet, nothing was deployed, and no agent does it"
    for method, path, operation in places:
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
        status, answer = stranger.ask(method.upper(), filled[path], body, if_match="*")
        assert status == 404, (method, path, answer)
    for path, before in seen.items():
        assert _lasting(owner.ask("GET", filled[path])) == _lasting(before), path


def _rule(enforced: Pipeline, organisation: str) -> str:
    """A rule on an issuer that nobody on the desk could be asked for: put where the API would put it."""
    rule = IssuerRule(
        organisation, "iss" + "a" * 23, "owned", "https://ci.example", "byoa", {"sub": ("a",)}, ("read",), 1, "tok"
    )
    with closing(enforced.desk.client("dynamodb")) as client:
        DynamoIssuers(organisation, Rows(client, enforced.desk.outputs["TableName"])).add(rule)
    return rule.id


def _named(path: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", path))


def _of(places: list[tuple[str, str, Any]]) -> set[tuple[str, str]]:
    return {(method, path) for method, path, _ in places}


def _lasting(answer: tuple[int, Any]) -> Any:
    """What a build that goes on meanwhile doesn't change."""
    status, found = answer
    return status, [each["id"] for each in found] if isinstance(found, list) else found.get("id") or found.get("ref")
