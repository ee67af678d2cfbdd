"""AnswerLookup: has a lookup done by the functions that may, and keeps its answer for whoever asks for it later.

It reaches no registry and reads no artifact: it has their answers, and may write no more than what it keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.builds.lookups import Answer, LookupEnded
from byoa.builds.messages import Failure
from byoa.builds.records import milliseconds
from byoa.errors import ByoaError

if TYPE_CHECKING:
    from byoa.builds.lookups import AwaitedLookup, LookUp
    from byoa.builds.ports import Clock, LookupFunctions, LookupShelf


def answered(asked: LookUp, functions: LookupFunctions) -> Answer:
    """What the first function finds and, where there is something to read, the second. Raises what they end with."""
    found = functions.look_up(asked)
    read = functions.read(found) if found.reads else None
    return Answer(
        action=asked.action,
        artifacts=found.artifacts,
        plan=found.plan,
        tags=found.tags,
        around=found.around,
        contents=read.contents if read else None,
        difference=read.difference if read else None,
    )


def answer(awaited: AwaitedLookup, functions: LookupFunctions, shelf: LookupShelf, clock: Clock) -> LookupEnded:
    """Keep the answer, or which failure the lookup ended with. Raises what stands for the store."""
    try:
        found = answered(awaited.asked, functions)
        ended = LookupEnded(ended_ts=milliseconds(clock.now()), answer=found)
        shelf.end(awaited.id, ended)
    except ByoaError as error:
        failure = Failure.model_validate(error.as_dict())
        ended = LookupEnded(ended_ts=milliseconds(clock.now()), failure=failure)
        shelf.end(awaited.id, ended)
    return ended
