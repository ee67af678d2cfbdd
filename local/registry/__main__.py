"""The desk's registry as a program; after a ``--`` begins another one, in the same process.

python -m local.registry --port 5000
python -m local.registry --port 5000 --dir ./registry --auth bearer --username me --password secret
python -m local.registry --port 5000 --no-referrers
python -m local.registry --port 5000 --ecr http://127.0.0.1:4566 --region eu-west-1
python -m local.registry --port 5000 -- --port 5001 --auth basic --username me --password-variable SECRET
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local.registry.ecr import EcrSettings
from local.registry.registry import Registry
from local.registry.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

_STOPPED_BY = (signal.SIGTERM, signal.SIGINT)


def _parser() -> argparse.ArgumentParser:
    about, _, examples = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="registry",
        description=about,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="where to listen on 127.0.0.1 (default: any free port)")
    parser.add_argument("--auth", choices=["anonymous", "basic", "bearer"], default="anonymous")
    parser.add_argument("--username", default=Settings.username)
    parser.add_argument("--password", default=Settings.password)
    parser.add_argument("--password-variable", metavar="NAME", help="the password is in this environment variable")
    parser.add_argument("--anonymous-pull", action="store_true", help="let everybody pull")
    parser.add_argument("--no-referrers", action="store_true", help="answer 404 to the referrers API")
    parser.add_argument("--dir", type=Path, help="keep everything there, an OCI layout for each repository")
    parser.add_argument("--damaged", metavar="FILE", type=Path, help="digests of blobs to serve with other bytes")
    parser.add_argument("--ecr", metavar="ENDPOINT_URL", help="behave as ECR, with this control plane")
    parser.add_argument("--region", default=EcrSettings.region, help="the region of --ecr (default: %(default)s)")
    parser.add_argument("--account", default=EcrSettings.account, help="whose --ecr it is (default: %(default)s)")
    parser.add_argument("--verbose", action="store_true", help="log requests to stderr")
    return parser


def _settings(arguments: Sequence[str]) -> tuple[Settings, int]:
    given = _parser().parse_args(arguments)
    ecr = EcrSettings(given.ecr, given.region, account=given.account) if given.ecr else None
    settings = Settings(
        auth=given.auth,
        username=given.username,
        password=os.environ[given.password_variable] if given.password_variable else given.password,
        anonymous_pull=given.anonymous_pull,
        referrers=not given.no_referrers,
        ecr=ecr,
        directory=given.dir,
        damaged=given.damaged,
        verbose=given.verbose,
    )
    return settings, given.port


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    given = sys.argv[1:] if arguments is None else arguments
    groups = itertools.groupby(given, lambda argument: argument == "--")
    wanted = [_settings(list(group)) for is_between, group in groups if not is_between] or [_settings(())]
    # Blocked before the first thread starts, so that the signals wait for ``sigwait`` and interrupt nothing.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPED_BY)
    with contextlib.ExitStack() as running:
        for settings, port in wanted:
            try:
                registry = running.enter_context(Registry(settings, port=port))
            except OSError as error:
                sys.exit(f"registry: {error}")
            print(f"registry listening on http://{registry.address}", flush=True)
        signal.sigwait(_STOPPED_BY)


if __name__ == "__main__":
    main()
