"""One suite over both stores of installs and their deploys, and what lists of DynamoDB cost."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws.applied import TableShelf
from byoa.adapters.aws.attended import Attended
from byoa.adapters.aws.deploys import DynamoDeploys
from byoa.adapters.aws.installs import DynamoInstalls
from byoa.adapters.aws.leases import DynamoLeases
from byoa.adapters.aws.rows import Rows
from byoa.adapters.aws.stream import events_of
from byoa.adapters.memory.applied import MemoryShelf
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.installs import DeployStore, MemoryDeploys, MemoryInstalls
from byoa.adapters.memory.inventory import MemoryInventory
from byoa.adapters.memory.leases import MemoryLeases
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.api.offered import Offered
from byoa.builds.records import milliseconds
from byoa.errors import ContentTooLarge, DeployBusy, DeploySuperseded, DuplicateEvent, EventUntrusted
from byoa.installs import records
from byoa.installs.contents import pack
from byoa.installs.inventory import Inventory
from byoa.installs.messages import (
    Answered,
    Before,
    Dependent,
    Deploy,
    DeployKey,
    DeployStatusChanged,
    Install,
    InstallComponent,
)
from byoa.installs.objects import Identity
from byoa.installs.ports import IN_A_RUN, AgentSign, Request
from byoa.installs.runs import unfold
from byoa.installs.steps.drift_due import drift_due, mend
from byoa.installs.steps.follow_builds import BuildActive, follow_builds
from byoa.installs.steps.release_deploys import release_deploys
from byoa.installs.steps.sweep_deploys import SILENCE, UNASKED, VANISHED, sweep_deploys
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from byoa.installs.messages import DeployStatus
    from byoa.installs.ports import Becomes

TABLE = TEMPLATE["Resources"]["Table"]["Properties"]
ORG, OTHER, APP = "org_0123456789ab", "org_other0000000", "shop"
APPLY = Request("apply", "bld" + "a" * 23, 1, by="tok_1")
AGENT = {"kind": "agent"}
MINUTE = timedelta(minutes=1)
STATIC = {"kind": "static", "server": "https://k8s.example.com", "ca": None, "server_name": None, "private": False}


def an_install(name: str, number: int = 0, app: str = APP, **settings: Any) -> Install:
    letter = "abcdefghijklmnopqrstuvwxyz"[number]
    fields = {"organisation": ORG, "app": app, "id": f"inl{letter * 23}", "name": name, "access": STATIC}
    return Install.model_validate({**fields, "created_at_ts": 1, "updated_at_ts": 1, **settings})


class Stand:
    """Installs and deploys of one store, and what was asked of it."""

    def __init__(self, client: Any = None) -> None:
        self.clock = SteppingClock()
        self.client = client
        self.asked: list[str] = []
        self.store = DeployStore(self.clock, "table")
        if client:
            client.meta.events.register("provide-client-params.dynamodb", self._note)

    def _note(self, model: Any, **_: Any) -> None:
        self.asked.append(model.name)

    def deploys(self, org: str = ORG) -> Any:
        return DynamoDeploys(org, Rows(self.client, "table"), self.clock) if self.client else MemoryDeploys(self.store)

    def attended(self) -> Any:
        if self.client:
            return Attended(Rows(self.client, "table"), self.deploys)
        return MemoryDeploys(self.store)

    def shelf(self, deploy: Deploy, execution: str) -> Any:
        if self.client:
            return TableShelf(Rows(self.client, "table"), deploy.key, execution)
        return MemoryShelf(self.store, deploy.key, execution)

    def installs(self, org: str = ORG) -> Any:
        if self.client:
            return DynamoInstalls(self.deploys(org))
        return MemoryInstalls(org, self.store)

    def made(self, name: str = "prod", number: int = 0, **settings: Any) -> Install:
        install = an_install(name, number, **settings)
        assert self.installs().create(install)
        return install

    def hear(self, install: Install) -> datetime:
        """An agent of it asks for work, now."""
        in_memory = MemoryLeases(ORG, {}, self.store)
        leases = DynamoLeases(ORG, Rows(self.client, "table")) if self.client else in_memory
        leases.note(install.id, AgentSign(milliseconds(self.clock.moment), "tok_1", "agent"))
        return self.clock.moment

    def later(self, span: timedelta) -> None:
        self.clock.moment += span


@pytest.fixture
def dynamo() -> Iterator[Stand]:
    with mock_aws(), closing(boto3.client("dynamodb", "us-east-1")) as client:
        client.create_table(
            TableName="table",
            **{name: TABLE[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")},
            BillingMode="PAY_PER_REQUEST",
        )
        yield Stand(client)


@pytest.fixture(params=["memory", "dynamo"])
def stand(request: pytest.FixtureRequest) -> Stand:
    return Stand() if request.param == "memory" else request.getfixturevalue("dynamo")


def to(stand: Stand, status: DeployStatus, text: str = "so it is", **changes: Any) -> Becomes:
    """What makes a deploy of that status, and what its component is then."""

    def becomes(deploy: Deploy, part: InstallComponent) -> tuple[Deploy, InstallComponent]:
        return records.moved(deploy, records.entry(status, text, stand.clock.now()), **changes), part

    return becomes


def asked_for_approval(stand: Stand, install: Install, component: str = "web") -> Deploy:
    deploy = stand.installs().ask(install, component, APPLY)
    stand.deploys().begin(deploy.key, "first")
    waits = to(stand, "pending-approval", fingerprint="plan-1", needs=["Job/shop/migrate"], counts={"create": 2})
    found: Deploy | None = stand.deploys().finish(
        deploy.key, "first", waits, pack({"objects": [{"object": "Job/shop/migrate"}]})
    )
    assert found
    return found


APPROVED = Answered(
    decision="approve", fingerprint="plan-1", names=["Job/shop/migrate"], note="ok", by="tok_2", at_ts=5
)


NO_APP = Offered(MemoryInventory(ORG, MemoryLedger(SteppingClock())), APP)
"""What nobody is asked of who follows a component and nothing with it."""


# ---- installs ----------------------------------------------------------------------------------------------------


def test_an_install_reads_as_it_was_made(stand: Stand) -> None:
    install = an_install("prod", inputs={"replicas": 3, "ratio": 1.5, "tags": ["a"]}, follow=["web"], access=AGENT)
    assert stand.installs().create(install)
    assert stand.installs().install(install.id) == install


def test_a_name_is_one_install_s_of_its_app(stand: Stand) -> None:
    stand.made("prod", 0)
    assert not stand.installs().create(an_install("prod", 1))
    assert stand.installs().create(an_install("prod", 2, app="other"))
    assert not stand.installs().create(an_install("test", 0))


def test_installs_of_an_app_are_listed_by_name_a_part_at_a_time(stand: Stand) -> None:
    for number, name in enumerate(["west", "east", "north"]):
        stand.made(name, number)
    stand.made("aaa", 5, app="shop-2")
    first = stand.installs().page(APP, 2)
    assert [each.name for each in first.items] == ["east", "north"]
    rest = stand.installs().page(APP, 2, after=first.more)
    assert ([each.name for each in rest.items], rest.more) == (["west"], None)
    assert [each.name for each in stand.installs().page(APP, 5, offset=1).items] == ["north", "west"]


def test_all_installs_are_listed_by_id(stand: Stand) -> None:
    for number, name in enumerate(["west", "east"]):
        stand.made(name, number)
    stand.made("aaa", 2, app="shop-2")
    found = stand.installs().page(None, 2)
    assert [each.name for each in found.items] == ["west", "east"]
    assert [each.name for each in stand.installs().page(None, 2, after=found.more).items] == ["aaa"]


def test_another_organisation_sees_none_of_them(stand: Stand) -> None:
    install = stand.made()
    stand.installs().ask(install, "web", APPLY)
    others = stand.installs(OTHER)
    assert others.page(None, 5).items == others.page(APP, 5).items == []
    assert others.install(install.id) is None
    assert others.components(install) == []


def test_who_changes_an_install_must_have_seen_the_newest(stand: Stand) -> None:
    install = stand.made()
    changed = install.model_copy(update={"approval": "approve-all", "name": "live"})
    assert stand.installs().change(install, changed)
    found = stand.installs().install(install.id)
    assert found
    assert (found.approval, found.name, found.version) == ("approve-all", "live", 2)
    assert not stand.installs().change(install, install.model_copy(update={"mend": True}))
    assert [each.name for each in stand.installs().page(APP, 5).items] == ["live"]


def test_an_install_can_t_take_another_one_s_name(stand: Stand) -> None:
    stand.made("prod", 0)
    other = stand.made("test", 1)
    assert not stand.installs().change(other, other.model_copy(update={"name": "prod"}))


def test_an_install_is_forgotten_when_nothing_of_it_is_tracked(stand: Stand) -> None:
    install = stand.made()
    deploy = stand.installs().ask(install, "web", APPLY)
    assert not stand.installs().remove(install), "a deploy has not ended"
    stand.installs().cancel(deploy, "not wanted", "tok_1")
    assert stand.installs().remove(install)
    assert stand.installs().install(install.id) is None
    assert stand.installs().page(APP, 5).items == stand.installs().components(install) == []
    assert stand.installs().create(an_install("prod", 1)), "its name is free"
    found = stand.installs().deploy(deploy.id)
    assert found, "what was done stays to be looked at"


def test_an_install_with_more_components_than_a_transaction_takes_is_forgotten(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("byoa.adapters.aws.forgetting.TOGETHER", 10)
    install = stand.made()
    for number in range(25):
        deploy = stand.installs().ask(install, f"c{number:03}", APPLY)
        assert stand.installs().cancel(deploy, "not wanted", "tok_1")
    assert stand.installs().remove(install)
    assert (stand.installs().install(install.id), stand.installs().everywhere(200).items) == (None, [])
    assert _left_of(stand, install) <= HISTORY_OF_AN_INSTALL


def test_whoever_is_killed_while_an_install_is_forgotten_leaves_the_rest_to_the_next_try(
    dynamo: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("byoa.adapters.aws.forgetting.TOGETHER", 8)
    real, names = dynamo.client.transact_write_items, [f"c{number}" for number in range(11)]
    for killed in range(1, 4):
        install = dynamo.made(number=killed)
        for name in names:
            assert dynamo.installs().cancel(dynamo.installs().ask(install, name, APPLY), "not wanted", "tok_1")
        writes = iter(range(100))

        def dying(**asked: Any) -> Any:
            if next(writes) == killed:  # noqa: B023 - called in this round
                raise KeyboardInterrupt
            return real(**asked)

        with monkeypatch.context() as patch:
            patch.setattr(dynamo.client, "transact_write_items", dying)
            with pytest.raises(KeyboardInterrupt):
                dynamo.installs().remove(install)
        assert dynamo.installs().install(install.id) is None
        assert len(dynamo.installs().everywhere(100).items) == 11 - 2 - 4 * (killed - 1)
        dynamo.installs().forget(install.id)
        assert dynamo.installs().everywhere(100).items == []


HISTORY_OF_AN_INSTALL = {"DEPLOY", "DEPLOYID", "PLAN"}
"""What of an install is kept when it is gone: who did what to a cluster, and what was planned, for 90 days."""


def _left_of(stand: Stand, install: Install) -> set[str]:
    """The kinds of items that name an install; in memory, of those that aren't history."""
    if not stand.client:
        kept = (stand.store.installs, stand.store.parts, stand.store.packed, stand.store.signs, stand.store.holders)
        return {"kept" for each in kept for place in each if install.id in place}
    items = stand.client.scan(TableName="table", ConsistentRead=True)["Items"]
    ours = {deploy["id"]["S"] for deploy in items if deploy["sk"]["S"].startswith(f"DEPLOY#{install.id}#")}
    named = (install.id, f"#{install.name}", *ours)
    return {item["sk"]["S"].partition("#")[0] for item in items if any(each in str(item) for each in named)}


