"""What a vendor writes into its own account so that builds may pull from its ECR: two policies of IAM, to be copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa.errors import CredentialForbidden
from byoa.oci.ecr import ecr_account
from byoa.oci.reference import Registry
from byoa.trust.kinds import AwsEcr

if TYPE_CHECKING:
    from byoa.trust.kinds import Stored

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


def check_foreign(stored: Stored, account: str) -> None:
    """Raise ``CredentialForbidden`` for credentials of the platform's own ``account``.

    None of its roles is lent, and its registry, which holds the mirrors, is no source.
    """
    if isinstance(stored, AwsEcr) and stored.role_account == account:
        raise CredentialForbidden(
            "The role is of the platform's own account, whose roles are lent to nobody.",
            remedy="Name a role of the vendor's account.",
        )
    if ecr_account(Registry.parse(stored.host).host) == account:
        raise CredentialForbidden(
            "The host is the registry that this platform mirrors to, which is no source of builds.",
            remedy="Name a registry of the vendor's account.",
        )
