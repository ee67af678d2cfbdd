"""What a login has to be allowed in a cluster for an install, and what of it it isn't: told before the first write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.errors import ClusterForbidden, KindUnknown, ObjectInvalid
from byoa.installs.cluster import EVERYTHING, Right
from byoa.installs.guards import GUARDED
from byoa.installs.health import WORKLOADS
from byoa.installs.kinds import NAMESPACE
from byoa.installs.objects import Identity, mapping
from byoa.installs.together import each

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from byoa.engine.workers import Workers
    from byoa.installs.cluster import Cluster, Rule
    from byoa.installs.normalising import Wanted
    from byoa.installs.plans import Plan, Step

RBAC: Final = "rbac.authorization.k8s.io"
ROLES: Final = frozenset(((RBAC, "Role"), (RBAC, "ClusterRole")))
BINDINGS: Final = frozenset(((RBAC, "RoleBinding"), (RBAC, "ClusterRoleBinding")))
_TOLD: Final = 20
_VERBS: Final = ("get", "list", "create", "patch", "update", "delete")


def of_objects(wanted: Iterable[Wanted]) -> set[Right]:
    """All that installing these objects takes, changing and pruning them, and telling how they are.

    Cluster-wide kinds go by name, but for making them. What is never deleted without approval takes no right to.
    """
    found: set[Right] = set()
    for one in wanted:
        place, kind = one.place, one.place.kind
        verbs = {"get", "patch"} if kind.type == NAMESPACE else {"get", "create", "patch"}
        verbs |= {"list"} if kind.namespaced else set()
        verbs |= set() if kind.type in GUARDED else {"delete"}
        found |= {Right(verb, kind.group, kind.plural, place.namespace, _name(verb, one)) for verb in verbs}
        if kind.namespaced:
            found.add(Right("list", "", "events", place.namespace))
        if kind.type in WORKLOADS:
            found.add(Right("list", "", "pods", place.namespace))
        late = mapping(one.object, "spec").get("storageClassName") if kind.kind == "PersistentVolumeClaim" else None
        if late:
            found.add(Right("get", "storage.k8s.io", "storageclasses", "", str(late)))
    return found


def role_of(binding: Wanted) -> Identity | None:
    """The role that a binding binds; ``None`` for all other objects."""
    kind, reference = binding.place.kind, mapping(binding.object, "roleRef")
    if kind.type not in BINDINGS or not reference:
        return None
    role = str(reference.get("kind", ""))
    namespace = binding.place.namespace if role == "Role" else ""
    return Identity(RBAC, role, namespace, str(reference.get("name", "")))


def _name(verb: str, one: Wanted) -> str:
    return "" if one.place.kind.namespaced or verb == "create" else one.place.name


def of_steps(steps: Iterable[Step]) -> set[Right]:
    """What the steps of a plan take besides: what is deleted, and namespaces that aren't there yet."""
    found: set[Right] = set()
    for step in steps:
        kind = step.place.kind
        name = "" if kind.namespaced else step.place.name
        if step.action == "delete" and not step.needs:
            found.add(Right("delete", kind.group, kind.plural, step.place.namespace, name))
        elif step.action == "create" and kind.type == NAMESPACE:
            found.add(Right("create", kind.group, kind.plural))
    return found


def with_rights(
    found: Plan, wanted: Iterable[Wanted], kept: frozenset[Right], cluster: Cluster, workers: Workers | None
) -> Plan:
    """A plan whose first fault tells all rights that its login lacks; ``kept`` are those of who remembers.

    Faults that say nothing but that are left out then. Raises what the cluster fails with.
    """
    theirs = {step.identity for step in found.steps if step.shared}
    rights = of_objects(one for one in wanted if one.identity not in theirs) | of_steps(found.steps) | kept
    missing = lacking(cluster, rights, workers)
    if not missing:
        return found
    others = (each for each in found.faults if not isinstance(each, ClusterForbidden) or each.granting)
    return found._replace(faults=(told(missing), *others))


def lacking(cluster: Cluster, wanted: set[Right], workers: Workers | None = None) -> list[Right]:
    """Those of ``wanted`` that the login doesn't have; none where the cluster doesn't say.

    A namespace's rules are told in one answer; what they don't cover is asked for one by one, since other authorizers
    than RBAC have no rules to tell. Raises what the cluster fails with.
    """
    try:
        namespaces = sorted({right.namespace for right in wanted if right.namespace})
        rules = dict(zip(namespaces, each(workers, cluster.rules, namespaces), strict=True))
        open_ = sorted(right for right in wanted if not _covered(rules.get(right.namespace, ()), right))
        if not open_ or cluster.may(EVERYTHING):
            return []
        answers = each(workers, cluster.may, open_)
    except (ClusterForbidden, KindUnknown, ObjectInvalid):
        return []
    return [right for right, may in zip(open_, answers, strict=True) if not may]


def _covered(rules: Sequence[Rule], right: Right) -> bool:
    return any(rule.covers(right) for rule in rules)


def told(missing: Iterable[Right]) -> ClusterForbidden:
    """All of it, in one sentence."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in missing:
        group = f".{right.group}" if right.group else ""
        name = f" {right.name}" if right.name else ""
        where = f"{right.resource}{group}{name}"
        verbs.setdefault((right.namespace, where), []).append(right.verb)
    listed = [
        f"{_listed(sorted(found, key=_VERBS.index))} {where}" + (f" in namespace {namespace}" if namespace else "")
        for (namespace, where), found in sorted(verbs.items())
    ]
    more = f"; and {len(listed) - _TOLD} more" if len(listed) > _TOLD else ""
    return ClusterForbidden(
        f"The login may not {'; '.join(listed[:_TOLD])}{more}.",
        remedy="Have a cluster's administrator grant it; `byoa install rbac` prints what the artifact takes.",
    )


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
