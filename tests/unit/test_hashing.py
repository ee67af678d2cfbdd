"""Large blobs are hashed beside their thread: the same digests, and no buffer is filled while it is being hashed."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import pytest

from byoa.adapters.memory import BytesReader, read_whole
from byoa.digest import Digest
from byoa.errors import DigestMismatch
from byoa.hashing import WORTH_IT, BlockHash
from byoa.manifest import Descriptor
from byoa.verifying import BLOCK, VerifiedBlob, pair

if TYPE_CHECKING:
    from byoa.ports import BlobReader

LARGE = random.Random(1).randbytes(WORTH_IT + 12_345)


class Heard:
    """Progress that notes what was let out."""

    def __init__(self, counts: list[int]) -> None:
        self.advance = counts.append


def verified(content: bytes, *, claimed: bytes | None = None, heard: list[int] | None = None) -> VerifiedBlob:
    claim = content if claimed is None else claimed
    descriptor = Descriptor("application/octet-stream", Digest.of(claim), len(claim))
    return VerifiedBlob(BytesReader(content), descriptor, Heard([] if heard is None else heard))


def read_in_turns(content: BlobReader) -> bytes:
    """As a request's body is sent: two buffers, one after the other."""
    found, buffers = bytearray(), pair()
    turn = 0
    while count := content.readinto(buffers[turn % 2]):
        found += buffers[turn % 2][:count]
        turn += 1
    return bytes(found)


@pytest.mark.parametrize("size", [0, 1, BLOCK, WORTH_IT, WORTH_IT + 1])
def test_the_digest_is_that_of_all_blocks_in_order(size: int) -> None:
    content = LARGE[:size]
    hashed = BlockHash(Digest.of(b""), size)
    for start in range(0, size, BLOCK):
        hashed.update(memoryview(bytearray(content[start : start + BLOCK])))
    assert hashed.hexdigest() == hashlib.sha256(content).hexdigest()


def test_a_large_blob_passes_unchanged_with_two_buffers_and_with_one() -> None:
    assert read_in_turns(verified(LARGE)) == LARGE
    assert read_whole(verified(LARGE)) == LARGE


@pytest.mark.parametrize("place", [0, WORTH_IT // 2, len(LARGE) - 1])
def test_a_wrong_byte_in_a_large_blob_is_found_before_its_last_block_is_out(place: int) -> None:
    wrong = bytearray(LARGE)
    wrong[place] ^= 1
    heard: list[int] = []
    reader = verified(bytes(wrong), claimed=LARGE, heard=heard)
    with pytest.raises(DigestMismatch):
        read_in_turns(reader)
    assert sum(heard) < len(LARGE)


def test_a_buffer_that_is_being_hashed_is_not_released_before() -> None:
    hashed = BlockHash(Digest.of(b""), WORTH_IT)
    buffer = memoryview(bytearray(LARGE[:BLOCK]))
    for _ in range(16):
        hashed.update(buffer)
        hashed.release(buffer)
        buffer[:] = LARGE[:BLOCK]
    assert hashed.hexdigest() == hashlib.sha256(LARGE[:BLOCK] * 16).hexdigest()


def test_two_large_blobs_at_once_have_each_its_own_digest() -> None:
    contents = [bytes([number]) * WORTH_IT for number in (1, 2)]
    digests = [Digest.of(content) for content in contents]
    hashes = [BlockHash(digest, WORTH_IT) for digest in digests]
    for start in range(0, WORTH_IT, WORTH_IT // 4):
        for each, content in zip(hashes, contents, strict=True):
            each.update(memoryview(content)[start : start + WORTH_IT // 4])
    assert [each.hexdigest() for each in hashes] == [digest.hex for digest in digests]
