"""Clients of the deployed API at once: no fault, and nothing that was taken is lost. `make bench` has fifty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.crowd import Crowd
from local import members

if TYPE_CHECKING:
    from tests.e2e.conftest import Pipeline

pytestmark = pytest.mark.emulator


def test_many_at_once_meet_no_fault_and_lose_nothing(enforced: Pipeline) -> None:
    token = members.bootstrap(enforced.desk, "org_crowd0000000")
    crowd = Crowd(enforced.desk.api, token, "crowd", clients=10, versions=2, seconds=2)
    told = crowd.run()
    assert {status for each in told for status in each.statuses} == {200, 201}
    assert all(len(each.builds) >= crowd.versions for each in told)
    for each in told:
        crowd.check(each)