def test_of_an_install_that_is_removed_nothing_is_kept_but_what_was_done(stand: Stand) -> None:
    install = stand.made(access=AGENT)
    stand.hear(install)
    deploy = stand.installs().ask(install, "web", APPLY)
    stand.deploys().begin(deploy.key, "one")
    kept = stand.shelf(deploy, "one").write(WEB)
    stand.shelf(deploy, "one").write(kept.without(kept.uids))
    stand.deploys().finish(deploy.key, "one", to(stand, "inactive"), pack({"objects": []}))
    assert stand.installs().remove(install)
    assert _left_of(stand, install) <= HISTORY_OF_AN_INSTALL
    assert stand.installs().contents(stand.installs().deploy(deploy.id)) is not None
    if stand.client:
        plans = [each for each in stand.client.scan(TableName="table")["Items"] if each["sk"]["S"].startswith("PLAN#")]
        assert all("expires_at" in each for each in plans)


def test_what_an_earlier_version_left_of_an_install_goes_with_the_next_try(dynamo: Stand) -> None:
    install = dynamo.made()
    for kind in ("APPLIED#{}#web", "AGENT#{}"):
        item = {"pk": {"S": f"ORG#{ORG}"}, "sk": {"S": kind.format(install.id)}}
        dynamo.client.put_item(TableName="table", Item=item)
    _lose(dynamo, install)
    dynamo.installs().forget(install.id)
    assert _left_of(dynamo, install) <= {"INSTALLNAME"}, "which whoever removes an install takes with it"


