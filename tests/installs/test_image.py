"""The agent's image: built of its Dockerfile, and run as its pod runs it, where a container engine is there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest

from byoa.bootstrap import terminal
from byoa.engine.copying import copy
from byoa.installs.objects import Place
from byoa.oci.digest import Digest
from byoa.oci.reference import Reference, Registry
from byoa.trust.limits import STAGED
from local.cluster import Cluster
from local.registry import Registry as MirrorRegistry
from tests.api.loopback import listening
from tests.installs.beds import CONFIG_MAPS, NAMESPACES, config_map, namespace
from tests.installs.test_agent import Bed

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
RUN: Final = uuid4().hex
IMAGE: Final = f"localhost/byoa-agent-{RUN}"
LABEL: Final = f"byoa.dev/test={RUN}"
"""What is made of the base has its label: that is how this run knows its images."""

PYTHON: Final = "public.ecr.aws/lambda/python:3.13-x86_64"
"""What an engine has that `sam local` was used with. Its Python's library may be where root alone looks, and whoever is
between this machine and the index has an authority of their own.
"""

AUTHORITIES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
FOUND: Final = "find / -xdev -name 'libpython3*' -printf '%h\\n'"
BASE: Final = f"""\
FROM {PYTHON}
LABEL {LABEL}
COPY {AUTHORITIES.name} {AUTHORITIES}
RUN {FOUND} | sort -u > /etc/ld.so.conf.d/python.conf && /sbin/ldconfig
"""
ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"


def engine(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = ["podman", "--remote", "--url", os.environ["DOCKER_HOST"], *arguments]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False, timeout=600)
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if sys.platform != "linux" or not os.environ.get("DOCKER_HOST") or not shutil.which("podman"):
        pytest.skip("needs a container engine: podman, and its socket as DOCKER_HOST")
    if engine("image", "exists", PYTHON, check=False).returncode:
        pytest.skip(f"needs a base image: {PYTHON}")
    folder = tmp_path_factory.mktemp("base")
    (folder / "Dockerfile").write_text(BASE)
    (folder / AUTHORITIES.name).write_bytes(AUTHORITIES.read_bytes() if AUTHORITIES.exists() else b"")
    try:
        engine("build", "-q", "--pull=never", "-t", f"{IMAGE}-base", str(folder))
        engine(
            "build", "-q", "--pull=never", "--layers=false", "--network", "host", "--build-arg", f"BASE={IMAGE}-base",
            "-f", "examples/agent/Dockerfile", "-t", IMAGE, ".",
        )  # fmt: skip
        yield IMAGE
    finally:
        made = engine("images", "-a", "-q", "--no-trunc", "--filter", f"label={LABEL}").stdout.split()
        engine("rmi", "-f", *dict.fromkeys(made), check=False)
    assert not engine("images", "-a", "-q", "--filter", f"label={LABEL}").stdout


class Pod:
    """A platform, its mirror and a cluster on loopback, and what a pod of the agent is given."""

    def __init__(self, folder: Path, mirror: MirrorRegistry, cluster: Cluster, bed: Bed) -> None:
        self.mirror, self.cluster, self.bed = mirror, cluster, bed
        self._account = folder / "account"
        self._account.mkdir()
        (self._account / "ca.crt").write_text(cluster.ca or "")
        (self._account / "token").write_text(min(cluster.tokens))
        self._account.chmod(0o755)

    def deploy(self, *objects: Any) -> Any:
        build = self.bed.platform.build(*objects)
        assert build.outcome
        reference = Reference.parse(build.outcome.mirrors[0].reference)
        target = terminal.repository(reference, "target", None, plain_http=True)
        root = self.bed.platform.mirror.fetch_manifest(Digest.parse(build.outcome.digest or ""))
        copy(self.bed.platform.mirror, target, root, limits=STAGED, target_name="mirror")
        terminal.transport().close()
        return self.bed.platform.ask(build)

    def arguments(self, api: str, *more: str) -> list[str]:
        host, _, port = self.cluster.address.removeprefix("https://").partition(":")
        variables = {
            "BYOA_API": api, "BYOA_TOKEN": self.bed.token, "BYOA_PLAN_KEY": "k", "KUBERNETES_SERVICE_HOST": host,
            "KUBERNETES_SERVICE_PORT": port,
        }  # fmt: skip
        given = [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
        secured = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "all", "--security-opt", "no-new-privileges"]
        return [
            "--network", "host", *secured, "-v", f"{self._account}:{ACCOUNT}:ro", *given, IMAGE,
            "--plain-http", self.mirror.address, "--json", *more,
        ]  # fmt: skip


@pytest.fixture
def pod(image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pod]:
    del image
    with MirrorRegistry() as mirror, Cluster() as cluster:
        cluster.memory.create(Place(NAMESPACES, "", "corner"), namespace("corner"))
        monkeypatch.setattr("tests.installs.platform.OURS", Registry.parse(mirror.address))
        yield Pod(tmp_path, mirror, cluster, Bed())


def test_the_image_is_nobody_s_and_tells_nothing_of_how_it_was_made(image: str) -> None:
    (found,) = json.loads(engine("image", "inspect", image).stdout)
    assert found["Config"]["User"] == "65532:65532"
    assert found["Config"]["Entrypoint"] == ["byoa", "install", "run"]
    told = engine("history", "--no-trunc", "--format", "{{.CreatedBy}}", image).stdout + json.dumps(found["Config"])
    assert "PIP_" not in told
    assert "/src" not in told
    assert engine("run", "--rm", "--entrypoint", "byoa", image, "--version").stdout == f"byoa {version('byoa')}\n"
    assert engine("run", "--rm", "--entrypoint", "ls", image, "/agent/bin").stdout.count("pip") == 0


def test_it_runs_what_waits_as_nobody_and_writes_nowhere_but_to_the_cluster(pod: Pod) -> None:
    deploy = pod.deploy(config_map("one"))
    with listening(pod.bed.served) as api:
        done = engine("run", "--rm", *pod.arguments(api.address, "--once"))
        assert json.loads(done.stdout) == {"id": deploy.id, "component": "web", "status": "active", "error": None}
        assert pod.cluster.memory.get(Place(CONFIG_MAPS, "corner", "one"))
        pod.bed.token = "byoa_org_000000000000_none"
        refused = engine("run", "--rm", *pod.arguments(api.address, "--once"), check=False)
        assert refused.returncode == 1, refused.stderr


def test_it_runs_until_it_is_ended_and_ends_by_a_word(pod: Pod) -> None:
    with listening(pod.bed.served) as api:
        running = engine("run", "-d", *pod.arguments(api.address)).stdout.strip()
        try:
            deploy = pod.deploy(config_map("one"))
            while not pod.bed.now(deploy).ended:
                assert engine("inspect", running, "--format", "{{.State.Running}}").stdout == "true\n"
            assert pod.bed.now(deploy).status == "active"
            engine("stop", "-t", "60", running)
            assert engine("inspect", running, "--format", "{{.State.ExitCode}}").stdout == "143\n"
        finally:
            engine("rm", "-f", running)
