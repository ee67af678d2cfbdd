"""One account of the desk trusts another, and its ECR asks IAM who may come in, whether or not the rest is enforced."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError

from byoa.adapters.aws.ecr_login import RoleLogin
from byoa.errors import AuthFailed
from local import processes
from local.registry import EcrSettings, Registry, Settings
from tests.local.cloud import emulated
from tests.local.pushing import Client, as_bytes, digest, image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.emulator

OURS, THEIRS = "000000000000", "222222222222"
REGIONS = {OURS: "us-east-1", THEIRS: "us-west-2"}
SOURCE, OTHER = f"arn:aws:iam::{OURS}:role/source", f"arn:aws:iam::{OURS}:role/other"
PULL = f"arn:aws:iam::{THEIRS}:role/pull"
REPOSITORY = f"arn:aws:ecr:us-west-2:{THEIRS}:repository/manifests"
PULLING = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]

type Keys = tuple[str, ...]
_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")


class Accounts:
    """Two accounts in one emulator, each with a data plane of its own."""

    def __init__(self, endpoint: str, planes: dict[str, Registry], closing: contextlib.ExitStack) -> None:
        self._endpoint = endpoint
        self._planes = planes
        self._closing = closing

    def client(self, service: str, account: str, keys: Keys | None = None) -> Any:
        """A client of the account's root, or one with the ``keys`` of a session."""
        make = cast("Callable[..., Any]", boto3.client)
        named = dict(zip(_KEYS, keys or (account, "test"), strict=False))
        client = make(service, region_name=REGIONS[account], endpoint_url=self._endpoint, **named)
        return self._closing.enter_context(contextlib.closing(client))

    def role(self, arn: str, trusted: dict[str, Any], *allowed: dict[str, Any]) -> None:
        account, name = arn.split(":")[4], arn.rpartition("/")[2]
        iam = self.client("iam", account)
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trusted | {"Action": "sts:AssumeRole"}))
        iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=_policy(*allowed))

    def assume(self, arn: str, keys: Keys | None = None, **more: Any) -> Keys:
        sts = self.client("sts", OURS, keys)
        found = sts.assume_role(RoleArn=arn, RoleSessionName="build", **more)["Credentials"]
        return found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]

    def login(self, account: str, keys: Keys | None = None) -> str:
        token = self.client("ecr", account, keys).get_authorization_token()["authorizationData"][0]
        assert token["proxyEndpoint"] == f"https://{account}.dkr.ecr.{REGIONS[account]}.amazonaws.com"
        return base64.b64decode(token["authorizationToken"]).decode().partition(":")[2]

    def plane(self, account: str, password: str, user: str = "AWS") -> Client:
        client = Client(self._planes[account], user, password)
        self._closing.callback(client.connection.close)
        return client

    def status(self, account: str, password: str, path: str = "/v2/manifests/manifests/v1", method: str = "GET") -> int:
        return self.plane(account, password).ask(method, path).status


