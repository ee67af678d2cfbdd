"""The question at the end of a plan that somebody follows on a terminal: what answers it, and what is said of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.api.served import APP
from tests.cli.homes import FINE, MEND, Home
from tests.cli.test_installs_cli import Bed, active
from tests.screen import Screen
from tests.terminal import BYOA

if TYPE_CHECKING:
    from byoa.installs.messages import Deploy

ROOT = Path(__file__).parents[2]


@pytest.fixture
def acme(synced: Home) -> Bed:
    """With an install whose plans wait for somebody."""
    bed = Bed(synced)
    body = {
        "name": "acme", "cluster": {"kind": "agent"}, "install_config": {"approval_option": "prompt"}, "inputs": {},
        "follow": [], "deploy_dependents": False, "mend": False,
    }  # fmt: skip
    assert bed.served.ask("POST", f"/v1/apps/{APP}/installs", body, token=bed.home.token).status == 201
    return bed


def deploying(bed: Bed) -> Screen:
    command = [BYOA, "installs", "deploy", "acme", "web"]
    return Screen(command, {**bed.home.environment, "TERM": "dumb", "COLUMNS": "200"})


def test_what_was_typed_before_the_plan_was_shown_is_no_answer_to_it(acme: Bed) -> None:
    with deploying(acme) as screen:

        def types_ahead(deploy: Deploy) -> None:
            screen.type("y\n")
            acme.installed.plan(deploy)

        acme.steps = [types_ahead]
        screen.wait_for("queued")
        screen.wait_for("apply this? [y/N] ")
        assert acme.deploy().status == "pending-approval"
        screen.type("n\n")
        code, _ = screen.end()
    assert (code, acme.deploy().status, acme.deploy().answered) == (MEND, "pending-approval", None)


def test_who_says_no_is_told_once_what_becomes_of_the_plan(acme: Bed) -> None:
    acme.steps = [acme.installed.plan]
    with deploying(acme) as screen:
        screen.wait_for("~ Deployment/vendor/web")
        screen.wait_for("pending-approval")
        shown = screen.wait_for("apply this? [y/N] ")
        screen.type("n\n")
        code, rest = screen.end()
    left = f"left waiting; deny it with `byoa installs deny {acme.deploy().install_id} web`"
    assert "next:" not in shown, "the question is what comes next"
    assert (code, rest.splitlines()[1:]) == (MEND, [left])


def test_who_says_yes_sees_it_to_its_end(acme: Bed) -> None:
    acme.steps = [acme.installed.plan, active(acme)]
    with deploying(acme) as screen:
        screen.wait_for("apply this? [y/N] ")
        screen.type("y\n")
        code, rest = screen.end()
    assert (code, "active" in rest, "left waiting" in rest) == (FINE, True, False)


LONG = """
from byoa_cli.output import err
from byoa_cli.printable import styled
from byoa_cli.screen import cut

with err().status(styled("waiting")) as status:
    status.update(cut([styled("web planning: the receipt is good; " + "its mirror is there " * 4), styled("short")]))
    status._live.refresh()
"""


def test_a_line_of_progress_that_is_too_long_ends_with_an_ellipsis() -> None:
    with Screen([sys.executable, "-c", LONG], {"TERM": "xterm", "COLUMNS": "40", "PYTHONPATH": str(ROOT)}) as screen:
        code, drawn = screen.end()
    assert code == 0
    assert "web planning: the receipt is good; it…" in drawn, drawn
    assert "short" in drawn
