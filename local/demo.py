"""The main job on real input: what vendors push, synced through the API, built by the deployed pipeline, compared."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from byoa.bootstrap import terminal
from byoa.engine.copying import copy
from byoa.oci.graph import blobs_of, children_of
from byoa.oci.reference import Reference, Registry
from byoa.trust.credentials import Credential
from local import installing, members, private
from local.desk import ORGANISATION, ROOT, STATE, Desk, Ports, desk
from local.private import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from byoa.engine.ports import Source
    from byoa.oci.manifest import Descriptor, Manifest

ARTIFACTS = ROOT / "tests" / "data" / "artifacts"
FORMATS = ("kustomizer", "flux", "oras-directory", "oras-file", "oras-many")
TAG = "v2.3.1"
BLOCK = 1024 * 1024


def demo(*, as_json: bool, enforce_iam: bool) -> int:
    """Run it all and leave nothing running; 0 only when every build is active and every byte the same."""
    started = time.monotonic()
    say = _to_stderr if as_json else print
    STATE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="demo-", dir=STATE) as name:
        folder = Path(name)
        with desk(folder, Ports.free(), enforce_iam=enforce_iam, say=say) as running:
            wanted = {place.component: place for place in (*public(running), *private.places(running))}
            for place in wanted.values():
                push(place)
                say(f"pushed {place.host}/{place.repository}:{place.tag}")
            member = begin(running, folder / "home", say)
            for place in store(running, member, [each for each in wanted.values() if each.credentials]):
                say(f"stored {place.credentials} for {place.host} (byoa credentials set)")
            components = write_components(wanted.values(), folder / "app" / "components")
            synced = sync(member, components.parent, quiet=as_json)
            builds = [check(running, each, wanted[each["component"]]) for each in synced]
            say("pulled every mirror back from ECR and compared it with the source")
            installed = installing.install(running, member, folder / "installed", say, quiet=as_json)
    complete = [build["component"] for build in builds] == sorted(wanted)
    ok = complete and all(build["status"] == "active" and build["same"] for build in builds)
    ok = ok and installed == installing.WANTED
    _report(builds, installed, ok=ok, seconds=time.monotonic() - started, as_json=as_json)
    return 0 if ok else 1


def public(running: Desk, layouts: Iterable[str] = FORMATS) -> list[Place]:
    """Where the vendor's registry has what the vendors' real tools made, for everybody."""
    host = running.vendor
    return [Place(layout, layout, host, host, f"vendor/{layout}", TAG) for layout in layouts]


def push(place: Place) -> None:
    """Put one of the layouts that the vendors' real tools made where its place is."""
    layout = terminal.layout(ARTIFACTS / place.layout)
    reference = Reference.parse(f"oci://{place.address}/{place.repository}:{place.tag}")
    target = terminal.repository(reference, "target", place.login, plain_http=True)
    copy(layout, target, layout.fetch_manifest(TAG), tag=place.tag)


def begin(running: Desk, home: Path, say: Callable[[str], None]) -> dict[str, str]:
    """The organisation's first token, made with AWS credentials, and a login with it, which is all that comes after."""
    token = members.bootstrap(running)
    say(f"made the first token of {ORGANISATION} (byoa admin bootstrap)")
    member = members.log_in(running, token, home)
    say(f"logged in to {running.api} (byoa login)")
    return member


def store(running: Desk, member: Mapping[str, str], places: list[Place]) -> list[Place]:
    """Store the logins of private places, all at once: each time the command line starts anew."""
    with ThreadPoolExecutor(len(places)) as pool:
        deque(pool.map(lambda place: private.store(running, place, member), places), maxlen=0)
    return places


