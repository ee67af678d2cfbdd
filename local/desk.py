"""The desk: an AWS emulator with the real template deployed, a vendor's registries, ECR's data plane, a cluster."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from local import private
from local.interrupts import Interrupted, Kept, held
from local.processes import LOOPBACK, DeskError, free_port, start_cluster, start_emulator, start_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from local.processes import Keep

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".desk"
STACK = "byoa"
ACCOUNT = "000000000000"
REGION = "us-east-1"
ORGANISATION = "org_demo00000000"
APP = "demo"
API = "b40a0b40"
"""The API's id, by its tag in the template."""
ISSUER = "token.actions.githubusercontent.com"
"""GitHub's issuer of JWTs, whose name leads to a port of the desk."""
POOLS = f"cognito-idp.{REGION}.amazonaws.com"
"""Cognito's issuers, one for each user pool, whose name leads to the same port."""
SAM_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the servers listen, and what lets people in; an issuer of JWTs is whoever listens there.

    ``names`` are what containers call this machine, ``api`` is the API's id, which its name for browsers has in it.
    """

    emulator: int = 4666
    vendor: int = 5101
    ecr: int = 5102
    basic: int = 5103
    token: int = 5104
    other_ecr: int = 5105
    issuer: int = 5106
    cluster: int = 5107
    passwords: private.Passwords = field(default_factory=private.Passwords)
    cluster_token: str = field(default_factory=secrets.token_urlsafe, repr=False)
    names: tuple[str, ...] = ()
    api: str = API

    @classmethod
    def free(cls) -> Ports:
        """Some that nothing else has."""
        emulator, vendor, ecr, basic, token, other_ecr, issuer, cluster = (free_port() for _ in range(8))
        return cls(emulator, vendor, ecr, basic, token, other_ecr, issuer, cluster)


@dataclass(frozen=True, slots=True)
class Desk:
    """A running desk: its addresses, the outputs of the stack, and the folder of its logs and builds."""

    ports: Ports
    outputs: dict[str, str]
    folder: Path = STATE

    @property
    def aws(self) -> str:
        """The emulator's endpoint."""
        return f"http://{LOOPBACK}:{self.ports.emulator}"

    @property
    def vendor(self) -> str:
        """The vendor's registry, ``host:port``."""
        return f"{LOOPBACK}:{self.ports.vendor}"

    @property
    def ecr(self) -> str:
        """ECR's data plane, ``host:port``."""
        return f"{LOOPBACK}:{self.ports.ecr}"

    @property
    def cluster(self) -> str:
        """The cluster's API server."""
        return f"https://{LOOPBACK}:{self.ports.cluster}"

    @property
    def cluster_ca(self) -> Path:
        """The file with the cluster's authority."""
        return cluster_folder(self.folder).resolve() / "ca.pem"

    @property
    def api(self) -> str:
        """The HTTP API, by the path that the emulator has for names which Python can't resolve."""
        return f"{self.aws}/_aws/execute-api/{self.ports.api}"

    @property
    def dashboard(self) -> str:
        """The dashboard, for browsers: they find every name below localhost on this machine."""
        return f"http://{self.ports.api}.execute-api.localhost:{self.ports.emulator}/"

    def environment(self) -> dict[str, str]:
        """What a command line needs to work with this desk."""
        return {
            **aws_environment(self.aws),
            "BYOA_TABLE": self.outputs["TableName"],
            "BYOA_RECEIPT_KEY": self.outputs["ReceiptKeyArn"],
            "BYOA_SOURCE_ROLE": self.outputs["SourceRoleArn"],
            "BYOA_TRY_CREDENTIALS": self.outputs["TryCredentialsFunctionName"],
            "BYOA_ORG": ORGANISATION,
            "BYOA_APP": APP,
        }

    def client(self, service: str, account: str = ACCOUNT, region: str = REGION) -> Any:  # noqa: ANN401 - any of AWS's
        """A boto3 client of the emulator, an account's root; the caller closes it."""
        session: Any = boto3.session.Session  # its overloads want a literal
        return session(account, "test", region_name=region).client(service, endpoint_url=self.aws)


def damaged_in(folder: Path) -> Path:
    """The file of the digests of blobs that ECR's data plane serves with other bytes; there is none to begin with."""
    return folder / "ecr" / "damaged"


def cluster_folder(folder: Path) -> Path:
    """Where the cluster of the desk of ``folder`` keeps what people need to reach it."""
    return folder / "cluster"


