"""In GitHub Actions: annotations at the lines that are wrong, and tables in the step's summary."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.bootstrap import terminal as bootstrap
from byoa.components.faults import Fault
from byoa_cli.actions import ROW_LIMIT, annotation, markdown, summarise_builds
from byoa_cli.printable import visible
from byoa_cli.syncing import sync
from tests.terminal import BYOA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SOUND = 'name = "web"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\n'
SOUND += '[oci_artifact]\nurl = "oci://ghcr.io/vendor/web"\ntag = "v1"\n'
FAULTY = SOUND.replace('tag = "v1"', 'credential_ref = "x"\ntag = "-"')
COMMAND = re.compile(r"::error file=([^:,]*),line=(\d+),col=(\d+),title=([a-z_]+)::([^\r\n]*)")


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def annotations(self) -> list[tuple[str, ...]]:
        """What the runner would read of the step's log: lines that begin with a command."""
        lines = (self.out + self.err).splitlines()
        found = [COMMAND.fullmatch(line) for line in lines if line.startswith("::")]
        return [tuple(unquote(part) for part in match.groups()) for match in found if match]


type Byoa = Callable[..., Done]


@pytest.fixture
def byoa(tmp_path: Path) -> Byoa:
    """Runs the command in the app's folder, as a step of a workflow does."""

    def run(*arguments: str, **variables: str) -> Done:
        environment = {"PATH": os.defpath, "HOME": str(tmp_path), "COLUMNS": "200", "GITHUB_ACTIONS": "true"}
        done = subprocess.run(
            [BYOA, *arguments],
            capture_output=True,
            text=True,
            env=environment | variables,
            cwd=tmp_path,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def components(tmp_path: Path) -> Path:
    folder = tmp_path / "shop" / "components"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    "command", [["validate"], ["sync", "--org", "org_0123456789ab", "--app", "shop", "--table", "t"]], ids=" ".join
)
def test_each_fault_is_an_annotation_at_its_line(command: list[str], byoa: Byoa, components: Path) -> None:
    (components / "web.toml").write_text(FAULTY)
    (components / "xml.toml").write_text("<name>")
    done = byoa(*command, "shop", AWS_DEFAULT_REGION="us-east-1")
    assert done.code == 1
    assert [found[:4] for found in done.annotations] == [
        ("shop/components/web.toml", "7", "1", "tag_invalid"),
        ("shop/components/web.toml", "6", "1", "field_unknown"),
        ("shop/components/xml.toml", "1", "1", "toml_invalid"),
    ]
    assert done.annotations[1][4] == (
        "oci_artifact.credential_ref: unknown field 'credential_ref', did you mean 'credentials_ref'?"
        "\nnext: Write credentials_ref, or remove it."
    )


def test_files_are_named_from_the_workspace(byoa: Byoa, components: Path, tmp_path: Path) -> None:
    (components / "web.toml").write_text(FAULTY)
    for workspace, place in ((tmp_path / "shop", "components/web.toml"), (tmp_path.parent, None)):
        done = byoa("validate", "shop", GITHUB_WORKSPACE=str(workspace))
        assert done.annotations[0][0] == (place or f"{tmp_path.name}/shop/components/web.toml")


def test_json_stays_one_document(byoa: Byoa, components: Path) -> None:
    (components / "web.toml").write_text(FAULTY)
    done = byoa("validate", "shop", "--json")
    assert json.loads(done.out)["valid"] is False
    assert len(done.annotations) == 2


def test_elsewhere_and_where_all_is_well_nothing_is_annotated(byoa: Byoa, components: Path) -> None:
    (components / "web.toml").write_text(FAULTY)
    assert "::" not in byoa("validate", "shop", GITHUB_ACTIONS="").err
    (components / "web.toml").write_text(SOUND)
    assert byoa("validate", "shop") == Done(0, "all configs valid (1)\n", "")


def test_a_file_s_name_ends_no_annotation_and_moves_no_cursor(byoa: Byoa, components: Path) -> None:
    names = ["a\n::error::b", "c\r\x1b[2J", "d,line=9::e", "f%0Ag", "[red]h"]
    for name in names:
        (components / f"{name}.toml").write_text(FAULTY)
    done = byoa("validate", "shop")
    assert done.code == 1
    assert "\x1b" not in done.out + done.err
    assert "\r" not in done.out + done.err
    found = {annotation[0] for annotation in done.annotations}
    assert found == {
        f"shop/components/{name}.toml" for name in ["a\n::error::b", "c\r\\x1b[2J", "d,line=9::e", "f%0Ag", "[red]h"]
    }
    assert "[red]h.toml" in done.err


