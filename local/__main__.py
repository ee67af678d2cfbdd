"""`python -m local`: the desk, by one verb. `make up`, `make down` and `make demo` are these."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from local.interrupts import EXIT_CODE, hear_sigterm

_ON_A_TERMINAL: Final = "\x1b[?25h\n"
"""Shows the cursor, and ends the line: a spinner of `byoa` may have been ended while it turned."""

_UNTOLD: Final = {"down": "what still runs is stopped by the same command"}
"""What a Ctrl-C means at moments of which nothing more is known, by the verb."""


def main() -> int:
    """Run one verb; a fault of the desk is a sentence and exit code 1, Ctrl-C one and exit code 130."""
    hear_sigterm()
    options = _parser().parse_args()
    try:
        return _run(options)
    except KeyboardInterrupt as error:
        before = _ON_A_TERMINAL if sys.stderr.isatty() else ""
        told = str(error) or _UNTOLD.get(options.verb, "nothing is left running")
        print(f"{before}interrupted: {told}", file=sys.stderr)
        return EXIT_CODE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="An AWS, a vendor and an ECR on the desk.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    standing = verbs.add_parser("up", help="set it all up, leave it running, print the addresses")
    stopped = verbs.add_parser("down", help="stop what `up` started")
    for each in (standing, stopped):
        each.add_argument("--port", metavar="FIRST", help="eight ports from there on (default: standard ones)")
    stopped.add_argument("--all", action="store_true", help="every desk of this folder")
    shown = verbs.add_parser("demo", help="run the main job on a desk of its own, and stop that again")
    shown.add_argument("--json", action="store_true", help="one JSON object on the last line")
    shown.add_argument("--enforce-iam", action="store_true", help="with the functions' roles enforced")
    return parser


def _run(options: argparse.Namespace) -> int:
    # Imported here: they take a second, in which somebody may press Ctrl-C.
    from local.demo import demo
    from local.ports import first_of
    from local.processes import DeskError
    from local.standing import Standing, down, down_all, up

    try:
        if options.verb == "demo":
            return demo(as_json=options.json, enforce_iam=options.enforce_iam)
        if options.verb == "up":
            up(Standing(first_of(options.port)))
        elif options.all:
            down_all()
        else:
            down(Standing(first_of(options.port)))
    except DeskError as error:
        print(f"error: {error.cause}\n{error.remedy}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
