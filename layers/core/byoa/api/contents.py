"""A plan's contents in Nuon's shape: what its approvals show. Values of Secrets were hidden when the plan was made.

Nuon's own has the whole manifest (``plan``) and what the cluster answered (``dry_run_output``), with Secrets in clear:
both are empty here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field

from byoa.api.shapes import Shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from byoa.installs.messages import Deploy

UNCHANGED, REMOVED, ADDED, MODIFIED, ERROR = range(5)
"""Nuon's types of differences."""

_TYPES: Final = {"create": ADDED, "change": MODIFIED, "recreate": MODIFIED, "delete": REMOVED, "gone": REMOVED}
_OPS: Final = {"add": ADDED, "remove": REMOVED}


class DiffEntry(Shown):
    """One field that differs."""

    path: str
    original: str | None
    applied: str | None
    type: int
    payload: str | None


class ContentDiff(Shown):
    """One object that differs, and how. ``action`` and ``why`` say more than Nuon's words."""

    version: Literal["2"] = Field(serialization_alias="_version")
    name: str
    namespace: str
    kind: str
    api: str
    resource: str
    op: Literal["apply", "delete"]
    type: int
    error: str | None
    dry_run: bool
    entries: list[DiffEntry]
    action: str
    why: str


class ContentsOut(Shown):
    """What an approval is about."""

    plan: str
    op: Literal["apply", "delete"]
    k8s_content_diff: list[ContentDiff]
    dry_run_output: list[str]
    objects_left_out: int


def contents_out(deploy: Deploy, contents: Mapping[str, Any]) -> ContentsOut:
    """A deploy's plan, of what was kept of it."""
    objects = [_difference(each) for each in contents.get("objects") or []]
    faults = [_fault(each) for each in contents.get("errors") or []]
    return ContentsOut(
        plan="",
        op="delete" if deploy.operation == "teardown" else "apply",
        k8s_content_diff=[*objects, *faults],
        dry_run_output=[],
        objects_left_out=int(contents.get("more") or 0),
    )


def _difference(each: Mapping[str, Any]) -> ContentDiff:
    action = str(each.get("action"))
    return ContentDiff(
        version="2",
        name=str(each.get("name")),
        namespace=str(each.get("namespace") or ""),
        kind=str(each.get("kind")),
        api=str(each.get("api_version") or each.get("group") or ""),
        resource=str(each.get("resource") or ""),
        op="delete" if action in ("delete", "gone") else "apply",
        type=_TYPES.get(action, UNCHANGED),
        error=None,
        dry_run=not each.get("unchecked"),
        entries=[_entry(change) for change in each.get("changes") or []],
        action=action,
        why=str(each.get("why") or ""),
    )


def _entry(change: Mapping[str, Any]) -> DiffEntry:
    lines = change.get("lines") or []
    return DiffEntry(
        path=str(change.get("path")),
        original=change.get("before"),
        applied=change.get("after"),
        type=_OPS.get(str(change.get("op")), MODIFIED),
        payload="\n".join(map(str, lines)) or None,
    )


def _fault(error: Mapping[str, Any]) -> ContentDiff:
    """What keeps the plan from being applied, at the object that it is about."""
    kind, _, place = str(error.get("where") or "").partition("/")
    namespace, _, name = place.rpartition("/")
    return ContentDiff(
        version="2", name=name, namespace=namespace, kind=kind.partition(".")[0], api="", resource="", op="apply",
        type=ERROR, error=f"{error.get('code')}: {error.get('cause')}", dry_run=True, entries=[],
        action="error", why=str(error.get("remedy") or ""),
    )  # fmt: skip