def write_components(places: Iterable[Place], folder: Path) -> Path:
    """One component file for each place, naming its artifact by tag."""
    folder.mkdir(parents=True)
    for place in places:
        credentials = f'credentials_ref = "{place.credentials}"\n' if place.credentials else ""
        (folder / f"{place.component}.toml").write_text(
            f"# kubernetes-manifest\n"
            f'name = "{place.component}"\n'
            f'type = "kubernetes_manifest"\n'
            f'namespace = "vendor"\n\n'
            f"[oci_artifact]\n"
            f'url = "oci://{place.host}/{place.repository}"\n'
            f'tag = "{place.tag}"\n'
            f"{credentials}"
        )
    return folder


def sync(member: Mapping[str, str], app: Path, *, quiet: bool) -> list[dict[str, Any]]:
    """What `byoa sync` says of its builds; its progress is shown as it comes."""
    command = [members.BYOA, "sync", str(app), "--timeout", "5"]
    if not quiet:
        members.seen(command, member)
    done = members.seen([*command, "--json"], member, stdout=subprocess.PIPE)
    components: list[dict[str, Any]] = json.loads(done.stdout)["components"]
    return sorted(components, key=lambda each: str(each["component"]))


def check(running: Desk, build: dict[str, Any], place: Place) -> dict[str, Any]:
    """The build, and whether its mirror holds the same bytes as the layout that was pushed to ``place``."""
    build = {**build, "tag": place.tag}
    if build["status"] != "active":
        return {**build, "mirror": None, "same": False}
    reference = build["mirrors"][0]["reference"]
    mirror = _mirror(running, Reference.parse(reference))
    layout = terminal.layout(ARTIFACTS / place.layout)
    origin = layout.fetch_manifest(TAG)
    same = str(origin.digest) == build["digest"] and _same(layout, mirror, origin)
    return {**build, "mirror": reference, "same": same}


def _mirror(running: Desk, reference: Reference) -> Source:
    """The mirror as an install would pull it: with a token from ECR, at the address where the desk serves it."""
    client = running.client("ecr")
    with contextlib.closing(client):
        token = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    username, _, password = _decoded(token).partition(":")
    served = Reference(Registry.parse(running.ecr), reference.repository)
    return terminal.repository(served, "source", Credential(username, password), plain_http=True)


def _decoded(token: str) -> str:
    return base64.b64decode(token).decode()


def _same(one: Source, other: Source, manifest: Manifest) -> bool:
    """Whether every manifest and every blob below ``manifest`` has the same bytes in both."""
    if other.fetch_manifest(manifest.digest).content != one.fetch_manifest(manifest.digest).content:
        return False
    blobs = all(_bytes(one, blob) == _bytes(other, blob) for blob in blobs_of(manifest))
    return blobs and all(_same(one, other, one.fetch_manifest(child.digest)) for child in children_of(manifest))


def _bytes(source: Source, blob: Descriptor) -> bytes:
    found, block = bytearray(), memoryview(bytearray(BLOCK))
    with source.open_blob(blob) as content:
        while count := content.readinto(block):
            found += block[:count]
    return bytes(found)


def _report(builds: list[dict[str, Any]], installed: list[str], *, ok: bool, seconds: float, as_json: bool) -> None:
    if as_json:
        shown = [{name: build[name] for name in _SHOWN} for build in builds]
        print(json.dumps({"ok": ok, "builds": shown, "installed": installed, "seconds": round(seconds, 3)}))
        return
    grid = Table("component", "tag", "pinned digest", "mirror reference", "resources", "seconds", "bytes", box=None)
    for build in builds:
        digest = f"{str(build['digest'])[:19]}…"
        same = "same" if build["same"] else "DIFFERENT"
        mirror = str(build["mirror"]).partition("@")[0]
        grid.add_row(
            build["component"], build["tag"], digest, mirror, str(build["resources"]), str(build["seconds"]), same
        )
    width = max(shutil.get_terminal_size().columns, 200)
    Console(width=width).print(grid)
    print("to look at all this in a browser: make up prints the dashboard's address and a link to sign in with")
    print(f"{'ok' if ok else 'NOT ok'}: {len(builds)} builds, {len(installed)} deploys and looks in {seconds:.1f} s")


_SHOWN = ("component", "status", "digest", "mirror", "resources", "seconds")


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr)
