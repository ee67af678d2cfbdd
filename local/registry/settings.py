"""How a registry of the desk is to behave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from local.registry.ecr import EcrSettings


@dataclass(frozen=True)
class Settings:
    """The switches of one registry.

    ``auth``, ``username``, ``password``: who is let in; ``anonymous_pull`` lets everybody pull. ``expires_in`` is the
    life of a token in seconds and ``realm`` where tokens are to be had, by default at this registry. ``referrers``,
    ``mounts``, ``tag_parameters``: whether these parts of the specification are there. ``ecr`` gives the registry ECR's
    manners and overrides ``auth``, ``mounts`` and ``tag_parameters``. ``directory`` keeps everything on disk, and
    ``damaged`` is a file, which may come later, of the digests of blobs that are served with other bytes.
    """

    auth: Literal["anonymous", "basic", "bearer"] = "anonymous"
    username: str = "byoa"
    password: str = "desk"
    anonymous_pull: bool = False
    expires_in: int = 300
    realm: str | None = None
    referrers: bool = True
    mounts: bool = True
    tag_parameters: bool = True
    ecr: EcrSettings | None = None
    directory: Path | None = None
    damaged: Path | None = None
    verbose: bool = False
