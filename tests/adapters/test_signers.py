"""One suite over both signers: what they sign, the terminal's check takes, and nothing else."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from moto import mock_aws

from byoa.adapters.aws.kms import KmsKey
from byoa.errors import PlatformMissing
from byoa_cli.keys import checker, pem_of
from tests.keys import MemoryKey

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = b"x" * 100_000
"""KMS takes 4096 bytes of a message; of a longer one it takes the digest."""


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Moto takes a DIGEST for a message and hashes it again; here it signs the digest, as AWS does."""

    def sign(self: Any, message: bytes, signing_algorithm: str) -> bytes:
        assert signing_algorithm == "ECDSA_SHA_256"
        return bytes(self.private_key.sign(message, ECDSA(Prehashed(SHA256()))))

    def says_digest(params: Any, **_: Any) -> None:
        assert params["MessageType"] == "DIGEST"

    monkeypatch.setattr("moto.kms.utils.ECDSAPrivateKey.sign", sign)
    with mock_aws(), closing(boto3.client("kms", "us-east-1")) as client:
        client.meta.events.register("provide-client-params.kms.Sign", says_digest)
        yield client


def _create(kms: Any) -> str:
    made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", Origin="AWS_KMS")
    return str(made["KeyMetadata"]["Arn"])


@pytest.fixture(params=["memory", "kms"])
def signer(request: pytest.FixtureRequest, kms: Any) -> Any:
    return MemoryKey() if request.param == "memory" else KmsKey(kms, _create(kms))


@pytest.mark.parametrize("payload", [b"", b"hello", LONG], ids=["nothing", "a word", "more than KMS takes"])
def test_a_signature_is_of_its_payload_alone(signer: Any, payload: bytes) -> None:
    check = checker(pem_of(signer.public_key()).encode())
    signature = signer.sign(payload).signature
    assert check(signature, payload)
    assert not check(signature, payload + b"!")
    assert not check(signature[:-1], payload)
    assert not check(b"", payload)


def test_another_key_does_not_vouch_for_it(signer: Any) -> None:
    other = checker(MemoryKey().pem)
    assert not other(signer.sign(b"hello").signature, b"hello")


def test_the_signature_names_its_key(kms: Any) -> None:
    arn = _create(kms)
    kms.create_alias(AliasName="alias/byoa-receipts", TargetKeyId=arn)
    assert KmsKey(kms, arn).sign(b"hello").key_id == arn
    assert KmsKey(kms, "alias/byoa-receipts").sign(b"hello").key_id in (arn, "alias/byoa-receipts")


def test_a_key_that_isn_t_there_is_the_user_s_to_name(kms: Any) -> None:
    key = KmsKey(kms, "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555")
    with pytest.raises(PlatformMissing, match="KMS has no such key") as caught:
        key.sign(b"hello")
    assert "ReceiptKeyArn" in caught.value.remedy
    with pytest.raises(PlatformMissing):
        key.public_key()
