"""With our own checks out of the way: raw clients, in sessions as functions open them, held by IAM alone."""

from __future__ import annotations

import contextlib
import json
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from byoa.trust.external_id import external_id, strangers_id
from tests.local.cloud import emulated
from tests.tenancy.roles import ACCOUNT, ONE, OPENERS, OTHER, OTHER_ACCOUNT, Stack, assume, opener_of, tags
from tests.tenancy.verbs import ACROSS, VERBS, crosses, reaches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tenancy.roles import Make

pytestmark = pytest.mark.emulator

PAIRS = list(permutations((ONE, OTHER)))

READS = {"table get", "table transact get"}
LISTS = {"list below", "list blobs below"}
FILLS = {f"{verb} of {kind}" for verb in ("get", "put") for kind in ("blobs", "parts")}
PUSHES = {"repository describe", "layers get", "layers check", "layers put"}
ASKS = (
    READS
    | {f"table {verb}" for verb in ("put", "transact put", "batch get", "query", "update")}
    | {f"table update {attribute}" for attribute in ("entity", "envelope", "outcome", "moved", "version")}
    | {f"table update {attribute}" for attribute in ("packed", "plan", "told again")}
)
MAY: dict[str, set[str]] = {
    "ValidateReferenceTenantRole": READS | {"table update"},
    "ResolveDigestTenantRole": READS | {"table update"},
    "StageArtifactTenantRole": READS
    | LISTS
    | FILLS
    | {"table update", "quota get", "quota update"}
    | {f"{verb} of {kind}" for verb in ("get", "put") for kind in ("manifests", "lists")},
    "StageBlobTenantRole": READS | LISTS | FILLS,
    "InspectArtifactTenantRole": LISTS | {"get of blobs", "get of manifests"},
    "MirrorArtifactTenantRole": LISTS
    | PUSHES
    | {"table update", "get of blobs", "get of manifests", "images get"}
    | {"images put", "repository create", "repository lifecycle"},
    "MirrorBlobTenantRole": READS | LISTS | PUSHES | {"get of blobs"},
    "RetireTagsTenantRole": {"images describe", "images delete"},
    "RecordBuildTenantRole": LISTS | {"table update", "table update envelope", "table update outcome", "get of lists"},
    "RecordStoppedTenantRole": {"table update", "table update outcome"},
    "SweepBuildsTenantRole": READS | {"table update", "table update outcome", "table update told again"},
    "LookUpArtifactTenantRole": LISTS | FILLS | {"quota get", "quota update", "get of manifests", "put of manifests"},
    "FollowTagsTenantRole": {"table batch get", "table update moved", "delivery claim", "hook get"},
    "BuildAgainTenantRole": {"table get", "table transact get", "table put", "table transact put", "hook get"}
    | {f"table update{attribute}" for attribute in ("", " entity", " envelope", " outcome", " moved", " version")}
    | {f"table update {attribute}" for attribute in ("packed", "plan", "told again")},
    "ReadArtifactsTenantRole": LISTS | {"get of blobs", "get of manifests"},
    "AnswerLookupTenantRole": {"lookup end"},
    "ApiTenantRole": READS
    | {"lookup get", "lookup put"}
    | {f"table {verb}" for verb in ("put", "delete", "update", "update entity", "update envelope", "update outcome")}
    | {"table update moved", "table update version", "hook put", "hook query"}
    | {f"table update {attribute}" for attribute in ("packed", "plan", "told again")}
    | {f"table {verb}" for verb in ("query", "batch get", "transact put", "transact get")}
    | {f"secret {verb}" for verb in ("put", "describe", "delete")}
    | {f"{kind} {verb}" for kind in ("cluster token", "client secret") for verb in ("put", "delete")},
    "DashboardTenantRole": READS | {"table query", "table batch get", "secret describe"},
    "SourceRole": {"secret get"},
    "ReceiveDeployTenantRole": READS | {"table batch get", "table update", "put of values"},
    "PullMirrorTenantRole": LISTS
    | FILLS
    | {"get of manifests", "put of manifests", "repository describe", "layers get", "images get"},
    "LoadManifestsTenantRole": LISTS | {"get of blobs", "get of manifests", "get of values", "put of objects"},
    "PlanInstallTenantRole": READS | LISTS | {"get of objects", "put of plans", "put of contents"},
    "ApplyInstallTenantRole": READS
    | LISTS
    | {"table batch get", "table update", "table update packed", "get of plans"},
    "CheckHealthTenantRole": LISTS | {"get of plans"},
    "PruneInstallTenantRole": READS | LISTS | {"table update packed", "get of plans"},
    "RecordDeployTenantRole": LISTS | {"table batch get", "table update", "table update plan", "get of contents"},
    "EndStoppedDeployTenantRole": READS | {"table batch get", "table update"},
    "SweepDeploysTenantRole": READS | {"table batch get", "table update", "table update told again"},
    "DriftDueTenantRole": ASKS,
    "FollowBuildsTenantRole": ASKS,
    "ReleaseDeploysTenantRole": ASKS,
    "ClusterRole": {"cluster token get"},
    "ExchangeCodeTenantRole": {"client secret get"},
}
"""What each session may do with its own organisation's things: nothing below holds because nothing is allowed."""


