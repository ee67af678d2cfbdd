"""Tags of versions long gone leave a digest; what is newer, and what isn't ours, stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from byoa.builds.messages import RetireTask, build_id_of
from byoa.builds.retire import KEPT, retirable, retire
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
    assert retirable([*foreign, tag(1)], task(2000).artifact, SERIES) == [tag(1)]


def test_the_state_machine_asks_before_ecr_s_limit_and_again_after_a_failure() -> None:
    """Source: ECR service quotas, "Tags per image": 1,000."""
    asl = (ROOT / "statemachine" / "build.asl.yaml").read_text()
    assert "$inspected.version >= 800 and $inspected.version % 50 = 0" in asl
    asked = [version for version in range(1, 1000) if version >= 800 and version % 50 == 0]
    assert asked[0] > KEPT
    assert len(asked) >= 4


def test_the_sample_is_one_of_a_mirror() -> None:
    sample = json.loads((ROOT / "events" / "retire_tags.json").read_bytes())
    assert sample == json.loads((ROOT / "events" / "mirror_artifact.json").read_bytes())
