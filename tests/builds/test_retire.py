"""Tags of versions long gone leave a digest; what is newer, and what isn't ours, stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from byoa.builds.messages import RetireTask, build_id_of
from byoa.builds.retire import KEPT, MANY, retirable, retire
from tests.template import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

TASK = RetireTask.model_validate_json((ROOT / "events" / "retire_tags.json").read_bytes())
SERIES = "byoa-Table-1"


class Kept:
    """One digest's tags."""

    def __init__(self, tags: list[str]) -> None:
        self.tags = tags

    def tags_of(self, digest: str) -> list[str]:
        assert digest == TASK.artifact.digest
        return list(self.tags)

    def remove_tags(self, tags: Sequence[str]) -> None:
        assert tags, "nothing to do is not asked for"
        self.tags = [tag for tag in self.tags if tag not in tags]


def task(version: int) -> RetireTask:
    return TASK.model_copy(update={"artifact": TASK.artifact.model_copy(update={"version": version})})


def tag(version: int, series: str = SERIES) -> str:
    return build_id_of(TASK.artifact.key.model_copy(update={"version": version}), series)


def test_the_oldest_versions_go_and_the_newest_stay() -> None:
    kept = Kept([tag(version) for version in range(1, 801)])
    assert retire(task(800), kept, SERIES).tags == 800 - KEPT
    assert kept.tags == [tag(version) for version in range(301, 801)]


def test_a_digest_with_few_tags_keeps_them_all() -> None:
    kept = Kept([tag(version) for version in (1, 2, 3)])
    assert retire(task(KEPT), kept, SERIES).tags == 0
    assert len(kept.tags) == 3


def test_tags_of_another_table_and_tags_that_people_set_are_not_touched() -> None:
    foreign = [tag(1, "byoa-Table-2"), "v2.3.1", "latest", "sha256-" + "a" * 64]
    ours = [tag(version) for version in range(1, KEPT + 2)]
    assert retirable([*foreign, *ours], task(2000).artifact, SERIES) == [tag(1)]


def test_a_digest_that_comes_and_goes_is_kept_below_ecr_s_limit_too() -> None:
    """Source: ECR service quotas, "Tags per image": 1,000."""
    kept = Kept([])
    for version in range(801, 3001, 2):  # every other version has this digest
        kept.tags.append(tag(version))
        assert len(kept.tags) <= MANY
        retire(task(version), kept, SERIES)
    assert tag(2999) in kept.tags


def test_the_state_machine_asks_from_the_first_version_on_that_could_matter() -> None:
    asl = (ROOT / "statemachine" / "build.asl.yaml").read_text()
    assert f"$inspected.version >= {MANY} %}}" in asl


def test_the_sample_is_one_of_a_mirror() -> None:
    sample = json.loads((ROOT / "events" / "retire_tags.json").read_bytes())
    assert sample == json.loads((ROOT / "events" / "mirror_artifact.json").read_bytes())
