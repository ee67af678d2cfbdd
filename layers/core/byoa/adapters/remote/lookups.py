"""Lookups of artifacts through the API: answered at once, or later where its state is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from byoa.adapters.remote.refusals import error_of
from byoa.api.lookups import DifferenceOut, InspectedOut, PlannedOut, ResolvedOut
from byoa.errors import ApiUnusable, Timeout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from byoa.api.asking import Api
    from byoa.builds.lookups import Sought

_BEGUN: Final = 202
_REFUSED: Final = 400
_LONGEST: Final = 200.0
"""Seconds that a lookup is waited for: the API gives one up after 180."""

_POLL_SECONDS: Final = (0.25, 2.0)
"""From the first look to the last; each wait is a half longer than the one before."""


class RemoteArtifacts:
    """Implements ``api.asking.Artifacts``."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def resolve(self, sought: Sought) -> ResolvedOut:
        """See ``api.asking.Artifacts``."""
        return _read(ResolvedOut, self._look_up("resolve", _body(sought)))

    def plan(self, sought: Sought) -> PlannedOut:
        """See ``api.asking.Artifacts``."""
        return _read(PlannedOut, self._look_up("plan", _body(sought)))

    def inspect(self, sought: Sought) -> InspectedOut:
        """See ``api.asking.Artifacts``."""
        return _read(InspectedOut, self._look_up("inspect", _body(sought)))

    def compare(self, before: Sought, after: Sought) -> DifferenceOut:
        """See ``api.asking.Artifacts``."""
        return _read(DifferenceOut, self._look_up("diff", {"before": _body(before), "after": _body(after)}))

    def _look_up(self, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        reply = self._api.ask("POST", "artifacts", action, body=body, once=True)
        return self._wait(reply.fields()) if reply.status == _BEGUN else reply.fields()

    def _wait(self, begun: Mapping[str, Any]) -> dict[str, Any]:
        deadline, pause = time.monotonic() + _LONGEST, _POLL_SECONDS[0]
        while begun.get("state") == "running":
            if time.monotonic() > deadline:
                raise Timeout("The platform doesn't end a lookup in time.")
            time.sleep(pause)
            pause = min(pause * 1.5, _POLL_SECONDS[1])
            begun = self._api.ask("GET", "artifacts", "lookups", str(begun.get("id"))).fields()
        result, failure = begun.get("result"), begun.get("failure")
        if isinstance(failure, dict):
            raise error_of(_REFUSED, {**failure, "detail": failure.get("cause")})
        if not isinstance(result, dict):
            raise ApiUnusable("The API's lookup ended with neither an answer nor a failure.")
        return result


def _body(sought: Sought) -> dict[str, Any]:
    return sought.model_dump(exclude_none=True)


def _read[Model: BaseModel](model: type[Model], document: dict[str, Any]) -> Model:
    try:
        return model.model_validate(document, extra="ignore")
    except ValidationError:
        raise ApiUnusable("The API answers a lookup in a way that this version doesn't know.") from None
