"""What the command line takes as an artifact: a reference into a registry, or an OCI layout on disk."""

from __future__ import annotations

import os
import re
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from byoa.bootstrap import terminal
from byoa.errors import ReferenceInvalid
from byoa.oci.digest import Digest
from byoa.oci.reference import Reference, Registry, is_tag
from byoa_cli.desk import answers_for
from byoa_cli.logins import Logins

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from byoa.engine.ports import Repository
    from byoa.trust.credentials import Credential

_LAYOUT = "oci-layout:"
_DIGEST = re.compile(r"(?P<rest>.*)@(?P<digest>[a-z0-9]+:[^/@]*)", re.DOTALL)


class Place(NamedTuple):
    """A repository to read from or to write to, and the tag and the digest that were named there."""

    text: str
    repository: Repository
    tag: str | None
    digest: Digest | None
    reference: Reference | None = None


def open_source(text: str, plain_http: Sequence[str], token_hosts: Sequence[str] = ()) -> Place:
    """Raises ``ReferenceInvalid`` for what is neither form, or names neither a tag nor a digest.

    Of a layout that isn't there, or isn't one, it raises what ``LayoutRepository.check_readable`` raises.
    """
    if text.startswith(_LAYOUT):
        return _open_layout_source(text)
    place = _open_registry(text, plain_http, "source", token_hosts=token_hosts)
    if place.tag is None and place.digest is None:
        raise ReferenceInvalid("The reference has neither a tag nor a digest.", remedy="Add :TAG or @sha256:… to it.")
    return place


def open_both(
    source: str, target: str, plain_http: Sequence[str], token_hosts: Sequence[str] = ()
) -> tuple[Place, Place]:
    """A source and a target that know of each other, so that one registry can mount from one to the other."""
    origin = open_source(source, plain_http, token_hosts)
    return origin, open_target(target, plain_http, origin, token_hosts)


def open_target(
    text: str, plain_http: Sequence[str], origin: Place | None = None, token_hosts: Sequence[str] = ()
) -> Place:
    """Raises ``ReferenceInvalid`` for what is neither form, or names a digest: that is the source's to say."""
    place = (
        _open_layout(text)
        if text.startswith(_LAYOUT)
        else _open_registry(text, plain_http, "target", origin.reference if origin else None, token_hosts)
    )
    if place.digest:
        raise ReferenceInvalid("A target names no digest.", remedy="Leave the digest out; it comes from the source.")
    return place


def open_bare(
    text: str, plain_http: Sequence[str], role: Literal["source", "target"], token_hosts: Sequence[str] = ()
) -> Place:
    """A repository without a tag or a digest. Raises ``ReferenceInvalid`` where there is one."""
    layout = text.startswith(_LAYOUT)
    place = _open_layout(text) if layout else _open_registry(text, plain_http, role, token_hosts=token_hosts)
    if place.tag or place.digest:
        raise ReferenceInvalid("All tags are wanted, and one is named.", remedy="Leave the tag and the digest out.")
    if layout and role == "source":
        terminal.layout(_split(text)[0]).check_readable()
    return place


def _open_layout(text: str) -> Place:
    folder, name, digest = _split(text)
    layout = terminal.layout(folder)
    layout.check_folder()
    return Place(text, layout, name, digest)


def _open_layout_source(text: str) -> Place:
    """A layout to read from: a name is looked up as it stands, and one artifact alone needs none.

    A name that is no tag but ends in one, as whole references do, goes on as that.
    """
    folder, name, digest = _split(text)
    layout = terminal.layout(folder)
    layout.check_readable()
    if digest:
        return Place(text, layout, name, digest)
    chosen = name or layout.only()
    if isinstance(chosen, Digest):
        return Place(text, layout, None, chosen)
    if is_tag(chosen):
        return Place(text, layout, chosen, None)
    ending = chosen.rpartition(":")[2]
    return Place(text, layout, ending if is_tag(ending) else None, layout.digest_of(chosen))


def _split(text: str) -> tuple[str, str | None, Digest | None]:
    """``oci-layout:FOLDER[:NAME][@DIGEST]``, where both may have colons: the longest folder that is there counts."""
    rest, digest = text.removeprefix(_LAYOUT), None
    if found := _DIGEST.fullmatch(rest):
        rest, digest = found["rest"], Digest.parse(found["digest"])
    folder, name = next(((each, name) for each, name in _splits(rest) if os.path.exists(each)), _usual(rest))
    if not folder:
        raise ReferenceInvalid(
            "The layout names no folder.", remedy="Write oci-layout:FOLDER or oci-layout:FOLDER:NAME."
        )
    return folder, name or None, digest


def _splits(rest: str) -> Iterator[tuple[str, str]]:
    """Every way to part a folder and a name, the longest folder first."""
    folder, name = rest, ""
    while folder:
        yield folder, name
        folder, colon, last = folder.rpartition(":")
        name = f"{last}:{name}" if name else last
        if not colon:
            return


def _usual(rest: str) -> tuple[str, str]:
    """For a folder that is still to be made: what stands behind the last colon is a tag, unless it is a path."""
    folder, colon, name = rest.rpartition(":")
    return (folder, name) if colon and "/" not in name else (rest, "")


def _open_registry(
    text: str,
    plain_http: Sequence[str],
    role: Literal["source", "target"],
    origin: Reference | None = None,
    token_hosts: Sequence[str] = (),
) -> Place:
    reference = _parse(text)
    registry = reference.registry
    repository = terminal.repository(
        reference,
        role,
        _credential(registry, reference.repository),
        plain_http=registry in _registries(tuple(plain_http)),
        at=answers_for(registry),
        mount_from=origin.repository if origin and origin.registry == registry else None,
        token_hosts=frozenset(token_hosts),
    )
    return Place(text, repository, reference.tag, reference.digest, reference)


def _parse(text: str) -> Reference:
    """A reference. Raises ``ReferenceInvalid``; who names a layout's folder alone is told how it is named."""
    try:
        return Reference.parse(text)
    except ReferenceInvalid:
        if any(os.path.isfile(os.path.join(folder, "oci-layout")) for folder, _ in _splits(text)):
            raise ReferenceInvalid("This is a folder with an OCI layout.", remedy=f"Write {_LAYOUT}{text}.") from None
        raise


@cache
def _registries(hosts: tuple[str, ...]) -> frozenset[Registry]:
    found = frozenset(Registry.parse(host) for host in hosts)
    if found:
        terminal.speak_plainly(found)
    return found


@cache
def _credential(registry: Registry, repository: str) -> Credential | None:
    """Docker's config, looked into once a repository."""
    return _logins().of(registry, repository)


@cache
def _logins() -> Logins:
    return Logins()
