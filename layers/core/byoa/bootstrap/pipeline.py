"""Environment → settings → adapters: the only place that makes clients. Each is made when it is first asked for."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from byoa.engine.patience import Patience
from byoa.errors import InternalFault
from byoa.oci.reference import Reference, Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from botocore.session import Session
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_ecr import ECRClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_kms import KMSClient
    from types_boto3_s3 import S3Client

    from byoa.adapters.aws.dynamodb import DynamoLedger
    from byoa.adapters.aws.ecr import EcrRegistry
    from byoa.adapters.aws.s3 import Quarantine
    from byoa.adapters.memory.repository import SystemClock
    from byoa.adapters.registries.answers import Role
    from byoa.adapters.registries.authorization import Wallet
    from byoa.adapters.registries.layout import LayoutRepository
    from byoa.adapters.registries.transport import Transport
    from byoa.builds.messages import BuildKey, MirrorTask, ValidReference
    from byoa.builds.stage import Books
    from byoa.engine.ports import Catalogue, Credential, Repository, Signer
    from byoa.engine.sending import Pace
    from byoa.engine.workers import Workers
    from byoa.settings import Settings
    from byoa.trust.policy import Policy

ON_A_TERMINAL: Final = Patience(attempts=5, first=0.25, longest=60.0)
"""Somebody waits, and nobody else will try again."""

IN_A_STEP: Final = Patience(attempts=5, first=0.1, longest=5.0)
"""Long waits are the state machine's: it pays for none of them."""

BLOB_WORKERS: Final = 3
"""Threads that copy blobs beside the one that leads: four at once hide the round trips, and a vCPU hashes no more."""

MARGIN_MILLISECONDS: Final = 15_000
"""What a step keeps of its time, to end what it is at and to say how far it came."""

_remaining: list[Callable[[], int]] = []


@cache
def settings() -> Settings:
    """The settings of this process."""
    from byoa.settings import Settings

    return Settings.read(os.environ)


@cache
def clock() -> SystemClock:
    """The machine's clock."""
    from byoa.adapters.memory.repository import SystemClock

    return SystemClock()


@cache
def transport() -> Transport:
    """One pool of connections for all registries. A step waits out no long rest of theirs: the state machine does."""
    from byoa.adapters.registries.transport import Transport

    return Transport(longest_rest=(IN_A_STEP if _remaining else ON_A_TERMINAL).longest)


@cache
def wallet() -> Wallet:
    """Tokens of all registries: each is asked for once."""
    from byoa.adapters.registries.authorization import Wallet

    return Wallet(transport())


@cache
def workers(count: int) -> Workers:
    """Threads that copy blobs, for all copies of this process."""
    from byoa.engine.workers import Workers

    return Workers(count, "blob")


@cache
def books() -> Books:
    """Where a step tells how far it is."""
    from byoa.adapters.aws.budget import DynamoBudget
    from byoa.builds.stage import Books

    return Books(ledger(), clock(), DynamoBudget(_dynamodb(), settings().table, clock()))


def begin(remaining: Callable[[], int]) -> None:
    """An invocation begins, which has ``remaining()`` milliseconds left."""
    _remaining.append(remaining)
    del _remaining[:-1]


def pace() -> Pace:
    """How a step copies: patiently, until shortly before its time is over, and large artifacts by sharing them out."""
    from byoa.engine.sending import Pace
    from byoa.trust.policy import LASTING

    return Pace(
        workers=workers(BLOB_WORKERS),
        patience=IN_A_STEP,
        out_of_time=_out_of_time,
        lasting_from=LASTING,
        spread_from=settings().spread_from,
    )


def _out_of_time() -> bool:
    return bool(_remaining) and _remaining[-1]() < MARGIN_MILLISECONDS


def policy() -> Policy:
    """The rules of this stack."""
    from byoa.settings import hosts
    from byoa.trust.policy import Policy

    current = settings()
    return Policy(account=current.account, prefix=current.repository_prefix, own_hosts=hosts(current.own_hosts))


@cache
def ledger() -> DynamoLedger:
    """The table."""
    from byoa.adapters.aws.dynamodb import DynamoLedger

    return DynamoLedger(_dynamodb(), settings().table, clock())


def publish(records: Sequence[Mapping[str, Any]]) -> str | None:
    """Tell the bus of records of the table's stream; returns the number of the first one that couldn't be told."""
    from byoa.adapters.aws import stream
    from byoa.adapters.aws.eventbridge import EventBus

    return stream.publish(records, EventBus(_events(), settings().bus))


