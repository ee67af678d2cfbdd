"""One artifact as people ask for it: with what is attached, of one platform, and told before it is done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.layout import LayoutRepository
from byoa.content.packing import pack
from byoa.engine.attachments import find_attachments
from byoa.engine.mirroring import Wanted, mirror, mount_origin, nodes_of, plan
from byoa.errors import AuthFailed, GraphLimit, PlatformChanged, ReferenceNotFound, TargetForbidden
from byoa.oci.graph import blobs_of
from byoa.oci.manifest import OCI_INDEX, OCI_MANIFEST, Manifest, read_manifest
from local.demo import ARTIFACTS

if TYPE_CHECKING:
    from byoa.oci.digest import Digest


def described(manifest: Manifest, **more: object) -> dict[str, object]:
    descriptor = manifest.descriptor
    return {"mediaType": descriptor.media_type, "digest": str(descriptor.digest), "size": descriptor.size, **more}


def refers_to(subject: Manifest, note: str) -> Manifest:
    """A small manifest that is attached to ``subject``; its blobs are those of any packed artifact."""
    document = json.loads(pack("a: 1\n").manifest.content)
    document |= {"subject": described(subject), "annotations": {"note": note}}
    return read_manifest(json.dumps(document).encode(), OCI_MANIFEST)


def signed() -> tuple[MemoryRepository, Manifest]:
    """An artifact with a referrer, a referrer of that, and a signature by tag."""
    packed = pack("a: 1\n")
    source = MemoryRepository.holding(packed)
    root = packed.manifest
    source.tags = {"v1": root.digest}
    first = refers_to(root, "bill of materials")
    second = refers_to(first, "its signature")
    for manifest in (first, second):
        source.push_manifest(manifest)
    source.push_manifest(refers_to(second, "by tag"), f"sha256-{root.digest.hex}.sig")
    return source, root


def platforms() -> tuple[MemoryRepository, Manifest, Manifest]:
    """An index of two platforms under ``v1``: the source, the index, and the manifest of linux/arm64/v8."""
    one, two = pack("a: 1\n"), pack("a: 2\n")
    entries = [
        described(one.manifest, platform={"os": "linux", "architecture": "amd64"}),
        described(two.manifest, platform={"os": "linux", "architecture": "arm64", "variant": "v8"}),
    ]
    index = read_manifest(
        json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode(), OCI_INDEX
    )
    source = MemoryRepository({**one.blobs, **two.blobs})
    for manifest in (one.manifest, two.manifest):
        source.push_manifest(manifest)
    source.push_manifest(index, "v1")
    return source, index, two.manifest


class Guarded(MemoryRepository):
    """A target that lets nobody write."""

    def check_push(self) -> None:
        raise TargetForbidden("The target refuses the credentials it was given (status 403).")


class Locked(MemoryRepository):
    """A source that shows the manifest and not its children."""

    def fetch_manifest(self, name: str | Digest) -> Manifest:
        if name != "v1":
            raise AuthFailed("The registry refuses the credentials it was given (status 403).")
        return super().fetch_manifest(name)


class Free(MemoryRepository):
    """A source whose fetches count against a limit."""

    fetches = 0

    @property
    def heads_are_free(self) -> bool:
        return True

    def fetch_manifest(self, name: str | Digest) -> Manifest:
        self.fetches += 1
        return super().fetch_manifest(name)


# What is attached


def test_what_is_attached_goes_along_however_deep_and_by_whatever_way() -> None:
    source, root = signed()
    target = MemoryRepository()
    done = mirror(source, target, Wanted("v1", "v1"))
    assert target.manifests == source.manifests
    assert target.tags == source.tags
    assert len(done.attachments) == 4  # the one by tag refers as well
    assert target.referrers(root.digest)


def test_a_second_mirror_finds_all_of_it_and_writes_nothing() -> None:
    source, _ = signed()
    target = MemoryRepository()
    mirror(source, target, Wanted("v1", "v1"))
    again = mirror(source, target, Wanted("v1", "v1"))
    assert (again.copied.manifests, again.copied.copied) == (0, 0)


def test_a_signature_that_came_later_is_brought_by_the_next_mirror() -> None:
    packed = pack("a: 1\n")
    source, target = MemoryRepository.holding(packed), MemoryRepository()
    mirror(source, target, Wanted("inline", "v1"))
    signature = refers_to(packed.manifest, "late")
    source.push_manifest(signature)
    mirror(source, target, Wanted("inline", "v1"))
    assert signature.digest in target.manifests


def test_without_referrers_the_artifact_goes_alone() -> None:
    source, root = signed()
    target = MemoryRepository()
    mirror(source, target, Wanted("v1", "v1", attachments=False))
    assert list(target.manifests) == [root.digest]
    assert list(target.tags) == ["v1"]


def test_what_is_attached_to_the_children_of_an_index_goes_along() -> None:
    source, _, child = platforms()
    signature = refers_to(child, "of one platform")
    source.push_manifest(signature)
    target = MemoryRepository()
    mirror(source, target, Wanted("v1", "v1"))
    assert signature.digest in target.manifests


def test_a_list_that_names_what_is_lost_is_told_and_the_rest_is_copied() -> None:
    source, root = signed()
    (first,) = source.referrers(root.digest)[:1]

    class Forgetful(MemoryRepository):
        def fetch_manifest(self, name: str | Digest) -> Manifest:
            if name == first.digest:
                raise ReferenceNotFound("The repository has no such manifest.")
            return super().fetch_manifest(name)

    lossy = Forgetful(source.blobs, source.manifests, source.tags)
    target = MemoryRepository()
    done = mirror(lossy, target, Wanted("v1", "v1"))
    assert done.copied.lost == [first.digest]
    assert len(target.manifests) == len(source.manifests) - 1


def test_more_attachments_than_allowed_are_refused() -> None:
    source, root = signed()
    with pytest.raises(GraphLimit):
        find_attachments(source, root, most=1)


def test_the_layouts_of_the_real_tools_keep_their_signatures(tmp_path: Any) -> None:
    for name in ("signed-v3", "signed-v2", "signed-notation"):
        source, target = LayoutRepository(ARTIFACTS / name), LayoutRepository(tmp_path / name)
        done = mirror(source, target, Wanted("v2.3.1", "v2.3.1"))
        assert len(done.attachments) == 1, name
        root = target.fetch_manifest("v2.3.1")
        found = target.referrers(root.digest) or target.find_manifest(f"sha256-{root.digest.hex}.sig")
        assert found, name


# Platforms


def test_one_platform_of_an_index_has_another_digest_and_is_refused_unless_that_is_wanted() -> None:
    source, _, _ = platforms()
    with pytest.raises(PlatformChanged):
        mirror(source, MemoryRepository(), Wanted("v1", "v1", platform="linux/arm64/v8"))


def test_a_platform_whose_digest_is_wanted_is_mirrored_alone() -> None:
    source, _, child = platforms()
    target = MemoryRepository()
    mirror(source, target, Wanted("v1", "v1", platform="linux/arm64/v8", new_digest=True))
    assert target.tags == {"v1": child.digest}
    assert list(target.manifests) == [child.digest]


def test_a_platform_that_isnt_there_is_refused_with_those_that_are() -> None:
    source, _, _ = platforms()
    with pytest.raises(ReferenceNotFound, match="linux/amd64, linux/arm64/v8"):
        mirror(source, MemoryRepository(), Wanted("v1", "v1", platform="windows/amd64"))


def test_an_artifact_that_is_no_index_is_the_same_for_every_platform() -> None:
    source = MemoryRepository.holding(pack("a: 1\n"))
    target = MemoryRepository()
    mirror(source, target, Wanted("inline", "v1", platform="linux/amd64"))
    assert target.tags == {"v1": source.tags["inline"]}


# Cheap heads


def test_where_fetching_counts_and_asking_doesnt_a_mirror_of_what_is_there_fetches_nothing() -> None:
    packed = pack("a: 1\n")
    source = Free(dict(packed.blobs), {packed.manifest.digest: packed.manifest}, {"v1": packed.manifest.digest})
    target = MemoryRepository()
    mirror(source, target, Wanted("v1", "v1", attachments=False))
    assert source.fetches == 1
    mirror(source, target, Wanted("v1", "v1", attachments=False))
    assert source.fetches == 1
    with pytest.raises(ReferenceNotFound):
        mirror(source, target, Wanted("v2", "v2", attachments=False))


# Plans


def test_a_plan_says_what_would_be_written_and_writes_nothing() -> None:
    source, root = signed()
    target = MemoryRepository()
    found = plan(source, target, Wanted("v1", "v1"))
    assert target == MemoryRepository()
    assert found.root == root.descriptor
    kinds = [(step.kind, step.action) for step in found.steps]
    assert kinds.count(("manifest", "copy")) == 4
    assert kinds.count(("blob", "copy")) == len(blobs_of(root))
    assert found.bytes_to_copy == sum(step.descriptor.size for step in found.steps)
    assert found.missing == []


def test_a_plan_of_what_is_there_is_done() -> None:
    source, _ = signed()
    target = MemoryRepository()
    mirror(source, target, Wanted("v1", "v1"))
    found = plan(source, target, Wanted("v1", "v1"))
    assert found.is_done
    assert found.bytes_to_copy == 0


def test_a_plan_for_a_target_that_has_a_part_skips_it() -> None:
    source, index, child = platforms()
    target = MemoryRepository()
    mirror(source, target, Wanted("v1", "child", platform="linux/arm64/v8", new_digest=True))
    found = plan(source, target, Wanted("v1", "v1"))
    actions = {step.descriptor.digest: step.action for step in found.steps}
    assert actions[child.digest] == "skip"
    assert actions[index.digest] == "copy"


def test_a_plan_names_the_permission_that_is_missing_at_the_target() -> None:
    source, _ = signed()
    (missing,) = plan(source, Guarded(), Wanted("v1", "v1")).missing
    assert missing.startswith("push: ")


def test_a_plan_names_the_permission_that_is_missing_at_the_source() -> None:
    source, _, _ = platforms()
    locked = Locked(source.blobs, source.manifests, source.tags)
    (missing,) = plan(locked, MemoryRepository(), Wanted("v1", "v1")).missing
    assert missing.startswith("pull: ")


# Nodes and mounts


def test_the_nodes_of_a_graph_are_each_there_once() -> None:
    source, index, _ = platforms()
    nodes = [node.digest for node in nodes_of(source, index)]
    assert len(nodes) == len(set(nodes)) == 3 + 3  # three manifests; two layers and the shared empty config


def test_mounting_is_between_two_repositories_of_one_registry() -> None:
    class Placed(MemoryRepository):
        def __init__(self, registry: str, repository: str) -> None:
            super().__init__()
            self.where = (registry, repository)

        @property
        def place(self) -> Any:
            return self.where

    here, there = Placed("a", "one"), Placed("a", "two")
    assert mount_origin(here, there) == "one"
    assert mount_origin(here, here) is None
    assert mount_origin(here, Placed("b", "two")) is None
    assert mount_origin(MemoryRepository(), here) is None
