"""What proves a delivery, by kind: raw bytes, compared in constant time.

Sources: GitHub, "Validating webhook deliveries"; Standard Webhooks 1.0.0, "Verifying signatures"; Flux's
notification-controller for ``X-Signature``; Harbor's "auth header" and Azure's custom headers, which are sent as set.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final

from byoa.tracking.records import PROOFS, Kind, as_text
from byoa.tracking.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

WINDOW_MS: Final = 5 * 60 * 1000
"""How far a delivery's own time may be from ours, to either side (Standard Webhooks)."""

SIGNATURES: Final = 10
"""How many of a delivery's signatures are looked at: one for each secret of a sender who changes secrets."""

_HEX: Final = re.compile(r"sha256=([0-9a-fA-F]{64})", re.ASCII)
_SECONDS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_MESSAGE_ID: Final = re.compile(r"[!-~]{1,256}", re.ASCII)


def check_proof(kind: Kind, secret: bytes | None, headers: Mapping[str, str], body: bytes, now_ts: int) -> str | None:
    """Look at what proves a delivery beside its address; ``headers`` by names in lower case.

    Returns what the delivery is known by when it comes again, in hex, where what is signed tells: GitHub's body has the
    moment and the id of the push, Standard Webhooks sign an id. Raises ``Refused``.
    """
    if PROOFS[kind] in ("address", "token"):
        return None
    if secret is None:
        raise Refused("signature_wrong")
    if PROOFS[kind] == "header":
        given = headers.get("authorization", "")
        _check_equal(given.removeprefix("Bearer "), as_text(secret, kind), present=bool(given))
        return None
    if kind == "github":
        _check_hex(headers.get("x-hub-signature-256", ""), as_text(secret, kind).encode(), body)
        return hashlib.sha256(body).hexdigest()
    if "webhook-signature" in headers:
        return check_standard(secret, headers, body, now_ts)
    _check_hex(headers.get("x-signature", ""), as_text(secret, kind).encode(), body)
    return None


def check_standard(secret: bytes, headers: Mapping[str, str], body: bytes, now_ts: int) -> str:
    """A delivery by Standard Webhooks: ``v1`` signatures over its id, its time and its bytes. Raises ``Refused``."""
    message, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not _MESSAGE_ID.fullmatch(message) or not _SECONDS.fullmatch(moment):
        raise Refused("signature_missing")
    signed = hmac.digest(secret, b".".join((message.encode(), moment.encode(), body)), "sha256")
    wanted = base64.b64encode(signed).decode()
    given = [part.removeprefix("v1,") for part in headers["webhook-signature"].split() if part.startswith("v1,")]
    same = [hmac.compare_digest(each.encode("utf-8", "replace"), wanted.encode()) for each in given[:SIGNATURES]]
    if not any(same):
        raise Refused("signature_wrong")
    if abs(int(moment) * 1000 - now_ts) > WINDOW_MS:
        raise Refused("delivery_late")
    return hashlib.sha256(f"{moment}.{message}".encode()).hexdigest()


def _check_hex(header: str, key: bytes, body: bytes) -> None:
    """``sha256=`` and the HMAC-SHA256 of the body, in hex. Older forms, as ``sha1=``, are none."""
    found = _HEX.fullmatch(header.strip())
    given = found[1].lower() if found else ""
    _check_equal(given, hmac.digest(key, body, "sha256").hex(), present=bool(header))


def _check_equal(given: str, wanted: str, *, present: bool) -> None:
    same = hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
    if not present:
        raise Refused("signature_missing")
    if not same:
        raise Refused("signature_wrong")
