"""The emulator's IAM, where roles are enforced: variables, tags of resources, and what a request names."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import boto3
import botocore.exceptions
import pytest

from tests.local.cloud import Cloud, emulated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.emulator

ACCOUNT = "000000000000"
MINE, OTHERS = "org_mine00000000", "org_others000000"
TAG = "${aws:PrincipalTag/org_id}"
TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/items"
KEYS = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": f"ORG#{TAG}"}, "Null": {"dynamodb:LeadingKeys": "false"}}


class Roles:
    """A cloud with roles enforced, and sessions of roles that tests make up."""

    def __init__(self, cloud: Cloud, keep: contextlib.ExitStack) -> None:
        self.cloud = cloud
        self._keep = keep
        self._made = 0

    def role(self, *statements: dict[str, Any], trust: dict[str, Any] | None = None) -> str:
        self._made += 1
        name = f"role-{self._made}"
        trusted = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": trust or {},
        }
        iam = self.cloud.client("iam")
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trusted))
        allowed = [{"Effect": "Allow"} | each for each in statements]
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=_document(*allowed))
        return str(made["Role"]["Arn"])

    def assume(self, arn: str, *tags: tuple[str, str], **more: Any) -> Callable[[str], Any]:
        """Makes clients of a session with these tags."""
        given = [{"Key": key, "Value": value} for key, value in tags]
        answer = self.cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="session", Tags=given, **more)
        keys = answer["Credentials"]
        session: Any = boto3.session.Session(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name="us-east-1"
        )
        url = f"http://127.0.0.1:{self.cloud.port}"
        return lambda service: self._keep.enter_context(contextlib.closing(session.client(service, endpoint_url=url)))

    def mine(self, *statements: dict[str, Any]) -> Callable[[str], Any]:
        return self.assume(self.role(*statements), ("org_id", MINE))


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Roles]:
    with emulated(tmp_path_factory.mktemp("iam"), enforce_iam=True) as cloud, contextlib.ExitStack() as keep:
        cloud.client("dynamodb").create_table(
            TableName="items",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "kind")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "kinds",
                    "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        yield Roles(cloud, keep)


def denied() -> Any:
    return pytest.raises(botocore.exceptions.ClientError, match="AccessDenied")


def item(organisation: str, **more: str) -> dict[str, Any]:
    return {name: {"S": value} for name, value in {"pk": f"ORG#{organisation}", "sk": "a", **more}.items()}


def test_a_resource_with_the_session_s_tag_in_it_is_that_organisation_s(roles: Roles) -> None:
    s3 = roles.cloud.client("s3")
    s3.create_bucket(Bucket="bucket")
    mine = roles.mine({"Action": ["s3:PutObject", "s3:GetObject"], "Resource": f"arn:aws:s3:::bucket/{TAG}/*"})("s3")
    mine.put_object(Bucket="bucket", Key=f"{MINE}/x", Body=b"x")
    for key in (f"{OTHERS}/x", f"{MINE}x/x", "x"):
        with denied():
            mine.put_object(Bucket="bucket", Key=key, Body=b"x")


def test_a_variable_without_a_value_matches_nothing_not_even_in_a_refusal(roles: Roles) -> None:
    """IAM has it so: a Deny that leans on an unresolved variable denies nothing."""
    every = {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::unset/*"}
    unset = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::unset/${aws:PrincipalTag/none}*"}
    roles.cloud.client("s3").create_bucket(Bucket="unset")
    roles.mine(every, unset)("s3").put_object(Bucket="unset", Key="x", Body=b"x")
    with denied():
        roles.mine({**every, "Resource": "arn:aws:s3:::unset/${aws:PrincipalTag/none}*"})("s3").put_object(
            Bucket="unset", Key="x", Body=b"x"
        )


@pytest.mark.parametrize("value", ["org_*", "org_a?c", "org_$x"])
def test_characters_that_stand_for_others_can_be_named(roles: Roles, value: str) -> None:
    trust = {
        "StringLike": {"aws:RequestTag/org_id": "org_*"},
        "StringNotLike": {"aws:RequestTag/org_id": ["*${*}*", "*${?}*", "*${$}*"]},
    }
    role = roles.role({"Action": "s3:GetObject", "Resource": "*"}, trust=trust)
    roles.assume(role, ("org_id", MINE))
    with denied():
        roles.assume(role, ("org_id", value))


@pytest.mark.parametrize("key", ["secretsmanager:ResourceTag/org_id", "aws:ResourceTag/org_id"])
def test_a_secret_is_told_by_its_tag(roles: Roles, key: str) -> None:
    owner = roles.cloud.client("secretsmanager")
    name = key.replace(":", "-")
    for suffix, tags in (("mine", {"org_id": MINE}), ("others", {"org_id": OTHERS}), ("untagged", {})):
        given = [{"Key": each, "Value": value} for each, value in tags.items()]
        owner.create_secret(Name=f"{name}/{suffix}", SecretString="x", Tags=given)
    mine = roles.mine(
        {"Action": "secretsmanager:GetSecretValue", "Resource": "*", "Condition": {"StringEquals": {key: TAG}}}
    )("secretsmanager")
    assert mine.get_secret_value(SecretId=f"{name}/mine")["SecretString"] == "x"
    for suffix in ("others", "untagged"):
        with denied():
            mine.get_secret_value(SecretId=f"{name}/{suffix}")


@pytest.mark.parametrize("key", ["ecr:ResourceTag/org_id", "aws:ResourceTag/org_id"])
def test_a_repository_is_told_by_its_tag(roles: Roles, key: str) -> None:
    owner, name = roles.cloud.client("ecr"), key.partition(":")[0]
    for suffix, value in (("mine", MINE), ("others", OTHERS)):
        owner.create_repository(repositoryName=f"{name}/{suffix}", tags=[{"Key": "org_id", "Value": value}])
    mine = roles.mine({"Action": "ecr:ListImages", "Resource": "*", "Condition": {"StringEquals": {key: TAG}}})("ecr")
    mine.list_images(repositoryName=f"{name}/mine")
    with denied():
        mine.list_images(repositoryName=f"{name}/others")


def test_keys_of_the_table_are_told_in_every_form_of_request(roles: Roles) -> None:
    actions = ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem")
    allowed = {"Action": [f"dynamodb:{each}" for each in actions], "Resource": TABLE, "Condition": KEYS}
    table = roles.mine(allowed)("dynamodb")

    def query(organisation: str, **more: Any) -> Any:
        condition = {"KeyConditionExpression": "#k = :v", "ExpressionAttributeNames": {"#k": "pk"}}
        return table.query(
            TableName="items", ExpressionAttributeValues={":v": {"S": f"ORG#{organisation}"}}, **{**condition, **more}
        )

    requests: list[Callable[[str], Any]] = [
        lambda whose: table.put_item(TableName="items", Item=item(whose)),
        lambda whose: table.get_item(TableName="items", Key=item(whose)),
        lambda whose: table.update_item(TableName="items", Key=item(whose), UpdateExpression="REMOVE x"),
        query,
        lambda whose: table.batch_get_item(RequestItems={"items": {"Keys": [item(MINE), item(whose, sk="b")]}}),
        lambda whose: table.batch_write_item(RequestItems={"items": [{"PutRequest": {"Item": item(whose)}}]}),
        lambda whose: table.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "items", "Item": item(MINE)}},
                {"Delete": {"TableName": "items", "Key": item(whose, sk="b")}},
            ]
        ),
        lambda whose: table.delete_item(TableName="items", Key=item(whose)),
    ]
    for request in requests:
        request(MINE)
        with denied():
            request(OTHERS)
    with denied():
        table.scan(TableName="items")


def test_an_index_has_leading_keys_of_its_own(roles: Roles) -> None:
    condition = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "build"}, "Null": KEYS["Null"]}
    table = roles.mine({"Action": "dynamodb:Query", "Resource": f"{TABLE}/index/kinds", "Condition": condition})
    asked = {"TableName": "items", "IndexName": "kinds", "KeyConditionExpression": "kind = :k"}
    table("dynamodb").query(**asked, ExpressionAttributeValues={":k": {"S": "build"}})
    with denied():
        table("dynamodb").query(**asked, ExpressionAttributeValues={":k": {"S": "other"}})


def test_a_write_names_its_attributes(roles: Roles) -> None:
    condition = {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "sk", "status", "history"]},
        "Null": {"dynamodb:Attributes": "false"},
    }
    table = roles.mine({"Action": "dynamodb:UpdateItem", "Resource": TABLE, "Condition": condition})("dynamodb")

    def update(expression: str, condition: str = "attribute_not_exists(history)") -> None:
        table.update_item(
            TableName="items",
            Key=item(MINE, sk=expression),
            UpdateExpression=expression,
            ConditionExpression=condition,
            ExpressionAttributeNames={"#status": "status"} if "#" in expression else {},
            ExpressionAttributeValues={":v": {"S": "v"}},
        )

    update("SET #status = :v")
    for refused in ("SET entity = :v", "SET #status = :v, entity = :v"):
        with denied():
            update(refused)
    with denied():
        update("SET #status = :v", "attribute_not_exists(entity)")


def test_an_encryption_context_is_part_of_a_request(roles: Roles) -> None:
    key = roles.cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    mine = roles.mine(
        {"Action": "kms:Encrypt", "Resource": key, "Condition": {"StringEquals": {"kms:EncryptionContext:org": TAG}}}
    )("kms")
    mine.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"org": MINE})
    for context in ({"org": OTHERS}, {}):
        with denied():
            mine.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)


def test_who_assumes_a_role_is_held_to_an_external_id(roles: Roles) -> None:
    target = roles.role({"Action": "s3:GetObject", "Resource": "*"})
    condition = {"StringEquals": {"sts:ExternalId": "ours"}}
    mine = roles.mine({"Action": "sts:AssumeRole", "Resource": target, "Condition": condition})("sts")
    mine.assume_role(RoleArn=target, RoleSessionName="session", ExternalId="ours")
    for more in ({"ExternalId": "theirs"}, {}):
        with denied():
            mine.assume_role(RoleArn=target, RoleSessionName="session", **more)


def test_events_have_sources(roles: Roles) -> None:
    roles.cloud.client("events").create_event_bus(Name="ours")
    condition = {"ForAllValues:StringEquals": {"events:source": "io.byoa"}, "Null": {"events:source": "false"}}
    bus = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/ours"
    mine = roles.mine({"Action": "events:PutEvents", "Resource": bus, "Condition": condition})("events")

    def put(*sources: str) -> None:
        entry = {"EventBusName": "ours", "DetailType": "t", "Detail": "{}"}
        mine.put_events(Entries=[{**entry, "Source": source} for source in sources])

    put("io.byoa", "io.byoa")
    with denied():
        put("io.byoa", "io.other")
