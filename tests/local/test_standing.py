"""What `make up` writes for shells: a token for the API, which nobody else on the machine may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local import private, standing
from local.desk import Desk, Ports

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TOKEN = "byoa_a-token"
OUTPUTS = {
    "TableName": "t", "ReceiptKeyArn": "k", "SourceRoleArn": "r", "TryCredentialsFunctionName": "f",
}  # fmt: skip


def test_the_command_line_needs_the_first_part_alone() -> None:
    first, *rest = standing.for_shells(Desk(Ports(), OUTPUTS), TOKEN).values()
    api = "http://127.0.0.1:4666/_aws/execute-api/b40a0b40"
    wanted = {"BYOA_API": api, "BYOA_TOKEN": TOKEN, "BYOA_ORG": "org_demo00000000", "BYOA_APP": "shop"}
    assert first == wanted
    assert not any(TOKEN in part.values() for part in rest)
    assert {"BYOA_DASHBOARD": "http://b40a0b40.execute-api.localhost:4666/"} in rest


def test_the_file_is_one_that_a_shell_reads_and_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "env"
    monkeypatch.setattr(standing, "FOR_SHELLS", file)
    file.write_text("of before")
    file.chmod(0o644)
    standing.write_for_shells(Desk(Ports(), OUTPUTS), TOKEN)
    assert file.stat().st_mode & 0o777 == 0o600
    lines = file.read_text().splitlines()
    assert f"export BYOA_TOKEN={TOKEN}" in lines
    assert all(line.startswith(("# for ", "export ")) for line in lines)


def test_a_secret_s_file_is_nobody_else_s_from_its_first_byte(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    private.write_secret(file, "one")
    private.write_secret(file, "two")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("two", 0o600)
