"""The page on component files: every field of every table, as the models have it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from byoa.components.faults import FAULT_CODES, field_fault
from byoa.components.reading import render_schema
from byoa.components.schema import TABLES
from byoa.errors import ByoaError
from byoa.oci.digest import Digest
from byoa.oci.reference import Reference, parse_tag
from local.pages.markdown import code, fence, page, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core import ErrorDetails

INTRODUCTION: Final = """\
A component file is TOML, one component a file, in the folder `components/` of an app. Its fields are
Nuon's ("Kubernetes Manifest" in its config reference), with `[oci_artifact]` as a third source: a component has exactly
one of `manifest`, `kustomize` and `oci_artifact`. This pipeline builds components of `oci_artifact` and of an inline
`manifest`; one of `kustomize` is valid, and its build ends with `SourceKindUnsupported` and says how to go on. Unknown
fields are refused, and so is what looks like a secret.
"""

FAULTS: Final = """\
All faults of a file are told at once, each with its field and the next step. In `--json` they have
these codes; beside them, `name_duplicate` says that two files of a folder have one name.
"""

EXAMPLE: Final = """\
# kubernetes-manifest
name = "vendor-app"
type = "kubernetes_manifest"
namespace = "vendor"

[oci_artifact]
url = "oci://ghcr.io/vendor/app-manifests"
tag = "v2.3.1"
"""

_TYPES: Final = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "table"}
_OWN_REASONS: Final[dict[str, tuple[Callable[[str], object], str, str]]] = {
    "oci_artifact.url": (Reference.parse, "app", "remedy"),
    "oci_artifact.tag": (parse_tag, "not a tag", "cause"),
    "oci_artifact.digest": (Digest.parse, "sha256:none", "cause"),
}
"""Fields whose parsers give reasons of their own: the parser, what it refuses, and where it says the rule."""
_REPEATED: Final = {"operation_roles", "health.probes"}


def component_page() -> str:
    """The page, made from the schema that editors get and from the faults that users get."""
    schema = render_schema()
    tables = [_table(path, schema) for path in TABLES]
    faults = table(["code", "what is wrong"], [(code(name), text) for name, text in FAULT_CODES.items()])
    return page(
        "Component config",
        INTRODUCTION,
        fence("toml", EXAMPLE),
        "`byoa schema` prints these rules as a JSON Schema for editors, `byoa validate` checks files against them.\n",
        *tables,
        "## What can be wrong\n",
        FAULTS,
        faults,
    )


def _table(path: str, schema: dict[str, Any]) -> str:
    node = _node(path, schema)
    wanted = node.get("required", [])
    rows = [
        (
            code(name),
            _type(field, schema),
            _need(name, field, wanted),
            _meaning(field),
            _rule(f"{path}.{name}", field, schema),
        )
        for name, field in node["properties"].items()
    ]
    brackets = f"[[{path}]]" if path in _REPEATED else f"[{path}]"
    title = f"## `{brackets}`\n\n{node['description']}\n" if path else "## At the top\n"
    return f"{title}\n{table(['field', 'type', 'required', 'meaning', 'rule'], rows)}"


def _node(path: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The object that describes a table."""
    node = schema
    for name in path.split(".") if path else ():
        node = _followed(node["properties"][name], schema)
        node = _followed(node.get("items", node), schema)
    return node


def _followed(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    return found


def _type(field: dict[str, Any], schema: dict[str, Any]) -> str:
    node = _followed(field, schema)
    choices = node.get("enum") or ([node["const"]] if "const" in node else [])
    if choices:
        return " or ".join(code(json.dumps(choice)) for choice in choices)
    if node["type"] == "array":
        return f"list of {_type(node['items'], schema)}"
    return _TYPES[node["type"]]


def _need(name: str, field: dict[str, Any], wanted: list[str]) -> str:
    if name in wanted:
        return "required"
    return f"no; {code(json.dumps(field['default']))}" if field.get("default") not in (None, [], {}) else "no"


def _meaning(field: dict[str, Any]) -> str:
    """Its description, and examples where they say more than the type does."""
    examples = [each for each in field.get("examples", []) if isinstance(each, str) or _are_texts(each)]
    told = field["description"]
    if not examples or "enum" in field or "const" in field:
        return str(told)
    return f"{told} For example {' or '.join(code(json.dumps(each)) for each in examples)}."


def _are_texts(example: object) -> bool:
    return isinstance(example, list) and all(isinstance(part, str) for part in example)


def _rule(place: str, field: dict[str, Any], schema: dict[str, Any]) -> str:
    """What a user is told who breaks it; nothing where the type says it all."""
    place = place.lstrip(".")
    if place in _OWN_REASONS:
        return _told(*_OWN_REASONS[place])
    kind = _type(field, schema)
    if kind == "list of table":
        return f"at most {field['maxItems']}"
    if "enum" in field or "const" in field or kind == "true or false" or (kind == "table" and place != "labels"):
        return ""
    error: ErrorDetails = {"type": "broken", "loc": tuple(place.split(".")), "msg": "", "input": None}
    rule = field_fault(error, TABLES).message.partition(" must be ")[2]
    return f"at most {field['maxItems']}, each {rule}" if "maxItems" in field and "at most" not in rule else rule


def _told(parse: Callable[[str], object], wrong: str, part: str) -> str:
    try:
        parse(wrong)
    except ByoaError as error:
        return str(getattr(error, part))
    raise AssertionError(f"{wrong!r} should have been refused")
