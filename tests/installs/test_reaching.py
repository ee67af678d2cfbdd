"""How installs keep a way to a cluster, where it may lead, and what becomes of a login that is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from byoa.bootstrap import clusters, pipeline, process, terminal
from byoa.errors import ClusterAccessInvalid, ClusterForbidden, ClusterUntrusted
from byoa.installs.access import access_of, read_kubeconfig
from byoa.installs.reaching import (
    ClusterAddresses,
    EksAccess,
    StaticAccess,
    StoredLogin,
    check_foreign,
    may_be_another,
    read_cluster_access,
    resolve,
)
from byoa.trust.addresses import Anywhere, Reachable
from local.cluster import Cluster
from tests.installs.test_parts import PEM, kubeconfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROLE = "arn:aws:iam::222222222222:role/byoa-install"
EKS = {"kind": "eks", "cluster": "shop", "region": "eu-west-1", "role_arn": ROLE}
STATIC = {"kind": "static", "server": "https://k.example.com:6443"}


def test_each_kind_of_access_is_read_and_comes_back_as_it_was_written() -> None:
    for found, kind in ((EKS, EksAccess), (STATIC, StaticAccess)):
        read = read_cluster_access(found)
        assert isinstance(read, kind)
        assert read_cluster_access(json.loads(read.model_dump_json())) == read
        assert not read.private


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({}, "neither static nor eks"),
        ({"kind": "exec"}, "neither static nor eks"),
        ({**STATIC, "server": "http://k.example.com"}, "server isn't https://HOST[:PORT]"),
        ({**STATIC, "server": "https://k.example.com/path"}, "server isn't"),
        ({**STATIC, "ca": "canary"}, "ca isn't one or more certificates in PEM"),
        ({**STATIC, "server_name": "a b"}, "server_name isn't the name of a host"),
        ({**STATIC, "token": "canary"}, "token is missing, or none that can be used"),
        ({**EKS, "cluster": "a/b"}, "cluster is missing, or none"),
        ({**EKS, "region": "eu-west-1.attacker.example.com/"}, "region is missing, or none"),
        ({**EKS, "role_arn": "canary"}, "role_arn isn't the ARN of a role"),
        ({**EKS, "private": "yes"}, "private is missing, or none"),
    ],
)
def test_what_is_wrong_with_one_is_told_by_its_field_and_no_value(found: dict[str, Any], told: str) -> None:
    with pytest.raises(ClusterAccessInvalid) as raised:
        read_cluster_access(found)
    assert told in raised.value.cause
    assert "canary" not in str(raised.value.as_dict())


def test_with_its_secret_a_way_is_one_that_can_be_gone() -> None:
    found = resolve(StaticAccess(server="https://k.example.com:6443", ca=PEM, server_name="inside"), " t0ken\n")
    assert found == access_of("https://k.example.com:6443", PEM, "t0ken", "inside")


def test_a_kubeconfig_is_read_by_its_context() -> None:
    assert read_kubeconfig(kubeconfig()) == access_of("https://k.example.com:6443", PEM, "t0ken")
    with pytest.raises(ClusterAccessInvalid, match="no context"):
        read_kubeconfig(kubeconfig(), "b")


@pytest.mark.parametrize(
    ("cluster", "user", "told"),
    [
        ({"server": "https://k", "proxy-url": "http://p"}, None, "goes through a proxy"),
        (None, {"token": "t", "as": "admin"}, "acts as somebody else"),
        (None, {"tokenFile": "/canary"}, "names a file with the token"),
        (None, {"exec": {"command": "canary"}}, "runs a program"),
    ],
)
def test_what_a_kubeconfig_wants_and_isn_t_done_is_refused_and_not_passed_over(
    cluster: Any, user: Any, told: str
) -> None:
    with pytest.raises(ClusterAccessInvalid, match=told) as raised:
        read_kubeconfig(kubeconfig(cluster, user))
    assert "canary" not in str(raised.value.as_dict())


@pytest.mark.parametrize(
    ("before", "after", "another"),
    [
        (STATIC, STATIC, False),
        (STATIC, {**STATIC, "ca": PEM, "private": True}, False),
        (STATIC, {**STATIC, "server": "https://other.example.com"}, True),
        (EKS, {**EKS, "role_arn": f"{ROLE}-2"}, False),
        (EKS, {**EKS, "role_arn": ROLE.replace("2", "3")}, True),
        (EKS, {**EKS, "region": "eu-west-2"}, True),
        (EKS, STATIC, True),
        ({"kind": "agent"}, {"kind": "agent"}, False),
    ],
)
def test_a_way_that_leads_elsewhere_is_known(before: dict[str, Any], after: dict[str, Any], another: bool) -> None:  # noqa: FBT001 - what is expected
    assert may_be_another(before, after) is another


def test_a_role_of_the_platform_s_own_is_lent_to_nobody() -> None:
    check_foreign(read_cluster_access(EKS), "111111111111")
    check_foreign(read_cluster_access(STATIC), "222222222222")
    with pytest.raises(ClusterAccessInvalid, match="platform's own account"):
        check_foreign(read_cluster_access(EKS), "222222222222")


# ---- where it may lead -------------------------------------------------------------------------------------------

OPENED = Reachable.parse("10.0.0.0/8:6443,127.0.0.1/32:443,169.254.0.0/16:443")


@pytest.mark.parametrize(
    ("address", "port", "shared", "private"),
    [
        ("52.1.2.3", 443, True, True),
        ("52.1.2.3", 6443, True, True),
        ("52.1.2.3", 25, False, False),
        ("2600::1", 6443, True, True),
        ("10.1.2.3", 6443, False, True),
        ("10.1.2.3", 443, False, False),
        ("192.168.1.1", 6443, False, False),
        ("127.0.0.1", 443, False, True),
        ("169.254.169.254", 443, False, False),
        ("::ffff:169.254.169.254", 443, False, False),
        ("fe80::1", 6443, False, False),
        ("fd00:ec2::254", 443, False, False),
        ("nonsense", 443, False, False),
    ],
)
def test_a_private_address_takes_the_operator_s_word_and_the_install_s(
    address: str,
    port: int,
    shared: bool,  # noqa: FBT001 - what is expected
    private: bool,  # noqa: FBT001 - the same
) -> None:
    assert ClusterAddresses(OPENED).admits(address, port) is shared
    assert ClusterAddresses(OPENED, private=True).admits(address, port) is private


@pytest.mark.parametrize(("port", "open_to_it"), [(443, True), (6443, True), (22, False), (80, False)])
def test_ports_of_other_services_are_none_of_a_cluster_s(port: int, open_to_it: bool) -> None:  # noqa: FBT001
    assert ClusterAddresses(Reachable()).admits_port(port) is open_to_it


@pytest.mark.parametrize(
    ("address", "reached"), [("10.0.0.1", True), ("127.0.0.1", True), ("169.254.169.254", False), ("fe80::1", False)]
)
def test_a_person_s_machine_reaches_all_but_metadata(address: str, reached: bool) -> None:  # noqa: FBT001
    assert Anywhere().admits(address, 443) is reached
    assert Anywhere().admits_port(1)


def test_a_command_doesn_t_connect_to_a_metadata_service() -> None:
    with pytest.raises(ClusterAccessInvalid, match="leads to an address that is not connected to"):
        terminal.cluster(access_of("https://169.254.169.254", None, "x")).kinds()


# ---- on the platform ---------------------------------------------------------------------------------------------


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    with Cluster() as found:
        monkeypatch.setenv("BYOA_REACHABLE", f"127.0.0.1/32:{found.address.rpartition(':')[2]}")
        monkeypatch.setenv("BYOA_ACCOUNT", "111111111111")
        _forget()
        yield found
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    process.settings.cache_clear()
    pipeline.reachable.cache_clear()


def opened(desk: Cluster, secret: Callable[[], str], **settings: Any) -> Any:
    access = StaticAccess(server=desk.address, ca=desk.ca, **settings)
    return clusters.opened("org_demo00000000", access, secret, "dpl1")


def test_a_private_cluster_is_reached_where_its_install_says_that_it_is_one(desk: Cluster) -> None:
    with opened(desk, lambda: min(desk.tokens), private=True) as cluster:
        assert cluster.kinds()
    with opened(desk, lambda: min(desk.tokens)) as cluster, pytest.raises(ClusterAccessInvalid, match="not connected"):
        cluster.kinds()


def test_nobody_but_the_cluster_s_authority_is_trusted_whatever_the_environment_says(
    desk: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Cluster() as other:
        access = StaticAccess(server=desk.address, ca=other.ca, private=True)
        with (
            clusters.opened("org_demo00000000", access, lambda: "x", "dpl1") as cluster,
            pytest.raises(ClusterUntrusted),
        ):
            cluster.kinds()


def test_a_token_that_was_replaced_is_read_again_once_and_another_refusal_is_told(desk: Cluster) -> None:
    stored, asked = ["old"], []

    def secret() -> str:
        asked.append(stored[0])
        return stored[0]

    desk.tokens.add("old")
    with opened(desk, secret, private=True) as cluster:
        assert cluster.kinds()
        desk.tokens.remove("old")
        desk.tokens.add("new")
        stored[:] = ["new"]
        assert cluster.kinds()
        assert asked == ["old", "new"]
        desk.tokens.remove("new")
        before = len(desk.requests)
        with pytest.raises(ClusterForbidden, match="refuses the login"):
            cluster.kinds()
        assert len(desk.requests) - before == 1, "the same token isn't shown twice"


def test_a_login_s_token_is_new_only_if_the_secret_is() -> None:
    stored = ["a"]
    login = StoredLogin(StaticAccess(server="https://k.example.com"), lambda: stored[0])
    assert (login.token(), login.renew()) == ("a", False)
    stored[:] = ["b"]
    assert (login.renew(), login.token()) == (True, "b")
