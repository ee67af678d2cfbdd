"""What can be asked of AWS about an organisation's things, each verb with a client and whose they are."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tenancy.roles import Make, Stack

type Verb = Callable[[Make, Stack, str], Any]
type Across = Callable[[Make, Stack, str, str], Any]

DENIED = {"AccessDenied", "AccessDeniedException", "403"}


def reaches(verb: Verb, make: Make, stack: Stack, organisation: str) -> bool:
    """Whether IAM lets a verb through; that nothing was there to be found is through as well."""
    try:
        verb(make, stack, organisation)
    except ClientError as error:
        return error.response["Error"]["Code"] not in DENIED
    return True


def _key(whose: str, prefix: str = "ORG#") -> dict[str, Any]:
    return {"pk": {"S": f"{prefix}{whose}"}, "sk": {"S": "x"}}


def _update(make: Make, stack: Stack, whose: str, prefix: str = "ORG#", attribute: str = "history") -> Any:
    return make("dynamodb").update_item(
        TableName=stack.table,
        Key=_key(whose, prefix),
        UpdateExpression=f"SET {attribute} = :v",
        ExpressionAttributeValues={":v": {"S": "v"}},
    )


def _query(make: Make, stack: Stack, whose: str, prefix: str = "ORG#") -> Any:
    return make("dynamodb").query(
        TableName=stack.table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"{prefix}{whose}"}},
    )


def _batch_get(make: Make, stack: Stack, whose: str) -> Any:
    return make("dynamodb").batch_get_item(RequestItems={stack.table: {"Keys": [_key(whose)]}})


def _batch_put(make: Make, stack: Stack, whose: str) -> Any:
    put = {"PutRequest": {"Item": _key(whose)}}
    return make("dynamodb").batch_write_item(RequestItems={stack.table: [put]})


def _transact_put(make: Make, stack: Stack, whose: str) -> Any:
    put = {"Put": {"TableName": stack.table, "Item": _key(whose)}}
    return make("dynamodb").transact_write_items(TransactItems=[put])


def _transact_get(make: Make, stack: Stack, whose: str) -> Any:
    get = {"Get": {"TableName": stack.table, "Key": _key(whose)}}
    return make("dynamodb").transact_get_items(TransactItems=[get])


def _object(action: str, kind: str) -> Verb:
    def verb(make: Make, stack: Stack, whose: str) -> Any:
        body = {"Body": b"x"} if action == "put_object" else {}
        return getattr(make("s3"), action)(Bucket=stack.bucket, Key=f"{whose}/{kind}/x", **body)

    return verb


def _list(prefix: Callable[[str], str]) -> Verb:
    return lambda make, stack, whose: make("s3").list_objects_v2(Bucket=stack.bucket, Prefix=prefix(whose))


def _repository(action: str, **more: Any) -> Verb:
    def verb(make: Make, _stack: Stack, whose: str) -> Any:
        return getattr(make("ecr"), action)(repositoryName=f"byoa/{whose}/shop/web", **more)

    return verb


def _describe(make: Make, _stack: Stack, whose: str) -> Any:
    return make("ecr").describe_repositories(repositoryNames=[f"byoa/{whose}/shop/web"])


def _secret(action: str, **more: Any) -> Verb:
    return lambda make, _stack, whose: getattr(make("secretsmanager"), action)(SecretId=f"byoa/{whose}/x", **more)


def _token(action: str, **more: Any) -> Verb:
    name = f"{{}}/inl{'a' * 23}"
    return lambda make, _stack, whose: getattr(make("secretsmanager"), action)(
        SecretId=f"byoa-clusters/{name.format(whose)}", **more
    )


def _of_client(action: str, **more: Any) -> Verb:
    name = f"{{}}/iss{'a' * 23}"
    return lambda make, _stack, whose: getattr(make("secretsmanager"), action)(
        SecretId=f"byoa-issuers/{name.format(whose)}", **more
    )


IMAGE = [{"imageTag": "x"}]
DIGEST = "sha256:" + "0" * 64

VERBS: dict[str, Verb] = {
    "table get": lambda make, stack, whose: make("dynamodb").get_item(TableName=stack.table, Key=_key(whose)),
    "table put": lambda make, stack, whose: make("dynamodb").put_item(TableName=stack.table, Item=_key(whose)),
    "table delete": lambda make, stack, whose: make("dynamodb").delete_item(TableName=stack.table, Key=_key(whose)),
    "table update": _update,
    "table update entity": partial(_update, attribute="entity"),
    "table update envelope": partial(_update, attribute="envelope"),
    "table update outcome": partial(_update, attribute="outcome"),
    "table update packed": partial(_update, attribute="packed"),
    "table update plan": partial(_update, attribute="plan"),
    "table update told again": partial(_update, attribute="told_again_ts"),
    "table query": _query,
    "table batch get": _batch_get,
    "table batch put": _batch_put,
    "table transact put": _transact_put,
    "table transact get": _transact_get,
    "quota get": lambda make, stack, whose: make("dynamodb").get_item(TableName=stack.table, Key=_key(whose, "QUOTA#")),
    "quota update": partial(_update, prefix="QUOTA#", attribute="counted"),
    "quota query": partial(_query, prefix="QUOTA#"),
    "table update moved": partial(_update, attribute="moved"),
    "table update version": partial(_update, attribute="version"),
    "hook get": lambda make, stack, whose: make("dynamodb").get_item(TableName=stack.table, Key=_key(whose, "HOOK#")),
    "hook put": lambda make, stack, whose: make("dynamodb").put_item(TableName=stack.table, Item=_key(whose, "HOOK#")),
    "hook query": partial(_query, prefix="HOOK#"),
    "delivery claim": partial(_update, prefix="DELIVERY#", attribute="told_by"),
    "lookup get": lambda make, stack, whose: make("dynamodb").get_item(
        TableName=stack.table, Key=_key(whose, "LOOKUP#")
    ),
    "lookup put": lambda make, stack, whose: make("dynamodb").put_item(
        TableName=stack.table, Item=_key(whose, "LOOKUP#")
    ),
    "lookup update": partial(_update, prefix="LOOKUP#"),
    "lookup end": partial(_update, prefix="LOOKUP#", attribute="ended"),
    "lookup query": partial(_query, prefix="LOOKUP#"),
    **{
        f"{action.partition('_')[0]} of {kind}": _object(action, kind)
        for action in ("get_object", "put_object", "delete_object")
        for kind in ("blobs", "manifests", "lists", "parts", "values", "objects", "plans", "contents")
    },
    "list below": _list(lambda whose: f"{whose}/"),
    "list blobs below": _list(lambda whose: f"{whose}/blobs/"),
    "repository describe": _describe,
    "repository create": _repository("create_repository"),
    "repository delete": _repository("delete_repository"),
    "repository policy": _repository("set_repository_policy", policyText="{}"),
    "repository lifecycle": _repository("put_lifecycle_policy", lifecyclePolicyText='{"rules": []}'.ljust(100)),
    "images list": _repository("list_images"),
    "images describe": _repository("describe_images", imageIds=IMAGE),
    "images get": _repository("batch_get_image", imageIds=IMAGE),
    "images put": _repository("put_image", imageManifest="{}", imageTag="x"),
    "images delete": _repository("batch_delete_image", imageIds=IMAGE),
    "layers get": _repository("get_download_url_for_layer", layerDigest=DIGEST),
    "layers check": _repository("batch_check_layer_availability", layerDigests=[DIGEST]),
    "layers put": _repository("initiate_layer_upload"),
    "secret get": _secret("get_secret_value"),
    "secret put": _secret("put_secret_value", SecretString="y"),
    "secret describe": _secret("describe_secret"),
    "secret delete": _secret("delete_secret"),
    "cluster token get": _token("get_secret_value"),
    "cluster token put": _token("put_secret_value", SecretString="y"),
    "cluster token describe": _token("describe_secret"),
    "cluster token delete": _token("delete_secret"),
    "client secret get": _of_client("get_secret_value"),
    "client secret put": _of_client("put_secret_value", SecretString="y"),
    "client secret describe": _of_client("describe_secret"),
    "client secret delete": _of_client("delete_secret"),
}
"""Each about one organisation's things."""


