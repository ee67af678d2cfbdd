"""Who did something: records keep a token's id, and its name is looked up when they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from byoa.web.routes import Here

_LISTED: Final = 100


def names_of(here: Here) -> dict[str, str]:
    """Names of tokens by their ids, for those who may see them."""
    if here.api.caller is None or "admin" not in here.api.caller.scopes:
        return {}
    return {each["id"]: each["name"] for each in here.api.get("/v1/tokens", limit=_LISTED)}
