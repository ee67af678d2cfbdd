"""Lookups of one organisation: the stack's functions that do them, and answers that are kept in the table.

    pk                       sk               item
    LOOKUP#<organisation>    LOOKUP#<id>      a lookup that takes long, and how it ended; for a day

They are under a key of their own, so that whoever keeps answers writes nothing else of an organisation's.
"""

from __future__ import annotations

import base64
import gzip
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ReadTimeoutError

from byoa.adapters.aws.functions import invoke, start
from byoa.adapters.aws.refusals import translated
from byoa.adapters.aws.table import dump
from byoa.api.ports import KeptLookup
from byoa.builds.answer import answered
from byoa.builds.lookups import AwaitedLookup, LookedUp, LookupEnded, ReadContents
from byoa.builds.messages import Tried
from byoa.errors import ContentTooLarge, StoreThrottled, Timeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_lambda import LambdaClient

    from byoa.adapters.aws.rows import Rows
    from byoa.builds.lookups import Answer, LookUp
    from byoa.builds.messages import Trial
    from byoa.builds.ports import Clock

DAY: Final = 24 * 3600
LONGEST_SECONDS: Final = 45
"""How long a function of a lookup may take, and a little."""

KEPT_LIMIT: Final = 380 * 1024
"""Bytes of an answer as it is kept: an item of the table takes 400 KB."""

_SERVICE: Final = "DynamoDB"


class StackFunctions:
    """The stack's functions that ask registries for people, by their names. Implements LookupFunctions.

    ``client`` makes what waits so many whole seconds for a function; ``until`` (``time.monotonic``) ends the patience.
    """

    def __init__(self, client: Callable[[int], LambdaClient], stack: str, until: float | None = None) -> None:
        self._client = client
        self._stack = stack
        self._until = until

    def look_up(self, asked: LookUp) -> LookedUp:
        """See ``builds.ports.LookupFunctions``."""
        return LookedUp.model_validate(self._ask("look-up-artifact", asked.model_dump(mode="json")))

    def read(self, found: LookedUp) -> ReadContents:
        """See ``builds.ports.LookupFunctions``."""
        return ReadContents.model_validate(self._ask("read-artifacts", found.model_dump(mode="json")))

    def try_credentials(self, trial: Trial) -> Tried:
        """What a build would meet with stored credentials. Raises what the function ends with, and ``Timeout``."""
        return Tried.model_validate(self._ask("try-credentials", trial.model_dump(mode="json")))

    def _ask(self, function: str, message: dict[str, Any]) -> Any:  # noqa: ANN401 - a function's JSON
        """What it answers. Raises ``Timeout`` where that takes too long: the function goes on, and nobody hears it."""
        left = LONGEST_SECONDS if self._until is None else int(self._until - time.monotonic())
        if left < 1:
            raise _late()
        try:
            return invoke(self._client(min(left, LONGEST_SECONDS)), f"{self._stack}-{function}", message)
        except StoreThrottled as busy:
            if isinstance(busy.__cause__, ReadTimeoutError):
                raise _late() from busy
            raise


def _late() -> Timeout:
    return Timeout("What was asked of a registry did not end within its time.", remedy="Ask again.")


@dataclass(frozen=True, slots=True)
class TableShelf:
    """Implements LookupShelf."""

    organisation: str
    rows: Rows
    clock: Clock

    def begin(self, lookup_id: str, asked: LookUp, now_ts: int) -> None:
        """Make the place that its answer will have."""
        item = {**self._key(lookup_id), "action": asked.action, "began_ts": now_ts, "expires_at": now_ts // 1000 + DAY}
        with translated(_SERVICE):
            self.rows.client.put_item(TableName=self.rows.table, Item=dump(item))

    def end(self, lookup_id: str, ended: LookupEnded) -> None:
        """See ``builds.ports.LookupShelf``."""
        kept = _packed(ended)
        if len(kept) > KEPT_LIMIT:
            raise ContentTooLarge("The lookup's answer is too long to be kept.")
        client = self.rows.client
        with translated(_SERVICE):
            try:
                client.update_item(
                    TableName=self.rows.table,
                    Key=dump(self._key(lookup_id)),
                    UpdateExpression="SET ended = :ended",
                    ConditionExpression="attribute_exists(pk)",
                    ExpressionAttributeValues=dump({":ended": kept}),
                )
            except client.exceptions.ConditionalCheckFailedException:
                return

    def find(self, lookup_id: str) -> KeptLookup | None:
        """What there is, unless a day is over: the table takes longer to forget."""
        item = self.rows.one(*self._key(lookup_id).values())
        if item is None or item["expires_at"] <= self.clock.now().timestamp():
            return None
        ended = _unpacked(item["ended"]) if "ended" in item else None
        return KeptLookup(lookup_id, item["action"], item["began_ts"], ended)

    def _key(self, lookup_id: str) -> dict[str, str]:
        return {"pk": f"LOOKUP#{self.organisation}", "sk": f"LOOKUP#{lookup_id}"}


class StackLookups:
    """Implements Lookups."""

    def __init__(self, client: Callable[[int], LambdaClient], stack: str, shelf: TableShelf) -> None:
        self._client = client
        self._stack = stack
        self._shelf = shelf

    def answer(self, asked: LookUp, seconds: float) -> Answer | None:
        """See ``api.ports.Lookups``."""
        try:
            return answered(asked, StackFunctions(self._client, self._stack, time.monotonic() + seconds))
        except Timeout:
            return None

    def begin(self, lookup_id: str, asked: LookUp, now_ts: int) -> None:
        """See ``api.ports.Lookups``."""
        self._shelf.begin(lookup_id, asked, now_ts)
        awaited = AwaitedLookup(organisation=asked.organisation, id=lookup_id, asked=asked)
        start(self._client(LONGEST_SECONDS), f"{self._stack}-answer-lookup", awaited.model_dump(mode="json"))

    def find(self, lookup_id: str) -> KeptLookup | None:
        """See ``api.ports.Lookups``."""
        return self._shelf.find(lookup_id)


def _packed(ended: LookupEnded) -> str:
    return base64.b85encode(gzip.compress(ended.model_dump_json().encode())).decode()


def _unpacked(text: str) -> LookupEnded:
    return LookupEnded.model_validate(json.loads(gzip.decompress(base64.b85decode(text))))
