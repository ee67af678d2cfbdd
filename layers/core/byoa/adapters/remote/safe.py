"""Stored credentials through the API. Whose they are, the token says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from byoa.builds.messages import Tried
from byoa.errors import ApiRefused, ApiUnusable, CredentialForbidden
from byoa.trust.ports import Entry, Kept
from byoa.trust.secrets import check_name

if TYPE_CHECKING:
    from byoa.api.asking import Api, Reply


class RemoteSafe:
    """Implements ``trust.ports.Safe``."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def store(self, name: str, kind: str, host: str, text: str, options: tuple[str, ...] = ()) -> Kept:  # noqa: ARG002
        """See ``trust.ports.Safe``. The API doesn't tell what was deleted before, so it was nothing.

        It finds ``options`` in the text by itself.
        """
        check_name(name)
        there = self._there(name)
        value = {key: said for key, said in json.loads(text).items() if key not in ("kind", "host")}
        body = {"kind": kind, "host": host, "value": value}
        if there is None:
            reply = self._api.ask("POST", "credentials", body={"ref": name, **body})
            return Kept(_entry(reply.document).version, "nothing")
        was = _entry(there.document)
        reply = self._api.ask("PUT", "credentials", name, body=body, match=there.etag or "*")
        return Kept(_entry(reply.document).version, "another", (was.kind, was.host))

    def _there(self, name: str) -> Reply | None:
        """What is there, in the state that is then replaced."""
        try:
            return self._api.ask("GET", "credentials", name)
        except ApiRefused as refusal:
            if refusal.problem != "not_found":
                raise
        return None

    def entries(self) -> list[Entry]:
        """See ``trust.ports.Safe``."""
        return sorted(_entry(each) for each in self._api.listing("credentials").items)

    def entry(self, name: str) -> Entry:
        """See ``trust.ports.Safe``."""
        return _entry(self._ask("GET", name).document)

    def delete(self, name: str) -> None:
        """See ``trust.ports.Safe``. The API doesn't tell until when they can be brought back."""
        self._ask("DELETE", name)

    def _ask(self, method: Literal["GET", "DELETE"], name: str) -> Reply:
        check_name(name)
        try:
            return self._api.ask(method, "credentials", name, match="*" if method == "DELETE" else "")
        except ApiRefused as refusal:
            if refusal.problem != "not_found":
                raise
            raise CredentialForbidden(
                "The organisation has no credentials of that name, or they were deleted."
            ) from refusal


def _entry(document: Any) -> Entry:  # noqa: ANN401 - what the API says
    try:
        return Entry(
            str(document["ref"]),
            str(document["type"]),
            str(document["host"]),
            str(document["version"]),
            _moment(document["updated_at"]),
            _moment(document["last_used_at"]),
            tuple(map(str, document.get("options", ()))),
        )
    except (LookupError, TypeError, ValueError) as error:
        raise ApiUnusable("The API tells of credentials in a way that this version doesn't know.") from error


def tried(api: Api, name: str, reference: str | None) -> Tried:
    """Have stored credentials tried, once: the platform tries by itself. Raises what a build would end with."""
    check_name(name)
    body = {} if reference is None else {"reference": reference}
    told = api.ask("POST", "credentials", name, "test", body=body, once=True).fields()
    try:
        return Tried.model_validate({**told, "name": told.pop("ref"), "kind": told.pop("type")}, extra="ignore")
    except (KeyError, ValidationError) as error:
        raise ApiUnusable("The API tells of a trial in a way that this version doesn't know.") from error


def _moment(said: str | None) -> datetime | None:
    """A moment, or a day's beginning, in UTC unless it says otherwise."""
    if said is None:
        return None
    found = datetime.fromisoformat(said)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
