"""Rules of a real API server that refuse what is applied: webhooks and policies, with whatever status they say so."""

from __future__ import annotations

import base64
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.kubernetes.answers import refusal
from byoa.adapters.kubernetes.cluster import KubernetesCluster
from byoa.adapters.kubernetes.wire import Answer
from byoa.errors import ObjectInvalid
from byoa.installs.inventory import EMPTY
from byoa.installs.objects import Place
from tests.installs.beds import CONFIG_MAPS, DEPLOYMENTS, Bed, config_map, deployment
from tests.installs.test_real_servers import hook
from tests.tls import issued

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.installs.objects import Object
    from byoa.installs.plans import Plan

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


def test_what_a_webhook_denies_is_told_as_that_and_by_its_name(denying: tuple[Bed, ThreadingHTTPServer]) -> None:
    """Of a webhook that names no status it is 400, as of what can't be read."""
    bed, server = denying
    codes: list[Object] = [{"code": code} for code in (403, 404, 409, 429, 500, 503)]
    for status in ({}, {"code": 422, "reason": "Invalid"}, *codes):
        server.status = {"message": f"no {CANARY} here", **status}  # type: ignore[attr-defined]
        (fault,) = bed.plan(config_map("a")).faults
        assert isinstance(fault, ObjectInvalid), status
        assert fault.cause == "The webhook tags.example.com of the cluster refuses it.", status
        assert CANARY not in str(fault.as_dict()), status


@contextmanager
def forbidden(bed: Bed, operation: str, plural: str, expression: str) -> Iterator[str]:
    """A policy of the corner, by its name: what isn't as the ``expression`` says is denied."""
    group = "apps" if plural == "deployments" else ""
    about: Object = {"apiVersion": f"{RULES}/v1", "metadata": {"name": f"{bed.corner}.example.com"}}
    where = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": bed.corner}}, "resourceRules": [
        {"apiGroups": [group], "apiVersions": ["v1"], "operations": [operation], "resources": [plural]},
    ]}  # fmt: skip
    rule = {"expression": expression, "message": f"no {CANARY} here"}
    policy = {"failurePolicy": "Fail", "matchConstraints": where, "validations": [rule]}
    binding = {"policyName": about["metadata"]["name"], "validationActions": ["Deny"]}
    rules = [
        made(bed, "ValidatingAdmissionPolicy", {**about, "kind": "ValidatingAdmissionPolicy", "spec": policy}),
        made(bed, "ValidatingAdmissionPolicyBinding",
             {**about, "kind": "ValidatingAdmissionPolicyBinding", "spec": binding}),
    ]  # fmt: skip
    yield about["metadata"]["name"]
    for place, uid in rules:
        bed.cluster.delete(place, uid)


def await_(met: Callable[[], Any]) -> Any:
    """The server hears of its policies a moment later."""
    until = time.monotonic() + 20
    while not (found := met()) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def test_a_change_that_a_policy_forbids_is_not_taken_for_one_that_a_new_object_would_do(real: Bed) -> None:
    """The policy's 422 reads as that of a field that can't be changed, and a new object would pass it."""
    place = real.place(DEPLOYMENTS, "web")
    real.cluster.apply(place, real.plan(deployment("web", replicas=3)).steps[0].wanted or {})
    with forbidden(real, "UPDATE", "deployments", "object.spec.replicas >= oldObject.spec.replicas") as policy:
        plans: list[Plan] = []

        def denied() -> bool:
            plans.append(real.plan(deployment("web", replicas=1)))
            return bool(plans[-1].faults)

        await_(denied)
        assert {step.action for found in plans for step in found.steps} <= {"change"}, "and never recreate"
        (fault,) = plans[-1].faults
    assert fault.cause == f"The admission policy {policy} of the cluster refuses it."
    assert CANARY not in str(fault.as_dict())


def test_what_a_policy_keeps_from_being_deleted_stays_tracked_and_named_and_the_rest_goes(real: Bed) -> None:
    objects = [config_map(name) for name in "abefg"]
    real.deploy(*objects, config_map("c"), config_map("d"))
    place = real.place(CONFIG_MAPS, "c")
    uid = (real.cluster.get(place) or {})["metadata"]["uid"]
    assert isinstance(real.cluster, KubernetesCluster)

    def denied() -> bool:
        try:
            real.cluster.delete(place, uid, dry_run=True)
        except ObjectInvalid:
            return True
        return False

    with forbidden(real, "DELETE", "configmaps", "oldObject.metadata.name != 'c'") as policy:
        assert await_(denied)
        outcome = real.deploy(*objects)
        assert [(str(identity), why) for identity, why in outcome.left] == [
            (f"ConfigMap/{real.corner}/c", f"The admission policy {policy} of the cluster refuses it.")
        ]
        assert (real.get(CONFIG_MAPS, "d"), bool(real.get(CONFIG_MAPS, "c"))) == (None, True)
        assert f"ConfigMap/{real.corner}/c" in {str(each) for each in (real.shelf.read() or EMPTY).uids}
    await_(lambda: not denied())
    assert real.deploy(*objects).plan.counts["delete"] == 1
    assert real.get(CONFIG_MAPS, "c") is None


def test_a_webhook_that_can_t_be_asked_in_a_dry_run_is_named() -> None:
    """Servers take none of these any more; those that they had before are still there."""
    said = {"kind": "Status", "message": 'admission webhook "old.example.com" does not support dry run'}
    fault = refusal(Answer(400, said), "patch", Place(CONFIG_MAPS, "corner", "a"))
    assert isinstance(fault, ObjectInvalid)
    assert fault.cause.startswith("The webhook old.example.com of the cluster can't be asked without side effects")
    assert "sideEffects" in fault.remedy