def test_what_is_left_of_an_install_goes_but_for_what_somebody_runs(stand: Stand) -> None:
    install = stand.made()
    stand.installs().forget(install.id)
    assert stand.installs().install(install.id) == install, "one that is there isn't forgotten"
    done, waits, runs = (stand.installs().ask(install, name, APPLY) for name in ("done", "waits", "runs"))
    stand.installs().cancel(done, "not wanted", "tok_1")
    stand.deploys().begin(runs.key, "first")
    stand.installs().cancel(runs, "not wanted", "tok_1")
    _lose(stand, install)
    stand.installs().forget(install.id)
    assert [each.component for each in stand.installs().components(install)] == ["runs", "waits"]
    stand.deploys().finish(runs.key, "first", to(stand, "error"))
    stand.installs().cancel(waits, "not wanted", "tok_1")
    stand.installs().forget(install.id)
    assert stand.installs().components(install) == []


def _lose(stand: Stand, install: Install) -> None:
    """The install alone goes, as where whoever removes it is killed."""
    if stand.client:
        key = {"pk": {"S": f"ORG#{ORG}"}, "sk": {"S": f"INSTALL#{install.id}"}}
        stand.client.delete_item(TableName="table", Key=key)
    else:
        del stand.store.installs[ORG, install.id]


def test_an_install_is_not_forgotten_before_who_runs_a_cancelled_deploy_of_it_let_go(stand: Stand) -> None:
    install = stand.made()
    deploy = stand.installs().ask(install, "web", APPLY)
    stand.deploys().begin(deploy.key, "first")
    stand.installs().cancel(deploy, "not wanted", "tok_1")
    assert not stand.installs().remove(install)
    stand.later(timedelta(hours=6))
    assert stand.deploys().finish(deploy.key, "first", to(stand, "error")) is None
    assert stand.installs().remove(install)
    assert [*stand.attended().unended(milliseconds(stand.clock.now()))] == [], "nobody looks after it for ever"


def test_one_that_was_changed_meanwhile_is_not_forgotten(stand: Stand) -> None:
    install = stand.made()
    stand.installs().change(install, install.model_copy(update={"mend": True}))
    assert not stand.installs().remove(install)


# ---- deploys -----------------------------------------------------------------------------------------------------


def test_a_deploy_that_is_asked_for_waits_and_is_its_component_s_newest(stand: Stand) -> None:
    install = stand.made(approval="approve-all")
    deploy = stand.installs().ask(install, "web", APPLY)
    assert (deploy.number, deploy.status, deploy.approve_all, deploy.created_by) == (1, "queued", True, "tok_1")
    assert stand.installs().deploy(deploy.id) == deploy
    (part,) = stand.installs().components(install)
    assert (part.component, part.number, part.deploy_id, part.status) == ("web", 1, deploy.id, "queued")
    assert stand.installs().component(install, "web") == part
    assert stand.installs().component(install, "api") is None


def test_deploys_of_one_component_and_of_all_are_listed_the_newest_first(stand: Stand) -> None:
    install = stand.made()
    for component in ("web", "api", "web"):
        stand.installs().ask(install, component, APPLY)
    listed = partial(stand.installs().deploys, install)
    assert [(each.component, each.number) for each in listed(None, 9).items] == [("web", 2), ("api", 1), ("web", 1)]
    first = listed(None, 2)
    rest = listed(None, 2, first.more)
    assert ([(each.component, each.number) for each in rest.items], rest.more) == ([("web", 1)], None)
    assert [each.number for each in listed("web", 9).items] == [2, 1]
    one = listed("web", 1)
    assert [each.number for each in listed("web", 1, one.more).items] == [1]


def test_components_of_all_installs_are_listed_a_part_at_a_time(stand: Stand) -> None:
    for install in (stand.made("one", 0), stand.made("two", 1)):
        for component in ("web", "api"):
            stand.installs().ask(install, component, APPLY)
    listed = stand.installs().everywhere
    every = listed(9)
    assert [(each.install_id[3], each.component) for each in every.items] == [
        ("a", "api"), ("a", "web"), ("b", "api"), ("b", "web"),
    ]  # fmt: skip
    assert every.more is None
    first = listed(3)
    assert listed(3, after=first.more).items == every.items[3:]
    assert listed(9, offset=2).items == every.items[2:]
    assert stand.installs(OTHER).everywhere(9).items == []


def test_a_place_of_a_list_that_is_none_shows_nothing(stand: Stand) -> None:
    install = stand.made()
    stand.installs().ask(install, "web", APPLY)
    assert stand.installs().deploys(install, None, 5, "nowhere").items == []


def test_one_that_has_not_begun_to_write_is_overtaken(stand: Stand) -> None:
    install = stand.made()
    first = stand.installs().ask(install, "web", APPLY)
    stand.deploys().begin(first.key, "one")
    second = stand.installs().ask(install, "web", APPLY)
    found = stand.installs().deploy(first.id)
    assert found
    assert (found.status, found.failure.code, found.metadata) == ("cancelled", "DeploySuperseded", {"overtaken_by": 2})
    with pytest.raises(DeploySuperseded):
        stand.deploys().check(first.key, "one")
    with pytest.raises(DeployBusy):
        stand.deploys().begin(second.key, "two")
    assert stand.deploys().finish(first.key, "one", to(stand, "active")) is None
    assert stand.deploys().begin(second.key, "two").status == "planning"


def test_one_that_writes_is_waited_for(stand: Stand) -> None:
    install = stand.made()
    first = stand.installs().ask(install, "web", APPLY)
    stand.deploys().begin(first.key, "one")
    stand.deploys().change(first.key, "one", to(stand, "executing"))
    second, third = (stand.installs().ask(install, "web", APPLY) for _ in range(2))
    assert stand.installs().deploy(first.id).status == "executing"
    assert stand.installs().deploy(second.id).status == "cancelled"
    with pytest.raises(DeployBusy):
        stand.deploys().begin(third.key, "three")
    stand.deploys().finish(first.key, "one", to(stand, "active"))
    assert stand.deploys().begin(third.key, "three").execution == "three"


@pytest.mark.parametrize("how", ["it fails", "it is cancelled", "it is swept"])
def test_how_objects_are_is_not_known_of_a_deploy_that_ended_while_it_wrote(stand: Stand, how: str) -> None:
    install = stand.made()
    deploy = stand.installs().ask(install, "web", APPLY)
    stand.deploys().begin(deploy.key, "one")

    def writes(found: Deploy, part: InstallComponent) -> tuple[Deploy, InstallComponent]:
        line = records.entry("executing", "so it is", stand.clock.now())
        return records.moved(found, line), part.model_copy(update={"health": "progressing"})

    stand.deploys().change(deploy.key, "one", writes)
    assert stand.installs().component(install, "web").health == "progressing"
    if how == "it is cancelled":
        stand.installs().cancel(deploy, "Nobody wants it.", "tok_1")
    if how == "it is swept":
        stand.clock.moment += SILENCE + MINUTE
        sweep_deploys(stand.attended(), stand.clock)
    else:
        stand.deploys().finish(deploy.key, "one", to(stand, "error"))
    assert stand.installs().component(install, "web").health == "unknown"
    stand.installs().ask(install, "web", APPLY)
    assert stand.installs().component(install, "web").health == "unknown", "nor behind a newer one"


