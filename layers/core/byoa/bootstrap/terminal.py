"""The command line's adapters: registries and layouts, the API, and the table with the caller's own AWS credentials."""

from __future__ import annotations

import math
import os
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

from byoa.bootstrap.process import clock, cluster_workers, workers
from byoa.engine.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from os import PathLike

    from byoa.adapters.aws.rows import Rows
    from byoa.adapters.registries.answers import Role
    from byoa.adapters.registries.authorization import Wallet
    from byoa.adapters.registries.deadlines import Deadline
    from byoa.adapters.registries.layout import LayoutRepository
    from byoa.adapters.registries.proxies import Proxies
    from byoa.adapters.registries.transport import Response, Transport
    from byoa.adapters.remote.wire import Way
    from byoa.api.asking import Api, Artifacts
    from byoa.api.ports import Journal, Tokens
    from byoa.builds.messages import Trial, Tried
    from byoa.builds.ports import Catalogue
    from byoa.content.packing import Packed
    from byoa.engine.ports import Repository, Source
    from byoa.engine.sending import Pace
    from byoa.engine.workers import Workers
    from byoa.installs.access import Access
    from byoa.installs.cluster import Clock, Cluster
    from byoa.installs.ports import Job
    from byoa.installs.states import CheckedDeploy
    from byoa.installs.steps.run_deploy import Rig
    from byoa.oci.digest import Digest
    from byoa.oci.reference import Reference, Registry
    from byoa.trust.credentials import Credential
    from byoa.trust.ports import Safe

ON_A_TERMINAL: Final = Patience(attempts=5, first=0.25, longest=60.0)
"""Somebody waits, and nobody else will try again."""

BLOB_WORKERS: Final = 3
"""Threads that copy blobs beside the one that leads: four at once hide the round trips."""

LONGER: Final = "See why the registry is slow, or give the command more time with --timeout MINUTES."

_deadlines: list[Deadline] = []


def begin(seconds: float | None) -> None:
    """A command begins, which gives up ``seconds`` after its first request to a registry, whatever got done by then.

    Without them it goes on for as long as it gets on (``Deadline``).
    """
    from byoa.adapters.registries.deadlines import Deadline

    _deadlines[:] = [Deadline() if seconds is None else Deadline(seconds, hard=True)]


def _left() -> float:
    return min((each.left() for each in _deadlines), default=math.inf)


def _moved(count: int) -> None:
    for each in _deadlines:
        each.moved(count)


def _answered(status: int) -> None:
    for each in _deadlines:
        each.answered(status)


@cache
def transport() -> Transport:
    """One pool of connections for all registries, through the proxies that the environment names.

    It ends with the command that begins.
    """
    from byoa.adapters.registries.deadlines import Allowance
    from byoa.adapters.registries.transport import Transport

    allowance = Allowance(left=_left, longer=LONGER, moved=_moved, answered=_answered)
    return Transport(allowance=allowance, longest_rest=ON_A_TERMINAL.longest, proxies=_proxies())


def _patience() -> Patience:
    return ON_A_TERMINAL._replace(left=_left)


def _proxies() -> Proxies | None:
    if not any(os.environ.get(name) for each in ("http_proxy", "https_proxy") for name in (each, each.upper())):
        return None
    from byoa.adapters.registries.proxies import Proxies

    return Proxies(os.environ)


def speak_plainly(registries: Iterable[Registry]) -> None:
    """Take it that these have no TLS, wherever another registry leads there."""
    from byoa.adapters.registries.locations import endpoint_of

    transport().plain |= {endpoint_of(registry, scheme="http") for registry in registries}


@cache
def wallet() -> Wallet:
    """Tokens of all registries: each is asked for once."""
    from byoa.adapters.registries.authorization import Wallet

    return Wallet(transport())


def pace() -> Pace:
    """How a copy works on a terminal: four blobs at once, five tries."""
    from byoa.engine.sending import Pace

    return Pace(workers=workers(BLOB_WORKERS), patience=_patience())


