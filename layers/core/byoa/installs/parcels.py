"""What goes from one state of a deploy to the next by way of the quarantine: objects, and plans that will be applied.

They hold values of Secrets, so each kind lies where only those read it that need it. What comes back is held to its
digest.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from byoa.errors import ContentTooLarge, DigestMismatch, InternalFault
from byoa.installs.kinds import DEFINITION
from byoa.installs.objects import Kind, Place, version_of
from byoa.installs.plans import Plan, Step, imprint_of
from byoa.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from byoa.builds.ports import Lists
    from byoa.installs.objects import Object

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of a parcel: what an artifact's objects come to at most, more or less."""


def put(found: Any, lists: Lists) -> str:  # noqa: ANN401 - JSON data
    """Keep JSON data; its digest. Raises ``ContentTooLarge`` over 64 MiB, and what ``lists`` raises."""
    content = json.dumps(found, separators=(",", ":"), ensure_ascii=False).encode()
    if len(content) > LARGEST:
        raise ContentTooLarge("The rendered objects are larger than 64 MiB.")
    return str(lists.put(content))


def fetch(digest: str, lists: Lists) -> Any:  # noqa: ANN401 - JSON data
    """What was kept under ``digest``. Raises ``DigestMismatch`` where that is something else now."""
    wanted = Digest.parse(digest)
    content = lists.fetch(wanted)
    if not wanted.matches(content):
        raise DigestMismatch("The quarantine holds something else under this digest.")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InternalFault("What the quarantine holds is no JSON.") from error


def put_plan(plan: Plan, lists: Lists) -> str:
    """Keep what it takes to apply a plan, to watch it and to prune; its digest."""
    steps = [_step_document(step) for step in plan.steps]
    return put({"digest": plan.digest, "needs": list(plan.needs), "steps": steps}, lists)


def fetch_plan(digest: str, lists: Lists) -> Plan:
    """The plan that was kept: with objects' UIDs, and without what they were and what differs. Raises as ``fetch``."""
    found = fetch(digest, lists)
    return Plan(steps=tuple(_steps(found["steps"])), digest=found["digest"], needs=tuple(found["needs"]))


def _step_document(step: Step) -> dict[str, Any]:
    """Of what is not written, that it is wanted is enough; a definition tells whether its kind has a status."""
    wanted = step.wanted
    if wanted is not None and step.action == "unchanged" and step.place.kind.type != DEFINITION:
        wanted = {}
    return {
        "place": [*step.place.kind, step.place.namespace, step.place.name],
        "action": step.action,
        "wanted": wanted,
        "uid": step.uid,
        **_ties(step),
        "unchecked": step.unchecked,
        "needs": step.needs,
        "shared": step.shared,
    }


def _steps(documents: Iterable[dict[str, Any]]) -> Iterable[Step]:
    for each in documents:
        group, version, kind, plural, namespaced, namespace, name = each["place"]
        yield Step(
            place=Place(Kind(group, version, kind, plural, namespaced), namespace, name),
            action=each["action"],
            wanted=each["wanted"],
            live=_live(each["uid"], each.get("version", "")) if each["uid"] else None,
            imprint=each.get("imprint", ""),
            unchecked=each["unchecked"],
            needs=each["needs"],
            shared=each["shared"],
        )


def _ties(step: Step) -> dict[str, str]:
    """The state that a change is for, and what it is known by again."""
    if step.action != "change" or step.live is None:
        return {}
    return {"version": version_of(step.live), "imprint": imprint_of(step)}


def _live(uid: str, version: str) -> Object:
    """All that is still known of what was there."""
    return {"metadata": {"uid": uid, **({"resourceVersion": version} if version else {})}}
