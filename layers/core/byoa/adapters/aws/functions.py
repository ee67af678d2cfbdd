"""Functions of the stack, asked by their names; what they raise is raised here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from byoa.adapters.aws.refusals import translated
from byoa.errors import ByoaError, InternalFault, PlatformMissing, leaves

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_lambda import LambdaClient
    from types_boto3_lambda.type_defs import InvocationResponseTypeDef


def invoke(client: LambdaClient, name: str, message: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a function's JSON
    """The answer of the function ``name`` to a message.

    Raises the error that the function ended with, ``StoreThrottled`` where Lambda is busy, ``PlatformForbidden`` for a
    caller who may not, ``PlatformMissing`` where there is no such function, and ``InternalFault`` for what it answers
    otherwise.
    """
    answer = _invoked(client, name, message, "RequestResponse")
    with translated("Lambda"):
        text = answer["Payload"].read()
    try:
        document = json.loads(text)
    except ValueError:
        raise InternalFault("The function's answer can't be read.") from None
    if "FunctionError" in answer:
        raise _error(document)
    return document


def start(client: LambdaClient, name: str, message: Mapping[str, Any]) -> None:
    """Have a function run that nobody waits for. Raises what ``invoke`` raises of Lambda itself."""
    _invoked(client, name, message, "Event")


def _invoked(
    client: LambdaClient, name: str, message: Mapping[str, Any], kind: Literal["Event", "RequestResponse"]
) -> InvocationResponseTypeDef:
    with translated("Lambda"):
        try:
            return client.invoke(FunctionName=name, InvocationType=kind, Payload=json.dumps(message).encode())
        except client.exceptions.ResourceNotFoundException as error:
            raise PlatformMissing(
                "Lambda has no function of that name.",
                remedy="Name it with --function or BYOA_TRY_CREDENTIALS; the stack's outputs have it.",
            ) from error


def _error(document: object) -> ByoaError:
    """The error of ours that a function ended with (``byoa.step``), or that it ended with none of ours."""
    known = {leaf.__name__: leaf for leaf in leaves()}
    try:
        told = json.loads(document["errorMessage"])  # type: ignore[index]
        return known[told["code"]](str(told["cause"]), remedy=str(told["remedy"]), where=told["where"])
    except (KeyError, TypeError, ValueError):
        return InternalFault("The function ended in a way it doesn't tell.", remedy="Look into its log.")
