"""A component's file as a form: which fields there are, what each shows of the file, and what typing in them changes.

The file's text is what counts. A form was filled from some text; what differs from that is what somebody typed, and is
put into the text as it is now, so that both may be edited (``components.editing`` keeps comments and order).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

type Kind = Literal["text", "number", "flag", "lines", "pairs", "long", "names"]


class Field(NamedTuple):
    """A field by its path in the file. ``lines`` is a list, an item a line; ``pairs`` a table, KEY=VALUE a line."""

    path: str
    label: str
    kind: Kind = "text"
    hint: str = ""
    example: str = ""


SOURCES: Final = {"oci_artifact": "OCI artifact", "kustomize": "kustomize", "manifest": "Inline manifests"}
OF_SOURCES: Final[dict[str, tuple[Field, ...]]] = {
    "oci_artifact": (
        Field("oci_artifact.url", "URL", hint="oci://HOST/REPOSITORY, without the tag", example="oci://…"),
        Field("oci_artifact.tag", "Tag", hint="pinned to a digest by each build", example="v2.3.1"),
        Field("oci_artifact.digest", "Digest", hint="in place of a tag: this very content", example="sha256:…"),
        Field("oci_artifact.credentials_ref", "Credentials", "names", hint="stored ones, for a private registry"),
    ),
    "kustomize": (
        Field("kustomize.path", "Path", hint="the folder of the kustomization", example="deploy/overlays/prod"),
        Field("kustomize.patches", "Patches", "lines", hint="paths, one a line"),
    ),
    "manifest": (Field("manifest", "Manifests", "long", hint="YAML of Kubernetes objects, --- between them"),),
}  # fmt: skip
OTHERS: Final = (
    Field("namespace", "Namespace", hint="where an install puts the objects", example="vendor"),
    Field("dependencies", "Dependencies", "lines", hint="components that go before, one a line"),
    Field("var_name", "Variable name", hint="what other components call its outputs by"),
    Field("build_timeout", "Build timeout", hint="5m when empty, 1h at most", example="5m"),
    Field("deploy_timeout", "Deploy timeout", hint="15m when empty", example="15m"),
    Field("drift_schedule", "Drift schedule", hint="cron with five fields", example="0 2 * * *"),
    Field("max_auto_retries", "Automatic retries", "number", hint="0 to 100"),
    Field("skip_noops", "Skip deploys that change nothing", "flag"),
    Field("toggleable", "Installs may switch it off", "flag"),
    Field("labels", "Labels", "pairs", hint="KEY=VALUE, one a line", example="team=platform"),
)
NAME: Final = Field("name", "Name", hint="it keeps this name", example="vendor-app")
FIELDS: Final = (NAME, *OTHERS, *(field for fields in OF_SOURCES.values() for field in fields))
BY_PATH: Final = {field.path: field for field in FIELDS}

EMPTY: Final = """\
# kubernetes-manifest
name = ""
type = "kubernetes_manifest"
namespace = ""

[oci_artifact]
url = "oci://"
tag = ""
"""
"""What a new component's file begins as."""

_ABSENT: Final = object()
_LONG: Final = 80


def source_of(form: Mapping[str, Any]) -> str:
    """Which source a file names: the first, if it names several."""
    return next((source for source in SOURCES if source in form), "oci_artifact")


def texts_of(form: Mapping[str, Any]) -> dict[str, str]:
    """What each field shows, by its path."""
    return {field.path: _text(field, _value(form, field.path)) for field in FIELDS}


def changes_of(
    before: Mapping[str, Any], now: Mapping[str, Any], typed: Mapping[str, str], source: str
) -> dict[str, Any]:
    """What somebody typed into a form that was filled from ``before``, as values by paths; ``None`` takes one away.

    Of the sources one counts: fields of others are no changes, and what the file has of them ``now`` goes.
    """
    shown = texts_of(before)
    counting = (NAME, *OTHERS, *OF_SOURCES[source])
    changed: dict[str, Any] = {
        field.path: _parsed(field, typed[field.path])
        for field in counting
        if field.path in typed and typed[field.path].strip() != shown[field.path].strip()
    }
    gone = {other: None for other in SOURCES if other != source and other in now}
    return {**changed, **gone}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Each value that differs: its path, and as text what was and what is; an empty text for what isn't there."""
    one, other = dict(_flat(before)), dict(_flat(after))
    paths = [*one, *(path for path in other if path not in one)]
    return [
        (path, _brief(one.get(path, _ABSENT)), _brief(other.get(path, _ABSENT)))
        for path in paths
        if one.get(path, _ABSENT) != other.get(path, _ABSENT)
    ]


def _value(form: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - JSON data
    found: Any = form
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _text(field: Field, value: Any) -> str:  # noqa: ANN401 - JSON data
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() if field.kind == "lines":
            return "\n".join(str(each) for each in value)
        case dict() if field.kind == "pairs":
            return "\n".join(f"{key}={each}" for key, each in value.items())
        case str() | int() | float():
            return str(value)
        case _:  # what the field can't be; its fault says so
            return json.dumps(value)


def _parsed(field: Field, text: str) -> Any:  # noqa: ANN401, PLR0911 - JSON data; a kind each
    """What a field's text says. One that isn't what the field takes stays a text, and its fault is the file's."""
    bare = text.strip()
    lines = [line.strip() for line in bare.splitlines() if line.strip()]
    match field.kind:
        case _ if not bare:
            return None
        case "long":
            return text
        case "lines":
            return lines
        case "pairs":
            return {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
        case "number":
            return int(bare) if bare.isascii() and bare.isdigit() and len(bare) < 10 else bare  # noqa: PLR2004 - an integer
        case "flag":
            return {"true": True, "false": False}.get(bare, bare)
        case _:
            return bare


def _flat(form: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in form.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, dict) and value:
            yield from _flat(value, name)
        else:
            yield name, value


def _brief(value: Any) -> str:  # noqa: ANN401 - JSON data
    if value is _ABSENT:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return (
        text if len(text) <= _LONG and "\n" not in text else f"{text.splitlines()[0][:_LONG]}… ({len(text)} characters)"
    )