def test_deploys_of_other_components_don_t_wait(stand: Stand) -> None:
    install = stand.made()
    for component in ("web", "api"):
        deploy = stand.installs().ask(install, component, APPLY)
        assert stand.deploys().begin(deploy.key, component).status == "planning"


def test_a_deploy_is_one_execution_s(stand: Stand) -> None:
    deploy = stand.installs().ask(stand.made(), "web", APPLY)
    begun = stand.deploys().begin(deploy.key, "one")
    assert stand.deploys().begin(deploy.key, "one") == begun
    for refused in (stand.deploys().begin, stand.deploys().check):
        with pytest.raises(DuplicateEvent):
            refused(deploy.key, "two")
    with pytest.raises(DuplicateEvent):
        stand.deploys().change(deploy.key, "two", to(stand, "executing"))
    assert stand.deploys().finish(deploy.key, "two", to(stand, "active")) is None
    assert stand.deploys().look(deploy.key) == begun


def test_a_deploy_that_nobody_asked_for_is_not_begun(stand: Stand) -> None:
    key = DeployKey(organisation=ORG, install_id=stand.made().id, component="web", number=1)
    with pytest.raises(EventUntrusted):
        stand.deploys().begin(key, "one")


def test_drift_is_looked_for_in_what_was_applied_last(stand: Stand) -> None:
    install = stand.made()
    first = stand.installs().ask(install, "web", APPLY)
    stand.deploys().begin(first.key, "one")

    def applied(deploy: Deploy, part: InstallComponent) -> tuple[Deploy, InstallComponent]:
        stands = part.model_copy(update={"build_id": deploy.build_id, "digest": "sha256:1", "health": "healthy"})
        return to(stand, "active")(deploy, stands)

    stand.deploys().finish(first.key, "one", applied)
    part = stand.installs().component(install, "web")
    assert (part.status, part.health, part.digest) == ("active", "healthy", "sha256:1")
    looked = stand.installs().ask(install, "web", Request("drift", cause="schedule"))
    assert (looked.build_id, looked.cause, looked.operation) == (first.build_id, "schedule", "drift")


# ---- approvals ---------------------------------------------------------------------------------------------------


def test_a_plan_that_waits_lets_go_of_its_component_and_shows_its_contents(stand: Stand) -> None:
    install = stand.made()
    deploy = asked_for_approval(stand, install)
    assert (deploy.status, deploy.fingerprint, deploy.counts) == ("pending-approval", "plan-1", {"create": 2})
    assert stand.installs().contents(deploy) == {"objects": [{"object": "Job/shop/migrate"}], "more": 0}
    assert stand.installs().component(install, "web").status == "pending-approval"
    with pytest.raises(DuplicateEvent):
        stand.deploys().begin(deploy.key, "late")


def test_a_plan_that_is_approved_waits_for_another_execution(stand: Stand) -> None:
    install = stand.made()
    deploy = asked_for_approval(stand, install)
    found = stand.installs().answer(deploy, APPROVED)
    assert (found.status, found.answered, found.execution) == ("queued", APPROVED, None)
    assert stand.installs().deploy(deploy.id) == found
    assert stand.deploys().begin(deploy.key, "second").status == "planning"
    assert stand.installs().answer(deploy, APPROVED) is None


def test_a_plan_that_is_denied_ends(stand: Stand) -> None:
    deploy = asked_for_approval(stand, stand.made())
    said = APPROVED.model_copy(update={"decision": "deny", "names": []})
    found = stand.installs().answer(deploy, said)
    assert (found.status, found.answered.note, found.ended) == ("approval-denied", "ok", True)
    with pytest.raises(DeploySuperseded):
        stand.deploys().begin(deploy.key, "second")


def test_an_answer_is_to_one_plan(stand: Stand) -> None:
    deploy = asked_for_approval(stand, stand.made())
    assert stand.installs().answer(deploy, APPROVED.model_copy(update={"fingerprint": "plan-2"})) is None
    running = stand.installs().ask(stand.installs().install(deploy.install_id), "api", APPLY)
    assert stand.installs().answer(running, APPROVED) is None


def test_an_answer_that_comes_too_late_is_none(stand: Stand) -> None:
    deploy = asked_for_approval(stand, stand.made())
    stand.later(records.APPROVAL_TIME)
    assert stand.installs().answer(deploy, APPROVED) is None
    found = records.expired(deploy, stand.clock.now())
    assert found
    assert (found.status, found.failure and found.failure.code) == ("cancelled", "DeployCancelled")


def test_a_newer_deploy_overtakes_a_plan_that_waits(stand: Stand) -> None:
    install = stand.made()
    deploy = asked_for_approval(stand, install)
    newer = stand.installs().ask(install, "web", APPLY)
    assert stand.installs().answer(deploy, APPROVED) is None
    assert stand.installs().deploy(deploy.id).status == "cancelled"
    assert stand.deploys().begin(newer.key, "two").number == 2


# ---- stopping ----------------------------------------------------------------------------------------------------


def test_a_deploy_is_stopped_once(stand: Stand) -> None:
    deploy = stand.installs().ask(stand.made(), "web", APPLY)
    found = stand.installs().cancel(deploy, "It isn't wanted.", "tok_1")
    assert (found.status, found.failure.cause, found.metadata) == (
        "cancelled",
        "It isn't wanted.",
        {"stopped_by": "tok_1"},
    )
    assert stand.installs().cancel(deploy, "It isn't wanted.", "tok_1") is None


def test_what_is_stopped_holds_its_component_until_whoever_runs_it_lets_go(stand: Stand) -> None:
    install = stand.made()
    deploy = stand.installs().ask(install, "web", APPLY)
    stand.deploys().begin(deploy.key, "one")
    stand.deploys().change(deploy.key, "one", to(stand, "executing"))
    stand.installs().cancel(deploy, "It isn't wanted.", "tok_1")
    with pytest.raises(DeploySuperseded):
        stand.deploys().change(deploy.key, "one", to(stand, "executing"))
    newer = stand.installs().ask(install, "web", APPLY)
    with pytest.raises(DeployBusy):
        stand.deploys().begin(newer.key, "two")
    assert stand.deploys().finish(deploy.key, "one", to(stand, "active")) is None
    assert stand.deploys().begin(newer.key, "two").execution == "two"
    assert stand.installs().deploy(deploy.id).status == "cancelled"


