"""How the command line is told of an install: which one it is, its cluster, and its settings."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from byoa_cli.clusters import read_text
from byoa_cli.commands import Option, UsageError
from byoa_cli.options import label

if TYPE_CHECKING:
    from byoa.api.asking import Api
    from byoa_cli.reaching import Reached

_CLUSTER: Final = "The cluster"
SETTINGS: Final = "Settings"
_LIMIT: Final = 1024 * 1024
_ID: Final = re.compile(r"inl[a-z2-7]{23}", re.ASCII)

NAME = Option("name", metavar="NAME", type=label, help="The install's name, of its own in the app.")
INSTALL = Option("install", metavar="INSTALL", type=label, help="The install's name in the app, or its id (inl…).")
PART = Option("component", metavar="COMPONENT", type=label, help="The component's name.")
DEPLOY = Option("--deploy", metavar="ID", help="The deploy (default: the component's newest).")
CLUSTER = (
    Option("--server", metavar="URL", group=_CLUSTER, help="https://HOST[:PORT], with --ca and --token-stdin."),
    Option("--ca", metavar="FILE", group=_CLUSTER, help="The authority (PEM) of --server (default: public ones)."),
    Option("--server-name", metavar="NAME", group=_CLUSTER, help="The name in its certificate, if not the host's."),
    Option("--token-stdin", action="store_true", group=_CLUSTER, help="The token for --server is on stdin."),
    Option(
        "--private", action="store_true", group=_CLUSTER,
        help="It is in a private network that the stack reaches. An address of one says so by itself.",
    ),
    Option(
        "--kubeconfig", metavar="FILE", group=_CLUSTER,
        help="In place of --server: a kubeconfig with the cluster's authority and a token in it.",
    ),
    Option("--context", metavar="NAME", group=_CLUSTER, help="Which of its contexts (default: the current one)."),
    Option("--eks", metavar="CLUSTER", group=_CLUSTER, help="A cluster of EKS, with --region and --role-arn."),
    Option("--region", metavar="NAME", group=_CLUSTER, help="Where it is."),
    Option("--role-arn", metavar="ARN", group=_CLUSTER, help="The role of its account that lets the platform in."),
    Option("--agent", action="store_true", group=_CLUSTER, help="An agent beside the cluster does it (`install run`)."),
)  # fmt: skip
SAME_CLUSTER = Option(
    "--same-cluster", action="store_true", group=_CLUSTER,
    help="It is the cluster that it was, at another address or by another way: what is tracked in it stays tracked.",
)  # fmt: skip
INPUTS = Option(
    "--inputs", metavar="FILE", group=SETTINGS,
    help="Values for {{ .nuon.inputs.inputs.… }}: a TOML or JSON file with a table inputs.",
)  # fmt: skip


def find_install(here: Reached, named: str) -> dict[str, Any]:
    """The install of this name in the app, or of this id. Raises ``UsageError`` without an app, ``ApiRefused``."""
    asked = here.asked_api()
    if is_install_id(named):
        return asked.ask("GET", "installs", named).fields()
    return asked.ask("GET", "installs", _id_of(asked, here.named_app(), named)).fields()


def install_id(here: Reached, named: str) -> str:
    """Its id."""
    return named if is_install_id(named) else _id_of(here.asked_api(), here.named_app(), named)


def note_unknown(asked: Api, app: str, components: list[str]) -> None:
    """Tell which of ``components`` the app hasn't: they may come, and may be slips."""
    from byoa.errors import ApiRefused
    from byoa_cli.output import print_note

    for each in dict.fromkeys(components):
        try:
            asked.ask("GET", "apps", app, "components", each)
        except ApiRefused as refusal:
            if refusal.problem == "not_found":
                print_note(f"{app} has no component {each}; it is followed once there is one")


def is_install_id(named: str) -> bool:
    """Whether it is an install's id, and no name."""
    return _ID.fullmatch(named) is not None


def _id_of(asked: Api, app: str, name: str) -> str:
    from byoa.errors import ApiRefused

    for each in asked.listing("apps", app, "installs", query={"name": name}).items:
        if each.get("name") == name:
            return str(each.get("id"))
    raise ApiRefused(
        "The app has no install of that name.", remedy="`byoa installs list` shows all.", problem="not_found"
    )


def cluster_of(
    *, server: str | None, ca: str | None, server_name: str | None, token_stdin: bool, private: bool,
    kubeconfig: str | None, context: str | None, eks: str | None, region: str | None, role_arn: str | None,
    agent: bool,
) -> dict[str, Any] | None:  # fmt: skip
    """The cluster as the API takes it; ``None`` where no option names one. Raises ``UsageError`` for too many."""
    named = {"--server": server, "--kubeconfig": kubeconfig, "--eks": eks, "--agent": agent or None}
    given = [name for name, value in named.items() if value is not None]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} are two ways to one cluster: give one")
    _check_beside(given, server_of=(ca, server_name, token_stdin or None), eks_of=(region, role_arn), context=context)
    if server:
        if not token_stdin:
            raise UsageError("--server takes its token from stdin: add --token-stdin")
        token = sys.stdin.buffer.read(_LIMIT).decode("ascii", "replace").strip()
        authority = read_text(ca) if ca else None
        return _static(server, authority, server_name, token, private=private)
    if kubeconfig:
        from byoa.installs.access import read_kubeconfig

        access = read_kubeconfig(read_text(kubeconfig), context)
        return _static(f"https://{access.authority}", access.ca, access.server_name, access.token, private=private)
    if eks:
        if not region or not role_arn:
            raise UsageError("--eks wants --region and --role-arn")
        return {"kind": "eks", "cluster": eks, "region": region, "role_arn": role_arn}
    return {"kind": "agent"} if agent else None


def _check_beside(
    given: list[str], *, server_of: tuple[Any, ...], eks_of: tuple[Any, ...], context: str | None
) -> None:
    """Raise ``UsageError`` for an option that says something of another way."""
    way = given[0] if given else ""
    if any(server_of) and way != "--server":
        raise UsageError("--ca, --server-name and --token-stdin belong to --server")
    if any(eks_of) and way != "--eks":
        raise UsageError("--region and --role-arn belong to --eks")
    if context and way != "--kubeconfig":
        raise UsageError("--context belongs to --kubeconfig")


def _static(server: str, ca: str | None, name: str | None, token: str, *, private: bool) -> dict[str, Any]:
    return {
        "kind": "static", "server": server, "ca": ca, "server_name": name, "private": private or _is_inside(server),
        "token": token,
    }  # fmt: skip


def _is_inside(server: str) -> bool:
    """Whether a server is named by an address that isn't public: who writes that says that it is private.

    A name is another matter: it may begin to lead inside without anybody saying so.
    """
    from byoa.trust.addresses import is_address, is_public

    try:
        host = urlsplit(server).hostname or ""
    except ValueError:  # which the API says in words
        return False
    return is_address(host) and not is_public(host)
