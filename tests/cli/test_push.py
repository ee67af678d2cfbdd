"""`byoa push`: what it sends, what it notes, what it refuses, and that the pipeline takes what it has sent."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from byoa.bootstrap import terminal
from byoa.builds.inspect import look_into
from byoa.oci.reference import Reference
from local.registry import Registry, Settings
from tests.cli.pushes import CONFIG, POD, layer_of, manifest_of, push, seen_by_the_pipeline, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMATS = ("flux", "oras", "kustomizer")
LAYOUT = "oci-layout:out"


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as made:
        yield made


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with the app of a vendor in ``app``."""
    return write(tmp_path, {"app/config.yaml": CONFIG, "app/sub/pod.yml": POD, "app/README.md": "# App\n"})


@pytest.mark.parametrize("form", FORMATS)
def test_the_pipeline_takes_what_was_pushed(form: str, here: Path, registry: Registry) -> None:
    goal = f"oci://{registry.address}/vendor/app:v1"
    done = push(goal, "app", "--format", form, "--plain-http", registry.address, "--json", folder=here)
    assert done.code == 0, done.err
    repository = terminal.repository(Reference.parse(goal), "source", None, plain_http=True)
    root = repository.fetch_manifest("v1")
    report = look_into(repository, root)
    assert report.format == form
    assert [resource.kind for resource in report.resources] == ["ConfigMap", "Pod"]
    sizes = (len(root.content), *(blob.size for blob in (*root.layers, *([root.config] if root.config else []))))
    assert done.document == {
        "reference": goal,
        "digest": str(root.digest),
        "format": form,
        "resources": [
            {"api_version": "v1", "kind": "ConfigMap", "namespace": None, "name": "web"},
            {"api_version": "v1", "kind": "Pod", "namespace": None, "name": "web"},
        ],
        "images": ["web:1"],
        "bytes": sum(sizes),
    }


def test_the_tag_comes_last_and_what_is_there_is_not_sent_again(here: Path, registry: Registry) -> None:
    call = (f"oci://{registry.address}/vendor/app:v1", "app", "--reproducible", "--plain-http", registry.address)
    assert push(*call, folder=here).code == 0
    assert re.fullmatch(r".*/manifests/v1", [seen.path for seen in registry.requests if seen.method == "PUT"][-1])
    before = len(registry.requests)
    assert push(*call, folder=here).code == 0
    assert {seen.method for seen in registry.requests[before:]} <= {"GET", "HEAD"}


def test_the_login_is_docker_s(here: Path) -> None:
    with Registry(Settings(auth="bearer")) as guarded:
        call = (f"oci://{guarded.address}/a:v1", "app", "--plain-http", guarded.address, "--json")
        refused = push(*call, folder=here)
        assert (refused.code, refused.document["error"]["code"]) == (1, "TargetForbidden")
        write(here, {".docker/config.json": json.dumps({"auths": {guarded.address: {"auth": "YnlvYTpkZXNr"}}})})
        assert push(*call, folder=here).code == 0


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_files_have_the_same_digest_wherever_they_are_and_in_whatever_order(form: str, here: Path) -> None:
    files = {name: (here / "app" / name).read_text() for name in ("sub/pod.yml", "config.yaml")}
    other = write(here / "elsewhere" / "copy", files)
    (other / "config.yaml").chmod(0o600)
    os.utime(other / "config.yaml", (1, 1))
    one = push(f"{LAYOUT}:one", "app", "--format", form, "--reproducible", "--json", folder=here)
    two = push(f"{LAYOUT}:two", "sub/pod.yml", "config.yaml", "--format", form, "--reproducible", "--json",
               folder=other, LC_ALL="C", TZ="Asia/Tokyo")  # fmt: skip
    assert one.document["digest"] == two.document["digest"]


