"""What the stores of deploys name in their requests is what the roles in the template let the states name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from byoa.adapters.aws.dynamodb import DynamoLedger
from byoa.adapters.aws.inventory import DynamoInventory
from byoa.adapters.aws.rows import Rows
from byoa.api.offered import Offered
from byoa.builds.messages import Outcome
from byoa.builds.records import entry
from byoa.components.reading import check_config
from byoa.installs.inventory import Inventory
from byoa.installs.objects import Identity
from byoa.installs.ports import Request
from byoa.installs.steps.drift_due import drift_due
from byoa.installs.steps.follow_builds import BuildActive, follow_builds
from byoa.installs.steps.release_deploys import release_deploys
from byoa.installs.steps.sweep_deploys import SILENCE, sweep_deploys
from tests.adapters.aws.test_rights import WORDS
from tests.adapters.test_installs import APP, APPLY, DEPENDENTS, ORG, Stand, dynamo, ended_as, to, told_of
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from byoa.installs.messages import Deploy, InstallComponent

__all__ = ["dynamo"]

PARTS = {"Update": "UpdateItem", "Put": "PutItem", "ConditionCheck": "ConditionCheckItem", "Delete": "DeleteItem"}


class Spied:
    """What was asked of a table: the action, the attributes that it names, and whether of an index."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.asked: list[tuple[str, frozenset[str], bool]] = []
        stand.client.meta.events.register("provide-client-params.dynamodb", self._note)

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        several = [(PARTS[kind], each) for item in params.get("TransactItems", []) for kind, each in item.items()]
        for action, each in several or [(model.name, params)]:
            text = " ".join(str(each.get(name, "")) for name in ("UpdateExpression", "ConditionExpression"))
            names = each.get("ExpressionAttributeNames", {})
            found = {names.get(word, word) for word in re.findall(r"(?<![:\w])#?\w+", text)} - WORDS
            found = {name for name in found if not name.isdigit()} | {*each.get("Key", {}), *each.get("Item", {})}
            self.asked.append((f"dynamodb:{action}", frozenset(found), "IndexName" in each))

    def check(self, name: str) -> None:
        """Every request since the last check is one that a state's roles allow."""
        statements = [
            statement
            for role in (f"{name}Role", f"{name}TenantRole")
            for policy in TEMPLATE["Resources"][role]["Properties"]["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            if "Action" in statement
        ]
        assert self.asked
        for action, attributes, index in self.asked:
            assert any(_allows(each, action, attributes, index=index) for each in statements), (
                name, action, sorted(attributes),
            )  # fmt: skip
        self.asked.clear()


def _allows(statement: dict[str, Any], action: str, attributes: frozenset[str], *, index: bool) -> bool:
    actions = statement["Action"]
    if action not in (actions if isinstance(actions, list) else [actions]):
        return False
    if ("index" in str(statement["Resource"])) != index:
        return False
    named = statement["Condition"]["ForAllValues:StringEquals"].get("dynamodb:Attributes")
    return named is None or attributes <= set(named)


def _stands(stand: Stand, **part: Any) -> Any:
    def becomes(deploy: Deploy, stands: InstallComponent) -> tuple[Deploy, InstallComponent]:
        return to(stand, "executing", "x")(deploy, stands.model_copy(update=part))

    return becomes


def test_each_state_s_role_lets_it_write_what_it_writes(dynamo: Stand) -> None:
    install, spied = dynamo.made(), Spied(dynamo)
    deploy = dynamo.installs().ask(install, "web", APPLY)
    spied.asked.clear()
    dynamo.deploys().begin(deploy.key, "one")
    dynamo.deploys().install(install.id)
    dynamo.deploys().change(deploy.key, "one", to(dynamo, "planning", digest="sha256:1", reference="oci://a"))
    spied.check("ReceiveDeploy")
    shelf = dynamo.shelf(deploy, "one")
    shelf.read()
    spied.check("PlanInstall")
    dynamo.deploys().check(deploy.key, "one")
    dynamo.deploys().change(
        deploy.key,
        "one",
        _stands(dynamo, build_id="bld" + "a" * 23, digest="sha256:1", health="progressing", install_version=1),
    )
    kept = shelf.write(Inventory({Identity("", "ConfigMap", "a", "b"): ""}))
    kept = shelf.write(kept)
    spied.check("ApplyInstall")
    shelf.read()
    shelf.check(kept)
    shelf.write(kept)
    spied.check("PruneInstall")

    def ended(found: Deploy, part: InstallComponent) -> tuple[Deploy, InstallComponent]:
        all_of_it = {
            "build_id": None, "digest": None, "health": "healthy", "drift": "no-drift", "drift_checked_at_ts": 1,
            "next_drift_ts": 5, "install_version": 2,
        }  # fmt: skip
        changes: dict[str, Any] = {
            "counts": {"create": 1},
            "needs": ["a"],
            "fingerprint": "plan-1",
            "left": [["a", "b"]],
            "health": [],
        }
        return to(dynamo, "active", **changes)(found, part.model_copy(update=all_of_it))

    dynamo.deploys().finish(deploy.key, "one", ended, "packed")
    dynamo.deploys().finish(deploy.key, "one", ended)
    spied.check("RecordDeploy")


def test_who_looks_after_deploys_may_end_them_and_tell_of_them_again(dynamo: Stand) -> None:
    install, spied = dynamo.made(), Spied(dynamo)
    deploy = dynamo.installs().ask(install, "web", APPLY)
    dynamo.deploys().begin(deploy.key, "one")
    spied.asked.clear()
    dynamo.deploys().look(deploy.key)
    dynamo.deploys().finish(deploy.key, "one", to(dynamo, "error", failure=None))
    dynamo.deploys().finish(deploy.key, "one", to(dynamo, "error"))
    spied.check("EndStoppedDeploy")
    second = dynamo.installs().ask(install, "web", APPLY)
    dynamo.deploys().begin(second.key, "two")
    dynamo.installs().ask(install, "api", APPLY)
    dynamo.later(SILENCE)
    spied.asked.clear()
    assert sweep_deploys(dynamo.attended(), dynamo.clock).model_dump() == {"told": 1, "ended": 1, "failed": 0}
    spied.check("SweepDeploys")


def an_app(stand: Stand) -> Offered:
    """What the table has of it: a component that depends on another one, and an active build of each."""
    ledger = DynamoLedger(stand.client, "table", stand.clock)
    inventory = DynamoInventory(ORG, ledger, Rows(stand.client, "table"))
    for name in ("web", "jobs"):
        config = check_config(
            f"name = '{name}'\ntype = 'kubernetes_manifest'\nnamespace = 'a'\nmanifest = 'a: 1'\n"
        ).config
        assert config
        key = inventory.submit(APP, config, by="tok_1").build.key
        began, done = (entry(status, "so it is", stand.clock.now()) for status in ("planning", "active"))
        ledger.begin(key, "one", began)
        assert ledger.finish(key, "one", Outcome(status="active", digest="sha256:00"), [done])
    jobs = inventory.component(APP, "jobs")
    assert jobs
    assert inventory.change(jobs, None, ["web"])
    return Offered(inventory, APP)


def test_who_asks_for_deploys_may_do_that(dynamo: Stand) -> None:
    install, spied = dynamo.made(follow=["web"], deploy_dependents=True, mend=True), Spied(dynamo)
    deploy = dynamo.installs().ask(install, "web", APPLY)
    dynamo.deploys().begin(deploy.key, "one")

    def due(found: Deploy, part: InstallComponent) -> tuple[Deploy, InstallComponent]:
        return to(dynamo, "active")(found, part.model_copy(update={"build_id": "bld" + "a" * 23, "next_drift_ts": 1}))

    dynamo.deploys().finish(deploy.key, "one", due)
    spied.asked.clear()
    assert drift_due(dynamo.attended(), dynamo.installs, dynamo.clock).asked == 1
    spied.check("DriftDue")
    built = {"organisation": ORG, "app": APP, "component": "web", "version": 7, "id": "bld" + "b" * 23}
    app = an_app(dynamo)
    spied.asked.clear()
    followed = follow_builds(BuildActive.model_validate(built), dynamo.installs(), app)
    assert (followed.asked, followed.behind) == (1, 1)
    spied.check("FollowBuilds")


def test_who_goes_on_with_a_run_may_ask_for_it_and_let_it_begin_and_so_may_the_sweep(dynamo: Stand) -> None:
    install, spied = dynamo.made(), Spied(dynamo)
    first = dynamo.installs().ask(install, "db", APPLY._replace(dependents=DEPENDENTS))
    ended_as(dynamo, first, "active")
    spied.asked.clear()
    assert release_deploys(told_of(dynamo, first), dynamo.installs()).begun == 1
    spied.check("ReleaseDeploys")
    api = dynamo.installs().components(install)[0]
    ended_as(dynamo, dynamo.installs().deploy(api.deploy_id), "error")
    dynamo.later(SILENCE)
    spied.asked.clear()
    assert sweep_deploys(dynamo.attended(), dynamo.clock).ended == 1
    spied.check("SweepDeploys")


def test_the_api_has_what_people_do_with_installs(dynamo: Stand) -> None:
    spied = Spied(dynamo)
    install = dynamo.made()
    installs = dynamo.installs()
    deploy = installs.ask(install, "web", APPLY)
    dynamo.deploys().begin(deploy.key, "one")
    installs.cancel(deploy, "not wanted", "tok")
    installs.ask(install, "web", Request("teardown"))
    installs.deploys(install, "web", 5)
    installs.components(install)
    installs.contents(deploy)
    (policy,) = TEMPLATE["Resources"]["ApiTenantRole"]["Properties"]["Policies"]
    (items,) = (each for each in policy["PolicyDocument"]["Statement"] if each["Sid"] == "KeepItems")
    assert {action for action, *_ in spied.asked} <= set(items["Action"])
