"""One suite over all clusters, and beds of one kind for what only that one shows."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from byoa.adapters.memory.cluster import MemoryCluster
from byoa.installs.access import read_kubeconfig
from byoa.installs.objects import Place
from local.cluster import Cluster as DeskCluster
from tests.installs.beds import NAMESPACES, Bed, namespace, real_time
from tests.kubernetes import ADMIN, MISSING, Server, api_server, is_here, reached

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from byoa.adapters.kubernetes.cluster import KubernetesCluster

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if not is_here():
        pytest.skip(MISSING)
    with api_server(tmp_path_factory.mktemp("kubernetes")) as found:
        yield found


@contextmanager
def opened(server: Server, folder: Path, token: str = ADMIN, ca: str | None = None) -> Iterator[KubernetesCluster]:
    access = read_kubeconfig(server.kubeconfig(folder, token).read_text())
    with reached(access._replace(ca=ca or access.ca)) as found:
        yield found


@pytest.fixture(scope="session")
def cluster(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubernetesCluster]:
    with opened(server, tmp_path_factory.mktemp("kubeconfig")) as found:
        yield found


@pytest.fixture(scope="session")
def desk_cluster() -> Iterator[DeskCluster]:
    with DeskCluster() as found:
        yield found


@pytest.fixture(scope="session")
def at_the_desk(desk_cluster: DeskCluster) -> Iterator[KubernetesCluster]:
    with reached(read_kubeconfig(desk_cluster.kubeconfig())) as found:
        yield found


@pytest.fixture
def desk(at_the_desk: KubernetesCluster) -> Bed:
    return _with_corner(Bed(at_the_desk, f"corner-{next(_NUMBERS)}"))


@pytest.fixture
def memory() -> Bed:
    return _with_corner(Bed(MemoryCluster(), f"corner-{next(_NUMBERS)}"))


@pytest.fixture
def real(cluster: KubernetesCluster) -> Bed:
    return _with_corner(Bed(cluster, f"corner-{next(_NUMBERS)}", real_time(), 20.0))


@pytest.fixture(params=["memory", "desk", "real"])
def bed(request: pytest.FixtureRequest) -> Bed:
    found: Bed = request.getfixturevalue(request.param)
    return found


def _with_corner(bed: Bed) -> Bed:
    bed.cluster.create(Place(NAMESPACES, "", bed.corner), namespace(bed.corner))
    return bed
