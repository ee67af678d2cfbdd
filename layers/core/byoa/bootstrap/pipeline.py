"""The pipeline's adapters: what each step of a build may touch, in the surroundings that ``template.yaml`` gives it."""

from __future__ import annotations

import math
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

from byoa.bootstrap import clients
from byoa.bootstrap.process import clock, settings, workers
from byoa.engine.patience import Patience
from byoa.errors import InternalFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from types_boto3_ecr import ECRClient

    from byoa.adapters.aws.budget import DynamoBudget
    from byoa.adapters.aws.dynamodb import DynamoLedger
    from byoa.adapters.aws.ecr import EcrRegistry, EcrTags
    from byoa.adapters.aws.lists import QuarantineLists
    from byoa.adapters.aws.quota import DynamoQuota
    from byoa.adapters.aws.s3 import Quarantine
    from byoa.adapters.registries.authorization import Wallet
    from byoa.adapters.registries.endpoints import Endpoint
    from byoa.adapters.registries.transport import Transport
    from byoa.bootstrap.lines import Lines
    from byoa.builds.books import Books
    from byoa.builds.lookups import LookedUp
    from byoa.builds.messages import BuildKey, MirrorTask
    from byoa.builds.ports import Signer, Unfinished
    from byoa.engine.ports import Repository
    from byoa.engine.sending import Pace
    from byoa.oci.reference import Registry
    from byoa.trust.addresses import Reachable
    from byoa.trust.policy import Policy

__all__ = [
    "begin", "books", "bound", "budget", "clock", "ledger", "lists", "pace", "patience", "policy", "publish",
    "quarantine", "quarantine_of", "quota_of", "series", "settings", "signer", "tags", "target", "transport",
    "unfinished", "wallet",
]  # fmt: skip

IN_A_STEP: Final = Patience(attempts=5, first=0.1, longest=5.0)
"""Long waits are the state machine's: it pays for none of them."""

BLOB_WORKERS: Final = 3
"""Threads that copy blobs beside the one that leads: four at once hide the round trips, and a vCPU hashes no more."""

MARGIN_MILLISECONDS: Final = 15_000
"""What a step keeps of its time, to end what it is at and to say how far it came."""

LAST_MILLISECONDS: Final = 5_000
"""What of that is kept from the sockets: whoever still waits for a registry then is told that time is over."""

AT_ONCE: Final = 8
"""Organisations whose logins to our ECR a process keeps: as many as sessions."""

_remaining: list[Callable[[], int]] = []
_ends: list[int] = []


@cache
def reachable() -> Reachable:
    """Where connections for tenants may go."""
    from byoa.trust.addresses import Reachable

    return Reachable.parse(settings().reachable)


@cache
def _lines() -> Lines:
    from byoa.bootstrap.lines import Lines

    return Lines(_left, IN_A_STEP.longest, reachable)


def transport(organisation: str, ca: str | None = None) -> Transport:
    """The organisation's connections to wherever it sends us: to public addresses and those that settings open.

    ``ca`` is an authority (PEM) that is trusted there too. They end with the invocation's time and wait out no long
    rest of a registry's: the state machine does.
    """
    return _lines().guarded(organisation, ca).transport


def wallet(organisation: str, ca: str | None = None) -> Wallet:
    """The organisation's tokens, each of which is asked for once, over the same connections."""
    return _lines().guarded(organisation, ca).wallet


def books(key: BuildKey, *, budgets: bool = False) -> Books:
    """Where a step tells how far it is; with ``budgets`` also what it may ask of the registry that it reads.

    What registries are asked is counted for all organisations together, and so the function's own to keep.
    """
    from byoa.builds.books import Books

    return Books(ledger(key), clock(), *((budget(), quota_of(key.organisation)) if budgets else ()))


def quota_of(organisation: str) -> DynamoQuota:
    """What the organisation may take in a day."""
    from byoa.adapters.aws.quota import DynamoQuota

    return DynamoQuota(clients.dynamodb(organisation), settings().table, clock(), settings().bytes_per_day)


def begin(remaining: Callable[[], int]) -> None:
    """An invocation begins, which has ``remaining()`` milliseconds left."""
    _remaining.append(remaining)
    del _remaining[:-1]
    _ends.clear()


def bound(ends_ts: int) -> None:
    """This invocation is for a build whose time is over at ``ends_ts``. Raises ``BuildTimedOut`` where it is."""
    from byoa.builds.deadline import check_time

    check_time(ends_ts, clock().now())
    _ends.append(ends_ts)


def pace() -> Pace:
    """How a step copies: patiently, until shortly before its time is over, and large artifacts by sharing them out."""
    from byoa.builds.pending import LASTING
    from byoa.engine.sending import Pace

    return Pace(
        workers=workers(BLOB_WORKERS),
        patience=patience(),
        out_of_time=_out_of_time,
        lasting_from=LASTING,
        spread_from=settings().spread_from,
    )


def patience() -> Patience:
    """How a step asks a registry again: for as long as it has time."""
    return IN_A_STEP._replace(left=_left)


def time_left() -> float:
    """Seconds until a step has to stop: shortly before its invocation ends, and when its build's time is over."""
    from byoa.builds.records import milliseconds

    left = [remaining() - MARGIN_MILLISECONDS for remaining in _remaining]
    left += [ends_ts - milliseconds(clock().now()) for ends_ts in _ends]
    return min(left, default=math.inf) / 1000


