"""Credentials from Docker's own config file, as `docker login` leaves them there."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from typing import TYPE_CHECKING, Any

from byoa.errors import CredentialMalformed
from byoa.trust.credentials import Credential

if TYPE_CHECKING:
    from byoa.oci.reference import Registry

_DOCKER_HUB = "index.docker.io"
_HELPER = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_SECONDS = 20


def credential_for(registry: Registry) -> Credential | None:
    """What Docker's config knows for exactly this registry; ``None`` for anonymous access.

    Raises ``CredentialMalformed`` when the file or its credential helper can't be read.
    """
    config = _config()
    host = _DOCKER_HUB if registry.host == "docker.io" else str(registry)
    helper = config.get("credHelpers", {}).get(host) or config.get("credsStore")
    if helper:
        found = _ask_helper(str(helper), f"https://{host}/v1/" if host == _DOCKER_HUB else host)
        if found:
            return found
    for name, entry in config.get("auths", {}).items():
        if _host_of(name) == host and isinstance(entry, dict) and entry.get("auth"):
            return _decode(str(entry["auth"]))
    return None


def _config() -> dict[str, Any]:
    # Without pathlib, whose import is a twentieth of a small mirror's time.
    folder = os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")  # noqa: PTH111
    try:
        with open(f"{folder}/config.json", "rb") as file:  # noqa: PTH123
            document = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CredentialMalformed("Docker's config file can't be read.") from error
    sound = isinstance(document, dict) and all(
        isinstance(document.get(name, {}), dict) for name in ("auths", "credHelpers")
    )
    if not sound:
        raise CredentialMalformed("Docker's config file is not what it should be.")
    return dict(document)


def _host_of(name: str) -> str:
    return name.removeprefix("https://").removeprefix("http://").partition("/")[0].lower()


def _decode(auth: str) -> Credential:
    try:
        username, separator, password = base64.b64decode(auth, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise CredentialMalformed("Docker's config file holds a login that can't be read.") from error
    if not separator:
        raise CredentialMalformed("Docker's config file holds a login without a password.")
    return Credential(username, password)


def _ask_helper(name: str, server: str) -> Credential | None:
    """Docker's credential helper protocol: the server's name in, JSON out; a failure means that it knows none."""
    import shutil
    import subprocess

    program = shutil.which(f"docker-credential-{name}") if _HELPER.fullmatch(name) else None
    if program is None:
        raise CredentialMalformed("Docker's credential helper is not on the PATH.")
    try:
        answer = subprocess.run(  # noqa: S603 - the program that the user's own config names
            [program, "get"], input=server, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        found = json.loads(answer.stdout) if answer.returncode == 0 else {}
        return Credential(str(found["Username"]), str(found["Secret"])) if found else None
    except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError) as error:
        raise CredentialMalformed("Docker's credential helper gives no readable answer.") from error
