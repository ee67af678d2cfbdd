"""An agent's whole way at the desk's cluster and at a real API server: killed anywhere, and with few rights."""

from __future__ import annotations

import itertools
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from byoa.installs.access import read_kubeconfig
from byoa.installs.builtin import BUILTIN
from byoa.installs.granting import Grantee, grants
from byoa.installs.inventory import unpack
from byoa.installs.kinds import know_kinds
from byoa.installs.normalising import Owner, normalise
from byoa.installs.objects import Place
from tests.docs.blocks import ROOT
from tests.installs.beds import CONFIG_MAPS, NAMESPACES, SERVICES, config_map, namespace, role, secret, service
from tests.installs.platform import INSTALL, Counted, Died
from tests.installs.test_agent import Bed
from tests.installs.test_rights import KINDS, apply_all
from tests.kubernetes import reached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from byoa.adapters.kubernetes.cluster import KubernetesCluster
    from byoa.installs.objects import Object
    from tests.kubernetes import Server

    type Beds = Callable[[], Bed]

_NUMBERS = itertools.count(1)
CLUSTERS = ["at_the_desk", "cluster"]
"""The fixtures of both, of which a real server is skipped where there is none."""


@pytest.fixture(params=CLUSTERS, ids=["desk", "real"])
def beds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Beds:
    """Platforms whose install has an agent, each with a namespace of its own in one cluster."""
    return corners(request.getfixturevalue(request.param), monkeypatch)


