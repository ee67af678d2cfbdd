"""The Catalogue through the API. Whose it is, the token says."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from byoa.builds.messages import AttachedTo, Build, Failure, HistoryEntry, Inspection, MirroredArtifact, Outcome
from byoa.builds.ports import Accepted
from byoa.components.rendering import fields_of
from byoa.errors import ApiRefused, ApiUnusable

if TYPE_CHECKING:
    from pydantic import BaseModel

    from byoa.api.asking import Api
    from byoa.components.reading import ComponentConfig

_CREATED = 201
_UNTOLD = 1
"""Stands for a build's time limit, which the API doesn't tell."""


class RemoteCatalogue:
    """Implements ``builds.ports.Catalogue``; the organisation that calls name is the token's."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def submit(  # noqa: PLR0913 - a config, and what is told of it by name
        self,
        organisation: str,
        app: str,
        config: ComponentConfig,
        *,
        by: str | None = None,
        anew: bool = False,
        text: str | None = None,
    ) -> Accepted:
        """See ``builds.ports.Catalogue``; who it is handed in ``by``, the token says."""
        del by
        said = fields_of(config)
        fields = {name: value for name, value in said.items() if name not in ("name", "type")}
        body = fields if text is None else {"toml": text}
        place = ("apps", app, "components", config.name)
        reply = self._api.ask("POST", *place, "configs", "kubernetes-manifest", body=body)
        if anew and reply.status != _CREATED:
            made = self._api.ask("POST", *place, "builds", body={"use_latest": True})
            return Accepted(build_of(made.fields()), created=True)
        build = self.build(organisation, str(reply.fields().get("build_id")))
        if build is None:
            raise ApiUnusable("The API has no build of a config that it accepted.")
        return Accepted(build, created=reply.status == _CREATED)

    def components(self, organisation: str, app: str) -> list[str]:
        """See ``builds.ports.Catalogue``."""
        del organisation
        return sorted(str(each.get("name")) for each in self._api.listing("apps", app, "components").items)

    def build(self, organisation: str, build_id: str) -> Build | None:
        """See ``builds.ports.Catalogue``."""
        del organisation
        try:
            return build_of(self._api.ask("GET", "builds", build_id).fields())
        except ApiRefused as refusal:
            if refusal.problem == "not_found":
                return None
            raise

    def receipt(self, organisation: str, build_id: str) -> str | None:
        """See ``builds.ports.Catalogue``."""
        found = self._of_active(organisation, build_id, "receipt")
        return json.dumps(found) if found else None

    def attached(self, organisation: str, build_id: str) -> list[AttachedTo]:
        """See ``builds.ports.Catalogue``."""
        found = self._of_active(organisation, build_id, "attachments") or {}
        try:
            return [_read(AttachedTo, each) for each in found["attachments"]] if found else []
        except (LookupError, TypeError, ValueError) as error:
            raise ApiUnusable("The API tells of attachments in a way that this version doesn't know.") from error

    def _of_active(self, organisation: str, build_id: str, what: str) -> dict[str, Any] | None:
        """What is below a build that went well; ``None`` where there is none."""
        build = self.build(organisation, build_id)
        if build is None or build.status != "active":
            return None
        place = ("apps", build.app, "components", build.component, "builds", build_id, what)
        try:
            return dict(self._api.ask("GET", *place).fields())
        except ApiRefused as refusal:
            if refusal.problem in ("not_found", "route_unknown"):
                return None
            raise

    def builds(self, organisation: str, app: str, component: str | None, limit: int) -> list[Build]:
        """See ``builds.ports.Catalogue``. Their histories are left out but for the first and the last moment."""
        del organisation
        query = {"app_id": app, **({"component_id": component} if component else {})}
        try:
            found = self._api.listing("builds", query=query, limit=limit).items
        except ApiRefused as refusal:
            if refusal.problem == "not_found":
                return []
            raise
        return [build_of(each) for each in found]


def build_of(said: dict[str, Any]) -> Build:
    """A build as the API tells it, without what a newer one adds. Raises ``ApiUnusable`` where a part is missing."""
    try:
        status = said["status_v2"]
        history = [_read(HistoryEntry, each) for each in status["history"]] or _moments(said)
        return Build(
            organisation=said["org_id"],
            app=said["app_id"],
            component=said["component_id"],
            version=said["component_config_version"],
            build_id=said["id"],
            status=said["status"],
            status_human_description=said["status_description"],
            created_at_ts=status["created_at_ts"],
            metadata=status["metadata"],
            history=history,
            left_out=status.get("history_left_out", 0),
            source_type=said["source_type"],
            reference=said["reference"],
            credentials_ref=said["credentials_ref"],
            build_timeout_ms=_UNTOLD,
            outcome=_outcome(said),
            created_by=said.get("created_by_id"),
        )
    except (LookupError, TypeError, ValueError) as error:
        raise ApiUnusable("The API tells of a build in a way that this version doesn't know.") from error


def _outcome(said: dict[str, Any]) -> Outcome | None:
    if said["status"] not in ("active", "error", "superseded"):
        return None
    resolved = said["resolved"]
    return Outcome(
        status=said["status"],
        digest=resolved["digest"] if resolved else None,
        tag=resolved["tag"] if resolved else None,
        inspection=_read(Inspection, said["inspection"]) if said["inspection"] else None,
        mirrors=[_read(MirroredArtifact, each) for each in said["mirrors"]],
        failure=_read(Failure, said["failure"]) if said["failure"] else None,
    )


def _moments(said: dict[str, Any]) -> list[HistoryEntry]:
    """When a build that comes without its history was made, and what it said last."""
    told = {"status": said["status"], "status_human_description": said["status_description"]}
    first, last = (
        int(datetime.fromisoformat(said[name]).timestamp() * 1000 + 0.5) for name in ("created_at", "updated_at")
    )
    return [_read(HistoryEntry, {**told, "created_at_ts": at_ts}) for at_ts in dict.fromkeys((first, last))]


def _read[Model: BaseModel](model: type[Model], document: object) -> Model:
    try:
        return model.model_validate(document, extra="ignore")
    except ValidationError as error:
        raise ValueError(model.__name__) from error
