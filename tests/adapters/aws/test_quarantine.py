"""The quarantine's bucket: an organisation sees its own, and lists are apart from what was fetched."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws.lists import QuarantineLists
from byoa.adapters.aws.s3 import Quarantine
from byoa.adapters.memory.lists import MemoryLists
from byoa.adapters.memory.repository import MemoryRepository
from byoa.content.packing import pack
from byoa.engine.copying import copy
from byoa.errors import ReferenceNotFound
from byoa.oci.digest import Digest
from byoa.oci.graph import blobs_of

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS, THEIRS = "org_0123456789ab", "org_0123456789abc"
PACKED = pack("a: 1\n")


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws(), closing(boto3.client("s3", "us-east-1")) as made:
        made.create_bucket(Bucket="quarantine")
        yield made


@pytest.fixture(params=["memory", "quarantine"])
def lists(request: pytest.FixtureRequest, client: Any) -> Any:
    return MemoryLists() if request.param == "memory" else QuarantineLists(lambda: client, "quarantine", OURS)


def test_a_list_comes_back_by_its_digest(lists: Any) -> None:
    digest = lists.put(b"[]")
    assert digest == Digest.of(b"[]")
    assert lists.fetch(digest) == b"[]"


def test_a_list_that_is_not_there_is_not_found(lists: Any) -> None:
    with pytest.raises(ReferenceNotFound):
        lists.fetch(Digest.of(b"absent"))


def test_another_organisation_sees_nothing(client: Any) -> None:
    ours, theirs = (Quarantine(client, "quarantine", whose) for whose in (OURS, THEIRS))
    copy(MemoryRepository.holding(PACKED), ours, PACKED.manifest, tag="x")
    digest = QuarantineLists(lambda: client, "quarantine", OURS).put(b"[]")
    assert theirs.find_manifest(PACKED.manifest.digest) is None
    assert not any(theirs.has_blob(blob) for blob in blobs_of(PACKED.manifest))
    with pytest.raises(ReferenceNotFound):
        QuarantineLists(lambda: client, "quarantine", THEIRS).fetch(digest)


def test_each_kind_has_a_prefix_that_a_role_can_be_held_to(client: Any) -> None:
    copy(MemoryRepository.holding(PACKED), Quarantine(client, "quarantine", OURS), PACKED.manifest, tag="x")
    QuarantineLists(lambda: client, "quarantine", OURS).put(b"[]")
    keys = [each["Key"] for each in client.list_objects_v2(Bucket="quarantine")["Contents"]]
    assert {key.split("/")[1] for key in keys} == {"blobs", "manifests", "lists"}
    assert {key.split("/")[0] for key in keys} == {OURS}


def test_a_list_that_was_fetched_as_a_blob_is_no_list(client: Any) -> None:
    Quarantine(client, "quarantine", OURS).put(Digest.of(b"[]"), b"[]")
    with pytest.raises(ReferenceNotFound):
        QuarantineLists(lambda: client, "quarantine", OURS).fetch(Digest.of(b"[]"))
