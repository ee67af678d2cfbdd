"""Where a step tells how far it is, and what it may still ask of a registry and take for its organisation."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from byoa.errors import RegistryThrottled
from byoa.oci.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.builds.messages import BuildKey
    from byoa.builds.ports import Budget, Clock, Ledger, Quota
    from byoa.engine.ports import Repository

_REST: Final = 5.0
"""Seconds that a registry gets which asks for rest without saying for how long."""


@contextmanager
def accounted(budget: Budget, host: str, organisation: str, source: Repository) -> Iterator[None]:
    """Ask the source for no build: put what is asked on the organisation's account, whatever comes of it.

    Raises ``RegistryThrottled`` where nothing may be asked now.
    """
    budget.admit(host, organisation)
    before = source.requests
    try:
        yield
    except RegistryThrottled as error:
        budget.rest(host, organisation, error.retry_after or _REST)
        raise
    finally:
        budget.spend(host, organisation, source.requests - before)


@dataclass(frozen=True, slots=True)
class Books:
    """Where progress is told, when that is, what each registry may still be asked and each organisation still take."""

    ledger: Ledger
    clock: Clock
    budget: Budget | None = None
    quota: Quota | None = None

    def take(self, key: BuildKey, build_id: str, size: int) -> None:
        """Count a build's bytes before they are fetched. Raises ``QuotaExceeded``."""
        if self.quota is not None:
            self.quota.take(key.organisation, build_id, size)

    @contextmanager
    def account(
        self, key: BuildKey, reference: str | None, source: Repository, *, owed: int = 0, carried: bool = False
    ) -> Iterator[None]:
        """Ask the source within its budget, and put what was asked on the account, whatever came of it.

        ``carried`` leaves that, if all goes well, to the build's next step, for which it is ``owed``: a write less.
        Raises ``RegistryThrottled`` where nothing may be asked now. What the registry itself asks for, all builds heed.
        """
        host = str(Reference.parse(reference).registry) if reference else None
        if self.budget is None or host is None:
            yield
            return
        self.budget.admit(host, key.organisation)
        before = source.requests - owed
        try:
            yield
        except BaseException as error:
            if isinstance(error, RegistryThrottled):
                self.budget.rest(host, key.organisation, error.retry_after or _REST)
            self.budget.spend(host, key.organisation, source.requests - before)
            raise
        if not carried:
            self.budget.spend(host, key.organisation, source.requests - before)
