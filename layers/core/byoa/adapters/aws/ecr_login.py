"""Logins to private ECR registries of other accounts, by a role that its owner lets us assume."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from byoa.adapters.aws.ecr import read_token
from byoa.adapters.aws.refusals import error_code, translated
from byoa.errors import AuthFailed, CredentialMalformed, SecretUnavailable, StoreThrottled
from byoa.oci.ecr import ecr_region
from byoa.trust.invitations import LOG_IN, pull_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from types_boto3_ecr import ECRClient
    from types_boto3_sts import STSClient
    from types_boto3_sts.type_defs import CredentialsTypeDef

    from byoa.trust.credentials import Credential

SECONDS: Final = 900
"""How long a role is assumed: the shortest that STS has."""

_SESSION: Final = json.dumps(pull_policy("*"))
"""All that is taken of what a role may."""

_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException"})
_TRUST: Final = (
    "Let the role's trust policy name the platform's role (output SourceRoleArn) and the ExternalId that "
    "`byoa credentials get` shows, with sts:AssumeRole and nothing else."
)


@dataclass(slots=True)
class RoleLogin:
    """Assumes roles as ``session`` (a build's id, for whoever reads the vendor's trail). Implements EcrLogin.

    ``ecr`` makes a client for a region with the session's credentials. ``stranger`` is an ExternalId that is nobody's;
    ``careful`` are roles that refused it and then let in the ExternalId beside them, and may be shared by all of a
    process: it says nothing of anybody's secrets. What a role refused before says nothing of another ExternalId later,
    since its owner may have opened it meanwhile.
    """

    sts: STSClient
    ecr: Callable[[str, CredentialsTypeDef], ECRClient]
    session: str
    stranger: str
    careful: set[tuple[str, str]] = field(default_factory=set)

    def password(self, host: str, role_arn: str, external_id: str) -> Credential:
        """See ``trust.ports.EcrLogin``.

        A role that lets us in whatever the ExternalId would do so for each of our organisations (IAM user guide, "The
        confused deputy problem"), so that is tried first.
        """
        region = ecr_region(host)
        if region is None:
            raise CredentialMalformed("The host of the credentials is no private ECR.")
        with _translated():
            if (role_arn, external_id) not in self.careful:
                self._check_careful(role_arn)
            found = self._assume(role_arn, external_id)
            if found is None:
                raise AuthFailed("The role of the stored credentials doesn't let the platform in.", remedy=_TRUST)
            self.careful.add((role_arn, external_id))  # a role that let nobody in, or wasn't there, told nothing
            return self._log_in(self.ecr(region, found))

    def _check_careful(self, role_arn: str) -> None:
        if self._assume(role_arn, self.stranger):
            raise AuthFailed(
                "The role of the stored credentials lets the platform in whoever asks: it looks at no ExternalId.",
                remedy=_TRUST,
            )

    def _assume(self, role_arn: str, external_id: str) -> CredentialsTypeDef | None:
        """What the role lets us have; ``None`` where its trust policy doesn't."""
        try:
            return self.sts.assume_role(
                RoleArn=role_arn,
                RoleSessionName=self.session,
                ExternalId=external_id,
                DurationSeconds=SECONDS,
                Policy=_SESSION,
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
                    remedy=f"Give the role {LOG_IN} on all resources, as `byoa credentials get` shows it.",
                ) from error
            raise


@contextmanager
def _translated() -> Iterator[None]:
    try:
        with translated("AWS"):
            yield
    except StoreThrottled as error:
        raise SecretUnavailable(error.cause) from error
