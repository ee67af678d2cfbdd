"""Secrets of clients at issuers in AWS Secrets Manager: ``byoa-issuers/<organisation>/<rule id>``, tagged with whose.

The API writes them and can't read them; who exchanges codes reads them, in a session of the organisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from byoa.adapters.aws.clusters import forget, keep
from byoa.adapters.aws.refusals import error_code, translated
from byoa.trust.client_secrets import read_client_secret
from byoa.trust.secrets import client_secret_name

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

_REFUSED: Final = frozenset(
    ("ResourceNotFoundException", "InvalidRequestException", "AccessDeniedException", "AccessDenied")
)


@dataclass(frozen=True, slots=True)
class SecretsClientSecrets:
    """Those of one organisation, with the rights of whoever keeps rules. Implements ClientSecrets."""

    client: SecretsManagerClient
    organisation: str

    def store(self, rule_id: str, text: str) -> None:
        """See ``trust.ports.ClientSecrets``."""
        keep(self.client, client_secret_name(self.organisation, rule_id), self.organisation, text)

    def delete(self, rule_id: str) -> None:
        """See ``trust.ports.ClientSecrets``."""
        forget(self.client, client_secret_name(self.organisation, rule_id))


@dataclass(frozen=True, slots=True)
class ClientVault:
    """Those of one organisation, for reading. Nothing is kept: the next code asks again."""

    client: SecretsManagerClient
    organisation: str

    def read(self, rule_id: str, issuer: str, client_id: str) -> str:
        """The secret of a rule's client, which goes to ``issuer`` alone.

        Raises ``IssuerUnusable`` where there is none, or one that was kept for another issuer or client.
        """
        with translated("Secrets Manager"):
            try:
                found = self.client.get_secret_value(SecretId=client_secret_name(self.organisation, rule_id))
                text = found.get("SecretString") or ""
            except ClientError as error:
                if error_code(error) not in _REFUSED:
                    raise
                text = ""
        return read_client_secret(text, issuer, client_id)
