"""How a build's record reads: its first state, its lines of history, and when one build serves for another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.builds.messages import Build, Failure, HistoryEntry, Outcome, build_id_of
from byoa.components.values import seconds
from byoa.errors import BuildCancelled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from byoa.builds.messages import BuildKey, Status
    from byoa.components.reading import ComponentConfig


HISTORY: Final = 200
"""Lines of a history that a running build writes: a few make a build, and the item takes 400 KB. Its end has room."""


TEXT_KEPT: Final = 128 * 1024
"""Bytes of a component's file that are kept beside its content, which has as many again: the item takes 400 KB."""


def milliseconds(moment: datetime) -> int:
    """A moment as milliseconds since 1970-01-01 UTC."""
    return int(moment.timestamp() * 1000)


def entry(status: Status, text: str, moment: datetime, **metadata: str | int) -> HistoryEntry:
    """One line of history."""
    return HistoryEntry(
        status=status, status_human_description=text, created_at_ts=milliseconds(moment), metadata=metadata
    )


def mirrored(target: str, at_ts: int) -> HistoryEntry:
    """The line that says that a target has the artifact, since ``at_ts``."""
    metadata: dict[str, str | int] = {"step": "mirror", "target": target}
    return HistoryEntry(
        status="building", status_human_description=f"mirrored to {target}", created_at_ts=at_ts, metadata=metadata
    )


def queued_build(
    key: BuildKey, series: str, config: ComponentConfig, moment: datetime, created_by: str | None = None
) -> Build:
    """The record of a build that nothing has begun yet, in a table that numbers its versions as ``series``."""
    first = entry("queued", "waiting for the pipeline", moment, config_version=key.version)
    return Build(
        **key.model_dump(),
        **first.model_dump(),
        build_id=build_id_of(key, series),
        history=[first],
        source_type=config.source_type,
        reference=str(config.reference) if config.oci_artifact else None,
        credentials_ref=config.oci_artifact.credentials_ref if config.oci_artifact else None,
        build_timeout_ms=max(1, int(seconds(config.build_timeout) * 1000)),
        created_by=created_by,
    )


def cancelled(moment: datetime, cause: str, by: str) -> tuple[Outcome, HistoryEntry]:
    """How a build ends that somebody stopped: as an error, which is how Nuon's users know it, and its last line."""
    told = BuildCancelled(cause)
    failure = Failure(code=told.code, cause=told.cause, remedy=told.remedy)
    return Outcome(status="error", failure=failure), entry("error", cause, moment, stopped_by=by)


def cut_short(entries: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    """``entries`` as the whole history of a build whose own is too long to be kept."""
    first, moment = entries[0], entries[0].created_at_ts
    text = "the lines before were too long to be kept"
    told = HistoryEntry(status=first.status, status_human_description=text, created_at_ts=moment)
    return [told, *entries]


def kept_text(text: str | None) -> str | None:
    """A file's text, if it is kept: one that is longer is told by its content again."""
    return text if text is not None and len(text.encode()) <= TEXT_KEPT else None


def reusable(build: Build) -> bool:
    """Whether handing in the same config again is served by this build: it runs, or it went well."""
    return not build.ended or build.status == "active"
