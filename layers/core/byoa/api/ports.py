"""What the API needs of the world: what organisations have, their tokens, the record of who did what, kept answers.

Implemented under ``adapters/``, each for one organisation but for ``Doorkeeper``. Every call may raise a leaf of
``byoa.errors`` that stands for the store (``StoreThrottled``, ``PlatformForbidden``, ``InternalFault``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from byoa.api.rates import QUOTA

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from byoa.api.doorkeeping import Doorkeeper, IssuerRule, KeptKeys, TokenRecord
    from byoa.builds.lookups import Action, Answer, LookUp, LookupEnded
    from byoa.builds.messages import Build, ConfigVersion, NamedObjects, Stage, Trial, Tried
    from byoa.builds.ports import Accepted, Clock
    from byoa.components.reading import ComponentConfig
    from byoa.installs.cluster import Shelf
    from byoa.installs.messages import DeployKey
    from byoa.installs.ports import Deploys, Installs, Leases
    from byoa.tracking.messages import Moved
    from byoa.tracking.records import HookRecord
    from byoa.trust.allowed import Allowed
    from byoa.trust.issuers import KeysFound
    from byoa.trust.ports import ClientSecrets, ClusterTokens, SharedSafe, Verifier


class Span(NamedTuple):
    """Which part of a list: ``limit`` items after ``offset`` of them, or after the place that ``after`` names."""

    offset: int = 0
    limit: int = 10
    after: str | None = None


class Page[Item](NamedTuple):
    """A part of a list, and the place where it goes on; ``None`` at its end."""

    items: list[Item]
    more: str | None


@dataclass(frozen=True, slots=True)
class Component:
    """A component as the table has it. ``version`` is its newest config's, 0 for none.

    ``moved`` is what was noted of its tag; it is of no matter once a newer config was handed in.
    """

    app: str
    name: str
    version: int
    created_at_ts: int
    updated_at_ts: int
    var_name: str | None = None
    dependencies: tuple[str, ...] = ()
    created_by: str | None = None
    moved: Moved | None = None


class App(NamedTuple):
    """A name that components are under, and who handed in the first one, in ms since 1970 UTC."""

    name: str
    created_at_ts: int
    created_by: str | None = None


class Inventory(Protocol):
    """What one organisation has: components, their configs and builds."""

    @property
    def series(self) -> str:
        """What builds' ids are made with."""
        ...

    def apps(self, prefix: str, span: Span) -> Page[App]:
        """The apps whose names begin with ``prefix``, by name."""
        ...

    def app(self, name: str) -> App | None:
        """One of them."""
        ...

    def components(self, app: str | None, prefix: str, span: Span) -> Page[Component]:
        """The app's components whose names begin with ``prefix``, by name; without an app all, by app and name."""
        ...

    def component(self, app: str, name: str) -> Component | None:
        """One of them."""
        ...

    def create(
        self, app: str, name: str, var_name: str | None, dependencies: Sequence[str], by: str
    ) -> Component | None:
        """A new component without a config; ``None`` where there is one of that name."""
        ...

    def change(self, was: Component, var_name: str | None, dependencies: Sequence[str]) -> Component | None:
        """The component with other settings; ``None`` where it isn't any more as it ``was``."""
        ...

    def remove(self, was: Component) -> bool:
        """Take the component away, and let no build of it go on; ``False`` where it isn't any more as it ``was``.

        Configs, builds and receipts stay, and so does the count of versions. The bus hears of it.
        """
        ...

    def newest(self, components: Sequence[Component]) -> dict[tuple[str, str], Build]:
        """The builds of the newest configs of up to 100 components, by app and component's name."""
        ...

    def submit(
        self, app: str, config: ComponentConfig, *, by: str | None = None, anew: bool = False, text: str | None = None
    ) -> Accepted:
        """See ``builds.ports.Catalogue.submit``; ``anew`` makes a new version of the same content as well."""
        ...

    def submit_after(
        self, app: str, config: ComponentConfig, was: int, *, by: str, text: str | None = None
    ) -> Accepted | None:
        """``submit`` while the component's newest config is the version ``was``, 0 for none; else ``None``."""
        ...

    def config(self, app: str, component: str, version: int) -> ConfigVersion | None:
        """A config as it was accepted."""
        ...

    def configs(self, component: Component, span: Span) -> Page[ConfigVersion]:
        """The component's configs, the newest first."""
        ...

    def builds(self, component: Component, span: Span) -> Page[Build]:
        """The component's builds, the newest first."""
        ...

    def recent(self, app: str | None, span: Span, stage: Stage | None = None) -> Page[Build]:
        """The builds of the app's components, or of all apps', the newest first; of one ``stage`` or of all.

        Those that ended so are listed by when they ended. What changed a moment ago may be missing.
        """
        ...

    def build(self, build_id: str) -> Build | None:
        """One build with its history."""
        ...

    def receipt(self, build_id: str) -> str | None:
        """The receipt of a build that ended as active, in its envelope."""
        ...

    def objects(self, build_id: str) -> NamedObjects | None:
        """The names of what the artifact of a build that ended as active holds."""
        ...

    def cancel(self, build: Build, cause: str, by: str) -> Build | None:
        """End a build that runs or waits; ``None`` where it had ended."""
        ...

    def allowed(self) -> Allowed:
        """What its builds may read."""
        ...

    def allow(self, was: Allowed, references: Sequence[str], by: str) -> Allowed | None:
        """Let them read these (``trust.allowed``) from now on; ``None`` where it isn't any more as it ``was``."""
        ...


