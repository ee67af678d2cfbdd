"""Public keys: from KMS to a file, and from a file to a check. The only module that knows cryptography."""

from __future__ import annotations

import base64
import textwrap
from typing import TYPE_CHECKING

from byoa.errors import ReceiptInvalid

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    from byoa.builds.receipts import Check

_LINE = 64
"""Characters of a line of PEM (RFC 7468, section 2)."""


def pem_of(key: bytes) -> str:
    """A SubjectPublicKeyInfo in DER as PEM (RFC 7468, section 13)."""
    text = "\n".join(textwrap.wrap(base64.b64encode(key).decode("ascii"), _LINE))
    return f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"


def checker(pem: bytes) -> Check:
    """What checks signatures by a public key: ECDSA over P-256 with SHA-256, in DER.

    Raises ``ReceiptInvalid`` where ``pem`` holds no key of that kind.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256

    key = _load(pem)

    def check(signature: bytes, content: bytes) -> bool:
        try:
            key.verify(signature, content, ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True

    return check


def _load(pem: bytes) -> EllipticCurvePublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ReceiptInvalid("The key's file holds no public key in PEM.") from error
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ReceiptInvalid("The key is of another kind than those that sign receipts (ECDSA over P-256).")
    return key
