"""Clients of AWS's services, by boto3. Each is made when it is first asked for, and once."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.config import Config
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_ecr import ECRClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_kms import KMSClient
    from types_boto3_s3 import S3Client


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


def _config() -> Config:
    """A name of ours in AWS's logs: botocore's has fifteen parts and is built twice a call, an eighth of its time.

    Retries are those of all of AWS's newer SDKs, and so is the variable of the region, which botocore doesn't read.
    """
    from botocore.config import Config

    return Config(
        user_agent="byoa",
        region_name=os.environ.get("AWS_REGION"),
        retries={"mode": "standard"},
        connect_timeout=5,
    )
