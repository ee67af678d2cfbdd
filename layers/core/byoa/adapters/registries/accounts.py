"""Who asks a registry, and the headers that a login makes."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.errors import CredentialMalformed

if TYPE_CHECKING:
    from byoa.adapters.registries.answers import Role
    from byoa.adapters.registries.endpoints import Endpoint
    from byoa.trust.credentials import Credential

TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{1,16384}", re.ASCII)
"""What may stand behind Bearer (RFC 6750, 2.1)."""


class Account(NamedTuple):
    """Who wants what: ``scopes`` at the registry at ``endpoint``, with a credential or without.

    ``token_hosts`` (``HOST`` or ``HOST:PORT``) may see the credential beside the registry itself.
    """

    endpoint: Endpoint
    scopes: tuple[str, ...]
    credential: Credential | None
    role: Role
    token_hosts: frozenset[str] = frozenset()

    @property
    def errand(self) -> Account:
        """The same for anybody: what requests are counted by, whoever pays for them."""
        return self._replace(credential=None)


def basic(credential: Credential) -> str:
    """The value of a Basic Authorization header (RFC 7617, in UTF-8).

    Raises ``CredentialMalformed`` where no such header can say it: a colon ends the name.
    """
    if ":" in credential.username:
        raise CredentialMalformed("The user name for the registry holds a colon, which ends user names.")
    pair = encoded(f"{credential.username}:{credential.password}")
    return f"Basic {base64.b64encode(pair).decode()}"


def bearer(token: str) -> str:
    """Raises ``CredentialMalformed`` for what is no token (RFC 6750, 2.1): it could end the header's line."""
    if not TOKEN.fullmatch(token):
        raise CredentialMalformed("The token for the registry has characters that no token has.")
    return f"Bearer {token}"


def encoded(text: str) -> bytes:
    """UTF-8. Raises ``CredentialMalformed`` for what JSON can hold and UTF-8 can't."""
    made = _utf8(text)
    if made is None:
        raise CredentialMalformed("The login for the registry holds half a character (a lone surrogate).")
    return made


def _utf8(text: str) -> bytes | None:
    # The codec's error holds the text; asked this way, it ends here and is nobody's context.
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None
