"""Registries that answer otherwise than the spec lets expect where nothing of it matters to who wants the artifact."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from byoa.adapters.memory.repository import MemoryRepository, read_whole
from byoa.engine.mirroring import Wanted, mirror
from byoa.errors import GraphLimit, RegistryProtocolError
from byoa.oci.digest import Digest
from byoa.oci.manifest import OCI_INDEX, OCI_MANIFEST, read_manifest
from local.registry import Registry, Request, Response
from tests.adapters.registries.attested import PACKED, SIGNED, WHOLE, Client
from tests.faults.artifacts import Maker, lacking, put

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.scripted import Scripted


# Mounts


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 405, 409, 500, 501])
@pytest.mark.parametrize("neighbour", [True, False], ids=["from a neighbour", "from its own repository"])
def test_a_refused_mount_is_an_ordinary_upload(
    origin: Scripted, goal: Scripted, client: Client, status: int, *, neighbour: bool
) -> None:
    registry = origin if neighbour else goal
    registry.script = lambda request: Response(status) if "mount" in request.query else None
    target = client(registry, "target", "mirror/app", "vendor/app" if neighbour else None)
    done = mirror(client(origin), target, WHOLE)
    assert lacking(registry, "mirror/app", SIGNED, "v1") == []
    assert done.copied.mounted == 0


def test_who_refuses_mounts_is_not_asked_for_one_with_each_blob(goal: Scripted, client: Client) -> None:
    goal.script = lambda request: Response(403) if "mount" in request.query else None
    maker = Maker(3)
    artifact = maker.artifact(maker.image(sizes=(10, 20, 30, 40)))
    source = MemoryRepository(artifact.blobs, {each.digest: each for each in artifact.manifests})
    source.tags["v1"] = artifact.root.digest
    mirror(source, client(goal, "target"), WHOLE)
    assert [seen.status for seen in goal.requests if seen.method == "POST"].count(403) == 1
    assert lacking(goal, "vendor/app", artifact, "v1") == []


def test_a_blob_that_is_there_is_not_sent_to_who_refuses_mounts(goal: Scripted, client: Client) -> None:
    put(goal, "vendor/app", SIGNED, "v1")
    goal.script = lambda request: Response(405) if "mount" in request.query else None
    put(goal, "vendor/app", SIGNED, "v1")
    target = client(goal, "target")
    source = MemoryRepository(SIGNED.blobs, {each.digest: each for each in SIGNED.manifests})
    source.tags["v1"] = SIGNED.root.digest
    mirror(source, target, Wanted("v1", "v2", attachments=False))
    assert not any(seen.method in ("PATCH", "PUT") and "/blobs/" in seen.path for seen in goal.requests)


# Labels


def labelled(registry: Registry, encoding: str, body: bytes | None = None) -> Callable[[Request], Response | None]:
    def script(request: Request) -> Response | None:
        if request.method != "GET" or "/v2/" not in request.path:
            return None
        found = Registry.answer(registry, request)
        if body is not None:
            found = Response(200, [], body)
        found.headers.append(("Content-Encoding", encoding))
        return found

    return script


@pytest.mark.parametrize("encoding", ["aws-chunked", "gzip", "GZIP", "identity", "", "gzip, gzip"])
def test_an_encoding_is_a_label_where_the_bytes_are_right(origin: Scripted, client: Client, encoding: str) -> None:
    origin.script = labelled(origin, encoding)
    target = MemoryRepository()
    mirror(client(origin), target, WHOLE)
    assert {each.digest for each in SIGNED.manifests} == set(target.manifests)
    assert target.blobs.keys() == SIGNED.blobs.keys()


@pytest.mark.parametrize("body", [b"", b"\x1f\x8b", b"x" * 100_000], ids=["nothing", "less", "more"])
def test_an_encoded_body_is_not_decoded(goal: Scripted, client: Client, body: bytes) -> None:
    goal.script = labelled(goal, "gzip", body)
    source = client(goal)
    for name in ("v1", Digest.of(b"")):
        with pytest.raises(RegistryProtocolError):
            source.fetch_manifest(name)
    with pytest.raises(RegistryProtocolError):
        source.all_tags()
    layer = PACKED.manifest.layers[0]
    with pytest.raises(RegistryProtocolError), source.open_blob(layer) as content:
        read_whole(content)


@pytest.mark.parametrize("form", ["{}; charset=utf-8", "{};a=b", "{} ; a=b"])
@pytest.mark.parametrize("case", [str.upper, str.lower, str.title])
def test_a_manifests_content_type_may_have_parameters_and_any_case(
    origin: Scripted, client: Client, form: str, case: Callable[[str], str]
) -> None:
    def script(request: Request) -> Response:
        found = Registry.answer(origin, request)
        found.headers = [
            (name, form.format(case(value)) if name == "Content-Type" else value) for name, value in found.headers
        ]
        return found

    origin.script = script
    target = MemoryRepository()
    mirror(client(origin), target, WHOLE)
    assert {each.digest for each in SIGNED.manifests} == set(target.manifests)


# Tags


def pages_of(tags: list[str], size: int = 1000) -> Callable[[Request], Response | None]:
    def script(request: Request) -> Response | None:
        if "/tags/list" not in request.path:
            return None
        start = int(request.first("last") or 0)
        more = [("Link", f"<?last={start + size}>; rel=next")] if start + size < len(tags) else []
        return Response(200, more, json.dumps({"tags": tags[start : start + size]}).encode())

    return script


def test_of_a_repository_of_very_many_tags_those_that_are_wanted_are_read(origin: Scripted, client: Client) -> None:
    origin.script = pages_of([f"nightly-{number:05}" for number in range(25_000)] + ["v1"])
    assert client(origin).all_tags(lambda tag: tag.startswith("v")).names == ("v1",)


def test_too_many_tags_that_are_wanted_are_an_error_that_says_to_filter(origin: Scripted, client: Client) -> None:
    origin.script = pages_of([f"nightly-{number:05}" for number in range(10_001)])
    with pytest.raises(GraphLimit) as caught:
        client(origin).all_tags()
    assert "--filter" in caught.value.remedy


def test_of_too_many_tags_the_first_will_do_where_somebody_says_so(origin: Scripted, client: Client) -> None:
    origin.script = pages_of([f"nightly-{number:05}" for number in range(10_001)])
    found = client(origin).all_tags(most=10_000)
    assert (len(found.names), found.names[-1], found.truncated) == (10_000, "nightly-09999", True)
    origin.script = pages_of([f"v{number}" for number in range(1000)], size=1)
    found = client(origin).all_tags(most=10_000)
    assert (len(found.names), found.truncated) == (200, True)
    origin.script = pages_of(["v1", "v2"])
    found = client(origin).all_tags(most=2)
    assert (found.names, found.truncated) == (("v1", "v2"), False)


def test_pages_without_end_are_an_error_with_a_remedy_of_its_own(origin: Scripted, client: Client) -> None:
    origin.script = pages_of(["v1"] * 1000, size=1)
    with pytest.raises(GraphLimit, match="200 pages") as caught:
        client(origin).all_tags()
    assert "--from" in caught.value.remedy


# Graphs


def test_a_build_cache_among_the_tags_is_copied_with_its_blobs(goal: Scripted, client: Client) -> None:
    blobs = {Digest.of(content): content for content in (b"a layer", b'{"layers":[]}')}
    types = ("application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.buildkit.cacheconfig.v0")
    entries = [
        {"mediaType": kind, "digest": str(digest), "size": len(content)}
        for kind, (digest, content) in zip(types, blobs.items(), strict=True)
    ]
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
    root = read_manifest(index, OCI_INDEX)
    source, target = MemoryRepository(blobs, {root.digest: root}, {"v1": root.digest}), MemoryRepository()
    mirror(source, target, WHOLE)
    assert (target.blobs, target.find_manifest("v1")) == (blobs, root.digest)


def test_one_blob_under_two_types_crosses_once(origin: Scripted, client: Client) -> None:
    layer = PACKED.manifest.layers[0]
    twice = [
        {"mediaType": kind, "digest": str(layer.digest), "size": layer.size}
        for kind in ("application/yaml", "text/yaml")
    ]
    document = {**json.loads(PACKED.manifest.content), "layers": twice}
    root = read_manifest(json.dumps(document).encode(), OCI_MANIFEST)
    source = MemoryRepository(dict(PACKED.blobs), {root.digest: root}, {"v1": root.digest})
    done = mirror(source, client(origin, "target", "mirror/twice"), WHOLE)
    assert done.copied.copied == len(PACKED.blobs)
    assert client(origin, name="mirror/twice").fetch_manifest("v1").content == root.content
