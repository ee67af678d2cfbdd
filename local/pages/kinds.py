"""The page on what is stored for each kind of credentials: fields and examples, as the models have them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final

from byoa.trust.kinds import KINDS
from local.pages.markdown import code, json_block, page, table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

INTRODUCTION: Final = """\
`byoa credentials set` makes these values; you need them where another tool stores credentials. Each is a secret of
Secrets Manager, called `byoa/ORGANISATION/NAME`, of at most 64 KiB, with the tags `org_id` (the organisation),
`byoa_kind` and `byoa_host` (as in the value; lists are made of the tags). A tag `byoa_options` names the options that
it was stored with, with spaces between, and none of their values. The value is one JSON object. Fields that aren't here
are refused, and so is a name that stands twice.
"""

SHARED: Final = ("host", "token_host", "ca")
"""Fields that all kinds have."""


def kinds_page() -> str:
    """The page, made from the models that read the secrets."""
    first = next(iter(KINDS.values())).model_fields
    return page(
        "Stored values",
        INTRODUCTION,
        "## In all of them\n",
        _fields((name, first[name]) for name in SHARED),
        *(_kind(name, model) for name, model in KINDS.items()),
    )


def _kind(name: str, model: type[BaseModel]) -> str:
    fields = [(field, info) for field, info in model.model_fields.items() if field not in (*SHARED, "kind")]
    extra = model.model_config.get("json_schema_extra")
    examples = extra["examples"] if isinstance(extra, dict) else None
    assert isinstance(examples, list), f"{name} has no example"
    return "\n".join([
        f"## {code(name)}\n",
        (inspect.getdoc(model) or "").replace("``", "`") + "\n",
        _fields(fields),
        *map(json_block, examples),
    ])  # fmt: skip


def _fields(fields: Iterable[tuple[str, FieldInfo]]) -> str:
    rows = [(code(name), "required" if info.is_required() else "no", info.description or "") for name, info in fields]
    return table(["field", "required", "meaning"], rows)