def test_the_digests_of_a_known_file_never_change(tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": CONFIG})
    found = {}
    for form in FORMATS:
        done = push(f"{LAYOUT}:{form}", "web.yaml", "--format", form, "--reproducible", "--json", folder=tmp_path)
        found[form] = done.document["digest"]
    assert found == {
        "flux": "sha256:fba72e318b9c2bc3448e2009234e3b690b3ae74baff65862953e2a4b03649037",
        "oras": "sha256:8e519d51b4ad3caabafb4a52353b2df2d830c0216e5126ce0aaa9734cfab920a",
        "kustomizer": "sha256:3401952ce9f07b97ed0cc77834e946306a4cbb07e0a111c4de170739aff77f78",
    }


def test_line_ends_are_kept(tmp_path: Path) -> None:
    write(tmp_path, {"web.yaml": CONFIG.replace("\n", "\r\n")})
    assert push(f"{LAYOUT}:v1", "web.yaml", folder=tmp_path).code == 0
    assert CONFIG.replace("\n", "\r\n").encode() in layer_of(tmp_path / "out", "v1")


def test_documents_of_several_files_stay_apart_in_kustomizer_s_one(tmp_path: Path) -> None:
    write(tmp_path, {"app/a.yaml": b"\xef\xbb\xbf" + CONFIG.encode(), "app/b.json": '{"apiVersion": "v1", "kind":'
          ' "Secret", "metadata": {"name": "b"}}', "app/c.yaml": POD.rstrip()})  # fmt: skip
    assert push(f"{LAYOUT}:v1", "app", "--format", "kustomizer", folder=tmp_path).code == 0
    report = seen_by_the_pipeline(tmp_path / "out", "v1")
    assert [resource.kind for resource in report.resources] == ["ConfigMap", "Secret", "Pod"]


def test_what_is_given_is_noted(here: Path) -> None:
    given = ("--source", "https://example.com/app", "--revision", "v2@sha1:0a", "-a", "com.example.team=web=1")
    assert push(f"{LAYOUT}:v1", "app", *given, "--reproducible", folder=here).code == 0
    assert manifest_of(here / "out", "v1")["annotations"] == {
        "org.opencontainers.image.created": "1970-01-01T00:00:00Z",
        "org.opencontainers.image.source": "https://example.com/app",
        "org.opencontainers.image.revision": "v2@sha1:0a",
        "com.example.team": "web=1",
    }


def test_without_a_checkout_the_time_is_now_and_nothing_else_is_known(here: Path) -> None:
    assert push(f"{LAYOUT}:v1", "app", folder=here, GIT_CEILING_DIRECTORIES=str(here)).code == 0
    noted = manifest_of(here / "out", "v1")["annotations"]
    assert noted.keys() == {"org.opencontainers.image.created"}
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", noted["org.opencontainers.image.created"])


def test_every_fault_is_told_with_its_file_and_nothing_is_sent(here: Path, registry: Registry) -> None:
    write(here, {"app/bad.yaml": "kind: Pod\n", "app/sub/worse.yaml": "a: [\n"})
    call = (f"oci://{registry.address}/a:v1", "app", "--plain-http", registry.address)
    done = push(*call, "--json", folder=here)
    assert done.code == 1
    assert [fault["where"] for fault in done.document["errors"]] == ["app/bad.yaml", "app/sub/worse.yaml"]
    assert done.document["error"] == done.document["errors"][0]
    assert not registry.requests
    told = push(*call, folder=here)
    assert (told.code, told.out) == (1, "")
    assert "error DocumentInvalid (app/bad.yaml): " in told.err
    assert "error DocumentInvalid (app/sub/worse.yaml): " in told.err


def test_what_holds_no_object_at_all_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"empty.yaml": "# nothing yet\n"})
    done = push(f"{LAYOUT}:v1", "empty.yaml", "--json", folder=tmp_path)
    assert (done.code, done.document["error"]["code"]) == (1, "ContentNotFound")


def test_an_annotation_that_would_make_it_another_format_is_refused(here: Path) -> None:
    done = push(f"{LAYOUT}:v1", "app", "-a", "kustomizer.dev/checksum=0", "--json", folder=here)
    assert (done.code, done.document["error"]["code"]) == (1, "DigestMismatch")


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("oci-layout:out", "app"), 1, "names no tag"),
        ((f"oci://ghcr.io/a/b@sha256:{'0' * 64}", "app"), 1, "names no digest"),
        (("ghcr.io/a/b:v1", "app"), 1, "oci://"),
        ((f"{LAYOUT}:v1",), 2, "-k OVERLAY"),
        ((f"{LAYOUT}:v1", "-", "app"), 2, "- for stdin"),
        ((f"{LAYOUT}:v1", "app", "-k", "app"), 2, "-k OVERLAY"),
        ((f"{LAYOUT}:v1", "-k", "nowhere"), 2, "there is no folder nowhere"),
        ((f"{LAYOUT}:v1", "app", "-a", "team"), 2, "KEY=VALUE"),
        ((f"{LAYOUT}:v1", "app", "-a", "te am=1"), 2, "KEY=VALUE"),
        ((f"{LAYOUT}:v1", "app", "--format", "zip"), 2, "invalid choice"),
    ],
)
def test_a_call_that_makes_no_sense_is_told(arguments: tuple[str, ...], code: int, word: str, here: Path) -> None:
    done = push(*arguments, folder=here)
    assert done.code == code
    assert word in done.err


def test_a_registry_that_is_down_ends_with_three(here: Path) -> None:
    with Registry() as gone:
        address = gone.address
    done = push(f"oci://{address}/a:v1", "app", "--plain-http", address, "--json", folder=here)
    assert (done.code, done.document["error"]["where"]) == (3, "target")


def test_only_a_push_imports_oras(here: Path) -> None:
    watched = "import sys; from byoa_cli.main import run\ntry: run()\nfinally: sys.stderr.write(' '.join(sys.modules))"
    command = [sys.executable, "-c", watched, "push", f"{LAYOUT}:v1", "app"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=here, check=True)
    assert "oras.oci" in done.stderr.split()
    assert not {"oras.provider", "requests", "boto3", "pydantic"} & set(done.stderr.split())