def _policy(*statements: dict[str, Any]) -> str:
    allowed = [{"Effect": "Allow", **statement} for statement in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": allowed})


@pytest.fixture(scope="module", params=[False, True], ids=["IAM not enforced", "IAM enforced"])
def accounts(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Accounts]:
    ports = {account: processes.free_port() for account in REGIONS}
    where = ",".join(f"{account}=http://127.0.0.1:{port}" for account, port in ports.items())
    folder, extra = tmp_path_factory.mktemp("desk"), {"EMULATOR_ECR_REGISTRY": where}
    with (
        emulated(folder, enforce_iam=request.param, extra_environment=extra) as cloud,
        contextlib.ExitStack() as closing,
    ):
        endpoint = f"http://127.0.0.1:{cloud.port}"
        planes: dict[str, Registry] = {}
        for account, port in ports.items():
            settings = Settings(ecr=EcrSettings(endpoint, REGIONS[account], account=account))
            planes[account] = closing.enter_context(Registry(settings, port=port))
        made = Accounts(endpoint, planes, closing)
        for account in REGIONS:
            for name in ("manifests", "hidden"):
                made.client("ecr", account).create_repository(repositoryName=name)
                made.plane(account, made.login(account)).tag(name, "v1")
        everywhere = {"Action": "sts:AssumeRole", "Resource": "*"}
        anything = {"Action": "ecr:*", "Resource": "*"}
        for arn in (SOURCE, OTHER):
            made.role(arn, {"Principal": {"AWS": f"arn:aws:iam::{OURS}:root"}}, everywhere, anything)
        condition = {"StringEquals": {"sts:ExternalId": "ours"}}
        reading = {"Action": PULLING, "Resource": REPOSITORY}
        token = {"Action": "ecr:GetAuthorizationToken", "Resource": "*"}
        made.role(PULL, {"Principal": {"AWS": SOURCE}, "Condition": condition}, reading, token)
        yield made


@pytest.fixture
def source(accounts: Accounts) -> Keys:
    return accounts.assume(SOURCE)


@pytest.fixture
def puller(accounts: Accounts, source: Keys) -> str:
    return accounts.login(THEIRS, accounts.assume(PULL, source, ExternalId="ours"))


def test_who_is_trusted_and_tells_the_external_id_pulls_from_the_other_account(accounts: Accounts, puller: str) -> None:
    answer = accounts.plane(THEIRS, puller).ask("GET", "/v2/manifests/manifests/v1")
    assert (answer.status, answer.body) == (200, as_bytes(image(b"{}", note="")))
    assert accounts.status(THEIRS, puller, f"/v2/manifests/blobs/{digest(b'{}')}") == 200
    assert accounts.status(THEIRS, puller, "/v2/") == 200


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"ExternalId": "theirs"},
        {"ExternalId": "OURS"},
        {"ExternalId": "ours", "Tags": [{"Key": "org_id", "Value": "org"}]},  # sts:TagSession is trusted to nobody
    ],
    ids=["none", "another", "other case", "tags"],
)
def test_another_external_id_and_tags_that_nobody_asked_for_are_refused(
    accounts: Accounts, source: Keys, more: dict[str, Any]
) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        accounts.assume(PULL, source, **more)


def test_who_is_not_trusted_is_refused_whatever_it_tells(accounts: Accounts) -> None:
    for keys in (None, accounts.assume(OTHER)):
        with pytest.raises(ClientError, match="AccessDenied"):
            accounts.assume(PULL, keys, ExternalId="ours")


@pytest.mark.parametrize("account", [OURS, THEIRS])
def test_a_role_that_there_is_not_is_refused_as_one_that_does_not_trust(
    accounts: Accounts, source: Keys, account: str
) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        accounts.assume(f"arn:aws:iam::{account}:role/nobody", source)


def test_a_session_begun_by_a_session_lasts_an_hour_at_most(accounts: Accounts, source: Keys) -> None:
    with pytest.raises(ClientError, match="1 hour session limit for roles assumed by role chaining"):
        accounts.assume(PULL, source, ExternalId="ours", DurationSeconds=3601)
    assert accounts.assume(PULL, source, ExternalId="ours", DurationSeconds=3600)


def test_a_password_opens_what_its_holders_role_may_do_and_nothing_else(accounts: Accounts, puller: str) -> None:
    plane = accounts.plane(THEIRS, puller)
    for method, path in (
        ("GET", "/v2/hidden/manifests/v1"),
        ("GET", "/v2/manifests/tags/list"),
        ("POST", "/v2/manifests/blobs/uploads/"),
        ("PUT", "/v2/manifests/manifests/v2"),
        ("DELETE", "/v2/manifests/manifests/v1"),
    ):
        refused = plane.ask(method, path)
        assert (refused.status, refused.code, refused.headers["WWW-Authenticate"]) == (403, "DENIED", None)
    message = plane.ask("GET", "/v2/hidden/manifests/v1").json()["errors"][0]["message"]
    assert "assumed-role/pull/build is not authorized to perform: ecr:BatchGetImage" in message


