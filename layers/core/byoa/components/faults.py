"""What can be wrong with a component file, each fault with a stable code, its field, a sentence and a remedy.

Sentences follow Nuon's wording. They quote names of fields, which are the user's own text, printable and cut; they
never quote values, which may be secrets.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from byoa.components.positions import Location

FAULT_CODES: Final = {
    "text_too_large": "the file is larger than 256 KiB",
    "text_not_utf8": "the file is not UTF-8",
    "toml_invalid": "the file is not TOML, or too deeply nested",
    "type_unsupported": "a component of another of Nuon's types; `byoa validate` and `byoa sync` pass over it",
    "type_unknown": "a type that Nuon doesn't have",
    "field_unknown": "a field that the format doesn't have",
    "field_secret": "a field that looks like a secret",
    "field_missing": "a required field is absent",
    "field_type": "a value of the wrong type",
    "field_value": "a value that breaks its field's rule",
    "manifest_path": "a manifest that names a file, where no app's folder is read",
    "manifest_url": "a manifest that names an address",
    "source_missing": "no source",
    "source_conflict": "more than one source",
    "repo_missing": "kustomize without a repository to build from",
    "repo_conflict": "two repositories to build from",
    "repo_unexpected": "a repository without kustomize",
    "reference_invalid": "a url that breaks the grammar of references",
    "reference_unsupported": "a url that isn't oci://",
    "reference_conflict": "a tag or a digest stands in the url and in its field",
    "reference_incomplete": "neither a tag nor a digest",
    "tag_invalid": "a tag that breaks the grammar",
    "digest_invalid": "a digest that breaks the grammar",
    "digest_unsupported": "a digest that is neither sha256 nor sha512",
    "faults_omitted": "there are more faults than are listed",
}
"""All codes that ``Fault.code`` can have, and what each says."""

type SourceType = Literal["inline", "kustomize", "oci_artifact"]

SOURCES: Final[Mapping[str, SourceType]] = {
    "manifest": "inline",
    "kustomize": "kustomize",
    "oci_artifact": "oci_artifact",
}
"""The fields that name a source, of which a component has exactly one, and their source types."""

FAULT_LIMIT: Final = 100
"""So many faults are listed; a file with more of them is not a component file."""

# pydantic points at a label's key, rather than its value, by a third part; a field may have the same name.
_KEY_DEPTH: Final = 3
_SHOWN_LIMIT: Final = 64
_PLAIN_KEY: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{_SHOWN_LIMIT}}}", re.ASCII)
_SECRET_KEY: Final = re.compile(r"passw|secret|token|api_?key|private_?key|access_?key", re.ASCII | re.IGNORECASE)

_TYPES: Final = {
    "string_type": "a string",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
}
_SHORT_TEXT: Final = "printable text of 1 to 1024 characters"
_DURATION: Final = 'a duration of more than 0 and at most 1 hour, for example "90s", "5m" or "1h"'
_RULES: Final = {
    "name": "1 to 63 lower-case letters and digits, joined by single '-' or '_'",
    "type": "'kubernetes_manifest'",
    "namespace": "a DNS label (1 to 63 lower-case letters, digits and inner '-') or hold {{...}} templates",
    "manifest": "a manifest, not an empty text",
    "dependencies": "at most 100 component names of lower-case letters, digits, '-' and '_'",
    "var_name": "1 to 63 letters, digits and '_', and not start with a digit",
    "drift_schedule": "a cron expression of 5 fields: minute, hour, day of month, month, day of week",
    "build_timeout": _DURATION,
    "deploy_timeout": _DURATION,
    "max_auto_retries": "0 to 100",
    "labels": "at most 64; keys have 1 to 63 letters, digits, '.', '_', '/' and '-', values up to 255 characters",
    "operation_roles.operation": "one of deploy, teardown, provision, deprovision, reprovision and trigger",
    "kustomize.load_restrictor": "'rootOnly' or 'none'",
    "public_repo.repo": "a repository's address, without white space, user name and password",
    "connected_repo.repo": "a repository's name, without white space, user name and password",
    "oci_artifact.credentials_ref": "the name of stored credentials: 1 to 64 lower-case letters, digits and '-'",
    "health.stabilization_window": _DURATION,
    "health.probes.type": "'http', 'tcp' or 'exec'",
}
_REMEDIES: Final = {
    "tag_invalid": "Use the tag exactly as it was pushed.",
    "digest_invalid": "Use the digest that the registry reports: sha256: and 64 hex digits in lower case.",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend: a code of ``FAULT_CODES``, the field's path (empty for the whole file), what, how, where."""

    code: str
    field: str
    message: str
    remedy: str
    location: Location = ()
    """The field's path as data: keys as they are, and indices."""
    line: int = 1
    column: int = 1

    def as_dict(self) -> dict[str, str | int]:
        """``{"code", "field", "message", "remedy", "line", "column"}``; both are counted from 1."""
        told = asdict(self)
        del told["location"]
        return told


