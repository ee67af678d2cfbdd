"""The `byoa` command."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from byoa.errors import ByoaError
from byoa_cli import artifacts, builds, components, mirroring, receipts, syncing
from byoa_cli.output import FAULT, exit_code, print_error

_HELP = """Bring your own artifact: name an OCI artifact that holds Kubernetes manifests; have it pinned, checked and
mirrored to where your customers' clusters can pull it.

Exit codes: 0 fine, 1 something for you to fix, 2 usage, 3 a fault of the platform's or the network's.
"""

app = typer.Typer(
    help=_HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("validate")(components.validate)
app.command("schema")(components.schema)
app.command("sync")(syncing.sync)
app.add_typer(builds.app, name="builds")
app.add_typer(receipts.app, name="receipt")
app.command("resolve")(artifacts.resolve)
app.command("inspect")(artifacts.inspect)
app.command("mirror")(mirroring.mirror)


def run() -> NoReturn:
    """Run the command line; errors of ours end as a sentence and an exit code, never as a traceback."""
    as_json = any(argument in ("--json", "-j") for argument in sys.argv[1:])
    try:
        app()
    except ByoaError as error:
        print_error(error, as_json=as_json)
        sys.exit(exit_code(error))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FAULT)
    sys.exit(0)