LISTS_NAMES = {"ApiTenantRole": {"secrets list"}, "DashboardTenantRole": {"secrets list"}}
"""IAM knows no resource for ListSecrets: names, hosts and kinds of all organisations' credentials, and no value."""

SOURCES = ("ResolveDigest", "StageArtifact", "StageBlob", "TryCredentials", "LookUpArtifact", "FollowTags")
"""The functions that borrow what vendors lend."""


REACHING = ("PlanInstall", "ApplyInstall", "CheckHealth", "PruneInstall")
"""The functions that reach clusters."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with emulated(tmp_path_factory.mktemp("tenancy"), enforce_iam=True) as cloud, contextlib.ExitStack() as keep:
        found = Stack(cloud, keep)
        found.deploy()
        for organisation in (ONE, OTHER):
            found.fill(organisation)
        yield found


def refused() -> Any:
    return pytest.raises(ClientError, match="AccessDenied")


def crossings(make: Make, stack: Stack, mine: str, others: str) -> set[str]:
    """All verbs that reach another organisation's things."""
    found = {name for name, verb in VERBS.items() if reaches(verb, make, stack, others)}
    return found | {name for name, verb in ACROSS.items() if crosses(verb, make, stack, mine, others)}


# ---- sessions ----------------------------------------------------------------------------------------------------


def test_every_role_that_works_for_organisations_is_tried(stack: Stack) -> None:
    found = {name for name in stack.names if name.endswith("TenantRole") or name in ("SourceRole", "ClusterRole")}
    assert found == MAY.keys()


@pytest.mark.parametrize("role", MAY)
def test_a_session_does_what_its_step_does_with_its_own_organisation_s_things(role: str, stack: Stack) -> None:
    for organisation in (ONE, OTHER):
        make = stack.session(role, organisation)
        assert {name for name, verb in VERBS.items() if reaches(verb, make, stack, organisation)} == MAY[role]


@pytest.mark.parametrize("role", MAY)
def test_no_session_reaches_another_organisation_s_by_its_role_s_policies_alone(role: str, stack: Stack) -> None:
    """The session's own policy holds by itself as well (below), and of two locks together neither opens the other."""
    for mine, others in PAIRS:
        crossed = crossings(stack.session(role, mine, policy=False), stack, mine, others)
        assert crossed == LISTS_NAMES.get(role, set())


def test_a_session_s_own_policy_holds_even_a_role_that_may_everything(stack: Stack) -> None:
    role = open_role(stack)
    others_own = (*LISTS_NAMES, "ClusterRole", "ExchangeCodeTenantRole")
    steps = set().union(*(verbs for name, verbs in MAY.items() if name not in others_own))
    for mine, others in PAIRS:
        for policy, least, listed in (
            (stack.policy(mine), steps, set()),
            (stack.policy_of_api(mine), MAY["ApiTenantRole"], LISTS_NAMES["ApiTenantRole"]),
            (stack.policy_of_clusters(mine), MAY["ClusterRole"], set()),
            (stack.policy_of_clients(mine), MAY["ExchangeCodeTenantRole"], set()),
        ):
            make = stack.clients(assume(stack.cloud.client("sts"), role, Tags=tags(mine), Policy=policy))
            within = {name for name, verb in VERBS.items() if reaches(verb, make, stack, mine)}
            assert within >= least
            assert crossings(make, stack, mine, others) == listed


def open_role(stack: Stack) -> str:
    """A role whose policies are a mistake."""
    iam = stack.cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    trust["Action"] = ["sts:AssumeRole", "sts:TagSession"]
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName="open", AssumeRolePolicyDocument=document)
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    iam.put_role_policy(RoleName="open", PolicyName="everything", PolicyDocument=document)
    return f"arn:aws:iam::{ACCOUNT}:role/open"


