"""Tokens of EKS as API servers and STS read them, and what is told of clusters that can't be reached so."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from byoa.adapters.aws.eks import LIFE, EksLogin, Keys, token_for
from byoa.adapters.aws.lent_clusters import LentRole, session_policy
from byoa.adapters.aws.roles import Roles
from byoa.errors import (
    ByoaError,
    ClusterAccessInvalid,
    ClusterForbidden,
    ClusterThrottled,
    ClusterUnavailable,
    PlatformForbidden,
)

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS = Keys("ASIAEXAMPLE", "secret", "session")
PEM = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"
ROLE = "arn:aws:iam::222222222222:role/byoa-install"


def url_of(token: str) -> Any:
    assert token.startswith("k8s-aws-v1.")
    coded = token.removeprefix("k8s-aws-v1.")
    assert "=" not in coded
    return urlsplit(base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode())


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:4566"])
def test_a_token_is_a_signed_question_to_sts_itself_that_names_the_cluster(
    endpoint: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"):
        monkeypatch.setenv(name, endpoint) if endpoint else monkeypatch.delenv(name, raising=False)
    url = url_of(token_for("shop", "eu-west-1", KEYS))
    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert (url.scheme, url.netloc, url.path) == ("https", "sts.eu-west-1.amazonaws.com", "/")
    assert (asked["Action"], asked["Version"], asked["X-Amz-Expires"]) == ("GetCallerIdentity", "2011-06-15", "60")
    assert asked["X-Amz-SignedHeaders"] == "host;x-k8s-aws-id"
    assert asked["X-Amz-Security-Token"] == "session"
    assert asked["X-Amz-Credential"].split("/")[2:] == ["eu-west-1", "sts", "aws4_request"]


def test_another_cluster_s_token_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (parse_qs(url_of(token_for(name, "eu-west-1", KEYS)).query) for name in ("shop", "stop"))
    assert one["X-Amz-Signature"] != other["X-Amz-Signature"]


@pytest.mark.parametrize(
    ("region", "host"),
    [("cn-north-1", "sts.cn-north-1.amazonaws.com.cn"), ("us-gov-west-1", "sts.us-gov-west-1.amazonaws.com"),
     ("us-isob-east-1", "sts.us-isob-east-1.sc2s.sgov.gov"), ("us-iso-east-1", "sts.us-iso-east-1.c2s.ic.gov")],
)  # fmt: skip
def test_in_other_partitions_it_is_theirs(region: str, host: str) -> None:
    assert url_of(token_for("shop", region, KEYS)).netloc == host


@dataclass
class Aws:
    """One identity's EKS, and a time that a test sets."""

    found: Any = field(default_factory=dict)
    at: float = 1000.0
    lent: int = 0
    lend: Callable[[], Keys] | None = None

    @property
    def login(self) -> EksLogin:
        return EksLogin("shop", "eu-west-1", self._lend, lambda *_: self, lambda: self.at)

    def _lend(self) -> Keys:
        if self.lend:
            return self.lend()
        self.lent += 1
        return KEYS._replace(access_key=f"ASIA{self.lent}")

    def describe_cluster(self, name: str) -> Any:
        assert name == "shop"
        if isinstance(self.found, Exception):
            raise self.found
        described = {
            "status": "ACTIVE", "endpoint": "https://ABC.gr7.eu-west-1.eks.amazonaws.com",
            "certificateAuthority": {"data": base64.b64encode(PEM.encode()).decode()},
        }  # fmt: skip
        return {"cluster": {**described, **self.found}}

    def close(self) -> None:
        pass


def refusal(code: str, status: int = 400) -> ClientError:
    said = {"Error": {"Code": code, "Message": "canary"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, "DescribeCluster")  # type: ignore[arg-type]


def test_where_a_cluster_is_eks_says() -> None:
    found = Aws().login.access()
    assert (found.host, found.port, found.ca) == ("abc.gr7.eu-west-1.eks.amazonaws.com", 443, PEM)
    assert found.token.startswith("k8s-aws-v1.")


def test_a_token_is_used_for_fourteen_minutes_and_then_it_is_another_with_keys_of_its_own() -> None:
    aws = Aws()
    login = aws.login
    first = login.token()
    aws.at += LIFE - 1
    assert login.token() == first
    assert aws.lent == 1
    aws.at += 1
    assert login.token() != first
    assert aws.lent == 2


def test_one_that_was_refused_is_used_no_more() -> None:
    aws = Aws()
    login = aws.login
    first = login.token()
    assert login.renew()
    assert login.token() != first


@pytest.mark.parametrize(
    ("found", "error", "told"),
    [
        (refusal("ResourceNotFoundException", 404), ClusterAccessInvalid, "no EKS cluster of that name in eu-west-1"),
        (refusal("AccessDeniedException", 403), ClusterForbidden, "may not ask EKS"),
        (refusal("ThrottlingException"), ClusterThrottled, "busy"),
        ({"status": "CREATING"}, ClusterUnavailable, "not active"),
        ({"certificateAuthority": {"data": "%"}}, ClusterUnavailable, "authority"),
        ({"endpoint": None}, ClusterAccessInvalid, "https"),
    ],
    ids=["no such cluster", "not allowed", "throttled", "creating", "no authority", "no endpoint"],
)
def test_a_cluster_that_can_t_be_found_is_told_as_what_it_is(found: Any, error: type[ByoaError], told: str) -> None:
    with pytest.raises(error, match=told) as raised:
        Aws(found).login.access()
    assert "canary" not in str(raised.value.as_dict())


def test_without_a_login_to_aws_that_is_what_is_told() -> None:
    def nobody() -> Keys:
        raise NoCredentialsError

    with pytest.raises(PlatformForbidden, match="no AWS credentials"):
        Aws(lend=nobody).login.access()


@dataclass
class Sts:
    """A role that lets in who tells one of ``known``."""

    known: set[str]
    asked: list[dict[str, Any]] = field(default_factory=list)

    def assume_role(self, **asked: Any) -> Any:
        self.asked.append(asked)
        if asked["ExternalId"] not in self.known:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "AssumeRole")
        return {"Credentials": {"AccessKeyId": "A", "SecretAccessKey": "S", "SessionToken": "T"}}


def lent(sts: Any, careful: set[tuple[str, str]] | None = None) -> LentRole:
    policy = session_policy("shop", "eu-west-1", ROLE)
    return LentRole(Roles(sts, "dpl1", "strangers", policy, set() if careful is None else careful), ROLE, "ours")


def test_a_role_is_assumed_with_our_external_id_for_a_quarter_of_an_hour_and_to_find_the_cluster_alone() -> None:
    sts, careful = Sts({"ours"}), set[tuple[str, str]]()
    assert lent(sts, careful).keys() == Keys("A", "S", "T")
    lent(sts, careful).keys()
    assert [each["ExternalId"] for each in sts.asked] == ["strangers", "ours", "ours"]
    asked = sts.asked[-1]
    assert (asked["RoleArn"], asked["RoleSessionName"], asked["DurationSeconds"]) == (ROLE, "dpl1", 900)
    assert '"arn:aws:eks:eu-west-1:222222222222:cluster/shop"' in asked["Policy"]
    assert "eks:DescribeCluster" in asked["Policy"]


def test_which_of_the_two_is_wrong_with_a_role_is_told() -> None:
    with pytest.raises(ClusterForbidden, match="doesn't let the platform in"):
        lent(Sts(set())).keys()
    with pytest.raises(ClusterForbidden, match="looks at no ExternalId"):
        lent(Sts({"ours", "strangers"})).keys()
