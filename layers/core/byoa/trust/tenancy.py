"""What a session may reach that works for one organisation: the second of two locks.

The first are the policies of the template's tenant roles, which hold every name to the session's tag ``org_id``. The
second is here: the same names written out, in the session's own policy. IAM allows what both allow, so that a mistake
in one of the two opens nothing.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

from byoa.errors import InternalFault

TAG: Final = "org_id"
"""The tag of sessions, and of secrets, that says whose they are."""

POLICY_LIMIT: Final = 2048
"""Characters of a session's own policy (STS API, AssumeRole)."""

WRITING: Final = (
    "CreateSecret", "DeleteSecret", "DescribeSecret", "PutSecretValue", "RestoreSecret", "TagResource",
)  # fmt: skip
"""What keeping a secret takes of Secrets Manager; reading its value is not among it."""

COMPARING: Final = "UpdateSecretVersionStage"
"""What it takes besides to replace a version that was seen, and no other."""

_ORGANISATION: Final = re.compile(r"org_[a-z0-9]{12,40}")
"""Nothing in it stands for something else in a policy: no ``*``, ``?`` or ``$``."""


class Places(NamedTuple):
    """Where a role's sessions may have something to do, each as an ARN; an empty one is no such place.

    ``repositories``, ``secrets`` and ``kept`` are what all organisations' ARNs begin with, up to the slash. ``key``
    encrypts repositories; ``clusters`` are secrets that let us into clusters, ``clients`` those of our clients at
    issuers. ``listing`` is an index of the table, for who also keeps tokens, ``deploys`` one for who doesn't. Secrets
    that are ``kept`` are written and not read, and so are those of both kinds beside them. ``account`` is ours: a
    session that borrows others' roles, with ``external_ids`` alone, borrows none of that.
    """

    table: str = ""
    listing: str = ""
    deploys: str = ""
    bucket: str = ""
    repositories: str = ""
    key: str = ""
    secrets: str = ""
    kept: str = ""
    clusters: str = ""
    clients: str = ""
    account: str = ""
    external_ids: tuple[str, ...] = ()


def session_policy(organisation: str, places: Places) -> str:
    """The policy of a session that works for ``organisation``, as JSON of at most 2,048 characters.

    It bounds what the session's role allows, and allows nothing by itself. Raises ``InternalFault`` for what is no
    organisation, and where the places' names are too long.
    """
    if _ORGANISATION.fullmatch(organisation) is None:
        raise InternalFault("A session was asked for what is no organisation.")
    statements = [
        *_data(organisation, places),
        *_repositories(organisation, places),
        *_credentials(organisation, places),
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
    if len(policy) > POLICY_LIMIT:
        raise InternalFault("The stack's names are too long for the policy of a session.")
    return policy


def _allow(action: str | list[str], resource: str | list[str], **condition: dict[str, Any]) -> dict[str, Any]:
    conditions = {"Condition": condition} if condition else {}
    return {"Effect": "Allow", "Action": action, "Resource": resource, **conditions}


def _data(organisation: str, places: Places) -> list[dict[str, Any]]:
    found = []
    if places.table:
        faces, steps = ("TOKEN",), ("QUOTA", "DELIVERY")
        kinds = ("ORG", "HOOK", "LOOKUP", *(faces if places.listing else steps))
        keys: dict[str, dict[str, Any]] = {
            "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [f"{kind}#{organisation}" for kind in kinds]},
            "Null": {"dynamodb:LeadingKeys": "false"},
        }
        lists = places.listing or places.deploys
        found.append(_allow("dynamodb:*", [places.table, lists] if lists else places.table, **keys))
    if places.bucket:
        found += [
            _allow("s3:*", f"{places.bucket}/{organisation}/*"),
            _allow("s3:ListBucket", places.bucket, StringLike={"s3:prefix": f"{organisation}/*"}),
        ]
    return found


def _repositories(organisation: str, places: Places) -> list[dict[str, Any]]:
    if not places.repositories:
        return []
    found = [
        _allow("ecr:*", f"{places.repositories}/{organisation}/*"),
        _allow("ecr:GetAuthorizationToken", "*"),  # what it lets in is bounded as the session is
    ]
    return [*found, _allow("kms:*", places.key)] if places.key else found


def _credentials(organisation: str, places: Places) -> list[dict[str, Any]]:
    found = []
    if places.secrets:
        tag = {"secretsmanager:ResourceTag/" + TAG: organisation}
        found.append(_allow("secretsmanager:GetSecretValue", f"{places.secrets}/{organisation}/*", StringEquals=tag))
    for read in (places.clusters, places.clients):
        if read:
            tag = {"secretsmanager:ResourceTag/" + TAG: organisation}
            found.append(_allow("secretsmanager:GetSecretValue", f"{read}/{organisation}/*", StringEquals=tag))
    if places.kept:
        writing = [f"secretsmanager:{action}" for action in (*WRITING, COMPARING)]
        found += [
            _allow(writing, [f"{places.kept}{kind}/{organisation}/*" for kind in ("", "-clusters", "-issuers")]),
            _allow("secretsmanager:ListSecrets", "*"),  # IAM knows no resource for it; it tells names and tags
        ]
    if places.external_ids:
        ours = {"StringNotEquals": {"aws:ResourceAccount": places.account}}
        ids = {"sts:ExternalId": list(places.external_ids)}
        found.append(_allow("sts:AssumeRole", "*", StringEquals=ids, **ours))
    return found
