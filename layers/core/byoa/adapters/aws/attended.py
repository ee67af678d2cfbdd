"""Deploys and components that somebody looks after, of all organisations: an index tells which, by their keys alone.

Each is then read and written as its organisation's. Implements Unended and ``installs.drift_due.Due``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from byoa.adapters.aws.refusals import translated
from byoa.adapters.aws.table import dump, load
from byoa.adapters.aws.writes import UNFINISHED
from byoa.installs.messages import DeployKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.adapters.aws.deploys import DynamoDeploys
    from byoa.adapters.aws.rows import Rows
    from byoa.builds.messages import Failure
    from byoa.installs.messages import Deploy
    from byoa.installs.ports import Becomes


@dataclass(frozen=True, slots=True)
class Attended:
    """``rows`` finds them, which takes a right to keys alone; ``of`` gives what handles those of one organisation."""

    rows: Rows
    of: Callable[[str], DynamoDeploys]

    def unended(self, before_ts: int) -> Iterator[DeployKey]:
        """See ``installs.ports.Unended``. An index is a moment behind: some have ended meanwhile."""
        for owner, _, install, component, number in self._found("deploy", before_ts):
            yield DeployKey(organisation=owner, install_id=install, component=component, number=int(number))

    def due(self, before_ts: int) -> Iterator[tuple[str, str, str]]:
        """See ``installs.drift_due.Due``."""
        for owner, _, install, component in self._found("drift", before_ts):
            yield owner, install, component

    def look(self, key: DeployKey) -> Deploy | None:
        """See ``installs.ports.Unended``."""
        return self.of(key.organisation).look(key)

    def heard_at(self, key: DeployKey) -> int | None:
        """See ``installs.ports.Unended``."""
        return self.of(key.organisation).heard_at(key)

    def told_at(self, key: DeployKey) -> int | None:
        """See ``installs.ports.Unended``."""
        return self.of(key.organisation).told_at(key)

    def tell_again(self, key: DeployKey, now_ts: int) -> bool:
        """See ``installs.ports.Unended``."""
        return self.of(key.organisation).tell_again(key, now_ts)

    def release(self, key: DeployKey, failure: Failure | None) -> Deploy | None:
        """See ``installs.ports.Unended``."""
        return self.of(key.organisation).release(key, failure)

    def give_up(self, key: DeployKey, becomes: Becomes) -> Deploy | None:
        """See ``installs.ports.Unended``."""
        return self.of(key.organisation).give_up(key, becomes)

    def put_off(self, organisation: str, install_id: str, component: str, until_ts: int) -> None:
        """See ``installs.drift_due.Due``."""
        self.of(organisation).put_off(install_id, component, until_ts)

    def _found(self, kind: str, before_ts: int) -> Iterator[tuple[str, ...]]:
        with translated("DynamoDB"):
            pages = self.rows.client.get_paginator("query").paginate(
                TableName=self.rows.table,
                IndexName=UNFINISHED,
                KeyConditionExpression=f"{UNFINISHED} = :kind AND created_at_ts < :before",
                ExpressionAttributeValues=dump({":kind": kind, ":before": before_ts}),
            )
            for item in (load(each) for page in pages for each in page["Items"]):
                yield item["pk"].removeprefix("ORG#"), *item["sk"].split("#")
