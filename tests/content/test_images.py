"""Which images an object runs: of Kubernetes' own kinds and of others', and what only looks like one."""

from __future__ import annotations

import json

import pytest

from byoa.content.documents import Resource, read_resources
from byoa.content.images import reads_as_image


def read(api_version: str, kind: str, **content: object) -> Resource:
    document = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "web"}, **content}
    (found,) = read_resources(json.dumps(document).encode())
    return found


def images(api_version: str, kind: str, spec: object) -> tuple[str, ...]:
    return read(api_version, kind, spec=spec).images


R = "registry.example.com/team"


@pytest.mark.parametrize(
    ("api_version", "kind", "spec"),
    [
        ("monitoring.coreos.com/v1", "Prometheus", {"image": f"{R}/app:v1"}),
        ("monitoring.coreos.com/v1", "Prometheus", {"thanos": {"image": f"{R}/app:v1"}}),
        ("monitoring.coreos.com/v1", "Alertmanager", {"baseImage": f"{R}/app:v1"}),
        ("argoproj.io/v1alpha1", "Workflow", {"templates": [{"container": {"image": f"{R}/app:v1"}}]}),
        (
            "argoproj.io/v1alpha1",
            "CronWorkflow",
            {"workflowSpec": {"templates": [{"script": {"image": f"{R}/app:v1"}}]}},
        ),
        (
            "argoproj.io/v1alpha1",
            "Workflow",
            {"templates": [{"containerSet": {"containers": [{"image": f"{R}/app:v1"}]}}]},
        ),
        ("argoproj.io/v1alpha1", "Rollout", {"template": {"spec": {"initContainers": [{"image": f"{R}/app:v1"}]}}}),
        ("tekton.dev/v1", "Task", {"steps": [{"image": f"{R}/app:v1"}]}),
        ("tekton.dev/v1", "Task", {"sidecars": [{"image": f"{R}/app:v1"}]}),
        ("tekton.dev/v1", "Task", {"stepTemplate": {"image": f"{R}/app:v1"}}),
        ("tekton.dev/v1", "Pipeline", {"tasks": [{"taskSpec": {"steps": [{"image": f"{R}/app:v1"}]}}]}),
        ("ceph.rook.io/v1", "CephCluster", {"cephVersion": {"image": f"{R}/app:v1"}}),
        ("kafka.strimzi.io/v1beta2", "Kafka", {"kafka": {"image": f"{R}/app:v1"}}),
        ("postgresql.cnpg.io/v1", "Cluster", {"imageName": f"{R}/app:v1"}),
        ("acid.zalan.do/v1", "postgresql", {"dockerImage": f"{R}/app:v1"}),
        ("pkg.crossplane.io/v1", "Provider", {"package": f"{R}/app:v1"}),
        ("operators.coreos.com/v1alpha1", "CatalogSource", {"image": f"{R}/app:v1"}),
        (
            "operators.coreos.com/v1alpha1",
            "ClusterServiceVersion",
            {"relatedImages": [{"name": "a", "image": f"{R}/app:v1"}]},
        ),
        ("serving.kserve.io/v1alpha1", "ServingRuntime", {"containers": [{"image": f"{R}/app:v1"}]}),
        ("kubevirt.io/v1", "VirtualMachine", {"volumes": [{"containerDisk": {"image": f"{R}/app:v1"}}]}),
        (
            "vendor.example/v1",
            "App",
            {"image": {"registry": "registry.example.com", "repository": "team/app", "tag": "v1"}},
        ),
        ("vendor.example/v1", "App", {"image": {"repository": f"{R}/app", "tag": "v1"}}),
        (
            "helm.toolkit.fluxcd.io/v2",
            "HelmRelease",
            {"values": {"web": {"image": {"repository": f"{R}/app", "tag": "v1"}}}},
        ),
        ("cluster.x-k8s.io/v1beta1", "Machine", {"customImage": f"{R}/app:v1"}),
        ("v1", "Pod", {"containers": [{"image": f"{R}/app:v1"}]}),
        ("v1", "Pod", {"volumes": [{"name": "data", "image": {"reference": f"{R}/app:v1"}}]}),
        (
            "batch/v1",
            "CronJob",
            {"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"image": f"{R}/app:v1"}]}}}}},
        ),
    ],
)
def test_an_image_is_found_where_its_kind_keeps_it(api_version: str, kind: str, spec: object) -> None:
    assert images(api_version, kind, spec) == (f"{R}/app:v1",)


@pytest.mark.parametrize("key", ["containers", "steps", "sidecars"])
def test_a_bare_name_counts_in_a_list_of_containers(key: str) -> None:
    assert images("vendor.example/v1", "App", {key: [{"image": "busybox"}]}) == ("busybox",)


def test_elsewhere_a_bare_name_is_said_to_be_unread() -> None:
    found = read("vendor.example/v1", "App", spec={"image": "busybox"})
    assert (found.images, found.unread) == ((), 1)


@pytest.mark.parametrize(
    ("api_version", "kind", "content"),
    [
        ("v1", "ConfigMap", {"data": {"image": f"{R}/app:v1"}}),
        ("networking.k8s.io/v1", "Ingress", {"spec": {"image": f"{R}/app:v1"}}),
        ("vendor.example/v1", "App", {"spec": {"description": f"{R}/app:v1", "images": [f"{R}/app:v1"]}}),
        ("vendor.example/v1", "App", {"spec": {"heroImage": "https://example.com/a.png"}}),
        ("vendor.example/v1", "App", {"spec": {"annotations": {"image": f"{R}/app:v1"}}}),
        (
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            {"spec": {"properties": {"containers": [{"image": f"{R}/app:v1"}]}}},
        ),
    ],
)
def test_what_runs_nowhere_is_no_image(api_version: str, kind: str, content: dict[str, object]) -> None:
    found = read(api_version, kind, **content)
    assert (found.images, found.unread) == ((), 0)


@pytest.mark.parametrize(
    "image",
    ["*@*", "!*:latest", "eu.example.com/* | example.com/*", f"{R}/app:v1", "{{ x }}/{{ y }}", 'r/{{ a."b".c }}', "?*"],
)
@pytest.mark.parametrize(
    "api_version", ["kyverno.io/v1", "policies.kyverno.io/v1", "constraints.gatekeeper.sh/v1beta1"]
)
def test_a_policy_speaks_of_images_and_runs_none(api_version: str, image: str) -> None:
    spec = {"rules": [{"validate": {"pattern": {"spec": {"containers": [{"image": image}]}}}}]}
    found = read(api_version, "Policy", spec=spec)
    assert (found.images, found.unread) == ((), 1)


@pytest.mark.parametrize("image", ["*@*", "!*:latest", "a b", "${IMAGE}:v1", "$(params.image)", "a//b", "-a", "a:", ""])
def test_a_pattern_in_a_workload_is_no_image_and_no_fault(image: str) -> None:
    found = read("v1", "Pod", spec={"containers": [{"image": image}, {"image": "web"}]})
    assert (found.images, found.unread) == (("web",), bool(image))


@pytest.mark.parametrize(
    ("text", "bare", "full"),
    [
        ("web", True, False),
        ("library/web", True, False),
        ("web:v1", True, True),
        ("ghcr.io/web", True, True),
        ("localhost/web", True, True),
        ("127.0.0.1:5000/web", True, True),
        ("[::1]:5000/web", True, True),
        ("Host.Example.com/web", True, True),
        (f"web@sha256:{'0' * 64}", True, True),
        (f"a.b/c/d__e-f.g:V1_x.y-z@sha256:{'0' * 64}", True, True),
        ("{{...}}", True, True),
        ("{{...}}/web:{{...}}", True, True),
        ("web@sha256:0", False, False),
        ("http://a.b/c:d", False, False),
        (":v1", False, False),
        ("a:v1:v2", False, False),
        ("a" * 513, False, False),
    ],
)
def test_a_reference_is_told_by_its_grammar(text: str, *, bare: bool, full: bool) -> None:
    assert (reads_as_image(text, bare=True), reads_as_image(text, bare=False)) == (bare, full)


@pytest.mark.parametrize("text", ["a" * 100_000, "a." * 250 + "!", "{{...}}" * 70 + "!", "a/" * 255 + "!", "a:" * 255])
def test_no_text_takes_long(text: str) -> None:
    assert not reads_as_image(text, bare=True)


def test_the_templates_of_kinds_that_have_their_own_wait_for_no_install() -> None:
    rule = {"groups": [{"rules": [{"alert": "Down", "annotations": {"summary": "{{ $labels.instance }} is down"}}]}]}
    assert not read("monitoring.coreos.com/v1", "PrometheusRule", spec=rule).templated
    rule["groups"][0]["rules"][0]["alert"] = "{{ .nuon.install.id }}"
    assert read("monitoring.coreos.com/v1", "PrometheusRule", spec=rule).templated
    assert read("v1", "ConfigMap", data={"a": "{{ $labels.instance }}"}).templated
