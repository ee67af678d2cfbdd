"""Logins as Docker's config files hold them: entries by registry, in the forms that clients and clusters write.

Read in two ways. A person's own file is read as docker and podman read it (docker/cli, cli/config/configfile;
containers-auth.json(5)): what can't be meant is passed over. A stored one is read strictly: it lets a whole
organisation in, so whatever two readers could understand differently is an error. No cause quotes anything of a file.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, Final

from byoa.errors import ByoaError, CredentialMalformed
from byoa.oci.reference import Registry
from byoa.trust.credentials import Credential

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DOCKER_HUB_KEY: Final = "https://index.docker.io/v1/"
"""What docker calls its own registry, in files and to helpers."""

SECRET_LIMIT: Final = 16 * 1024
"""Characters of a password or token: the longest known, ECR's and Microsoft's, take a quarter of that."""

_DOCKER_HUB: Final = Registry("docker.io")
_TOKEN_USER: Final = "<token>"  # noqa: S105 - a name that says that the secret is one
_USERNAME_LIMIT: Final = 1024
_BEARER: Final = r"[A-Za-z0-9._~+/-]+=*"
_GLOB: Final = frozenset("*?[{")
_OF_A_LAPTOP: Final = ("credsStore", "credHelpers")
_READ: Final = ("auth", "username", "password", "identitytoken", "registrytoken")
_AGAIN: Final = "Store it again: `byoa credentials set`."


def find_login(auths: Mapping[str, Any], registry: Registry, repository: str = "") -> Credential | None:
    """What the ``auths`` of a config file have for a registry, or more exactly for ``repository`` there.

    The entry of the longest path that covers the repository counts; of two keys of one place, the one that is spelled
    as clients spell it. ``None`` where no entry with a login covers it. Raises ``CredentialMalformed`` for a login
    that is wanted and can't be read; others aren't looked at.
    """
    for place in covering(registry, repository):
        exact = (DOCKER_HUB_KEY, place) if place == str(_DOCKER_HUB) else (place,)
        others = (key for key in auths if key not in exact and place_of(key) == place)
        for key in (*exact, *others):
            if found := read_entry(auths.get(key)):
                return found
    return None


def stored_login(config: object, registry: Registry, repository: str = "") -> Credential:
    """The login for a registry, or more exactly for ``repository`` there, in a stored config file.

    Raises ``CredentialMalformed``: for what is no config file, for programs of a laptop (``credsStore``,
    ``credHelpers``), for patterns as keys, for two keys of one place, for a login that isn't sound, and where there is
    none for the repository.
    """
    if not isinstance(config, dict):
        raise CredentialMalformed("The stored Docker config is not a JSON object.", remedy=_AGAIN)
    if any(config.get(name) for name in _OF_A_LAPTOP):
        raise CredentialMalformed(
            "The stored Docker config leaves logins to a credential helper, a program of the machine it comes from.",
            remedy="Store the name and the password themselves, for example with --kind basic.",
        )
    places = _stored_places(config.get("auths"))
    for place in covering(registry, repository):
        if found := _stored_entry(places.get(place)):
            return found
    raise CredentialMalformed(
        "The stored Docker config has no login for the registry and repository of the reference.",
        remedy="Store one that has an entry for that very host and port.",
    )


def read_entry(entry: object) -> Credential | None:
    """One entry: a pair in base64 or apart, a token to make tokens of, or a token; ``None`` where it has no login.

    ``auth`` wins over ``username`` and ``password``; ``email`` and ``serveraddress`` say nothing. Raises
    ``CredentialMalformed`` where ``auth`` is no pair, and where a name holds a colon (RFC 7617, 2).
    """
    if not isinstance(entry, dict):
        return None
    text: dict[str, str] = {name: value for name in _READ if isinstance(value := entry.get(name), str)}
    pair = _decode(text["auth"]) if text.get("auth") else (text.get("username", ""), text.get("password", ""))
    username, password = pair
    if ":" in username:
        raise CredentialMalformed("A login's user name holds a colon, which ends user names.")
    if not all(_is_unicode(each) for each in (*pair, *text.values())):
        raise CredentialMalformed("A login holds half a character (a lone surrogate).")
    identity, token = text.get("identitytoken") or None, text.get("registrytoken") or None
    if username == _TOKEN_USER and password:
        return Credential("", "", identity_token=identity or password, registry_token=token)
    if not (username or password or identity or token):
        return None
    return Credential(username, password, identity_token=identity, registry_token=token)


def login_of(username: str, secret: str) -> Credential | None:
    """What a credential helper says: ``<token>`` for a name means that the secret makes tokens."""
    return read_entry({"username": username, "password": secret})


def covering(registry: Registry, repository: str = "") -> Iterator[str]:
    """The places whose logins are good for the repository, the most exact one first; the registry itself is last."""
    parts = [str(registry), *repository.split("/")] if repository else [str(registry)]
    while parts:
        yield "/".join(parts)
        parts.pop()


def place_of(key: str) -> str | None:
    """A key as ``HOST[:PORT][/PATH]``, the host by its one name; ``None`` for what names none.

    Docker's own keys are addresses and end as its API does.
    """
    rest = key.removeprefix("https://").removeprefix("http://").rstrip("/")
    host, slash, path = rest.partition("/")
    try:
        registry = Registry.parse(host)
    except ByoaError:
        return None
    return str(registry) if not slash or path in ("v1", "v2") else f"{registry}/{path}"


def _decode(auth: str) -> tuple[str, str]:
    """The pair in ``auth``: base64 may be wrapped, and docker's own helpers fill passwords up with NULs."""
    pair = _text_in(auth)
    if pair is None:
        raise CredentialMalformed("A login's auth is not base64 of a text.")
    username, separator, password = pair.partition(":")
    if not separator or not username:
        raise CredentialMalformed("A login's auth is not a user name, a colon and a password.")
    return username, password.strip("\0")


