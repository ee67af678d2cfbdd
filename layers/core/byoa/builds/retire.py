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

MANY: Final = 800
KEPT: Final = 500
"""Of so many tags of a digest, those of its newest versions stay: ECR takes 1,000, which leaves time to mend."""


def retire(task: RetireTask, tags: Tags, series: str) -> Retired:
    """Take tags of versions long gone off the artifact, in the repository that ``tags`` is. Raises what that raises."""
    held = tags.tags_of(task.artifact.digest)
    old = retirable(held, task.artifact, series) if len(held) >= MANY else []
    if old:
        tags.remove_tags(old)
    return Retired(tags=len(old))


def retirable(tags: Iterable[str], key: BuildKey, series: str) -> list[str]:
    """Those of ``tags`` that belong to versions of this table but for the newest ``KEPT``, the oldest first.

    Ids are hashes: which version one is of shows by making them all again. Others' tags are not touched.
    """
    here = set(tags)
    versions = (
        build_id_of(key.key.model_copy(update={"version": version}), series) for version in range(1, key.version + 1)
    )
    return [tag for tag in versions if tag in here][:-KEPT]
