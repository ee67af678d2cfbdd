"""The stack's keys in AWS KMS, which never leave there: of receipts (ECC_NIST_P256), and of plans (HMAC_256)."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from byoa.adapters.aws.refusals import translated
from byoa.builds.ports import Signature
from byoa.errors import PlatformMissing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_kms import KMSClient


@dataclass(frozen=True, slots=True)
class KmsKey:
    """A key by its ARN, its id, or an alias. Implements Signer."""

    client: KMSClient
    key_id: str

    def sign(self, payload: bytes) -> Signature:
        """See ``builds.ports.Signer``. The payload's SHA-256 goes to KMS, which takes 4096 bytes at most."""
        with self._translated():
            answer = self.client.sign(
                KeyId=self.key_id,
                Message=hashlib.sha256(payload).digest(),
                MessageType="DIGEST",
                SigningAlgorithm="ECDSA_SHA_256",
            )
        return Signature(answer["KeyId"], answer["Signature"])

    def verify(self, signature: bytes, payload: bytes) -> bool:
        """Whether ``signature`` is of ``payload``, by this key. Raises what ``sign`` raises."""
        with self._translated():
            try:
                found = self.client.verify(
                    KeyId=self.key_id,
                    Message=hashlib.sha256(payload).digest(),
                    MessageType="DIGEST",
                    Signature=signature,
                    SigningAlgorithm="ECDSA_SHA_256",
                )
            except self.client.exceptions.KMSInvalidSignatureException:
                return False
        return bool(found["SignatureValid"])

    def mac(self, payload: bytes) -> bytes:
        """An HMAC (SHA-256) of at most 4096 bytes. Raises what ``sign`` raises."""
        with self._translated():
            return self.client.generate_mac(KeyId=self.key_id, Message=payload, MacAlgorithm="HMAC_SHA_256")["Mac"]

    def public_key(self) -> bytes:
        """The public half, as SubjectPublicKeyInfo in DER. Raises what ``sign`` raises."""
        with self._translated():
            return self.client.get_public_key(KeyId=self.key_id)["PublicKey"]

    @contextmanager
    def _translated(self) -> Iterator[None]:
        with translated("KMS"):
            try:
                yield
            except self.client.exceptions.NotFoundException as error:
                raise PlatformMissing(
                    "KMS has no such key.",
                    remedy="Name the stack's key by its ARN; the stack's output ReceiptKeyArn has it.",
                ) from error
