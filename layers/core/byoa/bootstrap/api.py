"""The API's adapters: for each organisation its items of the table and its secrets, in a session of its own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from byoa.bootstrap import clients
from byoa.bootstrap.process import clock, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.adapters.aws.deploys import DynamoDeploys
    from byoa.adapters.aws.inventory import DynamoInventory
    from byoa.adapters.aws.lookups import StackLookups
    from byoa.adapters.aws.rows import Rows
    from byoa.api.face import Face
    from byoa.api.ports import World
    from byoa.builds.messages import Trial, Tried
    from byoa.installs.cluster import Shelf
    from byoa.installs.messages import DeployKey
    from byoa.installs.ports import Installs, Leases
    from byoa.trust.issuers import KeysFound
    from byoa.trust.ports import ClientSecrets, ClusterTokens, SharedSafe


@cache
def face(make: Callable[[World], Face]) -> Face:
    """The API, as ``make`` puts it together: its imports belong to the start of a process, which has a whole CPU."""
    return make(world())


def world() -> World:
    """All that the API works on, by the role that the settings name."""
    from byoa.adapters.aws.hooks import DynamoHooks
    from byoa.adapters.aws.issuers import DynamoIssuers
    from byoa.adapters.aws.office import DynamoAnswers, DynamoDoorkeeper, DynamoJournal, DynamoTokens
    from byoa.adapters.aws.rows import Rows
    from byoa.adapters.identity.verifying import PyJwtVerifier
    from byoa.api.ports import World

    return World(
        clock=clock(),
        doorkeeper=DynamoDoorkeeper(Rows(clients.dynamodb(), settings().table)),
        inventory=_inventory,
        tokens=lambda organisation: DynamoTokens(organisation, _rows(organisation)),
        hooks=lambda organisation: DynamoHooks(organisation, _rows(organisation)),
        journal=lambda organisation: DynamoJournal(organisation, _rows(organisation)),
        answers=lambda organisation: DynamoAnswers(organisation, _rows(organisation)),
        safe=_safe,
        installs=_installs,
        clusters=_clusters,
        client_secrets=_client_secrets,
        deploying=_deploying,
        leases=_leases,
        shelf=_shelf,
        receipt_check=_receipt_check,
        receipt_key=_receipt_key,
        lookups=_lookups,
        issuers=lambda organisation: DynamoIssuers(organisation, _rows(organisation)),
        try_credentials=_try_credentials,
        fetch_keys=_fetch_keys,
        verifier=PyJwtVerifier(),
        table=settings().table,
        source_role=settings().vendors_trust,
        cluster_role=settings().clusters_trust,
    )


def _rows(organisation: str) -> Rows:
    from byoa.adapters.aws.rows import Rows

    return Rows(clients.of_api("dynamodb", organisation), settings().table)


def _inventory(organisation: str) -> DynamoInventory:
    from byoa.adapters.aws.dynamodb import DynamoLedger
    from byoa.adapters.aws.inventory import DynamoInventory

    rows = _rows(organisation)
    return DynamoInventory(organisation, DynamoLedger(rows.client, rows.table, clock()), rows)


def _safe(organisation: str) -> SharedSafe:
    from byoa.adapters.aws.secrets import SecretsSafe

    return SecretsSafe(clients.of_api("secretsmanager", organisation), organisation)


def _installs(organisation: str) -> Installs:
    from byoa.adapters.aws.installs import DynamoInstalls

    return DynamoInstalls(_deploying(organisation))


def _deploying(organisation: str) -> DynamoDeploys:
    from byoa.adapters.aws.deploys import DynamoDeploys

    return DynamoDeploys(organisation, _rows(organisation), clock())


def _leases(organisation: str) -> Leases:
    from byoa.adapters.aws.leases import DynamoLeases

    return DynamoLeases(organisation, _rows(organisation))


def _shelf(key: DeployKey, execution: str) -> Shelf:
    from byoa.adapters.aws.applied import TableShelf

    return TableShelf(_rows(key.organisation), key.key, execution)


def _clusters(organisation: str) -> ClusterTokens:
    from byoa.adapters.aws.clusters import SecretsClusterTokens

    return SecretsClusterTokens(clients.of_api("secretsmanager", organisation), organisation)


def _client_secrets(organisation: str) -> ClientSecrets:
    from byoa.adapters.aws.client_secrets import SecretsClientSecrets

    return SecretsClientSecrets(clients.of_api("secretsmanager", organisation), organisation)


def _lookups(organisation: str) -> StackLookups:
    from byoa.adapters.aws.lookups import StackLookups, TableShelf

    return StackLookups(clients.functions, settings().stack, TableShelf(organisation, _rows(organisation), clock()))


def _try_credentials(trial: Trial) -> Tried:
    """By the function that may read them, for as long as a request waits."""
    import time

    from byoa.adapters.aws.lookups import StackFunctions
    from byoa.api.routes.artifacts import PATIENCE

    asked = StackFunctions(clients.functions, settings().stack, time.monotonic() + PATIENCE)
    return asked.try_credentials(trial)


def _fetch_keys(organisation: str, issuer: str) -> KeysFound:
    """By a function that has a way out, and nothing else: this one has none to addresses that somebody types."""
    from byoa.adapters.aws import functions
    from byoa.trust.issuers import KeysFound, KeysWanted

    wanted = KeysWanted(organisation=organisation, issuer=issuer)
    answer = functions.invoke(clients.soon_functions(), settings().fetch_keys, wanted.model_dump())
    return KeysFound.model_validate(answer)


@cache
def _receipt_key() -> bytes:
    from byoa.adapters.aws.kms import KmsKey

    return KmsKey(clients.kms(), settings().receipt_key).public_key()


def _receipt_check(signature: bytes, payload: bytes) -> bool:
    from byoa.adapters.aws.kms import KmsKey

    return KmsKey(clients.kms(), settings().receipt_key).verify(signature, payload)
