"""How configs and builds stand in the table: their keys, and what of an item is its record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.adapters.aws.listed import RECENT, STANDING
from byoa.adapters.aws.writes import UNFINISHED
from byoa.builds.messages import Build, BuildKey, ConfigVersion
from byoa.trust.allowed import Allowed

if TYPE_CHECKING:
    from byoa.adapters.aws.table import Item
    from byoa.components.reading import ComponentConfig

_INSIDE: Final = frozenset({"pk", "sk", "entity", "execution", "news", "overtaken", UNFINISHED, RECENT, STANDING})

POLICIES: Final = "POLICIES"
"""The sort key of an organisation's policies."""

TAGGED: Final = "tagged"
"""The index of components by the tag that their newest configs name, and the attribute that puts one in it."""


def tagged_key(registry: str, repository: str, tag: str) -> str:
    """What stands in that attribute."""
    return f"TAG#{registry}/{repository}:{tag}"


def tagged_by(config: ComponentConfig) -> str | None:
    """The same for a config; ``None`` for one that names no tag, or a digest, beside which a tag is only a label."""
    reference = config.reference if config.oci_artifact else None
    if reference is None or reference.tag is None or reference.digest is not None:
        return None
    return tagged_key(str(reference.registry), reference.repository, reference.tag)


def sort_key(kind: str, key: BuildKey) -> str:
    """Versions are padded, so that they sort by number."""
    return f"{kind}#{key.app}#{key.component}#{key.version:010d}"


def document_of(record: Build | ConfigVersion) -> Item:
    """What isn't known yet is no attribute: a write can find that out."""
    return record.model_dump(mode="json", exclude_none=isinstance(record, Build))


def record_of(item: Item) -> Item:
    """What of an item isn't the table's own."""
    return {name: value for name, value in item.items() if name not in _INSIDE}


def read_build(item: Item) -> Build:
    """The build that an item is."""
    return Build.model_validate(record_of(item))


def read_allowed(item: Item | None) -> Allowed:
    """The policies that an item is; those that hold where there is none."""
    if item is None:
        return Allowed()
    return Allowed(tuple(item["references"]), item["version"], item["updated_at_ts"], item["updated_by"])


def first_moment(build: Build) -> int:
    """When a build was handed in."""
    return build.history[0].created_at_ts
