"""A real API server that knows people as EKS does: by an emulated AWS, a role of another account and its ExternalId."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from byoa.adapters.aws.eks import EksLogin, Keys, token_for
from byoa.adapters.aws.lent_clusters import LentRole, session_policy
from byoa.adapters.aws.roles import Roles
from byoa.errors import ClusterForbidden, ClusterUntrusted
from byoa.installs.objects import Place
from local.processes import LOOPBACK, free_port, start_emulator
from tests.installs.beds import CONFIG_MAPS, NAMESPACES, Bed, config_map, namespace, real_time
from tests.kubernetes import MISSING, Server, api_server, is_here, reached
from tests.tls import issued

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.installs.access import Access

pytestmark = pytest.mark.emulator

OURS, THEIRS = "000000000000", "222222222222"
REGION, NAME, GROUP = "us-west-2", "shop", "installers"
EXTERNAL_ID, STRANGER = "a7q362lqznuy44m52dmsrxgu", "z7q362lqznuy44m52dmsrxgu"
SECRET = "a-secret-in-a-path"


@dataclass
class Eks:
    """An AWS with a cluster in another account, whose role ``installer`` has an access entry, and ``stray`` none."""

    aws: str
    server: Server
    clients: contextlib.ExitStack

    def client(self, service: str, keys: Keys) -> Any:
        session: Any = boto3.session.Session(*keys, region_name=REGION)
        made = session.client(service, endpoint_url=self.aws)
        return self.clients.enter_context(contextlib.closing(made))

    def login(self, role: str = "installer", told: str = EXTERNAL_ID, now: Callable[[], float] = time.time) -> EksLogin:
        arn = f"arn:aws:iam::{THEIRS}:role/{role}"
        sts = self.client("sts", Keys(OURS, "test"))
        roles = Roles(sts, "dpl1", STRANGER, session_policy(NAME, REGION, arn))
        lent = LentRole(roles, arn, told)
        return EksLogin(NAME, REGION, lent.keys, lambda _, keys: self.client("eks", keys), now)


@pytest.fixture(scope="module")
def eks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Eks]:
    if not is_here():
        pytest.skip(MISSING)
    folder = tmp_path_factory.mktemp("eks")
    port, secure = free_port(), free_port()
    _, authority = issued(folder, LOOPBACK, "localhost")
    settings = {"EKS_BASE_PORT": str(secure), "EMULATOR_EKS_CA": str(authority), "EMULATOR_EKS_SECRET": SECRET}
    webhook = folder / "webhook"
    webhook.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: it\n"
        f"clusters: [{{name: it, cluster: {{server: 'http://{LOOPBACK}:{port}/_ministack/eks-auth/{THEIRS}/{REGION}/"
        f"{NAME}/{SECRET}'}}}}]\ncontexts: [{{name: it, context: {{cluster: it, user: it}}}}]\nusers: [{{name: it}}]\n"
    )
    arguments = (
        f"--authentication-token-webhook-config-file={webhook}", "--authentication-token-webhook-cache-ttl=1s",
        f"--tls-cert-file={folder / 'server.pem'}", f"--tls-private-key-file={folder / 'server.key'}",
    )  # fmt: skip
    with (
        start_emulator(folder, port, enforce_iam=True, extra_environment=settings),
        api_server(folder, *arguments, port=secure) as server,
        contextlib.ExitStack() as clients,
    ):
        found = Eks(f"http://{LOOPBACK}:{port}", server, clients)
        furnish(found)
        grant(server._replace(ca=authority, name="localhost"), folder)
        yield found


def furnish(eks: Eks) -> None:
    """What the cluster's owner does at AWS."""
    owner = Keys(THEIRS, "test")
    iam, clusters = eks.client("iam", owner), eks.client("eks", owner)
    trust = {
        "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OURS}:root"}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    }  # fmt: skip
    described = {"Effect": "Allow", "Action": "eks:DescribeCluster", "Resource": "*"}
    for role in ("eks", "installer", "stray", "careless"):
        statement = {key: value for key, value in trust.items() if role != "careless" or key != "Condition"}
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(statement))
        iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document(described))
    clusters.create_cluster(name=NAME, roleArn=f"arn:aws:iam::{THEIRS}:role/eks", resourcesVpcConfig={})
    while clusters.describe_cluster(name=NAME)["cluster"]["status"] != "ACTIVE":
        time.sleep(0.05)
    arn = f"arn:aws:iam::{THEIRS}:role/installer"
    clusters.create_access_entry(clusterName=NAME, principalArn=arn, kubernetesGroups=[GROUP])


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def grant(server: Server, folder: Any) -> None:
    """What its administrator does in the cluster: the access entry's group may do all."""
    from byoa.installs.access import read_kubeconfig  # noqa: PLC0415 - here alone

    group = "rbac.authorization.k8s.io"
    binding = {
        "apiVersion": f"{group}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": GROUP},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": group, "kind": "Group", "name": GROUP}],
    }  # fmt: skip
    with reached(read_kubeconfig(server.kubeconfig(folder).read_text())) as admin:
        kinds = {kind.kind: kind for kind in admin.kinds()}
        admin.create(Place(kinds["ClusterRoleBinding"], "", GROUP), binding)
        admin.create(Place(NAMESPACES, "", "shop"), namespace("shop"))


def installing(login: EksLogin, access: Access | None = None) -> Any:
    return reached(access or login.access(), login.token, login.renew)


def test_a_lent_role_installs_by_the_group_of_its_access_entry(eks: Eks) -> None:
    with installing(eks.login()) as cluster:
        bed = Bed(cluster, "shop", real_time(), 20.0)
        assert bed.deploy(config_map("a"), config_map("b")).status == "active"
        assert bed.deploy(config_map("a"), config_map("b")).status == "noop"
        assert bed.get(CONFIG_MAPS, "a")


def test_a_token_that_ends_is_renewed_and_who_works_with_it_goes_on(eks: Eks) -> None:
    login = eks.login()
    with installing(login) as cluster:
        assert cluster.kinds()
        login._token = token_for("another", REGION, Keys("ASIAGONE", "x"))  # as one that has run out meanwhile
        assert cluster.get(Place(NAMESPACES, "", "shop"))
        assert cluster.kinds()


def test_with_another_external_id_the_role_lets_nobody_in_and_that_is_told(eks: Eks) -> None:
    with pytest.raises(ClusterForbidden, match="role of the cluster doesn't let the platform in"):
        eks.login(told="b7q362lqznuy44m52dmsrxgu").access()


def test_a_role_that_asks_for_no_external_id_is_not_used(eks: Eks) -> None:
    with pytest.raises(ClusterForbidden, match="looks at no ExternalId"):
        eks.login("careless").access()


def test_without_an_access_entry_the_cluster_refuses_the_login_and_the_remedy_says_so(eks: Eks) -> None:
    with (
        installing(eks.login("stray")) as cluster,
        pytest.raises(ClusterForbidden, match="refuses the login") as raised,
    ):
        cluster.kinds()
    assert "access entry" in raised.value.remedy


def test_another_authority_than_eks_tells_is_not_trusted(eks: Eks, tmp_path_factory: pytest.TempPathFactory) -> None:
    _, stranger = issued(tmp_path_factory.mktemp("stranger"), LOOPBACK)
    login = eks.login()
    with (
        installing(login, login.access()._replace(ca=stranger.read_text())) as cluster,
        pytest.raises(ClusterUntrusted, match="not one that the given authority vouches for"),
    ):
        cluster.kinds()
