"""Sessions of the documentation at an API: an admin of an organisation that has nothing yet, and GitHub's keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.api.loopback import listening
from tests.api.served import ORG
from tests.docs.blocks import ROOT, Block, every
from tests.docs.sessions import fits, run, steps
from tests.issuer import issuing

if TYPE_CHECKING:
    from pathlib import Path

SHOWN = "https://api.byoa.example.com"
AT_AN_API = [block for block in every("console") if block.told.get("on") == "api"]


@pytest.mark.parametrize("block", AT_AN_API, ids=str)
def test_a_session_at_an_api_runs_as_it_is_shown(block: Block, tmp_path: Path) -> None:
    shown = steps(block.text)
    with listening() as api, issuing() as issuer:
        api.served.fetch_keys = issuer.fetch
        variables = {"BYOA_API": api.address, "BYOA_TOKEN": api.served.token("admin"), "BYOA_ORG": ORG}
        done = run(block, shown, tmp_path, "127.0.0.1:9", variables)
    for number, (step, (code, printed)) in enumerate(zip(shown, done, strict=True), 1):
        wanted = int(block.told.get("exit", "0")) if number == len(shown) else 0
        assert code == wanted, f"{step.command}: {code}\n{printed}"
        told = printed.replace(api.address, SHOWN)
        assert fits(step.output, told), f"{step.command} printed\n{told}"


def test_there_are_such_sessions() -> None:
    assert len(AT_AN_API) > 3


def test_the_page_has_every_input_of_the_action() -> None:
    inputs = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
    rows = [
        f"| `{name}` | {said['description']} | {f'`{said["default"]}`' if 'default' in said else ''} |"
        for name, said in inputs.items()
    ]
    assert "\n".join(rows) in (ROOT / "docs" / "ci.md").read_text()
