"""The largest artifact that the limits let through: its messages, its receipt and its build's item fit all the same.

Step Functions takes 256 KiB a message, DynamoDB 400 KB an item; 200 KiB is ours, so that envelopes have room.
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws.dynamodb import DynamoLedger
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.adapters.memory.lists import MemoryLists
from byoa.adapters.memory.repository import MemoryRepository
from byoa.builds import mirror as mirror_step
from byoa.builds import receipts
from byoa.builds import record as record_step
from byoa.builds import resolve as resolve_step
from byoa.builds import stage as stage_step
from byoa.builds import validate as validate_step
from byoa.builds.books import Books
from byoa.builds.inspect import name_objects, summarise
from byoa.builds.lists import nodes_of
from byoa.builds.messages import (
    NAMED,
    NAMED_CHARACTERS,
    BuildEnded,
    ChangeReceived,
    InspectedArtifact,
    MirrorBlobTask,
    MirrorTask,
    NamedObjects,
    PinnedArtifact,
    StageBlobTask,
    StagedArtifact,
)
from byoa.builds.records import HISTORY, entry
from byoa.components.reading import check_config
from byoa.content.documents import Resource
from byoa.content.formats import Format
from byoa.content.inspection import Report
from byoa.engine.sending import Pace
from byoa.errors import DigestMismatch, InternalFault
from byoa.oci.reference import Registry
from byoa.trust.limits import ATTACHED, WHOLE
from byoa.trust.policy import Policy
from tests.builds.vast import Vast
from tests.keys import MemoryKey
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from pydantic import BaseModel

    from byoa.oci.manifest import Manifest

MESSAGE = 200 * 1024
ITEM = 400 * 1024
CLOCK = SteppingClock()
BOOKS = Books(MemoryLedger(CLOCK), CLOCK)
PLACE = (Registry.parse("000000000000.dkr.ecr.us-east-1.amazonaws.com"), "byoa/org_demo00000000/demo/web")
TABLE = TEMPLATE["Resources"]["Table"]["Properties"]
CONFIG = check_config(
    'name = "web"\ntype = "kubernetes_manifest"\nnamespace = "web"\n'
    f'[oci_artifact]\nurl = "oci://registry.example.com/{"a" * 200}"\ntag = "{"t" * 128}"\n'
).config


def size(message: BaseModel) -> int:
    return len(json.dumps(message.model_dump(mode="json")))


def largest() -> tuple[Vast, Manifest]:
    """As many nodes, and as many of them attached, as a build may have, each with the longest name."""
    vast = Vast()
    root = vast.index(*vast.images(36, 10))
    children = [vast.repository.fetch_manifest(child.digest) for child in root.manifests]
    for child in children[:16]:
        vast.sign(child)
    shared = vast.blob(b"shared")
    for number in range(ATTACHED - 48):
        vast.image(shared, subject=root, annotations={"number": str(number)})
    vast.repository.tags["t" * 128] = root.digest
    return vast, root


def pin(vast: Vast) -> PinnedArtifact:
    assert CONFIG
    key = BOOKS.ledger.submit("org_" + "a" * 40, "a" * 63, CONFIG).build.key  # type: ignore[attr-defined]
    change = ChangeReceived(**key.model_dump(), execution="e" * 80)
    valid = validate_step.validate(change, BOOKS.ledger, Policy("000000000000", "b"), CLOCK)
    pinned = resolve_step.resolve(valid, vast.repository, BOOKS)
    return pinned.model_copy(update={"manifest": '"' * 16 * 1024})


def inspection() -> Any:
    names = [f"{number:03d}{'n' * 250}" for number in range(150)]
    resources = tuple(Resource("v1", name[:63], name, name, (f"{name}{'i' * 250}",), templated=False) for name in names)
    manifest = next(iter(Vast().images(1, 1)))
    return summarise(Report(manifest, Format.INDEX, encrypted=False, resources=resources, obstacles={}, content=""))


def named(count: int = 5000, length: int = 40, kind: str = "Kind") -> NamedObjects:
    """What a message says of so many objects of three kinds, in some order."""
    order = sorted(range(count), key=lambda number: number * 7919 % 5000)
    resources = tuple(
        Resource("v1", f"{kind}{number % 3}", "vendor", f"{number:05d}{'n' * length}", (), templated=False)
        for number in order
    )
    manifest = next(iter(Vast().images(1, 1)))
    return name_objects(Report(manifest, Format.PLAIN, encrypted=False, resources=resources, obstacles={}, content=""))


@pytest.fixture(scope="module")
def staged() -> tuple[StagedArtifact, MemoryLists, MemoryRepository]:
    vast, _ = largest()
    pinned, lists, quarantine = pin(vast), MemoryLists(), MemoryRepository()
    plain = pinned.model_copy(update={"manifest": None})
    found = stage_step.stage(plain, vast.repository, quarantine, lists, BOOKS)
    return found.model_copy(update={"manifest": pinned.manifest}), lists, quarantine


def test_the_largest_artifact_is_about_as_large_as_the_limits_let_it_be(
    staged: tuple[StagedArtifact, MemoryLists, MemoryRepository],
) -> None:
    artifact, _, _ = staged
    assert len(artifact.attachments) == ATTACHED
    assert artifact.stored
    assert 0.9 * WHOLE.nodes < artifact.stored.count <= WHOLE.nodes
    assert size(artifact.model_copy(update={"manifest": None})) > 9_000


def test_every_message_of_it_has_room(staged: tuple[StagedArtifact, MemoryLists, MemoryRepository]) -> None:
    artifact, _, quarantine = staged
    inspected = InspectedArtifact(**artifact.model_dump(), inspection=inspection(), objects=named())
    shared_out = Pace(spread_from=1)
    plain = inspected.model_copy(update={"manifest": None})
    mirrored = mirror_step.mirror(
        MirrorTask(artifact=plain, target="ecr"), quarantine, MemoryRepository(), PLACE, BOOKS, shared_out
    )
    assert len(mirrored.pending) > 10
    blobs = [each.model_copy(update={"session": "s" * 1024}) for each in mirrored.pending]
    left = mirrored.model_copy(update={"pending": blobs})
    task = MirrorTask(artifact=inspected, target="ecr")
    pinned = PinnedArtifact.model_validate(artifact.model_dump(include=set(PinnedArtifact.model_fields)))
    messages = [
        artifact,
        artifact.model_copy(update={"stored": None, "pending": blobs}),
        StageBlobTask(artifact=pinned, blob=blobs[0]),
        inspected,
        task,
        left,
        MirrorBlobTask(**task.model_dump(), blob=blobs[0]),
        BuildEnded(**inspected.key.model_dump(), execution=inspected.execution, artifact=inspected, mirrors=[left]),
    ]
    assert {type(each).__name__: size(each) for each in messages if size(each) > MESSAGE} == {}


def test_objects_are_named_by_kind_and_name_as_far_as_there_is_room() -> None:
    few = named(7, 0)
    assert (list(few.by_kind), few.left_out) == (["Kind0", "Kind1", "Kind2"], 0)
    assert few.by_kind["Kind0"] == ["vendor/00000", "vendor/00003", "vendor/00006"]
    for found in (named(), named(5000, 250), named(5000, 0), named(5000, 40, "ä" * 60)):
        count = sum(len(names) for names in found.by_kind.values())
        assert 0 < count <= NAMED
        assert count + found.left_out == 5000
        assert size(found) < NAMED_CHARACTERS + 1024
    assert sum(len(names) for names in named(5000, 0).by_kind.values()) == NAMED


def test_lists_that_people_only_look_at_are_cut_by_their_length_too() -> None:
    found = inspection()
    assert 0 < len(found.images) < len(found.namespaces) < 100
    assert found.resources == 150
    assert size(found) < 32 * 1024


def test_its_receipt_and_its_build_fit_into_their_items(
    staged: tuple[StagedArtifact, MemoryLists, MemoryRepository],
) -> None:
    artifact, lists, quarantine = staged
    inspected = InspectedArtifact(**artifact.model_dump(), inspection=inspection())
    plain = inspected.model_copy(update={"manifest": None})
    mirrored = mirror_step.mirror(
        MirrorTask(artifact=plain, target="ecr"), quarantine, MemoryRepository(), PLACE, BOOKS
    )
    ended = BuildEnded(
        **inspected.key.model_dump(), execution=inspected.execution, artifact=inspected, mirrors=[mirrored]
    )
    with mock_aws(), closing(boto3.client("dynamodb", "us-east-1")) as client:
        client.create_table(
            TableName="table",
            BillingMode="PAY_PER_REQUEST",
            **{name: TABLE[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")},
        )
        ledger = DynamoLedger(client, "table", CLOCK)
        assert CONFIG
        ledger.submit(ended.organisation, ended.app, CONFIG)
        ledger.begin(ended.key, ended.execution, entry("planning", "x", CLOCK.now()))
        lines = [entry("planning", "x" * 512, CLOCK.now(), step="stage", blobs=1_000_000)] * (HISTORY - 2)
        ledger.progress(ended.key, ended.execution, lines)
        assert record_step.record(ended, ledger, CLOCK, MemoryKey(), lists)
        (build,) = ledger.builds(ended.organisation, ended.app, None, 1)
        assert (build.status, len(build.history)) == ("active", HISTORY + 2)
        assert size(build) < ITEM
        receipt = ledger.receipt(ended.organisation, build.build_id)
    assert receipt
    assert len(receipt) < ITEM - 1024
    assert artifact.stored
    assert len(json.loads(receipt)["payload"]) > 200_000


def test_a_list_that_comes_back_as_another_is_not_signed(
    staged: tuple[StagedArtifact, MemoryLists, MemoryRepository],
) -> None:
    artifact, lists, _ = staged
    (digest,) = lists.kept
    with pytest.raises(DigestMismatch):
        nodes_of(artifact, MemoryLists({digest: b"[]"}))
    with pytest.raises(InternalFault):
        nodes_of(artifact, None)
    found = nodes_of(artifact, lists)
    assert artifact.stored
    assert len(found) == artifact.stored.count
    assert {receipts.Part(**node.model_dump(), kind="blob").digest for node in found[:1]} == {artifact.digest}
