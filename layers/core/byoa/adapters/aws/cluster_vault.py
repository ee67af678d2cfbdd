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

    def read(self, install_id: str, server: str | None = None) -> str:
        """The token for the cluster at ``server``; without one the kubeconfig of an install's cluster.

        Raises ``ClusterAccessInvalid`` where there is none, or one for another server, and ``SecretUnavailable``.
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
        return text if server is None else _token(text, server)


def _token(text: str, server: str) -> str:
    """What stands in the JSON ``{"server": …, "token": …}``, as which the API keeps it.

    The API writes an install and its token one after the other, and either may change while a deploy runs: a token is
    shown to the one server that it was stored for.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("server") != server or not isinstance(found.get("token"), str):
        raise ClusterAccessInvalid(
            "The token that is kept is not for the server that the install names.",
            remedy="Change the install's cluster once more, with its server and its token.",
        )
    return str(found["token"])
