"""Private places on the desk: another account's ECR, a registry with passwords and one with tokens.

What a vendor keeps there nobody reads without a login, and the pipeline not without one that `byoa credentials set`
stored for it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from byoa.trust.credentials import Credential
from byoa.trust.external_id import external_id
from byoa.trust.invitations import pull_policy, trust_policy
from local import members
from local.processes import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from local.desk import Desk, Ports

ACCOUNT = "222222222222"
REGION = "us-west-2"
ECR = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
REPOSITORY = "manifests"
ROLE = "byoa-pull"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
USER = "vendor"


@dataclass(frozen=True, slots=True)
class Passwords:
    """Of the user `vendor` at the two registries: made anew for each desk."""

    basic: str = field(default_factory=secrets.token_urlsafe, repr=False)
    token: str = field(default_factory=secrets.token_urlsafe, repr=False)

    def variables(self) -> dict[str, str]:
        """How the registries' process is told them: arguments are everybody's to read."""
        return {"BASIC_PASSWORD": self.basic, "TOKEN_PASSWORD": self.token}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an artifact is for a component: how a config names it, where it answers, and its owner's login, if any.

    ``credentials`` is the name that `byoa credentials set` is given there, with ``options`` and, on standard input,
    ``secret``.
    """

    component: str
    layout: str
    host: str
    address: str
    repository: str
    tag: str
    login: Credential | None = None
    credentials: str | None = None
    options: tuple[str, ...] = ()
    secret: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """As a config has it."""
        return f"oci://{self.host}/{self.repository}"

    @property
    def secret_file(self) -> str | None:
        """The name of the file that `byoa credentials set` reads the secret from, if there is one."""
        return f"{self.credentials}.txt" if self.secret else None


def beside_vendor(ports: Ports) -> list[str]:
    """Arguments for the process of the vendor's registry, which serves the two private ones as well."""
    login = ("--username", USER, "--password-variable")
    return [
        *("--", "--port", str(ports.basic), "--auth", "basic", *login, "BASIC_PASSWORD"),
        *("--", "--port", str(ports.token), "--auth", "bearer", *login, "TOKEN_PASSWORD"),
    ]


def beside_ecr(ports: Ports) -> list[str]:
    """Arguments for the process of ECR's data plane, which serves the other account's as well."""
    control = f"http://{LOOPBACK}:{ports.emulator}"
    return ["--", "--port", str(ports.other_ecr), "--ecr", control, "--region", REGION, "--account", ACCOUNT]


def plain_http_hosts(ports: Ports, address: str = LOOPBACK) -> str:
    """Where the places answer, for the template's PlainHttpHosts; seen from a container, at the host's ``address``."""
    named = {f"{LOOPBACK}:{port}": port for port in (ports.basic, ports.token)} | {ECR: ports.other_ecr}
    return ",".join(f"{host}={address}:{port}" for host, port in named.items())


def ports_of(ports: Ports) -> tuple[int, ...]:
    """Those of the private places."""
    return ports.basic, ports.token, ports.other_ecr


def places(running: Desk) -> tuple[Place, ...]:
    """All three, in the order of their components' names."""
    ports, passwords = running.ports, running.ports.passwords
    basic, token = f"{LOOPBACK}:{ports.basic}", f"{LOOPBACK}:{ports.token}"
    user = ("--username", USER)
    return (
        Place(
            *("private-basic", "flux", basic, basic, "private/flux", "v2.3.1"),
            *(Credential(USER, passwords.basic), "vendor-login"),
            ("--kind", "basic", "--host", basic, *user),
            passwords.basic,
        ),
        Place(
            *("private-ecr", "kustomizer", ECR, f"{LOOPBACK}:{ports.other_ecr}", REPOSITORY, "v1.0.0"),
            *(_owner_login(running), "aws-ecr-creds"),
            ("--kind", "aws_ecr", "--host", ECR, "--role-arn", ROLE_ARN),
        ),
        Place(
            *("private-token", "oras-many", token, token, "private/oras-many", "v2.3.1"),
            *(Credential(USER, passwords.token), "vendor-tokens"),
            ("--kind", "basic", "--host", token, *user),
            passwords.token,
        ),
    )


def _owner_login(running: Desk) -> Credential:
    """What ECR gives the other account's root."""
    with contextlib.closing(running.client("ecr", ACCOUNT, REGION)) as client:
        token = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    return Credential(user, password)


def open_account(running: Desk, organisation: str) -> None:
    """What the other account's owner does there: a repository, and a role that our stack may pull with.

    The role trusts the stack's SourceRole when it tells the ExternalId of ``organisation``.
    """
    with contextlib.closing(running.client("ecr", ACCOUNT, REGION)) as client:
        client.create_repository(repositoryName=REPOSITORY)
    trust_role(running, ROLE, external_id(running.outputs["TableName"], organisation))


def trust_role(running: Desk, name: str, told: str | None) -> str:
    """Make a role there that pulls for whoever is our SourceRole and tells the ExternalId ``told``, if any. Its ARN.

    Its policies are those that `byoa credentials set` shows its owner, for the one repository.
    """
    trusted = trust_policy(running.outputs["SourceRoleArn"], told or "")
    if told is None:
        del trusted["Statement"][0]["Condition"]
    allowed = pull_policy(f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{REPOSITORY}")
    with contextlib.closing(running.client("iam", ACCOUNT, REGION)) as client:
        made = client.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trusted))["Role"]
        client.put_role_policy(RoleName=name, PolicyName="pull", PolicyDocument=json.dumps(allowed))
    return str(made["Arn"])


def write_secrets(found: Iterable[Place], folder: Path) -> None:
    """Each secret into a file in ``folder`` that nobody else reads: on a command line it would be everybody's."""
    for place in found:
        if place.secret_file:
            write_secret(folder / place.secret_file, place.secret)


def write_secret(path: Path, text: str) -> None:
    """A file that nobody else reads, at no moment."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def commands(place: Place, folder: Path) -> tuple[str, str]:
    """How an organisation's user stores the login of ``place`` and tries it, with the secrets written to ``folder``."""
    byoa, name = ".venv/bin/byoa credentials", place.credentials or ""
    source = f" < {shlex.quote(str(folder / place.secret_file))}" if place.secret_file else ""
    return (
        f"{byoa} set {shlex.join([name, *place.options])}{source}",
        f"{byoa} test {shlex.join([name, f'{place.url}:{place.tag}'])}",
    )


def store(running: Desk, place: Place, member: Mapping[str, str] | None = None) -> None:
    """Store the login of ``place``, with AWS credentials or as a ``member`` who is logged in. Raises DeskError."""
    if member is None:
        set_credentials(running, place.credentials or "", place.options, place.secret)
        return
    members.run(["credentials", "set", place.credentials or "", *place.options], member, place.secret)


def set_credentials(
    running: Desk, name: str, options: Sequence[str], secret: str = "", organisation: str | None = None
) -> None:
    """`byoa credentials set`, with AWS credentials and ``secret`` on its standard input. Raises DeskError."""
    environment = {**members.outside(), **running.environment()}
    if organisation:
        environment["BYOA_ORG"] = organisation
    members.run(["credentials", "set", name, *options], environment, secret)
