"""TryCredentials: stored credentials, tried against their registry."""

from byoa.bootstrap import pipeline, sources
from byoa.builds import trying
from byoa.builds.messages import Trial, Tried
from byoa.step import step


@step
def handler(trial: Trial) -> Tried:
    """Tell what a source step would meet with them."""
    lender = sources.lender(trial.organisation, "byoa-try")
    return trying.try_credentials(
        trial, lender, pipeline.policy(), pipeline.budget(), sources.trial_source(trial.organisation)
    )
