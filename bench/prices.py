"""What a mirrored artifact costs: measured use times list prices. Pure.

The prices are AWS's list prices for us-east-1 in USD, without any free tier, as its pricing pages give them
(aws.amazon.com/lambda/pricing, …/step-functions/pricing, …/dynamodb/pricing/on-demand, …/eventbridge/pricing,
…/s3/pricing, …/cloudwatch/pricing, …/api-gateway/pricing). What is paid by the month whatever is built (alarms, keys,
storage) is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

LIST_PRICES: Final = {
    "lambda_gb_second": 0.0000166667,
    "lambda_request": 0.20 / 1e6,
    "state_transition": 0.025 / 1e3,
    "dynamodb_write_unit": 0.625 / 1e6,
    "dynamodb_read_unit": 0.125 / 1e6,
    "eventbridge_event": 1.00 / 1e6,
    "s3_put": 0.005 / 1e3,
    "s3_get": 0.0004 / 1e3,
    "log_gb": 0.50,
    "http_api_request": 1.00 / 1e6,
}

_TRANSACTIONAL: Final = 2
_READS: Final = frozenset({"GetItem", "Query", "BatchGetItem"})
_S3_PUTS: Final = frozenset(
    {"PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "CopyObject", "ListObjects"}
    | {"ListObjectsV2"}
)
_S3_GETS: Final = frozenset({"GetObject", "HeadObject"})


@dataclass(frozen=True, slots=True)
class Use:
    """What a number of builds used. ``calls`` counts requests to AWS by service and operation (``s3:PutObject``)."""

    builds: int
    invocations: int
    gb_seconds: float
    transitions: int
    write_units: int
    log_bytes: int
    calls: dict[str, int]


def transaction_units(part: dict[str, Any], updated_kib: int) -> int:
    """Write units of one part of a transaction: two for each KiB of its item, read or written.

    ``updated_kib`` is the size of what is updated; a condition is checked on an item of less than 1 KiB.
    """
    if "Put" in part:
        return _TRANSACTIONAL * kibs_of(part["Put"]["Item"])
    return _TRANSACTIONAL * (updated_kib if "Update" in part else 1)


def kibs_of(item: dict[str, Any]) -> int:
    """What an item counts as, in whole KiB: its names and values (DynamoDB's "item sizes", numbers as text)."""
    return -(-sum(len(name.encode()) + _size_of(value) for name, value in item.items()) // 1024)


def _size_of(value: dict[str, Any]) -> int:
    (kind, content), *_ = value.items()
    if kind == "M":
        return 3 + sum(len(name.encode()) + 1 + _size_of(each) for name, each in content.items())
    if kind == "L":
        return 3 + sum(1 + _size_of(each) for each in content)
    return len(str(content).encode())


def quantities(use: Use) -> dict[str, float]:
    """What is paid for, for all builds, by the names of the price list."""

    def calls(service: str, operations: frozenset[str]) -> int:
        return sum(use.calls.get(f"{service}:{operation}", 0) for operation in operations)

    return {
        "lambda_gb_second": use.gb_seconds,
        "lambda_request": use.invocations,
        "state_transition": use.transitions,
        "dynamodb_write_unit": use.write_units,
        "dynamodb_read_unit": calls("dynamodb", _READS),
        "eventbridge_event": calls("events", frozenset({"PutEvents"})),
        "s3_put": calls("s3", _S3_PUTS),
        "s3_get": calls("s3", _S3_GETS),
        "log_gb": use.log_bytes / 1e9,
        "http_api_request": use.calls.get("execute-api:Invoke", 0),
    }


def cost_per_thousand(use: Use) -> dict[str, float]:
    """USD for 1,000 builds, by the names of the price list."""
    return {name: amount * LIST_PRICES[name] * 1000 / use.builds for name, amount in quantities(use).items()}
