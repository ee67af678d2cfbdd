"""Logins from the files that `docker login`, `podman login` and their kin leave, and from docker's helpers.

The files are read as docker's and podman's own clients read them (docker/cli, cli/config; containers-auth.json(5)). A
helper that isn't there or doesn't answer is noted and passed over: what it may know is rarely needed.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from byoa.errors import CredentialMalformed
from byoa.trust.logins import DOCKER_HUB_KEY, find_login, login_of, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.oci.reference import Registry
    from byoa.trust.credentials import Credential

_DOCKER_HUB = "docker.io"
_SECONDS = 20


class Logins:
    """What the files and helpers know. A file is read once, and a helper asked once for a registry: it is a process."""

    def __init__(self) -> None:
        self._files: dict[str, dict[str, Any]] = {}
        self._helped: dict[tuple[str, Registry], Credential | None] = {}

    def of(self, registry: Registry, repository: str = "") -> Credential | None:
        """What the first file with a login knows for this registry, or more exactly for ``repository``.

        ``None`` for anonymous access. Raises ``CredentialMalformed`` when a file, or the login in it that is wanted,
        can't be read.
        """
        for path in _files():
            if path not in self._files:
                self._files[path] = _read(path)
            found = self._look_up(path, registry, repository)
            if found:
                return found
        return None

    def _look_up(self, path: str, registry: Registry, repository: str) -> Credential | None:
        """A login for a repository goes before what a helper knows, and that before the file's own for the registry."""
        auths = _table(self._files[path], "auths", path)
        whole = {key: entry for key, entry in auths.items() if place_of(key) == str(registry)}
        parts = {key: entry for key, entry in auths.items() if key not in whole}
        try:
            return (
                find_login(parts, registry, repository)
                or self._from_helper(path, registry)
                or find_login(whole, registry, repository)
            )
        except CredentialMalformed as error:
            raise CredentialMalformed(f"{path}: {error.cause}") from None

    def _from_helper(self, path: str, registry: Registry) -> Credential | None:
        if (path, registry) not in self._helped:
            self._helped[path, registry] = _ask_for(registry, self._files[path], path)
        return self._helped[path, registry]


def _files() -> Iterator[str]:
    """Where logins may be: where ``REGISTRY_AUTH_FILE`` says, in docker's own file, and where podman keeps its own.

    Without pathlib, whose import is a twentieth of a small mirror's time.
    """
    named = os.environ.get("REGISTRY_AUTH_FILE")
    if named:
        yield named
    home = os.path.expanduser("~")  # noqa: PTH111
    yield f"{os.environ.get('DOCKER_CONFIG') or f'{home}/.docker'}/config.json"
    session = os.environ.get("XDG_RUNTIME_DIR")
    if session and not named:  # the variable names another file in place of this one
        yield f"{session}/containers/auth.json"
    yield f"{os.environ.get('XDG_CONFIG_HOME') or f'{home}/.config'}/containers/auth.json"


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            text = file.read().decode("utf-8-sig")
        document = json.loads(text) if text.strip() else {}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise CredentialMalformed(f"{path} can't be read: {error.strerror}.") from error
    except (ValueError, RecursionError):
        raise CredentialMalformed(f"{path} is not JSON.", remedy="Mend it, or remove it.") from None
    if not isinstance(document, dict):
        raise CredentialMalformed(f"{path} is not a JSON object.", remedy="Mend it, or remove it.")
    return dict(document)


def _table(config: dict[str, Any], name: str, path: str) -> dict[str, Any]:
    found = config.get(name) or {}
    if not isinstance(found, dict):
        raise CredentialMalformed(f'"{name}" in {path} is not an object.', remedy="Mend the file.")
    return found


def _ask_for(registry: Registry, config: dict[str, Any], path: str) -> Credential | None:
    """What the helper for the registry knows, if there is one: its own, or the one for all."""
    own = {place_of(name): helper for name, helper in _table(config, "credHelpers", path).items()}
    helper = own.get(str(registry)) or config.get("credsStore")
    if not helper:
        return None
    server = DOCKER_HUB_KEY if registry.host == _DOCKER_HUB else str(registry)
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
        return login_of(str(found["Username"]), str(found["Secret"])) if found else None
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError, RecursionError):
        raise CredentialMalformed(f"Docker's credential helper docker-credential-{name} gives no answer.") from None
