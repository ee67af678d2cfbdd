"""`byoa diff COMPONENT`: what a component's newest good build pinned, and what its config means now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from byoa.bootstrap import terminal
from byoa.builds.lookups import Sought
from byoa.errors import BuildNotFound, SourceKindUnsupported
from byoa_cli.looking import pinned

if TYPE_CHECKING:
    from byoa.api.lookups import DifferenceOut
    from byoa.builds.messages import Build
    from byoa_cli.reaching import Reached

_LOOKED_AT: Final = 100
"""Builds that are searched for the newest one that went well."""


class Since(NamedTuple):
    """The build that pinned what installs have, and how that differs from what the newest config means now."""

    build: Build
    difference: DifferenceOut

    def document(self) -> dict[str, Any]:
        """It as JSON data; what was pinned is named by the reference that it was pinned of."""
        said = self.difference.model_dump(mode="json")
        said["before"]["reference"] = self.build.reference
        return {"component": self.build.component, "build_id": self.build.build_id, **said}


def compare_with_now(here: Reached, component: str) -> Since:
    """Have the two compared. Raises ``BuildNotFound`` where no build went well, and what lookups end with.

    ``ApiRefused`` where the app has no such component, ``SourceKindUnsupported`` where the component has no artifact.
    """
    builds = here.catalogue.builds(here.organisation, here.named_app(), component, _LOOKED_AT)
    good = next((each for each in builds if each.status == "active" and each.outcome and each.outcome.digest), None)
    if not builds:
        here.asked_api().ask("GET", "apps", here.named_app(), "components", component)
    if good is None or good.outcome is None or good.outcome.digest is None:
        raise BuildNotFound(
            "The component has no build that went well.",
            remedy=f"See its builds with `byoa builds list --component {component}`.",
        )
    if builds[0].reference is None or good.reference is None:
        raise SourceKindUnsupported(
            "The component's manifests are its own, so that no tag of theirs can move.",
            remedy="See what it said with `byoa configs list` and `byoa configs get`.",
        )
    before = Sought(url=good.reference, credentials_ref=good.credentials_ref)
    now = Sought(url=builds[0].reference, credentials_ref=builds[0].credentials_ref)
    artifacts = terminal.remote_artifacts(here.asked_api())
    return Since(good, artifacts.compare(pinned(before, good.outcome.digest), now))
