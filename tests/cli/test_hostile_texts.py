"""Texts of strangers on their way to a terminal: none of them steers it, passes for a line of ours, or vanishes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.layout import LayoutRepository
from byoa.bootstrap import terminal
from byoa.builds.messages import Failure, HistoryEntry, MirroredArtifact, Outcome
from byoa.builds.ports import Accepted
from byoa.components.reading import check_config
from byoa.engine.mirroring import Wanted, mirror
from byoa.errors import ReferenceNotFound
from byoa.oci.digest import Digest
from byoa.oci.manifest import OCI_INDEX, OCI_MANIFEST, TITLE, read_manifest
from byoa_cli import output
from byoa_cli.main import run
from byoa_cli.printable import styled, visible
from local.registry import Request, Response
from tests.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.builds.messages import Build
    from byoa.components.reading import ComponentConfig

BYOA: Final = Path(sys.executable).with_name("byoa")
EVIL: Final = (
    "\x1b]8;;http://evil/\x1b\\\x1b[2J\x07\x9b31m\u202e\u2066\u200b\ufeff\x7f\r\nfinished: all mirrored[/][bold]:bug:"
)
"""A link, an empty screen, a bell, C1, other directions of writing, no width, a line that isn't ours, style, emoji."""

STYLE: Final = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[lh]|\r?\x1b\[1A|\x1b\[2K")
"""What rich itself sends: styles, and the ways of a spinner."""

ORG: Final = "org_demo00000000"
STACK: Final = ("--org", ORG, "--table", "t")


def check(said: str) -> None:
    """Nothing is there but what can be seen, line ends of ours, and styles of ours."""
    for line in STYLE.sub("", said).splitlines():
        assert line.isprintable(), repr(line)
        assert not line.startswith("finished:")


def shown(said: str) -> bool:
    """Whether the text came, as it is but for what can't be seen."""
    return "[/][bold]:bug:" in said


# The one place


@given(st.text())
def test_what_is_visible_is_printable_and_else_as_it_was(text: str) -> None:
    assert visible(text).isprintable()
    assert visible(text) == text or not text.isprintable()
    assert styled((text, "red"), text).plain == visible(text) * 2


@pytest.mark.parametrize(
    "text", ["[kustomize]", "[/]", "oci://[fd00::1]:5000/a", ":bug:", "\\[x]", "[bold]x[/bold]", "a\\"]
)
@pytest.mark.parametrize("console", [output.out, output.err])
def test_brackets_come_out_as_they_are_written(
    text: str, console: Callable[[], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    console().print(text)
    console().print(styled((text, "red")))
    said = capsys.readouterr()
    assert (said.out + said.err).splitlines() == [text, text]


def test_a_text_that_nobody_made_visible_is_made_so_by_the_console(capsys: pytest.CaptureFixture[str]) -> None:
    grid = Table("NAME", box=None)
    grid.add_row(EVIL)
    output.out().print(EVIL)
    output.out().print(grid)
    said = capsys.readouterr().out
    check(said)
    assert shown(said)


# Commands without a table


def byoa(*arguments: str | Path, home: Path, colours: bool = False) -> tuple[int, str]:
    """The exit code, and all that was said; ``colours`` as on a terminal."""
    environment = {"PATH": os.defpath, "HOME": str(home), "DOCKER_CONFIG": str(home), "COLUMNS": "400"}
    environment |= {"FORCE_COLOR": "1"} if colours else {}
    done = subprocess.run([BYOA, *arguments], capture_output=True, env=environment, cwd=home, timeout=60, check=False)
    said = (done.stdout + done.stderr).decode()
    assert "Traceback" not in said, said
    return done.returncode, said


@pytest.fixture
def registry() -> Iterator[Scripted]:
    with Scripted() as made:
        yield made


def texts() -> MemoryRepository:
    """An artifact of which every text is hostile that may be: kinds, names, images, annotations."""
    name = json.dumps(EVIL)
    layer = (
        f'{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": {name}, "namespace": {name}}},'
        f' "spec": {{"containers": [{{"image": {name}}}]}}}}'
    ).encode()
    config = b"{}"
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": described(config, "application/vnd.oci.empty.v1+json"),
        "layers": [described(layer, "application/yaml", annotations={TITLE: f"{EVIL}.yaml"})],
        "annotations": {"org.opencontainers.image.description": EVIL},
    }
    made = MemoryRepository({Digest.of(each): each for each in (layer, config)})
    made.push_manifest(read_manifest(json.dumps(document).encode(), OCI_MANIFEST), "v1")
    return made


def described(content: bytes, media_type: str, **more: object) -> dict[str, object]:
    return {"mediaType": media_type, "digest": str(Digest.of(content)), "size": len(content), **more}


def strange(request: Request) -> Response | None:
    """Tags, errors and headers of a registry that speaks to terminals."""
    if "/tags/" in request.path:
        return Response(200, [], json.dumps({"tags": ["v1", EVIL, EVIL[:3]]}).encode())
    body = json.dumps({"errors": [{"code": EVIL, "message": EVIL, "detail": EVIL}]}).encode()
    return Response(400, [("Content-Type", "application/json")], body) if "v9" in request.path else None


@pytest.fixture
def place(registry: Scripted, tmp_path: Path) -> dict[str, Any]:
    """A layout of hostile texts, a folder of components with hostile names, an index of hostile platforms."""
    mirror(texts(), LayoutRepository(tmp_path / "layout"), Wanted("v1", "v1"))
    platforms = texts()
    child = platforms.fetch_manifest("v1")
    listed = described(child.content, OCI_MANIFEST, platform={"os": EVIL[:60], "architecture": EVIL[:60]})
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [listed]}
    platforms.push_manifest(read_manifest(json.dumps(index).encode(), OCI_INDEX), "v1")
    mirror(platforms, LayoutRepository(tmp_path / "platforms"), Wanted("v1", "v1"))
    app = tmp_path / "app\x1b[31m\u202e[/]"
    app.mkdir(parents=True)
    (app / "a\x1b]8;;x\x07\n\u200b[red].toml").write_text(f"name = {json.dumps(EVIL)}\n")
    (app / "b.toml").write_text('name = "web"\ntype = "kubernetes_manifest"\n["\x85\\u001b[2J\\u202e"]\nx = 1\n')
    (tmp_path / "pairs").write_text(f"a {EVIL}\noci://\x1b[2J oci://\x1b[2J/a:v1\n")
    registry.script = strange
    return {"folder": tmp_path, "app": app, "address": registry.address}


COMMANDS: Final[list[str]] = [
    "validate APP",
    "validate APP --json",
    "inspect oci-layout:layout:v1",
    "inspect oci-layout:layout:v1 --json",
    "inspect oci-layout:app\x1b[2J",
    "resolve oci-layout:layout:v1",
    "resolve oci-layout:layout:\x1b[2J",
    "resolve oci://HOST/\x1b[2J:v1",
    "resolve oci://HOST/a:v9 --plain-http HOST",
    "resolve oci://HOST/a:v9 --plain-http HOST --json",
    "mirror oci://HOST/a oci://HOST/b --all-tags --plain-http HOST",
    "mirror oci://HOST/a oci://HOST/b --all-tags --plain-http HOST --json",
    "mirror oci-layout:layout:v1 oci://HOST/b --plain-http HOST",
    "mirror oci-layout:layout:v1 oci://HOST/b --plain-http HOST --plan",
    "mirror oci-layout:layout:v1 oci-layout:new\x1b[2J\u202e --plan",
    "mirror oci-layout:layout:v1 oci-layout:new\x1b[2J\u202e --json",
    "mirror oci-layout:platforms:v1 oci://HOST/b --plain-http HOST --platform linux/amd64",
    "mirror oci-layout:platforms:v1 oci://HOST/b --plain-http HOST --platform \x1b[2J",
    "mirror --from pairs",
    "mirror --from pairs --json",
    "mirror \x1b[2J --nonsense\x1b[2J",
    "\x1b[2J\u202e",
    "receipt verify \x1b[2J --key \x1b[2J",
    "receipt verify pairs --key pairs",
    "sync no\x1b[2J --org \x1b[2J --app x",
    "builds get \x1b[2J\u202e --org \x9b",
    "schema",
]


@pytest.mark.parametrize("colours", [False, True], ids=["plain", "in colours"])
@pytest.mark.parametrize("command", COMMANDS, ids=ascii)
def test_no_text_of_a_stranger_steers_the_terminal(command: str, colours: bool, place: dict[str, Any]) -> None:  # noqa: FBT001
    words = [word.replace("HOST", place["address"]).replace("APP", str(place["app"])) for word in command.split(" ")]
    code, said = byoa(*words, home=place["folder"], colours=colours)
    check(said)
    assert said or code == 0


def test_what_is_no_tag_is_told_once_and_the_others_are_mirrored(registry: Scripted, tmp_path: Path) -> None:
    source = f"oci://{registry.address}/a"
    plain = ("--plain-http", registry.address)
    mirror(texts(), LayoutRepository(tmp_path / "layout"), Wanted("v1", "v1"))
    byoa("mirror", "oci-layout:layout:v1", source, *plain, home=tmp_path)
    registry.script = strange
    code, said = byoa("mirror", source, f"oci-layout:{tmp_path}/new", "--all-tags", *plain, home=tmp_path)
    assert code == 0
    assert "2 names that no tag can have are passed over" in said
    assert LayoutRepository(tmp_path / "new").all_tags().names == ("v1",)


# Commands that read the table


class Spoilt(MemoryLedger):
    """A ledger that takes no new version once it has one: it tells of that."""

    def submit(self, organisation: str, app: str, config: ComponentConfig, **more: Any) -> Accepted:
        if self.records:
            return Accepted(next(iter(self.records.values())), created=False)
        return super().submit(organisation, app, config, **more)


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> MemoryLedger:
    """A ledger instead of the table."""
    made = Spoilt(SteppingClock())
    monkeypatch.setattr(terminal, "catalogue", lambda _: made)
    return made


def spoil(ledger: MemoryLedger, folder: Path, status: str) -> Build:
    """A build of the table with every text of it hostile."""
    text = 'name = "web"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\n'
    text += 'manifest = "{apiVersion: v1, kind: A, metadata: {name: a}}"\n'
    (folder / "web.toml").write_text(text)
    config = check_config(text).config
    assert config
    build = ledger.submit(ORG, "shop", config).build
    failure = Failure(code="SourceKindUnsupported", cause=EVIL, remedy=EVIL)
    told: dict[str, Any] = {"status": status, "failure": failure, "tag": EVIL, "digest": EVIL, "inspection": None}
    mirror: dict[str, Any] = {"target": EVIL, "reference": EVIL, "tag": EVIL, "digest": EVIL}
    outcome = Outcome.model_construct(**told, mirrors=[MirroredArtifact.model_construct(**mirror)])
    said: dict[str, Any] = {"status": status, "status_human_description": EVIL, "metadata": {"text": EVIL}}
    entry = HistoryEntry.model_construct(**said, created_at_ts=1)
    changes = {"history": [entry], "outcome": outcome, "status": status, "status_human_description": EVIL}
    ledger.records[build.key] = build.model_copy(update={**changes, "reference": EVIL})
    ledger.newest[ORG, "shop", EVIL] = 1
    ledger.executions[build.key] = "one"
    ledger.receipts[build.key, "one"] = json.dumps(
        {"payloadType": EVIL, "payload": "", "signatures": []}, ensure_ascii=False
    )
    return ledger.records[build.key]


@pytest.mark.parametrize("colours", [False, True], ids=["plain", "in colours"])
@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["text", "json"])
@pytest.mark.parametrize("status", ["error", "active", "superseded"])
@pytest.mark.parametrize(
    "command",
    [
        ("builds", "list", *STACK, "--app", "shop"),
        ("builds", "get", "BUILD", *STACK),
        ("sync", "FOLDER", *STACK, "--app", "shop"),
    ],
    ids=["builds list", "builds get", "sync"],
)
def test_no_text_of_the_table_steers_the_terminal(  # noqa: PLR0917 - all ways to be told
    command: tuple[str, ...],
    status: str,
    as_json: tuple[str, ...],
    colours: bool,  # noqa: FBT001
    ledger: MemoryLedger,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if colours:
        monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "1000")
    for console in (output.out, output.err):
        console.cache_clear()
    build = spoil(ledger, tmp_path, status)
    words = [{"BUILD": build.build_id, "FOLDER": str(tmp_path)}.get(word, word) for word in command]
    monkeypatch.setattr(sys, "argv", ["byoa", *words, *as_json])
    with pytest.raises(SystemExit):
        run()
    said = "".join(capsys.readouterr())
    for console in (output.out, output.err):
        console.cache_clear()
    check(said)
    assert shown(said)


def test_an_envelope_with_more_than_letters_in_it_is_printed_with_escapes(
    ledger: MemoryLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    build = spoil(ledger, tmp_path, "active")
    monkeypatch.setattr(sys, "argv", ["byoa", "receipt", "get", build.build_id, *STACK])
    with pytest.raises(SystemExit):
        run()
    said = capsys.readouterr().out
    check(said)
    assert not said or json.loads(said)["payloadType"] == EVIL


def test_an_error_that_quotes_a_stranger_shows_what_it_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    error = ReferenceNotFound(EVIL, remedy=EVIL, where=EVIL)
    output.print_error(error, as_json=False)
    output.print_error(error, as_json=True)
    said = "".join(capsys.readouterr())
    check(said)
    assert shown(said)
