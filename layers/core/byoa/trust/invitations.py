"""What a vendor writes into its own account so that builds may pull from its ECR: two policies of IAM, to be copied."""

from __future__ import annotations

from typing import Any, Final

_VERSION: Final = "2012-10-17"

PULL: Final = (
    "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer",
)  # fmt: skip
"""What is asked of a repository that is read (ECR user guide, "Repository policy examples")."""

LOG_IN: Final = "ecr:GetAuthorizationToken"
"""What is asked of a whole registry: it has no resource."""


def trust_policy(principal: str, external_id: str) -> dict[str, Any]:
    """The trust policy of the vendor's role: for our role alone, and with the organisation's ExternalId alone."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    return {"Version": _VERSION, "Statement": [statement]}


def pull_policy(repositories: str) -> dict[str, Any]:
    """What the vendor's role may: read ``repositories`` (an ARN, or a pattern of one)."""
    login = {"Effect": "Allow", "Action": LOG_IN, "Resource": "*"}
    return {
        "Version": _VERSION,
        "Statement": [login, {"Effect": "Allow", "Action": list(PULL), "Resource": repositories}],
    }
