"""Registries that answer oddly where it is asked what is attached: the artifact is had all the same, and it is told."""

from __future__ import annotations

import json

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.engine.mirroring import Wanted, mirror
from byoa.errors import ByoaError, ReferrersUnknown, RegistryProtocolError, RegistryUnavailable
from byoa.oci.digest import Digest
from byoa.oci.manifest import ARTIFACT_MANIFEST, OCI_INDEX, OCI_MANIFEST
from local.registry import Hangup, Registry, Request, Response, Settings
from tests.adapters.registries.attested import PACKED, SIGNED, WHOLE, Client
from tests.faults.artifacts import put
from tests.scripted import Scripted

ODD: dict[str, Response] = {
    "401": Response(401),
    "403": Response(403),
    "418": Response(418),
    "500": Response(500),
    "a redirect to nowhere": Response(302),
    "a list": Response(200, [("Content-Type", "application/json")], b"[]"),
    "nothing": Response(200, [("Content-Type", "application/json")]),
    "no JSON": Response(200, [], b"<html>"),
    "entries that are none": Response(200, [("Content-Type", OCI_INDEX)], b'{"manifests": [7]}'),
}


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD.keys())
def test_who_doesnt_tell_what_is_attached_keeps_nobody_from_the_artifact(
    origin: Scripted, client: Client, answer: Response
) -> None:
    origin.script = lambda request: answer if "/referrers/" in request.path else None
    target = MemoryRepository()
    done = mirror(client(origin), target, WHOLE)
    assert target.find_manifest("v1") == SIGNED.root.digest
    assert [note.partition(":")[0] for note in done.notes] == ["what is attached could not all be looked for"]
    assert any(each.tag for each in done.attachments), "what cosign names by tags is found all the same"


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD.keys())
def test_the_tag_schema_is_asked_where_the_api_is_no_answer(client: Client, answer: Response) -> None:
    with Scripted(Settings(referrers=False)) as old:
        put(old, "vendor/app", SIGNED, "v1")
        old.script = lambda request: answer if "/referrers/" in request.path else None
        target = MemoryRepository()
        mirror(client(old), target, Wanted("v1", "v1"))
    assert {each.digest for each in SIGNED.manifests} == set(target.manifests)


def test_a_network_that_is_gone_is_no_answer_about_what_is_attached(origin: Scripted, client: Client) -> None:
    def gone(request: Request) -> Response | None:
        if "/referrers/" in request.path:
            raise Hangup
        return None

    origin.script = gone
    with pytest.raises(RegistryUnavailable):
        mirror(client(origin), MemoryRepository(), WHOLE)


def test_a_throttled_list_is_tried_again_later(origin: Scripted, client: Client) -> None:
    origin.script = lambda request: Response(429) if "/referrers/" in request.path else None
    with pytest.raises(ByoaError, match="slow down"):
        mirror(client(origin), MemoryRepository(), WHOLE)


def test_a_list_that_may_go_on_is_not_taken_for_the_whole(origin: Scripted, client: Client) -> None:
    def script(request: Request) -> Response | None:
        found = Registry.answer(origin, request)
        found.headers.append(("Link", "more of it"))
        return found if "/referrers/" in request.path else None

    origin.script = script
    with pytest.raises(RegistryProtocolError, match="Link"):
        mirror(client(origin), MemoryRepository(), WHOLE)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_registry_that_shows_nobody_a_tag_that_isnt_there_is_mirrored(
    origin: Scripted, client: Client, status: int
) -> None:
    origin.script = lambda request: Response(status) if request.path.endswith((".sig", ".att", ".sbom")) else None
    done = mirror(client(origin), MemoryRepository(), WHOLE)
    assert len(done.notes) == 1
    assert len(done.attachments) == len(SIGNED.referrers)


def old_signature() -> tuple[bytes, dict[str, object]]:
    root = PACKED.manifest
    subject = {"mediaType": OCI_MANIFEST, "digest": str(root.digest), "size": root.descriptor.size}
    document = {"mediaType": ARTIFACT_MANIFEST, "artifactType": "application/vnd.cncf.notary.signature"}
    content = json.dumps(document | {"blobs": [], "subject": subject}).encode()
    return content, {"mediaType": ARTIFACT_MANIFEST, "digest": str(Digest.of(content)), "size": len(content)}


def with_old_signature(origin: Scripted, *more: dict[str, object]) -> None:
    origin.store.make("vendor/old")
    content, entry = old_signature()

    def script(request: Request) -> Response | None:
        if request.path.endswith(f"/referrers/{PACKED.manifest.digest}"):
            listed = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry, *more]}
            return Response(200, [("Content-Type", OCI_INDEX)], json.dumps(listed).encode())
        if request.path.endswith(f"/manifests/{entry['digest']}"):
            return Response(200, [("Content-Type", ARTIFACT_MANIFEST)], content)
        return None

    origin.script = script


def test_a_signature_of_the_time_before_the_spec_goes_along(origin: Scripted, client: Client) -> None:
    mirror(MemoryRepository.holding(PACKED), client(origin, "target", "vendor/old"), Wanted("inline", "v1"))
    with_old_signature(origin)
    target = MemoryRepository()
    done = mirror(client(origin, name="vendor/old"), target, WHOLE)
    content, _ = old_signature()
    assert target.manifests[Digest.of(content)].content == content
    assert (len(done.attachments), done.notes, done.copied.left) == (1, (), [])


def test_a_signature_that_the_target_doesnt_take_is_left_and_named(
    origin: Scripted, goal: Scripted, client: Client
) -> None:
    mirror(MemoryRepository.holding(PACKED), client(origin, "target", "vendor/old"), Wanted("inline", "v1"))
    with_old_signature(origin)
    content, _ = old_signature()
    goal.script = lambda request: (
        Response(400) if request.method == "PUT" and request.path.endswith(str(Digest.of(content))) else None
    )
    for _ in range(2):
        done = mirror(client(origin, name="vendor/old"), client(goal, "target"), WHOLE)
        assert done.copied.left == [Digest.of(content)]
        assert done.attachments == ()


def test_what_is_attached_and_of_no_known_type_is_named(origin: Scripted, client: Client) -> None:
    mirror(MemoryRepository.holding(PACKED), client(origin, "target", "vendor/old"), Wanted("inline", "v1"))
    stranger = {"mediaType": "application/vnd.example.thing", "digest": str(Digest.of(b"x")), "size": 1}
    with_old_signature(origin, stranger, {**stranger, "artifactType": "example"})
    done = mirror(client(origin, name="vendor/old"), MemoryRepository(), WHOLE)
    assert len(done.attachments) == 1
    assert done.notes == (f"{Digest.of(b'x')} is attached, of a type that isn't known, and was left behind",)


def test_the_target_of_a_copy_may_be_silent_about_what_is_attached(
    origin: Scripted, goal: Scripted, client: Client
) -> None:
    mirror(client(origin), client(goal, "target"), WHOLE)
    goal.script = lambda request: Response(403) if "/referrers/" in request.path else None
    with pytest.raises(ReferrersUnknown):
        client(goal, "target").referrers(SIGNED.root.digest)
    assert mirror(client(origin), client(goal, "target"), WHOLE).copied.copied == 0
