"""Agents of one install after each other: what one of them leaves, the next one ends before anything newer begins."""

from __future__ import annotations

import pytest

from tests.installs.beds import CONFIG_MAPS
from tests.installs.platform import Counted, Died
from tests.installs.test_agent import OBJECTS, Bed


def test_a_deploy_that_an_agent_left_half_written_is_ended_before_a_newer_one_begins() -> None:
    bed = Bed()
    deploy = bed.platform.ask(bed.platform.build(*OBJECTS))
    job = bed.lease()
    assert job
    with pytest.raises(Died):
        bed.run(job, Counted(at=8).around)
    assert bed.now(deploy).status == "executing"
    newer = bed.platform.ask(bed.platform.build(OBJECTS[0], OBJECTS[2]))
    assert bed.lease() is None, "the lease has not ended"
    bed.passes(61)
    assert (bed.run_next(), bed.run_next()) == ("active", "active")
    assert (bed.now(deploy).status, bed.now(newer).status) == ("active", "active")
    assert (bed.there(CONFIG_MAPS, "two"), bool(bed.there(CONFIG_MAPS, "one"))) == (None, True)
