"""What goes wrong at the API, and the one body that tells it: Nuon's three keys with RFC 9457's members."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response

from byoa.errors import (
    BuildNotFound,
    ByoaError,
    ConfigInvalid,
    CredentialForbidden,
    CredentialMalformed,
    DependenciesCyclic,
    EditRefused,
    IssuerUnusable,
    PlatformForbidden,
    PlatformMissing,
    QuotaExceeded,
    ReferenceInvalid,
    Rejected,
    TenantForbidden,
    Transient,
)

TITLES: Final = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    412: "Precondition failed",
    413: "Too large",
    415: "Unsupported media type",
    422: "Not valid",
    428: "Precondition required",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}

CODES: Final[dict[str, tuple[int, str, str]]] = {
    "request_unreadable": (400, "The body is not JSON that can be read.", "Send one JSON document in UTF-8."),
    "token_missing": (
        401, "The request has no token.", "Send the header Authorization: Bearer TOKEN.",
    ),
    "token_refused": (
        401, "The token is unknown, was revoked, or has expired, or no rule on its issuer lets it in.",
        "Have somebody with the scope admin make a new one, or look at the rules on issuers.",
    ),
    "organisation_missing": (
        401, "The token is an issuer's, and the request doesn't say which organisation it is for.",
        "Send the header X-Nuon-Org-ID with the organisation's id.",
    ),
    "organisation_other": (
        403, "The token is of another organisation than X-Nuon-Org-ID names.",
        "Send the organisation's own token, or leave the header out.",
    ),
    "scope_missing": (
        403, "The token lacks the scope that this needs.", "Have somebody with the scope admin make one that has it.",
    ),
    "route_unknown": (404, "There is nothing at this path.", "See /v1/openapi.json for all paths."),
    "not_found": (404, "The organisation has nothing of that name.", "Take a name or an id that the list shows."),
    "method_unknown": (405, "The path has no such method.", "Use one that the header Allow names."),
    "exists": (409, "There is one of that name already.", "Take another name, or change the one that is there."),
    "ended": (409, "The build has ended, so it can't be cancelled.", "Nothing to do."),
    "no_config": (409, "The component has no config to build.", "Hand in a config first."),
    "no_build": (409, "No build of the component is active yet.", "Build it first."),
    "not_active": (409, "The build isn't active, so there is no mirror of it to install.", "Take an active build."),
    "not_applied": (409, "Nothing of the component is in the install.", "Deploy it first."),
    "deploy_waits": (
        409, "A deploy of the component hasn't ended, which a look for drift would overtake.",
        "Wait until it has, answer to its plan, or cancel it.",
    ),
    "deploy_ended": (409, "The deploy has ended, so it can't be cancelled.", "Nothing to do."),
    "not_waiting": (409, "The deploy doesn't wait for an approval.", "Look at its status."),
    "plan_other": (
        409, "The plan isn't the one that the answer is about.", "Look at the plan as it is now, and decide again.",
    ),
    "not_an_agents": (
        409, "The platform itself runs the install's deploys.", "Have the install's cluster be an agent's.",
    ),
    "lease_lost": (409, "The lease of the deploy has ended.", "Stop; what is still to be done is leased again."),
    "has_objects": (
        409, "Objects of the install are still tracked, or a deploy of it hasn't ended.",
        "Tear its components down, and delete it then.",
    ),
    "another_cluster": (
        409, "Objects are tracked in the install's cluster, and it would be reached somewhere else.",
        "Tear its components down first; if it is the same cluster, say so (same_cluster).",
    ),
    "rules_full": (409, "The organisation has 20 rules on issuers already.", "Delete one, or widen one by patterns."),
    "asked_enough": (
        429, "So many issuers were asked for their keys in this minute.", "Try again in a minute.",
    ),
    "in_flight": (409, "A request with this Idempotency-Key is being answered.", "Ask again in some seconds."),
    "shown_once": (
        409, "This was done before with the same Idempotency-Key, and its answer is shown once.",
        "Revoke what was made if its answer is lost, and make another with a new key.",
    ),
    "changed": (412, "It isn't any more as If-Match has it.", "Get it again, and decide again."),
    "too_large": (413, "The body is over 1 MiB.", "Push the manifests as an artifact."),
    "media_type": (415, "The body is of a type that isn't read.", "Send Content-Type: application/json."),
    "invalid": (422, "Some of what was sent is not valid.", "Mend each of the errors; all of them are listed."),
    "key_reused": (
        422, "This Idempotency-Key came with another request before.", "Take a new key for each thing to do.",
    ),
    "too_many": (
        429, "The token asks more often than a token may.", "Wait for as many seconds as Retry-After says.",
    ),
    "unconditional": (
        428, "The request changes something and doesn't say which state of it.",
        "Send If-Match with the ETag that GET answers, or If-Match: * for any.",
    ),
}  # fmt: skip
"""Every code that is the API's own: its status, what happened, what to do. All other codes are ``byoa.errors``'."""

_STATUSES: Final[tuple[tuple[type[ByoaError], int], ...]] = (
    (BuildNotFound, 404),
    (CredentialForbidden, 404),
    (TenantForbidden, 422),
    (ReferenceInvalid, 422),
    (ConfigInvalid, 422),
    (CredentialMalformed, 422),
    (IssuerUnusable, 422),
    (EditRefused, 422),
    (DependenciesCyclic, 409),
    (QuotaExceeded, 429),
    (PlatformForbidden, 500),
    (PlatformMissing, 500),
    (Transient, 503),
    (Rejected, 400),
    (ByoaError, 500),
)
"""Statuses of our errors, the nearest first. What AWS refuses the platform is nothing for its users to mend."""

_RETRY_SECONDS: Final = 5
PROBLEM_JSON: Final = "application/problem+json"


class Problem(Exception):
    """An answer that isn't what was asked for. ``faults`` are ``{pointer, code, message}``."""

    def __init__(
        self,
        code: str,
        *,
        cause: str = "",
        remedy: str = "",
        faults: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status, standard, mend = CODES[code]
        super().__init__(code)
        self.code = code
        self.cause = cause or standard
        self.remedy = remedy or mend
        self.faults = faults
        self.headers = dict(headers or {})


def scope_missing(scope: str) -> Problem:
    """The answer to a token that may do other things. Whoever ran an agent with another's is told what to do."""
    which = f"{scope} --install INSTALL" if scope == "agent" else scope
    makes = f"Have somebody with the scope admin make one: `byoa tokens create NAME --scope {which}`."
    return Problem("scope_missing", cause=f"The token lacks the scope {scope}.", remedy=makes)


def unknown(where: str, what: str, listed: str) -> Problem:
    """The answer to a name that ``where`` has none of, for another organisation's as for none.

    ``listed`` is the command that lists them.
    """
    return Problem("not_found", cause=f"The {where} has no {what}.", remedy=f"`byoa {listed}` shows all.")


def of_error(error: ByoaError) -> tuple[int, dict[str, str]]:
    """The status and the headers that one of our errors is told with."""
    status = next(status for kind, status in _STATUSES if isinstance(error, kind))
    after = getattr(error, "retry_after", None)
    return status, {"Retry-After": str(int(after or _RETRY_SECONDS))} if status in (429, 503) else {}


def body_of(  # noqa: PLR0913, PLR0917 - the members of one object
    status: int, code: str, cause: str, remedy: str, path: str, faults: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The body of every answer that is an error."""
    return {
        "error": cause,
        "user_error": status < 500,  # noqa: PLR2004 - RFC 9110, 15.6
        "description": remedy,
        "type": f"urn:byoa:problem:{code}",
        "title": TITLES[status],
        "status": status,
        "detail": cause,
        "instance": path,
        "code": code,
        "remedy": remedy,
        "errors": [dict(each) for each in faults],
    }


def rendered(body: Mapping[str, Any], accept: str, headers: Mapping[str, str] | None = None) -> Response[str]:
    """An answer with that body: as problem+json where that was asked for, which Nuon's own clients don't know."""
    status = int(body["status"])
    challenge = {"WWW-Authenticate": 'Bearer realm="byoa"'} if status == 401 else {}  # noqa: PLR2004 - RFC 6750, 3
    return Response(
        status_code=status,
        content_type=PROBLEM_JSON if PROBLEM_JSON in accept else "application/json",
        body=json.dumps(body, ensure_ascii=False),
        headers={**challenge, "Cache-Control": "no-store", **(headers or {})},
    )


def faults_of(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Pydantic's errors: where each is (a JSON pointer below body, path, query or header), its code, and its words."""
    return [
        {
            "pointer": "/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in each["loc"]),
            "code": str(each["type"]),
            "message": str(each.get("msg") or each["type"]),
        }
        for each in errors
    ]
