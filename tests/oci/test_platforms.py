"""Platforms as people write them, against platforms as indexes have them."""

from __future__ import annotations

import pytest

from byoa.oci.digest import Digest
from byoa.oci.manifest import OCI_MANIFEST, Descriptor
from byoa.oci.platforms import pick, platform_of


def entry(text: str) -> Descriptor:
    parts = dict(zip(("os", "architecture", "variant"), text.split("/"), strict=False))
    return Descriptor(OCI_MANIFEST, Digest.of(text.encode()), 1, platform=parts)


OFFICIAL = tuple(map(entry, ("linux/amd64", "linux/arm/v5", "linux/arm/v7", "linux/arm64/v8", "windows/amd64")))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("Linux/AMD64", "linux/amd64"),
        ("linux/arm64", "linux/arm64/v8"),
        ("linux/arm64/v8", "linux/arm64/v8"),
        ("linux/arm64/8", "linux/arm64/v8"),
        ("linux/aarch64", "linux/arm64/v8"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/arm/v5", "linux/arm/v5"),
        ("linux/arm/v6", None),
        ("linux/arm64/v9", None),
        ("linux/s390x", None),
        ("darwin/arm64", None),
    ],
)
def test_a_platform_is_found_by_each_of_its_names(wanted: str, found: str | None) -> None:
    chosen = pick(OFFICIAL, wanted)
    assert (platform_of(chosen) if chosen else None) == found


def test_who_names_no_variant_takes_the_usual_one_or_else_any() -> None:
    assert pick([entry("linux/arm64")], "linux/arm64/v8") == entry("linux/arm64")
    assert pick([entry("linux/arm/v6"), entry("linux/arm/v5")], "linux/arm") == entry("linux/arm/v6")


def test_of_two_for_one_platform_the_first_is_taken() -> None:
    first = entry("windows/amd64")
    second = first._replace(digest=Digest.of(b"another version of it"))
    assert pick([first, second], "windows/amd64") == first
