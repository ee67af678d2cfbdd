"""RetireTags: earlier versions' tags leave a digest before the registry's limit is reached.

A component whose content stays the same while its config changes gives one digest a tag for each version, and ECR takes
1,000 tags an image. What an install may pull stays: it pulls by digest, which keeps the newest build's tag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.builds.messages import Retired, RetireTask, build_id_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from byoa.builds.messages import BuildKey
    from byoa.builds.ports import Tags

KEPT: Final = 500
"""Versions whose tags stay: half of what ECR takes, so that a step which fails for a while has time to be mended."""


def retire(task: RetireTask, tags: Tags, series: str) -> Retired:
    """Take tags of versions long gone off the artifact, in the repository that ``tags`` is. Raises what that raises."""
    old = retirable(tags.tags_of(task.artifact.digest), task.artifact, series)
    if old:
        tags.remove_tags(old)
    return Retired(tags=len(old))


def retirable(tags: Iterable[str], key: BuildKey, series: str) -> list[str]:
    """Those of ``tags`` that belong to versions of this table more than ``KEPT`` before ``key``'s, the oldest first.

    Ids are hashes: which version one is of shows by making them all again. Others' tags are not touched.
    """
    here = set(tags)
    old = (
        build_id_of(key.key.model_copy(update={"version": version}), series)
        for version in range(1, key.version - KEPT + 1)
    )
    return [tag for tag in old if tag in here]
