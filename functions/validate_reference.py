"""ValidateReference: whether a config is sound and its reference allowed."""

from byoa.bootstrap import pipeline
from byoa.builds import validate
from byoa.builds.messages import ChangeReceived, ValidReference
from byoa.step import step


@step
def handler(change: ChangeReceived) -> ValidReference:
    """Take up the build of a changed config."""
    return validate.validate(change, pipeline.ledger(change.key), pipeline.policy(), pipeline.clock())
