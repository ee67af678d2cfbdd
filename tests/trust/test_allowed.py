"""Which repositories an organisation lets its builds read."""

from __future__ import annotations

import pytest

from byoa.errors import ReferenceForbidden, ReferenceInvalid, ReferenceUnsupported
from byoa.oci.reference import Reference
from byoa.trust.allowed import Allowed, parse_allowed


def lets(patterns: list[str], place: str) -> bool:
    allowed = Allowed(tuple(parse_allowed(each) for each in patterns))
    try:
        allowed.check(Reference.parse(f"oci://{place}:v1"))
    except ReferenceForbidden as refusal:
        return "byoa policies get" not in refusal.remedy
    return True


@pytest.mark.parametrize(
    ("pattern", "place", "may"),
    [
        ("*", "ghcr.io/vendor/app", True),
        ("ghcr.io/*", "ghcr.io/vendor/app", True),
        ("ghcr.io/*", "ghcr.io/app", True),
        ("ghcr.io/*", "ghcr.io:8443/app", False),
        ("ghcr.io/*", "ghcr.io.example.com/app", False),
        ("ghcr.io/vendor/*", "ghcr.io/vendor/app/deep", True),
        ("ghcr.io/vendor/*", "ghcr.io/vendor", False),
        ("ghcr.io/vendor/*", "ghcr.io/vendor-two/app", False),
        ("ghcr.io/vendor/app", "ghcr.io/vendor/app", True),
        ("ghcr.io/vendor/app", "ghcr.io/vendor/app/deep", False),
        ("ghcr.io/vendor/app", "ghcr.io/vendor/app2", False),
        ("oci://GHCR.io:443/vendor/*", "ghcr.io/vendor/app", True),
        ("index.docker.io/vendor/*", "registry-1.docker.io/vendor/app", True),
        ("[0:0:0:0:0:0:0:1]:5000/*", "[::1]:5000/app", True),
    ],
)
def test_a_pattern_names_a_repository_or_all_below(pattern: str, place: str, *, may: bool) -> None:
    assert lets([pattern], place) is may


def test_any_of_several_lets_and_none_lets_nothing() -> None:
    assert lets(["quay.io/a/*", "ghcr.io/vendor/app"], "ghcr.io/vendor/app")
    assert not lets([], "ghcr.io/vendor/app")
    assert Allowed().check(Reference.parse("oci://ghcr.io/vendor/app:v1")) is None


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("*", "*"),
        ("oci://GHCR.IO:443/*", "ghcr.io/*"),
        ("Index.Docker.io/library/nginx", "docker.io/library/nginx"),
        ("ghcr.io/vendor/*", "ghcr.io/vendor/*"),
    ],
)
def test_a_pattern_has_one_form(text: str, canonical: str) -> None:
    assert parse_allowed(text) == canonical == parse_allowed(canonical)


@pytest.mark.parametrize(
    "text",
    [
        "", "/", "/*", "ghcr.io", "ghcr.io/", "ghcr.io//*", "*.ghcr.io/*", "*/*", "**", "ghcr.io/*/app", "ghcr.io/ven*",
        "ghcr.io/vendor/**", "ghcr.io/vendor/app:v1", "ghcr.io/vendor/app@sha256:" + "0" * 64, "ghcr.io/Vendor/app",
        "user@ghcr.io/*", "user:password@ghcr.io/vendor", "https://ghcr.io/*", "oci://oci://ghcr.io/*", "ghcr.io/a b",
        "\u212aghcr.io/*", "ghcr.io/../*", "ghcr.io/a/../b", "ghcr.io/%2e/*", "ghcr.io/a?b", "ghcr.io/" + "a" * 300,
        "ghcr.io\n/*",
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_none(text: str) -> None:
    with pytest.raises((ReferenceInvalid, ReferenceUnsupported)):
        parse_allowed(text)
