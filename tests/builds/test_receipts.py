"""Receipts: what one says, that its bytes are fixed, and that no alteration of a signed one goes unseen."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.builds import envelope, receipts
from byoa.builds import record as record_step
from byoa.builds.messages import BuildEnded
from byoa.builds.records import entry
from byoa.components.reading import check_config
from byoa.errors import InternalFault, ReceiptInvalid, StoreThrottled
from byoa_cli.keys import checker
from tests.keys import MemoryKey

if TYPE_CHECKING:
    from byoa.builds.ports import Signature

ROOT = Path(__file__).parents[2]
SAMPLE = BuildEnded.model_validate_json((ROOT / "events" / "record_build.json").read_bytes())
DIGEST = "sha256:fac2bf4015b35638ed9d43cff4f53e09743639903d7b6f839127b6589d27b581"
assert SAMPLE.artifact
BUILD_ID = SAMPLE.artifact.build_id
SAMPLE_NODES = SAMPLE.artifact.nodes
KEY = MemoryKey()
CHECK = checker(KEY.pem)


def _receipt() -> receipts.Receipt:
    return receipts.receipt_of(SAMPLE, SAMPLE_NODES, 2_000)


def _sealed() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(receipts.seal(_receipt(), KEY))
    return found


def _text(document: Any) -> bytes:
    return json.dumps(document).encode()


def _signed(payload: bytes, payload_type: str = receipts.PAYLOAD_TYPE) -> bytes:
    return envelope.seal(payload_type, payload, KEY).encode()


# ---- what it says ------------------------------------------------------------------------------------------------


def test_a_receipt_says_what_was_fetched_checked_and_written() -> None:
    assert json.loads(_receipt().payload) == {
        "version": "byoa.dev/receipt/v1",
        "build": {
            "id": BUILD_ID,
            "organisation": "org_demo00000000",
            "app": "demo",
            "component": "flux",
            "config_version": 1,
        },
        "source": {"reference": "oci://127.0.0.1:5101/vendor/flux:v2.3.1", "digest": DIGEST, "tag": "v2.3.1"},
        "nodes": [
            {
                "digest": DIGEST,
                "size": 634,
                "media_type": "application/vnd.oci.image.manifest.v1+json",
                "kind": "manifest",
            },
            {
                "digest": "sha256:0919dc81d0641463a177819746911267fc1323608b299e7e25ae18ee511b6528",
                "size": 115,
                "media_type": "application/vnd.cncf.flux.config.v1+json",
                "kind": "blob",
            },
            {
                "digest": "sha256:df91ec38b5856a0a52d994f7792ca74155885f6495b27dcd4b0c5d9e008690fd",
                "size": 362,
                "media_type": "application/vnd.cncf.flux.content.v1.tar+gzip",
                "kind": "blob",
            },
        ],
        "attachments": [],
        "targets": [
            {
                "name": "ecr",
                "reference": SAMPLE.mirrors[0].reference,
                "proof": {"digest": DIGEST, "at_ts": 4102444800010},
                "blobs_copied": 2,
                "blobs_mounted": 0,
                "blobs_skipped": 0,
                "bytes": 477,
                "requests": 0,
                "seconds": 0.004,
            }
        ],
        "totals": {"bytes": 477, "requests": 0},
        "inspection": {
            "format": "flux",
            "encrypted": False,
            "templated": False,
            "resources": 3,
            "kinds": {"ConfigMap": 1, "Deployment": 1, "Service": 1},
            "namespaces": ["vendor"],
            "images": ["ghcr.io/vendor/web:v2.3.1"],
            "usable_by": {"byoa": True, "flux": True, "argo_cd": False},
        },
        "verification": "not required",
        "started_at_ts": 4102444800001,
        "ended_at_ts": 2000,
    }


@pytest.mark.parametrize("proof", [None, {"digest": "sha256:" + "0" * 64, "at_ts": 1}], ids=["none", "of another"])
def test_there_is_no_receipt_without_the_target_s_proof(proof: Any) -> None:
    (mirror,) = SAMPLE.model_dump(mode="json")["mirrors"]
    ended = BuildEnded.model_validate(SAMPLE.model_dump() | {"mirrors": [mirror | {"proof": proof}]})
    with pytest.raises(InternalFault):
        receipts.receipt_of(ended, SAMPLE_NODES, 2_000)


def test_there_is_no_receipt_of_a_build_that_failed() -> None:
    with pytest.raises(InternalFault):
        receipts.receipt_of(BuildEnded(**SAMPLE.key.model_dump(), execution="one"), [], 2_000)


# ---- its bytes ---------------------------------------------------------------------------------------------------


def test_the_payload_has_sorted_names_no_blanks_and_no_byte_beyond_ascii() -> None:
    document = {"b": [1, 0.5, None, True], "a": {"z": "é", "y": ""}}
    assert envelope.canonical(document) == '{"a":{"y":"","z":"\\u00e9"},"b":[1,0.5,null,true]}'
    payload = _receipt().payload
    assert payload == envelope.canonical(json.loads(payload)).encode()
    assert b" " not in payload.replace(b"not required", b"")


def test_the_same_receipt_has_the_same_bytes() -> None:
    assert _receipt().payload == receipts.Receipt.model_validate_json(_receipt().payload).payload


def test_the_signed_bytes_are_those_of_dsse_s_own_example() -> None:
    """protocol.md, "Test Vectors"; its signature is r and s side by side, and ours are DER."""
    example = envelope.read_envelope(
        b'{"payload": "aGVsbG8gd29ybGQ=", "payloadType": "http://example.com/HelloWorld", "signatures": [{"sig": '
        b'"A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="}]}'
    )
    assert example.signed_bytes == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    x = 46950820868899156662930047687818585632848591499744589407958293238635476079160
    y = 5640078356564379163099075877009565129882514886557779369047442380624545832820
    key = EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
    check = checker(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    raw = example.signatures[0].signature
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    assert check(der, example.signed_bytes)


def test_lengths_are_of_bytes_and_not_of_characters() -> None:
    assert envelope.pae("é", "ü€".encode()) == b"DSSEv1 2 \xc3\xa9 5 \xc3\xbc\xe2\x82\xac"


def test_an_envelope_has_the_names_of_dsse() -> None:
    document = _sealed()
    assert document.keys() == {"payload", "payloadType", "signatures"}
    assert document["payloadType"] == "application/vnd.byoa.receipt+json"
    (signature,) = document["signatures"]
    assert signature.keys() == {"keyid", "sig"}
    assert base64.b64decode(document["payload"]) == _receipt().payload


@given(st.text(min_size=1), st.binary(max_size=300))
def test_what_is_sealed_is_read_back(payload_type: str, payload: bytes) -> None:
    found = envelope.read_envelope(envelope.seal(payload_type, payload, None).encode())
    assert (found.payload_type, found.payload, found.signatures) == (payload_type, payload, ())


# ---- what passes -------------------------------------------------------------------------------------------------


def test_a_signed_receipt_passes_with_the_public_key() -> None:
    assert receipts.verify(_text(_sealed()), CHECK) == _receipt()


def test_one_good_signature_among_others_is_enough() -> None:
    document = _sealed()
    other = json.loads(receipts.seal(_receipt(), MemoryKey()))["signatures"]
    document["signatures"] = other + document["signatures"]
    assert receipts.verify(_text(document), CHECK) == _receipt()


def test_both_alphabets_of_base64_and_unknown_names_pass_as_dsse_wants_it() -> None:
    document = _sealed() | {"note": "added by another tool"}
    document["payload"] = document["payload"].translate(str.maketrans("+/", "-_"))
    document["signatures"][0]["sig"] = document["signatures"][0]["sig"].translate(str.maketrans("+/", "-_"))
    del document["signatures"][0]["keyid"]
    assert receipts.verify(_text(document), CHECK) == _receipt()


# ---- what doesn't ------------------------------------------------------------------------------------------------


def test_no_character_of_the_payload_or_the_signature_can_change() -> None:
    document = _sealed()
    places = [(document, "payload"), (document, "payloadType"), (document["signatures"][0], "sig")]
    for holder, name in places:
        original = holder[name]
        for at, character in enumerate(original):
            holder[name] = original[:at] + ("A" if character != "A" else "B") + original[at + 1 :]
            with pytest.raises(ReceiptInvalid):
                receipts.verify(_text(document), CHECK)
        holder[name] = original
    assert receipts.verify(_text(document), CHECK) == _receipt()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("source", "digest"), "sha256:" + "0" * 64),
        (("targets", 0, "reference"), "oci://elsewhere.example.com/x:y"),
        (("nodes",), []),
        (("build", "organisation"), "org_0123456789ab"),
        (("verification",), "verified"),
        (("ended_at_ts",), 1),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_what_the_receipt_says_cannot_change(path: tuple[Any, ...], value: Any) -> None:
    document, said = _sealed(), json.loads(_receipt().payload)
    holder = said
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = value
    document["payload"] = base64.b64encode(envelope.canonical(said).encode()).decode()
    with pytest.raises(ReceiptInvalid, match="altered, or another key"):
        receipts.verify(_text(document), CHECK)


def test_another_key_does_not_vouch_for_it() -> None:
    with pytest.raises(ReceiptInvalid, match="another key"):
        receipts.verify(_text(_sealed()), checker(MemoryKey().pem))


def test_an_envelope_of_another_type_is_no_receipt_whoever_signed_it() -> None:
    with pytest.raises(ReceiptInvalid, match="something else than a receipt"):
        receipts.verify(_signed(_receipt().payload, "application/vnd.in-toto+json"), CHECK)


def test_a_receipt_can_t_be_called_another_type_afterwards() -> None:
    other = envelope.seal("application/vnd.in-toto+json", _receipt().payload, KEY)
    document = json.loads(other) | {"payloadType": receipts.PAYLOAD_TYPE}
    with pytest.raises(ReceiptInvalid, match="altered"):
        receipts.verify(_text(document), CHECK)


@pytest.mark.parametrize("signatures", [[], None], ids=["empty", "left out"])
def test_an_unsigned_receipt_does_not_pass_and_says_so(signatures: Any) -> None:
    document = json.loads(receipts.seal(_receipt(), None))
    assert document["signatures"] == []
    if signatures is None:
        del document["signatures"]
    with pytest.raises(ReceiptInvalid, match="not signed") as caught:
        receipts.verify(_text(document), CHECK)
    assert "BYOA_RECEIPT_KEY" in caught.value.remedy


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"not json",
        b"\xff\xfe",
        b'{"payload": "", "payloadType": 7, "signatures": []}',
        b'{"payload": "", "payloadType": "x", "signatures": {}}',
        b'{"payload": "", "payloadType": "x", "signatures": [{}]}',
        b'{"payload": "", "payloadType": "x", "signatures": [{"sig": 7}]}',
        b'{"payload": "", "payload": "", "payloadType": "x", "signatures": []}',
        b'{"payload": "e", "payloadType": "x", "signatures": []}',
        b'{"payload": "e-8_", "payloadType": "x", "signatures": [{"sig": "?"}]}',
        b'{"payload": "ZR==", "payloadType": "x", "signatures": []}',
        b'{"payload": "Z Q==", "payloadType": "x", "signatures": []}',
        b'{"payload": "\\ud800", "payloadType": "\\ud800", "signatures": []}',
        _text({"payload": "", "payloadType": "x", "signatures": [{"sig": ""}] * 17}),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"payload": ' + b"9" * 5000 + b"}",
        b" " * (4 * 1024 * 1024 + 1),
    ],
    ids=lambda content: repr(content[:40]),
)
def test_what_is_no_envelope_is_refused(content: bytes) -> None:
    with pytest.raises(ReceiptInvalid):
        receipts.verify(content, CHECK)


def _with(**change: Any) -> bytes:
    return _text(_sealed() | change)


def _signature(change: Any) -> bytes:
    document = _sealed()
    raw = base64.b64decode(document["signatures"][0]["sig"])
    document["signatures"][0]["sig"] = base64.b64encode(change(raw)).decode()
    return _text(document)


@pytest.mark.parametrize(
    "content",
    [
        _text({name if name != "payloadType" else "payload_type": value for name, value in _sealed().items()}),
        _with(payload=_sealed()["payload"] + "\n"),
        _with(payload=base64.b64encode(_receipt().payload + b"\n").decode()),
        _text(_sealed()) + b"x",
        b"\xef\xbb\xbf" + _text(_sealed()),
        _text(_sealed()).decode().encode("utf-16"),
        _text(_sealed())[:-1] + b', "more": NaN}',
        _signature(lambda raw: raw + b"\x00"),
        _signature(lambda raw: raw[:-1]),
        _signature(lambda raw: raw[:1] + b"\x81" + raw[1:]),
        _signature(lambda raw: b""),
    ],
    ids=["alias", "newline", "payload and a newline", "text after", "bom", "utf-16", "nan", "der and a byte",
         "der cut", "der not canonical", "nothing"],
)  # fmt: skip
def test_an_envelope_with_a_second_reading_is_refused(content: bytes) -> None:
    with pytest.raises(ReceiptInvalid):
        receipts.verify(content, CHECK)


@pytest.mark.parametrize(("number", "other"), [(b'"config_version":1', b'"config_version":"1"'),
                                               (b'"config_version":1', b'"config_version":true'),
                                               (b'"config_version":1', b'"config_version":1.0'),
                                               (b'"config_version":1', b'"config_version":NaN')])  # fmt: skip
def test_a_signed_number_is_a_number(number: bytes, other: bytes) -> None:
    payload = _receipt().payload
    assert number in payload
    with pytest.raises(ReceiptInvalid):
        receipts.verify(_signed(payload.replace(number, other)), CHECK)


@given(st.binary(max_size=200) | st.recursive(st.none() | st.text(), st.lists).map(_text))
def test_nothing_unsigned_passes(content: bytes) -> None:
    with pytest.raises(ReceiptInvalid):
        receipts.verify(content, CHECK)


def test_a_signed_receipt_of_a_later_version_is_told_as_such() -> None:
    payload = _receipt().payload.replace(b"receipt/v1", b"receipt/v2")
    with pytest.raises(ReceiptInvalid, match="version"):
        receipts.verify(_signed(payload), CHECK)


@pytest.mark.parametrize(
    "payload",
    [
        _receipt().payload + b"\n",
        _receipt().payload.replace(b'{"app":', b'{"app":"other","app":'),
        json.dumps(json.loads(_receipt().payload)).encode(),
    ],
    ids=["a line more", "a name twice", "blanks"],
)
def test_a_signed_payload_with_two_readings_is_refused(payload: bytes) -> None:
    with pytest.raises(ReceiptInvalid, match="canonical"):
        receipts.verify(_signed(payload), CHECK)


def test_a_signed_receipt_that_contradicts_itself_is_refused() -> None:
    said = json.loads(_receipt().payload)
    said["targets"][0]["proof"]["digest"] = "sha256:" + "0" * 64
    with pytest.raises(ReceiptInvalid, match="something else than the source"):
        receipts.verify(_signed(envelope.canonical(said).encode()), CHECK)


# ---- the step that makes it --------------------------------------------------------------------------------------


class Ledgered:
    """A ledger with the sample's build queued."""

    def __init__(self) -> None:
        self.clock = SteppingClock(datetime(2100, 1, 1, tzinfo=UTC))
        self.ledger = MemoryLedger(self.clock)
        config = check_config(
            'name = "flux"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\n'
            '[oci_artifact]\nurl = "oci://127.0.0.1:5101/vendor/flux"\ntag = "v2.3.1"\n'
        ).config
        assert config
        assert self.ledger.submit("org_demo00000000", "demo", config).build.key == SAMPLE.key
        self.ledger.begin(SAMPLE.key, SAMPLE.execution, entry("planning", "begun", self.clock.now()))

    @property
    def receipt(self) -> str | None:
        return self.ledger.receipt("org_demo00000000", BUILD_ID)


