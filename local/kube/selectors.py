"""Label and field selectors of lists, as Kubernetes writes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from byoa.installs.objects import mapping, metadata
from local.kube.statuses import Unable

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.installs.objects import Object

_NAME = r"[A-Za-z0-9][A-Za-z0-9_./-]*"
_ONE_OF = re.compile(rf"\s*({_NAME})\s+(in|notin)\s+\(([^()]*)\)\s*")
_EQUAL = re.compile(rf"\s*({_NAME})\s*(==|=|!=)\s*([^,\s]*)\s*")
_THERE = re.compile(rf"\s*(!?)\s*({_NAME})\s*")
_BETWEEN = re.compile(r",(?![^()]*\))")


def selected(labels: str | None, fields: str | None) -> Callable[[Object], bool]:
    """Whether an object is one of those that are asked for. Raises ``Unable`` for a selector that is none."""
    wanted = [_by_label(part) for part in _BETWEEN.split(labels or "") if part.strip()]
    wanted += [_by_field(part) for part in (fields or "").split(",") if part.strip()]
    return lambda found: all(is_wanted(found) for is_wanted in wanted)


def _by_label(part: str) -> Callable[[Object], bool]:
    if match := _ONE_OF.fullmatch(part):
        name, values, within = match[1], {each.strip() for each in match[3].split(",")}, match[2] == "in"
        return lambda found: (_labels(found).get(name) in values) == within
    if match := _EQUAL.fullmatch(part):
        name, value, same = match[1], match[3], match[2] != "!="
        return lambda found: (_labels(found).get(name) == value) == same
    if match := _THERE.fullmatch(part):
        name, there = match[2], not match[1]
        return lambda found: (name in _labels(found)) == there
    raise Unable(400, "unable to parse requirement of the label selector")


def _by_field(part: str) -> Callable[[Object], bool]:
    match = _EQUAL.fullmatch(part)
    if not match:
        raise Unable(400, "unable to parse the field selector")
    *path, name = match[1].split(".")
    value, same = match[3], match[2] != "!="
    return lambda found: (str(mapping(found, *path).get(name, "")) == value) == same


def _labels(found: Object) -> dict[str, Any]:
    return metadata(found).get("labels") or {}
