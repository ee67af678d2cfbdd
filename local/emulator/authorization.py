"""ECR: passwords that tell who asked for them, and what their data plane may let that one do.

MiniStack gives everybody the same password. On AWS it carries its caller's rights: the data plane asks IAM on each
request. So does the desk's (``local/registry/control.py``), by an operation that ECR's API doesn't have; the key that
passwords are signed with never leaves this process.
"""
# ruff: noqa: SLF001, ANN401 - a correction reaches inside, and JSON is what it is

import base64
import functools
import hmac
import json
import os
import secrets
import time
from typing import Any

import ministack.services.ecr as registry
from ministack.core import iam_evaluator as evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id

from local.emulator.anchors import anchored
from local.emulator.roles import ENFORCED, caller_of

ADMIT = "AdmitOnDesk"
LIFE_SECONDS = 12 * 60 * 60
STALE = "Your authorization token has expired. Reauthenticate and try again."
_HOME = os.environ.get("MINISTACK_ACCOUNT_ID", "000000000000")
_KEY = secrets.token_bytes(32)


def correct() -> None:
    """Make the correction. Raises MiniStackChanged."""
    give = anchored(registry, "_get_authorization_token", 'b"AWS:ministack-auth-token"')
    handle = anchored(registry, "handle_request", '"GetAuthorizationToken": _get_authorization_token')

    @functools.wraps(handle)
    async def handle_by_caller(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action == "GetAuthorizationToken":
            return _signed(give({}), extract_access_key_id(headers, query))
        if action == ADMIT:
            asked = json.loads(body)
            refusal = _refusal(asked["password"], asked.get("action"), asked.get("repositoryName", ""))
            return registry.json_response({"refusal": refusal})
        return await handle(method, path, headers, body, query)

    registry.handle_request = handle_by_caller


def _signed(answer: tuple[int, Any, bytes], access_key: str) -> Any:
    """MiniStack's ``answer``, with its endpoint and its end, and a password of the caller's own."""
    told = json.loads(answer[2])
    caller = caller_of(access_key)
    claims = {
        "account": caller.account_id,
        "key": caller.access_key_id,
        "principal": caller.principal_arn,
        "region": get_region(),
        "expires": int(time.time()) + LIFE_SECONDS,
    }
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()
    password = f"{payload}.{_signature(payload)}"
    told["authorizationData"][0]["authorizationToken"] = base64.b64encode(f"AWS:{password}".encode()).decode()
    return registry.json_response(told)


def _signature(payload: str) -> str:
    return hmac.new(_KEY, payload.encode(), "sha256").hexdigest()


def _claims(password: str) -> dict[str, Any] | None:
    payload, _, signature = password.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(payload).encode()):
        return None
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload))
    return claims if claims["expires"] > time.time() else None


def _refusal(password: str, action: str | None, repository: str) -> str | None:
    """Why the holder of ``password`` may not do ``action`` in this account's repository; ``None`` when it may.

    Without an action, whether the password is one. Between the desk's own account and itself nothing is asked without
    ``AUTH``, as elsewhere.
    """
    claims = _claims(password)
    holder = evaluator.resolve_principal(claims["key"], claims["account"]) if claims else None
    if holder is None or isinstance(holder, evaluator.AuthError):
        return STALE
    if action is None or (not ENFORCED and holder.account == get_account_id() == _HOME):
        return None
    if _is_allowed(holder, action, resource := registry._repo_arn(repository)):
        return None
    return f"User: {holder.arn} is not authorized to perform: {action} on resource: {resource}"


def _is_allowed(holder: evaluator.PrincipalInfo, action: str, resource: str) -> bool:
    """By the role's policies and its session's, and the repository's, which one of another account needs as well."""
    asked = evaluator.EvalContext(
        principal_arn=holder.arn,
        principal_type=holder.type,
        principal_account=holder.account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        principal_keys=holder.keys,
    )
    decision = evaluator.EvalResult("Allow", holder.arn)  # the root of an account
    if holder.policies is not None:
        decision = evaluator.evaluate(asked, holder.policies, *holder.limits)
    policy, owner = registry.repository_policy_for_arn(resource) or (None, get_account_id())
    decision = evaluator.combine_resource_policy(decision, asked, policy, owner, limits=tuple(holder.limits))
    return bool(decision.decision == "Allow")
