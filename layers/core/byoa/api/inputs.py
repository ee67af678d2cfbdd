"""Values that an install's manifests are filled in with, as they are handed in."""

from __future__ import annotations

import json
from typing import Any, Final

from byoa.api.problems import Problem

INPUTS_LIMIT: Final = 32 * 1024
"""Characters of an install's inputs as JSON: an item of the table takes 400 KB, and has more than these."""


def checked_inputs(inputs: dict[str, Any]) -> dict[str, Any]:
    """The same. Raises ``Problem`` for what can't be kept."""
    for name, value in inputs.items():
        if not _is_kept(value):  # a store would make null of it
            fault = {"pointer": f"/body/inputs/{name}", "code": "too_large", "message": "A number is too large."}
            raise Problem("invalid", faults=[fault])
    if len(json.dumps(inputs, ensure_ascii=False)) > INPUTS_LIMIT:
        fault = {"pointer": "/body/inputs", "code": "too_long", "message": "Inputs are 32 KiB of JSON at most."}
        raise Problem("invalid", faults=[fault])
    return inputs


def _is_kept(value: Any) -> bool:  # noqa: ANN401 - JSON data
    """Whether JSON can say the value: it has no word for 1e999, which is read as infinity."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True
