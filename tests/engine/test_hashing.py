"""Blobs are hashed in their thread or beside it: the same digests, and no buffer is filled while it is being hashed."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING, cast

import pytest

from byoa.adapters.memory.repository import BytesReader, read_whole
from byoa.engine.hashing import WINDOW, BlockHash
from byoa.engine.verifying import BLOCK, VerifiedBlob, pair
from byoa.errors import DigestMismatch
from byoa.oci.digest import Digest
from byoa.oci.manifest import Descriptor

if TYPE_CHECKING:
    from byoa.engine.ports import BlobReader

LARGE = random.Random(1).randbytes(2 * WINDOW + 12_345)


class Heard:
    """Progress that notes what was let out."""

    def __init__(self, counts: list[int]) -> None:
        self.advance = counts.append


class Hasher:
    """A digest and its hasher, whose every block takes ``seconds`` by a clock of its own."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.passed = 0.0
        self._inner = hashlib.sha256()
        self.hexdigest = self._inner.hexdigest

    def hasher(self) -> Hasher:
        return self

    def update(self, content: memoryview) -> None:
        self.passed += self.seconds
        self._inner.update(content)

    def now(self) -> float:
        return self.passed


class Ends:
    """A blob's way from one end to the other: seconds a block for hashing, and for all that passes beside it."""

    def __init__(self, *, hashing: float, moving: float) -> None:
        self.moving = moving
        self.hasher = Hasher(hashing)
        self.hash = BlockHash(cast("Digest", self.hasher), now=self.hasher.now)

    def feed(self, size: int) -> None:
        for start in range(0, size, BLOCK):
            self.hash.hexdigest()  # the clock has one hand
            self.hasher.passed += self.moving
            self.hash.update(memoryview(LARGE)[start : min(size, start + BLOCK)])


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


@pytest.mark.parametrize("size", [0, 1, BLOCK, WINDOW, WINDOW + 1])
def test_the_digest_is_that_of_all_blocks_in_order(size: int) -> None:
    content = LARGE[:size]
    hashed = BlockHash(Digest.of(b""))
    for start in range(0, size, BLOCK):
        hashed.update(memoryview(bytearray(content[start : start + BLOCK])))
    assert hashed.hexdigest() == hashlib.sha256(content).hexdigest()


def test_a_large_blob_passes_unchanged_with_two_buffers_and_with_one() -> None:
    assert read_in_turns(verified(LARGE)) == LARGE
    assert read_whole(verified(LARGE)) == LARGE


@pytest.mark.parametrize("place", [0, WINDOW // 2, len(LARGE) - 1])
def test_a_wrong_byte_in_a_large_blob_is_found_before_its_last_block_is_out(place: int) -> None:
    wrong = bytearray(LARGE)
    wrong[place] ^= 1
    heard: list[int] = []
    reader = verified(bytes(wrong), claimed=LARGE, heard=heard)
    with pytest.raises(DigestMismatch):
        read_in_turns(reader)
    assert sum(heard) < len(LARGE)


@pytest.fixture
def fast() -> Ends:
    """Fast ends, which have sent so much that the hashing has a thread of its own."""
    ends = Ends(hashing=1.0, moving=1.0)
    ends.feed(WINDOW + BLOCK)
    return ends


def test_a_blob_whose_hashing_takes_much_of_the_time_gets_a_thread_for_it(fast: Ends) -> None:
    assert fast.hash.beside
    assert fast.hash.hexdigest() == hashlib.sha256(LARGE[: WINDOW + BLOCK]).hexdigest()


def test_a_blob_that_waits_for_a_slow_end_is_hashed_by_the_thread_that_waits() -> None:
    slow = Ends(hashing=1.0, moving=7.0)
    slow.feed(2 * WINDOW)
    assert not slow.hash.beside
    assert slow.hash.hexdigest() == hashlib.sha256(LARGE[: 2 * WINDOW]).hexdigest()


def test_the_thread_is_given_back_when_an_end_becomes_slow(fast: Ends) -> None:
    fast.moving = 9.0
    fast.feed(2 * WINDOW)
    assert not fast.hash.beside
    assert fast.hash.hexdigest() == hashlib.sha256(LARGE[: WINDOW + BLOCK] + LARGE[: 2 * WINDOW]).hexdigest()


def test_one_blob_at_a_time_is_hashed_beside_its_thread(fast: Ends) -> None:
    other = Ends(hashing=1.0, moving=1.0)
    other.feed(WINDOW + BLOCK)
    assert (fast.hash.beside, other.hash.beside) == (True, False)


def test_a_buffer_that_is_being_hashed_is_not_released_before(fast: Ends) -> None:
    buffer = memoryview(bytearray(LARGE[:BLOCK]))
    for _ in range(16):
        fast.hash.update(buffer)
        fast.hash.release(buffer)
        buffer[:] = LARGE[:BLOCK]
    assert fast.hash.hexdigest() == hashlib.sha256(LARGE[: WINDOW + BLOCK] + LARGE[:BLOCK] * 16).hexdigest()


def test_two_large_blobs_at_once_have_each_its_own_digest() -> None:
    contents = [bytes([number]) * WINDOW for number in (1, 2)]
    digests = [Digest.of(content) for content in contents]
    hashes = [BlockHash(digest) for digest in digests]
    for start in range(0, WINDOW, WINDOW // 4):
        for each, content in zip(hashes, contents, strict=True):
            each.update(memoryview(content)[start : start + WINDOW // 4])
    assert [each.hexdigest() for each in hashes] == [digest.hex for digest in digests]
