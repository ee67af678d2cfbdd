"""Lists of builds: which index has them, and where a build stands there.

Each build is in four: its app's and its organisation's by when it was handed in, and both again by how it stands, where
it moves once, when it ends. A key says all that the build's own key does, but for what the list is of.

    index       the list           its keys                                        on the item
    recent      an app's           <app>#<moment>#<component>#<version>            BUILDID#…
    recent      all apps'          *#<moment>#<app>#<component>#<version>          CONFIG#…
    recent      all, by stage      !<stage>#<moment>#<app>#<component>#<version>   BUILD#…
    standing    an app's, by stage <app>#<stage>#<moment>#<component>#<version>    BUILD#…

The moment is when it was handed in, for stages that are an end when it ended. No app's name begins with ``*`` or ``!``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from byoa.builds.messages import BuildKey

if TYPE_CHECKING:
    from byoa.adapters.aws.table import Item
    from byoa.builds.messages import Stage

RECENT: Final = "recent"
STANDING: Final = "standing"
"""Indexes, and the attributes that put an item in them."""

_LABEL: Final = "[a-z0-9_-]{1,63}"
_PLACE: Final = re.compile(
    rf"([0-9]{{13}}#(?:({_LABEL})#)?({_LABEL})#([0-9]{{10}}))(?: (bld[a-z2-7]{{23}}))?", re.ASCII
)


class BuildList(NamedTuple):
    """One of the lists: its index, what its keys begin with, the app that they don't say, and whose items have them."""

    by: str
    prefix: str
    app: str | None
    kind: Literal["BUILDID", "CONFIG", "BUILD"]

    def key_of(self, organisation: str, item: Item) -> BuildKey:
        """The build that an item of the index is of."""
        found = self._read(item[self.by].removeprefix(self.prefix))
        if found is None:
            raise LookupError(f"a key of the index {self.by} can't be read")
        return self._key(organisation, found)

    def place_of(self, item: Item) -> str:
        """Where the list goes on behind an item."""
        tail = str(item[self.by].removeprefix(self.prefix))
        return f"{tail} {item['sk'].removeprefix('BUILDID#')}" if self.kind == "BUILDID" else tail

    def start(self, organisation: str, place: str) -> Item | None:
        """The item that such a place names, as a query wants it; ``None`` for what is no place of this list."""
        found = self._read(place)
        if found is None or (found[5] is None) == (self.kind == "BUILDID"):
            return None
        key = self._key(organisation, found)
        tail = f"BUILDID#{found[5]}" if found[5] else f"{self.kind}#{key.app}#{key.component}#{key.version:010d}"
        return {"pk": f"ORG#{organisation}", self.by: f"{self.prefix}{found[1]}", "sk": tail}

    def _read(self, place: str) -> re.Match[str] | None:
        found = _PLACE.fullmatch(place)
        return found if found and (found[2] is None) == (self.app is not None) else None

    def _key(self, organisation: str, found: re.Match[str]) -> BuildKey:
        app = self.app or found[2]
        return BuildKey(organisation=organisation, app=app, component=found[3], version=int(found[4]))


def list_of(app: str | None, stage: Stage | None) -> BuildList:
    """The list of an app's builds, or of all apps', of one stage or of all."""
    if stage is None:
        return BuildList(RECENT, f"{app}#", app, "BUILDID") if app else BuildList(RECENT, "*#", None, "CONFIG")
    if app:
        return BuildList(STANDING, f"{app}#{stage}#", app, "BUILD")
    return BuildList(RECENT, f"!{stage}#", None, "BUILD")


def handed_in(key: BuildKey, at_ts: int) -> tuple[Item, Item, Item]:
    """What a new build's BUILDID, CONFIG and BUILD have of the indexes; ``at_ts`` in ms since 1970 UTC."""
    tail = f"{key.component}#{key.version:010d}"
    by_id = {RECENT: f"{key.app}#{at_ts:013d}#{tail}"}
    return by_id, {RECENT: f"*#{at_ts:013d}#{key.app}#{tail}"}, standing(key, "unfinished", at_ts)


def standing(key: BuildKey, stage: Stage, at_ts: int) -> Item:
    """What a build's item has of them, from ``at_ts`` on."""
    tail = f"{key.component}#{key.version:010d}"
    return {
        RECENT: f"!{stage}#{at_ts:013d}#{key.app}#{tail}",
        STANDING: f"{key.app}#{stage}#{at_ts:013d}#{tail}",
    }
