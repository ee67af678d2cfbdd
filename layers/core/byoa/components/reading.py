"""Component configs: the TOML of one component in, a model or everything that is wrong with it out.

The format is Nuon's, ``schema`` holds it; ``faults`` and ``rules`` hold what can be wrong, ``positions`` where it
stands. Import from here.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import ValidationError

from byoa.components.faults import FAULT_CODES, FAULT_LIMIT, SOURCES, Fault, SourceType, field_fault, shown
from byoa.components.positions import locate, position_at
from byoa.components.rules import rule_faults
from byoa.components.schema import TABLES, ComponentConfig, render_schema
from byoa.components.values import is_component_name, named_source, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "FAULT_CODES",
    "OTHER_TYPES",
    "TEXT_LIMIT",
    "Checked",
    "ComponentConfig",
    "Fault",
    "SourceType",
    "check_config",
    "check_document",
    "fingerprint",
    "is_component_name",
    "read_document",
    "render_schema",
    "seconds",
]

TEXT_LIMIT: Final = 256 * 1024
"""Bytes of a component file: it has to fit into one item of the table (400 KB) with room for the rest."""

# tomllib takes quadratic time and memory for dotted keys of many parts, so those never get there. Nothing in the format
# needs more than three parts; the limit leaves room for long names inside of a manifest.
_KEY_PART: Final = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+"""
_DEEP_KEY: Final = re.compile(rf"(?<![A-Za-z0-9_\\-])(?:{_KEY_PART}){{50}}", re.ASCII)
# What gets further is told as JSON, whose writers take less than tomllib does: pydantic's ends at 255 levels, Python's
# at integers of 4,300 digits, which can be read in hexadecimal.
_LEVELS: Final = 100
_BITS: Final = 1024
_COMPONENT_TYPE: Final = "kubernetes_manifest"
OTHER_TYPES: Final = (
    "container_image", "docker_build", "external_image", "helm_chart", "job", "pulumi", "terraform_module"
)  # fmt: skip
"""Nuon's other types of components, whose files lie in the same folder."""
_TYPE_SHOWN: Final = 64
_TOO_DEEP: Final = Fault("toml_invalid", "", "the file is too deeply nested", "Write at most a few levels of tables.")
_TOO_LONG: Final = Fault("toml_invalid", "", "the file holds a number of too many digits", "Shorten the number.")
_FIRST_LINE: Final = re.compile(r"#(?::schema \S+[?&]type=([a-z-]+)|[ \t]*([a-z-]+))[ \t]*(?:\r?\n|\Z)", re.ASCII)
_UNREAD: Final = "unread: true"
_POSITION: Final = re.compile(r" \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)\Z", re.ASCII)


class Checked(NamedTuple):
    """A file's config, or ``None`` and its faults; name and source type as far as a faulty file tells them."""

    config: ComponentConfig | None
    faults: tuple[Fault, ...]
    name: str | None = None
    source_type: SourceType | None = None


def check_config(text: str | bytes, read_file: Callable[[str], str | Fault] | None = None) -> Checked:
    """Take the TOML of one component and return its config, or all of its faults at once. Raises nothing.

    A ``manifest`` that is a path is what ``read_file`` returns for it, the file's text or the fault to tell; without
    ``read_file`` it is a fault.
    """
    decoded = _decoded(text)
    if isinstance(decoded, Fault):
        return Checked(None, (decoded,))
    document = read_document(decoded)
    if isinstance(document, Fault):
        return Checked(None, (document,))
    component_type = document.get("type", _type_of_first_line(decoded))
    if isinstance(component_type, str) and component_type != _COMPONENT_TYPE:
        # Another type has other fields, so nothing more can be said.
        return Checked(None, _placed([_type_fault(component_type)], decoded), _name(document))
    unread = _insert_file(document, read_file)
    try:
        config = ComponentConfig.model_validate(document)
    except ValidationError as error:
        # Rules between fields are looked at here, because pydantic stops at the fields when one of them is faulty.
        errors = [each for each in error.errors(include_url=False, include_input=False) if each["loc"]]
        faults = [*unread, *rule_faults(document), *(field_fault(each, TABLES) for each in errors[: FAULT_LIMIT + 1])]
        return Checked(None, _placed(_limited(faults), decoded), _name(document), _source_type(document))
    if unread:
        return Checked(None, _placed(unread, decoded), config.name, config.source_type)
    return Checked(config, (), config.name, config.source_type)


def check_document(document: dict[str, Any]) -> Checked:
    """Take one component's fields as JSON data, and return what ``check_config`` does; no fault has a line."""
    try:
        config = ComponentConfig.model_validate(document)
    except ValidationError as error:
        errors = [each for each in error.errors(include_url=False, include_input=False) if each["loc"]]
        faults = [*rule_faults(document), *(field_fault(each, TABLES) for each in errors[: FAULT_LIMIT + 1])]
        return Checked(None, _limited(faults), _name(document), _source_type(document))
    return Checked(config, (), config.name, config.source_type)


