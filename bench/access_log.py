"""Reads access logs in the Common Log Format: what docker-registry, and the registries of this folder, write."""

from __future__ import annotations

import re
from typing import NamedTuple

_ENTRY = re.compile(r'"(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP/1\.[01]" (\d{3}) ')


class Entry(NamedTuple):
    """One request that was answered."""

    method: str
    path: str
    status: int


def parse_access_log(text: str) -> list[Entry]:
    """Every request in the log, in its order; other lines are passed over."""
    return [Entry(method, path, int(status)) for method, path, status in _ENTRY.findall(text)]
