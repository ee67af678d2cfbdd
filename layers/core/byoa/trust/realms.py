"""Which token services may see a registry's credentials."""

from __future__ import annotations

from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Container

    from byoa.oci.reference import Registry

_SHARED: Final = frozenset({
    "aliyuncs.com", "azurecr.cn", "azurecr.io", "azurecr.us", "jfrog.io", "myhuaweicloud.com",
    "ocir.io", "oraclecloud.com", "tencentcloudcr.com", "volces.com",
})  # fmt: skip
"""Domains whose names under them are given to strangers, buckets for example, and that publicsuffix.org lacks."""


def may_see(service: Registry, registry: Registry, named: Container[str]) -> bool:
    """Whether the token service at ``service`` may see what belongs to ``registry``.

    It is the registry itself, or one of those ``named`` (``HOST`` or ``HOST:PORT``), or it answers at https' own port
    of the registry's host or of its domain: a domain that somebody registered, not one where anybody may
    (publicsuffix.org). An address belongs to nobody that its figures would tell.
    """
    if service == registry or str(service) in named:
        return True
    if service.port is not None:
        return False
    if service.host == registry.host:
        return True
    domain = _domain(service.host)
    return domain is not None and domain not in _SHARED and domain == _domain(registry.host)


def _domain(host: str) -> str | None:
    try:
        ip_address(host)
    except ValueError:
        found: str | None = _suffixes().privatesuffix(host)
        return found
    return None


@cache
def _suffixes():  # type: ignore[no-untyped-def]  # noqa: ANN202 - the library has no types
    """Read when it is first asked for: hardly any registry has its tokens elsewhere."""
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - the same

    return PublicSuffixList()
