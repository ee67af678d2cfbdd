"""What is kept for reaching clusters: ``byoa-clusters/<organisation>/<install id>`` in Secrets Manager, for reading."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from byoa.adapters.aws.refusals import error_code, translated
from byoa.errors import ClusterAccessInvalid, SecretUnavailable, StoreThrottled
from byoa.trust.secrets import cluster_secret_name

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

    def read(self, install_id: str, server: str) -> str:
        """The token of an install's cluster, which goes to ``server`` alone.

        Raises ``ClusterAccessInvalid`` where there is none, or one that was kept for another server, and
        ``SecretUnavailable``.
        """
        try:
            with translated("Secrets Manager"):
                try:
                    found = self.client.get_secret_value(SecretId=cluster_secret_name(self.organisation, install_id))
                    text = found.get("SecretString") or ""
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
        return _token(text, server)


def _token(text: str, server: str) -> str:
    """What stands in the JSON ``{"server": …, "token": …}``, as which the API keeps it."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("token"), str) or found.get("server") != server:
        raise ClusterAccessInvalid(
            "The token that is kept was stored for another server than the install's.",
            remedy="Change the install's cluster once more, with its server and its token.",
        )
    return str(found["token"])
