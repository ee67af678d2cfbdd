"""A signer whose private key is in memory: for tests, which may know cryptography."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from byoa.builds.ports import Signature


class MemoryKey:
    """Implements Signer. Each has a key of its own."""

    def __init__(self) -> None:
        self._private = generate_private_key(SECP256R1())

    def sign(self, payload: bytes) -> Signature:
        """See ``builds.ports.Signer``."""
        return Signature("memory", self._private.sign(payload, ECDSA(SHA256())))

    def public_key(self) -> bytes:
        """The public half, as SubjectPublicKeyInfo in DER."""
        return self._private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def pem(self) -> bytes:
        """The same as PEM."""
        return self._private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
