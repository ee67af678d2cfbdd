"""What `make up` says at the end: addresses that work on this machine, and what to do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local import private
from local.desk import ROOT, cluster_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.desk import Desk
    from local.standing import Standing


def told(ready: Desk, standing: Standing, token: str, *, containers: bool) -> Iterator[str]:
    """Its lines. ``containers`` says that functions in them were let in, ``token`` is an admin's."""
    yield ""
    yield from (f"{name:<22} {address}" for name, address in addresses(ready).items())
    yield f"\nfor a browser, to sign in: {ready.dashboard}auth/login#{token}"
    yield f"for the command line: source {_shown(standing.shells)}"
    yield f"for kubectl and byoa install: --kubeconfig {_shown(cluster_folder(standing.servers)) / 'kubeconfig'}"
    yield "private artifacts, as components name them:"
    yield from (f"  {place.url}:{place.tag}  {_login(place, standing)}" for place in private.places(ready))
    yield "to store their logins, and to try them:"
    for place in private.places(ready):
        yield from (f"  {command}" for command in private.commands(place, _shown(standing.servers)))
    if containers:
        yield f"for SAM: sam local invoke FUNCTION -e events/EVENT.json --env-vars {_shown(standing.sam)}"
    else:
        again = f"{standing.command('down')} and {standing.command('up')}"
        yield f"for SAM: `sam local` needs a container engine, and none answers; start one, then {again}"
    yield f"to stop: {standing.command('down')}"


def addresses(ready: Desk) -> dict[str, str]:
    """Where its servers answer on this machine."""
    return {
        "AWS (emulator)": ready.aws,
        "API": ready.api,
        "dashboard": ready.dashboard,
        "vendor's registry": ready.vendor,
        "ECR's data plane": ready.ecr,
        "cluster (in memory)": ready.cluster,
    }


def _login(place: private.Place, standing: Standing) -> str:
    if not place.secret_file:
        return private.ROLE_ARN
    return f"user {private.USER}, password in {_shown(standing.servers) / place.secret_file}"


def _shown(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
