"""`byoa admin bootstrap`: an organisation's first token, shown once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.memory.inventory import MemoryJournal, MemoryTokens
from byoa.api.tokens import digest_of, lets_in, parse_token
from byoa.bootstrap import terminal
from byoa_cli.main import root

if TYPE_CHECKING:
    from byoa.api.doorkeeping import TokenRecord
    from byoa.api.ports import Deed

ORG = "org_0123456789ab"


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> dict[Any, TokenRecord]:
    tokens: dict[Any, TokenRecord] = {}
    deeds: dict[Any, Deed] = {}
    monkeypatch.setattr(terminal, "tokens", lambda _table, org: MemoryTokens(org, tokens))
    monkeypatch.setattr(terminal, "journal", lambda _table, org: MemoryJournal(org, deeds))
    monkeypatch.setattr(terminal, "deeds_of_test", deeds, raising=False)
    return tokens


def run(*arguments: str) -> int:
    return root().call("byoa", ["admin", "bootstrap", "--org", ORG, "--table", "byoa-Table", *arguments])


def test_the_token_is_alone_on_stdout_and_lets_an_admin_in(kept: dict[Any, TokenRecord], capfd: Any) -> None:
    assert run() == 0
    printed = capfd.readouterr()
    presented = parse_token(printed.out.strip())
    assert presented
    record = kept[ORG, presented.id]
    assert (record.scopes, record.digest) == (("admin",), digest_of(presented.secret))
    assert lets_in(presented, record, record.issued_at_ts)
    assert record.expires_at_ts - record.issued_at_ts == 30 * 24 * 3600 * 1000
    assert presented.secret not in printed.err


def test_it_is_told_as_json_and_noted(kept: dict[Any, TokenRecord], capfd: Any) -> None:
    assert run("--days", "1", "--name", "ci", "--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert told.keys() == {"id", "token", "expires_at"}
    assert kept[ORG, told["id"]].name == "ci"
    (deed,) = vars(terminal)["deeds_of_test"].values()
    assert (deed.what, deed.token_id, deed.path) == ("bootstrap", "aws", f"/v1/tokens/{told['id']}")
    assert deed.status == 201, "it wasn't cut short"


@pytest.mark.parametrize("days", ["0", "367", "x"])
def test_a_token_for_ever_is_none(kept: dict[Any, TokenRecord], days: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        run("--days", days)
    assert kept == {}
