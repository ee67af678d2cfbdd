"""Secrets on their way from stdin, a prompt or a file into what is stored: never from an argument, never shown."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from byoa_cli.commands import UsageError
from byoa_cli.output import Interrupted

if TYPE_CHECKING:
    from byoa.trust.kinds import Stored
    from byoa.trust.ports import Entry, Safe

KIND_NAMES: Final = ("basic", "token", "dockerconfigjson", "aws_ecr", "gcp_gar", "azure_acr")
_LIMIT: Final = 64 * 1024
_FILES: Final = ("dockerconfigjson", "gcp_gar")
"""Kinds whose secret is a file of many lines, which no prompt takes."""

_OWN: Final = {
    "username": ("basic",),
    "client_id": ("azure_acr",),
    "role_arn": ("aws_ecr",),
    "registry_token": ("token",),
}
"""Options that some kinds have, by the kinds that have them."""

_NOTHING_STORED: Final = "Nothing was stored; `byoa credentials set --help` shows what each kind needs."
_NOTHING_GIVEN: Final = "Nothing was stored; give the secret on stdin, as in < FILE, or type it when it is asked for."

_WANTED: Final = {"basic": "username", "aws_ecr": "role_arn"}

_OF_OPTION: Final = {"ca": "ca_file"}
"""What is given under another name than it is stored under."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the options say of credentials: all but the secret."""

    kind: str
    host: str
    username: str | None
    client_id: str | None
    role_arn: str | None
    token_host: str | None
    ca_file: str | None
    registry_token: bool

    def check(self) -> None:
        """Raise ``UsageError`` for an option that the kind doesn't have, and where one is missing."""
        for name, kinds in _OWN.items():
            if getattr(self, name) and self.kind not in kinds:
                raise UsageError(f"{_option(name)} is for kind {' or '.join(kinds)}, not for {self.kind}")
        wanted = _WANTED.get(self.kind)
        if wanted and not getattr(self, wanted):
            raise UsageError(f"kind {self.kind} wants {_option(wanted)}")

    def check_kept(self, entry: Entry) -> None:
        """Raise ``UsageError`` where ``entry``, which this is to renew, was stored with what isn't given again."""
        given = [_OF_OPTION.get(name, name) for name in entry.options]
        lost = [name for name in given if self.kind in _OWN.get(name, (self.kind,)) and not getattr(self, name, True)]
        if lost:
            raise UsageError(
                f"{entry.name} was stored with {' and '.join(map(_option, lost))}, which can't be read back: "
                "give it again, or --kind and --host to store all of it anew"
            )

    @property
    def field(self) -> str | None:
        """The field that the secret goes to; ``None`` for a kind that has no secret."""
        return {
            "basic": "password",
            "token": "registry_token" if self.registry_token else "identity_token",
            "dockerconfigjson": "dockerconfigjson",
            "gcp_gar": "key",
            "azure_acr": "client_secret" if self.client_id else "refresh_token",
        }.get(self.kind)

    def stored(self, secret: str | None) -> tuple[Stored, str]:
        """What is to be stored, and as which text. Raises ``CredentialMalformed`` for what could not be used."""
        from byoa.errors import CredentialMalformed
        from byoa.trust.kinds import DockerConfig, parse_secret

        fields = {
            "kind": self.kind,
            "host": self.host,
            "token_host": self.token_host,
            "ca": _content(self.ca_file) if self.ca_file else None,
            "username": self.username,
            "client_id": self.client_id,
            "role_arn": self.role_arn,
        }
        document = {name: value for name, value in fields.items() if value is not None}
        if self.field:
            document[self.field] = secret or ""
        try:
            stored = parse_secret(json.dumps(document))
        except CredentialMalformed as error:
            error.remedy = _NOTHING_STORED if secret or not self.field else _NOTHING_GIVEN
            raise
        if isinstance(stored, DockerConfig):
            stored.check()
        return stored, json.dumps({**document, "host": stored.host})


def renewed(safe: Safe, name: str) -> Entry:
    """What is stored under ``name``, whose kind and host are to stay. Raises ``UsageError`` where it doesn't say."""
    from byoa.errors import CredentialForbidden

    try:
        entry = safe.entry(name)
    except CredentialForbidden:
        raise UsageError(f"nothing is stored as {name} yet, so that --kind and --host are wanted") from None
    if entry.kind not in KIND_NAMES or not entry.host:
        raise UsageError(f"what is stored as {name} doesn't show what it is: --kind and --host are wanted")
    return entry


def read_secret(given: Given) -> str | None:
    """The secret: all of stdin but one line end, or what is typed where nobody sees it. ``None`` where there is none.

    Raises ``UsageError`` where it is over 64 KiB, no text, or a file that is to be typed.
    """
    if given.field is None:
        return None
    if sys.stdin.isatty():
        if given.kind in _FILES:
            raise UsageError(f"kind {given.kind} takes a file: give it on stdin, as in < FILE")
        return ask_unseen(f"{given.field.replace('_', ' ')} for {given.host} (not shown): ")
    return _piped()


def typed_or_piped(prompt: str) -> str:
    """All of stdin but one line end, or what is typed where nobody sees it. Raises ``UsageError`` for nothing."""
    text = ask_unseen(prompt) if sys.stdin.isatty() else _piped()
    if not text:
        raise UsageError("nothing was given, and nothing stored: give the secret on stdin, or type it")
    return text


def _piped() -> str:
    content = sys.stdin.buffer.read(_LIMIT + 1)
    if len(content) > _LIMIT:
        raise UsageError("what is on stdin is over 64 KiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError("what is on stdin is no text in UTF-8") from None
    return text.removesuffix("\n").removesuffix("\r")


def check_can_ask(*, yes: bool) -> None:
    """Raise ``UsageError`` where somebody is to be asked and nobody can be."""
    if not yes and not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask at: --yes does it unasked")


def _forget_what_was_typed() -> None:
    try:
        import termios
    except ImportError:  # Windows has none
        return
    with suppress(termios.error, OSError):  # a terminal that hung up, or none below: the question is put all the same
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


def confirmed(question: str) -> bool:
    """Whether somebody at the terminal says yes. Raises ``UsageError`` where nobody can be asked.

    What was typed before the question is no answer to it, and is dropped.
    """
    from byoa_cli.printable import visible

    check_can_ask(yes=False)
    _forget_what_was_typed()
    sys.stderr.write(f"{visible(question)} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def ask_unseen(prompt: str) -> str:
    """What is typed at the terminal without being shown. Raises ``UsageError`` where that can't be."""
    from getpass import GetPassWarning, getpass
    from warnings import catch_warnings, simplefilter

    from byoa_cli.printable import visible

    with catch_warnings():
        simplefilter("error", GetPassWarning)  # it comes before what is typed would be shown
        try:
            return getpass(visible(prompt), stream=sys.stderr)
        except EOFError:
            raise UsageError("nothing was typed, and nothing stored") from None
        except GetPassWarning:
            raise UsageError("nothing could be asked for unseen: give the secret on stdin") from None
        except KeyboardInterrupt:
            sys.stderr.write("\n")
            raise Interrupted("nothing was stored") from None


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _content(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return file.read(_LIMIT).decode()
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text") from None
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from error