def test_a_password_of_another_account_opens_what_a_repository_s_policy_says(accounts: Accounts, source: Keys) -> None:
    password = accounts.login(OURS, source)
    assert accounts.status(OURS, password) == 200
    assert accounts.status(THEIRS, password, "/v2/hidden/manifests/v1") == 403
    theirs = accounts.client("ecr", THEIRS)
    theirs.create_repository(repositoryName="shared")
    statement = {"Principal": {"AWS": f"arn:aws:iam::{OURS}:root"}, "Action": PULLING}
    theirs.set_repository_policy(repositoryName="shared", policyText=_policy(statement))
    accounts.plane(THEIRS, accounts.login(THEIRS)).tag("shared", "v1")
    assert accounts.status(THEIRS, password, "/v2/shared/manifests/v1") == 200
    assert accounts.status(THEIRS, password, "/v2/shared/blobs/uploads/", "POST") == 403


def test_a_password_that_nobody_gave_out_is_stale(accounts: Accounts, puller: str) -> None:
    payload, _, signature = puller.partition(".")
    claims = json.loads(base64.urlsafe_b64decode(payload)) | {"key": THEIRS, "principal": f"arn:aws:iam::{THEIRS}:root"}
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()
    for password in (f"{forged}.{signature}", payload, f"{payload}.{'0' * 64}", "ministack-auth-token", "", "ö.ö"):
        refused = accounts.plane(THEIRS, password).ask("GET", "/v2/manifests/manifests/v1")
        assert (refused.status, refused.code) == (403, "DENIED"), password
    assert accounts.plane(THEIRS, puller, user="root").ask("GET", "/v2/").status == 403


def test_each_account_s_images_are_told_of_there_alone(accounts: Accounts) -> None:
    theirs = accounts.plane(THEIRS, accounts.login(THEIRS))
    accounts.client("ecr", THEIRS).create_repository(repositoryName="told")
    theirs.tag("told", "v1")
    (found,) = accounts.client("ecr", THEIRS).describe_images(repositoryName="told")["imageDetails"]
    assert (found["registryId"], found["imageTags"]) == (THEIRS, ["v1"])
    with pytest.raises(ClientError, match="RepositoryNotFoundException"):
        accounts.client("ecr", OURS).describe_images(repositoryName="told")


# What the pipeline does


@pytest.fixture
def login(accounts: Accounts, source: Keys) -> RoleLogin:
    def ecr(_region: str, found: Any) -> Any:
        keys = found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]
        return accounts.client("ecr", THEIRS, keys)

    return RoleLogin(accounts.client("sts", OURS, source), ecr, "build", "a stranger")


def test_the_pipeline_s_login_pulls_by_the_role_and_by_nothing_more(accounts: Accounts, login: RoleLogin) -> None:
    credential = login.password(f"{THEIRS}.dkr.ecr.us-west-2.amazonaws.com", PULL, "ours")
    assert accounts.status(THEIRS, credential.password) == 200
    assert accounts.status(THEIRS, credential.password, "/v2/manifests/manifests/v2", "PUT") == 403


@pytest.mark.parametrize("condition", [{}, {"StringEquals": {"sts:ExternalId": "theirs"}}], ids=["none", "another"])
def test_the_pipeline_s_login_is_refused_by_a_role_without_our_external_id(
    accounts: Accounts, login: RoleLogin, condition: dict[str, Any]
) -> None:
    role = f"arn:aws:iam::{THEIRS}:role/{'other-id' if condition else 'careless'}"
    accounts.role(role, {"Principal": {"AWS": SOURCE}, "Condition": condition}, {"Action": "ecr:*", "Resource": "*"})
    with pytest.raises(AuthFailed):
        login.password(f"{THEIRS}.dkr.ecr.us-west-2.amazonaws.com", role, "ours")
