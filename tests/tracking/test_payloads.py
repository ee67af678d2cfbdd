"""What registries' deliveries say: each kind's sample, and what is left out, strange, or of something else."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from byoa.tracking.messages import TAGS
from byoa.tracking.payloads import Push, read_push
from byoa.tracking.records import KINDS
from byoa.tracking.refusals import Refused

EVENTS = Path(__file__).parents[2] / "events" / "hooks"
WANTED = {
    "github": Push("ghcr.io", "vendor/app-manifests", ("v2.3.1",)),
    "dockerhub": Push("docker.io", "vendor/app-manifests", ("v2.3.1",)),
    "quay": Push("quay.io", "vendor/app-manifests", ("v2.3.1", "v2")),
    "harbor": Push("harbor.example.com", "vendor/app-manifests", ("v2.3.1",)),
    "acr": Push("vendor.azurecr.io", "vendor/app-manifests", ("v2.3.1",)),
    "gar": Push("europe-west1-docker.pkg.dev", "vendor-project/manifests/app", ("v2.3.1",)),
    "generic": Push("127.0.0.1:5101", "vendor/flux", ("v2.3.1",)),
}


def sample(kind: str) -> tuple[Any, dict[str, str]]:
    event = json.loads((EVENTS / f"{kind}.json").read_bytes())
    return json.loads(event["body"]), event["headers"]


def read(kind: str, said: Any, headers: dict[str, str] | None = None) -> Push | str:
    return read_push(kind, sample(kind)[1] if headers is None else headers, json.dumps(said).encode())  # type: ignore[arg-type]


def changed(said: Any, *path: str | int, value: Any) -> Any:
    """The same with another value there; ``...`` takes it away."""
    copy = json.loads(json.dumps(said))
    inner = copy
    for name in path[:-1]:
        inner = inner[name]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return copy


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_s_sample_tells_what_was_pushed(kind: str) -> None:
    assert read(kind, sample(kind)[0]) == WANTED[kind]


TAG: dict[str, tuple[str | int, ...]] = {
    "github": ("package", "package_version", "container_metadata", "tag", "name"),
    "dockerhub": ("push_data", "tag"),
    "quay": ("updated_tags",),
    "harbor": ("event_data", "resources", 0, "tag"),
    "acr": ("target", "tag"),
    "generic": ("tag",),
}


@pytest.mark.parametrize("kind", TAG)
@pytest.mark.parametrize("value", ["../x", "a b", "v1@sha256:0", 7, {"a": 1}, ["a/b"], "x" * 129])
def test_a_tag_that_is_none_is_refused(kind: str, value: Any) -> None:
    with pytest.raises(Refused, match="payload_unreadable"):
        read(kind, changed(sample(kind)[0], *TAG[kind], value=value))


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("github", ("action",), "deleted"),
        ("github", ("package", "package_type"), "npm"),
        ("github", TAG["github"], ""),
        ("github", ("package", "package_version"), None),
        ("quay", ("updated_tags",), []),
        ("harbor", ("type",), "DELETE_ARTIFACT"),
        ("harbor", ("event_data", "resources", 0, "tag"), ...),
        ("acr", ("action",), "delete"),
        ("acr", ("target", "tag"), ...),
        ("generic", ("tag",), ...),
    ],
)
def test_what_tells_of_no_pushed_tag_is_passed_over(kind: str, path: tuple[str | int, ...], value: Any) -> None:
    assert isinstance(read(kind, changed(sample(kind)[0], *path, value=value)), str)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("github", ("package", "owner")),
        ("github", ("package",)),
        ("dockerhub", ("repository",)),
        ("quay", ("docker_url",)),
        ("harbor", ("event_data",)),
        ("harbor", ("event_data", "resources", 0, "resource_url")),
        ("acr", ("request", "host")),
        ("gar", ("message",)),
        ("generic", ("url",)),
    ],
)
@pytest.mark.parametrize("value", [..., None, 7, [], "no / place", "[::1"])
def test_what_no_registry_sends_is_refused(kind: str, path: tuple[str | int, ...], value: Any) -> None:
    with pytest.raises(Refused, match="payload_unreadable"):
        read(kind, changed(sample(kind)[0], *path, value=value))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b"\xff", b"[" * 100_000, b'{"a":' * 50_000, b"9" * 10_000])
def test_what_is_no_object_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(Refused, match="payload_unreadable"):
        read_push(kind, sample(kind)[1], body)  # type: ignore[arg-type]


def test_github_tells_of_both_of_its_events_and_of_a_ping() -> None:
    said, headers = sample("github")
    other = {**said, "registry_package": said["package"], "action": "updated"}
    del other["package"]
    assert read("github", other, headers | {"x-github-event": "registry_package"}) == WANTED["github"]
    assert read("github", {"zen": "Keep it"}, headers | {"x-github-event": "ping"}) == "it is about no package"
    form = {"content-type": "application/x-www-form-urlencoded"}
    with pytest.raises(Refused, match="media_type"):
        read_push("github", headers | form, b"payload=%7B%7D")


def test_a_push_names_so_many_tags_and_no_more() -> None:
    said = sample("quay")[0]
    many = [f"v{number}" for number in range(TAGS)]
    found = read("quay", changed(said, "updated_tags", value=[*many[:-1], many[0]]))
    assert isinstance(found, Push)
    assert len(found.tags) == TAGS - 1
    with pytest.raises(Refused, match="payload_unreadable"):
        read("quay", changed(said, "updated_tags", value=[*many, "more"]))


def test_google_s_message_is_read_inside_and_nothing_else_of_it() -> None:
    said = sample("gar")[0]
    for inner, wanted in (
        ({"action": "DELETE", "tag": "pkg.dev/a/b:c"}, "nothing was pushed"),
        ({"action": "INSERT", "digest": "pkg.dev/a/b@sha256:0"}, "it names no tag"),
    ):
        data = base64.b64encode(json.dumps(inner).encode()).decode()
        assert read("gar", changed(said, "message", "data", value=data)) == wanted
    for data in (
        "%%%",
        "",
        base64.b64encode(b"[]").decode(),
        base64.b64encode(b'{"action":"INSERT","tag":7}').decode(),
    ):
        with pytest.raises(Refused, match="payload_unreadable"):
            read("gar", changed(said, "message", "data", value=data))


def test_a_standard_webhook_has_it_in_its_data() -> None:
    said = {"type": "artifact.pushed", "timestamp": "2026-01-01T00:00:00Z", "data": {"url": "oci://a.example/b:c"}}
    assert read("generic", said) == Push("a.example", "b", ("c",))
    assert read("generic", {"url": "oci://index.docker.io/a/b", "tag": "c"}) == Push("docker.io", "a/b", ("c",))