def corners(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> Beds:
    def make() -> Bed:
        corner = f"agents-{next(_NUMBERS)}"
        head = f'type = "kubernetes_manifest"\nnamespace = "{corner}"\n'
        monkeypatch.setattr("tests.installs.platform.HEAD", head)
        return Bed(cluster, corner)

    return make


SET = (config_map("one"), secret("keys", token="x"), service("web"), role("reader"))


def test_an_agent_deploys_changes_prunes_finds_drift_and_tears_down(beds: Beds) -> None:
    bed = beds()
    bed.platform.ask(bed.platform.build(*SET))
    assert bed.run_next() == "active"
    assert bed.there(SERVICES, "web")["spec"]["ports"][0]["port"] == 80
    again = bed.platform.ask(bed.platform.build(*SET))
    assert bed.run_next() == "noop"
    assert bed.now(again).counts["unchanged"] == 4
    changed = bed.platform.ask(bed.platform.build(config_map("one", colour="blue"), *SET[1:3]))
    assert bed.run_next() == "active"
    counts = bed.now(changed).counts
    assert (counts["change"], counts["delete"], counts["unchanged"]) == (1, 1, 2)
    bed.platform.ask(operation="drift")
    assert bed.run_next() == "no-drift"
    place = Place(CONFIG_MAPS, bed.corner, "one")
    bed.platform.cluster.apply(place, config_map("one", colour="red"), force=True, manager="kubectl")
    looked = bed.platform.ask(operation="drift")
    assert bed.run_next() == "drift-detected"
    shown = bed.platform.installs.contents(bed.now(looked))
    assert shown
    assert [each["object"] for each in shown["objects"] if each["action"] == "change"] == [
        f"ConfigMap/{bed.corner}/one"
    ]
    bed.platform.ask(operation="teardown")
    assert bed.run_next() == "inactive"
    assert (bed.there(CONFIG_MAPS, "one"), bed.there(SERVICES, "web")) == (None, None)


def until_it_died(bed: Bed, at: int) -> bool:
    """Whether the agent died at its call ``at``, of the API or of the cluster, before it was through."""
    counted = Counted(at=at)
    try:
        job = bed.lease(counted.around)
        if job:
            bed.run(job, counted.around)
    except Died:
        bed.passes(61)
        return True
    return False


def end(beds: Beds, *deaths: int) -> tuple[list[bool], Any]:
    """A change and a prune whose agents die at these calls, one after the other; which did, and what is at the end."""
    bed = beds()
    bed.platform.ask(bed.platform.build(config_map("kept"), config_map("other"), config_map("old")))
    bed.run_next()
    deploy = bed.platform.ask(bed.platform.build(config_map("kept", a="1"), config_map("other"), config_map("new")))
    died = [until_it_died(bed, at) for at in deaths]
    job = bed.lease()
    if job:
        bed.run(job)
    (packed, _) = next(iter(bed.platform.store.packed.values()))
    there = {name: (bed.there(CONFIG_MAPS, name) or {}).get("data") for name in ("kept", "other", "new", "old")}
    return died, (bed.now(deploy).status in ("active", "noop"), there, {each.name for each in unpack(packed).uids})


def test_killed_at_any_call_the_next_agent_ends_the_same(
    cluster: KubernetesCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    beds = corners(cluster, monkeypatch)
    _, clean = end(beds)
    assert clean[0]
    calls = next(at for at in range(1, 200) if not _same(end(beds, at), clean)[0]) - 1
    assert calls > 10


def _same(found: tuple[list[bool], Any], clean: Any) -> list[bool]:
    died, after = found
    assert after == clean
    return died


@contextmanager
def as_account(real: KubernetesCluster, server: Server, folder: Path, corner: str) -> Iterator[KubernetesCluster]:
    """The cluster as a service account of the corner reaches it, with a token as a pod has one."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "byoa"}}
    real.apply(Place(KINDS["", "ServiceAccount"], corner, "byoa"), account, force=True, manager="administrator")
    path = f"/api/v1/namespaces/{corner}/serviceaccounts/byoa/token"
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    answer = real._wire.ask("POST", path, asked).body
    assert answer
    with reached(read_kubeconfig(server.kubeconfig(folder, answer["status"]["token"]).read_text())) as found:
        yield found


def test_what_rbac_prints_is_enough_for_a_service_account_and_less_is_told_before_a_write(
    cluster: KubernetesCluster, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bed = corners(cluster, monkeypatch)()
    owner = Owner(INSTALL, "web", bed.corner)
    wanted, faults = normalise([*SET], know_kinds(BUILTIN, [*SET]), owner)
    assert not faults
    printed = grants(wanted, owner, Grantee("byoa", bed.corner), ())
    with as_account(cluster, server, tmp_path, bed.corner) as poor:
        bed.platform.cluster = poor
        deploy = bed.platform.ask(bed.platform.build(*SET))
        apply_all(cluster, [_without(each, "patch", "delete") for each in printed])
        assert bed.run_next() == "error"
        failure = bed.now(deploy).failure
        assert failure
        assert failure.code == "ClusterForbidden"
        for right in ("configmaps", "secrets", "services"):
            assert right in failure.cause, failure.cause
        assert not bed.platform.store.packed, "nothing was written, and nothing is tracked"
        assert cluster.get(Place(CONFIG_MAPS, bed.corner, "one")) is None
        apply_all(cluster, printed)
        until = time.monotonic() + 20
        status = "error"
        while status == "error" and time.monotonic() < until:  # its authorizer hears of roles a moment later
            bed.platform.ask(bed.platform.build(*SET))
            status = bed.run_next()
        assert status == "active", bed.platform.store.told[-1].failure
        bed.platform.ask(bed.platform.build(*SET[:3]))
        assert bed.run_next() == "active"


def _without(found: Object, *verbs: str) -> Object:
    rules = [
        {**rule, "verbs": [each for each in rule["verbs"] if each not in verbs]} for rule in found.get("rules", ())
    ]
    return {**found, "rules": [each for each in rules if each["verbs"]]} if rules else found


def test_the_pod_s_manifest_is_taken_by_a_real_server(cluster: KubernetesCluster) -> None:
    corner = f"agents-{next(_NUMBERS)}"
    cluster.create(Place(NAMESPACES, "", corner), namespace(corner))
    for each in yaml.safe_load_all((ROOT / "examples" / "agent" / "agent.yaml").read_text()):
        kind = KINDS[each["apiVersion"].rpartition("/")[0], each["kind"]]
        found = {**each, "metadata": {**each["metadata"], "namespace": corner}}
        applied = cluster.apply(Place(kind, corner, each["metadata"]["name"]), found, dry_run=True)
        assert (applied.created, applied.warnings) == (True, ()), each["kind"]
