"""Hostile and honest archives: threats D22 to D31, and the real tools' layers."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import shutil
import struct
import subprocess
import tarfile
import tracemalloc
import zipfile
import zlib
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from byoa.content.archive import ArchiveLimits, File, expand, read_archive
from byoa.content.magic import is_gzip, looks_like_tar
from byoa.errors import ArchiveEntryForbidden, ArchiveInvalid, ByoaError, ContentTooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ARTIFACTS = Path(__file__).parent.parent / "data" / "artifacts"
END = bytes(1024)
MIB = 1024 * 1024
SECRET = "s3cr3t"


def header(
    name: bytes = b"a.yaml",
    size: int | bytes = 0,
    kind: bytes = b"0",
    *,
    mode: int = 0o644,
    magic: bytes = b"ustar\x0000",
    prefix: bytes = b"",
) -> bytes:
    size_field = size if isinstance(size, bytes) else b"%011o\0" % size
    before = struct.pack("100s8s8s8s12s12s", name, b"%07o\0" % mode, b"0000000\0", b"0000000\0", size_field, b"0" * 11)
    after = struct.pack("1s100s8s80x155s12x", kind, b"", magic, prefix)
    checksum = sum(before) + 8 * 32 + sum(after)
    return before + b"%06o\0 " % checksum + after


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def entry(name: bytes = b"a.yaml", content: bytes = b"", kind: bytes = b"0", **fields: Any) -> bytes:
    return header(name, len(content), kind, **fields) + padded(content)


def record(key: bytes, value: bytes) -> bytes:
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest) + 1
    while len(b"%d" % length) + len(rest) != length:
        length += 1
    return b"%d" % length + rest


def pax(*records: bytes, kind: bytes = b"x") -> bytes:
    return entry(b"PaxHeaders/a", b"".join(records), kind)


def base256(number: int) -> bytes:
    return (number % (1 << 96) | 1 << 95).to_bytes(12) if number >= 0 else number.to_bytes(12, signed=True)


def read(layer: bytes, limits: ArchiveLimits | None = None, **options: Any) -> list[File]:
    return list(read_archive([layer], limits or ArchiveLimits(), **options))


def refuse(kind: type[ByoaError], layer: bytes, limits: ArchiveLimits | None = None) -> str:
    """The cause of the refusal, which may quote nothing of the layer."""
    with pytest.raises(kind) as caught:
        read(layer, limits)
    text = caught.value.as_json()
    assert type(caught.value) is kind
    assert len(text) <= 512
    assert text.isascii()
    assert text.isprintable()
    assert SECRET not in text
    return caught.value.cause


def made_by_tarfile(files: dict[str, bytes], form: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def peak_of(call: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def zeros_gzipped(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(MIB)) for _ in range(size // MIB)) + packer.flush()


# Part: honest archives


def layers_of(layout: str) -> list[bytes]:
    blobs = [blob.read_bytes() for blob in sorted((ARTIFACTS / layout / "blobs" / "sha256").iterdir())]
    return [blob for blob in blobs if is_gzip(blob)]


@pytest.mark.parametrize(
    ("layout", "paths"),
    [
        ("kustomizer", ["all.yaml"]),
        ("kustomizer-encrypted", ["all.yaml.age"]),
        ("flux", ["app.yaml"]),
        ("oras-directory", ["rendered/app.yaml"]),
        ("image", ["hello"]),
    ],
)
def test_the_real_tools_layers_are_read(layout: str, paths: list[str]) -> None:
    (layer,) = layers_of(layout)
    assert [file.path for file in read(layer)] == paths


@pytest.mark.parametrize("layout", ["kustomizer", "kustomizer-encrypted", "flux", "oras-directory", "image", "chart"])
def test_the_real_tools_layers_have_the_contents_that_tarfile_finds(layout: str) -> None:
    (layer,) = layers_of(layout)
    with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
        expected = [
            File(member.name.removeprefix("./"), source.read())
            for member in archive
            if (source := archive.extractfile(member))
        ]
    assert expected
    assert read(layer) == expected


# As much as ustar can say in its prefix and name.
LONG = "/".join(["f" * 50] * 3) + "/" + "g" * 100


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_archives_of_pythons_tarfile_are_read_in_all_its_formats(form: int) -> None:
    files = {"a.yaml": b"a: 1\n", "sub/b.yaml": b"x" * 70_000, "empty": b"", LONG: b"long", "exact": b"e" * 512}
    assert read(made_by_tarfile(files, form)) == [File(path, content) for path, content in files.items()]


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_outside_ascii_are_read(form: int) -> None:
    assert read(made_by_tarfile({"größe/日本.yaml": b"1"}, form)) == [File("größe/日本.yaml", b"1")]


@pytest.mark.skipif(not shutil.which("tar"), reason="no tar on PATH")
@pytest.mark.parametrize("form", ["ustar", "gnu", "oldgnu", "pax"])
@pytest.mark.parametrize("packed", [[], ["-z"]])
def test_archives_of_the_tar_command_are_read(tmp_path: Path, form: str, packed: list[str]) -> None:
    (tmp_path / "sub").mkdir(mode=0o2775)
    (tmp_path / "a.yaml").write_bytes(b"a: 1\n")
    (tmp_path / "sub" / "b.yaml").write_bytes(b"b: 2\n" * 1000)
    long = tmp_path.joinpath(*LONG.split("/"))
    long.parent.mkdir(parents=True)
    long.write_bytes(b"long")
    command = ["tar", *packed, f"--format={form}", "--sort=name", "-C", str(tmp_path), "-cf", "-", "."]
    layer = subprocess.run(command, check=True, capture_output=True).stdout
    found = {file.path: file.content for file in read(layer)}
    assert found == {"a.yaml": b"a: 1\n", "sub/b.yaml": b"b: 2\n" * 1000, LONG: b"long"}


@settings(deadline=None)
@given(
    files=st.dictionaries(st.from_regex(r"[a-z]{1,8}(\.yaml)?", fullmatch=True), st.binary(max_size=2000), max_size=6),
    form=st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    packed=st.booleans(),
    chunk=st.integers(1, 3000),
)
def test_what_goes_in_comes_out_however_it_is_chunked(
    *, files: dict[str, bytes], form: int, packed: bool, chunk: int
) -> None:
    layer = made_by_tarfile(files, form)
    layer = gzip.compress(layer) if packed else layer
    chunks = (bytes(piece) for piece in batched(layer, chunk, strict=False))
    found = list(read_archive(chunks, ArchiveLimits(ratio=100_000)))
    assert found == [File(path, content) for path, content in files.items()]


def test_a_path_in_a_pax_header_overrides_name_and_prefix() -> None:
    layer = pax(record(b"mtime", b"1.5"), record(b"path", b"b.yaml")) + entry(b"a", b"1", prefix=b"p") + END
    assert read(layer) == [File("b.yaml", b"1")]


def test_a_size_in_a_pax_header_overrides_the_headers() -> None:
    assert read(pax(record(b"size", b"3")) + header(size=0) + padded(b"abc") + END) == [File("a.yaml", b"abc")]


def test_a_pax_header_may_have_100_records() -> None:
    assert read(pax(*[b"5 a=\n"] * 99, record(b"path", b"b")) + entry() + END) == [File("b", b"")]


def test_a_pax_header_goes_for_the_next_entry_only() -> None:
    layer = pax(record(b"path", b"b")) + entry(b"a", b"1") + entry(b"c", b"2") + END
    assert [file.path for file in read(layer)] == ["b", "c"]


def test_a_global_pax_header_with_a_comment_is_passed_over() -> None:
    comment = pax(record(b"comment", b"0123456789abcdef"), kind=b"g")
    layer = comment + pax(record(b"path", b"b")) + entry(b"a") + END
    assert [file.path for file in read(layer)] == ["b"]


def test_the_prefix_field_is_gnus_own_in_gnu_headers() -> None:
    assert read(entry(b"a", magic=b"ustar  \0", prefix=b"13371337") + END) == [File("a", b"")]
    assert read(entry(b"a", prefix=b"sub") + END) == [File("sub/a", b"")]


def test_a_size_in_base_256_is_read() -> None:
    assert read(header(size=base256(3)) + padded(b"abc") + END) == [File("a.yaml", b"abc")]


@pytest.mark.parametrize("name", [b".", b"./", b"././"])
def test_the_archives_own_root_may_be_listed(name: bytes) -> None:
    assert read(entry(name, kind=b"5") + entry(b"./a.yaml", b"1") + END) == [File("a.yaml", b"1")]


def test_folders_are_passed_over_with_their_setgid_bit() -> None:
    assert read(entry(b"sub/", kind=b"5", mode=0o2755) + entry(b"sub/a") + END) == [File("sub/a", b"")]


@pytest.mark.parametrize("records", [0, 1, 20])
def test_an_archive_may_be_padded_with_zero_blocks(records: int) -> None:
    assert read(entry() + END + bytes(512 * records)) == [File("a.yaml", b"")]


def test_an_archive_of_nothing_has_no_files() -> None:
    assert read(END) == []


def test_gzip_may_have_several_members() -> None:
    layer = entry(b"a", b"1") + entry(b"b", b"2") + END
    parts = [layer[:100], layer[100:600], b"", layer[600:]]
    packed = b"".join(map(gzip.compress, parts))
    for size in (1, 7, 10_000):
        chunks = (bytes(piece) for piece in batched(packed, size, strict=False))
        assert [file.path for file in read_archive(chunks)] == ["a", "b"]


def test_unwanted_files_are_asked_for_by_their_normal_name_and_left_out() -> None:
    asked: list[str] = []

    def wanted(path: str) -> bool:
        asked.append(path)
        return path.endswith(".yaml")

    layer = entry(b"./a.yaml", b"1") + entry(b"./b.png", b"2" * 600) + entry(b"c.yaml", b"3") + END
    assert [file.path for file in read(layer, wanted=wanted)] == ["a.yaml", "c.yaml"]
    assert asked == ["a.yaml", "b.png", "c.yaml"]


def test_unwanted_files_are_not_held_in_memory() -> None:
    def pieces() -> Iterator[bytes]:
        yield header(size=8 * MIB)
        for _ in range(8):
            yield bytes(MIB)
        yield END

    assert peak_of(lambda: list(read_archive(pieces(), wanted=lambda _: False))) < 3 * MIB


# Part: what a layer is


def test_gzip_is_told_by_its_first_bytes() -> None:
    assert is_gzip(gzip.compress(b""))
    assert not is_gzip(b"apiVersion: v1")
    assert not is_gzip(b"\x1f")


def test_a_tar_is_told_by_its_first_header() -> None:
    layer = entry(b"a", b"1") + END
    assert looks_like_tar(layer)
    assert looks_like_tar(END)
    assert not looks_like_tar(layer[:511])
    assert not looks_like_tar(b"b" + layer[1:])
    assert not looks_like_tar(b"apiVersion: v1\n" * 100)
    assert not looks_like_tar(b"")


def test_a_header_summed_with_signed_bytes_is_a_tar_header() -> None:
    block = entry("ä".encode())
    unsigned = int(block[148:154], 8)
    assert looks_like_tar(block[:148] + b"%06o\0 " % (unsigned - 2 * 256) + block[156:])


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.yaml", SECRET * 200)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "seems"),
    [
        (b"\x28\xb5\x2f\xfd" + bytes(600), "zstd"),
        (zipped(), "zip"),
        (lzma.compress(b"x" * 600), "xz"),
        (bz2.compress(b"x" * 600), "bzip2"),
        (b"password: " + SECRET.encode() + b"\n", "text"),
        (b"password: " + SECRET.encode() * 200, "text"),
        (gzip.compress(entry() + END, mtime=0), "gzip"),
        (b"\x00\x01\x02" * 300, "something else"),
        (b"!" + entry()[1:] + END, "damaged first header"),
        (b"", "empty"),
    ],
)
def test_other_formats_are_refused_by_name(content: bytes, seems: str) -> None:
    assert seems in refuse(ArchiveInvalid, gzip.compress(content))
    if not is_gzip(content):
        assert seems in refuse(ArchiveInvalid, content)


def test_content_that_is_no_gzip_passes_through_expand() -> None:
    assert b"".join(expand([b"a", b"", b"b" * 100_000])) == b"a" + b"b" * 100_000
    assert b"".join(expand([])) == b""
    assert b"".join(expand([b"\x1f"])) == b"\x1f"


def test_gzip_is_unpacked_by_expand_in_small_pieces() -> None:
    pieces = list(expand([gzip.compress(bytes(range(256)) * 4096)], ArchiveLimits(ratio=1000)))
    assert b"".join(pieces) == bytes(range(256)) * 4096
    assert max(map(len, pieces)) <= 64 * 1024


# Part: gzip, threat D22


def test_a_gzip_bomb_stops_at_the_ratio() -> None:
    layer = zeros_gzipped(64 * MIB)
    assert "200 times" in refuse(ContentTooLarge, layer)
    assert peak_of(lambda: refuse(ContentTooLarge, layer)) < 3 * MIB


def test_a_gzip_bomb_stops_at_the_expanded_size() -> None:
    limits = ArchiveLimits(ratio=100_000, expanded=8 * MIB)
    layer = zeros_gzipped(64 * MIB)
    assert str(8 * MIB) in refuse(ContentTooLarge, layer, limits)
    assert peak_of(lambda: refuse(ContentTooLarge, layer, limits)) < 3 * MIB


def test_a_gzip_bomb_in_the_second_member_stops_too() -> None:
    layer = gzip.compress(entry(b"a", b"1")) + zeros_gzipped(64 * MIB)
    refuse(ContentTooLarge, layer)
    refuse(ContentTooLarge, layer, ArchiveLimits(ratio=100_000, expanded=8 * MIB))


def test_a_bomb_in_a_file_that_nobody_wants_stops_too() -> None:
    layer = gzip.compress(header(size=40 * MIB) + bytes(40 * MIB) + END)
    with pytest.raises(ContentTooLarge):
        read(layer, wanted=lambda _: False)


def test_the_ratio_is_of_no_concern_below_32_mebibytes() -> None:
    layer = gzip.compress(entry(b"a", bytes(20 * MIB)) + END)
    assert len(layer) * 200 < 20 * MIB
    assert len(read(layer)[0].content) == 20 * MIB


def test_plain_content_is_bounded_by_the_compressed_and_the_expanded_size() -> None:
    layer = entry(b"a", b"x" * 5000) + END
    refuse(ContentTooLarge, layer, ArchiveLimits(compressed=len(layer) - 1))
    refuse(ContentTooLarge, layer, ArchiveLimits(expanded=len(layer) - 1))
    assert read(layer, ArchiveLimits(compressed=len(layer), expanded=len(layer)))


@pytest.mark.parametrize("wanted", [True, False])
def test_a_file_has_at_most_the_files_limit(*, wanted: bool) -> None:
    layer = entry(b"a", b"x" * 1000) + END
    assert len(read(layer, ArchiveLimits(file=1000))) == 1
    with pytest.raises(ContentTooLarge):
        read(layer, ArchiveLimits(file=999), wanted=lambda _: wanted)


def test_a_flood_of_gzip_members_is_refused() -> None:
    refuse(ArchiveInvalid, gzip.compress(b"") * 41, ArchiveLimits(entries=10))


GOOD = gzip.compress(entry(b"a", b"content") + END, mtime=0)


@pytest.mark.parametrize(
    "layer",
    [
        GOOD[:-1],
        GOOD[:-8],
        GOOD[: len(GOOD) // 2],
        GOOD[:5],
        GOOD[:2],
        GOOD[:-8] + bytes(4) + GOOD[-4:],
        GOOD[:-4] + bytes(4),
        GOOD + b"\0garbage",
        GOOD + bytes(70_000) + GOOD,
        GOOD + b"garbage",
        GOOD + GOOD[:12],
        GOOD + b"\x1f",
        b"\x1f\x8b\x07" + GOOD[3:],
    ],
)
def test_damaged_and_cut_gzip_is_refused(layer: bytes) -> None:
    refuse(ArchiveInvalid, layer)


@settings(deadline=None)
@given(st.integers(0, len(GOOD) - 1))
def test_no_cut_of_a_gzip_layer_is_taken_for_a_shorter_one(length: int) -> None:
    refuse(ArchiveInvalid, GOOD[:length])


# Part: tar, threats D25 to D27

PLAIN = pax(record(b"path", b"b.yaml")) + entry(b"a", b"1") + entry(b"c", b"2") + END


@settings(deadline=None)
@given(st.integers(0, len(PLAIN) - 1))
def test_a_cut_of_a_tar_is_refused_or_lies_between_its_files(length: int) -> None:
    try:
        assert read(PLAIN[:length]) in ([File("b.yaml", b"1")], [File("b.yaml", b"1"), File("c", b"2")])
    except ArchiveInvalid:
        assert length < len(PLAIN) - len(END)


@pytest.mark.parametrize("end", [b"", bytes(512), bytes(511), bytes(1023), END + bytes(511), bytes(10_240)])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress])
def test_an_archive_may_end_as_any_writer_ends_it(pack: Callable[[bytes], bytes], end: bytes) -> None:
    assert read(pack(entry(b"a", b"x" * 512) + end)) == [File("a", b"x" * 512)]
    assert read(pack(header(b"a", 5) + b"whole")) == [File("a", b"whole")]


def test_gzip_may_be_padded_with_zeros() -> None:
    for zeros in (1, 512, 70_000, 200_000):
        assert read(GOOD + bytes(zeros)) == [File("a", b"content")]
    assert read_archive_in_bytes(GOOD + bytes(600)) == [File("a", b"content")]


def read_archive_in_bytes(layer: bytes) -> list[File]:
    return list(read_archive(bytes([each]) for each in layer))


def test_archives_from_before_ustar_are_read() -> None:
    old = {"magic": bytes(8)}
    layer = entry(b"app/", **old) + entry(b"app/a.yaml", b"x", b"\0", **old) + END
    assert read(layer) == [File("app/a.yaml", b"x")]
    refuse(ArchiveEntryForbidden, entry(b"app/a", kind=b"2", **old) + END)
    assert read(entry(b"app/", **old) + END) == []


# Part: layers packed with zstd


def test_zstd_is_read_as_gzip_is() -> None:
    layer = entry(b"a", b"x" * 300_000) + entry(b"b", b"y") + END
    whole = [File("a", b"x" * 300_000), File("b", b"y")]
    skipped = b"\x5a\x2a\x4d\x18" + struct.pack("<I", 5) + b"12345"
    frames = zstd.compress(layer[:1000]) + zstd.compress(layer[1000:])
    checked = zstd.compress(layer, options={zstd.CompressionParameter.checksum_flag: 1})
    for packed in (zstd.compress(layer), frames, skipped + frames, frames + skipped, checked):
        assert read(packed) == whole
        assert list(read_archive(bytes([each]) for each in packed)) == whole


def test_zstd_that_is_damaged_cut_or_followed_by_something_is_refused() -> None:
    options: dict[int, int] = {zstd.CompressionParameter.checksum_flag: 1}
    good = zstd.compress(entry(b"a", bytes(range(256)) * 40) + END, options=options)
    for length in range(4, len(good)):
        refuse(ArchiveInvalid, good[:length])
    for layer in (good + b"\0", good + b"garbage", good[:-1] + bytes([good[-1] ^ 1]), good + good[:9]):
        refuse(ArchiveInvalid, layer)


def test_a_zstd_bomb_stops_at_the_expanded_size_in_little_memory() -> None:
    bomb = zstd.compress(bytes(256 * MIB))
    assert len(bomb) < MIB
    assert peak_of(lambda: refuse(ContentTooLarge, bomb, ArchiveLimits(file=MIB))) < 8 * MIB
    packer = zstd.ZstdCompressor()
    header_only = packer.compress(header(size=40 * MIB)) + packer.compress(bytes(40 * MIB)) + packer.flush()
    with pytest.raises(ContentTooLarge):
        read(header_only, wanted=lambda _: False)


def test_a_zstd_window_of_more_than_8_mebibytes_is_refused() -> None:
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    layer = packer.compress(entry(b"a", b"x") + END) + packer.flush()
    assert "8 MiB" in refuse(ArchiveInvalid, layer)


def test_a_flood_of_zstd_frames_is_refused() -> None:
    refuse(ArchiveInvalid, zstd.compress(b"") * 41, ArchiveLimits(entries=10))


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (entry(b"a") + b"!" + entry(b"b")[1:] + END, "checksum"),
        (entry(b"a") + entry(b"b")[:148] + bytes(8) + entry(b"b")[156:] + END, "checksum"),
        (entry(b"a") + bytes(512) + entry(b"b") + END, "goes on"),
        (entry(b"a") + END + entry(b"b") + END, "goes on"),
        (entry(b"a") + END + bytes(511) + b"\1", "goes on"),
        (header(size=1000) + bytes(999), "cut off"),
        (entry(b"a") + entry(b"b")[:511], "cut off"),
        (pax(record(b"path", b"b")) + END, "doesn't follow"),
        (entry(b"sub/", b"x", kind=b"5") + END, "claims to have content"),
    ],
)
def test_broken_tars_are_refused(layer: bytes, why: str) -> None:
    assert why in refuse(ArchiveInvalid, layer)
    assert why in refuse(ArchiveInvalid, gzip.compress(layer))


@pytest.mark.parametrize(
    "size",
    [
        base256(1 << 63),
        base256((1 << 94) - 1),
        base256(-1),
        base256(-512),
        b"\xff" * 12,
        base256(1 << 40),
        b"  0000000012",
        b"0000 000012\0",
        b"-0000000012\0",
        b"0x000000012\0",
        b"00000000019\0",
        "\u0660\u0661".encode(),
    ],
)
def test_sizes_that_are_negative_absurd_or_malformed_are_refused(size: bytes) -> None:
    refuse(ArchiveInvalid, header(size=size) + END)
    refuse(ArchiveInvalid, header(b"PaxHeader", size=size, kind=b"x") + END)


def test_a_size_between_the_limit_and_the_absurd_is_too_large() -> None:
    refuse(ContentTooLarge, header(size=base256(1 << 33)) + END)


@pytest.mark.parametrize("kind", [b"x", b"g", b"L"])
def test_an_extension_header_of_a_gibibyte_is_refused_unread(kind: bytes) -> None:
    def pieces() -> Iterator[bytes]:
        yield header(b"h", size=1 << 30, kind=kind)
        for _ in range(64):
            yield b"x" * MIB

    def attempt() -> None:
        with pytest.raises(ArchiveInvalid, match="longer than 65536"):
            list(read_archive(pieces()))

    assert peak_of(attempt) < 3 * MIB


def test_an_extension_header_has_at_most_64_kib() -> None:
    longest = record(b"comment", b"x" * (64 * 1024 - len(b"65536 comment=\n")))
    assert len(longest) == 64 * 1024
    assert read(pax(longest) + entry() + END)
    refuse(ArchiveInvalid, pax(record(b"c", b"x" * 64 * 1024)) + entry() + END)


@pytest.mark.parametrize(
    "body",
    [
        b"8 path=a\n",
        b"11 path=a\n",
        b"0 path=a\n",
        b"010 path=a\n",
        b"-9 path=a\n",
        b"99999999999 path=a\n",
        b"10 path=ab",
        b"8 path=\n",
        b"7 path\n",
        b"5 =a\n",
        b"path=a\n",
        b"\0" * 20,
        b"5 a=\n" * 101,
        record(b"path", b"a") + b"\0",
        record(b"path", b"a") + record(b"path", b"b"),
        record(b"size", b"1") + record(b"size", b"2"),
        record(b"size", b"-1"),
        record(b"size", b"1e3"),
        record(b"size", b"0x1"),
        record(b"size", b" 1"),
        record(b"size", b"1\n"),
        record(b"size", b""),
        record(b"size", b"9223372036854775808"),
        record(b"size", b"9" * 400),
        record(b"size", "\u0661".encode()),
    ],
)
def test_malformed_pax_records_are_refused(body: bytes) -> None:
    refuse(ArchiveInvalid, pax(body) + entry() + END)


@pytest.mark.parametrize("first", [b"x", b"L"])
@pytest.mark.parametrize("second", [b"x", b"L", b"g"])
def test_an_extension_header_that_meets_another_one_is_refused(first: bytes, second: bytes) -> None:
    bodies = {b"x": record(b"size", b"512"), b"L": b"b.yaml\0", b"g": record(b"comment", b"x")}
    layer = entry(b"h", bodies[first], first) + entry(b"h", bodies[second], second) + entry(b"a") + END
    refuse(ArchiveInvalid, layer)


@pytest.mark.parametrize("one", [record(b"path", b"b"), record(b"size", b"512")])
def test_a_path_or_size_for_all_entries_at_once_is_refused(one: bytes) -> None:
    refuse(ArchiveInvalid, pax(one, kind=b"g") + entry() + END)


# Part: entries, threats D29 to D31


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../../x",
        "a/../b",
        "a/..",
        "..",
        "/etc/x",
        "//x",
        ".//etc/x",
        "C:\\x",
        "c:x",
        "..\\x",
        "a\\b",
        "./",
        ".",
        "",
        "a/",
        "a//b",
        "a/./b",
        "a/.",
        "a\0b",
        "a\nb",
        "a\x7fb",
        "a\x1b[31m",
        "a\u0085b",
        "a\u202eb",
        "a\u200bb",
        "a\ufeffb",
        "a ",
        "a /b",
        " a",
        "a.",
        "a./b",
        "a" * 256,
        "ä" * 128,
        "s3cr3t/../x",
    ],
)
def test_names_that_lead_elsewhere_or_cannot_be_shown_are_refused(name: str) -> None:
    for layer in (
        pax(record(b"path", name.encode() or b"./")) + entry(b"fine"),
        entry(b"L", name.encode(), b"L") + entry(),
    ):
        refuse(ArchiveEntryForbidden, layer + END)
    if len(name.encode()) <= 100 and not name.endswith("/"):
        refuse(ArchiveEntryForbidden, entry(name.encode()) + END)


@pytest.mark.parametrize("name", [b"a\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xc0\xaf"])
def test_names_that_are_not_utf_8_are_refused(name: bytes) -> None:
    refuse(ArchiveEntryForbidden, entry(name) + END)


@pytest.mark.parametrize("name", [b"/", b"/sub/", b"../", b"sub//sub/", b"a\0b/", b"sub /", b"C:/"])
def test_folders_have_to_be_named_well_too(name: bytes) -> None:
    refuse(ArchiveEntryForbidden, entry(name, kind=b"5") + END)


def test_a_name_of_255_bytes_is_read() -> None:
    name = b"a" * 255
    assert read(pax(record(b"path", name)) + entry() + END) == [File(name.decode(), b"")]


def both(first: bytes, second: bytes) -> bytes:
    return entry(first, kind=b"5" if first.endswith(b"/") else b"0") + entry(
        second, kind=b"5" if second.endswith(b"/") else b"0"
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a.yaml", "a.yaml"),
        ("./a.yaml", "a.yaml"),
        ("A.yaml", "a.yaml"),
        ("caf\u00e9", "cafe\u0301"),
        ("CAF\u00c9", "cafe\u0301"),
        ("strasse", "stra\u00dfe"),
        ("sub", "sub/"),
        ("sub/", "sub"),
        ("sub", "sub/a.yaml"),
        ("sub/a.yaml", "sub"),
        ("sub/a/b.yaml", "SUB/A"),
        ("Sub/a.yaml", "sub/b.yaml"),
        ("Sub/", "sub/b.yaml"),
    ],
)
def test_names_that_clash_are_refused(first: str, second: str) -> None:
    assert "entry 2" in refuse(ArchiveEntryForbidden, both(first.encode(), second.encode()) + END)
    assert read(entry(b"other") + entry(b"another") + END)


def test_a_folder_may_be_listed_twice_and_before_or_after_its_files() -> None:
    assert len(read(both(b"sub/", b"./sub/") + entry(b"sub/a") + both(b"sub/", b"sub/b") + END)) == 2
    assert len(read(both(b"sub/", b"sub/a") + END)) == 1
    assert len(read(both(b"sub/a", b"sub/") + END)) == 1


@pytest.mark.parametrize(
    "kind", [b"1", b"2", b"3", b"4", b"6", b"7", b"K", b"S", b"D", b"M", b"V", b"X", b"Z", b"\xff"]
)
def test_entries_that_are_no_plain_files_are_refused(kind: bytes) -> None:
    assert "Entry 2" in refuse(ArchiveEntryForbidden, entry(b"a") + entry(b"b", kind=kind) + END)


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o1755])
def test_files_with_special_mode_bits_are_refused(mode: int) -> None:
    refuse(ArchiveEntryForbidden, entry(mode=mode) + END)


def test_the_file_type_within_the_mode_is_no_special_bit() -> None:
    assert read(entry(mode=0o100644) + END)


def test_sparse_files_are_refused() -> None:
    refuse(ArchiveEntryForbidden, pax(record(b"GNU.sparse.major", b"1")) + entry() + END)


@pytest.mark.parametrize("kind", [b"0", b"5", b"g"])
def test_entries_of_every_kind_are_counted(kind: bytes) -> None:
    layer = b"".join(header(b"%d" % number, kind=kind) for number in range(11)) + END
    limits = ArchiveLimits(entries=10)
    assert "more than 10 entries" in refuse(ArchiveEntryForbidden, layer, limits)
    assert len(read(layer[512:], limits)) == (10 if kind == b"0" else 0)


def test_a_flood_of_empty_entries_is_refused_in_little_memory() -> None:
    layer = gzip.compress(b"".join(header(b"%d" % number) for number in range(20_000)) + END)
    limits = ArchiveLimits(ratio=1000)
    assert peak_of(lambda: refuse(ArchiveEntryForbidden, layer, limits)) < 16 * MIB


def test_folders_that_names_imply_are_counted() -> None:
    layer = b"".join(entry(b"%d/a/b/c/d/e" % number) for number in range(3)) + END
    assert "folders" in refuse(ArchiveEntryForbidden, layer, ArchiveLimits(entries=14))
    assert read(layer, ArchiveLimits(entries=15))


# Part: anything at all


@settings(deadline=None)
@given(st.binary(max_size=3000))
def test_arbitrary_bytes_are_refused_with_an_error_of_ours(layer: bytes) -> None:
    with pytest.raises(ByoaError):
        read(layer)


@settings(deadline=None)
@given(st.integers(0, len(PLAIN) - 1), st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_harmless(at: int, flip: int) -> None:
    layer = PLAIN[:at] + bytes([PLAIN[at] ^ flip]) + PLAIN[at + 1 :]
    with contextlib.suppress(ArchiveInvalid, ArchiveEntryForbidden):
        assert len(read(layer)) == 2


@settings(deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_a_name_is_taken_as_it_is_or_refused(name: str) -> None:
    try:
        (file,) = read(pax(record(b"path", name.encode())) + entry() + END)
    except ArchiveEntryForbidden:
        return
    assert file.path == name.removeprefix("./") or name.startswith("././")
    assert file.path.isprintable()
    assert ".." not in file.path.split("/")
