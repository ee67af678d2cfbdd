"""How the command line is told of a cluster, of whose objects are installed there, and of the values they take."""

from __future__ import annotations

import json
import os
import re
import sys
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Any, NamedTuple

from byoa_cli.commands import Option, UsageError
from byoa_cli.options import label, minutes

if TYPE_CHECKING:
    from byoa.installs.access import Access
    from byoa.installs.cluster import Cluster
    from byoa.installs.normalising import Owner
    from byoa.installs.shelves import ConfigMapShelf

_CLUSTER = "The cluster"
_LIMIT = 1024 * 1024

OWNER = (
    Option("--install", metavar="NAME", type=label, variable="BYOA_INSTALL", help="The install's name."),
    Option("--component", metavar="NAME", type=label, variable="BYOA_COMPONENT", help="The component's name."),
    Option(
        "--namespace", "-n", metavar="NAME", default="default",
        help="The namespace of objects that name none (default: default).",
    ),
)  # fmt: skip
CLUSTER = (
    Option(
        "--kubeconfig", metavar="FILE", variable="KUBECONFIG", needed=False, group=_CLUSTER,
        help="A kubeconfig with the cluster's authority and a token in it.",
    ),
    Option("--context", metavar="NAME", group=_CLUSTER, help="Which of its contexts (default: the current one)."),
    Option("--server", metavar="URL", group=_CLUSTER, help="In place of a kubeconfig: https://HOST[:PORT]."),
    Option("--ca", metavar="FILE", group=_CLUSTER, help="The authority (PEM) of --server (default: this machine's)."),
    Option("--eks", metavar="NAME", group=_CLUSTER, help="In place of both: a cluster of EKS, with your AWS login."),
    Option("--region", metavar="REGION", group=_CLUSTER, variable="AWS_REGION", needed=False, help="Where --eks is."),
    Option("--server-name", metavar="NAME", group=_CLUSTER, help="The name in its certificate, if not the host's."),
    Option("--token-stdin", action="store_true", group=_CLUSTER, help="The token for --server is on stdin."),
    Option(
        "--keep-in", metavar="NAMESPACE", default="default", group=_CLUSTER,
        help="The namespace whose ConfigMap remembers what was applied (default: default).",
    ),
)  # fmt: skip
INPUTS = Option("--inputs", metavar="FILE", help="Values for {{ .nuon.… }}: a TOML or JSON file with a table inputs.")
TAKE_OVER = Option(
    "--take-over", metavar="OWNER", action="append", default=[],
    help="Take fields of this owner, or an object of another install (KIND/NAMESPACE/NAME), by its name in a plan; "
    "may be repeated.",
)  # fmt: skip
APPROVE = Option(
    "--approve", metavar="PART", action="append", default=[],
    help="Approve a part of the plan by the name that it gives; may be repeated.",
)  # fmt: skip
WITHIN = Option(
    "--within", metavar="MINUTES", type=minutes, default=900.0,
    help="How long objects may take to get healthy (default: 15).",
)  # fmt: skip


class Goal(NamedTuple):
    """What the options say of a cluster and whose objects are installed there."""

    install: str
    component: str
    namespace: str
    kubeconfig: str | None
    context: str | None
    server: str | None
    ca: str | None
    server_name: str | None
    token_stdin: bool
    eks: str | None
    region: str | None
    keep_in: str

    @property
    def owner(self) -> Owner:
        """Whose objects."""
        from byoa.installs.normalising import Owner

        return Owner(self.install, self.component, self.namespace)

    @property
    def names_a_cluster(self) -> bool:
        """Whether they name one at all."""
        return any((self.kubeconfig, self.server, self.eks))

    def cluster(self) -> Cluster:
        """The cluster. Raises ``UsageError``, ``ClusterAccessInvalid`` and what asking EKS raises."""
        from byoa.bootstrap import terminal

        if self.eks is not None and self.server is not None:
            raise UsageError("--eks and --server are two clusters: name one")
        if self.server is None and any((self.ca, self.server_name, self.token_stdin)):
            raise UsageError("--ca, --server-name and --token-stdin belong to --server")
        if self.eks is None:
            return terminal.cluster(self._access())
        if not self.region:
            raise UsageError("--eks takes the region that the cluster is in: add --region, or set AWS_REGION")
        return terminal.eks_cluster(self.eks, self.region)

    def _access(self) -> Access:
        """The way that the options describe."""
        from byoa.installs.access import access_of, read_kubeconfig

        if self.server is None:
            if self.kubeconfig is None:
                raise UsageError("which cluster? Name a --kubeconfig, --eks, or a --server with --ca and --token-stdin")
            return read_kubeconfig(read_text(self.kubeconfig), self.context)
        if not self.token_stdin:
            raise UsageError("--server takes its token from stdin: add --token-stdin")
        token = sys.stdin.buffer.read(_LIMIT + 1).decode("ascii", "replace").strip()
        if len(token) > _LIMIT:
            raise UsageError("the token has over 1 MiB")
        return access_of(self.server, read_text(self.ca) if self.ca else None, token, self.server_name)

    def shelf(self, cluster: Any) -> ConfigMapShelf:  # noqa: ANN401 - a port of installs
        """Where the cluster itself remembers what was applied."""
        from byoa.installs.shelves import ConfigMapShelf

        return ConfigMapShelf(cluster, self.owner, self.keep_in)

    def state(self, inputs: str | None) -> dict[str, Any]:
        """What ``.nuon`` is: the tables of a file, with its inputs where Nuon has them. Raises ``UsageError``."""
        given = read_table(inputs) if inputs else {}
        values = given.pop("inputs", {})
        install = {"id": self.install, "name": self.install, "inputs": values}
        return {**given, "id": self.install, "name": self.install, "inputs": {"inputs": values}, "install": install}


def fingerprint_of(value: str) -> str:
    """A plan's fingerprint. Raises ``ArgumentTypeError`` for what is none, as the start of one is."""
    if not re.fullmatch(r"plan-[0-9a-f]{64}", value):
        raise ArgumentTypeError("no fingerprint: `byoa install plan` prints plan-… at its end, as a whole it counts")
    return value


def plan_key() -> bytes | None:
    """What fingerprints of plans are made with, so that they cover values of Secrets; the environment may have it."""
    return os.environ.get("BYOA_PLAN_KEY", "").encode() or None


def read_inputs(path: str) -> dict[str, Any]:
    """The table ``inputs`` of a file, of which it may have no other. Raises ``UsageError``."""
    found = read_table(path)
    if found.keys() != {"inputs"}:
        raise UsageError(f"{path} has to have one table, inputs")
    try:
        json.dumps(found["inputs"], allow_nan=False)
    except (TypeError, ValueError):
        raise UsageError(f"{path} has a date, or a number that JSON can't hold; put it in quotes") from None
    return dict(found["inputs"])


def read_table(path: str) -> dict[str, Any]:
    """The tables of a file of TOML or JSON, of which ``inputs`` is one if it is there. Raises ``UsageError``."""
    import tomllib

    text = read_text(path)
    try:
        found = json.loads(text) if path.endswith(".json") else tomllib.loads(text)
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is no TOML, or no JSON where its name ends in .json") from None
    if not isinstance(found, dict) or not isinstance(found.get("inputs", {}), dict):
        raise UsageError(f"{path} has no table inputs")
    return found


def read_text(path: str) -> str:
    """A file's text. Raises ``UsageError``."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib is slow to import
            content = file.read(_LIMIT + 1)
        if len(content) > _LIMIT:
            raise UsageError(f"{path} has over 1 MiB")
        return content.decode()
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text") from None
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from error
