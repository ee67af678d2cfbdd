"""Through our code, with IAM out of the way: whoever a message is of, a function asks for nobody else's things."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from byoa.bootstrap import clients
from tests.tenancy.roles import ONE, OTHER
from tests.tenancy.world import NAMES, OTHERS, relabelled

if TYPE_CHECKING:
    from tests.tenancy.world import World

REFUSED: dict[str, str | None] = {
    "validate_reference": "DuplicateEvent",
    "resolve_digest": "DuplicateEvent",
    "stage_artifact": "ReferenceNotFound",  # its own config is what it fetches from
    "inspect_artifact": "ReferenceNotFound",
    "stage_blob": "DuplicateEvent",
    "mirror_artifact": "DuplicateEvent",
    "mirror_blob": "DuplicateEvent",
    "retire_tags": "InternalFault",
    "record_build": None,
    "record_stopped": None,
}
"""What each function says of a message that is about another's build; the last two end what is theirs, and it isn't."""


def test_each_function_asks_for_its_own_organisation_s_things_alone(world: World) -> None:
    for whose in (ONE, OTHER):
        for function, event in world.messages(whose).items():
            if function not in ("validate_reference", "resolve_digest", "stage_artifact", "inspect_artifact"):
                world.call(function, event)
                world.check(whose)


def test_a_message_of_another_s_build_does_nothing_with_it_whoever_it_is_said_to_be_of(world: World) -> None:
    given = {whose: world.messages(whose) for whose in (ONE, OTHER)}
    before = {whose: world.things(whose) for whose in (ONE, OTHER)}
    for mine, others in OTHERS.items():
        for function, event in given[others].items():
            answer = world.call(function, relabelled(event, mine, others))
            world.check(mine)
            assert world.things(others) == before[others], function
            assert answer == REFUSED[function], function


def test_a_sweep_handles_each_build_in_its_own_organisation_s_session(world: World) -> None:
    assert world.call("sweep_builds", {})["told"] == len(OTHERS)
    found = [each for each in world.asked if "AssumeRole" not in each.text]
    (index,) = [each for each in found if each.session is None]
    assert "unfinished" in index.text
    for each in found:
        assert set(re.findall(NAMES, each.text)) == ({each.session} if each.session else set())


@pytest.mark.parametrize("name", ["theirs", f"{OTHER}/theirs", f"../{OTHER}/theirs", f"byoa/{OTHER}/theirs", "*"])
def test_nobody_tries_another_s_credentials(name: str, world: World) -> None:
    value = {"kind": "basic", "host": "ghcr.io", "username": "u", "password": "p"}
    tag = [{"Key": "org_id", "Value": OTHER}]
    clients.own("secretsmanager").create_secret(Name=f"byoa/{OTHER}/theirs", SecretString=json.dumps(value), Tags=tag)
    answer = world.call("try_credentials", {"organisation": ONE, "name": name})
    assert answer in ("CredentialForbidden", "ReferenceInvalid", "TenantForbidden")
    world.check(ONE)


def test_nobody_reads_what_was_fetched_for_another(world: World) -> None:
    staged = {whose: world.messages(whose)["inspect_artifact"] for whose in (ONE, OTHER)}
    for mine, others in OTHERS.items():
        root = {name: staged[others][name] for name in ("digest", "media_type", "size")}
        found = {**root, "reference": "oci://ghcr.io/a/b:v1", "artifact_type": None, "resolved_at_ts": 0}
        event = {"organisation": others, "action": "inspect", "artifacts": [found], "reads": True}
        assert world.call("read_artifacts", event)["contents"]["resources"] == 1
        world.check(others)
        assert world.call("read_artifacts", event | {"organisation": mine}) == "ReferenceNotFound"
        world.check(mine)


def test_who_asks_as_one_organisation_is_told_nothing_of_the_other(world: World) -> None:
    """What the command line asks of the table."""
    for mine, others in OTHERS.items():
        world.asked.clear()
        build = world.builds[others].build_id
        assert world.ledger.build(mine, build) is None
        assert world.ledger.receipt(mine, build) is None
        assert {each.organisation for each in world.ledger.builds(mine, "shop", None, 10)} == {mine}
        assert {each.organisation for each in world.ledger.builds(mine, "shop", "web", 10)} == {mine}
        assert all(set(re.findall(NAMES, each.text)) == {mine} for each in world.asked)


@pytest.mark.parametrize("field", ["organisation", "app", "component"])
def test_no_name_in_a_message_leads_elsewhere(field: str, world: World) -> None:
    for text in (f"{OTHER}/x", f"../{OTHER}", f"{ONE}#x", "org_*", "", f"{OTHER}\n"):
        key = world.builds[ONE].key.model_dump() | {"execution": "e", field: text}
        assert world.call("validate_reference", key) == "EventUntrusted"
        assert world.asked == []
