"""`--timeout`: every command that asks registries ends with an error and a next step, whatever keeps it waiting."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

import pytest

from local.demo import ARTIFACTS
from local.registry import Response
from tests.scripted import Scripted
from tests.terminal import byoa, document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.registry import Request

FLUX: Final = f"oci-layout:{ARTIFACTS / 'flux'}"
SHORT: Final = "0.01"
"""Minutes."""


class Stalling(Scripted):
    """A registry that takes requests and answers none, until it is let go."""

    def __init__(self) -> None:
        self.over = threading.Event()
        super().__init__()
        self.script = self._stall

    def _stall(self, _: Request) -> Response | None:
        self.over.wait(60)
        return None


@pytest.fixture
def stalling() -> Iterator[Stalling]:
    with Stalling() as made:
        yield made
        made.over.set()


def commands(address: str, folder: Path) -> dict[str, tuple[str, ...]]:
    (folder / "app.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n")
    there = f"oci://{address}/vendor/app:v1"
    return {
        "resolve": ("resolve", there),
        "inspect": ("inspect", there),
        "diff": ("diff", FLUX, there),
        "push": ("push", there, str(folder / "app.yaml")),
        "mirror": ("mirror", there, f"oci-layout:{folder / 'copy'}:v1"),
        "mirror to": ("mirror", FLUX, there),
        "mirror --plan": ("mirror", FLUX, there, "--plan"),
        "mirror --all-tags": ("mirror", f"oci://{address}/vendor/app", f"oci-layout:{folder / 'copy'}", "--all-tags"),
    }


@pytest.mark.parametrize(
    "name", ["resolve", "inspect", "diff", "push", "mirror", "mirror to", "mirror --plan", "mirror --all-tags"]
)
def test_a_registry_that_keeps_a_command_waiting_ends_it_as_a_timeout(
    name: str, stalling: Stalling, tmp_path: Path
) -> None:
    command = commands(stalling.address, tmp_path)[name]
    code, found = document(*command, "--timeout", SHORT, "--plain-http", stalling.address)
    assert (code, found["error"]["code"]) == (3, "Timeout"), found
    assert "--timeout" in found["error"]["remedy"]


def test_each_of_many_artifacts_that_had_no_time_left_says_so(stalling: Stalling, tmp_path: Path) -> None:
    lines = [f"oci://{stalling.address}/vendor/app:v{n} oci-layout:{tmp_path / 'copy'}:v{n}\n" for n in range(40)]
    (tmp_path / "artifacts.txt").write_text("".join(lines))
    options = ("--from", str(tmp_path / "artifacts.txt"), "--timeout", SHORT, "--plain-http", stalling.address)
    code, found = document("mirror", *options)
    assert (code, found["failed"]) == (3, 40)
    assert {each["error"]["code"] for each in found["artifacts"]} == {"Timeout"}
    stalling.over.set()
    assert len(stalling.requests) <= 4, "when the time is over nobody is asked any more"


def test_waits_for_other_tries_end_with_the_command_as_well() -> None:
    """The last refusal is what is told: it says more than that time is over."""
    with Scripted() as busy:
        busy.script = lambda _: Response(429, [("Retry-After", "30")])
        code, _, said = byoa("resolve", f"oci://{busy.address}/a:v1", "--timeout", SHORT, "--plain-http", busy.address)
        assert len(busy.requests) == 1
    assert code == 3
    assert "RegistryThrottled" in said


@pytest.mark.parametrize("text", ["0", "-1", "soon", "nan", "inf"])
def test_what_is_no_time_is_a_wrong_call(text: str) -> None:
    code, _, said = byoa("resolve", "oci://registry.example.com/a:v1", f"--timeout={text}")
    assert code == 2
    assert "minutes" in said


@pytest.mark.parametrize("command", ["resolve", "inspect", "diff", "push", "mirror"])
def test_the_help_says_when_a_command_gives_up(command: str) -> None:
    _, said, _ = byoa(command, "--help")
    assert "--timeout MINUTES" in said
    assert "default: after ten" in " ".join(said.split())
