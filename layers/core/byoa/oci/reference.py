"""References to artifacts: ``oci://HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]``.

The grammar of repositories and tags is the OCI distribution spec's ("Pulling manifests"); the one of hosts is the
strictest that real registries meet, so that two readers never see two hosts in one text. A text is read once, here,
and from then on travels as a structure: whoever needs a URL builds it from the parts. One endpoint has one name:

- hosts are lower-cased, IPv6 addresses compressed (RFC 5952) and in brackets;
- port 443 is what https means anyway and is dropped;
- ``index.docker.io`` and ``registry-1.docker.io`` are ``docker.io``.

Causes say which part breaks which rule and quote nothing of the text, which may hold a password.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple, Self

from byoa.errors import ReferenceInvalid, ReferenceUnsupported
from byoa.oci.digest import Digest

HTTPS_PORT: Final = 443
NAME_LIMIT: Final = 255
"""Characters of ``HOST[:PORT]/REPOSITORY``: what clients can be expected to take (distribution-spec, "Pulling")."""

# The longest sound reference is shorter; this only keeps absurd texts away from everything below.
_TEXT_LIMIT: Final = 1024
_HOST_LIMIT: Final = 253
_PORT_LIMIT: Final = 65535
_DOCKER_ALIASES: Final = frozenset({"index.docker.io", "registry-1.docker.io"})

_VISIBLE_ASCII: Final = re.compile(r"[!-~]*", re.ASCII)
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*", re.ASCII)
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_NUMERIC_LABEL: Final = re.compile(r"[0-9]+|0x.*", re.ASCII)
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_PATH_PART: Final = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_REPOSITORY: Final = re.compile(rf"{_PATH_PART}(?:/{_PATH_PART})*", re.ASCII)
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)

_FORBIDDEN: Final = {
    "%": "A reference has no percent-encoding.",
    "\\": "A reference has no backslash.",
    "?": "A reference has no query.",
    "#": "A reference has no fragment.",
}


class Registry(NamedTuple):
    """One endpoint by its one name: a canonical host (IPv6 without brackets) and a port, ``None`` for 443."""

    host: str
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take ``HOST[:PORT]`` and return it in canonical form.

        Raises ``ReferenceInvalid`` for anything but a domain name of LDH labels (RFC 1123), a dotted quad without
        leading zeros or an IPv6 address in brackets, with a port of 1 to 65535 without leading zeros.
        """
        host, port = _split_port(text)
        canonical = _ipv6(host) if host.startswith("[") else _name_or_ipv4(host)
        if canonical in _DOCKER_ALIASES and port is None:
            canonical = "docker.io"
        return cls(canonical, port)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