def test_a_history_that_is_full_keeps_its_beginning_and_its_last_line(stand: Stand) -> None:
    deploy = stand.installs().ask(stand.made(), "web", APPLY)
    for number in range(250):
        deploy = records.moved(deploy, records.entry("executing", f"line {number}", stand.clock.now()))
    assert (len(deploy.history), deploy.left_out) == (200, 51)
    assert deploy.history[0].status == "queued"
    assert deploy.history[-1].status_human_description == deploy.status_human_description == "line 249"


# ---- those that somebody looks after -----------------------------------------------------------------------------


def _unended(stand: Stand) -> list[int]:
    return [key.number for key in stand.attended().unended(milliseconds(stand.clock.moment) + 1)]


def test_deploys_that_have_not_ended_or_hold_their_component_are_looked_after(stand: Stand) -> None:
    install = stand.made()
    first = stand.installs().ask(install, "web", APPLY)
    assert _unended(stand) == [1]
    stand.deploys().begin(first.key, "one")
    stand.deploys().change(first.key, "one", to(stand, "executing"))
    stand.installs().cancel(first, "It isn't wanted.", "tok_1")
    second = stand.installs().ask(install, "web", APPLY)
    assert _unended(stand) == [1, 2], "the first holds the component yet"
    assert list(stand.attended().unended(0)) == []
    assert sweep_deploys(stand.attended(), stand.clock).ended == 0
    stand.later(SILENCE)
    assert sweep_deploys(stand.attended(), stand.clock).model_dump() == {"told": 1, "ended": 1, "failed": 0}
    assert stand.deploys().begin(second.key, "two").execution == "two"
    stand.deploys().finish(second.key, "two", to(stand, "active"))
    assert _unended(stand) == []


def test_one_that_waits_is_told_of_again_in_intervals_that_double(stand: Stand) -> None:
    stand.installs().ask(stand.made(), "web", APPLY)
    told = []
    for _ in range(20):
        stand.later(timedelta(minutes=15))
        told.append(sweep_deploys(stand.attended(), stand.clock).told)
    assert told[:8] == [1, 1, 0, 1, 0, 0, 0, 1]
    assert sum(told[8:]) == 3, "every hour"


def test_one_that_runs_and_says_nothing_for_long_is_ended(stand: Stand) -> None:
    deploy = stand.installs().ask(stand.made(), "web", APPLY)
    stand.deploys().begin(deploy.key, "one")
    stand.later(SILENCE)
    assert sweep_deploys(stand.attended(), stand.clock).ended == 1
    found = stand.installs().deploy(deploy.id)
    assert (found.status, found.failure.code) == ("error", "Timeout")


def test_a_deploy_that_no_agent_asks_for_in_a_day_is_ended_and_says_since_when(stand: Stand) -> None:
    deploy = stand.installs().ask(stand.made(access=AGENT), "web", APPLY)
    assert deploy.status_human_description == "waiting for the install's agent"
    stand.later(UNASKED - MINUTE)
    assert sweep_deploys(stand.attended(), stand.clock).ended == 0
    stand.later(2 * MINUTE)
    assert sweep_deploys(stand.attended(), stand.clock).ended == 1
    failure = stand.installs().deploy(deploy.id).failure
    assert (failure.code, failure.cause) == ("AgentSilent", "No agent ever asked for this install.")
    assert "byoa install run" in failure.remedy
    assert _unended(stand) == []


def test_one_that_waits_for_an_agent_who_still_asks_is_left_to_wait(stand: Stand) -> None:
    install = stand.made(access=AGENT)
    deploy = stand.installs().ask(install, "web", APPLY)
    stand.later(timedelta(hours=30))
    heard = stand.hear(install)
    stand.later(UNASKED - MINUTE)
    assert sweep_deploys(stand.attended(), stand.clock).ended == 0
    stand.later(2 * MINUTE)
    assert sweep_deploys(stand.attended(), stand.clock).ended == 1
    since = heard.isoformat(timespec="seconds").replace("+00:00", "Z")
    assert stand.installs().deploy(deploy.id).failure.cause == f"No agent has asked for this install since {since}."


@pytest.mark.parametrize("status", ["planning", "executing"])
def test_one_whose_agent_vanished_is_ended_two_hours_later_and_the_next_goes_on(stand: Stand, status: str) -> None:
    install = stand.made(access=AGENT)
    first = stand.installs().ask(install, "web", APPLY)
    stand.deploys().begin(first.key, f"agent-{install.id}")
    if status == "executing":
        stand.deploys().change(first.key, f"agent-{install.id}", to(stand, "executing"))
    stand.later(timedelta(hours=1))
    stand.hear(install)
    stand.later(VANISHED - MINUTE)
    assert sweep_deploys(stand.attended(), stand.clock).ended == 0
    stand.later(2 * MINUTE)
    assert sweep_deploys(stand.attended(), stand.clock).ended == 1
    assert stand.installs().deploy(first.id).failure.code == "AgentSilent"
    second = stand.installs().ask(install, "web", APPLY)
    assert stand.deploys().begin(second.key, f"agent-{install.id}").status == "planning"


def test_a_plan_that_nobody_answers_to_is_ended(stand: Stand) -> None:
    deploy = asked_for_approval(stand, stand.made())
    stand.later(timedelta(days=6))
    assert sweep_deploys(stand.attended(), stand.clock).ended == 0
    stand.later(timedelta(days=2))
    assert sweep_deploys(stand.attended(), stand.clock).ended == 1
    assert stand.installs().deploy(deploy.id).status == "cancelled"
    assert _unended(stand) == []


def _applied(stand: Stand, deploy: Deploy, **part: Any) -> None:
    stand.deploys().begin(deploy.key, "one")

    def becomes(found: Deploy, stands: InstallComponent) -> tuple[Deploy, InstallComponent]:
        return to(stand, "active")(found, stands.model_copy(update={"build_id": found.build_id, **part}))

    stand.deploys().finish(deploy.key, "one", becomes)


