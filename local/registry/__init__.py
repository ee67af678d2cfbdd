"""An OCI registry for the desk (distribution-spec 1.1), in memory or on disk, alone or inside a test."""

from local.registry.control import AwsControlPlane, ControlPlane, MemoryControlPlane, RepositoryFacts
from local.registry.ecr import EcrSettings
from local.registry.messages import Hangup, Request, Response, as_json, refusal
from local.registry.registry import Registry, Seen
from local.registry.settings import Settings

__all__ = [
    "AwsControlPlane",
    "ControlPlane",
    "EcrSettings",
    "Hangup",
    "MemoryControlPlane",
    "Registry",
    "RepositoryFacts",
    "Request",
    "Response",
    "Seen",
    "Settings",
    "as_json",
    "refusal",
]
