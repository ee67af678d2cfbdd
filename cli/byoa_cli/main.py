"""The `byoa` command."""

from __future__ import annotations

import gc
import os
import sys
from argparse import Action, ArgumentParser, Namespace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final, NoReturn

from byoa.errors import ByoaError, InternalFault
from byoa_cli.commands import Deferred, Group, Option
from byoa_cli.output import FAULT, INTERRUPTED, exit_code, print_error, print_line
from byoa_cli.streams import flush, prepare, silence

if TYPE_CHECKING:
    from byoa_cli.commands import Command

_HELP: Final = """Bring your own artifact: name an OCI artifact that holds Kubernetes manifests; have it
pinned, checked and mirrored to where your customers' clusters can pull it.

Exit codes: 0 fine, 1 something for you to fix, 2 usage, 3 a fault of the platform's or the network's.
"""

COMMANDS: Final = {
    "validate": "components:validate",
    "schema": "components:schema",
    "login": "accounts:login",
    "logout": "accounts:logout",
    "whoami": "accounts:whoami",
    "sync": "syncing:sync",
    "apps": "apps:apps",
    "components": "inventories:components",
    "configs": "configs:configs",
    "builds": "builds:builds",
    "open": "opening:open_page",
    "receipt": "receipts:receipt",
    "credentials": "credentials:credentials",
    "policies": "policies:policies",
    "hooks": "hooks:hooks",
    "tokens": "tokens:tokens",
    "issuers": "issuers:issuers",
    "audit": "tokens:audit",
    "admin": "admin:admin",
    "resolve": "artifacts:resolve",
    "inspect": "artifacts:inspect",
    "diff": "differences:diff",
    "push": "pushing:push",
    "mirror": "mirroring:mirror",
    "install": "installing:install",
    "installs": "installs:installs",
    "completion": "completion:completion",
}
"""Where each command is, a module and a name in it; in the order of the help."""

SUMMARIES: Final = {
    "validate": "Check component files; all faults of all files are told at once.",
    "schema": "Print the JSON Schema of component files, for editors.",
    "login": "Keep an API and a token for it in a profile; the token comes from stdin or a prompt.",
    "logout": "Take a profile away; its token stays good until it is revoked or expires.",
    "whoami": "Tell which API is spoken to, as whom, and what the token may do.",
    "sync": "Hand in the app's component files; each one that changed is built.",
    "apps": "List the organisation's apps.",
    "components": "Look at an app's components, and delete them.",
    "configs": "Look at the configs that components had.",
    "builds": "Read builds and their history, make them anew, stop them.",
    "open": "Open the dashboard's page of a component in a browser, or that of the app, or the first one.",
    "receipt": "Get and check the signed receipts of builds.",
    "credentials": "Store and try what builds log in to vendors' registries with.",
    "policies": "See and set which repositories the organisation's builds may read.",
    "hooks": "Make, list and delete hooks, where registries tell that something was pushed.",
    "tokens": "Make, list and revoke the organisation's tokens for the API.",
    "issuers": "Let CI and others in by tokens that they have of an issuer, without a secret.",
    "audit": "See who did what in the organisation.",
    "admin": "Set up what takes AWS credentials: an organisation's first API token.",
    "resolve": "Tell what a tag means right now: the digest to pin.",
    "inspect": "Tell what an artifact holds, and who else could use it. Exits with 1 where it can't be installed.",
    "diff": "Tell which Kubernetes objects differ between two artifacts, and where. Values of Secrets are never shown.",
    "push": "Pack manifests into an artifact and push it. What the pipeline would refuse is refused before it is sent.",
    "mirror": "Copy artifacts, byte for byte, between registries and OCI layouts. What is there already is skipped.",
    "install": "Apply an artifact to a Kubernetes cluster: planned, by stages, watched, pruned.",
    "installs": "Install an app's components to clusters: planned, approved, watched, mended.",
    "completion": "Print what makes a shell complete commands, options and files on Tab.",
}
"""What each command says of itself, so that the help of them all needs none of them."""


def _find(name: str) -> Command | Group:
    module, _, attribute = COMMANDS[name].partition(":")
    found: Command | Group = getattr(import_module(f"byoa_cli.{module}"), attribute)
    return found


class _Version(Action):
    """Prints the version. Reading it takes longer than most starts, so it is read only here."""

    def __call__(self, parser: ArgumentParser, namespace: Namespace, values: object, option: str | None = None) -> None:  # noqa: ARG002 - argparse's own
        from importlib.metadata import version

        print_line(f"byoa {version('byoa')}")
        parser.exit()


_GARBAGE: Final = 50_000
"""Objects that are made before any are searched for cycles: a short command ends before that."""


def root() -> Group:
    """All commands; none is imported until it is asked for."""
    commands = {name: Deferred(SUMMARIES[name], partial(_find, name)) for name in COMMANDS}
    return Group(_HELP, commands, (Option("--version", action=_Version, nargs=0, help="Print the version and end."),))


def run() -> NoReturn:
    """Run the command line; whatever goes wrong ends as a sentence and an exit code, never as a traceback."""
    gc.set_threshold(_GARBAGE)
    prepare()
    arguments = sys.argv[1:]
    try:
        sys.exit(_run(arguments))
    except ByoaError as error:
        sys.exit(_tell(error, arguments))
    except KeyboardInterrupt as stop:
        sys.exit(_stop(stop))
    except BrokenPipeError:
        silence()
        sys.exit(FAULT)
    except OSError as error:
        silence()
        sys.exit(_tell(_refused(error), []))
    except Exception as defect:
        if os.environ.get("BYOA_TRACEBACK"):
            raise
        sys.exit(_tell(_unknown(defect), arguments))
    finally:
        gc.freeze()  # the end doesn't search all that is left for cycles: a tenth of a small mirror's time


def _run(arguments: list[str]) -> int:
    try:
        return root().call("byoa", arguments)
    finally:
        flush()


def _tell(error: ByoaError, arguments: list[str]) -> int:
    try:
        print_error(error, as_json="--json" in arguments or "-j" in arguments)
        flush()
    except OSError:
        silence()
    return exit_code(error)


def _stop(stop: KeyboardInterrupt) -> int:
    """One line, and nothing that is under way is waited for."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who presses it twice means it once
    told = f": {stop}" if str(stop) else ""
    sys.stderr.write(f"interrupted{told}\n")
    return INTERRUPTED


def _refused(error: OSError) -> ByoaError:
    place = f"{error.filename}: " if isinstance(error.filename, str) else ""
    return InternalFault(
        f"The system refuses something: {place}{error.strerror or type(error).__name__}.",
        remedy="See that what is read and written here is there, and that there is room.",
    )


def _unknown(defect: Exception) -> ByoaError:
    return InternalFault(
        f"The command failed in a way it doesn't know ({type(defect).__name__}).",
        remedy="Tell the project which command it was; with BYOA_TRACEBACK=1 it says where it happened.",
    )
