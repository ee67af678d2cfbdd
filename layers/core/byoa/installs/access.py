"""How a cluster is reached: a server, its authority and a token; given as they are, or in a kubeconfig.

A kubeconfig may name programs that make a login (``exec``, ``auth-provider``). None is run: what was meant for one
person's machine would run wherever an install does.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from byoa.errors import ClusterAccessInvalid

_LARGEST: Final = 1024 * 1024
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}|[0-9a-f:.]{2,45}")
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,65536}")
_PROGRAMS: Final = ("exec", "auth-provider")
_AS_ANOTHER: Final = ("as", "as-uid", "as-groups", "as-user-extra")
_CERTIFICATES: Final = ("client-certificate", "client-certificate-data")
_MAKE_ONE: Final = "Make a token, for example with `kubectl create token NAME`, and give it on stdin (--token-stdin)."


class Access(NamedTuple):
    """A way to a cluster. ``ca`` is PEM, and ``server_name`` what its certificate is for where that isn't the host."""

    host: str
    port: int
    ca: str | None
    token: str
    server_name: str | None = None

    @property
    def authority(self) -> str:
        """What people know it by."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __repr__(self) -> str:
        """Without the token."""
        return f"Access({self.authority})"


def place_of_server(server: str) -> tuple[str, int]:
    """Host and port of ``server`` (https://HOST[:PORT]). Raises ``ClusterAccessInvalid``."""
    try:
        parts = urlsplit(server)
        host, port = parts.hostname or "", parts.port or 443
    except ValueError:
        host = ""
    if not _HOST.fullmatch(host) or parts.scheme != "https" or parts.username or parts.query or parts.fragment:
        raise ClusterAccessInvalid("A cluster's server is written https://HOST[:PORT].")
    if parts.path.strip("/"):
        raise ClusterAccessInvalid("The cluster's server is behind a path, which is not supported.")
    return host, port


def access_of(server: str, ca: str | None, token: str, server_name: str | None = None) -> Access:
    """The way to ``server`` (https://HOST[:PORT]). Raises ``ClusterAccessInvalid``."""
    host, port = place_of_server(server)
    if not _TOKEN.fullmatch(token):
        raise ClusterAccessInvalid("The token for the cluster is empty, or no token.", remedy=_MAKE_ONE)
    return Access(host, port, ca, token, server_name)


def read_kubeconfig(text: str, context: str | None = None) -> Access:
    """The way that a kubeconfig describes, by ``context`` or its current one. Raises ``ClusterAccessInvalid``.

    Files that it names are not opened: what they hold has to stand in it (``kubectl config view --flatten --raw``).
    """
    config = _parsed(text)
    wanted = context or str(config.get("current-context") or "")
    chosen = _named(config, "contexts", "context", wanted)
    cluster = _named(config, "clusters", "cluster", str(chosen.get("cluster")))
    user = _named(config, "users", "user", str(chosen.get("user")))
    if cluster.get("insecure-skip-tls-verify"):
        raise ClusterAccessInvalid("The kubeconfig has the server's certificate not checked.")
    if cluster.get("certificate-authority"):
        raise ClusterAccessInvalid(
            "The kubeconfig names a file with the cluster's authority.",
            remedy="Put it in: `kubectl config view --flatten --raw`.",
        )
    if cluster.get("proxy-url"):
        raise ClusterAccessInvalid(
            "The kubeconfig goes through a proxy (proxy-url), which is not done here.",
            remedy="Take proxy-url out; `byoa install` goes through the proxies of HTTPS_PROXY.",
        )
    name = cluster.get("tls-server-name")
    ca = _decoded(cluster.get("certificate-authority-data"))
    return access_of(str(cluster.get("server")), ca, _token(user), str(name) if name else None)


def _parsed(text: str) -> dict[str, Any]:
    if len(text) > _LARGEST:
        raise ClusterAccessInvalid("The kubeconfig is too large to be one.")
    import yaml  # noqa: PLC0415 - few read kubeconfigs, and the API's start is paid for each time

    try:
        found = yaml.load(text, yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("kind") != "Config":
        raise ClusterAccessInvalid("The kubeconfig is none.")
    return found


def _named(config: dict[str, Any], group: str, key: str, name: str) -> dict[str, Any]:
    listed = config.get(group)
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, dict) and each.get("name") == name and isinstance(each.get(key), dict):
            found: dict[str, Any] = each[key]
            return found
    raise ClusterAccessInvalid(f"The kubeconfig has no {key} of the name that is wanted.")


def _token(user: dict[str, Any]) -> str:
    if any(user.get(name) for name in _PROGRAMS):
        raise ClusterAccessInvalid("The kubeconfig runs a program to log in.", remedy=_MAKE_ONE)
    if any(user.get(name) for name in _AS_ANOTHER):
        raise ClusterAccessInvalid(
            "The kubeconfig acts as somebody else (as), which is not done here.", remedy=_MAKE_ONE
        )
    if not user.get("token") and user.get("tokenFile"):
        raise ClusterAccessInvalid("The kubeconfig names a file with the token (tokenFile).", remedy=_MAKE_ONE)
    if not user.get("token") and any(user.get(name) for name in _CERTIFICATES):
        raise ClusterAccessInvalid("The kubeconfig logs in with a certificate, not a token.", remedy=_MAKE_ONE)
    return str(user.get("token") or "")


def _decoded(data: object) -> str | None:
    if not data:
        return None
    try:
        return base64.b64decode(str(data), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise ClusterAccessInvalid("The kubeconfig's certificate-authority-data can't be read.") from None
