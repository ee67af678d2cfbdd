"""Tags that name what is attached to a manifest, where a registry has no other way to say so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from byoa.oci.digest import Digest

SIGNATURE_SUFFIXES: Final = (".sig", ".att", ".sbom")
"""What cosign names signatures, attestations and bills of materials by (cosign, specs/SIGNATURE_SPEC.md)."""

_ATTACHED: Final = re.compile(r"sha(?:256|512)-[0-9a-f]{64,128}(?:\.sig|\.att|\.sbom)?", re.ASCII)


def referrers_tag(subject: Digest) -> str:
    """Where the list of referrers is without the API (distribution-spec, "Referrers Tag Schema")."""
    return f"{subject.algorithm}-{subject.hex}"


def signature_tags(subject: Digest) -> tuple[str, ...]:
    """The tags under which cosign looks for what belongs to ``subject``."""
    return tuple(f"{referrers_tag(subject)}{suffix}" for suffix in SIGNATURE_SUFFIXES)


def is_attachment_tag(tag: str) -> bool:
    """Whether ``tag`` is one of those, of whatever subject."""
    return _ATTACHED.fullmatch(tag) is not None
