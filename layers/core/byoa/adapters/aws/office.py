"""Tokens, the journal and kept answers of one organisation, in the table.

    pk                      sk                     item
    TOKEN#<organisation>    TOKEN#<id>             a token's record
    TOKEN#<organisation>    SESSIONS#<digest>      the ids of a token's sessions, the oldest first
    ORG#<organisation>      AUDIT#<ms>#<id>        who did what
    ORG#<organisation>      ANSWER#<name>          an answer that came with an Idempotency-Key, for a day

Tokens are under a key of their own, because whoever lets callers in reads them before an organisation is known for
certain: that role reads keys that begin with ``TOKEN#`` and no others. Writing them takes the organisation's session.
Rules on issuers of JWTs lie there too (``issuers.py``).
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from byoa.adapters.aws.issuers import RULES, keys_name, keys_of, rules_of
from byoa.adapters.aws.refusals import translated
from byoa.adapters.aws.table import Item, dump, load
from byoa.api.doorkeeping import Standing, TokenRecord
from byoa.api.ports import Deed, Kept, Page, Span

if TYPE_CHECKING:
    from byoa.adapters.aws.rows import Rows
    from byoa.api.doorkeeping import IssuerRule, KeptKeys

DAY: Final = 24 * 3600
CLAIM_MS: Final = 60 * 1000
"""How long a request may take, and more: API Gateway gives up after 30 seconds."""

REMEMBERED: Final = 1000
"""Sessions of which a process remembers what they lean on."""

_SERVICE: Final = "DynamoDB"


@dataclass(frozen=True, slots=True)
class DynamoDoorkeeper:
    """All organisations' tokens and rules, one at a time. Implements Doorkeeper.

    Which item a session leans on never changes, so that a process which knows it reads both at once. What was read
    then counts, and not what is remembered.
    """

    rows: Rows
    leant_on: dict[tuple[str, str], str] = field(default_factory=dict)

    def find(self, organisation: str, token_id: str) -> TokenRecord | None:
        """See ``api.doorkeeping.Doorkeeper``."""
        item = self.rows.one(f"TOKEN#{organisation}", f"TOKEN#{token_id}")
        return _token(item) if item else None

    def standing(self, organisation: str, token_id: str) -> Standing:
        """See ``api.doorkeeping.Doorkeeper``."""
        pk, own, known = f"TOKEN#{organisation}", f"TOKEN#{token_id}", self.leant_on.get((organisation, token_id))
        found: dict[str, Item | None] = {}
        if known:
            found |= self.rows.several([(pk, own), (pk, known)])
        else:
            found[own] = self.rows.one(pk, own)
        item = found.get(own)
        record = _token(item) if item else None
        if record is None or record.parent is None:
            return Standing(record)
        other = RULES if record.rules else f"TOKEN#{record.parent}"
        if other != known:
            found[other] = self.rows.one(pk, other)
            self._remember(organisation, token_id, other)
        if record.rules:
            return Standing(record, rules=rules_of(found.get(other)))
        parent = found.get(other)
        return Standing(record, _token(parent) if parent else None)

    def _remember(self, organisation: str, token_id: str, other: str) -> None:
        if len(self.leant_on) >= REMEMBERED:
            self.leant_on.clear()
        self.leant_on[organisation, token_id] = other

    def rules(self, organisation: str) -> list[IssuerRule]:
        """See ``api.doorkeeping.Doorkeeper``."""
        return rules_of(self.rows.one(f"TOKEN#{organisation}", RULES))

    def keys(self, organisation: str, issuer: str) -> KeptKeys | None:
        """See ``api.doorkeeping.Doorkeeper``."""
        return keys_of(self.rows.one(f"TOKEN#{organisation}", keys_name(issuer)))


@dataclass(frozen=True, slots=True)
class DynamoTokens:
    """Implements Tokens."""

    organisation: str
    rows: Rows

    @property
    def _pk(self) -> str:
        return f"TOKEN#{self.organisation}"

    def add(self, record: TokenRecord) -> None:
        """See ``api.ports.Tokens``. A month after it expired the record goes, a session's after a day."""
        item = {
            "pk": self._pk,
            "sk": f"TOKEN#{record.id}",
            "organisation": record.organisation,
            "id": record.id,
            "name": record.name,
            "scopes": list(record.scopes),
            "digest": record.digest,
            "issued_at_ts": record.issued_at_ts,
            "expires_at_ts": record.expires_at_ts,
            "created_by": record.created_by,
            "expires_at": record.expires_at_ts // 1000 + (DAY if record.parent else 30 * DAY),
            **({"parent": record.parent} if record.parent else {}),
            **({"rules": list(record.rules)} if record.rules else {}),
            **({"installs": list(record.installs)} if record.installs else {}),
        }
        with translated(_SERVICE):
            self.rows.client.put_item(
                TableName=self.rows.table, Item=dump(item), ConditionExpression="attribute_not_exists(pk)"
            )

    def open(self, session: TokenRecord, most: int) -> None:
        """See ``api.ports.Tokens``. Ids are kept in their order in one item, whatever is made at the same moment."""
        whose = hashlib.sha256(f"{session.parent} {session.name}".encode()).hexdigest()[:32]
        key = {"pk": self._pk, "sk": f"SESSIONS#{whose}"}
        values = {":none": [], ":new": [session.id], ":gone": session.expires_at_ts // 1000 + DAY}
        with translated(_SERVICE):
            kept = self.rows.client.update_item(
                TableName=self.rows.table,
                Key=dump(key),
                UpdateExpression="SET ids = list_append(if_not_exists(ids, :none), :new), expires_at = :gone",
                ExpressionAttributeValues=dump(values),
                ReturnValues="ALL_NEW",
            )
        ids: list[str] = load(kept["Attributes"])["ids"]
        self.add(session)
        over = ids[: max(0, len(ids) - most)]
        for each in over:
            self.revoke(each)
        if over:
            self._forget(key, over)

    def _forget(self, key: Item, ids: list[str]) -> None:
        """Take the first ids out of the list, unless somebody did."""
        client = self.rows.client
        with translated(_SERVICE), suppress(client.exceptions.ConditionalCheckFailedException):
            client.update_item(
                TableName=self.rows.table,
                Key=dump(key),
                UpdateExpression=f"REMOVE {', '.join(f'ids[{number}]' for number in range(len(ids)))}",
                ConditionExpression="ids[0] = :first",
                ExpressionAttributeValues=dump({":first": ids[0]}),
            )

    def page(self, span: Span) -> Page[TokenRecord]:
        """See ``api.ports.Tokens``."""
        found = self.rows.listed(self._pk, "TOKEN#", span)
        return Page([_token(item) for item in found.items], found.more)

    def revoke(self, token_id: str) -> bool:
        """See ``api.ports.Tokens``."""
        with translated(_SERVICE):
            gone = self.rows.client.delete_item(
                TableName=self.rows.table,
                Key=dump({"pk": self._pk, "sk": f"TOKEN#{token_id}"}),
                ReturnValues="ALL_OLD",
            )
        return "Attributes" in gone

    def used(self, record: TokenRecord, now_ts: int) -> None:
        """See ``api.ports.Tokens``."""
        client, was = self.rows.client, record.last_used_ts
        before = "attribute_not_exists(last_used_ts)" if was is None else "last_used_ts = :was"
        with translated(_SERVICE):
            try:
                client.update_item(
                    TableName=self.rows.table,
                    Key=dump({"pk": self._pk, "sk": f"TOKEN#{record.id}"}),
                    UpdateExpression="SET last_used_ts = :now",
                    ConditionExpression=f"attribute_exists(pk) AND {before}",
                    ExpressionAttributeValues=dump({":now": now_ts} | ({} if was is None else {":was": was})),
                )
            except client.exceptions.ConditionalCheckFailedException:
                return


def _token(item: Item) -> TokenRecord:
    fields = {name: value for name, value in item.items() if name not in ("pk", "sk", "expires_at")}
    lists = {name: tuple(item.get(name, ())) for name in ("scopes", "rules", "installs")}
    return TokenRecord(**{**fields, **lists})


@dataclass(frozen=True, slots=True)
class DynamoJournal:
    """Implements Journal."""

    organisation: str
    rows: Rows

    def begin(self, deed: Deed) -> None:
        """See ``api.ports.Journal``."""
        self._put(deed)

    def end(self, deed: Deed, status: int) -> None:
        """See ``api.ports.Journal``."""
        self._put(replace(deed, status=status))

    def page(self, span: Span) -> Page[Deed]:
        """See ``api.ports.Journal``."""
        found = self.rows.listed(f"ORG#{self.organisation}", "AUDIT#", span, newest_first=True)
        return Page([Deed(**json.loads(item["deed"])) for item in found.items], found.more)

    def _put(self, deed: Deed) -> None:
        fields = {name: getattr(deed, name) for name in Deed.__slots__}
        item = {
            "pk": f"ORG#{self.organisation}",
            "sk": f"AUDIT#{deed.at_ts:013d}#{deed.id}",
            "deed": json.dumps(fields, ensure_ascii=False),
        }
        with translated(_SERVICE):
            self.rows.client.put_item(TableName=self.rows.table, Item=dump(item))


@dataclass(frozen=True, slots=True)
class DynamoAnswers:
    """Implements Answers."""

    organisation: str
    rows: Rows

    def begin(self, name: str, request: str, now_ts: int) -> Kept | None:
        """See ``api.ports.Answers``."""
        client = self.rows.client
        with translated(_SERVICE):
            try:
                client.put_item(
                    TableName=self.rows.table,
                    Item=dump(self._item(name, Kept(request, now_ts), now_ts + CLAIM_MS)),
                    ConditionExpression="attribute_not_exists(pk) OR lapses_ts <= :now",
                    ExpressionAttributeValues=dump({":now": now_ts}),
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except client.exceptions.ConditionalCheckFailedException as error:
                there: Any = error.response.get("Item") or self.rows.client.get_item(
                    TableName=self.rows.table, Key=dump(self._key(name)), ConsistentRead=True
                ).get("Item")
            else:
                return None
        before = load(there)
        return Kept(before["request"], before["began_ts"], before.get("status"), before.get("body"))

    def keep(self, name: str, kept: Kept) -> None:
        """See ``api.ports.Answers``."""
        with translated(_SERVICE):
            self.rows.client.put_item(
                TableName=self.rows.table, Item=dump(self._item(name, kept, kept.began_ts + DAY * 1000))
            )

    def forget(self, name: str) -> None:
        """See ``api.ports.Answers``."""
        with translated(_SERVICE):
            self.rows.client.delete_item(TableName=self.rows.table, Key=dump(self._key(name)))

    def _key(self, name: str) -> Item:
        return {"pk": f"ORG#{self.organisation}", "sk": f"ANSWER#{name}"}

    def _item(self, name: str, kept: Kept, lapses_ts: int) -> Item:
        return {
            **self._key(name),
            **kept._asdict(),
            "lapses_ts": lapses_ts,
            "expires_at": kept.began_ts // 1000 + DAY,
        }
