"""The desk's mirrors, for commands on this machine: where their host is answered for, and a login to it."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from local import private

if TYPE_CHECKING:
    from pathlib import Path

    from local.desk import Desk


def variables(ready: Desk) -> dict[str, str]:
    """What has `byoa` find them (``byoa_cli.desk``) and the login that ``write_login`` leaves."""
    return {
        "BYOA_DESK_REGISTRIES": f"{ready.outputs['RegistryHost']}={ready.ecr}",
        "REGISTRY_AUTH_FILE": str(_logins(ready)),
    }


def write_login(ready: Desk) -> None:
    """A file as podman has them, with a password of ECR's: it lasts for twelve hours, as on AWS."""
    with contextlib.closing(ready.client("ecr")) as client:
        token = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    auths = {"auths": {ready.outputs["RegistryHost"]: {"auth": token}}}
    private.write_secret(_logins(ready), f"{json.dumps(auths)}\n")


def _logins(ready: Desk) -> Path:
    return ready.folder.resolve() / "logins.json"
