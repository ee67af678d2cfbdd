"""Components that the app has and the folder hasn't: one line, however many they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.bootstrap import terminal
from byoa.components.reading import check_config
from byoa_cli.output import err
from byoa_cli.syncing import sync

if TYPE_CHECKING:
    from pathlib import Path

ORG = "org_0123456789ab"


def config(name: str) -> str:
    artifact = '[oci_artifact]\nurl = "oci://r.io/a"\ntag = "v1"\n'
    return f'name = "{name}"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\n{artifact}'


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        ("", None),
        ("a", "the app has a component a that is not in this folder; it was left as it is"),
        ("ab", "the app has 2 components that are not in this folder: a, b; they were left as they are"),
        ("abc", "the app has 3 components that are not in this folder: a, b, c; they were left as they are"),
        (
            "abcdefg",
            "the app has 7 components that are not in this folder: a, b, c and 4 more; they were left as they are",
        ),
    ],
)
def test_what_is_not_in_the_folder_is_told_of_in_one_line(
    names: str, wanted: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    err.cache_clear()
    ledger = MemoryLedger(SteppingClock())
    monkeypatch.setattr(terminal, "catalogue", lambda _: ledger)
    for name in names:
        checked = check_config(config(name))
        assert checked.config
        ledger.submit(ORG, "shop", checked.config)
    (tmp_path / "components").mkdir()
    (tmp_path / "components" / "web.toml").write_text(config("web"))
    arguments = ["--org", ORG, "--app", "shop", "--table", "t", "--no-wait", str(tmp_path)]
    assert sync.call("byoa sync", arguments) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if "this folder" in line]
    assert told == ([f"note {wanted}"] if wanted else [])
    assert sync.call("byoa sync", [*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["orphans"] == list(names)
    err.cache_clear()
