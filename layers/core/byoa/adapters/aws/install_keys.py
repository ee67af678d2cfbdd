"""Sort keys of installs and of what is deployed to them; what stands there is said in ``adapters/aws/deploys.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from byoa.installs.messages import DeployKey, Install


def deploy_key(key: DeployKey) -> str:
    """Where a deploy stands."""
    return numbered_key(key.install_id, key.component, key.number)


def numbered_key(install_id: str, component: str, number: int) -> str:
    """Where a component's deploy of a number stands. Numbers are padded, so that they sort."""
    return f"DEPLOY#{install_id}#{component}#{number:010d}"


def part_key(install_id: str, component: str) -> str:
    """Where it stands how a component is."""
    return f"PART#{install_id}#{component}"


def applied_key(install_id: str, component: str) -> str:
    """Where it stands what was applied of a component."""
    return f"APPLIED#{install_id}#{component}"


def name_key(install: Install) -> str:
    """What makes an install's name one of its app's."""
    return f"INSTALLNAME#{install.app}#{install.name}"