def repository(  # noqa: PLR0913 - where it is, and settings by name
    reference: Reference,
    role: Role,
    credential: Credential | None,
    *,
    plain_http: bool,
    at: Registry | None = None,
    mount_from: str | None = None,
    token_hosts: frozenset[str] = frozenset(),
) -> Repository:
    """A repository of any registry. ``mount_from`` is another one there that blobs may be mounted from.

    ``at`` answers for the registry, without TLS. ``token_hosts`` may see the credential besides those known to.
    """
    from byoa.adapters.registries.distribution import DistributionRepository
    from byoa.adapters.registries.locations import endpoint_of
    from byoa.adapters.registries.traits import traits_of

    endpoint = endpoint_of(at or reference.registry, scheme="http" if plain_http or at else "https")
    traits = traits_of(reference.registry)
    return DistributionRepository(
        transport(),
        endpoint,
        reference.repository,
        role=role,
        credential=credential,
        wallet=wallet(),
        traits=traits._replace(token_hosts=traits.token_hosts | token_hosts) if token_hosts else traits,
        patience=_patience(),
        mount_from=mount_from,
    )


def layout(folder: str | PathLike[str]) -> LayoutRepository:
    """An OCI image layout in a folder."""
    from byoa.adapters.registries.layout import LayoutRepository

    return LayoutRepository(folder)


def packed(artifact: Packed) -> Repository:
    """An artifact in memory, under its digest."""
    from byoa.adapters.memory.repository import MemoryRepository

    return MemoryRepository(dict(artifact.blobs), {artifact.manifest.digest: artifact.manifest})


def eks_cluster(name: str, region: str) -> Cluster:
    """A cluster of EKS, as whoever AWS's config says that sits here."""
    import time

    from byoa.adapters.aws.eks import EksLogin
    from byoa.bootstrap import clients

    login = EksLogin(name, region, clients.own_keys, clients.lent_eks, time.time)
    return cluster(login.access(), login.token, login.renew)


def cluster(
    access: Access, token: Callable[[], str] | None = None, renew: Callable[[], bool] = lambda: False
) -> Cluster:
    """A Kubernetes cluster, over a pool of connections of its own that trusts this cluster's authority alone.

    ``token`` gives the token of now, where that isn't the access's own, and ``renew`` has it be a new one.
    """
    from byoa.adapters.kubernetes.cluster import KubernetesCluster
    from byoa.adapters.kubernetes.wire import Wire
    from byoa.adapters.registries.deadlines import Allowance
    from byoa.adapters.registries.dialing import Dialer
    from byoa.adapters.registries.endpoints import Endpoint
    from byoa.adapters.registries.transport import Transport
    from byoa.trust.addresses import Anywhere

    sender = Transport(
        allowance=Allowance(left=_left, longer=LONGER, moved=_moved, answered=_answered),
        proxies=_proxies(),
        dialer=Dialer(Anywhere()),
        ca=access.ca,
        ca_alone=True,
        server_name=access.server_name,
    )
    endpoint = Endpoint("https", access.host, access.port)

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        return sender.request(method, endpoint, path, headers, body)

    return KubernetesCluster(Wire(send, access.authority, token or (lambda: access.token), _patience(), renew))


def stopwatch() -> Clock:
    """The time that waits take."""
    from byoa.adapters.memory.clocks import Stopwatch

    return Stopwatch()


def together() -> Workers:
    """Threads that ask a cluster side by side."""
    return cluster_workers()


def keep(repository: Repository, digest: Digest) -> None:
    """Have a layout list what was written there without a name: nobody would find it otherwise."""
    from byoa.adapters.registries.layout import LayoutRepository

    if isinstance(repository, LayoutRepository):
        repository.keep(digest)


def catalogue(table: str) -> Catalogue:
    """Configs and builds."""
    from byoa.adapters.aws.dynamodb import DynamoLedger
    from byoa.adapters.aws.refusals import translated
    from byoa.bootstrap import clients

    with translated("AWS"):
        return DynamoLedger(clients.dynamodb(), table, clock())


def tokens(table: str, organisation: str) -> Tokens:
    """The API tokens of an organisation."""
    from byoa.adapters.aws.office import DynamoTokens

    return DynamoTokens(organisation, _rows(table))


def journal(table: str, organisation: str) -> Journal:
    """Who did what in an organisation."""
    from byoa.adapters.aws.office import DynamoJournal

    return DynamoJournal(organisation, _rows(table))


def _rows(table: str) -> Rows:
    from byoa.adapters.aws.refusals import translated
    from byoa.adapters.aws.rows import Rows
    from byoa.bootstrap import clients

    with translated("AWS"):
        return Rows(clients.dynamodb(), table)


