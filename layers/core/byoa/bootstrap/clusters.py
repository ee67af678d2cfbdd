"""Clusters that installs go to: reached as the install says, at addresses that its organisation may name."""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Protocol

from byoa.bootstrap import clients, pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from byoa.adapters.registries.transport import Response
    from byoa.installs.access import Access
    from byoa.installs.cluster import Cluster
    from byoa.installs.reaching import ClusterAccess, EksAccess


class Login(Protocol):
    """A way into a cluster."""

    def access(self) -> Access:
        """Where it is."""
        ...

    def token(self) -> str:
        """The token of now."""
        ...

    def renew(self) -> bool:
        """Whether the next token may be another one."""
        ...


@contextmanager
def opened(organisation: str, access: ClusterAccess, secret: Callable[[], str], session: str) -> Iterator[Cluster]:
    """The cluster of one of ``organisation``'s installs, for as long as this step has time.

    ``secret`` reads the token that is kept for it, where its kind has any; ``session`` is what the owners
    of a role see in their trail. Raises ``ClusterAccessInvalid``, ``ClusterForbidden``, ``ClusterUnavailable``,
    ``ClusterThrottled``, and what ``secret`` raises.
    """
    from byoa.adapters.kubernetes.cluster import KubernetesCluster
    from byoa.adapters.kubernetes.wire import Wire
    from byoa.adapters.registries.deadlines import Allowance
    from byoa.adapters.registries.dialing import Dialer
    from byoa.adapters.registries.endpoints import Endpoint
    from byoa.adapters.registries.transport import Transport
    from byoa.installs.reaching import ClusterAddresses

    way = login(organisation, access, secret, session)
    place = way.access()
    transport = Transport(
        allowance=Allowance(left=pipeline.time_left),
        longest_rest=pipeline.IN_A_STEP.longest,
        dialer=Dialer(ClusterAddresses(pipeline.reachable(), access.private)),
        ca=place.ca,
        ca_alone=True,
        by_environment=False,
        server_name=place.server_name,
    )
    endpoint = Endpoint("https", place.host, place.port)

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        return transport.request(method, endpoint, path, headers, body)

    try:
        yield KubernetesCluster(Wire(send, place.authority, way.token, pipeline.patience(), way.renew))
    finally:
        transport.close()


def login(organisation: str, access: ClusterAccess, secret: Callable[[], str], session: str) -> Login:
    """Who this platform is in the cluster. Raises ``ClusterAccessInvalid`` for a role of the platform's own."""
    from byoa.installs.reaching import StoredLogin, check_foreign

    check_foreign(access, pipeline.settings().account)
    if access.kind == "eks":
        return _eks(organisation, access, session)
    return StoredLogin(access, secret)


def _eks(organisation: str, access: EksAccess, session: str) -> Login:
    from byoa.adapters.aws.eks import EksLogin
    from byoa.adapters.aws.lent_clusters import LentRole, session_policy
    from byoa.adapters.aws.roles import Roles
    from byoa.trust.external_id import external_id, strangers_id

    table = pipeline.settings().table
    policy = session_policy(access.cluster, access.region, access.role_arn)
    roles = Roles(clients.sts_of_clusters(organisation), session, strangers_id(table), policy, _careful())
    lent = LentRole(roles, access.role_arn, external_id(table, organisation))
    return EksLogin(access.cluster, access.region, lent.keys, clients.lent_eks, time.time)


@cache
def _careful() -> set[tuple[str, str]]:
    """Roles that are known to refuse a stranger's id, each with the one that it let in."""
    return set()
