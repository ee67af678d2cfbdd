"""The order of tags: versions by their precedence, the highest first; then all else, the last by name first."""

from __future__ import annotations

import random

import pytest

from byoa.oci.tags import newest_first

SPECIFIED = ["1.0.0", "1.0.0-rc.1", "1.0.0-beta.11", "1.0.0-beta.2", "1.0.0-beta", "1.0.0-alpha.beta", "1.0.0-alpha.1",
             "1.0.0-alpha"]  # fmt: skip
"""Semantic Versioning 2.0.0, 11.4.4, from the highest on."""


@pytest.mark.parametrize(
    "ordered",
    [
        SPECIFIED,
        ["v10.0.0", "v9.9.9", "v2.3.10", "v2.3.9", "v2.3", "v2"],
        ["v1.2.0", "1.1.0", "v1.0.0"],
        ["2026.11.27", "v1.0.0", "stable", "latest", "20261127.2", "20261127", "20261126", "2026-11-27", "2026"],
        ["v1.0.0", "nightly-20261127", "nightly-20261126", "main"],
        ["1.0.0-rc.10", "1.0.0-rc.9", "1.0.0-9", "1.0.0-8"],
        ["v1.0.0", "v1.0.0_2", "v1.0.0.0", "v", "V2.0.0"],
    ],
)
def test_the_newest_comes_first_whatever_the_registry_s_order(ordered: list[str]) -> None:
    for seed in range(20):
        mixed = random.Random(seed).sample(ordered, len(ordered))
        assert newest_first(mixed) == ordered


def test_every_tag_that_there_can_be_has_a_place() -> None:
    odd = ["1-", "1-.", "1--", "9" * 128, "0" * 128, "1.0.0-" + "1." * 61, "_", "1.0.0-00", "1.0.0-0"]
    assert sorted(newest_first(odd)) == sorted(odd)
