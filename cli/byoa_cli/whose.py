"""Who wanted something, by a token's name: where whoever asks may list tokens; to others it is the token's id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from byoa.errors import ApiRefused

if TYPE_CHECKING:
    from byoa.api.asking import Api


def token_names(asked: Api) -> dict[str, str]:
    """The names of the organisation's tokens by their ids; of none where they may not be listed."""
    try:
        found = asked.listing("tokens").items
    except ApiRefused as refusal:
        if refusal.problem == "scope_missing":
            return {}
        raise
    return {str(each.get("id")): str(each.get("name")) for each in found}


def by(said: dict[str, Any], names: dict[str, str]) -> str:
    """Who ``said`` is of, as the API has it; empty where it was nobody's token."""
    found = str(said.get("created_by_id") or "")
    return names.get(found, found)
