"""The page of the API's reference, made from its description (OpenAPI)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from byoa.api.problems import CODES
from local.pages.markdown import code, json_block, page, table

if TYPE_CHECKING:
    from collections.abc import Mapping

INTRODUCTION: Final = """\
Every path of the [HTTP API](api.md), with the scope that its token needs, made from `/v1/openapi.json`, which has
all fields, statuses and examples. `sync` and `deploy` include `read`, `admin` includes all, and what is `open` needs no
token.
"""


def reference_page(document: Mapping[str, Any]) -> str:
    """The page of a description."""
    found: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            found.setdefault(operation["tags"][0], []).append(_operation(method.upper(), path, operation))
    parts = [f"## {tag.title()}\n\n" + "\n".join(operations) for tag, operations in found.items()]
    rows = [(code(name), str(status), cause, remedy) for name, (status, cause, remedy) in CODES.items()]
    codes = table(["code", "status", "what happened", "what to do"], rows)
    return page("API reference", INTRODUCTION, *parts, "## Codes of the API's own\n", codes)


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    words = operation["description"].partition(" Needs a token")[0]
    asked = [
        (code(each["name"]), each["in"], each.get("description", "")) for each in operation.get("parameters", ())
        if each["in"] == "query"
    ]  # fmt: skip
    statuses = ", ".join(operation["responses"])
    head = f"### {method} {path}\n\n{words} Scope: `{operation['x-byoa-scope']}`. Answers: {statuses}.\n"
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    return "\n".join([head, *([table(["parameter", "in", "what"], asked)] if asked else []),
                      *([json_block(body)] if body else [])])  # fmt: skip


def reference_text(text: str) -> str:
    """The page of a description's text."""
    return reference_page(json.loads(text))
