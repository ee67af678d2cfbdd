"""Images that `sam local` builds in the container engine: they go with the test that ran it."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

from local.containers import engine

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_SAM: Final = "/var/rapid"
"""Where SAM puts the emulator of Lambda's runtime into each image that it builds, and nobody else puts anything."""


@contextmanager
def swept() -> Iterator[None]:
    """What SAM builds till the block ends is gone then; what was there before stays, and what somebody else builds."""
    before = _images()
    try:
        yield
    finally:
        ours = [each for each in _images() - before if _is_of_sam(each)]
        while gone := [each for each in ours if _said("DELETE", f"/images/{each}?noprune=true") is not None]:
            ours = [each for each in ours if each not in gone]  # what these were made of is nobody's any more


def _images() -> set[str]:
    return {each["Id"] for each in _said("GET", "/images/json?all=true") or []}


def _is_of_sam(image: str) -> bool:
    return any(_OF_SAM in each["CreatedBy"] for each in _said("GET", f"/images/{image}/history") or [])


def _said(method: str, path: str) -> Any:
    """What the engine answers; ``None`` where it refuses, or isn't there."""
    connection = engine()
    if connection is None:
        return None
    with closing(connection):
        try:
            connection.request(method, path)
            answer = connection.getresponse()
        except OSError:
            return None
        content = answer.read()
        return json.loads(content) if answer.status == 200 else None
