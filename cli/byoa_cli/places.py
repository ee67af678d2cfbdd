"""What the command line takes as an artifact: a reference into a registry, or an OCI layout on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from byoa import bootstrap
from byoa.errors import ReferenceInvalid
from byoa.reference import Reference, Registry, parse_tag
from byoa_cli.credentials import credential_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.digest import Digest
    from byoa.ports import Repository

_LAYOUT = "oci-layout:"


@dataclass(frozen=True, slots=True)
class Place:
    """A repository to read from or to write to, and the tag and the digest that were named there."""

    text: str
    repository: Repository
    tag: str | None
    digest: Digest | None


def open_source(text: str, plain_http: Sequence[str]) -> Place:
    """Raises ``ReferenceInvalid`` for what is neither form, or names neither a tag nor a digest."""
    place = (
        _open_layout(text, only_tag=True) if text.startswith(_LAYOUT) else _open_registry(text, plain_http, "source")
    )
    if place.tag is None and place.digest is None:
        raise ReferenceInvalid("The reference has neither a tag nor a digest.", remedy="Add :TAG or @sha256:… to it.")
    return place


def open_target(text: str, plain_http: Sequence[str]) -> Place:
    """Raises ``ReferenceInvalid`` for what is neither form, or names a digest: that is the source's to say."""
    place = (
        _open_layout(text, only_tag=False) if text.startswith(_LAYOUT) else _open_registry(text, plain_http, "target")
    )
    if place.digest:
        raise ReferenceInvalid("A target names no digest.", remedy="Leave the digest out; it comes from the source.")
    return place


def _open_layout(text: str, *, only_tag: bool) -> Place:
    """``oci-layout:DIR[:TAG]``; a source of one tag needn't name it."""
    folder, colon, tag = text.removeprefix(_LAYOUT).rpartition(":")
    if not colon or "/" in tag:
        folder, tag = text.removeprefix(_LAYOUT), ""
    if not folder:
        raise ReferenceInvalid(
            "The layout names no folder.", remedy="Write oci-layout:FOLDER or oci-layout:FOLDER:TAG."
        )
    layout = bootstrap.layout(Path(folder))
    if not tag and only_tag:
        tag = layout.only_tag()
    return Place(text, layout, parse_tag(tag) if tag else None, None)


def _open_registry(text: str, plain_http: Sequence[str], role: Literal["source", "target"]) -> Place:
    reference = Reference.parse(text)
    plain = reference.registry in [Registry.parse(host) for host in plain_http]
    repository = bootstrap.repository(reference, role, credential_for(reference.registry), plain_http=plain)
    return Place(text, repository, reference.tag, reference.digest)
