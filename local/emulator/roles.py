"""STS: who may assume which role, and for how long, also where IAM isn't enforced.

Without ``AUTH`` MiniStack lets everybody assume every role, also one that there isn't. An account's trust in another is
what private sources rest on, so a role of another account asks its trust policy here in any case. Roles of the
caller's own account do so with ``AUTH`` alone: without it every function is its account's root.
"""
# ruff: noqa: SLF001, ANN401 - a correction reaches inside, and JSON is what it is

import dataclasses
import functools
import json
import os
from typing import Any
from urllib.parse import parse_qs

import ministack.services.iam as identities
import ministack.services.sts as tokens
from ministack.core import iam_evaluator as evaluator
from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id

from local.emulator.anchors import anchored

type Params = dict[str, list[Any]]

ENFORCED = os.environ.get("AUTH", "").lower() == "true"  # as MiniStack reads it
CHAINED_SECONDS = 3600
_TARGET = "AWSSecurityTokenServiceV20110615."


def correct() -> None:
    """Make the correction. Raises MiniStackChanged."""
    handle = anchored(tokens, "handle_request", "When AUTH=true, validate role exists and trust policy permits")

    @functools.wraps(handle)
    async def handle_checked(method: str, path: str, headers: dict[str, str], body: bytes, query: Params) -> Any:
        params = _params(headers, body, query)
        if tokens._p(params, "Action") == "AssumeRole":
            refused = _refusal(params, caller_of(extract_access_key_id(headers, query)))
            if refused:
                return tokens._error(*refused, ns="sts")
        return await handle(method, path, headers, body, query)

    tokens.handle_request = handle_checked


def caller_of(access_key: str) -> evaluator.ResolvedCredential:
    """Whose key it is; without ``AUTH`` an unknown one is the account's root, as MiniStack has it."""
    found = evaluator.resolve_credential(access_key, get_account_id())
    if isinstance(found, evaluator.CredentialResolutionError):
        found = evaluator.resolve_credential("test", get_account_id())
    return found


def _params(headers: dict[str, str], body: bytes, query: Params) -> Params:
    target = headers.get("x-amz-target", "")
    if not target.startswith(_TARGET):
        return {**query, **parse_qs(body.decode(errors="replace"))}
    given = json.loads(body or b"{}")
    named = {key: value if isinstance(value, list) else [str(value)] for key, value in given.items()}
    return {**query, **named, "Action": [target.removeprefix(_TARGET)]}


def _refusal(params: Params, caller: evaluator.ResolvedCredential) -> tuple[int, str, str] | None:
    """Status, code and message, or ``None``: MiniStack goes on, and also says what is wrong with the request's form."""
    arn = tokens._p(params, "RoleArn")
    try:
        role_of = parse_arn(arn)
    except ArnParseError:
        return None
    chained = caller.principal_type == "AssumedRole"
    if chained and int(tokens._p(params, "DurationSeconds") or CHAINED_SECONDS) > CHAINED_SECONDS:
        message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        return 400, "ValidationError", message
    if ENFORCED:
        return None
    role = identities._roles.get_scoped(role_of.account_id, None, role_of.resource.rsplit("/", 1)[-1])
    denied = None if role else "sts:AssumeRole"
    if role and role_of.account_id != caller.account_id:
        denied = _denied(role["AssumeRolePolicyDocument"], arn, params, caller)
    message = f"User: {caller.principal_arn} is not authorized to perform: {denied} on resource: {arn}"
    return (403, "AccessDenied", message) if denied else None


def _denied(trust: Any, arn: str, params: Params, caller: evaluator.ResolvedCredential) -> str | None:
    """The action that the trust policy doesn't allow the caller: AssumeRole, or TagSession where tags are given."""
    tags, _ = tokens._session_tags(params, check=False)
    asked = evaluator.EvalContext(
        principal_arn=caller.principal_arn,
        principal_type=caller.principal_type,
        principal_account=caller.account_id,
        action="sts:AssumeRole",
        resource_arn=arn,
        region=get_region(),
        service_context={
            "sts:externalid": tokens._p(params, "ExternalId", None),
            "sts:rolesessionname": tokens._p(params, "RoleSessionName", None),
        },
        principal_keys=evaluator._principal_keys(caller),
        request_tags={tag["Key"]: tag["Value"] for tag in tags},
        tag_keys=[tag["Key"] for tag in tags],
    )
    for action in ("sts:AssumeRole", "sts:TagSession")[: 2 if tags else 1]:
        wanted = dataclasses.replace(asked, action=action)
        if not evaluator.evaluate_trust_policy(trust, caller.principal_arn, wanted):
            return action
    return None
