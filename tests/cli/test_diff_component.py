"""`byoa diff COMPONENT`: what was pinned against what the tag means now, by the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from byoa.errors import ReferenceNotFound, RegistryUnavailable
from tests.cli.homes import DIGEST, MEND, ended_by

if TYPE_CHECKING:
    from tests.cli.homes import Home

SAME, DIFFERENT, TROUBLE, FAULT = 0, 1, 2, 3
NOW = f"sha256:{'1' * 64}"


@pytest.fixture
def built(home: Home) -> Home:
    home.hand_in("web")
    home.finish()
    home.vendors.tags["web"] = NOW
    return home


def test_a_tag_that_moved_is_told_with_the_objects_that_differ(built: Home) -> None:
    done = built.here("diff", "web")
    assert (done.code, done.err) == (DIFFERENT, "")
    before, after, first, *_, last = done.out.splitlines()
    assert before == f"--- oci://ghcr.io/vendor/web:v1  {DIGEST}"
    assert after == f"+++ oci://ghcr.io/vendor/web:v1  {NOW}"
    assert first == "~ Deployment vendor/web  apps/v1"
    assert last == "0 added, 0 removed, 1 changed, 2 the same"
    (asked,) = built.vendors.asked
    assert [each.digest for each in asked.artifacts] == [DIGEST, None], "the tag is asked for anew"


def test_one_that_stayed_is_the_same_artifact(built: Home) -> None:
    built.vendors.tags["web"] = DIGEST
    done = built.here("diff", "web")
    assert (done.code, done.out.splitlines()[-1]) == (SAME, "the same artifact")


def test_it_is_the_newest_good_build_against_what_the_newest_config_names(built: Home) -> None:
    built.write("web", tag="v2")
    assert ended_by(built, "error", "sync", "app").code == MEND
    found = built.here("diff", "web", "--json").json()
    assert (found["component"], found["before"]["digest"], found["differs"]) == ("web", DIGEST, True)
    assert [found[side]["reference"].rpartition(":")[2] for side in ("before", "after")] == ["v1", "v2"]


@pytest.mark.parametrize(
    ("error", "wanted"),
    [(ReferenceNotFound("It isn't there.", where="after"), TROUBLE), (RegistryUnavailable("It's out."), FAULT)],
    ids=lambda value: getattr(value, "code", ""),
)
def test_no_trouble_passes_for_a_difference(error: ReferenceNotFound, wanted: int, built: Home) -> None:
    built.vendors.errors["web"] = error
    done = built.here("diff", "web", "--json")
    assert (done.code, done.json()["error"]["code"]) == (wanted, error.code)
    assert done.json()["error"]["where"] == error.where


def test_what_no_build_pinned_and_what_is_no_name_is_told(home: Home) -> None:
    home.here("sync", home.write("web"), "--no-wait")
    done = home.here("diff", "web", "--json")
    assert (done.code, done.json()["error"]["code"]) == (TROUBLE, "BuildNotFound")
    done = home.here("diff", "wep")
    assert (done.code, "The app has no component of that name." in done.err) == (TROUBLE, True)
    done = home.here("diff", "oci://ghcr.io/vendor/web:v1")
    assert (done.code, "or the name of one component" in done.err) == (TROUBLE, True)
