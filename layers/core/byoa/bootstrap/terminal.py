"""The command line's adapters: registries and layouts, and the table with the caller's own AWS credentials."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from byoa.bootstrap.process import clock, workers
from byoa.engine.patience import Patience

if TYPE_CHECKING:
    from pathlib import Path

    from byoa.adapters.registries.answers import Role
    from byoa.adapters.registries.authorization import Wallet
    from byoa.adapters.registries.layout import LayoutRepository
    from byoa.adapters.registries.transport import Transport
    from byoa.builds.ports import Catalogue
    from byoa.content.packing import Packed
    from byoa.engine.ports import Repository
    from byoa.engine.sending import Pace
    from byoa.oci.reference import Reference
    from byoa.trust.credentials import Credential

ON_A_TERMINAL: Final = Patience(attempts=5, first=0.25, longest=60.0)
"""Somebody waits, and nobody else will try again."""

BLOB_WORKERS: Final = 3
"""Threads that copy blobs beside the one that leads: four at once hide the round trips."""


@cache
def transport() -> Transport:
    """One pool of connections for all registries."""
    from byoa.adapters.registries.transport import Transport

    return Transport(longest_rest=ON_A_TERMINAL.longest)


@cache
def wallet() -> Wallet:
    """Tokens of all registries: each is asked for once."""
    from byoa.adapters.registries.authorization import Wallet

    return Wallet(transport())


def pace() -> Pace:
    """How a copy works on a terminal: four blobs at once, five tries."""
    from byoa.engine.sending import Pace

    return Pace(workers=workers(BLOB_WORKERS), patience=ON_A_TERMINAL)


def repository(
    reference: Reference,
    role: Role,
    credential: Credential | None,
    *,
    plain_http: bool,
    mount_from: str | None = None,
) -> Repository:
    """A repository of any registry. ``mount_from`` is another one there that blobs may be mounted from."""
    from byoa.adapters.registries.distribution import DistributionRepository
    from byoa.adapters.registries.locations import endpoint_of
    from byoa.adapters.registries.traits import traits_of

    endpoint = endpoint_of(reference.registry, scheme="http" if plain_http else "https")
    return DistributionRepository(
        transport(),
        endpoint,
        reference.repository,
        role=role,
        credential=credential,
        wallet=wallet(),
        traits=traits_of(reference.registry),
        patience=ON_A_TERMINAL,
        mount_from=mount_from,
    )


def layout(folder: Path) -> LayoutRepository:
    """An OCI image layout in a folder."""
    from byoa.adapters.registries.layout import LayoutRepository

    return LayoutRepository(folder)


def packed(artifact: Packed) -> Repository:
    """An artifact in memory, under its digest."""
    from byoa.adapters.memory.repository import MemoryRepository

    return MemoryRepository(dict(artifact.blobs), {artifact.manifest.digest: artifact.manifest})


def catalogue(table: str) -> Catalogue:
    """Configs and builds."""
    from byoa.adapters.aws.dynamodb import DynamoLedger
    from byoa.adapters.aws.refusals import translated
    from byoa.bootstrap import clients

    with translated("AWS"):
        return DynamoLedger(clients.dynamodb(), table, clock())


def public_key(key: str) -> bytes:
    """The public half of a key of KMS (SubjectPublicKeyInfo, DER)."""
    from byoa.adapters.aws.kms import KmsKey
    from byoa.adapters.aws.refusals import translated
    from byoa.bootstrap import clients

    with translated("AWS"):
        return KmsKey(clients.kms(), key).public_key()
