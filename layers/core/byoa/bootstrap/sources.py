"""Where artifacts come from: vendors' registries, with what was lent for them, and configs' own texts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from byoa.bootstrap import clients, pipeline
from byoa.errors import InternalFault
from byoa.oci.reference import Reference, Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.adapters.registries.authorization import Wallet
    from byoa.adapters.registries.distribution import DistributionRepository
    from byoa.builds.lending import Lender, Lent
    from byoa.builds.messages import BuildKey, ValidReference
    from byoa.engine.ports import Repository


def lent(valid: ValidReference) -> Lent | None:
    """What the build's config names credentials for, read for this step; ``None`` where it names none.

    Raises what ``Lender.lend`` raises.
    """
    if valid.reference is None or valid.credentials_ref is None:
        return None
    borrower = lender(valid.organisation, valid.build_id)
    return borrower.lend(valid.credentials_ref, Reference.parse(valid.reference))


def source(valid: ValidReference, lent: Lent | None) -> Repository:
    """The vendor's registry, with what was ``lent`` for it, or the config's own text."""
    if valid.reference is None:
        return _inline(valid.key)
    return registry(valid.organisation, Reference.parse(valid.reference), lent)


def trial_source(organisation: str) -> Callable[[Reference, Lent], tuple[Repository, Callable[[bool], bool]]]:
    """What opens a repository to try credentials with, and what tells whether its registry wanted them."""

    def open_source(reference: Reference, lent: Lent) -> tuple[Repository, Callable[[bool], bool]]:
        found = registry(organisation, reference, lent)
        return found, lambda asked: found.logged_in if asked else found.check_login()

    return open_source


def lender(organisation: str, session: str) -> Lender:
    """What the organisation's builds may borrow; vendors see ``session`` as the name of ours in their trails."""
    from byoa.adapters.aws.ecr_login import RoleLogin
    from byoa.adapters.aws.secrets import SecretsVault
    from byoa.builds.lending import Lender
    from byoa.trust.external_id import strangers_id

    current = pipeline.settings()
    vault = SecretsVault(clients.secretsmanager(organisation), organisation)
    ecr = RoleLogin(clients.sts(organisation), clients.lent_ecr, session, strangers_id(current.table), _careful())
    account = current.source_role.split(":")[4]  # every function that borrows has the role, and not all the account
    return Lender(organisation, vault, ecr, account, current.table)


@cache
def _careful() -> set[tuple[str, str]]:
    """Roles that are known to refuse a stranger's id, each with the one that it let in."""
    return set()


def registry(organisation: str, reference: Reference, lent: Lent | None) -> DistributionRepository:
    """A vendor's repository, with what was ``lent`` for it."""
    from byoa.adapters.registries.distribution import DistributionRepository
    from byoa.adapters.registries.locations import endpoint_of
    from byoa.adapters.registries.traits import traits_of
    from byoa.settings import addresses

    plain = addresses(pipeline.settings().plain_http_hosts).get(str(reference.registry))
    registry = Registry.parse(plain) if plain else reference.registry
    endpoint = endpoint_of(registry, scheme="http" if plain else "https")
    traits = traits_of(reference.registry)
    if lent and lent.token_host:
        traits = traits._replace(token_hosts=traits.token_hosts | {lent.token_host})
    return DistributionRepository(
        pipeline.transport(organisation, lent.ca if lent else None),
        endpoint,
        reference.repository,
        role="source",
        credential=lent.credential if lent else None,
        renew=lent.renew if lent else None,
        wallet=_wallet(organisation, lent),
        traits=traits,
        patience=pipeline.patience(),
    )


def _wallet(organisation: str, lent: Lent | None) -> Wallet:
    """Tokens for anybody outlast a step; those that credentials were shown for go with it, as these do."""
    if lent is None:
        return pipeline.wallet(organisation)
    from byoa.adapters.registries.authorization import Wallet

    return Wallet(pipeline.transport(organisation, lent.ca))


def _inline(key: BuildKey) -> Repository:
    from byoa.adapters.memory.repository import MemoryRepository
    from byoa.content.packing import pack

    text = pipeline.ledger(key).config(key).config.manifest
    if text is None:
        raise InternalFault("A build of inline manifests has none.")
    return MemoryRepository.holding(pack(text))
