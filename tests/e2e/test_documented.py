"""What the documentation shows on a desk, done on one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local import members, mirrors, private
from local.demo import push
from local.standing import for_shells
from tests.docs.blocks import Block, every
from tests.docs.sessions import fits, run, steps

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Pipeline

pytestmark = pytest.mark.emulator
ON_A_DESK = [block for block in every("console") if block.told.get("on") == "desk"]


@pytest.fixture(scope="module")
def shell(pipeline: Pipeline) -> dict[str, str]:
    """The variables that `make up` writes into `.desk/env`."""
    mirrors.write_login(pipeline.desk)
    parts = for_shells(pipeline.desk, members.bootstrap(pipeline.desk)).values()
    return {name: value for part in parts for name, value in part.items()}


@pytest.mark.parametrize("block", ON_A_DESK, ids=str)
def test_a_session_on_a_desk_runs_as_it_is_shown(
    block: Block, pipeline: Pipeline, shell: dict[str, str], tmp_path: Path
) -> None:
    for place in private.places(pipeline.desk):
        push(place)
    shown = steps(block.text)
    done = run(block, shown, tmp_path, pipeline.desk.vendor, shell)
    for step, (code, printed) in zip(shown, done, strict=True):
        assert code == 0, f"{step.command}: {code}\n{printed}"
        assert fits(step.output, printed), f"{step.command} printed\n{printed}"
