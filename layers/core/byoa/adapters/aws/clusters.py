"""Tokens of clusters in AWS Secrets Manager: ``byoa-clusters/<organisation>/<install id>``, tagged with whose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from byoa.adapters.aws.refusals import error_code, translated
from byoa.trust.secrets import cluster_secret_name

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_secretsmanager.type_defs import TagTypeDef

_SERVICE: Final = "Secrets Manager"
_TAKEN: Final = "ResourceExistsException"
_MISSING: Final = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class SecretsClusterTokens:
    """The tokens of one organisation's clusters, with the rights of whoever looks after installs."""

    client: SecretsManagerClient
    organisation: str

    def store(self, install_id: str, text: str) -> None:
        """See ``trust.ports.ClusterTokens``."""
        keep(self.client, cluster_secret_name(self.organisation, install_id), self.organisation, text)

    def delete(self, install_id: str) -> None:
        """See ``trust.ports.ClusterTokens``. No install has its id again, so nothing waits to be brought back."""
        forget(self.client, cluster_secret_name(self.organisation, install_id))


def keep(client: SecretsManagerClient, path: str, organisation: str, text: str) -> None:
    """Keep ``text`` under a name, tagged with whose it is, in place of what there was."""
    with translated(_SERVICE):
        try:
            tags: list[TagTypeDef] = [{"Key": "org_id", "Value": organisation}]
            client.create_secret(Name=path, SecretString=text, Tags=tags)
        except ClientError as error:
            if error_code(error) != _TAKEN:
                raise
            client.put_secret_value(SecretId=path, SecretString=text)


def forget(client: SecretsManagerClient, path: str) -> None:
    """Delete a secret for good, if there is one: none is kept under its name again."""
    with translated(_SERVICE):
        try:
            client.delete_secret(SecretId=path, ForceDeleteWithoutRecovery=True)
        except ClientError as error:
            if error_code(error) != _MISSING:
                raise
