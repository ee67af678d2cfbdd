"""The values of single fields in stored credentials. What is wrong is said by rule and quotes nothing."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

from byoa.errors import ByoaError
from byoa.oci.reference import Registry
from byoa.trust.domains import REGISTRY_OF

_UNSAYABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]+", re.ASCII)
_ROLE: Final = re.compile(r"arn:aws[a-z-]{0,20}:iam::(?P<account>[0-9]{12}):role/[\w+=,.@/-]{1,576}", re.ASCII)
_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"
_DER_SEQUENCE: Final = b"\x30"
_NO_CERTIFICATES: Final = "isn't one or more certificates in PEM, and nothing else"


def fault(cause: str) -> PydanticCustomError:
    """What a field is refused with; its name is put before ``cause``."""
    return PydanticCustomError("credential", "{cause}", {"cause": cause})


def _host(text: str) -> str:
    """The one name of ``HOST[:PORT]``: no pattern passes for it."""
    try:
        registry = Registry.parse(text)
    except ByoaError:
        raise fault("isn't one HOST[:PORT], without a scheme, a path or a pattern") from None
    if registry.host in REGISTRY_OF:
        raise fault(f"isn't a registry's; the one that is meant is {REGISTRY_OF[registry.host]}")
    return str(registry)


def _token_host(text: str) -> str:
    try:
        registry = Registry.parse(text)
    except ByoaError:
        registry = None
    if registry is None or registry.port is not None:
        raise fault("isn't one host, without a scheme, a port or a pattern") from None
    return registry.host


def _sayable(text: str) -> str:
    """RFC 7617, section 2: neither part of a login has control characters; half a character can't be sent at all."""
    if "\n" in text or "\r" in text:
        raise fault("has more than one line")
    if _UNSAYABLE.search(text):
        raise fault("holds a control character, or half of one")
    return text


def _username(text: str) -> str:
    if ":" in text:
        raise fault("holds a ':', which ends a name where logins are written (RFC 7617, section 2)")
    return _sayable(text)


def _secret(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value():
        raise fault("is empty")
    _sayable(secret.get_secret_value())
    return secret


def _bearer(secret: SecretStr) -> SecretStr:
    if not _TOKEN.fullmatch(secret.get_secret_value()):
        raise fault("isn't a token as it stands in a header (RFC 6750, section 2.1)")
    return secret


def is_role(text: str) -> bool:
    """Whether it is the ARN of one role: no pattern, and nobody beside it."""
    return _ROLE.fullmatch(text) is not None


def _role(text: str) -> str:
    if not is_role(text):
        raise fault("isn't the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME")
    return text


def _certificates(text: str) -> str:
    """Certificates as RFC 7468 has them, and no line beside them: a key has no business here."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    body: list[str] | None = None
    count = 0
    for line in lines:
        if (line == _BEGIN) != (body is None):
            raise fault(_NO_CERTIFICATES)
        if line == _BEGIN:
            body = []
        elif line != _END and body is not None:
            body.append(line)
        elif body is None or not _is_der("".join(body)):
            raise fault(_NO_CERTIFICATES)
        else:
            body, count = None, count + 1
    if body is not None or not count:
        raise fault(_NO_CERTIFICATES)
    return text


def _is_der(body: str) -> bool:
    try:
        return base64.b64decode(body, validate=True).startswith(_DER_SEQUENCE)
    except binascii.Error:
        return False


def _document(value: object) -> SecretStr:
    """A JSON object as text, or as what it is; either becomes one text, each of whose names stands once."""
    found = _parsed(value) if isinstance(value, str) else value
    if not isinstance(found, dict):
        raise fault("isn't a JSON object")
    return SecretStr(json.dumps(found))


def _parsed(text: str) -> object:
    try:
        return read_json(text)
    except ValueError:
        raise fault("isn't JSON in which every name stands once") from None


def read_json(text: str) -> object:
    """JSON in which every name stands once. Raises ``ValueError``, whose text is not to be shown."""
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


Host = Annotated[str, AfterValidator(_host)]
TokenHost = Annotated[str, AfterValidator(_token_host)]
Certificates = Annotated[str, AfterValidator(_certificates)]
Username = Annotated[str, Field(min_length=1), AfterValidator(_username)]
Password = Annotated[SecretStr, AfterValidator(_secret)]
Bearer = Annotated[SecretStr, AfterValidator(_bearer)]
Document = Annotated[SecretStr, BeforeValidator(_document)]
RoleArn = Annotated[str, AfterValidator(_role)]
