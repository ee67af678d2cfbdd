"""Logins to private ECR registries of other accounts, by a role that its owner lets us assume."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from byoa.adapters.aws.ecr import read_token
from byoa.adapters.aws.refusals import error_code, translated
from byoa.adapters.aws.roles import DENIED, Roles
from byoa.errors import AuthFailed, CredentialMalformed, SecretUnavailable, StoreThrottled
from byoa.oci.ecr import ecr_region
from byoa.trust.invitations import LOG_IN, pull_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from types_boto3_ecr import ECRClient
    from types_boto3_sts import STSClient
    from types_boto3_sts.type_defs import CredentialsTypeDef

    from byoa.trust.credentials import Credential

_SESSION: Final = json.dumps(pull_policy("*"))
"""All that is taken of what a role may."""

_TRUST: Final = (
    "Let the role's trust policy name the platform's role (output SourceRoleArn) and the ExternalId that "
    "`byoa credentials get` shows, with sts:AssumeRole and nothing else."
)


@dataclass(slots=True)
class RoleLogin:
    """Assumes roles as ``session`` (a build's id, for whoever reads the vendor's trail). Implements EcrLogin.

    ``ecr`` makes a client for a region with the session's credentials; ``stranger`` and ``careful`` are as ``Roles``
    has them.
    """

    sts: STSClient
    ecr: Callable[[str, CredentialsTypeDef], ECRClient]
    session: str
    stranger: str
    careful: set[tuple[str, str]] = field(default_factory=set)

    def password(self, host: str, role_arn: str, external_id: str) -> Credential:
        """See ``trust.ports.EcrLogin``."""
        region = ecr_region(host)
        if region is None:
            raise CredentialMalformed("The host of the credentials is no private ECR.")
        roles = Roles(self.sts, self.session, self.stranger, _SESSION, self.careful)
        with _translated():
            found = roles.assume(role_arn, external_id)
            if found == "careless":
                raise AuthFailed(
                    "The role of the stored credentials lets the platform in whoever asks: it looks at no ExternalId.",
                    remedy=_TRUST,
                )
            if found == "refused":
                raise AuthFailed("The role of the stored credentials doesn't let the platform in.", remedy=_TRUST)
            return self._log_in(self.ecr(region, found))

    def _log_in(self, ecr: ECRClient) -> Credential:
        try:
            return read_token(ecr.get_authorization_token())
        except ClientError as error:
            if error_code(error) in DENIED:
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
