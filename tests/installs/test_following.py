"""Components that follow their builds: with what depends on them, in order, where the install says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from byoa.installs.messages import ENDED
from byoa.installs.objects import Place
from byoa.installs.steps.follow_builds import BuildActive, BuildFollowed, follow_builds
from byoa.installs.steps.release_deploys import release_deploys
from tests.installs.beds import CONFIG_MAPS, NAMESPACES, config_map, namespace
from tests.installs.platform import INSTALL, Counted, Died, Platform
from tests.installs.test_runs import changed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pytest

    from byoa.builds.messages import Build
    from byoa.installs.messages import Deploy, Install

_UNKNOWN = {"apiVersion": "nobody.example.com/v1", "kind": "Thing", "metadata": {"name": "db"}}
DEPENDENCIES = {"db": [], "api": ["db"], "web": ["api"], "docs": []}


@dataclass
class Followed:
    """An app whose components are built anew one after the other, and an install that follows some of them."""

    follow: list[str] = field(default_factory=lambda: ["db"])
    deploy_dependents: bool = True
    depends: Mapping[str, Collection[str]] = field(default_factory=lambda: dict(DEPENDENCIES))
    platform: Platform = field(default_factory=Platform)
    heard: int = 0

    def __post_init__(self) -> None:
        self.platform.cluster.create(Place(NAMESPACES, "", "corner"), namespace("corner"))
        self.platform.install(follow=self.follow, deploy_dependents=self.deploy_dependents)
        self.builds: dict[str, Build] = {}
        self.at = 0

    # ---- what the app is

    def dependencies(self) -> Mapping[str, Collection[str]]:
        return self.depends

    def newest_active(self, components: Collection[str]) -> dict[str, Build]:
        return {name: self.builds[name] for name in components if name in self.builds}

    # ---- what happens

    @property
    def install(self) -> Install:
        found = self.platform.installs.install(INSTALL)
        assert found
        return found

    def build(self, *names: str) -> None:
        """New builds of components, of which nobody was told yet."""
        for name in names:
            self.at += 1
            value = {"data": {"value": str(self.at)}}
            self.builds[name] = self.platform.build({**config_map(name), **value}, name=name)

    def tell(self, name: str, installs: Any = None) -> BuildFollowed:
        build = self.builds[name]
        known = {"organisation": build.organisation, "app": build.app, "component": name, "version": build.version}
        told = BuildActive(**known, id=build.build_id)
        return follow_builds(told, installs or self.platform.installs, self)

    def hear(self) -> None:
        """What the bus tells of deploys, to whoever runs them or goes on with a run."""
        told = self.platform.store.told
        while self.heard < len(told):
            deploy = told[self.heard]
            if deploy.status == "queued":
                self.platform.run(deploy)
            elif deploy.status in ENDED:
                release_deploys(changed(deploy), self.platform.installs)
            self.heard += 1

    def newest(self, component: str) -> Deploy:
        return self.platform.installs.deploys(self.install, component, 1).items[0]

    def statuses(self) -> dict[str, str]:
        return {each.component: each.status for each in self.platform.installs.components(self.install)}

    def there(self, name: str) -> str:
        """Whose build of a component is in the cluster: its number among all builds."""
        live = self.platform.cluster.get(Place(CONFIG_MAPS, "corner", name))
        return str(live["data"]["value"]) if live else ""


def test_what_depends_on_a_followed_component_is_deployed_behind_it_where_the_install_says_so() -> None:
    app = Followed()
    app.build("db", "api", "web", "docs")
    assert app.tell("db") == BuildFollowed(asked=1, behind=2)
    assert app.statuses() == {"db": "queued", "api": "pending", "web": "pending"}
    app.hear()
    assert app.statuses() == dict.fromkeys(("db", "api", "web"), "active")
    assert {app.newest(name).cause for name in ("db", "api", "web")} == {"followed"}
    assert app.newest("web").run == app.newest("db").id
    assert app.tell("db") == BuildFollowed(asked=0), "told twice"


def test_and_is_left_alone_where_it_doesn_t() -> None:
    app = Followed(deploy_dependents=False)
    app.build("db", "api", "web")
    assert app.tell("db") == BuildFollowed(asked=1)
    app.hear()
    assert app.statuses() == {"db": "active"}


def test_a_followed_component_waits_for_what_is_under_way_of_those_that_it_depends_on() -> None:
    app = Followed(follow=["db", "api", "web"])
    app.build("db", "api", "web")
    for name in ("db", "api", "web"):
        app.tell(name)
    assert app.statuses() == {"db": "queued", "api": "pending", "web": "pending"}
    assert [each.id for each in app.newest("api").waits_for] == [app.newest("db").id]
    app.hear()
    assert app.statuses() == dict.fromkeys(("db", "api", "web"), "active")
    assert [app.there(name) for name in ("db", "api", "web")] == ["1", "2", "3"]


def test_whatever_order_builds_of_a_whole_app_become_active_in_the_newest_of_each_is_there_in_the_end() -> None:
    for order in (("web", "api", "db"), ("api", "web", "db"), ("db", "web", "api")):
        app = Followed(follow=["db", "api", "web"])
        app.build("db", "api", "web")
        for name in ("db", "api", "web"):
            app.tell(name)
        app.hear()
        for name in order:
            app.build(name)
            app.tell(name)
        app.hear()
        newest = {name: str(4 + order.index(name)) for name in order}
        assert {name: app.there(name) for name in order} == newest, order
        assert not {"pending", "queued"} & {*app.statuses().values()}, order


def test_what_failed_before_keeps_nothing_from_following_its_builds() -> None:
    app = Followed(follow=["db", "api"])
    app.build("api")
    app.builds["db"] = app.platform.build(_UNKNOWN, name="db")
    app.tell("db")
    app.hear()
    assert app.statuses() == {"db": "error", "api": "auto-skipped"}
    app.build("api")
    app.tell("api")
    app.hear()
    assert app.statuses() == {"db": "error", "api": "active"}


def test_what_overtakes_a_deploy_that_a_followed_build_waits_for_takes_its_place() -> None:
    requests: tuple[dict[str, Any], ...] = ({}, {"plan_only": True}, {"operation": "teardown"})
    for request in requests:
        app = Followed(follow=["db", "api"])
        app.build("db", "api")
        for name in ("db", "api"):
            app.tell(name)
        overtakes = app.platform.ask(app.builds["db"], component="db", **request)
        app.hear()
        assert overtakes.number == 2
        assert app.newest("api").status == "active", request
        assert app.there("api") == "2", request


def test_and_where_that_fails_the_build_is_skipped_by_its_name() -> None:
    app = Followed(follow=["db", "api"])
    app.build("db", "api")
    for name in ("db", "api"):
        app.tell(name)
    app.platform.ask(app.platform.build(_UNKNOWN, name="db"), component="db")
    app.hear()
    failure = app.newest("api").failure
    assert failure
    assert failure.cause == "It waited for deploy 2 of db, which is error."


def test_components_that_depend_on_each_other_follow_their_builds_alone() -> None:
    app = Followed(depends={"db": ["api"], "api": ["db"]})
    app.build("db", "api")
    assert app.tell("db") == BuildFollowed(asked=1, alone="DependenciesCyclic")
    app.hear()
    assert app.statuses() == {"db": "active"}


def test_more_dependents_than_one_call_asks_for_come_when_the_first_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("byoa.installs.steps.follow_builds._UNFOLDED", 1)
    app = Followed()
    app.build("db", "api", "web")
    assert app.tell("db") == BuildFollowed(asked=1, behind=1)
    assert app.statuses() == {"db": "queued", "api": "pending"}
    app.hear()
    assert app.statuses() == dict.fromkeys(("db", "api", "web"), "active")


def test_who_follows_may_die_anywhere_and_is_told_again() -> None:
    app, counted = Followed(), Counted()
    app.build("db", "api", "web")
    app.tell("db", counted.around(app.platform.installs))
    for at in range(1, counted.calls + 1):
        app, dying = Followed(), Counted(at, after=at % 2 == 0)
        app.build("db", "api", "web")
        for installs in (dying.around(app.platform.installs), app.platform.installs):
            try:
                app.tell("db", installs)
            except Died:
                continue
        app.hear()
        assert app.statuses() == dict.fromkeys(("db", "api", "web"), "active"), at
        assert len(app.platform.store.deploys) == 3, at
