"""Rules of a real API server that refuse what is applied: webhooks and policies, with whatever status they say so."""

from __future__ import annotations

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.kubernetes.answers import refusal
from byoa.adapters.kubernetes.wire import Answer
from byoa.errors import ObjectInvalid
from byoa.installs.objects import Place
from tests.installs.beds import CONFIG_MAPS, DEPLOYMENTS, Bed, actions, config_map, deployment
from tests.installs.test_real_servers import hook
from tests.tls import issued

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.installs.objects import Object

RULES = "admissionregistration.k8s.io"
CANARY = "c4n4ry-9b1d"


class Webhook(BaseHTTPRequestHandler):
    """Denies all, in the words and with the status that its server has."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = {"uid": asked["request"]["uid"], "allowed": False, "status": self.server.status}  # type: ignore[attr-defined]
        review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": said}
        content = json.dumps(review).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def denying(real: Bed, tmp_path: Any) -> Iterator[tuple[Bed, ThreadingHTTPServer]]:
    """A corner whose ConfigMaps a webhook denies."""
    context, authority = issued(tmp_path, "localhost")
    found = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    found.socket = context.wrap_socket(found.socket, server_side=True)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    wanted = hook(real.corner, found.server_port)
    ca = base64.b64encode(authority.read_bytes()).decode()
    client = {"url": f"https://localhost:{found.server_port}/", "caBundle": ca}
    wanted["webhooks"][0] |= {"clientConfig": client, "name": "tags.example.com", "timeoutSeconds": 10}
    place, uid = made(real, "ValidatingWebhookConfiguration", wanted)
    time.sleep(1.5)  # the server reads its configurations once a second
    yield real, found
    real.cluster.delete(place, uid)
    found.shutdown()
    found.server_close()


def made(bed: Bed, kind: str, wanted: Object) -> tuple[Place, str]:
    kinds = {each.type: each for each in bed.cluster.kinds()}
    place = Place(kinds[RULES, kind], "", wanted["metadata"]["name"])
    return place, bed.cluster.create(place, wanted)["metadata"]["uid"]


@pytest.mark.parametrize(
    "status", [{}, {"code": 403}, {"code": 404}, {"code": 422, "reason": "Invalid"}, {"code": 500}]
)
def test_what_a_webhook_denies_is_told_as_that_and_by_its_name(
    denying: tuple[Bed, ThreadingHTTPServer], status: dict[str, Any]
) -> None:
    """Of a webhook that names no status it is 400, as of what can't be read."""
    bed, server = denying
    server.status = {"message": f"no {CANARY} here", **status}  # type: ignore[attr-defined]
    (fault,) = bed.plan(config_map("a")).faults
    assert isinstance(fault, ObjectInvalid)
    assert fault.cause == "The webhook tags.example.com of the cluster refuses it."
    assert CANARY not in str(fault.as_dict())


def test_a_change_that_a_policy_forbids_is_not_taken_for_one_that_a_new_object_would_do(real: Bed) -> None:
    """The policy's 422 reads as that of a field that can't be changed, and a new object would pass it."""
    about: Object = {"apiVersion": f"{RULES}/v1", "metadata": {"name": f"{real.corner}.example.com"}}
    where = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": real.corner}}, "resourceRules": [
        {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["deployments"]},
    ]}  # fmt: skip
    rule = {"expression": "object.spec.replicas >= oldObject.spec.replicas", "message": f"no {CANARY} here"}
    policy = {"failurePolicy": "Fail", "matchConstraints": where, "validations": [rule]}
    binding = {"policyName": about["metadata"]["name"], "validationActions": ["Deny"]}
    rules = [
        made(real, "ValidatingAdmissionPolicy", {**about, "kind": "ValidatingAdmissionPolicy", "spec": policy}),
        made(real, "ValidatingAdmissionPolicyBinding",
             {**about, "kind": "ValidatingAdmissionPolicyBinding", "spec": binding}),
    ]  # fmt: skip
    place = real.place(DEPLOYMENTS, "web")
    real.cluster.apply(place, real.plan(deployment("web", replicas=3)).steps[0].wanted or {})
    until = time.monotonic() + 20
    while not (found := real.plan(deployment("web", replicas=1))).faults and time.monotonic() < until:
        assert actions(found) == {"Deployment/web": "change"}, "and not recreate"
        time.sleep(0.1)  # the server hears of its policies a moment later
    (fault,) = found.faults
    assert fault.cause == f"The admission policy {real.corner}.example.com of the cluster refuses it."
    assert CANARY not in str(fault.as_dict())
    for at, uid in rules:
        real.cluster.delete(at, uid)


def test_a_webhook_that_can_t_be_asked_in_a_dry_run_is_named() -> None:
    """Servers take none of these any more; those that they had before are still there."""
    said = {"kind": "Status", "message": 'admission webhook "old.example.com" does not support dry run'}
    fault = refusal(Answer(400, said), "patch", Place(CONFIG_MAPS, "corner", "a"))
    assert isinstance(fault, ObjectInvalid)
    assert fault.cause.startswith("The webhook old.example.com of the cluster can't be asked without side effects")
    assert "sideEffects" in fault.remedy
