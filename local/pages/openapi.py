"""The API's description (OpenAPI 3.1), made from its routes and models, with an answer of the API's own for each.

Powertools knows parameters, bodies and what a route answers when all is well. What it can't say or says wrongly is put
right here: statuses of failures, headers, who may, what has no content.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from byoa.api.app import OPERATIONS, resolver
from byoa.api.models import ProblemBody
from byoa.api.problems import CODES, TITLES, body_of, of_error
from byoa.errors import InternalFault, QuotaExceeded, StoreThrottled
from local.pages.exchanges import NAMES, exchanges

if TYPE_CHECKING:
    from collections.abc import Mapping

    from byoa.api.operations import Operation

DESCRIPTION: Final = """\
Components, configs and builds of BYOA, in Nuon's words. Every request but those marked open has a token of one
organisation (`Authorization: Bearer TOKEN`); a token's scopes say what it may do: `sync` and `deploy` include `read`,
`admin` includes all. Errors have one body, as problem+json where Accept asks for it.
"""
_SCHEMAS: Final = "#/components/schemas/"
_PROBLEM: Final = {"$ref": f"{_SCHEMAS}ProblemBody"}
_UNSAID: Final = (405,)
"""Said of no operation: it is what a method gets that there isn't."""

_RATES: Final = {
    "RateLimit-Policy": "How many requests (q) a token has in each window of w seconds, in one process.",
    "RateLimit": "How many are left (r), for t seconds.",
}
_RUNNING: Final = {
    "id": NAMES["lookup_id"],
    "action": "inspect",
    "state": "running",
    "began_at": "2026-01-01T00:00:00.000Z",
    "ended_at": None,
    "result": None,
    "failure": None,
    "links": {"self": f"/v1/artifacts/lookups/{NAMES['lookup_id']}"},
}

_OURS: Final = (
    InternalFault("The platform failed in a way it doesn't know."),
    StoreThrottled("DynamoDB is busy."),
    QuotaExceeded("The organisation's builds of this day would take more bytes than it has."),
)
"""Errors of builds and stores that the API tells as they are, one for each status that has no code of its own."""

_NAMES_OF: Final = {
    "app_id": "The app's name.",
    "component_id": "The component's name.",
    "component_name_or_id": "The component's name, which is its id.",
    "config_id": "The config's version.",
    "build_id": "The build's id.",
    "lookup_id": "The lookup's id.",
    "install_id": "The install's id.",
    "deploy_id": "The deploy's id.",
    "token_id": "The token's id.",
    "hook_id": "The hook's id.",
    "issuer_id": "The rule's id.",
    "ref": "The name that configs use.",
    "type": "What the schema is of.",
}
"""What stands for a name in a path or a query, where the route doesn't say it."""

_PAGING: Final = {
    "X-Nuon-Page-Next": "Whether the list goes on.",
    "X-Nuon-Page-Offset": "Where this part begins.",
    "X-Nuon-Page-Limit": "How many items it has at most.",
    "X-Nuon-Page-Number": "Its number, where one was asked for.",
    "Link": "Where the list goes on (rel=next), by a cursor.",
}


def openapi_document() -> dict[str, Any]:
    """The description, as JSON data."""
    made = resolver().get_openapi_json_schema(title="BYOA", version=version("byoa"), description=DESCRIPTION)
    document: dict[str, Any] = json.loads(made)
    examples = exchanges()
    for each in OPERATIONS:
        path = each.path.replace("<", "{").replace(">", "}")
        operation = document["paths"][path][each.method.lower()]
        _complete(operation, each, examples[each.name])
    schemas = document["components"]["schemas"]
    problem = ProblemBody.model_json_schema(ref_template=_SCHEMAS + "{model}")
    for unused in ("HTTPValidationError", "ValidationError", "ResponseValidationError"):
        schemas.pop(unused, None)
    document["components"]["schemas"] = dict(sorted({**schemas, "ProblemBody": problem}.items()))
    document["components"]["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of `byoa admin bootstrap` or POST /v1/tokens, or an issuer's (POST /v1/issuers).",
        }
    }
    document["components"]["responses"] = {
        title.replace(" ", ""): _failure(status) for status, title in TITLES.items() if status not in _UNSAID
    }
    document["servers"] = [{"url": "/"}]
    return document


def openapi_text() -> str:
    """The same as it is published."""
    return json.dumps(openapi_document(), ensure_ascii=False, indent=1) + "\n"


def _complete(operation: dict[str, Any], each: Operation, example: Any) -> None:  # noqa: ANN401 - JSON data
    is_open = each.scope == "open"
    operation["security"] = [] if is_open else [{"token": []}]
    operation["x-byoa-scope"] = each.scope
    if not is_open:
        wanted = "a token, whatever its scope" if each.scope == "any" else f"a token with the scope {each.scope}"
        operation["description"] += f" Needs {wanted}."
    for parameter in operation.setdefault("parameters", []):
        parameter["description"] = parameter.get("description") or _NAMES_OF[parameter["name"]]
        if parameter["in"] == "path":
            parameter["example"] = NAMES[parameter["name"]]
    operation["parameters"].extend(_headers(each))
    has_body = "requestBody" in operation
    if each.example is not None:
        operation["requestBody"]["content"]["application/json"]["example"] = each.example
    _answers(operation, each, example)
    for status in _failures(each, has_body=has_body):
        operation["responses"][str(status)] = {"$ref": f"#/components/responses/{TITLES[status].replace(' ', '')}"}
    operation["responses"] = dict(sorted(operation["responses"].items()))
    if not operation["parameters"]:
        del operation["parameters"]