def _out_of_time() -> bool:
    """What is pending when a build's time is over, the next step refuses."""
    return time_left() <= 0


def _left() -> float:
    """Seconds that may be spent waiting at a socket."""
    return time_left() + (MARGIN_MILLISECONDS - LAST_MILLISECONDS) / 1000


def policy() -> Policy:
    """The rules of this stack."""
    from byoa.settings import hosts
    from byoa.trust.policy import Policy, name_hosts

    current = settings()
    return Policy(
        account=current.account,
        prefix=current.repository_prefix,
        own_hosts=name_hosts(hosts(current.own_hosts)),
        reachable=reachable(),
    )


def ledger(key: BuildKey) -> DynamoLedger:
    """What the table holds of the build's organisation."""
    from byoa.adapters.aws.dynamodb import DynamoLedger

    return DynamoLedger(clients.dynamodb(key.organisation), settings().table, clock())


def unfinished() -> Unfinished:
    """The builds that have not ended: found for all organisations, read and written for one at a time."""
    from byoa.adapters.aws.dynamodb import DynamoLedger
    from byoa.adapters.aws.leftovers import Leftovers

    return Leftovers(DynamoLedger(clients.dynamodb(), settings().table, clock()), ledger)


def publish(records: Sequence[Mapping[str, Any]]) -> str | None:
    """Tell the bus of records of the table's stream; returns the number of the first one that couldn't be told."""
    from byoa.adapters.aws import stream
    from byoa.adapters.aws.eventbridge import EventBus

    return stream.publish(records, EventBus(clients.events(), settings().bus))


def quarantine(key: BuildKey | LookedUp) -> Quarantine:
    """What the build's organisation, or the lookup's, has in quarantine."""
    return quarantine_of(key.organisation)


def quarantine_of(organisation: str) -> Quarantine:
    """What an organisation has in quarantine."""
    from byoa.adapters.aws.s3 import Quarantine

    return Quarantine(clients.s3(organisation), settings().bucket, organisation)


def lists(key: BuildKey) -> QuarantineLists:
    """The lists of the build's organisation that no message holds."""
    from byoa.adapters.aws.lists import QuarantineLists

    return QuarantineLists(partial(clients.s3, key.organisation), settings().bucket, key.organisation)


def budget() -> DynamoBudget:
    """What each organisation may ask of each registry."""
    from byoa.adapters.aws.budget import DynamoBudget

    return DynamoBudget(clients.dynamodb(), settings().table, clock())


def target(task: MirrorTask) -> tuple[Repository, tuple[Registry, str]]:
    """The repository of our ECR that a target keeps the artifact in, and its registry and name."""
    from byoa.adapters.registries.distribution import DistributionRepository
    from byoa.adapters.registries.traits import ECR

    key = task.artifact.key
    name = policy().repository_for(key)
    tags = {"byoa:organisation": key.organisation, "byoa:app": key.app, "byoa:component": key.component}
    ecr = _ecr_registry(clients.ecr(key.organisation))
    registry = ecr.provide(name, tags)
    repository = DistributionRepository(
        _lines().open(key.organisation).transport,
        _ecr_endpoint(registry),
        name,
        role="target",
        credential=ecr.credential(),
        renew=ecr.renew,
        traits=ECR,
        patience=patience(),
    )
    return repository, (registry, name)


def mirrored(key: BuildKey) -> Repository:
    """The repository of our ECR that a component's builds are mirrored to, for reading."""
    from byoa.adapters.registries.distribution import DistributionRepository
    from byoa.adapters.registries.traits import ECR

    name = policy().repository_for(key)
    ecr = _ecr_registry(clients.ecr(key.organisation))
    return DistributionRepository(
        _lines().open(key.organisation).transport,
        _ecr_endpoint(ecr.registry(name)),
        name,
        role="source",
        credential=ecr.credential(),
        renew=ecr.renew,
        traits=ECR,
        patience=patience(),
    )


def _ecr_endpoint(registry: Registry) -> Endpoint:
    """Where ECR's data plane is: at the registry's own address, or where the settings say."""
    from byoa.adapters.registries.locations import endpoint_of, parse_location

    named = endpoint_of(registry)
    location = parse_location(settings().ecr_endpoint or "/", named)
    if location is None:
        raise InternalFault("The setting for ECR's endpoint is no address.")
    return location.endpoint


def tags(key: BuildKey) -> EcrTags:
    """The tags of the component's repository in our ECR."""
    from byoa.adapters.aws.ecr import EcrTags

    return EcrTags(clients.ecr(key.organisation), policy().repository_for(key))


def series() -> str:
    """What this stack's numbers of versions are told apart by from those of another: its table's name."""
    return settings().series


@lru_cache(maxsize=AT_ONCE)
def _ecr_registry(client: ECRClient) -> EcrRegistry:
    """ECR's token lets in to what the session may reach that it was made in, so that it is kept with its client."""
    from byoa.adapters.aws.ecr import EcrRegistry

    return EcrRegistry(client, settings().kms_key)


@cache
def signer() -> Signer | None:
    """What signs receipts; ``None`` in a stack without a key."""
    from byoa.adapters.aws.kms import KmsKey

    key = settings().receipt_key
    return KmsKey(clients.kms(), key) if key else None
