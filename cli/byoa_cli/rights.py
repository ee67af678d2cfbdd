"""`byoa install rbac`: what an administrator grants before an artifact is installed, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from byoa_cli.clusters import CLUSTER, INPUTS, OWNER, Goal
from byoa_cli.commands import Option, command
from byoa_cli.options import JSON, PLAIN_HTTP, TOKEN_HOST, label
from byoa_cli.output import FINE, MEND, print_error, print_json, print_line

if TYPE_CHECKING:
    from byoa.errors import ByoaError
    from byoa.installs.normalising import Wanted
    from byoa.installs.objects import Object


@command(
    Option("ref", metavar="REF|FOLDER", help="As `byoa install plan` takes it, or a folder or file of manifests."),
    *OWNER, *CLUSTER, INPUTS,
    Option("--group", metavar="NAME", help="Grant it to this group of users, as an access entry of EKS names one."),
    Option("--account", metavar="NAME", type=label, default="byoa",
           help="The service account that it is granted to, in the namespace of --keep-in (default: byoa)."),
    Option("--no-record", action="store_true",
           help="For an install of the platform, or its agent: what is tracked is kept there, and not in the cluster."),
    PLAIN_HTTP, TOKEN_HOST, JSON,
)  # fmt: skip
def rbac(
    *,
    ref: str,
    group: str | None,
    account: str,
    no_record: bool,
    inputs: str | None,
    plain_http: list[str],
    token_host: list[str],
    as_json: bool,
    **options: Any,  # noqa: ANN401 - they go on as they are
) -> int:
    """Print the least that a login needs to install an artifact, as YAML for `kubectl apply`.

    A cluster is asked only for custom kinds that the artifact doesn't define. Deleting namespaces, definitions, volumes
    and claims isn't among it: grant that when one is to be deleted.

    Examples:
        byoa install rbac oci-layout:./web:v1 --install shop --component web --namespace shop > rbac.yaml

        byoa install rbac ./manifests --install shop --component web --group installers

        byoa install rbac ./manifests --install shop --component web --account byoa-agent --keep-in shop --no-record
    """
    from byoa.bootstrap import terminal
    from byoa.installs.granting import Grantee, grants

    terminal.begin(None)
    goal = Goal(**options)
    wanted, faults = _wanted(goal, _objects(ref, goal.state(inputs), plain_http, token_host))
    if faults:
        for fault in faults:
            print_error(fault, as_json=as_json)
        return MEND
    grantee = Grantee(group) if group else Grantee(account, goal.keep_in)
    found = grants(wanted, goal.owner, grantee, () if no_record else goal.shelf(None).rights)
    if as_json:
        print_json({"objects": found})
    else:
        for line in _yaml(found).splitlines():
            print_line(line)
    return FINE


def _objects(ref: str, state: dict[str, Any], plain_http: list[str], token_host: list[str]) -> tuple[Object, ...]:
    from pathlib import Path

    from byoa_cli.places import open_source

    if not Path(ref).exists():
        place = open_source(ref, plain_http, token_host)
        return load_from(place.repository, place.repository.fetch_manifest(place.digest or place.tag or ""), state)
    from byoa.bootstrap import terminal
    from byoa_cli.gathering import gather
    from byoa_cli.packaging import package

    packed = package([each.file for each in gather([ref]).files], "flux", {})
    return load_from(terminal.packed(packed), packed.manifest, state)


def load_from(repository: Any, root: Any, state: dict[str, Any]) -> tuple[Object, ...]:  # noqa: ANN401 - ports
    """The objects of an artifact, rendered with ``state``. Raises what ``installs.load.load`` raises."""
    from byoa.engine.contents import VerifiedContents
    from byoa.installs.load import load
    from byoa.trust.limits import STAGED

    return load(VerifiedContents(repository), root, STAGED, state)


def _wanted(goal: Goal, objects: tuple[Object, ...]) -> tuple[list[Wanted], list[ByoaError]]:
    """The objects as they would be applied; a cluster's kinds are looked at where Kubernetes' own don't do."""
    from byoa.errors import KindUnknown
    from byoa.installs.builtin import BUILTIN
    from byoa.installs.kinds import know_kinds
    from byoa.installs.normalising import normalise

    found, faults = normalise(objects, know_kinds(BUILTIN, objects), goal.owner)
    unknown = [fault for fault in faults if isinstance(fault, KindUnknown)]
    if unknown and goal.names_a_cluster:
        return normalise(objects, know_kinds(goal.cluster().kinds(), objects), goal.owner)
    for fault in unknown:
        fault.cause = "The kind is none of Kubernetes' own, and the artifact doesn't define it."
        fault.remedy = "Name a cluster that has it (--kubeconfig, --server, --eks), so that it can be asked."
    return found, faults


def _yaml(found: list[Object]) -> str:
    import yaml

    return yaml.safe_dump_all(found, sort_keys=False, explicit_start=True, width=100)
