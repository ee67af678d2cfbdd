"""What README and documentation show is so: files are read, sessions are run as far as this machine can."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from byoa.components.reading import check_config
from byoa.content.documents import read_resources
from byoa.errors import DocumentInvalid
from local.registry import Registry
from tests.docs.blocks import PAGES, ROOT, Block, blocks, every
from tests.docs.sessions import fits, run, runnable, steps

if TYPE_CHECKING:
    from pathlib import Path

LANGUAGES = {"toml", "yaml", "console", "json", "text", "http"}
WORKFLOWS = {
    ".github/workflows/release.yml": "github",
    ".github/workflows/check.yml": "github",
    ".gitlab-ci.yml": "gitlab",
}
"""Files that tests/ci runs, each with the example that has it."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_is_in_a_language_that_is_checked(page: Path) -> None:
    assert {block.language for block in blocks(page)} <= LANGUAGES


@pytest.mark.parametrize("block", every("toml"), ids=str)
def test_a_toml_block_is_a_valid_component_or_has_the_fault_that_it_says(block: Block) -> None:
    faults = [fault.code for fault in check_config(block.text).faults]
    assert faults == block.told.get("fault", "").split()


@pytest.mark.parametrize("block", every("yaml"), ids=str)
def test_a_yaml_block_is_kubernetes_objects_or_what_builds_them_or_an_example_s_workflow(block: Block) -> None:
    file = block.told.get("file", "")
    if file in WORKFLOWS:
        assert block.text == (ROOT / "examples" / WORKFLOWS[file] / file).read_text()
    elif file.endswith("kustomization.yaml"):
        with pytest.raises(DocumentInvalid, match="kustomization"):
            read_resources(block.text.encode())
    else:
        assert read_resources(block.text.encode())


@pytest.mark.parametrize("block", every("json"), ids=str)
def test_a_json_block_is_json(block: Block) -> None:
    assert json.loads(block.text)


@pytest.mark.parametrize("block", every("console"), ids=str)
def test_a_session_runs_as_it_is_shown(block: Block, tmp_path: Path) -> None:
    shown = steps(block.text)
    can, missing = runnable(shown)
    if can:
        with Registry() as registry:
            done = run(block, can, tmp_path, registry.address)
        assert len(done) == len(can), done
        for number, (step, (code, printed)) in enumerate(zip(can, done, strict=True), 1):
            last = number == len(shown)
            assert code == int(block.told.get("exit", "0") if last else "0"), f"{step.command}: {code}\n{printed}"
            assert not step.output or fits(step.output, printed), f"{step.command} printed\n{printed}"
    if missing:
        pytest.skip(missing)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [("one", "one"), ("one …", "one and two"), ("one\n…", "one\ntwo\nthree"), ("one\n…\nthree", "one\nthree")],
)
def test_an_ellipsis_stands_for_any_text(shown: str, printed: str) -> None:
    assert fits(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("one", "two"),
        ("one", "one\ntwo"),
        ("one …", "two and one"),
        ("one\n…\nfour", "one\ntwo\nthree"),
        ("o.e", "one"),
    ],
)
def test_what_is_shown_and_not_printed_is_found(shown: str, printed: str) -> None:
    assert not fits(shown, printed)


@pytest.mark.parametrize(
    "command",
    [
        "byoa nothing",
        "byoa mirror --nothing",
        "make nothing",
        "make demo NOTHING=1",
        "sam build --nothing",
        "docker ps",
    ],
)
def test_a_call_that_there_is_not_is_found(command: str) -> None:
    with pytest.raises(AssertionError):
        runnable(steps(f"$ {command}\n"))
