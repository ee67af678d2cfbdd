"""What the environment tells a function. Read once, by ``bootstrap``; ``template.yaml`` sets every name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX = "BYOA_"


class Settings(BaseModel):
    """One field per variable ``BYOA_<NAME>``; a function that doesn't need one isn't given it.

    ``plain_http_hosts`` and ``own_hosts`` are lists of ``host[:port]`` with commas between, of the first each perhaps
    with ``=`` and the address where it is reached; ``series`` is what builds' ids are made with, ``ecr_endpoint``
    replaces the address of ECR's data plane, ``reachable`` opens addresses and ports that are not public
    (``trust.addresses``). An artifact of ``spread_from`` bytes is copied by an invocation per blob: 64 MiB is what one
    invocation moves in half a minute. The builds of one organisation take ``bytes_per_day`` at most: a hundred of the
    largest that ``trust.policy`` lets through. ``tenant_role`` and ``source_role`` are the ARNs of the roles whose
    sessions work for one organisation: on what it has with us, and with what vendors lend it; ``cluster_role`` is the
    same for what lets us into clusters. ``plan_key`` is what fingerprints of plans are made with. ``fetch_keys`` and
    ``exchange_code`` name the functions that ask issuers, for their keys and for the token of who signs in;
    ``api_function`` is the one that answers the API, and ``stack`` what the names of those of lookups begin with.
    ``sign_in`` are the organisations whose ways to sign in everybody is shown. ``vendors_trust`` is ``source_role`` for
    who only tells vendors of it, and ``clusters_trust`` ``cluster_role`` for who tells clusters' owners.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str = ""
    api_function: str = ""
    bucket: str = ""
    bus: str = ""
    bytes_per_day: int = 100 * 1024 * 1024 * 1024
    cluster_role: str = ""
    clusters_trust: str = ""
    ecr_endpoint: str = ""
    exchange_code: str = ""
    fetch_keys: str = ""
    kms_key: str = ""
    own_hosts: str = ""
    plan_key: str = ""
    plain_http_hosts: str = ""
    reachable: str = ""
    receipt_key: str = ""
    repository_prefix: str = "byoa"
    series: str = ""
    sign_in: str = ""
    source_role: str = ""
    stack: str = ""
    spread_from: int = 64 * 1024 * 1024
    table: str = ""
    tenant_role: str = ""
    vendors_trust: str = ""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """The settings that ``environment`` holds. Raises pydantic's ``ValidationError`` for a name it doesn't know."""
        found = {
            name.removeprefix(_PREFIX).lower(): value for name, value in environment.items() if name.startswith(_PREFIX)
        }
        return cls.model_validate(found)


def hosts(text: str) -> frozenset[str]:
    """The hosts of a list with commas between."""
    return frozenset(host.strip() for host in text.split(",") if host.strip())


def addresses(text: str) -> dict[str, str]:
    """Where each host of a list is reached: at its address, if the list gives it one, else under its name."""
    pairs = (host.strip().partition("=") for host in text.split(",") if host.strip())
    return {host: address or host for host, _, address in pairs}