def _batch_get_of_both(make: Make, stack: Stack, mine: str, others: str) -> Any:
    keys = [_key(mine), _key(others)]
    return make("dynamodb").batch_get_item(RequestItems={stack.table: {"Keys": keys}})


def _batch_put_of_both(make: Make, stack: Stack, mine: str, others: str) -> Any:
    puts = [{"PutRequest": {"Item": _key(each)}} for each in (mine, others)]
    return make("dynamodb").batch_write_item(RequestItems={stack.table: puts})


def _transact_put_of_both(make: Make, stack: Stack, mine: str, others: str) -> Any:
    items = [{"Put": {"TableName": stack.table, "Item": _key(each)}} for each in (mine, others)]
    return make("dynamodb").transact_write_items(TransactItems=items)


def _condition_on_the_other_s(make: Make, stack: Stack, mine: str, others: str) -> Any:
    check = {"TableName": stack.table, "Key": _key(others), "ConditionExpression": "attribute_exists(pk)"}
    put = {"Put": {"TableName": stack.table, "Item": _key(mine)}}
    return make("dynamodb").transact_write_items(TransactItems=[{"ConditionCheck": check}, put])


def _statement(make: Make, stack: Stack, _mine: str, others: str) -> Any:
    return make("dynamodb").execute_statement(Statement=f"SELECT * FROM \"{stack.table}\" WHERE pk = 'ORG#{others}'")


