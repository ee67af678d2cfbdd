"""What installs need of the platform: what is installed where, its deploys, and who runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.builds.messages import Failure
    from byoa.builds.ports import Lists
    from byoa.installs.cluster import Shelf
    from byoa.installs.messages import (
        Answered,
        Before,
        Dependent,
        Deploy,
        DeployKey,
        Install,
        InstallComponent,
        Operation,
    )
    from byoa.installs.states import CheckedDeploy, DeployEnded

    type Becomes = Callable[[Deploy, InstallComponent], tuple[Deploy, InstallComponent]]


IN_A_RUN: Final = 20
"""Deploys of a component that are looked at for one of a run."""


class Part[Item](NamedTuple):
    """A part of a list, and the place where it goes on; ``None`` at its end."""

    items: list[Item]
    more: str | None


class Request(NamedTuple):
    """A deploy that somebody asks for, or something: see ``messages.Deploy``.

    ``newest`` is the number of the component's newest deploy, where it is only asked for while that still is it.
    """

    operation: Operation
    build_id: str | None = None
    config_version: int | None = None
    plan_only: bool = False
    approve_all: bool = False
    take_over: tuple[str, ...] = ()
    cause: Literal["asked", "followed", "schedule", "rollback"] = "asked"
    by: str | None = None
    recover: bool = False
    run: str | None = None
    waits_for: tuple[Before, ...] = ()
    dependents: tuple[Dependent, ...] = ()
    names: tuple[str, ...] = ()
    newest: int | None = None


class Installs(Protocol):
    """What people see and do with the installs of one organisation."""

    def page(self, app: str | None, limit: int, *, offset: int = 0, after: str | None = None) -> Part[Install]:
        """The installs of an app by name, or all of them by id."""
        ...

    def install(self, install_id: str) -> Install | None:
        """One of them."""
        ...

    def create(self, install: Install) -> bool:
        """Keep a new one; ``False`` where the app has one of that name."""
        ...

    def change(self, was: Install, becomes: Install) -> bool:
        """Keep it with other settings; ``False`` where it isn't any more as it ``was``."""
        ...

    def remove(self, was: Install) -> bool:
        """Forget it. ``False`` where it isn't any more as it ``was``, or still has objects that are tracked.

        Nor while somebody runs a deploy of it, though that was cancelled: whoever does still has to let go of it.
        """
        ...

    def forget(self, install_id: str) -> None:
        """Forget what is left of an install that is gone: whoever removed it may have been killed half way.

        What still is, and a component whose newest deploy has not ended, stays.
        """
        ...

    def components(self, install: Install) -> list[InstallComponent]:
        """All that was ever deployed to it, by name: at most as many as an app has."""
        ...

    def everywhere(self, limit: int, *, offset: int = 0, after: str | None = None) -> Part[InstallComponent]:
        """Components of all installs, by install's id and by name."""
        ...

    def component(self, install: Install, component: str) -> InstallComponent | None:
        """One of them."""
        ...

    def ask(self, install: Install, component: str, request: Request) -> Deploy:
        """Its newest deploy from now on. One that waits or hasn't begun to write is ``cancelled`` as overtaken.

        The bus hears of it, and the state machine begins, unless it waits for others. Of one ``run`` a component has
        one deploy: asked for again, that is the answer. Raises ``DeployBusy`` where the request's ``newest`` isn't it.
        """
        ...

    def deploys(self, install: Install, component: str | None, limit: int, after: str | None = None) -> Part[Deploy]:
        """The newest first, of one component or of all."""
        ...

    def deploy(self, deploy_id: str) -> Deploy | None:
        """One with its history."""
        ...

    def look(self, key: DeployKey) -> Deploy | None:
        """The same, by its number."""
        ...

    def contents(self, deploy: Deploy) -> dict[str, Any] | None:
        """Its plan as ``contents.document`` has it, values of Secrets hidden; ``None`` where there is none."""
        ...

    def answer(self, deploy: Deploy, answered: Answered) -> Deploy | None:
        """What somebody says to a plan that waits; ``None`` where it doesn't wait, or has another fingerprint."""
        ...

    def release(self, key: DeployKey, failure: Failure | None) -> Deploy | None:
        """Let one begin that waited for others, or end it with a ``failure``; ``None`` where it doesn't wait so."""
        ...

    def cancel(self, deploy: Deploy, cause: str, by: str) -> Deploy | None:
        """End it if it hasn't ended: what runs writes nothing more. ``None`` where it has."""
        ...


class Running(Protocol):
    """What whoever writes to a cluster says of the deploy that it is for. See ``Deploys``."""

    def check(self, key: DeployKey, execution: str) -> Deploy:
        """The deploy, if ``execution`` may go on with it. Raises ``DuplicateEvent`` and ``DeploySuperseded``."""
        ...

    def change(self, key: DeployKey, execution: str, becomes: Becomes, plan: str | None = None) -> Deploy:
        """Write what it ``becomes``, and its ``plan`` (``contents.pack``). Raises what ``check`` raises.

        The bus hears of another status.
        """
        ...


