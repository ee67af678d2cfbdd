"""What proves a delivery: the providers' own examples, and everything that isn't quite that."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace

import pytest

from byoa.tracking.proofs import WINDOW_MS, check_proof, check_standard
from byoa.tracking.records import KINDS, PROOFS, as_text, issue, lets_in, parse_address, second_secret
from byoa.tracking.refusals import Refused

ORG, OTHER = "org_0123456789ab", "org_other0000000"
HOOK = "hok" + "a" * 23
KEY = b"k" * 32
BODY = b'{"a": 1}'
NOW = 1_614_265_330_000


def refused(code: str) -> pytest.RaisesExc[Refused]:
    return pytest.RaisesExc(Refused, check=lambda error: error.code == code)


def hexed(key: bytes, body: bytes = BODY) -> str:
    return "sha256=" + hmac.digest(key, body, "sha256").hex()


# ---- signatures of the body --------------------------------------------------------------------------------------


def test_github_s_own_example_is_what_is_computed() -> None:
    """Source: GitHub, "Validating webhook deliveries", "Testing the webhook payload validation"."""
    wanted = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert hexed(b"It's a Secret to Everybody", b"Hello, World!") == wanted


@pytest.mark.parametrize(("kind", "header"), [("github", "x-hub-signature-256"), ("generic", "x-signature")])
def test_a_body_that_is_signed_with_the_hook_s_secret_is_taken_and_no_other(kind: str, header: str) -> None:
    key = as_text(KEY, kind).encode()  # type: ignore[arg-type]
    delivery = check_proof(kind, KEY, {header: hexed(key)}, BODY, NOW)  # type: ignore[arg-type]
    assert delivery == (hashlib.sha256(BODY).hexdigest() if kind == "github" else None)
    assert check_proof(kind, KEY, {header: hexed(key).upper().replace("SHA", "sha")}, BODY, NOW) == delivery  # type: ignore[arg-type]
    for wrong in (
        hexed(key, BODY + b" "), hexed(b"other"), hexed(KEY), "sha256=", hexed(key)[:-1], hexed(key) + "0",
        "sha1=" + hmac.digest(key, BODY, "sha1").hex(), hexed(key).removeprefix("sha256="), "é" * 64,
    ):  # fmt: skip
        with refused("signature_wrong"):
            check_proof(kind, KEY, {header: wrong}, BODY, NOW)  # type: ignore[arg-type]
    for missing in ({}, {header: ""}, {"x-hub-signature": hexed(key)}):
        with refused("signature_missing"):
            check_proof(kind, KEY, missing, BODY, NOW)  # type: ignore[arg-type]


# ---- Standard Webhooks -------------------------------------------------------------------------------------------

STANDARD = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
SAMPLE = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
SAID = b'{"test": 2432232314}'


def test_the_example_of_standard_webhooks_is_taken() -> None:
    """Source: standard-webhooks, the vectors that all of its libraries are tested with."""
    assert check_standard(SAMPLE, STANDARD, SAID, NOW)
    several = STANDARD | {"webhook-signature": f"v1a,abc v1,AAAA {STANDARD['webhook-signature']}"}
    assert check_standard(SAMPLE, several, SAID, NOW) == check_standard(SAMPLE, STANDARD, SAID, NOW)


@pytest.mark.parametrize("late", [WINDOW_MS + 1000, -WINDOW_MS - 1000])
def test_a_delivery_of_another_time_is_refused(late: int) -> None:
    with refused("delivery_late"):
        check_standard(SAMPLE, STANDARD, SAID, NOW + late)
    check_standard(SAMPLE, STANDARD, SAID, NOW + (WINDOW_MS if late > 0 else -WINDOW_MS))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"webhook-id": "msg_other"}, "signature_wrong"),
        ({"webhook-timestamp": "1614265331"}, "signature_wrong"),
        ({"webhook-signature": "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, "signature_wrong"),
        ({"webhook-signature": ""}, "signature_wrong"),
        ({"webhook-signature": "v1,x " * 20 + STANDARD["webhook-signature"]}, "signature_wrong"),
        ({"webhook-id": ""}, "signature_missing"),
        ({"webhook-timestamp": "now"}, "signature_missing"),
        ({"webhook-timestamp": "9" * 30}, "signature_missing"),
    ],
)
def test_what_is_signed_is_id_time_and_bytes_together(changed: dict[str, str], code: str) -> None:
    with refused(code):
        check_standard(SAMPLE, STANDARD | changed, SAID, NOW)


# ---- headers and addresses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["harbor", "acr"])
def test_a_header_equals_what_was_set_there(kind: str) -> None:
    value = as_text(KEY, kind)  # type: ignore[arg-type]
    for given in (value, f"Bearer {value}"):
        assert check_proof(kind, KEY, {"authorization": given}, BODY, NOW) is None  # type: ignore[arg-type]
    for wrong in (value[:-1], value + "A", "Basic " + value, "é"):
        with refused("signature_wrong"):
            check_proof(kind, KEY, {"authorization": wrong}, BODY, NOW)  # type: ignore[arg-type]
    with refused("signature_missing"):
        check_proof(kind, KEY, {}, BODY, NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["dockerhub", "quay", "gar"])
def test_other_kinds_have_their_address_alone(kind: str) -> None:
    assert check_proof(kind, None, {}, BODY, NOW) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_neither_the_address_nor_the_table_alone_proves_anything(kind: str) -> None:
    made = issue(ORG, HOOK, "a", kind, "note", NOW, "tok")  # type: ignore[arg-type]
    knock = parse_address(made.path)
    assert knock
    assert lets_in(knock, made.record)
    for other in (None, replace(made.record, organisation=OTHER), replace(made.record, id="hok" + "b" * 23)):
        assert not lets_in(knock, other)
    assert not lets_in(knock._replace(secret="A" * 43), made.record)
    assert knock.secret not in repr((made, knock))
    if PROOFS[kind] in ("address", "token"):
        assert made.signing_secret is made.record.sealed is None
        return
    opened = second_secret(made.record, knock)
    assert opened
    assert made.signing_secret == as_text(opened, kind)  # type: ignore[arg-type]
    assert second_secret(made.record, knock._replace(secret="A" * 43)) != opened
    assert bytes.fromhex(made.record.sealed or "") != opened
    assert knock.secret not in str(made.record)
    assert made.signing_secret not in repr((made, made.record))


@pytest.mark.parametrize(
    "path",
    ["/hooks/a/b", f"/hooks/{ORG}_{HOOK}/", f"/hooks/{ORG}_{HOOK}/{'a' * 42}", f"/hooks/{ORG}_{HOOK}/{'a' * 43}/",
     f"/v1/hooks/{ORG}_{HOOK}/{'a' * 43}", f"/hooks/{ORG}#x_{HOOK}/{'a' * 43}", f"/hooks/{ORG}_{HOOK}/{'a' * 43}\n"],
)  # fmt: skip
def test_what_is_no_address_of_a_hook_is_none(path: str) -> None:
    assert parse_address(path) is None
