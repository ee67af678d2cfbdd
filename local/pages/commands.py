"""The page on the command line: every command with its options and examples, as its parser reads them."""

from __future__ import annotations

import re
import textwrap
from argparse import Action, ArgumentParser, BooleanOptionalAction, HelpFormatter
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from byoa_cli.commands import Command, Deferred, Group
from byoa_cli.main import COMMANDS
from byoa_cli.output import FAULT, FINE, MEND, USAGE
from local.pages.markdown import code, fence, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator

INTRODUCTION: Final = """\
`make setup` makes `byoa` as `.venv/bin/byoa`. Results go to stdout, progress and errors to stderr; with
`--json` the result is one JSON document. An error says what happened and the next step.
"""

LOGINS: Final = """\
## Logins to registries

Commands that speak to registries use the logins that are there. They are looked for in this order, and the first file
that has one for the registry counts:

1. the file that `REGISTRY_AUTH_FILE` names,
2. Docker's `config.json` in `DOCKER_CONFIG`, by default in `~/.docker`,
3. Podman's `${XDG_RUNTIME_DIR}/containers/auth.json`, unless `REGISTRY_AUTH_FILE` stands in for it,
4. Podman's `${XDG_CONFIG_HOME}/containers/auth.json`, by default in `~/.config`.

Within a file a login for `HOST/team` goes before one for `HOST`, and what a credential helper knows (`credHelpers`,
then `credsStore`) before what the file itself has for the host. A host with another port is another host. Entries may
be `auth`, `username` and `password`, `identitytoken` or `registrytoken`.

A login is shown to the registry, and to a token service that is the registry's own: on its host, on its domain, or
known to be (Docker Hub, GitLab, DigitalOcean, Alibaba), at https' own port. Any other is `RealmRefused`, unless
`--token-host` names it.
"""

APIS: Final = """\
## An API, or a stack's table

`byoa login` keeps an API's address and a token in a profile, in `${XDG_CONFIG_HOME:-~/.config}/byoa/config.toml`, which
nobody else may read. What says where to look is asked in this order:

1. the options `--api` and `--profile`, or `--table` with AWS credentials,
2. `BYOA_API` and `BYOA_PROFILE`, then `BYOA_TABLE`,
3. the profile `default`.

The token is `BYOA_TOKEN`, or that of the profile, which is shown to that profile's API and to no other. It goes over
https alone; http is for an API on this machine. The organisation is the token's; `--org` or `BYOA_ORG` may name it, and
another one is refused. In GitHub Actions, where there is no token and the job may have one (`permissions: id-token:
write`), it is the job's own, for `byoa:` and the organisation that `--org` or `BYOA_ORG` names; it is renewed while a
command runs, and kept nowhere. Lists come in parts (`--limit`, `--offset`, `--page`), or whole with `--all`. With AWS
credentials and a table there are `sync`, `builds list|get|logs`, `receipt` and `credentials`; all else is the API's.

What passes by itself is tried again, for minutes at most and as the API asks (`Retry-After`); each write has a key, so
that one whose answer was lost is done once. Lookups of artifacts (`sync --plan` and `--locked`, `validate --online`,
`diff COMPONENT`) are asked once: the platform tries again by itself. They take the scope `sync`.
"""

VARIABLES: Final = {
    "BYOA_TOKEN": "the token for the API; goes before the profile's",
    "BYOA_OIDC": "`1`: a job of GitHub Actions shows its own token whatever else there is; `0`: it shows none",
    "ACTIONS_ID_TOKEN_REQUEST_URL, ACTIONS_ID_TOKEN_REQUEST_TOKEN": "GitHub's own: where a job's token is asked for",
    "XDG_CONFIG_HOME": "where `byoa/config.toml` with the profiles is (default: `~/.config`)",
    "HTTPS_PROXY, HTTP_PROXY, NO_PROXY": "proxies on the way to the API and to registries",
    "DOCKER_CONFIG": "the folder with Docker's `config.json`, which holds logins to registries (default: `~/.docker`)",
    "REGISTRY_AUTH_FILE": "a file like that of podman's, which is asked first; after docker's own come podman's",
    "BYOA_DESK_REGISTRIES": "of `.desk/env`: where the desk of `make up` answers for its ECR, on loopback alone",
    "AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL …": "AWS's own, as in all of its tools",
    "NO_COLOR, FORCE_COLOR, TERM": "no colours; colours where there is no terminal as well; none with `TERM=dumb`",
    "GITHUB_ACTIONS": "`true` has `validate` and `sync` name faults as GitHub's annotations, by line, on stderr",
    "GITHUB_STEP_SUMMARY": "a file that `validate` and `sync` append a table to",
    "COLUMNS": "how wide texts may be, instead of what the terminal says",
}
_NAMED: Final = re.compile(r" \[env: ([A-Z_]+)\]")
_WIDTH: Final = 110


