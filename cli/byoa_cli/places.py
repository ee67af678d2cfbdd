"""What the command line takes as an artifact: a reference into a registry, or an OCI layout on disk."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from byoa.bootstrap import terminal
from byoa.errors import ReferenceInvalid
from byoa.oci.reference import Reference, Registry, parse_tag
from byoa_cli.credentials import credential_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.engine.ports import Repository
    from byoa.oci.digest import Digest
    from byoa.trust.credentials import Credential

_LAYOUT = "oci-layout:"


class Place(NamedTuple):
    """A repository to read from or to write to, and the tag and the digest that were named there."""

    text: str
    repository: Repository
    tag: str | None
    digest: Digest | None
    reference: Reference | None = None


def open_source(text: str, plain_http: Sequence[str]) -> Place:
    """Raises ``ReferenceInvalid`` for what is neither form, or names neither a tag nor a digest."""
    place = (
        _open_layout(text, only_tag=True) if text.startswith(_LAYOUT) else _open_registry(text, plain_http, "source")
    )
    if place.tag is None and place.digest is None:
        raise ReferenceInvalid("The reference has neither a tag nor a digest.", remedy="Add :TAG or @sha256:… to it.")
    return place


def open_both(source: str, target: str, plain_http: Sequence[str]) -> tuple[Place, Place]:
    """A source and a target that know of each other, so that one registry can mount from one to the other."""
    origin = open_source(source, plain_http)
    return origin, open_target(target, plain_http, origin)


def open_target(text: str, plain_http: Sequence[str], origin: Place | None = None) -> Place:
    """Raises ``ReferenceInvalid`` for what is neither form, or names a digest: that is the source's to say."""
    place = (
        _open_layout(text, only_tag=False)
        if text.startswith(_LAYOUT)
        else _open_registry(text, plain_http, "target", origin.reference if origin else None)
    )
    if place.digest:
        raise ReferenceInvalid("A target names no digest.", remedy="Leave the digest out; it comes from the source.")
    return place


def open_bare(text: str, plain_http: Sequence[str], role: Literal["source", "target"]) -> Place:
    """A repository without a tag or a digest. Raises ``ReferenceInvalid`` where there is one."""
    layout = text.startswith(_LAYOUT)
    place = _open_layout(text, only_tag=False) if layout else _open_registry(text, plain_http, role)
    if place.tag or place.digest:
        raise ReferenceInvalid("All tags are wanted, and one is named.", remedy="Leave the tag and the digest out.")
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
    from pathlib import Path

    layout = terminal.layout(Path(folder))
    if not tag and only_tag:
        tag = layout.only_tag()
    return Place(text, layout, parse_tag(tag) if tag else None, None)


def _open_registry(
    text: str, plain_http: Sequence[str], role: Literal["source", "target"], origin: Reference | None = None
) -> Place:
    reference = Reference.parse(text)
    registry = reference.registry
    plain = registry in _registries(tuple(plain_http))
    repository = terminal.repository(
        reference,
        role,
        _credential(registry),
        plain_http=plain,
        mount_from=origin.repository if origin and origin.registry == registry else None,
    )
    return Place(text, repository, reference.tag, reference.digest, reference)


@cache
def _registries(hosts: tuple[str, ...]) -> frozenset[Registry]:
    return frozenset(Registry.parse(host) for host in hosts)


@cache
def _credential(registry: Registry) -> Credential | None:
    """Docker's config, looked into once a registry."""
    return credential_for(registry)
