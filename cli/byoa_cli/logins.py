"""Credentials from Docker's own config file, as `docker login` and its kin leave them there.

The file is read as docker's and podman's own clients read it (docker/cli, cli/config; containers-auth.json). A helper
that isn't there or doesn't answer is noted and passed over: what it may know is rarely needed.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from typing import TYPE_CHECKING, Any

from byoa.errors import ByoaError, CredentialMalformed
from byoa.oci.reference import Registry
from byoa.trust.credentials import Credential

if TYPE_CHECKING:
    from collections.abc import Iterator

_DOCKER_HUB = "docker.io"
_DOCKER_HUB_NAME = "https://index.docker.io/v1/"
"""What docker calls its own registry, in files and to helpers."""

_TOKEN_USER = "<token>"  # noqa: S105 - a name that says that the secret is one
_SECONDS = 20


def credential_for(registry: Registry, repository: str = "") -> Credential | None:
    """What Docker's config knows for this registry, or more exactly for ``repository``; ``None`` for anonymous access.

    Raises ``CredentialMalformed`` when the file, or the login in it that is wanted, can't be read.
    """
    config = _config()
    places = list(_covering(str(registry), repository))
    entries = {place: entry for name, entry in _table(config, "auths").items() if (place := _place_of(name)) in places}
    for place in places:
        whole = place == str(registry)
        found = _ask_for(registry, config) if whole else None
        found = found or _read_entry(entries.get(place))
        if found:
            return found
    return None


def _covering(host: str, repository: str) -> Iterator[str]:
    """The places whose logins are good for the repository, the most exact one first."""
    parts = [host, *repository.split("/")] if repository else [host]
    while parts:
        yield "/".join(parts)
        parts.pop()


def _place_of(name: str) -> str | None:
    """A key of the file as ``HOST[:PORT][/PATH]``, the host by its one name. Docker's own keys end as its API does."""
    rest = name.removeprefix("https://").removeprefix("http://").rstrip("/")
    host, slash, path = rest.partition("/")
    try:
        registry = Registry.parse(host)
    except ByoaError:
        return None
    return str(registry) if not slash or path in ("v1", "v2") else f"{registry}/{path}"


def _config() -> dict[str, Any]:
    # Without pathlib, whose import is a twentieth of a small mirror's time.
    folder = os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")  # noqa: PTH111
    try:
        with open(f"{folder}/config.json", "rb") as file:  # noqa: PTH123
            text = file.read().decode("utf-8-sig")
        document = json.loads(text) if text.strip() else {}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise CredentialMalformed(f"{folder}/config.json can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise CredentialMalformed(f"{folder}/config.json is not JSON.", remedy="Mend it, or remove it.") from error
    if not isinstance(document, dict):
        raise CredentialMalformed(f"{folder}/config.json is not a JSON object.", remedy="Mend it, or remove it.")
    return dict(document)


def _table(config: dict[str, Any], name: str) -> dict[str, Any]:
    found = config.get(name) or {}
    if not isinstance(found, dict):
        raise CredentialMalformed(f'"{name}" in Docker\'s config file is not an object.', remedy="Mend the file.")
    return found


def _read_entry(entry: object) -> Credential | None:
    """A login of the file: a pair in base64 or apart, a token to make tokens of, or a token."""
    if not isinstance(entry, dict):
        return None
    text: dict[str, str] = {name: value for name, value in entry.items() if isinstance(value, str)}
    username, password = text.get("username", ""), text.get("password", "")
    identity, token = text.get("identitytoken"), text.get("registrytoken")
    if text.get("auth"):
        username, password = _decode(text["auth"])
    if identity or token:
        return Credential(username, password, identity_token=identity, registry_token=token)
    return Credential(username, password) if username or password else None


def _decode(auth: str) -> tuple[str, str]:
    """The pair in ``auth``: base64 may be wrapped, and docker's own helpers fill passwords up with NULs."""
    try:
        pair = base64.b64decode("".join(auth.split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise CredentialMalformed("Docker's config file holds a login that can't be read.") from error
    username, separator, password = pair.partition(":")
    if not separator:
        raise CredentialMalformed("Docker's config file holds a login without a password.")
    return username, password.strip("\0")


def _ask_for(registry: Registry, config: dict[str, Any]) -> Credential | None:
    """What the helper for the registry knows, if there is one: its own, or the one for all."""
    own = {_place_of(name): helper for name, helper in _table(config, "credHelpers").items()}
    helper = own.get(str(registry)) or config.get("credsStore")
    if not helper:
        return None
    server = _DOCKER_HUB_NAME if registry.host == _DOCKER_HUB else str(registry)
    try:
        return _ask_helper(str(helper), server)
    except CredentialMalformed as error:
        from byoa_cli.output import print_note

        print_note(f"{error.cause} It is passed over.")
        return None


def _ask_helper(name: str, server: str) -> Credential | None:
    """Docker's credential helper protocol: the server's name in, JSON out; a failure means that it knows none."""
    import shutil
    import subprocess

    program = None if os.sep in name else shutil.which(f"docker-credential-{name}")
    if program is None:
        raise CredentialMalformed(f"Docker's credential helper docker-credential-{name} is not on the PATH.")
    try:
        answer = subprocess.run(  # noqa: S603 - the program that the user's own config names
            [program, "get"], input=server, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        found = json.loads(answer.stdout) if answer.returncode == 0 else {}
        return _from_helper(found) if found else None
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError) as error:
        raise CredentialMalformed(f"Docker's credential helper docker-credential-{name} gives no answer.") from error


def _from_helper(found: dict[str, Any]) -> Credential | None:
    username, secret = str(found["Username"]), str(found["Secret"])
    if username == _TOKEN_USER:
        return Credential("", "", identity_token=secret)
    return Credential(username, secret) if username or secret else None
