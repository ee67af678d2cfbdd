"""The adapters of deploys: what each state of one may touch, in the surroundings that ``template.yaml`` gives it."""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

from byoa.bootstrap import clients, pipeline
from byoa.bootstrap.process import clock, cluster_workers, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.adapters.aws.attended import Attended
    from byoa.adapters.aws.deploys import DynamoDeploys
    from byoa.adapters.aws.installs import DynamoInstalls
    from byoa.adapters.aws.lists import QuarantineLists
    from byoa.api.offered import Offered
    from byoa.engine.ports import Repository
    from byoa.installs.cluster import Cluster, Shelf
    from byoa.installs.states import CheckedDeploy
    from byoa.installs.steps.apply_install import Site
    from byoa.installs.steps.plan_install import Table
    from byoa.installs.steps.receive_deploy import Desk

__all__ = [
    "app", "attended", "deploys", "desk", "installs", "mirror", "parcels", "planning", "shelf", "site",
]  # fmt: skip

AT_ONCE: Final = 8
"""Organisations whose keys of plans a process keeps: as many as sessions."""


def deploys(organisation: str) -> DynamoDeploys:
    """The deploys of an organisation."""
    from byoa.adapters.aws.deploys import DynamoDeploys
    from byoa.adapters.aws.rows import Rows

    return DynamoDeploys(organisation, Rows(clients.dynamodb(organisation), settings().table), clock())


def installs(organisation: str) -> DynamoInstalls:
    """The installs of an organisation, for who asks for deploys."""
    from byoa.adapters.aws.installs import DynamoInstalls

    return DynamoInstalls(deploys(organisation))


def app(organisation: str, name: str) -> Offered:
    """What an app has to deploy."""
    from byoa.adapters.aws.dynamodb import DynamoLedger
    from byoa.adapters.aws.inventory import DynamoInventory
    from byoa.adapters.aws.rows import Rows
    from byoa.api.offered import Offered

    rows = Rows(clients.dynamodb(organisation), settings().table)
    return Offered(DynamoInventory(organisation, DynamoLedger(rows.client, rows.table, clock()), rows), name)


def attended() -> Attended:
    """Deploys and components that are looked after: found for all organisations, read and written for one at a time."""
    from byoa.adapters.aws.attended import Attended
    from byoa.adapters.aws.rows import Rows

    return Attended(Rows(clients.dynamodb(), settings().table), deploys)


def parcels(organisation: str, kind: str) -> QuarantineLists:
    """What travels by digest, each ``kind`` under a prefix of its own."""
    from byoa.adapters.aws.lists import QuarantineLists
    from byoa.installs.parcels import LARGEST

    return QuarantineLists(partial(clients.s3, organisation), settings().bucket, organisation, kind, LARGEST)


def desk(organisation: str) -> Desk:
    """What deploys of an organisation are taken up with."""
    from byoa.adapters.aws.dynamodb import DynamoLedger
    from byoa.adapters.aws.kms import KmsKey
    from byoa.installs.steps.receive_deploy import Desk

    return Desk(
        deploys=deploys(organisation),
        builds=DynamoLedger(clients.dynamodb(organisation), settings().table, clock()),
        check=KmsKey(clients.kms(), settings().receipt_key).verify,
        values=parcels(organisation, "values"),
        clock=clock(),
    )


def mirror(checked: CheckedDeploy) -> Repository:
    """The repository of our ECR that the component's builds are mirrored to, for reading."""
    from byoa.builds.messages import BuildKey

    key = BuildKey(organisation=checked.organisation, app=checked.app, component=checked.component, version=1)
    return pipeline.mirrored(key)


@contextmanager
def planning(checked: CheckedDeploy) -> Iterator[Table]:
    """What an install is planned on, with its cluster."""
    from byoa.installs.steps.plan_install import Table

    organisation = checked.organisation
    with _cluster(checked) as cluster:
        yield Table(
            cluster=cluster,
            shelf=shelf(checked),
            key=_plan_key(organisation),
            objects=parcels(organisation, "objects"),
            plans=parcels(organisation, "plans"),
            contents=parcels(organisation, "contents"),
            workers=cluster_workers(),
        )


@contextmanager
def site(checked: CheckedDeploy) -> Iterator[Site]:
    """What a plan is carried out with, with its cluster."""
    from byoa.adapters.memory.clocks import EpochTime
    from byoa.installs.steps.apply_install import Site

    with _cluster(checked) as cluster:
        yield Site(
            cluster=cluster,
            shelf=shelf(checked),
            plans=parcels(checked.organisation, "plans"),
            clock=EpochTime(),
            left=pipeline.time_left,
            workers=cluster_workers(),
        )


def shelf(checked: CheckedDeploy) -> Shelf:
    """What was applied of the deploy's component; nothing is asked for before it is read."""
    from byoa.adapters.aws.applied import TableShelf
    from byoa.adapters.aws.rows import Rows

    rows = Rows(clients.dynamodb(checked.organisation), settings().table)
    return TableShelf(rows, checked.key, checked.execution)


@contextmanager
def _cluster(checked: CheckedDeploy) -> Iterator[Cluster]:
    from byoa.adapters.aws.cluster_vault import ClusterVault
    from byoa.bootstrap.clusters import opened
    from byoa.installs.reaching import read_cluster_access

    vault = ClusterVault(clients.secrets_of_clusters(checked.organisation), checked.organisation)
    secret = partial(vault.read, checked.install_id, str(checked.access.get("server", "")))
    with opened(checked.organisation, read_cluster_access(checked.access), secret, checked.deploy_id) as cluster:
        yield cluster


@lru_cache(maxsize=AT_ONCE)
def _plan_key(organisation: str) -> bytes:
    """What fingerprints of an organisation's plans are made with: nobody has it who may not use the stack's key."""
    from byoa.adapters.aws.kms import KmsKey

    return KmsKey(clients.kms(), settings().plan_key).mac(f"byoa plans of {organisation}".encode())
