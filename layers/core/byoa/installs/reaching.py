"""How an install's cluster is reached, as it is kept: no part of it is a secret.

``static`` is a server with its authority, whose token is stored elsewhere; ``eks`` a cluster of EKS by a role of its
account; an ``agent``'s is reached by nobody but the agent.
"""

from __future__ import annotations

import base64
import binascii
import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from byoa.errors import ClusterAccessInvalid
from byoa.installs.access import access_of
from byoa.trust.addresses import is_public

if TYPE_CHECKING:
    from collections.abc import Mapping

_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----")
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")
_FIELDS: Final = {
    "static": ("kind", "server", "ca", "server_name", "private"),
    "eks": ("kind", "cluster", "region", "role_arn"),
    "agent": ("kind",),
}


def parse_access(said: Mapping[str, Any]) -> dict[str, Any]:
    """It in its canonical form. Raises ``ClusterAccessInvalid``, placed at the field."""
    fields = _FIELDS.get(str(said.get("kind")))
    if fields is None or set(said) - set(fields):
        raise ClusterAccessInvalid("A cluster is static, eks, or an agent's, with the fields of its kind.")
    if said["kind"] == "static":
        return _static(said)
    missing = [name for name in fields if not isinstance(said.get(name), str)]
    if missing:
        raise ClusterAccessInvalid("The cluster's field is missing, or no text.", where=missing[0])
    return {name: said[name] for name in fields}


def _static(said: Mapping[str, Any]) -> dict[str, Any]:
    """An address that is written as such is judged here, a name's addresses when they are dialled."""
    try:
        access = access_of(str(said.get("server")), None, "unknown")
    except ClusterAccessInvalid as error:
        raise error.at("server") from None
    private = said.get("private") is True
    if _is_address(access.host) and not is_public(access.host) and not private:
        raise ClusterAccessInvalid(
            "The cluster's server is no public address.", where="server",
            remedy="Say that it is private (`private: true`), if the platform reaches its network; else use an agent.",
        )  # fmt: skip
    name = said.get("server_name")
    if name is not None and not _NAME.fullmatch(str(name)):
        raise ClusterAccessInvalid("The name in the server's certificate is none.", where="server_name")
    return {
        "kind": "static",
        "server": f"https://{access.authority}",
        "ca": _authority(said.get("ca")),
        "server_name": name,
        "private": private,
    }


def _authority(text: object) -> str | None:
    """Certificates alone, without what stands around them."""
    if text is None:
        return None
    found = _PEM.findall(str(text))
    try:
        bodies = [base64.b64decode("".join(each.split()), validate=True) for each in found]
    except (binascii.Error, ValueError):
        bodies = []
    if not bodies or "PRIVATE KEY" in str(text):
        raise ClusterAccessInvalid(
            "The cluster's authority isn't certificates in PEM.", where="ca",
            remedy="Give what a kubeconfig has as certificate-authority-data, decoded from base64.",
        )  # fmt: skip
    return "".join(_pem(each) for each in bodies)


def _pem(der: bytes) -> str:
    text = base64.b64encode(der).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
