"""A component's config as TOML: what ``check_config`` reads as the same config. Layout and comments aren't kept."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from byoa.components.reading import ComponentConfig

HEAD: Final = "# kubernetes-manifest"
"""The first line, which tells editors and Nuon what the file is."""

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_UNSAFE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]|\\|\"\"\"|\"\Z")


def fields_of(config: ComponentConfig) -> dict[str, Any]:
    """What the config says, as JSON data: fields at their defaults are left out, its type is not."""
    said = config.model_dump(mode="json", exclude_defaults=True)
    return {"name": config.name, "type": config.type, **{key: value for key, value in said.items() if key != "name"}}


def render_toml(config: ComponentConfig) -> str:
    """The TOML of one component."""
    return "\n".join([HEAD, *_table(fields_of(config), "")]) + "\n"


def render_field(key: str, value: object) -> str:
    """One field as it stands at the top of a file: a line, or the tables of a table and of a list of them."""
    return "\n".join(_table({key: value}, "")).lstrip("\n") + "\n"


def render_line(key: str, value: object) -> str:
    """One field on a line of its own, whatever it holds; only a text of several lines takes more."""
    return f"{_key(key)} = {_value(value)}\n"


def _table(table: Mapping[str, Any], path: str) -> Iterator[str]:
    """Plain values first: what follows a table's head belongs to that table (TOML 1.0, "Table")."""
    for key, value in table.items():
        if not _has_head(value):
            yield f"{_key(key)} = {_value(value)}"
    for key, value in table.items():
        name = f"{path}.{_key(key)}" if path else _key(key)
        if isinstance(value, dict):
            yield from ("", f"[{name}]", *_table(value, name))
        elif _has_head(value):
            for each in value:
                yield from ("", f"[[{name}]]", *_table(each, name))


def _has_head(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)
    )


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _plain(key)


def _value(value: object) -> str:  # noqa: PLR0911 - a kind a line
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value)
        case list():
            return f"[{', '.join(_value(each) for each in value)}]"
        case dict():
            inner = ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case str() if "\n" in value:
            return f'"""\n{_UNSAFE.sub(_escaped, value)}"""'
        case _:
            return _plain(str(value))


def _plain(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _escaped(found: re.Match[str]) -> str:
    """Each of its characters by itself."""
    return "".join({"\\": "\\\\", '"': '\\"'}.get(each, f"\\u{ord(each):04x}") for each in found[0])
