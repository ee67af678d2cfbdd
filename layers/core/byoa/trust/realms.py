"""Which token services may see a registry's credentials."""

from __future__ import annotations

from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container


def may_see(service: str, registry: str, named: Container[str]) -> bool:
    """Whether the host ``service`` may see what belongs to the host ``registry``.

    It is the registry itself, one of those ``named``, or of the same domain: of one that somebody registered, not of
    one where anybody may (publicsuffix.org). An address belongs to nobody that its figures would tell.
    """
    if service == registry or service in named:
        return True
    domain = _domain(service)
    return domain is not None and domain == _domain(registry)


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
