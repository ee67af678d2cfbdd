"""Clients of AWS's services, by boto3. Each is made when it is first asked for, and once."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import Literal

    from botocore.config import Config
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_ecr import ECRClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_kms import KMSClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sts import STSClient
    from types_boto3_sts.type_defs import CredentialsTypeDef

_LONGEST_FUNCTION: Final = 120
"""Seconds that a function which somebody at a terminal waits for may run, and a little."""


@cache
def dynamodb() -> DynamoDBClient:
    """The table's service."""
    import boto3

    return boto3.client("dynamodb", config=_config())


@cache
def ecr() -> ECRClient:
    """The control plane of our own registry."""
    import boto3

    return boto3.client("ecr", config=_config())


@cache
def events() -> EventBridgeClient:
    """The bus's service."""
    import boto3

    return boto3.client("events", config=_config())


@cache
def kms() -> KMSClient:
    """Where the receipts' key is."""
    import boto3

    return boto3.client("kms", config=_config())


@cache
def s3() -> S3Client:
    """The quarantine's service."""
    import boto3

    return boto3.client("s3", config=_config())


@cache
def secretsmanager() -> SecretsManagerClient:
    """Where organisations' credentials are."""
    import boto3

    return boto3.client("secretsmanager", config=_config())


@cache
def sts() -> STSClient:
    """What opens sessions of roles that others lend."""
    import boto3

    return boto3.client("sts", config=_config())


def lent_ecr(region: str, found: CredentialsTypeDef) -> ECRClient:
    """ECR in any region, in a session that a vendor's role opened: not kept, the next one is another's."""
    import boto3

    return boto3.client(
        "ecr",
        region,
        aws_access_key_id=found["AccessKeyId"],
        aws_secret_access_key=found["SecretAccessKey"],
        aws_session_token=found["SessionToken"],
        config=_config(region),
    )


@cache
def functions() -> LambdaClient:
    """What runs functions, for the terminal: it waits as long as one may run, and asks once."""
    import boto3
    from botocore.config import Config

    patient = Config(read_timeout=_LONGEST_FUNCTION, retries={"mode": "standard", "total_max_attempts": 1})
    service: Literal["lambda"] = "lambda"
    return boto3.client(service, config=_config().merge(patient))


def _config(region: str | None = None) -> Config:
    """A name of ours in AWS's logs: botocore's has fifteen parts and is built twice a call, an eighth of its time.

    Retries are those of all of AWS's newer SDKs, and so is the variable of the region, which botocore doesn't read.
    """
    from botocore.config import Config

    return Config(
        user_agent="byoa",
        region_name=region or os.environ.get("AWS_REGION"),
        retries={"mode": "standard"},
        connect_timeout=5,
    )
