"""Signed bytes in JSON: DSSE v1 (github.com/secure-systems-lab/dsse, protocol.md and envelope.md).

A key's id is a hint and is not signed: nothing is decided by it.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from byoa.builds.ports import Signature
from byoa.errors import ReceiptInvalid

if TYPE_CHECKING:
    from byoa.builds.ports import Signer

LIMIT: Final = 4 * 1024 * 1024
"""Bytes of an envelope that is read; what the ledger keeps is far below."""

_SIGNATURES: Final = 16


@dataclass(frozen=True, slots=True)
class Envelope:
    """What an envelope holds, decoded; nothing of it is verified."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    @property
    def signed_bytes(self) -> bytes:
        """What each signature is to be of."""
        return pae(self.payload_type, self.payload)


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that a signature is of (protocol.md, "Signature Definition")."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload_type: str, payload: bytes, signer: Signer | None) -> str:
    """An envelope as one line of JSON; without a signer it has no signature. Raises what signing raises."""
    signed = [signer.sign(pae(payload_type, payload))] if signer else []
    signatures = [{"keyid": each.key_id, "sig": _encoded(each.signature)} for each in signed]
    return canonical({"payload": _encoded(payload), "payloadType": payload_type, "signatures": signatures})


def read_envelope(content: bytes) -> Envelope:
    """An envelope as it was handed over. Raises ``ReceiptInvalid`` for what is none, or is over 4 MiB.

    Names that DSSE doesn't know are skipped, as it wants; a name that stands twice has two readings and is refused.
    """
    if len(content) > LIMIT:
        raise ReceiptInvalid("The envelope is larger than 4 MiB.")
    try:
        found = _Sealed.model_validate(json.loads(content.decode(), object_pairs_hook=_unique, parse_constant=_none))
        signatures = tuple(Signature(each.keyid, _decoded(each.sig)) for each in found.signatures)
        return Envelope(found.payload_type, _decoded(found.payload), signatures)
    except (ValueError, RecursionError) as error:
        raise ReceiptInvalid("This is no envelope in DSSE's JSON.") from error


def canonical(document: dict[str, Any]) -> str:
    """JSON in ASCII with sorted names and without blanks: one document has one text."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


class _Signed(BaseModel):
    model_config = ConfigDict(strict=True, defer_build=True)

    sig: str
    keyid: str = ""


class _Sealed(BaseModel):
    model_config = ConfigDict(strict=True, defer_build=True)

    payload: str
    payload_type: Annotated[str, Field(alias="payloadType")]
    signatures: Annotated[list[_Signed], Field(max_length=_SIGNATURES)] = []


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _none(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _decoded(text: str) -> bytes:
    """Either alphabet, as DSSE wants it, and no other text that would decode to the same bytes."""
    standard = text.replace("-", "+").replace("_", "/")
    content = base64.b64decode(standard, validate=True)
    if _encoded(content) != standard:
        raise ValueError("bits are left over")
    return content
