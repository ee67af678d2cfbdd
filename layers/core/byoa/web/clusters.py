"""An install's form: how its cluster is reached, what manifests are rendered with, and what it follows by itself.

A token is typed here and goes to the API; no form is ever filled with one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

type Kind = Literal["text", "long", "flag", "secret"]


class Field(NamedTuple):
    """A field of a kind of cluster, by the API's name of it."""

    name: str
    label: str
    kind: Kind = "text"
    hint: str = ""
    example: str = ""
    required: bool = False


KINDS: Final = {
    "eks": "Amazon EKS, by a role",
    "static": "Another cluster, by its address and a token",
    "agent": "An agent in the cluster, which asks for its work",
}
OF_KINDS: Final[dict[str, tuple[Field, ...]]] = {
    "eks": (
        Field("cluster", "Cluster", hint="its name in EKS", example="prod", required=True),
        Field("region", "Region", example="us-west-2", required=True),
        Field("role_arn", "Role", hint="of its account, which may use it", example="arn:aws:iam::…", required=True),
    ),
    "static": (
        Field("server", "Server", hint="https://HOST[:PORT]", example="https://…", required=True),
        Field("ca", "Authority", "long", "certificates in PEM; without, public authorities count"),
        Field("server_name", "Name in its certificate", hint="where it isn't the server's host"),
        Field("private", "It is in a private network that the platform reaches", "flag"),
        Field("token", "Token", "secret", "stored, and never shown again"),
    ),
    "agent": (),
}
SETTINGS: Final = ("name", "kind", "approval", "inputs", "deploy_dependents", "mend", "same_cluster")
_FOLLOW: Final = "follow."
_JSON: Final = ('"', "[", "{")


def typed(said: Mapping[str, str]) -> dict[str, Any]:
    """What of a form is shown again: all but a token, with the components that are ticked as ``follow``."""
    fields = [field for fields in OF_KINDS.values() for field in fields if field.kind != "secret"]
    shown: dict[str, Any] = {field.name: said.get(field.name, "") for field in fields}
    shown |= {name: said.get(name, "") for name in SETTINGS}
    shown["kind"] = shown["kind"] if shown["kind"] in KINDS else "eks"
    return {**shown, "follow": followed(said)}


def shown_of(install: Mapping[str, Any]) -> dict[str, Any]:
    """The form of an install as it is."""
    cluster = install["cluster"]
    said = {name: "yes" if value is True else value or "" for name, value in cluster.items()}
    said |= {
        "name": install["name"],
        "approval": install["install_config"]["approval_option"],
        "inputs": text_of_inputs(install["inputs"]),
        "deploy_dependents": "yes" if install["deploy_dependents"] else "",
        "mend": "yes" if install["mend"] else "",
    }
    return {**typed(said), "follow": list(install["follow"])}


def followed(said: Mapping[str, str]) -> list[str]:
    """The components that a form ticks."""
    return [name.removeprefix(_FOLLOW) for name in said if name.startswith(_FOLLOW)]


def cluster_of(said: Mapping[str, str]) -> dict[str, Any]:
    """The cluster that a form describes, as the API takes it; of other kinds' fields nothing counts."""
    kind = said.get("kind", "")
    kind = kind if kind in KINDS else "eks"
    found: dict[str, Any] = {"kind": kind}
    for field in OF_KINDS[kind]:
        text = said.get(field.name, "").strip()
        if field.kind == "flag":
            found[field.name] = bool(text)
        elif text or field.required:
            found[field.name] = text
    return found


def changed_cluster(was: Mapping[str, Any], said: Mapping[str, str]) -> dict[str, Any] | None:
    """The same, or ``None`` where it says what the install ``was`` already and no token is typed."""
    now = cluster_of(said)
    before = {name: value for name, value in was.items() if value is not None}
    before |= {"ca": was["ca"].strip()} if was.get("ca") else {}
    return None if now == before else now


def text_of_inputs(inputs: Mapping[str, Any]) -> str:
    """Inputs as people type them, NAME=VALUE, one a line."""
    return "\n".join(f"{name}={_told(value)}" for name, value in inputs.items())


def inputs_of(text: str, was: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Inputs, and what is wrong with their lines. A line that isn't changed keeps a value that is no text.

    A value is a text as it stands, or JSON where it begins as a text, a list or an object does there.
    """
    before = {f"{name}={_told(value)}": value for name, value in was.items()}
    found: dict[str, Any] = {}
    faults: list[dict[str, str]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not line.strip():
            continue
        if not equals or name in found:
            told = f"Line {number} {'names one a second time' if equals else 'has no ='}."
            faults.append({"pointer": "/body/inputs", "code": "line", "message": told})
            continue
        found[name] = before[line] if line in before else _read(value)
    return found, faults


def where(faults: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What is wrong, by the form's field; an empty name for what no field has."""
    found: dict[str, str] = {}
    for fault in faults:
        parts = fault["pointer"].removeprefix("/body").strip("/").split("/")
        name = parts[-1] if parts[0] == "cluster" else parts[0]
        found.setdefault({"install_config": "approval"}.get(name, name), fault["message"])
    return found


def _told(value: Any) -> str:  # noqa: ANN401 - JSON data
    if isinstance(value, str) and value.isprintable() and value == value.strip() and value[:1] not in _JSON:
        return value
    return json.dumps(value, ensure_ascii=False)


def _read(value: str) -> Any:  # noqa: ANN401 - JSON data
    if value[:1] not in _JSON:
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