def quarantine(key: BuildKey) -> Quarantine:
    """What the build's organisation has in quarantine."""
    from byoa.adapters.aws.s3 import Quarantine

    return Quarantine(_s3(), settings().bucket, key.organisation)


def source(valid: ValidReference) -> Repository:
    """Where the artifact comes from: the vendor's registry, or the config's own text."""
    if valid.reference is None:
        return _inline(valid.key)
    from byoa.adapters.registries.distribution import DistributionRepository
    from byoa.adapters.registries.locations import endpoint_of
    from byoa.adapters.registries.traits import traits_of
    from byoa.settings import addresses

    reference = Reference.parse(valid.reference)
    plain = addresses(settings().plain_http_hosts).get(str(reference.registry))
    registry = Registry.parse(plain) if plain else reference.registry
    endpoint = endpoint_of(registry, scheme="http" if plain else "https")
    return DistributionRepository(
        transport(),
        endpoint,
        reference.repository,
        role="source",
        wallet=wallet(),
        traits=traits_of(reference.registry),
        patience=IN_A_STEP,
    )


def _inline(key: BuildKey) -> Repository:
    from byoa.adapters.memory.repository import MemoryRepository
    from byoa.content.packing import pack

    text = ledger().config(key).config.manifest
    if text is None:
        raise InternalFault("A build of inline manifests has none.")
    return MemoryRepository.holding(pack(text))


def target(task: MirrorTask) -> tuple[Repository, tuple[Registry, str]]:
    """The repository that a target keeps the artifact in, and its registry and name."""
    key = task.artifact.key
    name = policy().repository_for(key)
    tags = {"byoa:organisation": key.organisation, "byoa:app": key.app, "byoa:component": key.component}
    found, repository = _ecr_registry().repository(name, tags)
    return repository, (found, name)


@cache
def _ecr_registry() -> EcrRegistry:
    from byoa.adapters.aws.ecr import EcrRegistry

    current = settings()
    return EcrRegistry(_ecr(), transport(), current.ecr_endpoint, current.kms_key, IN_A_STEP)


@cache
def signer() -> Signer | None:
    """What signs receipts; ``None`` in a stack without a key."""
    from byoa.adapters.aws.kms import KmsKey

    key = settings().receipt_key
    return KmsKey(_kms(), key) if key else None


def public_key(key: str) -> bytes:
    """The public half of a key of KMS (SubjectPublicKeyInfo, DER), with the caller's own AWS credentials."""
    from byoa.adapters.aws.kms import KmsKey
    from byoa.adapters.aws.refusals import translated

    with translated("AWS"):
        return KmsKey(_kms(), key).public_key()


def catalogue(table: str) -> Catalogue:
    """Configs and builds, with the caller's own AWS credentials."""
    from byoa.adapters.aws.dynamodb import DynamoLedger
    from byoa.adapters.aws.refusals import translated

    with translated("AWS"):
        return DynamoLedger(_dynamodb(), table, clock())


def repository(  # noqa: PLR0913 - where it is, and settings by name
    reference: Reference,
    role: Role,
    credential: Credential | None,
    *,
    plain_http: bool,
    patience: Patience = ON_A_TERMINAL,
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
        patience=patience,
        mount_from=mount_from,
    )


def layout(folder: Path) -> LayoutRepository:
    """An OCI image layout in a folder."""
    from byoa.adapters.registries.layout import LayoutRepository

    return LayoutRepository(folder)


@cache
def _client(service: str) -> object:
    """A client of botocore's. boto3 makes the same one, but imports S3's transfers first, 35 ms of every cold start.

    It has a name of ours in AWS's logs: botocore's has fifteen parts and is built twice a call, an eighth of its time.
    """
    from botocore.config import Config

    return _session().create_client(service, config=Config(user_agent="byoa"))


@cache
def _session() -> Session:
    from botocore.session import get_session

    return get_session()


def _dynamodb() -> DynamoDBClient:
    return cast("DynamoDBClient", _client("dynamodb"))


def _ecr() -> ECRClient:
    return cast("ECRClient", _client("ecr"))


def _events() -> EventBridgeClient:
    return cast("EventBridgeClient", _client("events"))


def _kms() -> KMSClient:
    return cast("KMSClient", _client("kms"))


def _s3() -> S3Client:
    return cast("S3Client", _client("s3"))