class Issuers(Protocol):
    """The issuers of JWTs that one organisation trusts."""

    def rules(self) -> list[IssuerRule]:
        """The rules, the oldest first."""
        ...

    def add(self, rule: IssuerRule) -> None:
        """Keep a new rule."""
        ...

    def remove(self, rule_id: str) -> bool:
        """Let nobody in by it from now on; ``False`` where there is none."""
        ...

    def keep(self, issuer: str, keys: KeptKeys) -> None:
        """Keep an issuer's keys in place of those of before."""
        ...

    def may_ask(self, what: str, times: int, now_ts: int) -> bool:
        """Count a question about ``what``; ``False`` where so many ``times`` were counted in this minute."""
        ...


class Tokens(Protocol):
    """The tokens of one organisation."""

    def add(self, record: TokenRecord) -> None:
        """Keep a new token's record."""
        ...

    def open(self, session: TokenRecord, most: int) -> None:
        """Keep a new session's record. Of its token's, or its person's, the oldest over ``most`` end."""
        ...

    def page(self, span: Span) -> Page[TokenRecord]:
        """All of them, by id."""
        ...

    def revoke(self, token_id: str) -> bool:
        """Let nobody in with it from now on; ``False`` where there is none."""
        ...

    def used(self, record: TokenRecord, now_ts: int) -> None:
        """Note that it was used, unless somebody noted it since ``record`` was read."""
        ...


class Hooks(Protocol):
    """The hooks of one organisation."""

    def add(self, record: HookRecord) -> bool:
        """Keep a new hook's record; ``False`` where there is one of that id."""
        ...

    def page(self, span: Span) -> Page[HookRecord]:
        """All of them, by id."""
        ...

    def remove(self, hook_id: str) -> bool:
        """Take no delivery to it from now on; ``False`` where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody's write: ``what`` is the operation, ``path`` what it was about, ``status`` how it ended (0: unknown)."""

    id: str
    at_ts: int
    token_id: str
    token_name: str
    what: str
    path: str
    address: str
    status: int = 0


class Journal(Protocol):
    """Who did what in one organisation."""

    def begin(self, deed: Deed) -> None:
        """Note that it is about to be done: what can't be noted isn't done."""
        ...

    def end(self, deed: Deed, status: int) -> None:
        """Note how it ended."""
        ...

    def page(self, span: Span) -> Page[Deed]:
        """The newest first."""
        ...


class Kept(NamedTuple):
    """A request that came with a key, and its answer; no ``status`` while it is being answered."""

    request: str
    began_ts: int
    status: int | None = None
    body: str | None = None


class Answers(Protocol):
    """Answers to one organisation's requests that came with an Idempotency-Key."""

    def begin(self, name: str, request: str, now_ts: int) -> Kept | None:
        """Claim a key's ``name`` for a ``request`` (a digest); what is there if it is taken.

        An answer is kept for a day; a claim without an answer for as long as a request can take.
        """
        ...

    def keep(self, name: str, kept: Kept) -> None:
        """Keep the answer; ``body`` is none for what is shown once."""
        ...

    def forget(self, name: str) -> None:
        """Let the key be used again: nothing was done."""
        ...


class KeptLookup(NamedTuple):
    """A lookup that took longer than somebody waits; not ``ended`` while it runs, or when it was lost."""

    id: str
    action: Action
    began_ts: int
    ended: LookupEnded | None = None


class Lookups(Protocol):
    """What one organisation wants to know of artifacts: other functions find out, which may ask registries.

    Each call raises what such a function ends with as well.
    """

    def answer(self, asked: LookUp, seconds: float) -> Answer | None:
        """The answer, if there is one within ``seconds`` and within the functions' own time."""
        ...

    def begin(self, lookup_id: str, asked: LookUp, now_ts: int) -> None:
        """Have it answered while nobody waits."""
        ...

    def find(self, lookup_id: str) -> KeptLookup | None:
        """What became of it; kept for a day."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """All of the above, by organisation, and what is no organisation's."""

    clock: Clock
    doorkeeper: Doorkeeper
    inventory: Callable[[str], Inventory]
    tokens: Callable[[str], Tokens]
    hooks: Callable[[str], Hooks]
    journal: Callable[[str], Journal]
    answers: Callable[[str], Answers]
    safe: Callable[[str], SharedSafe]
    lookups: Callable[[str], Lookups]
    issuers: Callable[[str], Issuers]
    try_credentials: Callable[[Trial], Tried]
    """What a build would meet with stored credentials. Raises what the function that tries them ends with."""
    fetch_keys: Callable[[str, str], KeysFound]
    """For an organisation, what an issuer says of itself now. Raises ``IssuerUnusable``."""
    verifier: Verifier
    installs: Callable[[str], Installs]
    clusters: Callable[[str], ClusterTokens]
    client_secrets: Callable[[str], ClientSecrets]
    deploying: Callable[[str], Deploys]
    leases: Callable[[str], Leases]
    shelf: Callable[[DeployKey, str], Shelf]
    """What was applied of a deploy's component, for who runs it."""
    receipt_check: Callable[[bytes, bytes], bool]
    """Whether a signature, the first, is of these bytes, by the key of receipts."""

    receipt_key: Callable[[], bytes]
    """The public key of receipts: SubjectPublicKeyInfo, DER."""

    table: str = ""
    """What organisations' external ids are made with (``trust.external_id``)."""

    source_role: str = ""
    """The ARN of the role that builds come as where a vendor's role lets them in."""

    cluster_role: str = ""
    """The ARN of the role that deploys come as where a role of a cluster's owner lets them in."""

    quota: int = QUOTA
    """Requests that a token may send in a minute to one process."""
