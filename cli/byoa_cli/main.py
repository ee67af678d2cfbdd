"""The `byoa` command."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final, NoReturn

from byoa.errors import ByoaError
from byoa_cli.commands import Group
from byoa_cli.output import FAULT, exit_code, print_error

if TYPE_CHECKING:
    from byoa_cli.commands import Command

_HELP: Final = """Bring your own artifact: name an OCI artifact that holds Kubernetes manifests; have it
pinned, checked and mirrored to where your customers' clusters can pull it.

Exit codes: 0 fine, 1 something for you to fix, 2 usage, 3 a fault of the platform's or the network's.
"""

COMMANDS: Final = {
    "validate": "components:validate",
    "schema": "components:schema",
    "sync": "syncing:sync",
    "builds": "builds:builds",
    "receipt": "receipts:receipt",
    "resolve": "artifacts:resolve",
    "inspect": "artifacts:inspect",
    "mirror": "mirroring:mirror",
}
"""Where each command is, a module and a name in it; in the order of the help."""


def _find(name: str) -> Command | Group:
    module, _, attribute = COMMANDS[name].partition(":")
    found: Command | Group = getattr(import_module(f"byoa_cli.{module}"), attribute)
    return found


def run() -> NoReturn:
    """Run the command line; errors of ours end as a sentence and an exit code, never as a traceback.

    Nothing is imported for commands that aren't asked for.
    """
    arguments = sys.argv[1:]
    asked = arguments[:1] if arguments[:1] and arguments[0] in COMMANDS else COMMANDS
    try:
        sys.exit(Group(_HELP, {name: _find(name) for name in asked}).call("byoa", arguments))
    except ByoaError as error:
        print_error(error, as_json="--json" in arguments or "-j" in arguments)
        sys.exit(exit_code(error))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FAULT)
    finally:
        gc.freeze()  # the end doesn't search all that is left for cycles: a tenth of a small mirror's time
