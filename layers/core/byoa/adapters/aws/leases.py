"""Leases of deploys that agents run, and signs of those agents, in the ledger's table, which forgets both by itself.

pk                     sk                   item
ORG#<organisation>     LEASE#<deploy id>    who runs a deploy, until when
ORG#<organisation>     AGENT#<install>      when an agent of an install was heard of, and with which token
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from byoa.adapters.aws.refusals import error_code, translated
from byoa.adapters.aws.table import dump
from byoa.adapters.aws.waiting import sign_key, to_run
from byoa.installs.ports import AgentSign

if TYPE_CHECKING:
    from byoa.adapters.aws.rows import Rows
    from byoa.installs.messages import DeployKey

_REFUSED: Final = "ConditionalCheckFailedException"
_DAY_SECONDS: Final = 24 * 3600
_SIGN_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class DynamoLeases:
    """The leases of one organisation's deploys. Implements Leases."""

    organisation: str
    rows: Rows

    def to_run(self, install_id: str) -> list[DeployKey]:
        """See ``installs.ports.Leases``."""
        return to_run(self.rows, self.organisation, install_id)

    def heard(self, install_id: str) -> AgentSign | None:
        """See ``installs.ports.Leases``."""
        item = self.rows.one(f"ORG#{self.organisation}", sign_key(install_id))
        return AgentSign(item["at_ts"], item["token_id"], item["token_name"]) if item else None

    def note(self, install_id: str, sign: AgentSign) -> None:
        """See ``installs.ports.Leases``."""
        key = {"pk": f"ORG#{self.organisation}", "sk": sign_key(install_id)}
        item = {**key, **sign._asdict(), "expires_at": sign.at_ts // 1000 + _SIGN_DAYS * _DAY_SECONDS}
        with translated("DynamoDB"):
            self.rows.client.put_item(TableName=self.rows.table, Item=dump(item))

    def take(self, deploy_id: str, lease: str, now_ts: int, until_ts: int) -> bool:
        """See ``installs.ports.Leases``."""
        condition = "attribute_not_exists(lease) OR until_ts <= :now"
        return self._put(deploy_id, lease, until_ts, condition, {":now": now_ts})

    def renew(self, deploy_id: str, lease: str, now_ts: int, until_ts: int) -> bool:
        """See ``installs.ports.Leases``."""
        condition = "lease = :lease AND until_ts > :now"
        return self._put(deploy_id, lease, until_ts, condition, {":now": now_ts, ":lease": lease})

    def give_back(self, deploy_id: str, lease: str) -> None:
        """See ``installs.ports.Leases``."""
        self._held(
            lambda: self.rows.client.delete_item(
                TableName=self.rows.table,
                Key=dump(self._key(deploy_id)),
                ConditionExpression="lease = :lease",
                ExpressionAttributeValues=dump({":lease": lease}),
            )
        )

    def _put(self, deploy_id: str, lease: str, until_ts: int, condition: str, values: dict[str, Any]) -> bool:
        item = {"lease": lease, "until_ts": until_ts, "expires_at": until_ts // 1000 + _DAY_SECONDS}
        return self._held(
            lambda: self.rows.client.put_item(
                TableName=self.rows.table,
                Item=dump({**self._key(deploy_id), **item}),
                ConditionExpression=condition,
                ExpressionAttributeValues=dump(values),
            )
        )

    def _held(self, write: Any) -> bool:  # noqa: ANN401 - a call
        with translated("DynamoDB"):
            try:
                write()
            except ClientError as error:
                if error_code(error) != _REFUSED:
                    raise
                return False
        return True

    def _key(self, deploy_id: str) -> dict[str, str]:
        return {"pk": f"ORG#{self.organisation}", "sk": f"LEASE#{deploy_id}"}
