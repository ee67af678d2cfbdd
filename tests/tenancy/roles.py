"""The template's roles in an emulator that enforces them, their sessions, and two organisations' things."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.session import Session

from byoa.trust.external_id import external_id, strangers_id
from byoa.trust.tenancy import Places, session_policy
from tests.template import read_template

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.local.cloud import Cloud

ACCOUNT = "000000000000"
OTHER_ACCOUNT = "222222222222"
REGION = "us-east-1"
ONE, OTHER = "org_aaaaaaaaaaaa", "org_aaaaaaaaaaaab"
"""The other's name begins with the one's: a rule that forgets a slash is found out."""

KEPT = (
    "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Logs::LogGroup", "AWS::SQS::Queue",
    "AWS::Events::EventBus", "AWS::IAM::Role", "AWS::IAM::Policy",
)  # fmt: skip
OF_SERVICES = {"BuildRole", "ConfigChangedRole", "InstallRole", "DeployAskedRole"}
"""Roles of services, whose policies are about functions that aren't deployed here."""

type Keys = dict[str, Any]
type Make = Callable[[str], Any]


def tags(organisation: str) -> list[dict[str, str]]:
    return [{"Key": "org_id", "Value": organisation}]


@dataclass
class Stack:
    """The deployed resources of the template that policies are about."""

    cloud: Cloud
    keep: contextlib.ExitStack
    loaded: Session = field(default_factory=Session)
    names: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Make] = field(default_factory=dict)

    def deploy(self) -> None:
        template = read_template()
        resources = {
            name: body
            for name, body in template["Resources"].items()
            if body["Type"] in KEPT and name not in OF_SERVICES
        }
        parts = {"Parameters": template["Parameters"], "Conditions": template["Conditions"], "Resources": resources}
        formation = self.cloud.client("cloudformation")
        formation.create_stack(
            StackName="byoa",
            TemplateURL=self._stored(json.dumps(parts)),
            Parameters=[{"ParameterKey": "Emulated", "ParameterValue": "true"}],
            Capabilities=["CAPABILITY_IAM"],
        )
        formation.get_waiter("stack_create_complete").wait(StackName="byoa", WaiterConfig={"Delay": 1})
        found = formation.describe_stack_resources(StackName="byoa")["StackResources"]
        self.names = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}

    def _stored(self, template: str) -> str:
        """Where it is: a template of more than 51,200 bytes isn't taken in a request (CloudFormation quotas)."""
        store = self.cloud.client("s3")
        store.create_bucket(Bucket="templates")
        store.put_object(Bucket="templates", Key="byoa.json", Body=template.encode())
        return f"http://127.0.0.1:{self.cloud.port}/templates/byoa.json"

    def arn(self, role: str) -> str:
        return f"arn:aws:iam::{ACCOUNT}:role/{self.names[role]}"

    @property
    def table(self) -> str:
        return self.names["Table"]

    @property
    def bucket(self) -> str:
        return self.names["QuarantineBucket"]

    # ---- sessions

    def clients(self, keys: Keys) -> Make:
        """Makes clients with a session's keys, each once."""
        made: dict[str, Any] = {}

        def client(service: str) -> Any:
            if service not in made:
                url = f"http://127.0.0.1:{self.cloud.port}"
                client = self.loaded.create_client(service, region_name=REGION, endpoint_url=url, **keys)
                made[service] = self.keep.enter_context(contextlib.closing(client))
            return made[service]

        return client

    def function(self, function: str) -> Make:
        """Clients as the function has them by its own role: Lambda's service, which is root here, assumes it."""
        if function not in self.functions:
            keys = assume(self.cloud.client("sts"), self.arn(f"{function}Role"))
            self.functions[function] = self.clients(keys)
        return self.functions[function]

    def session(self, role: str, organisation: str, *, policy: bool = True) -> Make:
        """Clients of a session that the role's function opened for the organisation, as it opens them."""
        opener = opener_of(role)
        own = self.policy_of_api if role in ("ApiTenantRole", "DashboardTenantRole") else self.policy
        own = {"ClusterRole": self.policy_of_clusters, "ExchangeCodeTenantRole": self.policy_of_clients}.get(role, own)
        more = {"Policy": own(organisation)} if policy else {}
        sts = self.function(opener)("sts")
        return self.clients(assume(sts, self.arn(role), Tags=tags(organisation), **more))

    def policy(self, organisation: str) -> str:
        """The policy of a session, of all places that any function has."""
        where = f"{REGION}:{ACCOUNT}"
        places = Places(
            table=f"arn:aws:dynamodb:{where}:table/{self.table}",
            bucket=f"arn:aws:s3:::{self.bucket}",
            repositories=f"arn:aws:ecr:{where}:repository/byoa",
            secrets=f"arn:aws:secretsmanager:{where}:secret:byoa",
            account=ACCOUNT,
            external_ids=(external_id(self.table, organisation), strangers_id(self.table)),
        )
        return session_policy(organisation, places)

    def policy_of_clusters(self, organisation: str) -> str:
        """The same for what lets us into clusters."""
        ids = (external_id(self.table, organisation), strangers_id(self.table))
        kept = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:byoa-clusters"
        return session_policy(organisation, Places(clusters=kept, account=ACCOUNT, external_ids=ids))

    def policy_of_clients(self, organisation: str) -> str:
        """The same for what clients show to issuers."""
        kept = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:byoa-issuers"
        return session_policy(organisation, Places(clients=kept))

    def policy_of_api(self, organisation: str) -> str:
        """The same for the API, which has other places, too many for one policy with those."""
        where = f"{REGION}:{ACCOUNT}"
        table = f"arn:aws:dynamodb:{where}:table/{self.table}"
        kept = f"arn:aws:secretsmanager:{where}:secret:byoa"
        return session_policy(organisation, Places(table=table, listing=f"{table}/index/*", kept=kept))

    # ---- what there is to reach

    def fill(self, organisation: str) -> None:
        """One of everything that an organisation can have."""
        table, s3 = self.cloud.client("dynamodb"), self.cloud.client("s3")
        for pk in (f"{kind}#{organisation}" for kind in ("ORG", "QUOTA", "HOOK", "DELIVERY", "LOOKUP")):
            table.put_item(TableName=self.table, Item={"pk": {"S": pk}, "sk": {"S": "x"}, "unfinished": {"S": "no"}})
        for kind in ("blobs", "manifests", "lists", "parts", "values", "objects", "plans", "contents"):
            s3.put_object(Bucket=self.bucket, Key=f"{organisation}/{kind}/x", Body=b"x")
        self.cloud.client("ecr").create_repository(repositoryName=f"byoa/{organisation}/shop/web")
        kept = (f"byoa-clusters/{organisation}/inl{'a' * 23}", f"byoa-issuers/{organisation}/iss{'a' * 23}")
        for name in (f"byoa/{organisation}/x", *kept):
            self.cloud.client("secretsmanager").create_secret(Name=name, SecretString="x", Tags=tags(organisation))