class Reference(NamedTuple):
    """An artifact in a registry: a repository, perhaps a tag, perhaps a digest.

    With both, the digest says what is meant and the tag is a label.
    """

    registry: Registry
    repository: str
    tag: str | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take ``oci://HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]``, complete: nothing is ever assumed.

        Raises ``ReferenceUnsupported`` for other schemes, ``DigestUnsupported`` for digests other than sha256 and
        sha512, and ``ReferenceInvalid`` for every other breach of the grammar.
        """
        authority, path = _split_path(_without_scheme(text))
        registry = Registry.parse(authority)
        path, at, digest = path.partition("@")
        repository, colon, tag = path.partition(":")
        reference = cls(
            registry=registry,
            repository=parse_repository(repository),
            tag=parse_tag(tag) if colon else None,
            digest=Digest.parse(digest) if at else None,
        )
        if len(reference.name) > NAME_LIMIT:
            raise ReferenceInvalid(f"The host and the repository together exceed {NAME_LIMIT} characters.")
        return reference

    @classmethod
    def of(cls, url: str, *, tag: str | None = None, digest: str | None = None) -> Self:
        """Take the three fields of a config and return the one reference they make.

        Raises what ``parse`` raises, and ``ReferenceInvalid`` when a field repeats what the url already says or when
        neither a tag nor a digest results.
        """
        reference = cls.parse(url)
        if tag is not None and reference.tag is not None:
            raise ReferenceInvalid("The tag stands twice: in the url and in the tag field.", remedy="Keep one of them.")
        if digest is not None and reference.digest is not None:
            raise ReferenceInvalid(
                "The digest stands twice: in the url and in the digest field.", remedy="Keep one of them."
            )
        if tag is not None:
            reference = reference._replace(tag=parse_tag(tag))
        if digest is not None:
            reference = reference._replace(digest=Digest.parse(digest))
        if reference.tag is None and reference.digest is None:
            raise ReferenceInvalid("The reference has neither a tag nor a digest.", remedy="Name a tag or a digest.")
        return reference

    @property
    def name(self) -> str:
        """``HOST[:PORT]/REPOSITORY``."""
        return f"{self.registry}/{self.repository}"

    def pinned(self, digest: Digest) -> Self:
        """This reference, meaning exactly ``digest``; a tag stays as a label."""
        return self._replace(digest=digest)

    def __str__(self) -> str:
        tag = "" if self.tag is None else f":{self.tag}"
        digest = "" if self.digest is None else f"@{self.digest}"
        return f"oci://{self.name}{tag}{digest}"


def parse_repository(text: str) -> str:
    """Take a repository's name and return it unchanged (distribution-spec, "Pulling manifests": ``<name>``).

    Raises ``ReferenceInvalid``. How long it may be depends on the registry, so ``Reference`` checks that.
    """
    if not text:
        raise ReferenceInvalid("The reference names no repository.")
    if len(text) > NAME_LIMIT:
        raise ReferenceInvalid(f"The repository exceeds {NAME_LIMIT} characters.")
    if text.lower() != text:
        raise ReferenceInvalid("The repository is not all lower case.")
    if not _REPOSITORY.fullmatch(text):
        raise ReferenceInvalid(
            "The repository is not made of a-z and 0-9, joined within a part by one '.', '_', '__' or dashes, and "
            "parts joined by one '/'."
        )
    return text


def is_tag(text: str) -> bool:
    """Whether ``parse_tag`` takes it."""
    return _TAG.fullmatch(text) is not None


def parse_tag(text: str) -> str:
    """Take a tag and return it unchanged (distribution-spec, "Pulling manifests": ``<reference>`` as a tag).

    Raises ``ReferenceInvalid``.
    """
    if not text:
        raise ReferenceInvalid("The tag is empty.", remedy="Name a tag, or leave it out and name a digest.")
    if not _TAG.fullmatch(text):
        raise ReferenceInvalid(
            "A tag has 1 to 128 characters of a-z, A-Z, 0-9, '_', '.' and '-', and starts with none of '.' and '-'.",
            remedy="Use the tag exactly as it was pushed.",
        )
    return text


def _without_scheme(text: str) -> str:
    # Before any splitting: what splitters and resolvers drop or translate must not get that far.
    if len(text) > _TEXT_LIMIT:
        raise ReferenceInvalid(f"The reference exceeds {_TEXT_LIMIT} characters.")
    if not _VISIBLE_ASCII.fullmatch(text):
        raise ReferenceInvalid("A reference has no white space, no control characters and nothing beyond ASCII.")
    scheme, separator, rest = text.partition("://")
    if not separator or not _SCHEME.fullmatch(scheme):
        raise ReferenceInvalid("The reference doesn't start with oci://, and no registry is ever assumed.")
    if scheme != "oci":
        raise ReferenceUnsupported("The scheme is not oci (in lower case).")
    for character, cause in _FORBIDDEN.items():
        if character in rest:
            raise ReferenceInvalid(cause)
    return rest


def _split_path(rest: str) -> tuple[str, str]:
    authority, _, path = rest.partition("/")
    if "@" in authority:
        raise ReferenceInvalid(
            "A reference holds no user name and no password.",
            remedy="Store the credentials and name them by credentials_ref.",
        )
    if path.count("@") > 1:
        raise ReferenceInvalid("The reference has more than one '@'.")
    return authority, path


def _split_port(text: str) -> tuple[str, int | None]:
    if text.startswith("["):
        host, bracket, port = text.partition("]")
        host += bracket
        colon, port = port[:1], port[1:]
        if not bracket or colon not in {"", ":"}:
            raise ReferenceInvalid("The brackets around the host's IPv6 address are not closed, or not its end.")
    else:
        host, colon, port = text.partition(":")
    if ":" in port:
        raise ReferenceInvalid("The host has more than one ':'; an IPv6 address stands in brackets.")
    return host, _port(port) if colon else None


def _port(text: str) -> int | None:
    if not _PORT.fullmatch(text) or int(text) > _PORT_LIMIT:
        raise ReferenceInvalid(f"A port is a number of 1 to {_PORT_LIMIT} without leading zeros.")
    return None if int(text) == HTTPS_PORT else int(text)


def _name_or_ipv4(text: str) -> str:
    host = text.lower()
    if not host:
        raise ReferenceInvalid("The reference names no registry host.")
    if len(host) > _HOST_LIMIT:
        raise ReferenceInvalid(f"The registry host exceeds {_HOST_LIMIT} characters.")
    labels = host.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise ReferenceInvalid(
            "The registry host isn't made of labels of 1 to 63 letters, digits and inner dashes, joined by single dots."
        )
    # Resolvers read such names as addresses in octal, hexadecimal or with parts left out (WHATWG URL, "ends in a
    # number"); the one spelling that everyone reads alike is taken.
    if _NUMERIC_LABEL.fullmatch(labels[-1]) and not _is_address(host, IPv4Address):
        raise ReferenceInvalid("A registry host that ends in a number is an IPv4 address of four decimal numbers.")
    return host


def _ipv6(text: str) -> str:
    inner = text[1:-1]
    if "%" in inner or not _is_address(inner, IPv6Address):
        raise ReferenceInvalid("The registry host in brackets is no IPv6 address (without a zone).")
    return str(IPv6Address(inner))


def _is_address(text: str, kind: type[IPv4Address | IPv6Address]) -> bool:
    # The error quotes the text; asked this way, it ends here and is nobody's context.
    try:
        kind(text)
    except ValueError:
        return False
    return True
