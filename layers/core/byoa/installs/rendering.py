"""Nuon's placeholders filled in, after documents were parsed: no input adds a field, an object or a document.

Only ``{{ .nuon.PATH }}`` is rendered, with ``default``, ``quote`` and ``b64enc``; all other placeholders stay as they
are. What stands alone without quotes may become a number or a truth, as it would have been parsed.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any, Final

from byoa.content.nodes import Number, Templated
from byoa.content.scalars import Scalar, is_true, number_of, resolve
from byoa.errors import DocumentInvalid, TemplateInvalid

if TYPE_CHECKING:
    from byoa.content.nodes import Mapping, Node
    from byoa.installs.objects import Object

# Texts, which re compiles once they are looked for: most objects have no placeholders.
_ANY: Final = r"(?P<before>\s*)(?P<all>\{\{[^{}]*\}\})(?P<after>\s*)"
_LITERAL: Final = r'"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?|true|false'
_FILTERS: Final = rf"(?:\s*\|\s*(?:quote|b64enc|default\s+(?:{_LITERAL})))*"
_FILTER: Final = rf"\|\s*(?P<name>quote|b64enc|default)(?:\s+(?P<value>{_LITERAL}))?"
_PATH: Final = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*"
_OURS: Final = rf"\{{\{{-?\s*\.nuon\.(?P<path>{_PATH})(?P<filters>{_FILTERS})\s*-?\}}\}}"
_NUON: Final = r"(?<![\w.$])\.nuon\b"
_TEXTS: Final = {"quote", "b64enc"}
"""Filters whose result is a text, whatever it looks like."""


def render(root: Mapping, state: dict[str, Any]) -> Object:
    """An object as JSON data, with the values of ``state`` (what ``.nuon`` is) in place of placeholders.

    Raises ``TemplateInvalid`` for what the state lacks and for what isn't rendered here, by its line.
    """
    return _Rendering(state).mapping(root)


class _Rendering:
    def __init__(self, state: dict[str, Any]) -> None:
        self._state = state

    def mapping(self, node: Mapping) -> Object:
        found: Object = {}
        for key, value in node.items():
            name = str(self._text(key)) if isinstance(key, Templated) else key
            if name in found:
                raise DocumentInvalid("Two keys of a mapping are the same once their placeholders are rendered.")
            found[name] = self._value(value)
        return found

    def _value(self, node: Node) -> Any:  # noqa: ANN401 - JSON data
        if isinstance(node, dict):
            return self.mapping(node)
        if isinstance(node, list):
            return [self._value(each) for each in node]
        if isinstance(node, Number):
            return json.loads(node.text)
        if isinstance(node, Templated):
            return self._text(node)
        return node

    def _text(self, text: Templated) -> str | int | float | bool:
        lines = iter(text.lines)
        filtered = False

        def put(found: re.Match[str]) -> str:
            nonlocal filtered
            line, placeholder = next(lines), found["all"]
            if not re.search(_NUON, placeholder):
                return found[0]
            value, filters = self._fill(placeholder, line)
            filtered = filtered or bool(filters & _TEXTS)
            value = json.dumps(value, ensure_ascii=False) if "quote" in filters and not text.alone else value
            before = "" if placeholder.startswith("{{-") else found["before"]
            return before + value + ("" if placeholder.endswith("-}}") else found["after"])

        whole = re.sub(_ANY, put, text)
        return _typed(whole) if text.alone and not filtered else whole

    def _fill(self, placeholder: str, line: int) -> tuple[str, set[str]]:
        """The text in place of a placeholder, and its filters by name."""
        ours = re.fullmatch(_OURS, placeholder)
        if ours is None:
            raise TemplateInvalid(f"The placeholder on line {line} is more than a path of .nuon.")
        filters = {each["name"]: each["value"] for each in re.finditer(_FILTER, ours["filters"])}
        found = self._look_up(ours["path"].split("."))
        if found in (None, "") and "default" in filters:
            found = json.loads(filters["default"])
        if found is None or isinstance(found, dict | list):
            what = "has no value" if found is None else "is more than one value"
            raise TemplateInvalid(f"A placeholder on line {line} {what} in this install: .nuon.{ours['path']}.")
        try:
            text = found if isinstance(found, str) else json.dumps(found, allow_nan=False)
        except (TypeError, ValueError):  # a date of TOML, a float that is no number, an integer of too many digits
            cause = f"A placeholder on line {line} is no text, number or truth in this install: .nuon.{ours['path']}."
            raise TemplateInvalid(cause, remedy="Put the input in quotes.") from None
        return base64.b64encode(text.encode()).decode() if "b64enc" in filters else text, {*filters}

    def _look_up(self, path: list[str]) -> Any:  # noqa: ANN401 - JSON data
        found: Any = self._state
        for part in path:
            found = found.get(part) if isinstance(found, dict) else None
        return found


def _typed(text: str) -> str | int | float | bool:
    """What a plain scalar of this text is; never null, which would take the field away."""
    found = resolve(text)
    if found is Scalar.BOOL:
        return is_true(text)
    if found in (Scalar.INT, Scalar.FLOAT):
        value: int | float = json.loads(number_of(text))
        return value
    return text
