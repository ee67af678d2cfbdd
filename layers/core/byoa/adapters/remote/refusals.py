"""The API's answers that are errors, as ours: whatever it has a leaf of ``byoa.errors`` for is that again."""

from __future__ import annotations

import re
from typing import Any, Final

from byoa.errors import ApiRefused, ApiUnavailable, ApiUnusable, ByoaError, LoginMissing, leaves

_UNAUTHENTICATED, _THROTTLED, _FIRST_ERROR, _FIRST_FAULT = 401, 429, 400, 500
_TEXT_LIMIT: Final = 2000
"""Characters of a text that is taken from an answer."""

_SIDES: Final = ("/before", "/after")
_FAULTS_SHOWN: Final = 10
_OTHER: Final = (
    "The token is of another organisation than --org or BYOA_ORG names.",
    "Name the token's own organisation, or leave it out: the token says it.",
)
_OPTIONS: Final = {"/body/names": "--part"}
"""What the command line calls what a pointer leads to."""

_CODE: Final = re.compile(r"[A-Za-z_]{1,64}")
_LEAVES: Final = {leaf.__name__: leaf for leaf in leaves()}


def error_of(status: int, document: object) -> ByoaError:
    """What an answer of 300 or more means; ``document`` is its body's data.

    Source: RFC 9457 for the members, ``byoa.api.problems`` for ``code`` and ``remedy``.
    """
    if not isinstance(document, dict) or not _CODE.fullmatch(_text(document, "code")):
        return _without_a_problem(status)
    code, cause, remedy = _text(document, "code"), _text(document, "detail"), _text(document, "remedy")
    if status == _UNAUTHENTICATED:
        return LoginMissing(cause, remedy="Name it with --org or BYOA_ORG." if code == "organisation_missing" else "")
    found = _LEAVES.get(code)
    if found and found is not ApiRefused:
        return found(cause, remedy=remedy, where=_side(document))
    if status >= _FIRST_FAULT or status == _THROTTLED:
        return ApiUnavailable(cause, remedy=remedy)
    if code == "organisation_other":
        cause, remedy = _OTHER
    missing = _missing_parts(document)
    faults = [] if missing else _faults(document)
    return ApiRefused(" ".join([cause, *faults]), remedy=missing or remedy, problem=code)


def _without_a_problem(status: int) -> ByoaError:
    """The gateway's own, a proxy's, or a stranger's."""
    if status == _THROTTLED:
        return ApiUnavailable("The API asks to slow down.", remedy="Try again in a minute.")
    if status >= _FIRST_FAULT:
        return ApiUnavailable(f"The API answers with {status}.")
    if status < _FIRST_ERROR:
        return ApiUnusable("The API's address leads to another one, which is not followed with a token.")
    return ApiUnusable(f"What answers at the address says {status} and nothing that an API of BYOA's would.")


def _faults(document: dict[str, Any]) -> list[str]:
    found = document.get("errors")
    faults = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    if len(faults) == 1 and _text(faults[0], "message") == _text(document, "detail"):
        return []
    told = [f"{_place(each)}: {_text(each, 'message').removesuffix('.')}." for each in faults[:_FAULTS_SHOWN]]
    return [*told, *([f"And {len(faults) - _FAULTS_SHOWN} more."] if len(faults) > _FAULTS_SHOWN else [])]


def _place(fault: dict[str, Any]) -> str:
    pointer = _text(fault, "pointer")
    return _OPTIONS.get(pointer, pointer)


def _missing_parts(document: dict[str, Any]) -> str:
    """What to say to a plan of which parts weren't approved by name; empty for other answers."""
    found = document.get("errors")
    faults = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    names = [each for each in faults if (_text(each, "pointer"), _text(each, "code")) == ("/body/names", "missing")]
    if not names:
        return ""
    options = " ".join(f"--part {_text(each, 'message')}" for each in names[:_FAULTS_SHOWN])
    more = " and more, or many of one kind as --part KIND:COUNT with --fingerprint" if names[_FAULTS_SHOWN:] else ""
    return f"Look at the plan, and approve with {options}{more}."


def _side(document: dict[str, Any]) -> str | None:
    """Which of two artifacts it is about."""
    found = document.get("errors")
    first = found[0] if isinstance(found, list) and found else None
    pointer = _text(first, "pointer") if isinstance(first, dict) else ""
    return pointer[1:] if pointer in _SIDES else None


def _text(document: dict[str, Any], name: str) -> str:
    found = document.get(name)
    return found[:_TEXT_LIMIT] if isinstance(found, str) else ""
