"""The `byoa` command."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final, NoReturn

import typer

from byoa.errors import ByoaError
from byoa_cli.output import FAULT, exit_code, print_error

if TYPE_CHECKING:
    from collections.abc import Iterable

_HELP = """Bring your own artifact: name an OCI artifact that holds Kubernetes manifests; have it pinned, checked and
mirrored to where your customers' clusters can pull it.

Exit codes: 0 fine, 1 something for you to fix, 2 usage, 3 a fault of the platform's or the network's.
"""

COMMANDS: Final = {
    "validate": "components:validate",
    "schema": "components:schema",
    "sync": "syncing:sync",
    "builds": "builds:app",
    "receipt": "receipts:app",
    "resolve": "artifacts:resolve",
    "inspect": "artifacts:inspect",
    "mirror": "mirroring:mirror",
}
"""Where each command is, a module and a name in it; in the order of the help."""


def _group() -> None:
    """Keep commands by name where there is only one."""


def make_app(names: Iterable[str]) -> typer.Typer:
    """The command line with these commands; nothing of the others is imported."""
    app = typer.Typer(
        help=_HELP,
        callback=_group,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in names:
        module, _, attribute = COMMANDS[name].partition(":")
        found = getattr(import_module(f"byoa_cli.{module}"), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    return app


def run() -> NoReturn:
    """Run the command line; errors of ours end as a sentence and an exit code, never as a traceback."""
    as_json = any(argument in ("--json", "-j") for argument in sys.argv[1:])
    asked = sys.argv[1:2]
    try:
        make_app(asked if asked and asked[0] in COMMANDS else COMMANDS)()
    except ByoaError as error:
        print_error(error, as_json=as_json)
        sys.exit(exit_code(error))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FAULT)
    sys.exit(0)
