"""ValidateReference: whether a config is sound and its reference allowed."""

from byoa.bootstrap import pipeline as bootstrap
from byoa.builds import validate as workflow
from byoa.builds.messages import ChangeReceived, ValidReference
from byoa.step import step


@step
def handler(change: ChangeReceived) -> ValidReference:
    """Take up the build of a changed config."""
    return workflow.validate(change, bootstrap.ledger(), bootstrap.policy(), bootstrap.clock())
