"""Stored credentials: written and never read back."""

import json
from typing import Any

from aws_lambda_powertools.event_handler import Response

from byoa.api.around import check_match
from byoa.api.documents import credentials_out
from byoa.api.operations import Operations
from byoa.api.paging import Cursor, Limit, Number, Offset, paged, span_of
from byoa.api.ports import Page
from byoa.api.problems import Problem, unknown
from byoa.api.registries import CredentialsIn, CredentialsOut, NewCredentials, TrialIn, TriedOut
from byoa.api.shapes import Id
from byoa.api.visits import visit
from byoa.builds.messages import Trial
from byoa.errors import CredentialForbidden, CredentialMalformed
from byoa.oci.reference import Reference
from byoa.trust.invitations import check_foreign
from byoa.trust.kinds import DockerConfig, Stored, parse_secret
from byoa.trust.secrets import is_name

operations = Operations()
_ACCOUNT = 4
"""Which part of an ARN."""
BASIC: dict[str, Any] = {
    "kind": "basic",
    "host": "ghcr.io",
    "value": {"username": "vendor-bot", "password": "ghp_EXAMPLE"},
}


@operations.add("GET", "/v1/credentials", "read", paged=True)
def list_credentials(
    offset: Offset = 0, limit: Limit = 10, page: Number = None, cursor: Cursor = None
) -> Response[list[CredentialsOut]]:
    """Stored credentials by name: what they are, and for which host. Never what they say."""
    span = span_of(offset, limit, page, cursor)
    every = visit().safe.entries()
    later = [entry for entry in every if span.after is None or entry.name > span.after][span.offset :]
    shown = later[: span.limit]
    found = Page(shown, shown[-1].name if len(later) > len(shown) else None)
    return paged([credentials_out(entry) for entry in shown], found, span, page)


@operations.add("POST", "/v1/credentials", "admin", status=201, faults=(409,), example={"ref": "ghcr", **BASIC})
def create_credentials(body: NewCredentials) -> CredentialsOut:
    """Store credentials under a new name. They are good for this one host, port included."""
    made = _store(body.ref, body, "")
    if made is None:
        raise Problem("exists")
    return made


@operations.add("GET", "/v1/credentials/<ref>", "read", faults=(404,))
def get_credentials(ref: Id) -> CredentialsOut:
    """One of them, without what it says."""
    return _found(ref)


@operations.add("PUT", "/v1/credentials/<ref>", "admin", faults=(404,), conditional=True, example=BASIC)
def replace_credentials(ref: Id, body: CredentialsIn) -> CredentialsOut:
    """Store a new version of credentials. Builds use it from their next request on."""
    was = _found(ref)
    check_match(was.model_dump(mode="json"))
    made = _store(ref, body, was.version)
    if made is None:
        raise Problem("changed")
    return made


@operations.add("DELETE", "/v1/credentials/<ref>", "admin", faults=(404,), conditional=True, status=204)
def delete_credentials(ref: Id) -> Response[None]:
    """Delete credentials. Builds that name them fail from now on."""
    check_match(_found(ref).model_dump(mode="json"))
    visit().safe.delete(ref)
    return Response(204, None)


@operations.add("POST", "/v1/credentials/<ref>/test", "sync", faults=(404,), example={})
def test_credentials(ref: Id, body: TrialIn) -> TriedOut:
    """Try stored credentials from where builds use them, and tell what a build would meet.

    Without a reference the registry is asked for nothing but whether the login is good.
    """
    here, known = visit(), _found(ref)
    if body.reference is not None:
        here.inventory.allowed().check(Reference.parse(body.reference))
    tried = here.world.try_credentials(Trial(organisation=here.organisation, name=known.ref, reference=body.reference))
    return TriedOut(ref=tried.name, type=tried.kind, **tried.model_dump(exclude={"name", "kind"}))


def _found(ref: str) -> CredentialsOut:
    """Whatever is no name is none of anybody's."""
    nothing = unknown("organisation", "credentials of that name", "credentials list")
    if not is_name(ref):
        raise nothing
    try:
        return credentials_out(visit().safe.entry(ref))
    except CredentialForbidden:
        raise nothing from None


def _store(ref: str, body: CredentialsIn, was: str) -> CredentialsOut | None:
    """Keep them in place of the version that was seen, or of none; ``None`` where somebody was faster."""
    if body.value.keys() & {"kind", "host"}:
        raise CredentialMalformed("The value has kind or host, which stand beside it.")
    stored = parse_secret(json.dumps({**body.value, "kind": body.kind, "host": body.host}))
    if isinstance(stored, DockerConfig):
        stored.check()
    _check_foreign(stored)
    text = json.dumps({**body.value, "kind": stored.kind, "host": stored.host})
    kept = visit().safe.swap(ref, stored.kind, stored.host, text, stored.options, was)
    return credentials_out(visit().safe.entry(ref)) if kept else None


def _check_foreign(stored: Stored) -> None:
    """Raise ``Problem`` for what is of the platform's own account; builds would refuse it too."""
    own = visit().world.source_role.split(":")
    try:
        check_foreign(stored, own[_ACCOUNT] if len(own) > _ACCOUNT else "")
    except CredentialForbidden as error:
        fault = {"pointer": "/body", "code": error.code, "message": error.cause}
        raise Problem("invalid", cause=error.cause, remedy=error.remedy, faults=[fault]) from None