def _copy(make: Make, stack: Stack, source: str, target: str) -> Any:
    there = {"Bucket": stack.bucket, "Key": f"{source}/blobs/x"}
    return make("s3").copy_object(Bucket=stack.bucket, Key=f"{target}/blobs/y", CopySource=there)


def _list_all(prefix: Callable[[str], dict[str, str]]) -> Across:
    return lambda make, stack, mine, _: make("s3").list_objects_v2(Bucket=stack.bucket, **prefix(mine))


ACROSS: dict[str, Across] = {
    "table batch get of both": _batch_get_of_both,
    "table batch put of both": _batch_put_of_both,
    "table transact put of both": _transact_put_of_both,
    "table condition on the other's": _condition_on_the_other_s,
    "table scan": lambda make, stack, *_: make("dynamodb").scan(TableName=stack.table),
    "table statement": _statement,
    "copy from the other's": lambda make, stack, mine, others: _copy(make, stack, others, mine),
    "copy to the other's": _copy,
    "list all": _list_all(lambda _: {}),
    "list organisations": _list_all(lambda _: {"Delimiter": "/"}),
    "list without a slash": _list_all(lambda mine: {"Prefix": mine}),
    "list versions": lambda make, stack, _, others: make("s3").list_object_versions(
        Bucket=stack.bucket, Prefix=f"{others}/"
    ),
    "repositories describe": lambda make, *_: make("ecr").describe_repositories(),
    "secrets list": lambda make, *_: make("secretsmanager").list_secrets(),
    "secrets batch get": lambda make, _stack, _mine, others: make("secretsmanager").batch_get_secret_value(
        SecretIdList=[f"byoa/{others}/x"]
    ),
}
"""What names both, or everybody's: no session may."""


def crosses(verb: Across, make: Make, stack: Stack, mine: str, others: str) -> bool:
    """Whether IAM lets through what reaches over to the other's things."""
    return reaches(lambda make, stack, others: verb(make, stack, mine, others), make, stack, others)
