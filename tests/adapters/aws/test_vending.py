"""Sessions for organisations: who opens them, when, with what, and that none serves another organisation."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from botocore.session import Session

from byoa.adapters.aws.vending import AT_ONCE, SECONDS, Descriptions, Vending, beside
from byoa.bootstrap import clients
from byoa.errors import InternalFault, PlatformForbidden, StoreThrottled
from byoa.trust.tenancy import Places, session_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_sts import STSClient

MINE, OTHERS = "org_mine00000000", "org_others000000"
ROLE = "arn:aws:iam::123456789012:role/byoa-tenant"
PLACES = Places(bucket="arn:aws:s3:::quarantine")


class Desk:
    """STS as a vending asks it: sessions whose keys tell whose they are."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.refuses: str | None = None
        self.lasts = timedelta(seconds=SECONDS)

    def assume_role(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        if self.refuses:
            raise ClientError({"Error": {"Code": self.refuses, "Message": "no"}}, "AssumeRole")
        keys = {
            "AccessKeyId": f"{request['RoleSessionName']}-{len(self.asked)}",
            "SecretAccessKey": "secret",
            "SessionToken": "token",
            "Expiration": datetime.now(UTC) + self.lasts,
        }
        return {"Credentials": keys}


@pytest.fixture
def sts() -> Desk:
    return Desk()


@pytest.fixture
def vending(sts: Desk) -> Vending:
    asks: Callable[[], STSClient] = lambda: sts  # type: ignore[assignment,return-value]  # noqa: E731
    return Vending(
        ROLE, lambda whose: session_policy(whose, PLACES), asks, Session(), "us-east-1", Config(user_agent="byoa")
    )


def signer(client: Any) -> str:
    """The access key that the client signs a request with."""
    sent: list[str] = []

    def note(request: Any, **_: Any) -> Any:
        sent.append(str(request.headers["Authorization"]).partition("Credential=")[2].partition("/")[0])
        raise KeyboardInterrupt

    client.meta.events.register("before-send.s3.ListBuckets", note)
    with pytest.raises(KeyboardInterrupt):
        client.list_buckets()
    client.meta.events.unregister("before-send.s3.ListBuckets", note)
    return sent[0].removeprefix("b'")


def test_a_session_is_opened_when_it_is_first_used(vending: Vending, sts: Desk) -> None:
    client = vending.client("s3", MINE)
    assert sts.asked == []
    assert signer(client) == f"{MINE}-1"
    (asked,) = sts.asked
    assert asked == {
        "RoleArn": ROLE,
        "RoleSessionName": MINE,
        "DurationSeconds": 3600,
        "Policy": session_policy(MINE, PLACES),
        "Tags": [{"Key": "org_id", "Value": MINE}],
    }
    assert MINE in json.loads(asked["Policy"])["Statement"][0]["Resource"]


def test_one_session_serves_all_services_and_all_that_comes_after(vending: Vending, sts: Desk) -> None:
    client = vending.client("s3", MINE)
    assert vending.client("s3", MINE) is client
    assert vending.client("dynamodb", MINE) is not client
    assert signer(client) == signer(client) == f"{MINE}-1"
    assert len(sts.asked) == 1


def test_two_organisations_in_a_warm_process_each_have_their_own(vending: Vending, sts: Desk) -> None:
    mine, others = vending.client("s3", MINE), vending.client("s3", OTHERS)
    assert (signer(mine), signer(others), signer(mine)) == (f"{MINE}-1", f"{OTHERS}-2", f"{MINE}-1")
    assert {asked["Tags"][0]["Value"] for asked in sts.asked} == {MINE, OTHERS}
    assert all(OTHERS not in asked["Policy"] for asked in sts.asked if asked["RoleSessionName"] == MINE)


def test_sessions_beside_one_another_are_boto3_s_and_read_descriptions_from_where_they_were() -> None:
    parent = Session()
    parent.register_component("data_loader", Descriptions())
    before = parent.get_component("data_loader").search_paths
    first, second = beside(parent), beside(parent)
    for session in (first, second):
        assert hasattr(session.client("s3", region_name="us-east-1"), "upload_file"), "what boto3 adds is there"
    assert parent.get_component("data_loader").search_paths == before


class Sent(Exception):
    """A request that would have left."""


def test_dynamodb_alone_is_asked_without_a_look_at_the_request_first(
    vending: Vending, monkeypatch: pytest.MonkeyPatch
) -> None:
    def note(**_: Any) -> None:
        raise Sent

    monkeypatch.setenv("AWS_REGION", "us-east-1")
    clients.own.cache_clear()
    for make in (lambda service: vending.client(service, MINE), clients.own):
        for service, ask, ends in (
            ("dynamodb", "get_item", Sent), ("secretsmanager", "get_secret_value", ParamValidationError),
        ):  # fmt: skip
            client = make(service)
            client.meta.events.register("before-call", note)
            with pytest.raises(ends):
                getattr(client, ask)()
    clients.own.cache_clear()


def test_a_session_that_is_about_to_end_is_opened_anew(vending: Vending, sts: Desk) -> None:
    sts.lasts = timedelta(seconds=30)
    client = vending.client("s3", MINE)
    assert signer(client) == f"{MINE}-1"
    sts.lasts = timedelta(seconds=SECONDS)
    assert signer(client) == f"{MINE}-2"
    assert signer(client) == f"{MINE}-2"


def test_a_process_keeps_the_sessions_of_those_it_worked_for_last(vending: Vending, sts: Desk) -> None:
    names = [f"org_{number:012}" for number in range(AT_ONCE)]
    kept = [vending.client("s3", name) for name in names]
    assert vending.client("s3", names[0]) is kept[0]
    vending.client("s3", MINE)
    assert vending.client("s3", names[0]) is kept[0]
    assert vending.client("s3", names[1]) is not kept[1]
    assert sts.asked == []


@pytest.mark.parametrize(
    ("code", "raised"),
    [("AccessDenied", PlatformForbidden), ("Throttling", StoreThrottled), ("PackedPolicyTooLarge", InternalFault)],
)
def test_a_session_that_is_refused_is_an_error_of_ours(
    code: str, raised: type[Exception], vending: Vending, sts: Desk
) -> None:
    sts.refuses = code
    with pytest.raises(raised, match="STS"):
        vending.client("s3", MINE).list_buckets()


def test_what_is_no_organisation_has_no_client(vending: Vending, sts: Desk) -> None:
    with pytest.raises(InternalFault, match="no organisation"):
        vending.client("s3", "org_*")
    assert sts.asked == []
