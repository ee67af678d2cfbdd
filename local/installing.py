"""The demo's second half: a component goes to the desk's cluster, changes there, drifts and is mended."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Final

from byoa.bootstrap import terminal
from byoa.installs.access import Access
from byoa.installs.objects import Kind, Place
from local import members
from local.processes import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from local.desk import Desk

APP: Final = "installed"
INSTALL: Final = "acme"
COMPONENT: Final = "settings"
_CONFIG_MAPS: Final = Kind("", "v1", "ConfigMap", "configmaps", namespaced=True)
_SETTINGS: Final = Place(_CONFIG_MAPS, "vendor", "settings")


def install(
    running: Desk, member: Mapping[str, str], folder: Path, say: Callable[[str], None], *, quiet: bool
) -> list[str]:
    """How four deploys ended and what a look for drift found, in order: all by `byoa`, at the API."""
    person = {**member, "BYOA_APP": APP}
    shown = {"quiet": quiet}
    _sync(person, folder, colour="blue", old=True)
    create = ["installs", "create", INSTALL, "--server", running.cluster, "--ca", str(running.cluster_ca)]
    members.run([*create, "--token-stdin", "--private", "--approve-all"], person, running.ports.cluster_token)
    say(f"made the install {INSTALL} of {running.cluster} (byoa installs create)")
    ended = [_ask("deploy", person, **shown)]
    _sync(person, folder, colour="green", old=False)
    say("synced another version: one object changes and one goes")
    ended.append(_ask("deploy", person, **shown))
    _edit(running)
    say("changed an object in the cluster by hand")
    ended.append(_ask("drift", person, **shown))
    ended.append(_ask("deploy", person, **shown))
    return ended


WANTED: Final = ["active", "active", "drift-detected", "active"]


def _sync(person: Mapping[str, str], folder: Path, *, colour: str, old: bool) -> None:
    """Hand in a version of the one component and wait for its build."""
    components = folder / "components"
    components.mkdir(parents=True, exist_ok=True)
    objects = [("settings", colour), ("limits", "10"), ("names", "web"), *([("old", "yes")] if old else [])]
    manifest = "---\n".join(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: '{value}'\n"
        for name, value in objects
    )
    (components / f"{COMPONENT}.toml").write_text(
        f'name = "{COMPONENT}"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\nmanifest = """\n{manifest}"""\n'
    )
    members.run(["sync", str(folder), "--timeout", "5"], person)


def _ask(verb: str, person: Mapping[str, str], *, quiet: bool) -> str:
    """The status that a command of installs ends with; shown as people see it, and asked for by its JSON if quiet."""
    command = [members.BYOA, "installs", verb, INSTALL, COMPONENT, *(["--json"] if quiet else [])]
    done = members.seen(command, person, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    if quiet:
        return str(json.loads(done.stdout)["status"])
    print(done.stdout, end="", flush=True)
    return _status(person)


def _status(person: Mapping[str, str]) -> str:
    found: dict[str, Any] = json.loads(members.run(["installs", "get", INSTALL, COMPONENT, "--json"], person))
    return str(found["status"])


def _edit(running: Desk) -> None:
    """What somebody does with kubectl."""
    access = Access(LOOPBACK, running.ports.cluster, running.cluster_ca.read_text(), running.ports.cluster_token)
    cluster = terminal.cluster(access)
    live = cluster.get(_SETTINGS) or {}
    cluster.replace(_SETTINGS, {**live, "data": {"value": "red"}})
