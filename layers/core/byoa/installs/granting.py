"""The least that has to be granted for an artifact, as objects of Kubernetes' RBAC for an administrator to apply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from byoa.installs.cluster import Right
from byoa.installs.kinds import NAMESPACE
from byoa.installs.rights import RBAC, ROLES, of_objects, role_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from byoa.installs.normalising import Owner, Wanted
    from byoa.installs.objects import Object

_ORDER: Final = ("get", "list", "create", "patch", "update", "delete", "bind")


class Grantee(NamedTuple):
    """Who is granted it: a group of users, or a service account of ``namespace``, which is made then."""

    name: str
    namespace: str = ""

    @property
    def subject(self) -> Object:
        """As bindings name it."""
        if self.namespace:
            return {"kind": "ServiceAccount", "name": self.name, "namespace": self.namespace}
        return {"apiGroup": RBAC, "kind": "Group", "name": self.name}


def grants(wanted: Sequence[Wanted], owner: Owner, grantee: Grantee, kept: Iterable[Right] = ()) -> list[Object]:
    """What an administrator applies before an install's first deploy.

    Namespaces of the artifact come first, since nothing can be granted in one that isn't there. ``kept`` are rights on
    what remembers the install. Who makes roles has to have what they grant, and who binds others to say so.
    """
    name = f"byoa-{owner.install}-{owner.component}".lower()
    rights = of_objects(wanted) | set(kept) | _bound(wanted)
    namespaces = sorted({right.namespace for right in rights if right.namespace})
    made = [one.place.name for one in wanted if one.place.kind.type == NAMESPACE]
    found: list[Object] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": each}} for each in dict.fromkeys(made)
    ]
    if grantee.namespace:
        about = {"name": grantee.name, "namespace": grantee.namespace}
        found.append({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": about})
    for namespace in ("", *namespaces):
        rules = [*_rules(rights, namespace), *_held(wanted, namespace, rights)]
        if rules:
            found += _pair(name, namespace, rules, grantee)
    return found


def _pair(name: str, namespace: str, rules: list[Object], grantee: Grantee) -> list[Object]:
    kind = "Role" if namespace else "ClusterRole"
    about = {"name": name, "namespace": namespace} if namespace else {"name": name}
    reference = {"apiGroup": RBAC, "kind": kind, "name": name}
    api = f"{RBAC}/v1"
    return [
        {"apiVersion": api, "kind": kind, "metadata": about, "rules": rules},
        {
            "apiVersion": api,
            "kind": f"{kind}Binding",
            "metadata": dict(about),
            "roleRef": reference,
            "subjects": [grantee.subject],
        },
    ]


def _rules(rights: Iterable[Right], namespace: str) -> list[Object]:
    """Rights of one namespace as rules: resources of a group that the same goes for stand together."""
    verbs: dict[tuple[str, str, str], set[str]] = {}
    for right in rights:
        if right.namespace == namespace:
            verbs.setdefault((right.group, right.resource, right.name), set()).add(right.verb)
    same: dict[tuple[str, frozenset[str], str], list[str]] = {}
    names: dict[tuple[str, str, frozenset[str]], list[str]] = {}
    for (group, resource, name), found in sorted(verbs.items()):
        if name:
            names.setdefault((group, resource, frozenset(found)), []).append(name)
        else:
            same.setdefault((group, frozenset(found), ""), []).append(resource)
    rules = [_rule(group, resources, found) for (group, found, _), resources in same.items()]
    return rules + [_rule(group, [resource], found, listed) for (group, resource, found), listed in names.items()]


def _rule(group: str, resources: list[str], verbs: Iterable[str], names: list[str] | None = None) -> Object:
    found: Object = {"apiGroups": [group], "resources": resources}
    found |= {"resourceNames": names} if names else {}
    return {**found, "verbs": sorted(verbs, key=_ORDER.index)}


def _held(wanted: Iterable[Wanted], namespace: str, rights: AbstractSet[Right]) -> list[Object]:
    """What roles of the artifact grant: nobody may grant what they don't have (RBAC, "Privilege escalation").

    What is among ``rights`` anyway isn't said again.
    """
    found: list[Object] = []
    for one in wanted:
        if one.place.kind.type in ROLES and one.place.namespace == namespace:
            rules: Any = one.object.get("rules")
            for rule in rules if isinstance(rules, list) else []:
                verbs = [verb for verb in rule.get("verbs") or [] if not _is_had(rule, verb, namespace, rights)]
                needed = {**rule, "verbs": verbs}
                found += [needed] if verbs and needed not in found else []
    return found


def _is_had(rule: Object, verb: str, namespace: str, rights: AbstractSet[Right]) -> bool:
    resources = [(group, each) for group in rule.get("apiGroups") or [] for each in rule.get("resources") or []]
    return bool(resources) and all(Right(verb, *resource, namespace) in rights for resource in resources)


def _bound(wanted: Sequence[Wanted]) -> set[Right]:
    """The right to bind roles that don't come with the artifact, whose rules nobody here knows."""
    ours = {one.identity for one in wanted}
    bound = [(one, role) for one in wanted if (role := role_of(one)) and role not in ours]
    return {Right("bind", RBAC, f"{role.kind.lower()}s", one.place.namespace, role.name) for one, role in bound}