def test_an_organisation_whose_plans_all_wait_holds_up_no_other_s_deploys(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("byoa.installs.steps.sweep_deploys._AT_ONCE", 2)
    install = stand.made()
    for component in ("a", "b", "c"):
        asked_for_approval(stand, install, component)
    theirs = an_install("prod", 1, organisation=OTHER)
    assert stand.installs(OTHER).create(theirs)
    deploy = stand.installs(OTHER).ask(theirs, "web", APPLY)
    stand.deploys(OTHER).begin(deploy.key, "first")
    stand.later(SILENCE + timedelta(minutes=1))
    assert sweep_deploys(stand.attended(), stand.clock).ended == 1


def test_nor_do_its_waiting_plans_its_own(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("byoa.installs.steps.sweep_deploys._AT_ONCE", 1)
    install = stand.made()
    for component in ("a", "b"):
        asked_for_approval(stand, install, component)
    silent = stand.installs().ask(install, "web", APPLY)
    stand.deploys().begin(silent.key, "first")
    for _ in range(20):
        stand.later(SILENCE)
        sweep_deploys(stand.attended(), stand.clock)
    assert stand.installs().deploy(silent.id).status == "error"


def test_a_component_whose_drift_can_t_be_asked_for_stands_before_no_other(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("byoa.installs.steps.drift_due._AT_ONCE", 1)
    for number, name in enumerate(("one", "two")):
        install = stand.made(name, number)
        due = milliseconds(stand.clock.moment) + 1000 + number
        _applied(stand, stand.installs().ask(install, "web", APPLY), next_drift_ts=due)

    class Unreadable:
        def install(self, install_id: str) -> Install | None:
            if install_id == f"inl{'a' * 23}":
                raise ValueError("an item that this version can't read")
            found: Install | None = stand.installs().install(install_id)
            return found

        def __getattr__(self, name: str) -> Any:
            return getattr(stand.installs(), name)

    stand.later(timedelta(seconds=5))
    asked = [drift_due(stand.attended(), lambda _: cast("Any", Unreadable()), stand.clock).asked for _ in range(2)]
    assert asked == [0, 1]


def test_drift_is_looked_for_when_it_is_due_and_mended_where_the_install_says_so(stand: Stand) -> None:
    install = stand.made(mend=True)
    deploy = stand.installs().ask(install, "web", APPLY)
    due = milliseconds(stand.clock.moment) + 1000
    _applied(stand, deploy, next_drift_ts=due, install_version=1)
    assert drift_due(stand.attended(), stand.installs, stand.clock).asked == 0
    stand.later(timedelta(seconds=2))
    assert drift_due(stand.attended(), stand.installs, stand.clock).asked == 1
    looks = stand.installs().deploys(install, "web", 1).items[0]
    assert (looks.operation, looks.cause, looks.build_id) == ("drift", "schedule", APPLY.build_id)
    assert drift_due(stand.attended(), stand.installs, stand.clock).asked == 0
    stand.later(timedelta(hours=2))
    assert drift_due(stand.attended(), stand.installs, stand.clock).asked == 0, "it is under way"
    stand.deploys().begin(looks.key, "two")
    found = stand.deploys().finish(looks.key, "two", to(stand, "drift-detected"))
    told = DeployStatusChanged(
        **found.model_dump(include=set(DeployStatusChanged.model_fields)), changed_at_ts=found.history[-1].created_at_ts
    )
    assert mend(told, stand.installs()).asked == 1
    mends = stand.installs().deploys(install, "web", 1).items[0]
    assert (mends.operation, mends.build_id, mends.approve_all) == ("apply", APPLY.build_id, True)
    assert mend(told, stand.installs()).asked == 0


def test_what_was_changed_of_an_install_since_it_was_approved_is_not_mended_without_a_word(stand: Stand) -> None:
    install = stand.made(mend=True, inputs={"replicas": 1})
    _applied(stand, stand.installs().ask(install, "web", APPLY), install_version=install.version)
    assert stand.installs().change(install, install.model_copy(update={"inputs": {"replicas": 0}}))
    looks = stand.installs().ask(install, "web", Request("drift", APPLY.build_id, cause="schedule"))
    stand.deploys().begin(looks.key, "two")
    found = stand.deploys().finish(looks.key, "two", to(stand, "drift-detected"))
    told = DeployStatusChanged(**found.model_dump(include=set(DeployStatusChanged.model_fields)), changed_at_ts=1)
    assert mend(told, stand.installs()).asked == 1
    assert stand.installs().deploys(install, "web", 1).items[0].approve_all is False


@pytest.mark.parametrize("what", ["drift", "mend"])
def test_what_the_schedule_wants_overtakes_nothing_that_somebody_asks_for_at_that_moment(
    stand: Stand, what: str
) -> None:
    install = stand.made(mend=True)
    _applied(stand, stand.installs().ask(install, "web", APPLY), next_drift_ts=1, install_version=1)
    told = None
    if what == "mend":
        looks = stand.installs().ask(install, "web", Request("drift", APPLY.build_id, cause="schedule"))
        stand.deploys().begin(looks.key, "two")
        found = stand.deploys().finish(looks.key, "two", to(stand, "drift-detected"))
        told = DeployStatusChanged(**found.model_dump(include=set(DeployStatusChanged.model_fields)), changed_at_ts=1)

    class Meanwhile:
        """Somebody deploys between a look at the component and the request."""

        def ask(self, *arguments: Any) -> Deploy:
            stand.installs().ask(install, "web", APPLY)
            return cast("Deploy", stand.installs().ask(*arguments))

        def __getattr__(self, name: str) -> Any:
            return getattr(stand.installs(), name)

    meanwhile = cast("Any", Meanwhile())
    asked = mend(told, meanwhile) if told else drift_due(stand.attended(), lambda _: meanwhile, stand.clock)
    assert asked.asked == 0
    assert status_of(stand, stand.installs().deploys(install, "web", 1).items[0]) == "queued"
    assert stand.installs().deploys(install, "web", 1).items[0].operation == "apply"


def test_an_install_that_doesnt_say_so_is_not_mended(stand: Stand) -> None:
    install = stand.made()
    _applied(stand, stand.installs().ask(install, "web", APPLY))
    looks = stand.installs().ask(install, "web", Request("drift", cause="schedule"))
    stand.deploys().begin(looks.key, "two")
    found = stand.deploys().finish(looks.key, "two", to(stand, "drift-detected"))
    told = DeployStatusChanged(**found.model_dump(include=set(DeployStatusChanged.model_fields)), changed_at_ts=1)
    assert mend(told, stand.installs()).asked == 0


def test_an_older_build_is_not_followed_however_often_drift_was_looked_for_since(stand: Stand) -> None:
    install = stand.made(follow=["web"])
    built = {"organisation": ORG, "app": APP, "component": "web", "version": 7, "id": "bld" + "b" * 23}
    assert follow_builds(BuildActive.model_validate(built), stand.installs(), NO_APP).asked == 1
    for _ in range(25):
        stand.later(timedelta(hours=1))
        stand.installs().ask(install, "web", Request("drift", "bld" + "b" * 23, cause="schedule"))
    older = {**built, "version": 6, "id": "bld" + "a" * 23}
    assert follow_builds(BuildActive.model_validate(older), stand.installs(), NO_APP).asked == 0
    newer = {**built, "version": 8, "id": "bld" + "c" * 23}
    assert follow_builds(BuildActive.model_validate(newer), stand.installs(), NO_APP).asked == 1


def test_a_component_that_is_torn_down_is_looked_at_no_more(stand: Stand) -> None:
    install = stand.made()
    _applied(stand, stand.installs().ask(install, "web", APPLY), next_drift_ts=1)
    _applied(stand, stand.installs().ask(install, "web", Request("teardown")), next_drift_ts=None)
    assert list(stand.attended().due(milliseconds(stand.clock.moment))) == []


def test_a_build_is_deployed_to_the_installs_that_follow_its_component(stand: Stand) -> None:
    follows = stand.made("prod", 0, follow=["web"])
    stand.made("test", 1, follow=["api"])
    built = {"organisation": ORG, "app": APP, "component": "web", "version": 7, "id": "bld" + "b" * 23}
    assert follow_builds(BuildActive.model_validate(built), stand.installs(), NO_APP).asked == 1
    (asked,) = stand.installs().deploys(follows, None, 9).items
    assert (asked.cause, asked.build_id, asked.config_version) == ("followed", "bld" + "b" * 23, 7)
    assert follow_builds(BuildActive.model_validate(built), stand.installs(), NO_APP).asked == 0, "told twice"
    older = BuildActive.model_validate({**built, "version": 6})
    assert follow_builds(older, stand.installs(), NO_APP).asked == 0


# ---- what was applied --------------------------------------------------------------------------------------------


def _executing(stand: Stand) -> Deploy:
    deploy = stand.installs().ask(stand.made(), "web", APPLY)
    stand.deploys().begin(deploy.key, "one")
    return cast("Deploy", stand.deploys().change(deploy.key, "one", to(stand, "executing")))


WEB = Inventory({Identity("apps", "Deployment", "shop", "web"): "uid-1"}, "sha256:1")


def test_what_was_applied_is_read_as_it_was_written_and_counted(stand: Stand) -> None:
    deploy = _executing(stand)
    shelf = stand.shelf(deploy, "one")
    assert shelf.read() is None
    kept = shelf.write(WEB)
    assert shelf.read() == kept
    assert kept.holds_the_same(WEB)
    shelf.check(kept)
    again = shelf.write(kept.with_uids({Identity("", "Secret", "shop", "a"): "uid-2"}))
    assert len(shelf.read().uids) == 2
    part = stand.installs().component(stand.installs().install(deploy.install_id), "web")
    assert part.objects == 2
    assert not stand.installs().remove(stand.installs().install(deploy.install_id))
    with pytest.raises(DeploySuperseded):
        shelf.write(kept)
    shelf.write(again.without(again.uids))


def test_who_has_no_hold_of_a_component_writes_nothing_of_it(stand: Stand) -> None:
    deploy = _executing(stand)
    with pytest.raises((DeploySuperseded, DuplicateEvent)):
        stand.shelf(deploy, "another").write(WEB)
    stand.installs().cancel(deploy, "It isn't wanted.", "tok_1")
    for refused in (stand.shelf(deploy, "one").write, stand.shelf(deploy, "one").check):
        with pytest.raises(DeploySuperseded):
            refused(WEB)
    assert stand.shelf(deploy, "one").read() is None


def test_a_list_that_no_item_holds_is_refused(dynamo: Stand) -> None:
    deploy = _executing(dynamo)
    many = {Identity("", "ConfigMap", "shop", f"conf-{number}"): str(uuid4()) for number in range(20_000)}
    with pytest.raises(ContentTooLarge):
        dynamo.shelf(deploy, "one").write(Inventory(many))


def test_5000_objects_fit(stand: Stand) -> None:
    deploy = _executing(stand)
    many = {Identity("", "ConfigMap", "shop", f"conf-{number}"): str(uuid4()) for number in range(5000)}
    stand.shelf(deploy, "one").write(Inventory(many))
    assert len(stand.shelf(deploy, "one").read().uids) == 5000


# ---- DynamoDB's own ----------------------------------------------------------------------------------------------


def test_each_list_is_one_query_and_a_batch_where_it_shows_what_others_hold(dynamo: Stand) -> None:
    installs = [dynamo.made(f"i{number}", number) for number in range(5)]
    for component in ("web", "api", "db"):
        dynamo.installs().ask(installs[0], component, APPLY)
    lists = {
        "page": (partial(dynamo.installs().page, None, 3), ["Query"]),
        "page of an app": (partial(dynamo.installs().page, APP, 3), ["Query", "BatchGetItem"]),
        "components": (partial(dynamo.installs().components, installs[0]), ["Query", "BatchGetItem"]),
        "components of all": (partial(dynamo.installs().everywhere, 3), ["Query", "BatchGetItem"]),
        "deploys": (partial(dynamo.installs().deploys, installs[0], "web", 3), ["Query"]),
        "all deploys": (partial(dynamo.installs().deploys, installs[0], None, 2), ["Query", "BatchGetItem"]),
    }
    for name, (ask, wanted) in lists.items():
        dynamo.asked.clear()
        ask()
        assert dynamo.asked == wanted, name


def _item(dynamo: Stand, deploy: Deploy) -> dict[str, Any]:
    sk = f"DEPLOY#{deploy.install_id}#{deploy.component}#{deploy.number:010d}"
    key = {"pk": {"S": f"ORG#{ORG}"}, "sk": {"S": sk}}
    found: dict[str, Any] = dynamo.client.get_item(TableName="table", Key=key)["Item"]
    return found


def _told(new: dict[str, Any], old: dict[str, Any] | None = None) -> list[tuple[str, Any]]:
    if new["news"] != {"BOOL": True}:
        return []
    return events_of({"dynamodb": {"NewImage": new, **({"OldImage": old} if old else {})}})


def test_the_bus_hears_of_a_new_deploy_that_it_waits_and_that_it_is_asked_for(dynamo: Stand) -> None:
    deploy = dynamo.installs().ask(dynamo.made(), "web", APPLY)
    (kind, status), (other, asked) = _told(_item(dynamo, deploy))
    assert (kind, status.status, status.id) == ("Install Deploy Status Changed", "queued", deploy.id)
    assert other == "Install Deploy Requested"
    assert asked.model_dump() == {**deploy.key.model_dump(), "operation": "create-apply-plan", "agent": False}


def test_what_an_agent_is_to_do_is_told_as_such(dynamo: Stand) -> None:
    deploy = dynamo.installs().ask(dynamo.made(access=AGENT), "web", Request("teardown"))
    asked = _told(_item(dynamo, deploy))[1][1]
    assert (asked.agent, asked.operation) == (True, "create-teardown-plan")


def test_the_bus_hears_of_each_status_and_of_nothing_else(dynamo: Stand) -> None:
    deploy = dynamo.installs().ask(dynamo.made(), "web", APPLY)
    queued = _item(dynamo, deploy)
    dynamo.deploys().begin(deploy.key, "one")
    planning = _item(dynamo, deploy)
    ((kind, told),) = _told(planning, queued)
    assert (kind, told.status, told.operation) == ("Install Deploy Status Changed", "planning", "apply")
    dynamo.deploys().change(deploy.key, "one", to(dynamo, "planning", "still"))
    assert _told(_item(dynamo, deploy), planning) == []


def test_an_approval_starts_the_second_execution(dynamo: Stand) -> None:
    deploy = asked_for_approval(dynamo, dynamo.made())
    before = _item(dynamo, deploy)
    dynamo.installs().answer(deploy, APPROVED)
    told = dict(_told(_item(dynamo, deploy), before))
    assert told["Install Deploy Requested"].operation == "apply-plan"
    assert told["Install Deploy Status Changed"].status == "queued"


def test_a_plan_is_forgotten_after_a_while(dynamo: Stand) -> None:
    deploy = asked_for_approval(dynamo, dynamo.made())
    item = dynamo.client.get_item(TableName="table", Key={"pk": {"S": f"ORG#{ORG}"}, "sk": {"S": f"PLAN#{deploy.id}"}})
    now = milliseconds(dynamo.clock.moment) // 1000
    assert int(item["Item"]["expires_at"]["N"]) - now == 90 * 24 * 3600
    dynamo.later(timedelta(days=91))
    assert dynamo.installs().contents(deploy) is None


# ---- what waits for others ---------------------------------------------------------------------------------------


DEPENDENTS = tuple(
    Dependent(component=name, build_id="bld" + "a" * 23, config_version=1, after=after)
    for name, after in (("api", ["db"]), ("web", ["api"]))
)


def a_run(stand: Stand, install: Install) -> list[Deploy]:
    first = stand.installs().ask(install, "db", APPLY._replace(dependents=DEPENDENTS))
    return [first, *unfold(first, install, stand.installs())]


def status_of(stand: Stand, deploy: Deploy) -> str:
    found = stand.installs().look(deploy.key)
    return found.status if found else "gone"


def told_of(stand: Stand, deploy: Deploy) -> DeployStatusChanged:
    found = stand.installs().look(deploy.key)
    shown = found.model_dump(include=set(DeployStatusChanged.model_fields))
    return DeployStatusChanged(**shown, changed_at_ts=1)


def ended_as(stand: Stand, deploy: Deploy, status: DeployStatus) -> None:
    stand.deploys().begin(deploy.key, "one")
    stand.deploys().finish(deploy.key, "one", to(stand, status))


def test_a_run_reads_as_it_was_asked_for_and_a_component_has_one_deploy_of_it(stand: Stand) -> None:
    install = stand.made()
    first, api, web = a_run(stand, install)
    assert stand.installs().deploy(first.id).dependents == list(DEPENDENTS)
    assert api.waits_for == [Before(component="db", number=1, id=first.id)]
    assert [each.status for each in (first, api, web)] == ["queued", "pending", "pending"]
    assert [each.id for each in unfold(first, install, stand.installs())] == [api.id, web.id]
    newer = stand.installs().ask(install, "api", APPLY)
    assert [each.id for each in unfold(first, install, stand.installs())] == [api.id, web.id]
    assert stand.installs().component(install, "api").number == newer.number


def test_a_run_that_is_told_of_again_after_many_other_deploys_begins_nothing_anew(stand: Stand) -> None:
    install = stand.made()
    first, *_ = a_run(stand, install)
    ended_as(stand, first, "active")
    for _ in range(IN_A_RUN + 1):
        stand.later(timedelta(hours=1))
        newer = [stand.installs().ask(install, name, APPLY) for name in ("api", "web")]
    release_deploys(told_of(stand, first), stand.installs())
    assert [stand.installs().component(install, name).number for name in ("api", "web")] == [
        each.number for each in newer
    ]


def test_what_waits_for_others_is_run_by_nobody(stand: Stand) -> None:
    install = stand.made()
    _, api, _ = a_run(stand, install)
    with pytest.raises(DuplicateEvent):
        stand.deploys().begin(api.key, "one")
    assert status_of(stand, api) == "pending"


def test_what_went_well_lets_the_next_one_begin_and_only_that(stand: Stand) -> None:
    install = stand.made()
    first, api, web = a_run(stand, install)
    ended_as(stand, first, "active")
    for _ in range(2):
        release_deploys(told_of(stand, first), stand.installs())
        assert [status_of(stand, each) for each in (api, web)] == ["queued", "pending"]
    ended_as(stand, api, "noop")
    assert release_deploys(told_of(stand, api), stand.installs()).begun == 1
    assert stand.installs().release(web.key, None) is None


def test_what_failed_has_all_skipped_that_waits_for_it_and_nothing_of_them_is_looked_after(stand: Stand) -> None:
    install = stand.made()
    first, api, web = a_run(stand, install)
    ended_as(stand, first, "error")
    assert release_deploys(told_of(stand, first), stand.installs()).skipped == 2
    assert [status_of(stand, each) for each in (api, web)] == ["auto-skipped", "auto-skipped"]
    stand.later(SILENCE)
    assert list(stand.attended().unended(milliseconds(stand.clock.now()))) == []


def test_an_install_with_deploys_that_wait_is_not_removed(stand: Stand) -> None:
    install = stand.made()
    first, *_ = a_run(stand, install)
    ended_as(stand, first, "active")
    assert not stand.installs().remove(install)


def test_the_sweep_lets_go_on_what_nobody_was_told_of_and_leaves_what_waits(stand: Stand) -> None:
    install = stand.made()
    first, api, web = a_run(stand, install)
    ended_as(stand, first, "active")
    stand.later(SILENCE)
    assert sweep_deploys(stand.attended(), stand.clock).model_dump() == {"told": 1, "ended": 0, "failed": 0}
    assert [status_of(stand, each) for each in (api, web)] == ["queued", "pending"]
    ended_as(stand, api, "error")
    stand.later(SILENCE)
    assert sweep_deploys(stand.attended(), stand.clock).model_dump() == {"told": 0, "ended": 1, "failed": 0}
    assert status_of(stand, web) == "auto-skipped"


def test_the_bus_hears_of_what_waits_for_others_and_asks_for_it_when_it_begins(dynamo: Stand) -> None:
    def told(kept: Any) -> list[tuple[str, str]]:
        found = dynamo.client.get_item(TableName="table", Key={"pk": {"S": kept["pk"]}, "sk": {"S": kept["sk"]}})
        image = {"dynamodb": {"NewImage": found["Item"], "OldImage": kept.get("old", {})}}
        return [(kind, str(getattr(event, "status", ""))) for kind, event in events_of(image)]

    install = dynamo.made()
    _, api, _ = a_run(dynamo, install)
    place = {"pk": f"ORG#{ORG}", "sk": f"DEPLOY#{install.id}#api#0000000001"}
    assert told(place) == [("Install Deploy Status Changed", "pending")]
    old = dynamo.client.get_item(TableName="table", Key={name: {"S": value} for name, value in place.items()})["Item"]
    assert dynamo.installs().release(api.key, None)
    assert told({**place, "old": old}) == [
        ("Install Deploy Status Changed", "queued"), ("Install Deploy Requested", ""),
    ]  # fmt: skip
