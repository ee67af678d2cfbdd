"""Roles that others lend us: assumed with an ExternalId, and only if the role asks for one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from botocore.exceptions import ClientError

from byoa.adapters.aws.refusals import error_code

if TYPE_CHECKING:
    from types_boto3_sts import STSClient
    from types_boto3_sts.type_defs import CredentialsTypeDef

SECONDS: Final = 900
"""How long a role is assumed: the shortest that STS has."""

DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException"})
"""What AWS answers who may not."""

type Refusal = Literal["refused", "careless"]
"""A role doesn't let us in; or it would, whatever the ExternalId is."""


@dataclass(slots=True)
class Roles:
    """Assumes roles as ``session`` (for whoever reads their owners' trails), with no more of them than ``policy``.

    ``stranger`` is an ExternalId that is nobody's; ``careful`` are roles that refused it and then let in the ExternalId
    beside them, and may be shared by all of a process: it says nothing of anybody's secrets. What a role refused before
    says nothing of another ExternalId later, since its owner may have opened it meanwhile.
    """

    sts: STSClient
    session: str
    stranger: str
    policy: str
    careful: set[tuple[str, str]] = field(default_factory=set)

    def assume(self, role_arn: str, external_id: str) -> CredentialsTypeDef | Refusal:
        """A session of the role, or why there is none. Raises what AWS fails with.

        A role that lets us in whatever the ExternalId would do so for each of our organisations (IAM user guide, "The
        confused deputy problem"), so that is tried first.
        """
        if (role_arn, external_id) not in self.careful and self._assume(role_arn, self.stranger):
            return "careless"
        found = self._assume(role_arn, external_id)
        if found is None:  # a role that let nobody in, or isn't there, told nothing
            return "refused"
        self.careful.add((role_arn, external_id))
        return found

    def _assume(self, role_arn: str, external_id: str) -> CredentialsTypeDef | None:
        """What the role lets us have; ``None`` where its trust policy doesn't."""
        try:
            return self.sts.assume_role(
                RoleArn=role_arn,
                RoleSessionName=self.session,
                ExternalId=external_id,
                DurationSeconds=SECONDS,
                Policy=self.policy,
            )["Credentials"]
        except ClientError as error:
            if error_code(error) in DENIED:
                return None
            raise