def _text_in(auth: str) -> str | None:
    # The codec's error holds what it couldn't decode; asked this way, it ends here and is nobody's context.
    try:
        return base64.b64decode("".join(auth.split()), validate=True).decode()
    except ValueError:
        return None


def _stored_places(auths: object) -> dict[str, object]:
    if not isinstance(auths, dict):
        raise CredentialMalformed("The stored Docker config has no auths.", remedy=_AGAIN)
    places: dict[str, object] = {}
    for key, entry in auths.items():
        if _GLOB.intersection(key.removeprefix("[")):  # brackets are around an IPv6 address, too
            raise CredentialMalformed(
                "The stored Docker config has a pattern for a host.",
                remedy="Name each host by itself: a pattern would lend the login to hosts that nobody looked at.",
            )
        place = place_of(key)
        if place is None:
            raise CredentialMalformed("The stored Docker config has an entry that is for no host.", remedy=_AGAIN)
        if place in places:
            raise CredentialMalformed(
                "The stored Docker config has two entries for one registry.", remedy="Keep the one that is meant."
            )
        places[place] = entry
    return places


def _stored_entry(entry: object) -> Credential | None:
    """An entry read strictly; ``None`` where there is none, or none with a login."""
    if entry is None:
        return None
    if not isinstance(entry, dict) or not all(isinstance(entry.get(name, ""), str | None) for name in _READ):
        raise CredentialMalformed("A stored login is not an object of texts.", remedy=_AGAIN)
    try:
        found = read_entry(entry)
    except CredentialMalformed as error:
        raise CredentialMalformed(error.cause, remedy=_AGAIN) from None
    if found:
        check_login(found)
    return found


def check_login(login: Credential) -> None:
    """Raise ``CredentialMalformed`` for a stored login that no registry can have given out.

    A name or a password has no control characters (a line's end at the end of a password is the usual one), tokens
    are of a token's characters (RFC 6750, 2.1), and all have their limits.
    """
    texts = (login.username, login.password, login.identity_token or "")
    if any(character < " " or character == "\x7f" for text in texts for character in text):
        raise CredentialMalformed("A stored login holds a control character, such as a line's end.", remedy=_AGAIN)
    if ":" in login.username:
        raise CredentialMalformed("A stored login's user name holds a colon, which ends user names.", remedy=_AGAIN)
    if len(login.username) > _USERNAME_LIMIT or any(len(text) > SECRET_LIMIT for text in _secrets(login)):
        raise CredentialMalformed("A stored login is longer than any that a registry gives out.", remedy=_AGAIN)
    if login.registry_token is not None and not re.fullmatch(_BEARER, login.registry_token, re.ASCII):
        raise CredentialMalformed("A stored registry token has characters that no token has.", remedy=_AGAIN)
    if not any(_secrets(login)):
        raise CredentialMalformed("A stored login has neither a password nor a token.", remedy=_AGAIN)


def _is_unicode(text: str) -> bool:
    """JSON can hold what UTF-8, and so a request, can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _secrets(login: Credential) -> tuple[str, ...]:
    return login.password, login.identity_token or "", login.registry_token or ""
