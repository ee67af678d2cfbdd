"""What FetchKeys and ExchangeCode may use: issuers of JWTs, by connections that are guarded as registries' are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.bootstrap import pipeline

if TYPE_CHECKING:
    from byoa.adapters.registries.issuers import IssuerKeys


def asking(organisation: str) -> IssuerKeys:
    """What asks issuers, for one organisation."""
    from byoa.adapters.registries.issuers import IssuerKeys
    from byoa.settings import addresses

    return IssuerKeys(pipeline.transport(organisation), addresses(pipeline.settings().plain_http_hosts))
