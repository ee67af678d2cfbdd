"""What one organisation lets in beside its tokens: rules on issuers of JWTs, and the keys that those sign with.

    pk                      sk                            item
    TOKEN#<organisation>    ISSUERS                       all rules: whoever knocks has them read in one go
    TOKEN#<organisation>    KEYS#<digest of the issuer>   an issuer's keys, as they were fetched
    TOKEN#<organisation>    ASKED#<digest>#<minute>       how often something was asked in that minute

They lie beside the tokens, for the same reason (``office.py``). Keys are kept for each organisation by itself: what one
has an issuer asked for is nothing that another relies on.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from byoa.adapters.aws.refusals import translated
from byoa.adapters.aws.table import Item, dump
from byoa.api.doorkeeping import IssuerRule, KeptKeys
from byoa.api.ports import Span
from byoa.errors import StoreThrottled

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.adapters.aws.rows import Rows

RULES: Final = "ISSUERS"
KEPT_SECONDS: Final = 30 * 24 * 3600
_TRIES: Final = 4
_SERVICE: Final = "DynamoDB"


def rules_of(item: Item | None) -> list[IssuerRule]:
    """The rules that an item has."""
    found: list[dict[str, Any]] = json.loads(item["rules"]) if item else []
    return [IssuerRule(**{**each, "claims": _claims(each), **_lists(each)}) for each in found]


def keys_of(item: Item | None) -> KeptKeys | None:
    """The keys that an item has."""
    return KeptKeys(json.loads(item["keys"]), item["fetched_ts"]) if item else None


def keys_name(issuer: str) -> str:
    """The sort key of an issuer's keys."""
    return f"KEYS#{_digest(issuer)}"


@dataclass(frozen=True, slots=True)
class DynamoIssuers:
    """Implements Issuers."""

    organisation: str
    rows: Rows

    @property
    def _pk(self) -> str:
        return f"TOKEN#{self.organisation}"

    def rules(self) -> list[IssuerRule]:
        """See ``api.ports.Issuers``."""
        return rules_of(self._item())

    def add(self, rule: IssuerRule) -> None:
        """See ``api.ports.Issuers``."""
        self._change(lambda rules: [*rules, rule])

    def remove(self, rule_id: str) -> bool:
        """See ``api.ports.Issuers``."""
        return self._change(lambda rules: [rule for rule in rules if rule.id != rule_id])

    def keep(self, issuer: str, keys: KeptKeys) -> None:
        """See ``api.ports.Issuers``."""
        item = {
            "pk": self._pk,
            "sk": keys_name(issuer),
            "issuer": issuer,
            "keys": json.dumps(keys.keys),
            "fetched_ts": keys.fetched_ts,
            "expires_at": keys.fetched_ts // 1000 + KEPT_SECONDS,
        }
        with translated(_SERVICE):
            self.rows.client.put_item(TableName=self.rows.table, Item=dump(item))

    def may_ask(self, what: str, times: int, now_ts: int) -> bool:
        """See ``api.ports.Issuers``."""
        client, minute = self.rows.client, now_ts // 60_000
        with translated(_SERVICE):
            try:
                client.update_item(
                    TableName=self.rows.table,
                    Key=dump({"pk": self._pk, "sk": f"ASKED#{_digest(what)}#{minute}"}),
                    UpdateExpression="ADD asked :one SET expires_at = :gone",
                    ConditionExpression="attribute_not_exists(asked) OR asked < :times",
                    ExpressionAttributeValues=dump({":one": 1, ":times": times, ":gone": minute * 60 + 3600}),
                )
            except client.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def _item(self) -> Item | None:
        """By a query: sessions read nothing else of what lies beside tokens."""
        found = self.rows.listed(self._pk, RULES, Span(limit=1)).items
        return found[0] if found else None

    def _change(self, change: Callable[[list[IssuerRule]], list[IssuerRule]]) -> bool:
        """Put other rules in place of those that are there; ``False`` where they are the same."""
        for _ in range(_TRIES):
            item = self._item()
            before = rules_of(item)
            rules = change(before)
            if rules == before:
                return False
            if self._put(rules, item["revision"] if item else 0):
                return True
        raise StoreThrottled("Others change the rules on issuers at the same time.")

    def _put(self, rules: list[IssuerRule], revision: int) -> bool:
        client, text = self.rows.client, json.dumps([asdict(rule) for rule in rules])
        with translated(_SERVICE):
            try:
                client.put_item(
                    TableName=self.rows.table,
                    Item=dump({"pk": self._pk, "sk": RULES, "rules": text, "revision": revision + 1}),
                    ConditionExpression="revision = :was" if revision else "attribute_not_exists(pk)",
                    **({"ExpressionAttributeValues": dump({":was": revision})} if revision else {}),  # type: ignore[arg-type]
                )
            except client.exceptions.ConditionalCheckFailedException:
                return False
        return True


def _claims(rule: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(patterns) for name, patterns in rule["claims"].items()}


def _lists(rule: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(rule.get(name, ())) for name in ("scopes", "installs")}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