def _headers(each: Operation) -> list[dict[str, Any]]:
    found = []
    if each.scope != "open":
        found.append(("X-Nuon-Org-ID", "The organisation; an issuer's token wants it, another's is compared.", False))
    if each.method == "GET":
        found.append(("If-None-Match", "The ETag that you have: if it is still the same, the answer is 304.", False))
    if each.method in ("POST", "PATCH") and not (each.idle or each.lookup):
        found.append(("Idempotency-Key", "A key of yours: the same request is answered as before, for a day.", False))
    if each.lookup:
        found.append(("Prefer", "respond-async for an answer that comes later, or wait=SECONDS, 25 at most.", False))
    if each.conditional:
        found.append(("If-Match", "The ETag that GET answered, or * for any.", False))
    return [
        {"name": name, "in": "header", "required": required, "description": text,
         "schema": {"type": "string", **({"maxLength": 255} if name == "Idempotency-Key" else {})}}
        for name, text, required in found
    ]  # fmt: skip


def _answers(operation: dict[str, Any], each: Operation, example: Any) -> None:  # noqa: ANN401 - JSON data
    """What it answers when all is well."""
    responses = operation["responses"]
    for status in [status for status in responses if status in ("422", "500")]:
        del responses[status]
    success = responses[str(each.status)]
    success["description"] = TITLES_OF_SUCCESS[each.status]
    headers = {"X-Request-Id": "The request's name in the platform's logs."}
    if each.status == HTTPStatus.NO_CONTENT:
        success.pop("content", None)
    elif isinstance(example, str):
        shown = {"schema": {"type": "string"}, "example": f"{example.partition(chr(10))[0]} …"}
        if each.name == "get_openapi":
            shown = {"schema": {"type": "object"}, "example": {"openapi": "3.1.0", "info": {"title": "BYOA"}}}
        success["content"] = {KINDS[each.name]: shown}
    else:
        success["content"]["application/json"]["example"] = example
    if each.scope != "open":
        headers |= _RATES
    if each.method == "GET":
        headers["ETag"] = "Names this state of what was asked for."
        responses["304"] = {"description": "It is as you have it.", "headers": _described(headers)}
    if each.paged:
        headers |= _PAGING
    success["headers"] = _described(headers)
    if each.lookup:
        responses["202"] = _later(success["content"]["application/json"])
    if each.name == "create_config":
        responses["200"] = {**success, "description": "The newest version says the same; nothing new was made."}


def _later(content: dict[str, Any]) -> dict[str, Any]:
    """What a lookup answers that takes long; ``content`` is left with what it answers at once."""
    at_once, later = content["schema"]["anyOf"]
    content["schema"] = at_once
    return {
        "description": "It takes longer; the answer will be where Location says",
        "content": {"application/json": {"schema": later, "example": _RUNNING}},
        "headers": _described(
            {
                "Location": "Where its state is, and then its answer.",
                "Retry-After": "Seconds to wait.",
                "X-Request-Id": "The request's name in the platform's logs.",
            }
        ),
    }


KINDS: Final = {
    "get_docs": "text/html",
    "get_docs_script": "text/javascript",
    "get_docs_style": "text/css",
    "get_openapi": "application/json",
}
TITLES_OF_SUCCESS: Final = {200: "Done", 201: "Made", 204: "Done; there is nothing to say"}


def _failures(each: Operation, *, has_body: bool) -> set[int]:
    found = set(each.faults) | {500}
    if each.scope != "open":
        found |= {400, 401, 403, 413, 415, 422, 429, 503}
    if each.name == "get_config_schema":
        found |= {422}
    if "<" in each.path:
        found |= {404}
    if each.method in ("POST", "PATCH") and not (each.idle or each.lookup):
        found |= {409}
    if each.conditional:
        found |= {412, 428}
    return found | ({400, 413, 415, 422} if has_body else set())


def _failure(status: int) -> dict[str, Any]:
    codes = {code: body_of(own, code, cause, remedy, "/v1/…") for code, (own, cause, remedy) in CODES.items()}
    for error in _OURS:
        codes[error.code] = body_of(of_error(error)[0], error.code, error.cause, error.remedy, "/v1/…")
    examples = {code: {"value": body} for code, body in codes.items() if body["status"] == status}
    content = {"schema": _PROBLEM, "examples": examples}
    headers = {} if status == HTTPStatus.UNAUTHORIZED else dict(_RATES)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "How to authenticate."
    if status in (429, 503):
        headers["Retry-After"] = "Seconds to wait."
    return {
        "description": TITLES[status],
        "content": {"application/json": content, "application/problem+json": content},
        **({"headers": _described(headers)} if headers else {}),
    }  # fmt: skip


def _described(headers: Mapping[str, str]) -> dict[str, Any]:
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()}
