"""The desk's cluster as a server: who is let in, what it is certified for, how it starts and stops, and its toys."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.memory.toys import HEALTH
from byoa.errors import ClusterForbidden, ClusterUntrusted
from byoa.installs.access import access_of, read_kubeconfig
from byoa.installs.objects import Place
from local.cluster import AUTHORITY, KUBECONFIG, Cluster
from local.processes import LOOPBACK, DeskError, free_port, start_cluster
from tests.installs.beds import DEPLOYMENTS, deployment
from tests.kubernetes import reached

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster() as found:
        yield found


def asked(
    cluster: Cluster, path: str, token: str = "", accept: str = "application/json", **headers: str
) -> tuple[int, Any]:
    """The answer to a GET; to a POST where ``Content_Type`` is among the headers."""
    context = ssl.create_default_context(cadata=cluster.ca) if cluster.ca else None
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    login = {"Authorization": f"Bearer {token or min(cluster.tokens)}", "Accept": accept}
    request = urllib.request.Request(f"{cluster.address}{path}", b"k8s" if sent else None, headers=login | sent)
    try:
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_only_who_has_a_token_is_let_in_and_tokens_may_change(cluster: Cluster) -> None:
    with reached(access_of(cluster.address, cluster.ca, "another")) as somebody:
        with pytest.raises(ClusterForbidden, match="refuses the login"):
            somebody.kinds()
        cluster.tokens.add("another")
        assert somebody.kinds()
    cluster.tokens.clear()
    assert asked(cluster, "/api/v1/namespaces", "another")[0] == 401


def test_its_certificate_is_for_loopback_and_by_its_own_authority_alone(cluster: Cluster) -> None:
    name = "elsewhere.example.com"
    with Cluster(names=[name, "192.0.2.1"]) as other:
        strangers = access_of(cluster.address, other.ca, "x"), access_of(cluster.address, cluster.ca, "x", name)
        for access in strangers:
            with reached(access) as somebody, pytest.raises(ClusterUntrusted):
                somebody.kinds()
        with reached(access_of(other.address, other.ca, min(other.tokens), name)) as somebody:
            assert somebody.kinds()


def test_without_tls_it_speaks_plainly() -> None:
    with Cluster(tls=False) as cluster:
        assert cluster.address.startswith("http://127.0.0.1:")
        assert asked(cluster, "/version")[0] == 200


def test_it_says_what_it_is_and_refuses_what_it_can_t(cluster: Cluster) -> None:
    assert json.loads(asked(cluster, "/version")[1])["gitVersion"].endswith("-desk")
    assert asked(cluster, "/readyz") == (200, b"ok")
    assert asked(cluster, "/apis")[0] == 406
    assert asked(cluster, "/api/v1/pods?watch=true")[0] == 405
    assert asked(cluster, "/api/v1/namespaces/default/pods/x/log")[0] == 404
    assert asked(cluster, "/api/v1/namespaces/default/namespaces")[0] == 404


def test_it_says_that_it_understands_no_protobuf_and_what_to_do(cluster: Cluster) -> None:
    status, said = asked(cluster, "/api/v1/namespaces", Content_Type="application/vnd.kubernetes.protobuf")
    assert status == 415
    assert "--validate=false" in json.loads(said)["message"]


def test_a_client_that_talks_no_tls_takes_nobody_else_s_turn(cluster: Cluster) -> None:
    host, _, port = cluster.address.removeprefix("https://").partition(":")
    with socket.create_connection((host, int(port))) as silent:
        assert asked(cluster, "/version")[0] == 200
        silent.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert b"HTTP/1.1 200" not in silent.recv(100)


@pytest.mark.parametrize(
    "image", ["registry.example.com/bad", "registry.example.com:5000/a/bad:1", "web:bad", "a/bad@sha256:1"]
)
def test_an_image_that_is_called_bad_can_t_be_started(cluster: Cluster, image: str) -> None:
    assert status(cluster, deployment("web", image=image)) == 0


@pytest.mark.parametrize("image", ["registry.example.com/bad/web:1", "web:badly", "bad.example.com/web"])
def test_an_image_that_isn_t_can_and_so_can_one_of_before(cluster: Cluster, image: str) -> None:
    assert status(cluster, deployment("web", image=image)) == 2
    annotated = deployment("web", image=image)
    annotated["metadata"] = {"name": "web", "annotations": {HEALTH: "bad"}}
    assert status(cluster, {**annotated, "spec": {**annotated["spec"], "replicas": 3}}) == 0
    pods = next(kind for kind in cluster.memory.kinds() if kind.kind == "Pod")
    assert cluster.memory.count(pods, "default") == 1
    assert status(cluster, deployment("web", image=image)) == 2
    assert cluster.memory.count(pods, "default") == 0


def status(cluster: Cluster, wanted: Any) -> int:
    found = cluster.memory.apply(Place(DEPLOYMENTS, "default", "web"), wanted, force=True).object
    return int(found["status"]["readyReplicas"])


def test_as_a_process_it_leaves_what_people_need_and_stops(tmp_path: Path) -> None:
    port = free_port()
    with start_cluster(tmp_path, port, "t0ken", names=["elsewhere.example.com"]):
        authority = (tmp_path / AUTHORITY).read_text()
        server = f"https://{LOOPBACK}:{port}"
        with reached(access_of(server, authority, "t0ken", "elsewhere.example.com")) as somebody:
            namespaces = next(kind for kind in somebody.kinds() if kind.kind == "Namespace")
            assert somebody.get(Place(namespaces, "", "vendor"))
        kubeconfig = tmp_path / KUBECONFIG
        assert kubeconfig.stat().st_mode & 0o077 == 0
        found = read_kubeconfig(kubeconfig.read_text())
        assert (found.ca, found.token) == (authority, "t0ken")
        with pytest.raises(DeskError, match="is taken"):
            start_cluster(tmp_path, port, "x")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((LOOPBACK, port), timeout=5)


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not on PATH")
def test_kubectl_finds_its_way(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(cluster.kubeconfig())
    (tmp_path / "web.json").write_text(json.dumps(deployment("web")))

    def kubectl(*arguments: str) -> str:
        command = ["kubectl", "--kubeconfig", "config", "--cache-dir", "cache", *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60).stdout

    kubectl("create", "--validate=false", "-f", "web.json")
    kubectl("patch", "deployment", "web", "--type=merge", "-p", '{"spec": {"replicas": 5}}')
    assert json.loads(kubectl("get", "deployments", "-o", "json"))["items"][0]["spec"]["replicas"] == 5
    kubectl("patch", "deploy", "web", "--type=merge", "-p", '{"spec": {"replicas": 4}}')
    assert "deployment.apps/web" in kubectl("get", "all", "-o", "name"), "short names and kubectl's categories"
    kubectl("delete", "deployment", "web", "--wait=false")
    assert json.loads(kubectl("get", "deployments", "-o", "json"))["items"] == []
