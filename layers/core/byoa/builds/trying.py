"""TryCredentials: what a step that reads a source would meet with stored credentials, told at once and not recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.builds.books import accounted
from byoa.builds.lending import explained
from byoa.builds.messages import Tried
from byoa.errors import ReferenceInvalid
from byoa.oci.reference import Reference, Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.builds.lending import Lender, Lent
    from byoa.builds.messages import Trial
    from byoa.builds.ports import Budget
    from byoa.engine.ports import Repository
    from byoa.trust.policy import Policy


def try_credentials(
    trial: Trial,
    lender: Lender,
    policy: Policy,
    budget: Budget,
    open_source: Callable[[Reference, Lent], tuple[Repository, Callable[[bool], bool]]],
) -> Tried:
    """Borrow what a build would, and log in with it; with a reference, look at what that means.

    ``open_source`` gives the repository, and what tells whether its registry wanted the login, which asks for nothing
    but that unless something was asked for already. Raises what ``Policy``
    refuses, what ``Lender.lend`` raises, ``RegistryThrottled`` where nothing may be asked now, and what the registry's
    answers mean.
    """
    reference = _reference(trial)
    if reference:
        policy.check_source(reference, trial.name)
    lent = lender.lend(trial.name, reference)
    place = reference or Reference(Registry.parse(lent.host), "")
    policy.check_source(place, trial.name)
    source, log_in = open_source(place, lent)
    with accounted(budget, lent.host, trial.organisation, source), explained(trial.name):
        manifest = source.fetch_manifest(reference.digest or reference.tag or "") if reference else None
        wanted = log_in(manifest is not None)
    return Tried(
        name=trial.name,
        kind=lent.kind,
        host=lent.host,
        version=lent.version,
        login="accepted" if wanted else "not asked",
        reference=trial.reference,
        digest=str(manifest.digest) if manifest else None,
        media_type=manifest.descriptor.media_type if manifest else None,
        size=manifest.descriptor.size if manifest else None,
    )


def _reference(trial: Trial) -> Reference | None:
    if trial.reference is None:
        return None
    reference = Reference.parse(trial.reference)
    if reference.tag is None and reference.digest is None:
        raise ReferenceInvalid("The reference has neither a tag nor a digest.", remedy="Name a tag or a digest.")
    return reference
