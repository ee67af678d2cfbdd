"""What FetchKeys and ExchangeCode may use: issuers of JWTs, by connections that are guarded as registries' are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.bootstrap import clients, pipeline

if TYPE_CHECKING:
    from byoa.adapters.registries.issuers import IssuerKeys
    from byoa.trust.signing_in import CodeGiven


def asking(organisation: str) -> IssuerKeys:
    """What asks issuers, for one organisation."""
    from byoa.adapters.registries.issuers import IssuerKeys
    from byoa.settings import addresses

    return IssuerKeys(pipeline.transport(organisation), addresses(pipeline.settings().plain_http_hosts))


def secret_of(given: CodeGiven) -> str | None:
    """The secret of the client that a code is for, read in a session of the organisation; ``None`` for one without."""
    from byoa.adapters.aws.client_secrets import ClientVault

    if not given.rule:
        return None
    vault = ClientVault(clients.secrets_of_clients(given.organisation), given.organisation)
    return vault.read(given.rule, given.issuer, given.client_id)
