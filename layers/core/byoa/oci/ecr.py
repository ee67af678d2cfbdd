"""Hosts of private ECR registries: whose they are shows in their names."""

from __future__ import annotations

import re
from typing import Final

_HOST: Final = re.compile(
    r"(?:(?P<account>[0-9]{12})|vpce-[a-z0-9-]+)\.dkr[.-]ecr(?:-fips)?\.(?P<place>[a-z0-9.-]+)",
    re.ASCII,
)
"""ACCOUNT.dkr.ecr.REGION.DOMAIN, with FIPS and dual-stack spellings (ECR user guide, "Service endpoints").

Of any domain: partitions have their own, and new ones come. The endpoint of a VPC names itself in place of the account.
"""

_REGION: Final = re.compile(r"[a-z]{2,8}(?:-[a-z]{2,16}){1,3}-[0-9]{1,2}", re.ASCII)

_DOMAINS: Final = frozenset(
    {
        "amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "c2s.ic.gov", "sc2s.sgov.gov", "cloud.adc-e.uk",
        "csp.hci.ic.gov", "on.aws", "on.amazonwebservices.com.cn", "on.amazonwebservices.eu",
    }
)  # fmt: skip
"""Those of AWS's partitions (botocore, partitions.json), and of hosts with IPv6 (ECR user guide): AWS's alone."""


def ecr_account(host: str) -> str | None:
    """The account whose private registry ``host`` is, "" where it doesn't say, ``None`` for a host that is none."""
    found = _HOST.fullmatch(host)
    return (found["account"] or "") if found else None


def ecr_region(host: str) -> str | None:
    """The region of a private registry that names its account, ``None`` for every other host.

    Of AWS's own domains only: what AWS gives out for a registry goes to nobody who merely writes a host the same way.
    """
    found = _HOST.fullmatch(host)
    region, _, domain = found["place"].partition(".") if found and found["account"] else ("", "", "")
    return region if _REGION.fullmatch(region) and domain in _DOMAINS else None
