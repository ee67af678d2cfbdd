"""Templates: every value in them is text, and what is not there is a fault of ours."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from byoa.web import texts
from byoa.web.assets import version

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER: Final = Path(__file__).with_name("templates")


@cache
def environment() -> Environment:
    """Jinja, with all that it escapes."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=texts.visible,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "short": texts.short, "size": texts.size, "duration": texts.duration, "when": texts.when, "exact": texts.Exact,
    }  # fmt: skip
    made.globals["assets"] = f"/assets/{version()}"
    return made


def prepare() -> None:
    """Compile all templates: at the start of a process, which has a whole CPU."""
    for name in environment().list_templates(extensions=["html"]):
        environment().get_template(name)


def render(template: str, values: Mapping[str, Any]) -> str:
    """A page."""
    return environment().get_template(template).render(values)
