"""What an organisation's roles are assumed with, so that no other organisation can have us assume them."""

from __future__ import annotations

import base64
import hashlib


def external_id(series: str, organisation: str) -> str:
    """The ExternalId of ``organisation`` in one ``series``, which a stack's table is: 52 letters and digits.

    We give it and nobody chooses it, so two organisations never have the same one (IAM user guide, "The confused deputy
    problem"). It is no secret: whoever writes a trust policy knows it.
    """
    name = f"byoa\nexternal id\n{series}\n{organisation}"
    return base64.b32encode(hashlib.sha256(name.encode()).digest()).decode().rstrip("=").lower()


def strangers_id(series: str) -> str:
    """An ExternalId that is no organisation's: a role that takes it takes anybody's."""
    return external_id(series, "")
