"""Tags that name what is attached to a manifest, where a registry has no other way to say so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from byoa.oci.digest import Digest

SIGNATURE_SUFFIXES: Final = (".sig", ".att", ".sbom")
"""What cosign names signatures, attestations and bills of materials by (cosign, specs/SIGNATURE_SPEC.md)."""

_ATTACHED: Final = re.compile(r"sha(?:256|512)-[0-9a-f]{64,128}(?:\.sig|\.att|\.sbom)?", re.ASCII)


_REFERENCE_LIMIT: Final = 64
"""Characters of a digest's hex in the tag of a list of referrers: all of sha256's, half of sha512's."""

_TAG_LIMIT: Final = 128


def referrers_tag(subject: Digest) -> str:
    """Where the list of referrers is without the API (distribution-spec, "Referrers Tag Schema")."""
    return f"{subject.algorithm}-{subject.hex[:_REFERENCE_LIMIT]}"


def signature_tags(subject: Digest) -> tuple[str, ...]:
    """The tags under which cosign looks for what belongs to ``subject``: none where they are longer than a tag may be.

    cosign cuts nothing, so for sha512 no registry that keeps to the spec has them, and some refuse to be asked.
    """
    tags = (f"{subject.algorithm}-{subject.hex}{suffix}" for suffix in SIGNATURE_SUFFIXES)
    return tuple(tag for tag in tags if len(tag) <= _TAG_LIMIT)


def is_attachment_tag(tag: str) -> bool:
    """Whether ``tag`` is one of those, of whatever subject."""
    return _ATTACHED.fullmatch(tag) is not None