def _insert_file(document: dict[str, Any], read_file: Callable[[str], str | Fault] | None) -> list[Fault]:
    """Put the text of the file that ``manifest`` names in its place; the fault where it can't be read."""
    named = document.get("manifest")
    if read_file is None or not isinstance(named, str) or named_source(named) != "path":
        return []
    text = read_file(named.strip())
    if isinstance(text, Fault):
        document["manifest"] = _UNREAD
        return [replace(text, field="manifest", location=("manifest",))]
    document["manifest"] = text
    return []


def _type_of_first_line(text: str) -> str | None:
    """The type that a file's first line gives, as Nuon's editors' schemas are named; none where it names ours."""
    found = _FIRST_LINE.match(text)
    if not found:
        return None
    named = (found[1] or found[2]).replace("-", "_")
    return next((each for each in OTHER_TYPES if each == named or each.startswith(f"{named}_")), None)


def fingerprint(config: ComponentConfig) -> str:
    """The sha256, in hex, of what a config says: equal for files that differ only in layout, order or comments.

    Fields at their defaults count as absent, so that fields added later change no fingerprint.
    """
    content = config.model_dump(mode="json", exclude_defaults=True)
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def read_document(text: str) -> dict[str, Any] | Fault:
    """Take a TOML text and return what it says, or the one fault of a text that is none. Raises nothing."""
    deep_key = _DEEP_KEY.search(text)
    if deep_key:
        line, column = position_at(text, deep_key.start())
        return replace(_TOO_DEEP, line=line, column=column)
    try:
        document = tomllib.loads(text)
    except RecursionError:
        return _TOO_DEEP
    except ValueError as error:  # a TOMLDecodeError, or an integer of too many digits
        return _toml_fault(text, error)
    return _beyond(document) or document


def _beyond(document: dict[str, Any]) -> Fault | None:
    """What a document has too much of to be told as JSON."""
    level: list[Any] = [document]
    for _ in range(_LEVELS):
        if any(isinstance(each, int) and each.bit_length() > _BITS for each in level):
            return _TOO_LONG
        holders = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list))
        level = [value for holder in holders for value in holder]
    return _TOO_DEEP if level else None


def _decoded(text: str | bytes) -> str | Fault:
    try:
        content = text.encode() if isinstance(text, str) else text
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _encoding_fault(error.object[: error.start].decode())
    except UnicodeEncodeError as error:
        return _encoding_fault(error.object[: error.start])
    if len(content) > TEXT_LIMIT:
        return Fault("text_too_large", "", "the file is larger than 256 KiB", "Push the manifests as an artifact.")
    return decoded


def _encoding_fault(before: str) -> Fault:
    line, column = position_at(before, len(before))
    message, remedy = "the file is not UTF-8 text", "Save the file as UTF-8."
    return Fault("text_not_utf8", "", message, remedy, line=line, column=column)


def _toml_fault(text: str, error: ValueError) -> Fault:
    reason = str(error)
    position = _POSITION.search(reason)
    if position is None:
        return _TOO_LONG
    line, column = position.groups()
    if line is None:
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    message = f"the file is not valid TOML at line {line}, column {column}: {shown(reason[: position.start()])[1:-1]}"
    remedy = "Mend the syntax at that place."
    return Fault("toml_invalid", "", message, remedy, line=int(line), column=int(column))


def _type_fault(component_type: str) -> Fault:
    message = f"type {shown(component_type)} is not handled here, only '{_COMPONENT_TYPE}' is"
    if component_type in OTHER_TYPES:
        remedy = "Leave the file to Nuon."
        return Fault("type_unsupported", "type", message, remedy, location=("type",))
    near = get_close_matches(component_type[:_TYPE_SHOWN], (_COMPONENT_TYPE, *OTHER_TYPES), n=1)
    remedy = f'Write type = "{near[0] if near else _COMPONENT_TYPE}".'
    message = f"type {shown(component_type)} is none of Nuon's" + (f", did you mean '{near[0]}'?" if near else "")
    return Fault("type_unknown", "type", message, remedy, location=("type",))


def _placed(faults: Sequence[Fault], text: str) -> tuple[Fault, ...]:
    """The faults with the lines and columns of their fields; where a field is missing, those of its table."""
    places = locate(text, [fault.location for fault in faults])
    return tuple(replace(fault, line=line, column=column) for fault, (line, column) in zip(faults, places, strict=True))


def _limited(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    listed = tuple(faults)
    if len(listed) <= FAULT_LIMIT:
        return listed
    message = f"only the first {FAULT_LIMIT} faults are listed"
    return *listed[:FAULT_LIMIT], Fault("faults_omitted", "", message, "Mend these, then check again.")


def _name(document: dict[str, Any]) -> str | None:
    name = document.get("name")
    return name if isinstance(name, str) and is_component_name(name) else None


def _source_type(document: dict[str, Any]) -> SourceType | None:
    present = [source for key, source in SOURCES.items() if key in document]
    return present[0] if len(present) == 1 else None
