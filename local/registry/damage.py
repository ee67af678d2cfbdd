"""Blobs that are served with other bytes than were pushed: how a disk, or somebody at it, would change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from local.registry.messages import Request, Response


def damaged(request: Request, answer: Response, listed: Path | None) -> Response:
    """The answer, whose bytes are others where it is a blob whose digest stands in the file ``listed``."""
    if listed is None or "/blobs/" not in request.path or not listed.exists():
        return answer
    if request.path.rpartition("/")[2] in listed.read_text().split():
        answer.body = _others(answer.body if not isinstance(answer.body, bytes) else (answer.body,))
    return answer


def _others(blocks: Iterable[bytes]) -> Iterator[bytes]:
    return (block[:-1] + bytes([block[-1] ^ 1]) if block else block for block in blocks)
