"""Who is let in to clusters of EKS that others own: by a role of theirs that asks for our ExternalId."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from byoa.adapters.aws.eks import Keys
from byoa.errors import ClusterForbidden

if TYPE_CHECKING:
    from byoa.adapters.aws.roles import Roles

_TRUST: Final = (
    "Let the role's trust policy name the platform's role and the organisation's ExternalId (`byoa whoami` and "
    "GET /v1/orgs/current tell both), with sts:AssumeRole and nothing else."
)


def session_policy(cluster: str, region: str, role_arn: str) -> str:
    """All that is taken of what a role may: to ask where the cluster is. To be known takes no permission."""
    _, partition, _, _, account, _ = role_arn.split(":", 5)
    resource = f"arn:{partition}:eks:{region}:{account}:cluster/{cluster}"
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "eks:DescribeCluster", "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass(frozen=True, slots=True)
class LentRole:
    """Keys of one role, for as long as STS gives them at least: 15 minutes."""

    roles: Roles
    role_arn: str
    external_id: str

    def keys(self) -> Keys:
        """New ones. Raises ``ClusterForbidden``, and what AWS fails with."""
        found = self.roles.assume(self.role_arn, self.external_id)
        if found == "careless":
            raise ClusterForbidden(
                "The role of the cluster lets the platform in whoever asks: it looks at no ExternalId.", remedy=_TRUST
            )
        if found == "refused":
            raise ClusterForbidden("The role of the cluster doesn't let the platform in.", remedy=_TRUST)
        return Keys(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
