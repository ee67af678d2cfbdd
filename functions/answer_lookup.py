"""AnswerLookup: goes on with a lookup that took longer than a request to the API waits."""

from byoa.bootstrap import lookups
from byoa.bootstrap.process import clock
from byoa.builds import answer
from byoa.builds.lookups import AwaitedLookup, LookupEnded
from byoa.step import step


@step
def handler(awaited: AwaitedLookup) -> LookupEnded:
    """Have it answered, and keep the answer."""
    return answer.answer(awaited, lookups.functions(), lookups.shelf(awaited.organisation), clock())
