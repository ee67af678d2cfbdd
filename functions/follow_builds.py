"""FollowBuilds: a build that became active is deployed where its component is followed."""

from byoa.bootstrap import installs
from byoa.installs.steps import follow_builds
from byoa.installs.steps.follow_builds import BuildActive, BuildFollowed
from byoa.step import step


@step
def handler(built: BuildActive) -> BuildFollowed:
    """Ask for its deploys."""
    organisation = built.organisation
    return follow_builds.follow_builds(built, installs.installs(organisation), installs.app(organisation, built.app))
