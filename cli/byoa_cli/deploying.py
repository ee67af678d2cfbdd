"""Deploys of installs, followed to their end or to the plan that waits for somebody; told to people and machines."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Self

from byoa import errors
from byoa.errors import ApiRefused, Corrupt, Rejected, Timeout
from byoa.installs.sets import is_set
from byoa_cli.columns import cell, coloured
from byoa_cli.output import FAULT, FINE, MEND, Interrupted, err, next_step, out
from byoa_cli.planned import needed, show_document, show_rest, summary
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.api.asking import Api

_POLL_SECONDS: Final = (0.25, 5.0)
"""From the first look to the last; each wait is a half longer than the one before."""

_ENDED: Final = frozenset(
    (
        "active",
        "noop",
        "inactive",
        "auto-skipped",
        "drift-detected",
        "no-drift",
        "approval-denied",
        "cancelled",
        "error",
    )
)
_OF_A_RUN: Final = 20
"""Deploys of a component that are looked at for the one that is behind another."""

_COUNTED: Final = ("create", "change", "recreate", "delete", "unchanged")
"""What a plan counts; of one that isn't made yet there is nothing of each."""

_WAITS: Final = "pending-approval"
_WELL: Final = frozenset(("active", "noop", "inactive", "auto-skipped", "no-drift"))


class Deploying:
    """One deploy at the API: ``said`` is what it is now, in the API's own words."""

    def __init__(self, api: Api, said: dict[str, Any]) -> None:
        self._api = api
        self.said = said

    @property
    def id(self) -> str:
        """The deploy's id."""
        return str(self.said.get("id"))

    @property
    def status(self) -> str:
        """How it is."""
        return str(self.said.get("status"))

    @property
    def waits(self) -> bool:
        """Whether its plan waits for somebody."""
        return self.status == _WAITS

    @property
    def place(self) -> tuple[str, ...]:
        """Where the API has it."""
        said = self.said
        return ("installs", str(said["install_id"]), "components", str(said["component_id"]), "deploys", self.id)

    def look(self) -> None:
        """See how it is now."""
        self.said = self._api.ask("GET", *self.place).fields()

    def plan(self) -> dict[str, Any] | None:
        """Its plan, if there is one."""
        try:
            return self._api.ask("GET", *self.place, "plan").fields()
        except ApiRefused as refusal:
            if refusal.problem == "not_found":
                return None
            raise

    def answer(self, body: dict[str, Any]) -> None:
        """Say something to its plan. Raises ``ApiRefused`` where it doesn't wait, or is another one."""
        try:
            self.said = self._api.ask("POST", *self.place, "approval", body=body).fields()
        except ApiRefused as refusal:
            if refusal.problem != "not_waiting":
                raise
            self.look()
            cause, remedy = f"The deploy is {self.status}, and waits for no approval.", f"See it with {_shown(self)}."
            raise ApiRefused(cause, remedy=remedy, problem=refusal.problem) from None

    def dependents(self) -> list[Deploying]:
        """The deploys behind it, as they are now, in order; those that nobody has asked for yet are left out."""
        here = self.place[:3]
        found = []
        for each in self.said.get("dependents") or []:
            part = self._api.listing(*here, str(each["component_id"]), "deploys", limit=_OF_A_RUN)
            found += [Deploying(self._api, said) for said in part.items if said.get("run_id") == self.id][:1]
        return found

    def document(self) -> dict[str, Any]:
        """It as machines are told it: with the objects of its plan."""
        plan = self.plan() or {}
        said = self.said
        return {
            "id": self.id,
            "status": self.status,
            "counts": {**dict.fromkeys(_COUNTED, 0), **(said.get("counts") or {})},
            "objects": plan.get("objects") or [],
            "objects_left_out": plan.get("objects_left_out") or 0,
            "needs": said.get("needs") or [],
            "fingerprint": said.get("fingerprint"),
            "health": said.get("health") or [],
            "left": said.get("left") or [],
            "error": said.get("failure"),
            "description": said.get("status_description"),
            **{name: said.get(name) for name in ("install_id", "component_id", "build_id", "operation", "cause")},
        }

    def verdict(self) -> int:
        """The exit code: whose turn it is."""
        failure = self.said.get("failure") or {}
        if (self.status in _WELL and not failure) or self.status not in (*_ENDED, _WAITS):
            return FINE
        leaf = getattr(errors, str(failure.get("code")), Rejected)
        users = not isinstance(leaf, type) or issubclass(leaf, Rejected | Corrupt)
        return MEND if users else FAULT

    def show(self, *, plan: bool, asking: bool = False) -> None:
        """Print how it is: its ``plan`` if that is wanted, what isn't as it should be, what comes next.

        Who is ``asking`` goes on here, and needs no command for it.
        """
        found = self.plan() if plan or self.waits else None
        if found:
            nothing = self.status in ("noop", "no-drift")
            show_document(found, nothing=nothing, flag="--part")
        show_rest(self.said.get("left") or [], self.said.get("health") or [])
        counts = self.said.get("counts") or {}
        told = f"  {summary(counts, nothing=self.status == 'noop')}" if counts and not found else ""
        out().print(styled(coloured(self.status), told, (f"  {self.id}", "dim")))
        failure = self.said.get("failure")
        if failure:
            told = f"{_placed(failure)}: {failure['cause']}"
            err().print(styled(("error", "bold red"), " ", (cell(failure, "code"), "bold"), told))
            err().print(next_step(cell(failure, "remedy")))
        if not asking and (coming := self._next(found)):
            err().print(next_step(coming))

    def _next(self, plan: dict[str, Any] | None) -> str:
        """The command that goes on from a plan that waits, or that mends drift: by the build which is installed."""
        said = self.said
        where = f"{said['install_id']} {said['component_id']}"
        if self.waits:
            names = needed(plan) if plan else said.get("needs") or []
            bound = f" --fingerprint {said['fingerprint']}" if any(map(is_set, names)) else ""
            parts = bound + "".join(f" --part {each}" for each in names)
            return f"`byoa installs approve {where}{parts}`, or deny"
        if self.status == "drift-detected" and said.get("build_id"):
            return f"`byoa installs deploy {where} --build {said['build_id']}` mends it"
        return ""