class Deploys(Running, Protocol):
    """The deploys of one organisation, for whoever runs them: a state machine's functions, or an agent's leases.

    ``execution`` names who runs one, and nobody else may write of it. What a deploy becomes is a function of how it and
    its component stand when it is written: it may be called more than once, and does nothing else.
    """

    def install(self, install_id: str) -> Install | None:
        """The install of a deploy."""
        ...

    def look(self, key: DeployKey) -> Deploy | None:
        """One of them."""
        ...

    def begin(self, key: DeployKey, execution: str) -> Deploy:
        """Give the deploy to ``execution``, which holds the component from then on. The same one may ask again.

        Raises ``EventUntrusted`` where nobody asked for it, ``DuplicateEvent`` where another execution has it,
        ``DeploySuperseded`` where it has ended, and ``DeployBusy`` while another deploy holds the component.
        """
        ...

    def finish(self, key: DeployKey, execution: str, becomes: Becomes, plan: str | None = None) -> Deploy | None:
        """The same, and let go of the component: a deploy that hasn't ended by it waits for somebody's answer.

        ``None`` where it had ended, or another execution has it; the component is let go of all the same.
        """
        ...


class AgentSign(NamedTuple):
    """When an install's agent was heard of last (ms since 1970 UTC), and with which token."""

    at_ts: int
    token_id: str
    token_name: str


class Leases(Protocol):
    """Which agent runs which deploy of one organisation, for a minute at a time. Moments are in ms since 1970 UTC."""

    def to_run(self, install_id: str) -> list[DeployKey]:
        """The deploys of an install that its agents have to begin or go on with, the oldest first.

        They were asked for while its cluster was an agent's. Where there are none this is one small read, however many
        components the install has: agents ask every few seconds. What was asked for at this very moment may be missing
        once, and what has just ended may be among them.
        """
        ...

    def heard(self, install_id: str) -> AgentSign | None:
        """When an agent of the install was heard of last; ``None`` where none ever was, or not for three months."""
        ...

    def note(self, install_id: str, sign: AgentSign) -> None:
        """Note that an agent of the install was heard of."""
        ...

    def take(self, deploy_id: str, lease: str, now_ts: int, until_ts: int) -> bool:
        """Have it until then; ``False`` where somebody has it now."""
        ...

    def renew(self, deploy_id: str, lease: str, now_ts: int, until_ts: int) -> bool:
        """Have it for longer; ``False`` where it ran out, or is another's."""
        ...

    def give_back(self, deploy_id: str, lease: str) -> None:
        """Let others have it, if it still is one's own."""
        ...


class Job(Running, Protocol):
    """A deploy that an agent has a lease of. Raises ``DeploySuperseded`` where the lease or the deploy has ended."""

    @property
    def checked(self) -> CheckedDeploy:
        """The deploy, with its time as the agent's own clock has it."""
        ...

    @property
    def lists(self) -> Lists:
        """What its install says, and room for what goes from state to state."""
        ...

    @property
    def shelf(self) -> Shelf:
        """What is tracked of its component."""
        ...

    def renew(self) -> None:
        """Have it for another minute."""
        ...

    def give_back(self) -> None:
        """Let another agent go on with it at once. Nothing more is asked or told of it then."""
        ...

    def report(self, ended: DeployEnded, packed: str | None) -> str | None:
        """Tell which way it went, with its plan's document (``contents.pack``); how it ended, if it hadn't before."""
        ...


class Unended(Protocol):
    """The deploys that have not ended, or still hold their component, of all organisations."""

    def unended(self, before_ts: int) -> Iterator[DeployKey]:
        """Those that were asked for before a moment (ms since 1970 UTC), the oldest first."""
        ...

    def look(self, key: DeployKey) -> Deploy | None:
        """One of them. Raises ``ValueError`` for one that this version can't read."""
        ...

    def heard_at(self, key: DeployKey) -> int | None:
        """When the agent that is to run it was heard of last (0: never); ``None`` where the platform runs it."""
        ...

    def told_at(self, key: DeployKey) -> int | None:
        """When the bus was told of it again last."""
        ...

    def tell_again(self, key: DeployKey, now_ts: int) -> bool:
        """Have the bus told of it once more; ``False`` where it doesn't wait any more."""
        ...

    def release(self, key: DeployKey, failure: Failure | None) -> Deploy | None:
        """See ``Installs``."""
        ...

    def give_up(self, key: DeployKey, becomes: Becomes) -> Deploy | None:
        """``Deploys.finish``, whichever execution has it."""
        ...