def shown(text: str) -> str:
    """Take any text of the user's and return it quoted: printable ASCII, cut at 64 characters."""
    return ascii(text if len(text) <= _SHOWN_LIMIT else text[: _SHOWN_LIMIT - 3] + "...")


def field_fault(error: ErrorDetails, tables: Mapping[str, tuple[str, ...]]) -> Fault:
    """Take one of pydantic's errors and the fields of every table by its path, and return the fault it stands for."""
    location = list(error["loc"])
    if location[-1] == "[key]" and len(location) == _KEY_DEPTH and error["type"] != "extra_forbidden":
        del location[-1]
    return replace(_described(error, location, tables), location=tuple(location))


def _described(error: ErrorDetails, location: list[int | str], tables: Mapping[str, tuple[str, ...]]) -> Fault:
    kind, field = error["type"], _path(location)
    table = ".".join(part for part in location[:-1] if isinstance(part, str))
    rule = ".".join(part for part in location if isinstance(part, str))
    if kind == "extra_forbidden":
        return _unknown_fault(str(location[-1]), table, field, tables)
    if kind == "missing":
        return Fault("field_missing", field, f"{field} is required", f"Add {field}.")
    if kind in _TYPES:
        return Fault("field_type", field, f"{field} must be {_TYPES[kind]}", f"Write {_TYPES[kind]}.")
    if kind in FAULT_CODES:
        context = error["ctx"]
        return Fault(kind, field, context["cause"], _REMEDIES.get(kind, context["remedy"]))
    wanted = _RULES.get(rule) or _RULES.get(table, _SHORT_TEXT)
    return Fault("field_value", field, f"{field} must be {wanted}", "Mend the value.")


def _unknown_fault(key: str, table: str, field: str, tables: Mapping[str, tuple[str, ...]]) -> Fault:
    message = f"unknown field {shown(key)}"
    if _SECRET_KEY.search(key):
        remedy = "Remove it, store the credentials, and name them by credentials_ref under [oci_artifact]."
        return Fault("field_secret", field, f"{message}: secrets never go in this file, use credentials_ref", remedy)
    homes = {name: path for path, names in reversed([*tables.items()]) for name in names}
    own = get_close_matches(key[:_SHOWN_LIMIT], tables.get(table, ()), n=1)
    if own and key not in homes:
        return Fault("field_unknown", field, f"{message}, did you mean '{own[0]}'?", f"Write {own[0]}, or remove it.")
    near = get_close_matches(key[:_SHOWN_LIMIT], homes, n=1, cutoff=0.8)
    if not near:
        return Fault("field_unknown", field, message, "Remove it.")
    home = homes[near[0]]
    place = f"under [{home}]" if home else "at the top, before the first [table]"
    return Fault("field_unknown", field, f"{message}, did you mean '{near[0]}' {place}?", "Move it there.")


def _path(location: list[int | str]) -> str:
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += "." * bool(path) + (part if _PLAIN_KEY.fullmatch(part) else shown(part))
    return path