OPENERS = (
    "ValidateReference", "ResolveDigest", "StageArtifact", "StageBlob", "InspectArtifact", "MirrorArtifact",
    "MirrorBlob", "RetireTags", "RecordBuild", "RecordStopped", "SweepBuilds", "TryCredentials",
    "LookUpArtifact", "ReadArtifacts", "AnswerLookup", "FollowTags", "BuildAgain", "Api", "Dashboard",
    "ExchangeCode",
    "ReceiveDeploy", "PullMirror", "LoadManifests", "PlanInstall", "ApplyInstall", "CheckHealth", "PruneInstall",
    "RecordDeploy", "EndStoppedDeploy", "SweepDeploys", "DriftDue", "FollowBuilds", "ReleaseDeploys",
)  # fmt: skip
"""The functions that open sessions."""


def opener_of(role: str) -> str:
    """A function that opens a role's sessions."""
    return {"SourceRole": "TryCredentials", "ClusterRole": "PlanInstall"}.get(role) or role.removesuffix("TenantRole")


def assume(sts: Any, arn: str, **more: Any) -> Keys:
    found = sts.assume_role(RoleArn=arn, RoleSessionName="session", **more)["Credentials"]
    names = {"AccessKeyId": "access_key_id", "SecretAccessKey": "secret_access_key", "SessionToken": "session_token"}
    return {f"aws_{name}": found[key] for key, name in names.items()}