@pytest.mark.parametrize("function", [*OPENERS, "PublishChanges", "Hooks"])
def test_a_function_s_own_role_reaches_nothing_of_any_organisation(function: str, stack: Stack) -> None:
    make = stack.function(function)
    known_by_name = {"hook get"} if function == "Hooks" else set()  # one hook, before it is known whose a delivery is
    for mine, others in PAIRS:
        assert crossings(make, stack, mine, others) == known_by_name


# ---- who opens which ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [*OPENERS, "PublishChanges", "Hooks"])
def test_a_function_opens_sessions_of_its_own_roles_alone(function: str, stack: Stack) -> None:
    sts, opened = stack.function(function)("sts"), set()
    for role in MAY:
        with contextlib.suppress(ClientError):
            assume(sts, stack.arn(role), Tags=tags(ONE))
            opened.add(role)
    lent = {"SourceRole"} if function in SOURCES else {"ClusterRole"} if function in REACHING else set()
    own = {f"{function}TenantRole"} & MAY.keys()
    assert opened == own | lent


@pytest.mark.parametrize("role", MAY)
@pytest.mark.parametrize(
    "given",
    [
        [],
        [("org_id", ONE), ("more", "x")],
        [("more", "x")],
        [("ORG_ID", ONE)],
        [("org_id", "")],
        [("org_id", "org_*")],
        [("org_id", "org_aaaaaaaaaaa?")],
        [("org_id", "*")],
        [("org_id", "somebody")],
    ],
    ids=str,
)
def test_a_session_has_one_tag_that_is_an_organisation(role: str, given: list[tuple[str, str]], stack: Stack) -> None:
    opener = opener_of(role)
    with refused():
        assume(
            stack.function(opener)("sts"), stack.arn(role), Tags=[{"Key": key, "Value": value} for key, value in given]
        )


@pytest.mark.parametrize("role", MAY)
def test_an_organisation_is_named_once(role: str, stack: Stack) -> None:
    opener = opener_of(role)
    with pytest.raises(ClientError):
        assume(stack.function(opener)("sts"), stack.arn(role), Tags=[*tags(ONE), *tags(OTHER)])


def test_a_session_opens_none_for_another_organisation(stack: Stack) -> None:
    for role in MAY:
        sts = stack.session(role, ONE)("sts")
        for target in MAY:
            with refused():
                assume(sts, stack.arn(target), Tags=tags(OTHER))


# ---- what vendors lend -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", [[], tags(OTHER)], ids=["untagged", "the other's"])
@pytest.mark.parametrize("policy", [True, False], ids=["both locks", "the role's policies alone"])
def test_a_secret_in_one_s_path_that_is_not_tagged_so_is_not_read(
    whose: list[dict[str, str]], stack: Stack, *, policy: bool
) -> None:
    name = f"byoa/{ONE}/strange-{len(whose)}-{policy}"
    stack.cloud.client("secretsmanager").create_secret(Name=name, SecretString="x", Tags=whose)
    with refused():
        stack.session("SourceRole", ONE, policy=policy)("secretsmanager").get_secret_value(SecretId=name)


def test_roles_of_vendors_are_borrowed_with_one_s_own_external_id(stack: Stack) -> None:
    arn = f"arn:aws:iam::{OTHER_ACCOUNT}:role/lent"
    trust = {"Effect": "Allow", "Principal": {"AWS": stack.arn("SourceRole")}, "Action": "sts:AssumeRole"}
    theirs = stack.clients({"aws_access_key_id": OTHER_ACCOUNT, "aws_secret_access_key": "test"})("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    theirs.create_role(RoleName="lent", AssumeRolePolicyDocument=document)
    sts = stack.session("SourceRole", ONE)("sts")
    assume(sts, arn, ExternalId=external_id(stack.table, ONE))
    assume(sts, arn, ExternalId=strangers_id(stack.table))
    for given in ({"ExternalId": external_id(stack.table, OTHER)}, {"ExternalId": "theirs"}, {}):
        with refused():
            assume(sts, arn, **given)


@pytest.mark.parametrize("policy", [True, False], ids=["both locks", "the role's policies alone"])
def test_no_role_of_our_own_account_is_borrowed(stack: Stack, *, policy: bool) -> None:
    """Not even one that trusts everybody."""
    name = f"trusting-{policy}"
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    stack.cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
    sts = stack.session("SourceRole", ONE, policy=policy)("sts")
    with refused():
        assume(sts, f"arn:aws:iam::{ACCOUNT}:role/{name}", ExternalId=external_id(stack.table, ONE))