def api(address: str, token: str | Callable[[], str], organisation: str | None = None) -> Api:
    """The API at ``address`` (https://…), through the proxy that the environment names for it.

    A ``token`` that is called tells before each request which one is good then.
    """
    from byoa.adapters.remote.wire import Wire

    return Wire(address, token, organisation, _way(address))


def github_job(address: str, secret: str, audience: str) -> Callable[[], str]:
    """What asks GitHub for a job's token for ``audience``, where its runner says and with what that gave it."""
    from functools import partial

    from byoa.adapters.remote.jobs import GithubJob

    return partial(GithubJob(address, secret, _way(address)).token, audience)


def _way(address: str) -> Way | None:
    proxies = _proxies()
    if proxies is None:
        return None
    from urllib.parse import urlsplit

    from byoa.adapters.registries.endpoints import Endpoint
    from byoa.adapters.registries.proxies import ProxyFailed
    from byoa.adapters.remote.wire import Way
    from byoa.errors import ApiUnavailable

    parts = urlsplit(address)
    scheme: Literal["http", "https"] = "http" if parts.scheme == "http" else "https"
    endpoint = Endpoint(scheme, parts.hostname or "", parts.port or (80 if scheme == "http" else 443))
    try:
        found = proxies.of(endpoint)
    except ProxyFailed as error:
        raise ApiUnavailable(
            error.cause, remedy="Mend the variables of the proxy, or name the host in NO_PROXY."
        ) from None
    return found and Way(f"http://{found.host}:{found.port}", found.authorization)


def remote_catalogue(api: Api) -> Catalogue:
    """Configs and builds, through the API."""
    from byoa.adapters.remote.catalogue import RemoteCatalogue

    return RemoteCatalogue(api)


def remote_artifacts(api: Api) -> Artifacts:
    """Artifacts in registries, looked up through the API."""
    from byoa.adapters.remote.lookups import RemoteArtifacts

    return RemoteArtifacts(api)


def remote_safe(api: Api) -> Safe:
    """The stored credentials of an organisation, through the API."""
    from byoa.adapters.remote.safe import RemoteSafe

    return RemoteSafe(api)


def remote_tried(api: Api, name: str, reference: str | None) -> Tried:
    """What the API says of stored credentials that are tried."""
    from byoa.adapters.remote.safe import tried

    return tried(api, name, reference)


def public_key(key: str) -> bytes:
    """The public half of a key of KMS (SubjectPublicKeyInfo, DER)."""
    from byoa.adapters.aws.kms import KmsKey
    from byoa.adapters.aws.refusals import translated
    from byoa.bootstrap import clients

    with translated("AWS"):
        return KmsKey(clients.kms(), key).public_key()


def safe(organisation: str) -> Safe:
    """The stored credentials of an organisation."""
    from byoa.adapters.aws.refusals import translated
    from byoa.adapters.aws.secrets import SecretsSafe
    from byoa.bootstrap import clients

    with translated("AWS"):
        return SecretsSafe(clients.secretsmanager(), organisation)


def try_credentials(function: str, trial: Trial) -> Tried:
    """What the stack's function of that name meets with stored credentials. Raises what it ends with."""
    from byoa.adapters.aws import functions
    from byoa.adapters.aws.refusals import translated
    from byoa.bootstrap import clients
    from byoa.builds.messages import Tried

    with translated("AWS"):
        client = clients.functions()
    return Tried.model_validate(functions.invoke(client, function, trial.model_dump(mode="json")))


def lease(api: Api, install_id: str) -> tuple[Job | None, float]:
    """A deploy of an install to run, through the API, and how many seconds to wait before the next question."""
    from byoa.adapters.remote.leases import lease
    from byoa.builds.records import milliseconds

    return lease(api, install_id, milliseconds(clock().now()))


def rig(job: Job, cluster: Cluster, mirror: Callable[[CheckedDeploy], Source], key: bytes | None) -> Rig:
    """What a leased deploy is run with here: its cluster, its mirror, and room in memory for what is pulled."""
    from byoa.adapters.memory.clocks import EpochTime
    from byoa.adapters.memory.repository import MemoryRepository
    from byoa.installs.steps.run_deploy import Rig

    return Rig(
        mirror=mirror,
        quarantine=MemoryRepository(),
        cluster=cluster,
        shelf=job.shelf,
        deploys=job,
        lists=job.lists,
        clock=EpochTime(),
        calendar=clock(),
        key=key,
        workers=together(),
    )
