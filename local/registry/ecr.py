"""What Amazon ECR does otherwise: repositories are made in the control plane, tags can be immutable, IAM is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from local.registry.control import HOME, AwsControlPlane, ControlPlane, RepositoryFacts
from local.registry.messages import PATH, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.registry.messages import Request

_TAGS_LIMIT: Final = 1_000  # of one image (ECR's quotas)
_ACTIONS: Final = {
    ("GET", "manifests"): "ecr:BatchGetImage",
    ("PUT", "manifests"): "ecr:PutImage",
    ("DELETE", "manifests"): "ecr:BatchDeleteImage",
    ("GET", "blobs"): "ecr:GetDownloadUrlForLayer",
    ("HEAD", "blobs"): "ecr:BatchCheckLayerAvailability",
    ("POST", "blobs/uploads"): "ecr:InitiateLayerUpload",
    ("PATCH", "blobs/uploads"): "ecr:UploadLayerPart",
    ("PUT", "blobs/uploads"): "ecr:CompleteLayerUpload",
    ("GET", "tags"): "ecr:ListImages",
}
"""IAM's action for a request of the distribution's API; ECR's guide tells of it by what a pull and a push need."""

_ANY_OTHER: Final = "ecr:BatchGetImage"


def action_of(request: Request) -> tuple[str, str] | None:
    """IAM's action and the repository of a request; ``None`` for one of no repository, as ``/v2/``."""
    found = PATH.fullmatch(request.path)
    return found and (_ACTIONS.get((request.method, found["kind"]), _ANY_OTHER), found["name"])


@dataclass(frozen=True)
class EcrSettings:
    """ECR's manners, with the control plane at ``endpoint_url`` or the one given, in one account and region.

    ``exclusions`` are the filters of repositories whose control plane stores them without telling them.
    """

    endpoint_url: str = ""
    region: str = "us-east-1"
    exclusions: tuple[str, ...] = ("sha256-*",)
    control: ControlPlane | None = None
    account: str = HOME


class Ecr:
    """The rules of one account's registry."""

    def __init__(self, settings: EcrSettings) -> None:
        """Raises ``ValueError`` without a control plane: the AWS SDK would then turn to Amazon's own."""
        if not settings.control and not settings.endpoint_url:
            raise ValueError("ECR's manners need the endpoint_url of a control plane, or one in memory")
        self.control = settings.control or AwsControlPlane(settings.endpoint_url, settings.region, settings.account)
        self.account = settings.account
        self._exclusions = settings.exclusions

    def facts(self, name: str) -> RepositoryFacts:
        """The facts of the repository ``name``. Raises ``Refused``: ECR makes no repository by itself."""
        facts = self.control.repository(name)
        if facts is None:
            message = f"The repository with name '{name}' does not exist in the registry with id '{self.account}'"
            refuse(404, "NAME_UNKNOWN", message)
        return facts

    def check_tag(self, name: str, tag: str, digest: str, taken: Mapping[str, str]) -> None:
        """Raise ``Refused`` when ``digest`` may not get ``tag``.

        Which is so when the tag is among the ``taken`` ones and immutable, even for the digest it has, and when the
        image has as many tags as it may (the message and code as in medic/cht-core#11099, the status as in
        aws/containers-roadmap#2159).
        """
        if tag in taken and self.facts(name).is_immutable(tag, self._exclusions):
            message = (
                f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because "
                "the tag is immutable."
            )
            refuse(400, "TAG_INVALID", message)
        if taken.get(tag) != digest and list(taken.values()).count(digest) >= _TAGS_LIMIT:
            message = (
                f"Adding tag '{tag}' to an image in the repository with name '{name}' in registry with id "
                f"'{self.account}' exceeds the maximum allowed number of tags per image which is "
                f"'{_TAGS_LIMIT}'."
            )
            refuse(403, "DENIED", message)