@given(st.text(), st.text(), st.text())
def test_an_annotation_is_one_printable_line_whatever_it_says(place: str, message: str, field: str) -> None:
    fault = Fault("field_value", field, message, "Mend it.", line=3, column=4)
    told = annotation(place.replace("\0", "") or "a", fault)  # type: ignore[arg-type]
    assert told.isprintable()
    assert re.fullmatch(r"::error file=[^:,]+,line=3,col=4,title=field_value::.*", told)


# ---- the step's summary ------------------------------------------------------------------------------------------


def _tables(text: str) -> list[list[list[str]]]:
    """The tables of a Markdown text as GitHub shows them: rows of cells of plain text."""
    tables: list[list[list[str]]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type == "inline" and tables and token.level > 1:
            assert token.children is not None
            assert {child.type for child in token.children} <= {"text", "text_special"}, token.content
            tables[-1][-1].append("".join(child.content for child in token.children))
    return tables


def test_the_summary_lists_what_was_validated(byoa: Byoa, components: Path, tmp_path: Path) -> None:
    (components / "a.toml").write_text(FAULTY)
    (components / "b.toml").write_text(SOUND.replace('"web"', '"db"'))
    summary = tmp_path / "summary.md"
    summary.write_text("what another step wrote\n\n")
    byoa("validate", "shop", "--json", GITHUB_STEP_SUMMARY=str(summary))
    assert summary.read_text().startswith("what another step wrote\n\n### byoa validate\n")
    files, faults = _tables(summary.read_text())
    assert files == [
        ["Component", "File", "Source", "Result"],
        ["web", "shop/components/a.toml", "oci_artifact", "2 faults"],
        ["db", "shop/components/b.toml", "oci_artifact", "valid"],
    ]
    assert [row[:2] for row in faults] == [
        ["Where", "Code"],
        ["shop/components/a.toml:7:1", "tag_invalid"],
        ["shop/components/a.toml:6:1", "field_unknown"],
    ]


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> MemoryLedger:
    """A ledger instead of the table."""
    made = MemoryLedger(SteppingClock())
    monkeypatch.setattr(bootstrap, "catalogue", lambda table: made)
    return made


def test_the_summary_lists_what_was_synced(
    ledger: MemoryLedger, components: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    arguments = ["--org", "org_0123456789ab", "--app", "shop", "--table", "t", "--no-wait", str(components)]
    (components / "web.toml").write_text(SOUND)
    assert sync.call("byoa sync", arguments) == 0
    assert sync.call("byoa sync", arguments) == 0
    first, second = _tables(summary.read_text())
    assert first[0] == ["Component", "Version", "Status", "Pinned", "What happened"]
    assert first[1][:4] == ["web", "1", "queued", ""]
    assert second[1] == ["web", "1", "queued", "", "unchanged"]


def test_a_sync_of_faulty_files_is_summarised_as_such(byoa: Byoa, components: Path, tmp_path: Path) -> None:
    (components / "web.toml").write_text(FAULTY)
    summary = tmp_path / "summary.md"
    arguments = ["--org", "org_0123456789ab", "--app", "shop", "--table", "t"]
    byoa("sync", "shop", *arguments, GITHUB_STEP_SUMMARY=str(summary), AWS_DEFAULT_REGION="us-east-1")
    assert _tables(summary.read_text())[0][1][3] == "2 faults"


def test_a_summary_that_can_t_be_written_is_a_note(byoa: Byoa, components: Path, tmp_path: Path) -> None:
    (components / "web.toml").write_text(SOUND)
    done = byoa("validate", "shop", GITHUB_STEP_SUMMARY=str(tmp_path / "no" / "folder.md"))
    assert (done.code, done.out) == (0, "all configs valid (1)\n")
    assert "the step's summary can't be written: No such file" in done.err


def test_a_summary_of_very_many_rows_says_how_many_it_leaves_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    summarise_builds("many", [["a", "1", "queued", "", ""]] * (ROW_LIMIT + 7))
    text = (tmp_path / "summary.md").read_text()
    assert len(_tables(text)[0]) == ROW_LIMIT + 1
    assert "and 7 more" in text


@given(st.text() | st.text(alphabet="|`*_[]()<>&\\#!~-. \n"))
def test_a_cell_shows_its_text_as_it_is(text: str) -> None:
    shown: Any = _tables(f"| a | b |\n| --- | --- |\n| {markdown(text)} | end |")[0][1]
    assert shown == [visible(text).strip(), "end"]
