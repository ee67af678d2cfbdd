"""One suite over what is kept of whoever knocks: a session stands with what it leans on, as that is now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from byoa.adapters.aws.office import DynamoDoorkeeper, DynamoTokens
from byoa.adapters.aws.rows import Rows
from byoa.adapters.memory.inventory import MemoryTokens
from byoa.api.doorkeeping import Standing
from byoa.api.tokens import issue, session_of
from tests.api.tabled import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.api.doorkeeping import Doorkeeper
    from byoa.api.ports import Tokens

ORG, OTHER = "org_0123456789ab", "org_other0000000"
PARENT = issue(ORG, "a", ["read"], 5, 10**13, "x")[0]
SESSION = session_of(PARENT, 6)[0]


class Stand(NamedTuple):
    """A door of one process, who writes tokens, and what was asked."""

    door: Doorkeeper
    tokens: Tokens
    asked: list[str]


@pytest.fixture
def dynamo() -> Iterator[Stand]:
    with table() as client:
        asked: list[str] = []

        def note(model: Any, **_: Any) -> None:
            asked.append(model.name)

        rows = Rows(client, "table")
        tokens = DynamoTokens(ORG, rows)
        for record in (PARENT, SESSION):
            tokens.add(record)
        client.meta.events.register("provide-client-params.dynamodb", note)
        yield Stand(DynamoDoorkeeper(rows), tokens, asked)


@pytest.fixture(params=["memory", "dynamodb"])
def stand(request: pytest.FixtureRequest) -> Stand:
    if request.param == "dynamodb":
        found: Stand = request.getfixturevalue("dynamo")
        return found
    held = {(ORG, each.id): each for each in (PARENT, SESSION)}
    return Stand(MemoryTokens("", held), MemoryTokens(ORG, held), [])


def test_a_session_stands_with_its_token_and_ends_with_either(stand: Stand) -> None:
    for _ in range(2):  # what a process remembers changes nothing
        assert stand.door.standing(ORG, PARENT.id) == Standing(PARENT)
        assert stand.door.standing(ORG, SESSION.id) == Standing(SESSION, PARENT)
        assert stand.door.standing(OTHER, SESSION.id) == Standing(None)
    stand.tokens.revoke(PARENT.id)
    assert stand.door.standing(ORG, SESSION.id) == Standing(SESSION, None)
    stand.tokens.revoke(SESSION.id)
    assert stand.door.standing(ORG, SESSION.id).record is None


def test_a_session_of_somebody_who_signed_in_stands_with_the_rules_that_there_are(stand: Stand) -> None:
    signed_in = replace(session_of(PARENT, 7)[0], rules=("rul1",))
    stand.tokens.add(signed_in)
    for _ in range(2):
        assert stand.door.standing(ORG, signed_in.id)._replace(parent=None) == Standing(signed_in, rules=[])


def test_a_process_that_has_seen_a_session_reads_it_together_with_its_token(dynamo: Stand) -> None:
    for _ in range(2):
        assert dynamo.door.standing(ORG, SESSION.id) == Standing(SESSION, PARENT)
    assert dynamo.asked == ["GetItem", "GetItem", "BatchGetItem"]
