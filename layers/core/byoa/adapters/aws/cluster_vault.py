"""What is kept for reaching clusters: ``byoa-clusters/<organisation>/<install id>`` in Secrets Manager, for reading."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from byoa.adapters.aws.refusals import error_code, translated
from byoa.errors import ClusterAccessInvalid, SecretUnavailable, StoreThrottled

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

_REFUSED: Final = frozenset(
    ("ResourceNotFoundException", "InvalidRequestException", "AccessDeniedException", "AccessDenied")
)


@dataclass(frozen=True, slots=True)
class ClusterVault:
    """Those of one organisation, read with a session of its own. Nothing is kept: the next call asks again."""

    client: SecretsManagerClient
    organisation: str

    def read(self, install_id: str) -> str:
        """The token, or the kubeconfig, of an install's cluster.

        Raises ``ClusterAccessInvalid`` where there is none, and ``SecretUnavailable``.
        """
        try:
            with translated("Secrets Manager"):
                try:
                    name = f"byoa-clusters/{self.organisation}/{install_id}"
                    text = self.client.get_secret_value(SecretId=name).get("SecretString") or ""
                except ClientError as error:
                    if error_code(error) in _REFUSED:
                        text = ""
                    else:
                        raise
        except StoreThrottled as error:
            raise SecretUnavailable(error.cause) from error
        if not text:
            raise ClusterAccessInvalid(
                "No token is kept for the install's cluster.", remedy="Give the install one, with its server."
            )
        return _token(text)


def _token(text: str) -> str:
    """What stands in the JSON ``{"token": …}``, as which the API keeps it."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return str(found["token"]) if isinstance(found, dict) and "token" in found else text
