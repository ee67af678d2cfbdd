"""A delivery to a hook: who sent it is found out before anything is read, and all that it can do is ring.

What comes in this order: how often that address was refused there, the size, the hook and its secret, what proves the
delivery, how often the hook was called, what it says. So who knows a hook's address and can't sign uses up its own
share of refusals, and nothing of how often the hook may be called.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from byoa.builds.records import milliseconds
from byoa.tracking.google import check_token
from byoa.tracking.messages import RegistryPushed
from byoa.tracking.payloads import read_push
from byoa.tracking.proofs import check_proof
from byoa.tracking.records import PROOFS, Knock, lets_in, parse_address, second_secret
from byoa.tracking.refusals import Refused
from byoa.trust.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from byoa.builds.ports import Clock
    from byoa.tracking.ports import Bell, Porter
    from byoa.tracking.records import HookRecord
    from byoa.trust.windows import Standing

BODY_LIMIT: Final = 256 * 1024
"""Bytes of a delivery: GitHub's, the largest, have some 30 KiB."""

CALLS: Final = 60
"""Proved deliveries of one hook in a minute, in one process of the function; the gateway's limit is for all of them."""

REFUSALS: Final = 30
"""Refused deliveries from one network address to one hook in a minute, likewise. A registry sends all of its deliveries
from a few addresses: what one of its customers has it send to wrong places stops nobody else's.
"""


class Answer(NamedTuple):
    """What a delivery is answered, and what may be written down of it."""

    status: int
    body: dict[str, Any]
    noted: dict[str, str]
    retry_after: int = 0


@dataclass(frozen=True, slots=True)
class Door:
    """Takes deliveries."""

    porter: Porter
    bell: Bell
    clock: Clock
    calls: Windows = field(default_factory=lambda: Windows(CALLS))
    refusals: Windows = field(default_factory=lambda: Windows(REFUSALS))

    def take(self, event: Mapping[str, Any]) -> Answer:
        """Answer a request to a hook (HTTP API, payload 2.0): 202, or why not. Raises what the ports raise."""
        now_ts, noted = milliseconds(self.clock.now()), dict[str, str]()
        knock = parse_address(str(event.get("rawPath", "")))
        address = str(event["requestContext"]["http"].get("sourceIp", ""))
        caller = " ".join((address, *(knock[:2] if knock else ())))
        try:
            _check(self.refusals.look(caller, now_ts))
            ignored = self._take(event, knock, now_ts, noted)
        except Refused as refused:
            if refused.code != "throttled":
                self.refusals.count(caller, now_ts)
            noted["refused"] = refused.code
            return Answer(refused.status, refused.body(), noted, refused.retry_after)
        noted |= {"ignored": ignored} if ignored else {}
        return Answer(202, {"status": "ignored" if ignored else "accepted", "reason": ignored}, noted)

    def _take(self, event: Mapping[str, Any], knock: Knock | None, now_ts: int, noted: dict[str, str]) -> str:
        """Ring, or say why there is nothing to ring for."""
        body = _body(event)
        if knock is None:
            raise Refused("hook_unknown")
        record = self._find(knock)
        noted |= {"organisation": record.organisation, "hook": record.id, "kind": record.kind}
        headers = {name.lower(): str(value) for name, value in (event.get("headers") or {}).items()}
        delivery = check_proof(record.kind, second_secret(record, knock), headers, body, now_ts)
        token = check_token(record, headers, now_ts) if PROOFS[record.kind] == "token" else None
        _check(self.calls.count(record.id, now_ts))
        push = read_push(record.kind, headers, body)
        if isinstance(push, str):
            return push
        self.bell.ring(
            RegistryPushed(
                organisation=record.organisation,
                hook_id=record.id,
                kind=record.kind,
                registry=push.registry,
                repository=push.repository,
                tags=list(push.tags),
                delivery=delivery,
                token=token,
            )
        )
        return ""

    def _find(self, knock: Knock) -> HookRecord:
        record = self.porter.find(knock.organisation, knock.id)
        same = lets_in(knock, record)
        if record is None or not same:
            raise Refused("hook_unknown")
        return record


def _check(standing: Standing) -> None:
    if not standing.within:
        raise Refused("throttled", retry_after=standing.seconds)


def _body(event: Mapping[str, Any]) -> bytes:
    """The bytes that were sent. Raises ``Refused`` for too many, and for what the gateway never makes."""
    text = str(event.get("body") or "")
    if len(text) > BODY_LIMIT * 4 // 3 + 4:
        raise Refused("too_large")
    try:
        raw = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except (binascii.Error, UnicodeEncodeError):
        raise Refused("payload_unreadable") from None
    if len(raw) > BODY_LIMIT:
        raise Refused("too_large")
    return raw
