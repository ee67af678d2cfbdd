"""A build's receipt: what was fetched, checked and written, signed so that anyone can check it without us.

The payload is canonical JSON in an envelope (``byoa/builds/envelope.py``), the signature ECDSA over P-256 with SHA-256,
in DER.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import ValidationError

from byoa.builds import envelope
from byoa.builds.messages import Attached, Inspection, Message, Node, Proof
from byoa.errors import InternalFault, ReceiptInvalid
from byoa.oci.manifest import INDEX_TYPES, MANIFEST_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from byoa.builds.messages import BuildEnded, BuildKey, InspectedArtifact, MirroredArtifact
    from byoa.builds.ports import Signer

    type Check = Callable[[bytes, bytes], bool]
    """Whether a signature, the first, is of these bytes, by a key that is trusted."""

VERSION: Final = "byoa.dev/receipt/v1"
PAYLOAD_TYPE: Final = "application/vnd.byoa.receipt+json"

type Kind = Literal["index", "manifest", "blob"]


class BuildName(Message):
    """Which build it was, and of which config version."""

    id: str
    organisation: str
    app: str
    component: str
    config_version: int


class Origin(Message):
    """What was built: the reference as the config names it, and the digest that its tag meant then."""

    reference: str | None
    digest: str
    tag: str | None


class Part(Node):
    """A manifest or a blob; what is attached to the artifact is among them."""

    kind: Kind


class Delivery(Message):
    """What one target was given, and the digest that its HEAD answered afterwards."""

    name: str
    reference: str
    proof: Proof
    blobs_copied: int
    blobs_mounted: int
    blobs_skipped: int
    bytes: int
    requests: int
    seconds: float


class Cost(Message):
    """What the source was asked for."""

    bytes: int
    requests: int


class Receipt(Message):
    """The whole of it. Moments are milliseconds since 1970-01-01 UTC: config handed in, build ended."""

    version: Literal["byoa.dev/receipt/v1"]
    build: BuildName
    source: Origin
    nodes: list[Part]
    attachments: list[Attached]
    targets: list[Delivery]
    totals: Cost
    inspection: Inspection
    verification: Literal["not required"]
    started_at_ts: int
    ended_at_ts: int

    @property
    def payload(self) -> bytes:
        """The bytes that an envelope holds."""
        return envelope.canonical(self.model_dump(mode="json")).encode("ascii")


def receipt_of(ended: BuildEnded, nodes: Sequence[Node], ended_at_ts: int) -> Receipt:
    """The receipt of a build that went well. Raises ``InternalFault`` where nothing proves that it did."""
    artifact = ended.artifact
    if artifact is None:
        raise InternalFault("A receipt is wanted of a build that is not done.")
    return Receipt(
        version=VERSION,
        build=_name(ended.key, artifact.build_id),
        source=Origin(reference=artifact.reference, digest=artifact.digest, tag=artifact.tag),
        nodes=[Part(**node.model_dump(), kind=_kind(node.media_type)) for node in nodes],
        attachments=[Attached(digest=each.digest, tag=each.tag) for each in artifact.attachments],
        targets=[_delivery(mirror, artifact) for mirror in ended.mirrors],
        totals=Cost(bytes=artifact.bytes_staged, requests=artifact.source_requests),
        inspection=artifact.inspection,
        verification="not required",
        started_at_ts=artifact.handed_in_ts,
        ended_at_ts=ended_at_ts,
    )


def seal(receipt: Receipt, signer: Signer | None) -> str:
    """The receipt in its envelope; without a signer it has no signature. Raises what signing raises."""
    return envelope.seal(PAYLOAD_TYPE, receipt.payload, signer)


def verify(content: bytes, check: Check) -> Receipt:
    """The receipt in an envelope, if one of its signatures passes ``check``. Raises ``ReceiptInvalid``."""
    found = envelope.read_envelope(content)
    if found.payload_type != PAYLOAD_TYPE:
        raise ReceiptInvalid("The envelope holds something else than a receipt.")
    if not found.signatures:
        raise ReceiptInvalid(
            "The receipt is not signed.", remedy="Give the stack a key (BYOA_RECEIPT_KEY); later builds are signed."
        )
    if not any(check(each.signature, found.signed_bytes) for each in found.signatures):
        raise ReceiptInvalid("The receipt was altered, or another key signed it.")
    return _read(found.payload)


def _read(payload: bytes) -> Receipt:
    try:
        receipt = Receipt.model_validate_json(payload)
    except ValidationError as error:
        raise ReceiptInvalid("The receipt is of a version that this program can't read.") from error
    if receipt.payload != payload:
        raise ReceiptInvalid("The receipt is not in canonical JSON, so it may have two readings.")
    if any(target.proof.digest != receipt.source.digest for target in receipt.targets):
        raise ReceiptInvalid("The receipt tells of a target that holds something else than the source.")
    return receipt


def _name(key: BuildKey, build_id: str) -> BuildName:
    return BuildName(
        id=build_id,
        organisation=key.organisation,
        app=key.app,
        component=key.component,
        config_version=key.version,
    )


def _kind(media_type: str) -> Kind:
    if media_type in INDEX_TYPES:
        return "index"
    return "manifest" if media_type in MANIFEST_TYPES else "blob"


def _delivery(mirror: MirroredArtifact, artifact: InspectedArtifact) -> Delivery:
    if mirror.proof is None or mirror.proof.digest != artifact.digest:
        raise InternalFault("A receipt is wanted of a target that isn't proven to hold the artifact.")
    return Delivery(
        name=mirror.target,
        reference=mirror.reference,
        proof=mirror.proof,
        blobs_copied=mirror.blobs_copied,
        blobs_mounted=mirror.blobs_mounted,
        blobs_skipped=mirror.blobs_skipped,
        bytes=mirror.bytes_copied,
        requests=mirror.requests,
        seconds=mirror.seconds,
    )
