"""Parts of installs by themselves: paths of fields, stages, inventories, and how a cluster is reached."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest

from byoa.errors import ClusterAccessInvalid, InventoryInvalid
from byoa.installs.access import Access, access_of, read_kubeconfig
from byoa.installs.fields import drop
from byoa.installs.inventory import Inventory, pack, unpack
from byoa.installs.objects import Identity, Kind
from byoa.installs.stages import in_stages
from tests.installs.beds import CONFIG_MAPS, DEFINITIONS, DEPLOYMENTS, NAMESPACES, SECRETS, SERVICES

SPEC: dict[str, Any] = {
    "spec": {
        "replicas": 1,
        "containers": [{"name": "a", "image": "x"}, {"name": "b.c", "image": "y"}],
        "ports": [{"port": 80}, {"port": 80, "protocol": "UDP", "name": "u"}],
        "finalizers": ["one", "two"],
    },
    "metadata": {"annotations": {"example.com/key.x": "1"}},
}


@pytest.mark.parametrize(
    ("path", "where"),
    [
        (".spec.replicas", ("spec", "replicas")),
        ('.spec.containers[name="a"].image', ("spec", "containers", 0, "image")),
        ('.spec.containers[name="b.c"].image', ("spec", "containers", 1, "image")),
        ('.spec.ports[port=80,protocol="UDP"].name', ("spec", "ports", 1, "name")),
        ('.spec.ports[port=80,protocol="TCP"].port', ("spec", "ports", 0, "port")),
        ('.spec.finalizers[="two"]', ("spec", "finalizers", 1)),
        (".spec.finalizers[0]", ("spec", "finalizers", 0)),
        (".metadata.annotations.example.com/key.x", ("metadata", "annotations", "example.com/key.x")),
    ],
)
def test_a_field_is_found_by_the_path_that_the_api_names(path: str, where: tuple[str | int, ...]) -> None:
    wanted = json.loads(json.dumps(SPEC))
    holder = wanted
    for part in where[:-1]:
        holder = holder[part]
    del holder[where[-1]]
    assert drop(SPEC, path) == wanted


@pytest.mark.parametrize(
    "path", ["", "spec", ".spec.nope", '.spec.containers[name="z"].image', ".spec.finalizers[9]", ".x["]
)
def test_a_path_that_leads_nowhere_drops_nothing(path: str) -> None:
    assert drop(SPEC, path) is None


def test_what_others_need_is_applied_first() -> None:
    hook = Kind("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration", "x", namespaced=False)
    role = Kind("rbac.authorization.k8s.io", "v1", "Role", "roles", namespaced=True)
    binding = Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", namespaced=True)
    custom = Kind("example.com", "v1", "Widget", "widgets", namespaced=True)
    kinds = [hook, custom, DEPLOYMENTS, SERVICES, SECRETS, CONFIG_MAPS, binding, role, DEFINITIONS, NAMESPACES]
    assert in_stages((kind, kind.kind) for kind in kinds) == [
        ["CustomResourceDefinition", "Namespace"],
        ["Role"],
        ["RoleBinding"],
        ["Service", "Secret", "ConfigMap"],
        ["Widget", "Deployment"],
        ["ValidatingWebhookConfiguration"],
    ]


def test_an_inventory_comes_back_as_it_was_kept_and_5_000_objects_fit_into_a_config_map() -> None:
    uids = {
        Identity(
            "apps", "Deployment", f"namespace-{n % 7}", f"some-deployment-{n}"
        ): f"{n:08x}-0000-4000-8000-{n * 7919:012x}"
        for n in range(5000)
    }
    packed = pack(Inventory(uids, "sha256:one"))
    assert unpack(packed, "7") == Inventory(uids, "sha256:one", "7")
    assert len(packed) < 900_000


def _packed(document: object) -> str:
    return base64.b64encode(zlib.compress(json.dumps(document).encode())).decode()


@pytest.mark.parametrize(
    "text",
    ["", "x", base64.b64encode(b"x").decode(), _packed([]), _packed({"format": 2}), _packed({"format": 1}),
     _packed({"format": 1, "digest": "", "objects": [["a"]]}), _packed({"format": 1, "digest": "", "objects": 5})],
)  # fmt: skip
def test_an_inventory_that_can_t_be_read_is_not_taken_for_an_empty_one(text: str) -> None:
    with pytest.raises(InventoryInvalid):
        unpack(text)


# ---- how a cluster is reached ------------------------------------------------------------------------------------

PEM = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"
CLUSTER = {
    "server": "https://k.example.com:6443",
    "certificate-authority-data": base64.b64encode(PEM.encode()).decode(),
}


def kubeconfig(cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None, **more: Any) -> str:
    document = {
        "apiVersion": "v1", "kind": "Config", "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": CLUSTER if cluster is None else cluster}],
        "users": [{"name": "u", "user": {"token": "t0ken"} if user is None else user}],
        **more,
    }  # fmt: skip
    return json.dumps(document)


def test_a_kubeconfig_leads_to_its_current_context_s_cluster() -> None:
    found = read_kubeconfig(kubeconfig({**CLUSTER, "tls-server-name": "inside"}))
    assert found == Access("k.example.com", 6443, PEM, "t0ken", "inside")
    assert "t0ken" not in repr(found)


@pytest.mark.parametrize(
    "text",
    [
        "", "[", "kind: Pod", "a: &a [*a]", "x" * (1024 * 1024 + 1),
        kubeconfig(user={"exec": {"command": "aws"}}),
        kubeconfig(user={"auth-provider": {"name": "gcp"}, "token": "x"}),
        kubeconfig(user={"client-certificate-data": "x"}),
        kubeconfig(user={}),
        kubeconfig(user={"token": "two words"}),
        kubeconfig({**CLUSTER, "insecure-skip-tls-verify": True}),
        kubeconfig({**CLUSTER, "certificate-authority": "/etc/ca.crt"}),
        kubeconfig({**CLUSTER, "certificate-authority-data": "%"}),
        kubeconfig({**CLUSTER, "server": "http://k.example.com"}),
        kubeconfig(clusters=[]), kubeconfig(users=5), kubeconfig(contexts=[{"name": "a", "context": None}]),
        kubeconfig().replace('"current-context": "a"', '"current-context": "b"'),
    ],
)  # fmt: skip
def test_a_kubeconfig_that_can_t_be_used_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(ClusterAccessInvalid) as raised:
        read_kubeconfig(text)
    assert "aws" not in str(raised.value.as_dict())


@pytest.mark.parametrize(
    "server", ["k.example.com", "http://k.example.com", "https://", "https://u:p@k.example.com", "https://k/p", "https://k:x",
               "https://k.example.com?x=1"],
)  # fmt: skip
def test_a_server_is_https_and_a_host(server: str) -> None:
    with pytest.raises(ClusterAccessInvalid):
        access_of(server, None, "t0ken")
