"""Keeps logins out of errors: a registry knows its own, and may make one the name of a host that it leads to.

Errors name hosts, and nothing else that a registry says. What such a name could be told in is letters and figures, in
either case, so these alone are compared.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from byoa.errors import ByoaError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.trust.credentials import Credential

_RUN: Final = 16
"""Letters and figures in a row that aren't there by chance: a key file has a word or two that hosts have as well."""

_SHORTEST: Final = 10
"""Fewer of them are a word, and errors have words."""

_OTHERS: Final = re.compile(r"[\W_]", re.ASCII)
_INSTEAD: Final = "What the registry answers holds the login that it was given, so it isn't shown."


def silence(error: ByoaError, credential: Credential | None) -> None:
    """Take the words from ``error``, and from those behind it, where they tell anything of the ``credential``."""
    forms = list(_forms(credential)) if credential else []
    found: BaseException | None = error
    while forms and found:
        if isinstance(found, ByoaError) and _tells(f"{found.cause} {found.remedy}", forms):
            found.cause, found.remedy = _INSTEAD, found.default_remedy
            found.args = (_INSTEAD,)
        found = found.__cause__ or found.__context__


def _tells(text: str, forms: list[str]) -> bool:
    said = _bare(text)
    return any(form[at : at + _RUN] in said for form in forms for at in range(max(1, len(form) - _RUN + 1)))


def _forms(credential: Credential) -> Iterator[str]:
    """A secret as it is, in base64 and in hex."""
    from base64 import b64encode  # noqa: PLC0415 - errors are rare, and imports slow

    for secret in (credential.password, credential.identity_token, credential.registry_token):
        content = (secret or "").encode(errors="replace")
        for form in (secret or "", content.hex(), b64encode(content).decode()):
            if len(bare := _bare(form)) >= _SHORTEST:
                yield bare


def _bare(text: str) -> str:
    return _OTHERS.sub("", text).lower()
