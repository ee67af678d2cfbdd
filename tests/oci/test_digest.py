"""What a digest may look like, and that it is only ever hashed with the algorithm it names."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byoa.errors import ByoaError, DigestUnsupported, ManifestInvalid, ReferenceInvalid
from byoa.oci.digest import Digest

HEX_64 = "0123456789abcdef" * 4
HEX_128 = HEX_64 * 2

REFUSED = [
    ("A17 63 digits", "sha256:" + "0" * 63, ReferenceInvalid),
    ("A17 65 digits", "sha256:" + "0" * 65, ReferenceInvalid),
    ("A17 upper case", "sha256:" + "A" * 64, ReferenceInvalid),
    ("A17 one upper case", "sha256:" + "a" * 63 + "F", ReferenceInvalid),
    ("A17 no digit", "sha256:" + "g" * 64, ReferenceInvalid),
    ("A17 0x", "sha256:0x" + "0" * 62, ReferenceInvalid),
    ("A17 underscore", "sha256:ab_cd" + "0" * 59, ReferenceInvalid),
    ("A17 leading blank", " sha256:" + HEX_64, ReferenceInvalid),
    ("A17 inner blank", "sha256: " + HEX_64, ReferenceInvalid),
    ("A17 trailing blank", f"sha256:{HEX_64} ", ReferenceInvalid),
    ("A17 newline instead of a digit", f"sha256:{'0' * 63}\n", ReferenceInvalid),
    ("A17 newline after", f"sha256:{HEX_64}\n", ReferenceInvalid),
    ("A17 Arabic digits", "sha256:" + "\u0663" * 64, ReferenceInvalid),
    ("A17 full-width digits", "sha256:" + "\uff10" * 64, ReferenceInvalid),
    ("A17 nothing", "sha256:", ReferenceInvalid),
    ("A17 two separators", f"sha256::{HEX_64}", ReferenceInvalid),
    ("A18 path", "sha256:../../../../etc/passwd", ReferenceInvalid),
    ("A18 path of 64", "sha256:" + "../" * 21 + "a", ReferenceInvalid),
    ("A18 dots", "sha256:a/../b", ReferenceInvalid),
    ("no algorithm", f":{HEX_64}", ReferenceInvalid),
    ("no separator", HEX_64, ReferenceInvalid),
    ("dash for a separator", f"sha256-{HEX_64}", ReferenceInvalid),
    ("empty", "", ReferenceInvalid),
    ("tag", "latest", ReferenceInvalid),
    ("path as algorithm", f"../sha256:{HEX_64}", ReferenceInvalid),
    ("algorithm that ends in a separator", f"sha256+:{HEX_64}", ReferenceInvalid),
    ("A19 sha512 with the digits of sha256", f"sha512:{HEX_64}", ReferenceInvalid),
    ("A19 sha256 with the digits of sha512", f"sha256:{HEX_128}", ReferenceInvalid),
    ("A19 md5", "md5:" + "0" * 32, DigestUnsupported),
    ("A19 sha1", "sha1:" + "0" * 40, DigestUnsupported),
    ("A19 sha384", "sha384:" + "0" * 96, DigestUnsupported),
    ("A19 blake3", f"blake3:{HEX_64}", DigestUnsupported),
    ("A19 another encoding", "sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564", DigestUnsupported),
    ("A19 upper case", f"SHA256:{HEX_64}", DigestUnsupported),
    ("A19 other spelling", f"sha-256:{HEX_64}", DigestUnsupported),
]


@pytest.mark.parametrize(("algorithm", "hexadecimal"), [("sha256", HEX_64), ("sha512", HEX_128)])
def test_both_registered_algorithms_are_read(algorithm: str, hexadecimal: str) -> None:
    digest = Digest.parse(f"{algorithm}:{hexadecimal}")
    assert (digest.algorithm, digest.hex) == (algorithm, hexadecimal)
    assert str(digest) == f"{algorithm}:{hexadecimal}"


@pytest.mark.parametrize(("text", "kind"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_everything_else_is_refused_by_name(text: str, kind: type[ByoaError]) -> None:
    with pytest.raises(kind) as refusal:
        Digest.parse(text)
    assert type(refusal.value) is kind
    assert refusal.value.cause.isascii()
    assert refusal.value.cause.isprintable()


def test_the_reader_says_what_a_malformed_digest_means_to_it() -> None:
    with pytest.raises(ManifestInvalid):
        Digest.parse("sha256:short", malformed=ManifestInvalid)
    with pytest.raises(DigestUnsupported):
        Digest.parse("md5:" + "0" * 32, malformed=ManifestInvalid)


@given(st.binary(), st.sampled_from(["sha256", "sha512"]))
def test_content_matches_its_own_digest(content: bytes, algorithm: str) -> None:
    digest = Digest.of(content, algorithm)
    assert digest.hex == hashlib.new(algorithm, content).hexdigest()
    assert digest.matches(content)
    assert Digest.parse(str(digest)) == digest


@given(st.binary(min_size=1), st.sampled_from(["sha256", "sha512"]), st.data())
def test_one_flipped_bit_matches_no_more(content: bytes, algorithm: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(content) * 8 - 1))
    flipped = bytearray(content)
    flipped[at // 8] ^= 1 << (at % 8)
    assert not Digest.of(content, algorithm).matches(bytes(flipped))


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_stream_is_hashed_with_the_algorithm_that_the_digest_names(algorithm: str) -> None:
    digest = Digest.of(b"in two parts", algorithm)
    hasher = digest.hasher()
    hasher.update(b"in two ")
    hasher.update(b"parts")
    assert hasher.hexdigest() == digest.hex


def test_a_fresh_hasher_knows_nothing_of_the_last_one() -> None:
    digest = Digest.of(b"")
    digest.hasher().update(b"something")
    assert digest.hasher().hexdigest() == digest.hex


@given(st.text())
def test_any_text_is_read_whole_or_refused_by_name(text: str) -> None:
    try:
        digest = Digest.parse(text)
    except (ReferenceInvalid, DigestUnsupported):
        return
    assert str(digest) == text


def test_digests_can_be_keys_and_can_be_sorted() -> None:
    first, second = sorted([Digest.of(b"b"), Digest.of(b"a")])
    assert first < second
    assert {first, second, Digest.of(b"a")} == {first, second}
