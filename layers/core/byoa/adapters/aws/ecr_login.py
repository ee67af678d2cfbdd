"""Logins to private ECR registries of other accounts, by a role that its owner lets us assume."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from byoa.adapters.aws.ecr import read_token
from byoa.adapters.aws.refusals import error_code, translated
from byoa.errors import AuthFailed, CredentialMalformed, SecretUnavailable, StoreThrottled
from byoa.oci.ecr import ecr_region

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from types_boto3_ecr import ECRClient
    from types_boto3_sts import STSClient
    from types_boto3_sts.type_defs import CredentialsTypeDef

    from byoa.trust.credentials import Credential

SECONDS: Final = 900
"""How long a role is assumed: the shortest that STS has."""

PULL: Final = (
    "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
)  # fmt: skip
"""What a vendor's role needs, and all that is taken of what it has (ECR user guide, "Repository policy examples")."""

_SESSION: Final = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": PULL, "Resource": "*"}],
})  # fmt: skip
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException"})
_TRUST: Final = (
    "Let the role's trust policy name the platform's role (output SourceRoleArn) and the ExternalId that "
    "`byoa credentials get` shows, with sts:AssumeRole and nothing else."
)


@dataclass(slots=True)
class RoleLogin:
    """Assumes roles as ``session`` (a build's id, for whoever reads the vendor's trail). Implements EcrLogin.

    ``ecr`` makes a client for a region with the session's credentials; ``careful`` are roles that are known to refuse
    us without an ExternalId, and may be shared by all of a process: it says nothing of anybody's secrets.
    """

    sts: STSClient
    ecr: Callable[[str, CredentialsTypeDef], ECRClient]
    session: str
    careful: set[str] = field(default_factory=set)

    def password(self, host: str, role_arn: str, external_id: str) -> Credential:
        """See ``trust.ports.EcrLogin``.

        A role that lets us in without an ExternalId would do so for each of our organisations (IAM user guide, "The
        confused deputy problem"), so that is tried first.
        """
        region = ecr_region(host)
        if region is None:
            raise CredentialMalformed("The host of the credentials is no private ECR.")
        with _translated():
            if role_arn not in self.careful:
                self._check_careful(role_arn)
            found = self._assume(role_arn, external_id)
            if found is None:
                raise AuthFailed("The role of the stored credentials doesn't let the platform in.", remedy=_TRUST)
            return self._log_in(self.ecr(region, found))

    def _check_careful(self, role_arn: str) -> None:
        if self._assume(role_arn, None):
            raise AuthFailed(
                "The role of the stored credentials lets the platform in without an ExternalId, whoever asks.",
                remedy=_TRUST,
            )
        self.careful.add(role_arn)

    def _assume(self, role_arn: str, external_id: str | None) -> CredentialsTypeDef | None:
        """What the role lets us have; ``None`` where its trust policy doesn't."""
        proof: Any = {"ExternalId": external_id} if external_id else {}
        try:
            return self.sts.assume_role(
                RoleArn=role_arn, RoleSessionName=self.session, DurationSeconds=SECONDS, Policy=_SESSION, **proof
            )["Credentials"]
        except ClientError as error:
            if error_code(error) in _DENIED:
                return None
            raise

    def _log_in(self, ecr: ECRClient) -> Credential:
        try:
            return read_token(ecr.get_authorization_token())
        except ClientError as error:
            if error_code(error) in _DENIED:
                raise AuthFailed(
                    "The role of the stored credentials may not log in to ECR.",
                    remedy=f"Give the role {', '.join(PULL)}.",
                ) from error
            raise


@contextmanager
def _translated() -> Iterator[None]:
    try:
        with translated("AWS"):
            yield
    except StoreThrottled as error:
        raise SecretUnavailable(error.cause) from error
