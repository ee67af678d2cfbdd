"""What an API server's refusals mean: the one table of which answer is which error.

Its messages quote whole objects, Secrets among them. So people are told the field, the kind of fault, and for objects
that hold no secrets the last clause of the server's own sentence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from byoa.errors import (
    ByoaError,
    ClusterForbidden,
    ClusterUnavailable,
    FieldConflict,
    KindUnknown,
    NamespaceMissing,
    ObjectBusy,
    ObjectInvalid,
)

if TYPE_CHECKING:
    from byoa.adapters.kubernetes.wire import Answer
    from byoa.installs.objects import Kind, Place

# Texts, which re compiles once they are looked for: most answers are no refusals.
_OWNER: Final = r'conflict with "((?:[^"\\]|\\.)*)"'
_TYPED: Final = r": (\.[^\s:]{1,300}): (field not declared in schema|expected \w+|duplicate entries)"
_NAMESPACES: Final = r'namespaces "[^"]*" not found'
_WEBHOOK: Final = r'admission webhook "([a-z0-9.-]{1,253})" (denied the request|does not support dry run)'
_POLICY: Final = r"ValidatingAdmissionPolicy '([a-z0-9.-]{1,253})' with binding '[a-z0-9.-]{1,253}' denied request"
_FIELD: Final = r"[A-Za-z0-9_.\[\]\-/<>\"=:]{1,300}"
_LONGEST: Final = 160
_UNKNOWN_LOGIN: Final = "Renew the token; it may have expired. A role of EKS needs an access entry in the cluster."
_BY_RULE: Final = (
    "Mend the object so that it passes; `kubectl apply --server-side --dry-run=server` tells the rule's own words."
)
_NO_DRY_RUN: Final = "Have the webhook say that it has no side effects in dry runs (sideEffects: NoneOnDryRun)."
_TOLD: Final = 3
_BY_RIGHTS: Final = ("cannot ", 'resource "')


def refusal(answer: Answer, verb: str, place: Place) -> ByoaError:
    """The error that ``answer`` is, to ``verb`` (``patch``, ``delete`` …) at ``place``."""
    if ruled := _ruled(answer):
        return ruled
    match answer.status:
        case 401:
            found = unknown_login()
        case 403:
            found = _forbidden(answer, verb, place)
        case 404:
            found = _missing(answer, place)
        case 409:
            found = _conflict(answer)
        case 413:
            found = ObjectInvalid("The object is larger than the cluster's API takes.")
        case 422:
            found = _invalid(answer, place)
        case 400 | 500:
            found = _unreadable(answer)
        case _:
            found = ClusterUnavailable(f"The cluster's API gives an answer that is not known (status {answer.status}).")
    return found


def _ruled(answer: Answer) -> ByoaError | None:
    """A rule's refusal. Its status says nothing: a webhook chooses it (400 where it doesn't), policies say 422.

    It is none of what a new object would be taken as: who forbids a change didn't mean a deletion in its place.
    """
    if webhook := re.search(_WEBHOOK, answer.message):
        if webhook[2].startswith("does not"):
            cause = f"The webhook {webhook[1]} of the cluster can't be asked without side effects, so nothing is tried."
            return ObjectInvalid(cause, remedy=_NO_DRY_RUN)
        return ObjectInvalid(f"The webhook {webhook[1]} of the cluster refuses it.", remedy=_BY_RULE)
    if policy := re.search(_POLICY, answer.message):
        return ObjectInvalid(f"The admission policy {policy[1]} of the cluster refuses it.", remedy=_BY_RULE)
    return None


def unknown_login() -> ByoaError:
    """Nobody is known by this token."""
    return ClusterForbidden("The cluster refuses the login.", remedy=_UNKNOWN_LOGIN)


def not_allowed(verb: str, kind: Kind, namespace: str) -> ByoaError:
    """The login may not do it."""
    where = f" in namespace {namespace}" if namespace else ""
    group = f".{kind.group}" if kind.group else ""
    return ClusterForbidden(f"The login may not {verb} {kind.plural}{group}{where}.")


def _forbidden(answer: Answer, verb: str, place: Place) -> ByoaError:
    if any(each.get("reason") == "NamespaceTerminating" for each in answer.causes):
        return ObjectBusy("The namespace is being deleted.")
    text = answer.message
    if "not currently held" in text:
        return ClusterForbidden(
            "The login may not grant rights that it doesn't have itself.",
            remedy="Grant it these rights, or the verbs escalate and bind on roles.",
            granting=True,
        )
    if all(part in text for part in _BY_RIGHTS):
        return not_allowed(verb, place.kind, place.namespace)
    if "violates PodSecurity" in text:
        return ObjectInvalid("The namespace's PodSecurity level refuses the pods.")
    if "exceeded quota" in text:
        return ObjectInvalid("It is more than the namespace's ResourceQuota has room for.")
    return ObjectInvalid("An admission rule of the cluster refuses it.")


def _missing(answer: Answer, place: Place) -> ByoaError:
    if re.search(_NAMESPACES, answer.message) and place.kind.plural != "namespaces":
        return NamespaceMissing(f"The cluster has no namespace {place.namespace}.")
    if answer.body is None:
        return KindUnknown(f"The cluster serves no {place.kind.kind} of {place.kind.api_version}.")
    return ObjectBusy("The object is gone.")


def _conflict(answer: Answer) -> ByoaError:
    found = []
    for each in answer.causes:
        owner = re.search(_OWNER, str(each.get("message", "")))
        if each.get("reason") == "FieldManagerConflict" and owner:
            found.append((owner[1], str(each.get("field", ""))))
    if not found:
        return ObjectBusy("The object has changed meanwhile.", stale=True)
    count = len({owner for owner, _ in found})
    return FieldConflict(
        f"Fields of the object are owned by {'another' if count == 1 else f'{count} others'}: "
        f"{', '.join(_shown(field) for _, field in found[:_TOLD])}{', …' if len(found) > _TOLD else ''}.",
        conflicts=tuple(found),
    )


def _invalid(answer: Answer, place: Place) -> ByoaError:
    fields = tuple(dict.fromkeys(_shown(str(each.get("field", ""))) for each in answer.causes if each.get("field")))
    secret = place.kind.kind.endswith(("Secret", "Secrets"))
    told = [_clause(each, secret=secret) for each in answer.causes[:_TOLD]]
    more = f" and {len(answer.causes) - _TOLD} more faults" if len(answer.causes) > _TOLD else ""
    cause = f"{'; '.join(told)}{more}." if told else "A field of the object is not valid."
    return ObjectInvalid(cause, fields=fields, perhaps_immutable=True)


def _clause(cause: dict[str, Any], *, secret: bool) -> str:
    field = _shown(str(cause.get("field", "")) or "the object")
    if secret:
        return f"{field} is not valid"
    last = str(cause.get("message", "")).rpartition(": ")[2]
    return (
        f"{field}: {last}"
        if last.isascii() and last.isprintable() and len(last) <= _LONGEST
        else f"{field} is not valid"
    )


def _unreadable(answer: Answer) -> ByoaError:
    found = re.search(_TYPED, answer.message)
    if found:
        return ObjectInvalid(f"{_shown(found[1])}: {found[2]}.", fields=(_shown(found[1]),))
    return ObjectInvalid("The object has a field that its schema doesn't have, or of another type.")


def _shown(field: str) -> str:
    """A path as the server names it, if it looks like one."""
    return field if re.fullmatch(_FIELD, field) else "a field"