class NoKey:
    """KMS is briefly out."""

    def sign(self, payload: bytes) -> Signature:
        raise StoreThrottled("KMS is busy.")


def test_a_build_that_goes_well_leaves_a_signed_receipt() -> None:
    stage = Ledgered()
    record_step.record(SAMPLE, stage.ledger, stage.clock, KEY)
    assert stage.receipt
    receipt = receipts.verify(stage.receipt.encode(), CHECK)
    build = stage.ledger.records[SAMPLE.key]
    moments = (build.history[0].created_at_ts, build.history[-1].created_at_ts)
    assert (receipt.started_at_ts, receipt.ended_at_ts) == moments
    assert receipt.nodes == _receipt().nodes


def test_recording_twice_keeps_the_first_receipt() -> None:
    stage = Ledgered()
    record_step.record(SAMPLE, stage.ledger, stage.clock, KEY)
    first = stage.receipt
    record_step.record(SAMPLE, stage.ledger, stage.clock, KEY)
    assert stage.receipt == first


def test_a_build_is_not_active_before_its_receipt_is_signed() -> None:
    stage = Ledgered()
    with pytest.raises(StoreThrottled):
        record_step.record(SAMPLE, stage.ledger, stage.clock, NoKey())
    assert not stage.ledger.records[SAMPLE.key].ended
    record_step.record(SAMPLE, stage.ledger, stage.clock, KEY)
    assert stage.ledger.records[SAMPLE.key].status == "active"
    assert stage.receipt


def test_a_stack_without_a_key_keeps_an_unsigned_receipt() -> None:
    stage = Ledgered()
    record_step.record(SAMPLE, stage.ledger, stage.clock)
    assert stage.receipt
    found = envelope.read_envelope(stage.receipt.encode())
    assert found.signatures == ()
    assert receipts.Receipt.model_validate_json(found.payload).source.digest == DIGEST


def test_a_build_that_fails_leaves_none() -> None:
    stage = Ledgered()
    failed = {"error": "Timeout", "cause": ""}
    ended = BuildEnded.model_validate({**SAMPLE.key.model_dump(), "execution": SAMPLE.execution, "failure": failed})
    record_step.record(ended, stage.ledger, stage.clock, KEY)
    assert stage.ledger.receipts == {}