def command_page() -> str:
    """The page, made of all commands that there are."""
    commands = list(all_commands())
    return page(
        "Command line",
        INTRODUCTION,
        table(["command", "does"], [(f"[`{name}`](#{_anchor(name)})", each.summary) for name, each in commands]),
        *(_command(name, each) for name, each in commands),
        APIS,
        LOGINS,
        _exit_codes(),
        _variables(commands),
    )


def all_commands() -> Iterator[tuple[str, Command]]:
    """Every command with its whole name, in the order of the help."""
    for name, place in COMMANDS.items():
        module, _, attribute = place.partition(":")
        yield from _below(f"byoa {name}", getattr(import_module(f"byoa_cli.{module}"), attribute))


def _below(name: str, command: Command | Group | Deferred) -> Iterator[tuple[str, Command]]:
    if isinstance(command, Command):
        yield name, command
    elif isinstance(command, Deferred):
        yield from _below(name, command.command)
    else:
        for word, each in command.commands.items():
            yield from _below(f"{name} {word}", each)


def parser_of(name: str, command: Command, *, loose: bool = False) -> ArgumentParser:
    """A parser that reads what the command reads; a ``loose`` one takes any value and misses no variable."""
    parser = ArgumentParser(name, formatter_class=partial(HelpFormatter, width=_WIDTH), allow_abbrev=False)
    for option in command.options:
        option.add_to(parser)
    for action in _actions(parser) if loose else ():
        action.type, action.required = None, action.required and not _NAMED.search(action.help or "")
    return parser


def needs_the_stack(name: str, command: Command) -> bool:
    """Whether it works with what is deployed: then it is told where that is, by an option or a variable."""
    return any(_NAMED.search(action.help or "") for action in _actions(parser_of(name, command)))


def _command(name: str, command: Command) -> str:
    text, _, examples = (command.run.__doc__ or "").partition("Example")
    lines = [f"$ {line.strip()}" for line in examples.splitlines()[1:] if line.strip()]
    parser = parser_of(name, command)
    spared = {name for option in command.options if not option.needed for name in option.names}
    rows = [_row(action, spared) for action in _actions(parser)]
    return "\n".join([
        f"## {name}\n",
        textwrap.dedent(text).strip() + "\n",
        fence("text", parser.format_usage()),
        table(["option", "required", "does"], rows) if rows else "",
        fence("console", "\n".join(lines)),
    ])  # fmt: skip


def _actions(parser: ArgumentParser) -> list[Action]:
    """What there is beside ``--help``; argparse keeps it under this name alone."""
    return [action for action in parser._actions if action.dest != "help"]  # noqa: SLF001


def _row(action: Action, spared: set[str]) -> tuple[str, str, str]:
    names = ", ".join(code(each) for each in action.option_strings) or code(action.metavar or action.dest)  # type: ignore[arg-type]
    value = f" {code(str(action.metavar or action.dest.upper()))}" if action.option_strings and _takes(action) else ""
    choices = f" One of {', '.join(map(code, action.choices))}." if action.choices else ""
    return (
        names + value,
        "yes" if _wanted(action, spared) else "",
        _NAMED.sub(r" Or `\1`.", action.help or "") + choices,
    )


def _takes(action: Action) -> bool:
    return action.nargs != 0 and not isinstance(action, BooleanOptionalAction)


def _wanted(action: Action, spared: set[str]) -> bool:
    """Whether it has to be given; argparse doesn't say so where a variable stands in for it just now."""
    return action.required or (bool(_NAMED.search(action.help or "")) and spared.isdisjoint(action.option_strings))


def _exit_codes() -> str:
    rows = [
        (str(FINE), "all is well"),
        (str(MEND), "something for you to fix: a config, a reference, an artifact, a login"),
        (str(USAGE), "the call makes no sense; `--help` shows the right one"),
        (str(FAULT), "a fault of the platform's or the network's: trying again may help"),
    ]
    as_diff = "`byoa diff` ends as `diff` does: 0 without a difference, 1 with one, 2 with something for you to fix."
    return "## Exit codes\n\n" + table(["code", "means"], rows) + f"\n\n{as_diff}"


def _variables(commands: list[tuple[str, Command]]) -> str:
    found: dict[str, str] = {}
    for action in (action for name, command in commands for action in _actions(parser_of(name, command))):
        told = action.help or ""
        if named := _NAMED.search(told):
            found.setdefault(named[1], f"stands in for {code(action.option_strings[0])}: {told[: named.start()]}")
    rows = [(", ".join(map(code, name.split(", "))), text) for name, text in (found | VARIABLES).items()]
    return "## Environment variables\n\n" + table(["variable", "what it does"], rows)


def _anchor(name: str) -> str:
    return name.replace(" ", "-")