def _placed(failure: dict[str, Any]) -> str:
    where = cell(failure, "where")
    return f" ({where})" if where else ""


def what_of(said: dict[str, Any]) -> str:
    """What a deploy is for, in a word: its operation, or that it only plans."""
    operation = cell(said, "operation")
    return f"plan of {operation}" if said.get("plan_only") and operation != "drift" else operation


def follow(deploying: Deploying, seconds: float, *, shown: bool) -> None:
    """Look again until it has ended, or its plan waits. Raises ``Timeout``; the deploy goes on all the same."""
    deadline, pause = time.monotonic() + seconds, _POLL_SECONDS[0]
    with _told(deploying), _Progress(shown=shown) as progress:
        progress.update(deploying)
        while deploying.status not in _ENDED and not deploying.waits:
            if time.monotonic() > deadline:
                raise Timeout("The deploy didn't end in time; it goes on.", remedy=f"See it with {_shown(deploying)}.")
            time.sleep(pause)
            pause = min(pause * 1.5, _POLL_SECONDS[1])
            deploying.look()
            progress.update(deploying)


@contextmanager
def _told(deploying: Deploying) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"the deploy {deploying.id} goes on; see it with {_shown(deploying)}") from None


def _shown(deploying: Deploying) -> str:
    return f"`byoa installs get {deploying.said['install_id']} {deploying.said['component_id']}`"


class _Progress:
    """A spinner on a terminal that can draw one; elsewhere a line for each thing that happens."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._status: Any = None
        self._last = ""

    def __enter__(self) -> Self:
        if self._shown and sys.stderr.isatty() and err().is_interactive:
            self._status = err().status(styled("waiting"))
            self._status.start()
        return self

    def update(self, deploying: Deploying) -> None:
        """Take note of how far it is."""
        text = f"{deploying.status}: {cell(deploying.said, 'status_description')}"
        if not self._shown or text == self._last:
            return
        self._last = text
        line = styled(f"{cell(deploying.said, 'component_name')} {text}")
        if self._status:
            from byoa_cli.screen import cut

            self._status.update(cut([line]))
        else:
            err().print(line)

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()