def aws_environment(endpoint: str) -> dict[str, str]:
    """Variables that send AWS's tools to the emulator and to nothing else."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }


@contextlib.contextmanager
def desk(
    folder: Path,
    ports: Ports,
    *,
    enforce_iam: bool = False,
    say: Callable[[str], None] = print,
    parameters: Sequence[str] = (),
) -> Iterator[Desk]:
    """Start the servers, build and deploy the template, and stop all of it at the end.

    ``folder`` takes logs and builds; ``parameters`` of the template are NAME=VALUE. Raises DeskError when a part
    doesn't come up, and Interrupted, which says what was stopped, at a Ctrl-C.
    """
    kept = Kept()
    try:
        try:
            start_servers(folder, ports, enforce_iam=enforce_iam, say=say, keep=kept.add)
            yield deploy(folder, ports, say=say, parameters=parameters)
        finally:
            with held():
                kept.stop()
    except KeyboardInterrupt:
        raise Interrupted(kept.told()) from None


def start_servers(
    folder: Path,
    ports: Ports,
    *,
    enforce_iam: bool = False,
    say: Callable[[str], None] = print,
    keep: Keep,
) -> None:
    """The emulator, the vendor's registries, ECR's data planes and a cluster; ``keep`` is told of each as it begins."""
    say(f"starting the emulator of AWS on {LOOPBACK}:{ports.emulator}")
    registries = {ACCOUNT: ports.ecr, private.ACCOUNT: ports.other_ecr}
    where = ",".join(f"{account}=http://{LOOPBACK}:{port}" for account, port in registries.items())
    settings = {"POWERTOOLS_TRACE_DISABLED": "1", "EMULATOR_ECR_REGISTRY": where, "EMULATOR_API_ID": ports.api}
    start_emulator(folder, ports.emulator, enforce_iam=enforce_iam, extra_environment=settings, keep=keep)
    open_and_private = f"{ports.vendor}, {ports.basic}, {ports.token}"
    say(f"starting a vendor's registries (public, Basic, Bearer) on {LOOPBACK}:{open_and_private}")
    secret = ports.passwords.variables()
    beside = private.beside_vendor(ports)
    start_registry(folder / "vendor", ports.vendor, *beside, extra_environment=secret, keep=keep)
    say(f"starting ECR's data plane (ours, another account's) on {LOOPBACK}:{ports.ecr}, {ports.other_ecr}")
    control = ("--ecr", f"http://{LOOPBACK}:{ports.emulator}", "--region", REGION, "--damaged", str(damaged_in(folder)))
    start_registry(folder / "ecr", ports.ecr, *control, *private.beside_ecr(ports), keep=keep)
    say(f"starting a cluster (Kubernetes' API in memory, nothing runs there) on {LOOPBACK}:{ports.cluster}")
    start_cluster(cluster_folder(folder), ports.cluster, ports.cluster_token, names=ports.names, keep=keep)


def deploy(folder: Path, ports: Ports, *, say: Callable[[str], None] = print, parameters: Sequence[str] = ()) -> Desk:
    """`sam build` and `sam deploy` of the real template. Raises DeskError with what SAM said."""
    endpoint = f"http://{LOOPBACK}:{ports.emulator}"
    say("building the template (sam build)")
    built = build(folder, endpoint)
    say("deploying it (sam deploy)")
    reachable = ",".join(f"{LOOPBACK}/32:{port}" for port in _reached(ports))
    issuers = ",".join(f"{name}={LOOPBACK}:{ports.issuer}" for name in (ISSUER, POOLS))
    overrides = [
        "Emulated=true",
        f"AwsEndpointUrl={endpoint}",
        f"EcrEndpoint=http://{LOOPBACK}:{ports.ecr}",
        f"PlainHttpHosts={LOOPBACK}:{ports.vendor},{issuers},{private.plain_http_hosts(ports)}",
        f"Reachable={reachable}",
        f"OwnHosts={LOOPBACK}:{ports.ecr}",
        f"SignInOrganisations={ORGANISATION}",
        *parameters,
    ]
    template = ["--template-file", str(built), "--config-file", str(ROOT / "samconfig.toml")]
    sam(["deploy", "--config-env", "local", *template, "--parameter-overrides", *overrides], endpoint)
    running = Desk(ports, stack_outputs(ports), folder)
    private.open_account(running, ORGANISATION)
    return running


def _reached(ports: Ports) -> tuple[int, ...]:
    """The ports that functions are sent to by organisations."""
    return ports.vendor, ports.issuer, *private.ports_of(ports), ports.cluster


def build(folder: Path, endpoint: str) -> Path:
    """`sam build` into ``folder``, by the cache that all desks share; the built template.

    SAM notes what its cache holds beside the build, and removes from the cache what isn't noted there: so the note goes
    along to this folder and back, one build at a time.
    """
    kept, note = STATE / "build.toml", folder / "build.toml"
    STATE.mkdir(exist_ok=True)
    with (STATE / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.exists():
            shutil.copyfile(kept, note)
        sam(["build", "--build-dir", str(folder / "build"), "--cache-dir", str(STATE / "cache")], endpoint)
        shutil.copyfile(note, kept)
    return folder / "build" / "template.yaml"


def stack_outputs(ports: Ports) -> dict[str, str]:
    """The outputs of the deployed stack."""
    client = Desk(ports, {}).client("cloudformation")
    with contextlib.closing(client):
        outputs = client.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}


def sam(arguments: list[str], endpoint: str) -> str:
    """Run the SAM CLI in the project's folder, against the emulator, and return what it printed."""
    program = ROOT / ".venvs/sam/bin/sam"
    if not program.exists():
        raise DeskError("The SAM CLI's environment is missing.", "Run `make setup`.")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_", "BYOA_"))}
    (STATE / "sam").mkdir(parents=True, exist_ok=True)
    environment = {
        **kept,
        **aws_environment(endpoint),
        "PATH": os.pathsep.join([str(program.parent), str(ROOT / ".uv/bin"), os.environ["PATH"]]),
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.2",
        "__SAM_CLI_APP_DIR": str(STATE / "sam"),
    }
    with tempfile.TemporaryDirectory(prefix="sam-", dir=STATE) as scratch:  # it leaves a folder for all that it packs
        done = subprocess.run(
            [program, *arguments],
            cwd=ROOT,
            env={**environment, "TMPDIR": scratch},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SAM_SECONDS,
            check=False,
        )
    if done.returncode:
        raise DeskError(f"`sam {arguments[0]}` failed.", f"{done.stdout}{done.stderr}"[-3000:])
    return done.stdout
