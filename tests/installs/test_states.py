"""The states of a deploy, in memory: what is refused, what waits, what is told, and that every deploy ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from byoa.errors import ObjectInvalid
from byoa.installs.messages import Answered
from byoa.installs.objects import COMPONENT, Place
from byoa.installs.objects import INSTALL as LABEL
from tests.installs.beds import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    NAMESPACES,
    SECRETS,
    config_map,
    deployment,
    namespace,
    secret,
)
from tests.installs.platform import INSTALL, ORG, OTHER, Counted, Platform

if TYPE_CHECKING:
    from byoa.installs.messages import Deploy
    from byoa.installs.objects import Kind, Object


@pytest.fixture
def platform() -> Platform:
    return _platform()


def _platform(**settings: Any) -> Platform:
    found = Platform()
    found.cluster.create(Place(NAMESPACES, "", "corner"), namespace("corner"))
    found.install(**settings)
    return found


def _get(platform: Platform, kind: Kind, name: str) -> Object | None:
    found: Object | None = platform.cluster.get(Place(kind, "corner" if kind.namespaced else "", name))
    return found


def _part(platform: Platform, component: str = "web") -> Any:
    install = platform.installs.install(INSTALL)
    assert install
    return platform.installs.component(install, component)


def _answer(platform: Platform, deploy: Deploy, decision: str = "approve", *names: str) -> Deploy:
    said = Answered.model_validate({
        "decision": decision, "fingerprint": deploy.fingerprint, "names": names, "by": "tok_2", "at_ts": 1,
    })  # fmt: skip
    found = platform.installs.answer(deploy, said)
    assert found
    return found


FIRST = [config_map("conf", colour="blue"), config_map("old"), deployment("web"), secret("keys", token="hunter2")]
SECOND = [config_map("conf", colour="green"), config_map("new"), deployment("web"), secret("keys", token="hunter3")]


# ---- the whole way -----------------------------------------------------------------------------------------------


def test_a_deploy_goes_through_all_states_and_is_active(platform: Platform) -> None:
    found = platform.deploy(*FIRST)
    assert found.status == "active", found.failure
    assert found.counts == {"create": 4, "change": 0, "recreate": 0, "delete": 0, "unchanged": 0}
    assert [state for n, state in enumerate(platform.states) if state not in platform.states[:n]] == [
        "ReceiveDeploy", "PullMirror", "LoadManifests", "PlanInstall", "ApplyInstall", "CheckHealth", "PruneInstall",
        "RecordDeploy",
    ]  # fmt: skip
    part = _part(platform)
    assert (part.status, part.health, part.drift, part.objects) == ("active", "healthy", "no-drift", 4)
    assert (part.build_id, part.digest) == (found.build_id, found.digest)
    live = _get(platform, CONFIG_MAPS, "conf")
    assert live
    assert live["metadata"]["labels"][LABEL] == INSTALL
    assert [entry.status for entry in found.history] == ["queued", "planning", "planning", "executing", "active"]


def test_a_second_deploy_changes_and_prunes_and_a_third_has_nothing_to_do(platform: Platform) -> None:
    platform.deploy(*FIRST)
    second = platform.deploy(*SECOND)
    assert second.status == "active"
    assert second.counts == {"create": 1, "change": 2, "recreate": 0, "delete": 1, "unchanged": 1}
    assert _get(platform, CONFIG_MAPS, "old") is None
    assert _part(platform).objects == 4
    third = platform.deploy(*SECOND)
    assert (third.status, third.status_human_description) == ("noop", "nothing to do")
    assert "ApplyInstall" not in platform.states[-4:]


def test_an_older_build_deploys_and_prunes(platform: Platform) -> None:
    first = platform.build(*FIRST)
    platform.run(platform.ask(first))
    platform.deploy(*SECOND)
    back = platform.run(platform.ask(first, cause="rollback"))
    assert (back.status, back.cause) == ("active", "rollback")
    live = _get(platform, CONFIG_MAPS, "conf")
    assert live
    assert live["data"] == {"colour": "blue"}
    assert _get(platform, CONFIG_MAPS, "new") is None


def test_a_teardown_asks_for_no_artifact_and_deletes_all(platform: Platform) -> None:
    platform.deploy(*FIRST)
    platform.states.clear()
    found = platform.run(platform.ask(operation="teardown"))
    assert (found.status, found.counts["delete"]) == ("inactive", 4)
    assert "PullMirror" not in platform.states
    part = _part(platform)
    assert (part.status, part.objects, part.build_id, part.health) == ("inactive", 0, None, "not-applicable")
    again = platform.run(platform.ask(operation="teardown"))
    assert again.status == "inactive"
    install = platform.installs.install(INSTALL)
    assert install
    assert platform.installs.remove(install)


def test_what_is_shared_with_another_install_is_not_tracked_and_outlives_the_teardown(platform: Platform) -> None:
    """What lies between two states says whose it is, so that the last one doesn't take it for ours."""
    of_another = namespace("shared")
    of_another["metadata"]["labels"] = {LABEL: "another", COMPONENT: "web"}
    platform.cluster.create(Place(NAMESPACES, "", "shared"), of_another)
    found = platform.deploy(namespace("shared"), config_map("a"), config_map("b"), config_map("c"))
    assert (found.status, _part(platform).objects) == ("active", 3)
    assert platform.deploy(namespace("shared"), config_map("a"), config_map("b")).status == "active"
    assert _part(platform).objects == 2
    assert platform.run(platform.ask(operation="teardown")).status == "inactive"
    assert platform.cluster.get(Place(NAMESPACES, "", "shared"))


def test_inputs_are_rendered_and_those_that_are_missing_named(platform: Platform) -> None:
    install = platform.installs.install(INSTALL)
    assert install
    platform.installs.change(install, install.model_copy(update={"inputs": {"colour": 'a"b\n---\nc'}}))
    text = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\n"
        "data: {colour: '{{ .nuon.inputs.inputs.colour }}', alert: '{{ $labels.x }}', id: '{{ .nuon.install.id }}'}\n"
    )
    assert platform.run(platform.ask(platform.build(text=text))).status == "active"
    live = _get(platform, CONFIG_MAPS, "conf")
    assert live
    assert live["data"] == {"colour": 'a"b\n---\nc', "alert": "{{ $labels.x }}", "id": INSTALL}
    missing = platform.run(platform.ask(platform.build(text=text.replace("colour }}", "size }}"))))
    assert (missing.status, missing.failure and missing.failure.code) == ("error", "TemplateInvalid")


def test_values_of_secrets_are_in_no_record_and_no_contents(platform: Platform) -> None:
    platform.deploy(*FIRST)
    second = platform.deploy(*SECOND)
    shown = json.dumps(platform.installs.contents(second))
    kept = [each.model_dump_json() for each in platform.store.deploys.values()]
    for place in (shown, *kept):
        assert "hunter" not in place
        assert "aHVudGVy" not in place
    assert "Secret/corner/keys" in shown
    assert b"aHVudGVy" not in b"".join(platform.lists["contents"].kept.values())


# ---- what is refused ---------------------------------------------------------------------------------------------


def test_a_mirror_whose_bytes_differ_is_corrupt(platform: Platform) -> None:
    build = platform.build(*FIRST)
    for digest in platform.mirror.blobs:
        platform.mirror.blobs[digest] = platform.mirror.blobs[digest][:-1] + b"!"
    found = platform.run(platform.ask(build))
    assert (found.status, found.failure and found.failure.code) == ("error", "DigestMismatch")
    assert _get(platform, CONFIG_MAPS, "conf") is None


def test_a_build_without_a_receipt_of_ours_is_not_deployed(platform: Platform) -> None:
    build = platform.build(*FIRST)
    ((key, envelope),) = platform.ledger.receipts.items()
    sealed = json.loads(envelope)
    sealed["signatures"][0]["sig"] = "AAAA"
    platform.ledger.receipts[key] = json.dumps(sealed)
    found = platform.run(platform.ask(build))
    assert (found.failure and found.failure.code, platform.states[-2:]) == (
        "ReceiptInvalid", ["ReceiveDeploy", "RecordDeploy"],
    )  # fmt: skip


def test_a_receipt_of_another_build_is_none(platform: Platform) -> None:
    first, second = platform.build(*FIRST), platform.build(*SECOND)
    kept = platform.ledger.receipts
    of = {key[0].version: key for key in kept}
    kept[of[second.version]] = kept[of[first.version]]
    found = platform.run(platform.ask(second))
    assert found.failure
    assert "another build" in found.failure.cause


@pytest.mark.parametrize("build_id", [None, "bld" + "z" * 23])
def test_a_build_that_isnt_there_is_not_deployed(build_id: str | None, platform: Platform) -> None:
    found = platform.run(platform.ask(build_id=build_id))
    assert (found.status, found.failure and found.failure.code) == ("error", "BuildNotFound")


def test_a_build_of_another_component_is_not_deployed(platform: Platform) -> None:
    found = platform.run(platform.ask(platform.build(*FIRST, name="api"), component="web"))
    assert (found.failure and found.failure.code) == "BuildNotFound"


def test_a_deploy_of_an_install_that_was_removed_ends(platform: Platform) -> None:
    deploy = platform.ask(platform.build(*FIRST))
    del platform.store.installs[ORG, INSTALL]
    found = platform.run(deploy)
    assert (found.status, found.failure and found.failure.code) == ("cancelled", "DeployCancelled")


def test_the_deploys_of_another_organisation_are_none_of_ours(platform: Platform) -> None:
    deploy = platform.ask(platform.build(*FIRST))
    stranger = deploy.model_copy(update={"organisation": OTHER})
    Platform.run(platform, stranger)
    assert platform.installs.deploy(deploy.id) == deploy


def test_what_the_cluster_refuses_is_told_and_nothing_is_written(platform: Platform) -> None:
    unknown = {"apiVersion": "vendor.example.com/v1", "kind": "Thing", "metadata": {"name": "one"}}
    found = platform.deploy(config_map("conf"), unknown)
    assert (found.status, found.failure and found.failure.code) == ("error", "KindUnknown")
    assert _get(platform, CONFIG_MAPS, "conf") is None
    shown = platform.installs.contents(found)
    assert shown
    assert [error["code"] for error in shown["errors"]] == ["KindUnknown"]


# ---- approvals ---------------------------------------------------------------------------------------------------


def test_a_plan_is_shown_and_applied_when_it_is_approved() -> None:
    platform = _platform(approval="prompt")
    found = platform.deploy(*FIRST)
    assert (found.status, found.counts["create"]) == ("pending-approval", 4)
    assert _get(platform, CONFIG_MAPS, "conf") is None
    shown = platform.installs.contents(found)
    assert shown
    assert [each["action"] for each in shown["objects"]] == ["create"] * 4
    done = platform.run(_answer(platform, found))
    assert done.status == "active", done.failure
    assert [entry.status for entry in done.history] == [
        "queued", "planning", "planning", "pending-approval", "queued", "planning", "executing", "active",
    ]  # fmt: skip


def test_a_plan_that_was_approved_is_applied_to_no_other_cluster() -> None:
    platform = _platform(approval="prompt")
    waits = platform.deploy(*FIRST)
    install = platform.installs.install(INSTALL)
    assert install
    assert platform.installs.change(install, install.model_copy(update={"access": {"kind": "memory", "name": "other"}}))
    done = platform.run(_answer(platform, waits))
    assert (done.status, done.failure and done.failure.code) == ("error", "PlanChanged")
    assert _get(platform, CONFIG_MAPS, "conf") is None


def test_what_changed_since_a_plan_was_approved_is_not_applied() -> None:
    platform = _platform(approval="prompt")
    platform.run(_answer(platform, platform.deploy(*FIRST)))
    waits = platform.deploy(*SECOND)
    platform.cluster.edit(Place(CONFIG_MAPS, "corner", "conf"), {"data": {"colour": "red"}}, "kubectl-edit")
    done = platform.run(_answer(platform, waits))
    assert (done.status, done.failure and done.failure.code) == ("error", "PlanChanged")
    live = _get(platform, CONFIG_MAPS, "conf")
    assert live
    assert live["data"] == {"colour": "red"}


def test_a_plan_that_is_denied_writes_nothing() -> None:
    platform = _platform(approval="prompt")
    found = _answer(platform, platform.deploy(*FIRST), "deny")
    assert found.status == "approval-denied"
    assert platform.run(found) == found
    assert _get(platform, CONFIG_MAPS, "conf") is None


def test_what_only_goes_by_name_waits_though_all_is_approved(platform: Platform) -> None:
    platform.deploy(*FIRST)
    found = platform.deploy(config_map("new"))
    assert (found.status, found.needs) == ("pending-approval", ["deletions:4"])
    done = platform.run(_answer(platform, found, "approve", "deletions:4"))
    assert (done.status, done.counts["delete"]) == ("active", 4)


def test_an_approval_that_names_too_little_ends_the_deploy(platform: Platform) -> None:
    platform.deploy(*FIRST)
    done = platform.run(_answer(platform, platform.deploy(config_map("new"))))
    assert (done.status, done.failure and done.failure.code) == ("error", "ApprovalMissing")


def test_what_nobody_approved_by_name_is_kept_and_said_by_each_deploy(platform: Platform) -> None:
    platform.deploy(*FIRST, namespace("more"))
    why = "it goes only if Namespace/more is approved by name; 0 objects in it go along"
    for objects, status in ((FIRST, "noop"), (SECOND, "active"), (SECOND, "noop")):
        found = platform.deploy(*objects)
        assert (found.status, found.left) == (status, [["Namespace/more", why]])
        shown = platform.installs.contents(found)
        assert shown
        assert [each["why"] for each in shown["objects"] if each["action"] == "keep"] == [why]
    assert _get(platform, NAMESPACES, "more") is not None


@pytest.mark.parametrize("approval", ["approve-all", "prompt"])
def test_what_goes_by_name_may_be_named_before_there_is_a_plan(approval: str) -> None:
    platform = _platform(approval=approval)
    _finished(platform, platform.deploy(*FIRST, namespace("more")))
    asked = platform.deploy(*FIRST, names=("Namespace/more",))
    done = platform.run(_answer(platform, asked)) if approval == "prompt" else asked
    assert (done.status, done.counts["delete"], done.left) == ("active", 1, [])
    assert _get(platform, NAMESPACES, "more") is None
    assert platform.deploy(*FIRST).status == "noop"


def test_half_of_what_is_tracked_goes_by_its_count_that_was_named_before(platform: Platform) -> None:
    platform.deploy(*FIRST)
    wrong = platform.deploy(config_map("new"), names=("deletions:3",))
    assert (wrong.status, wrong.needs) == ("pending-approval", ["deletions:4"])
    assert platform.deploy(config_map("new"), names=("deletions:4",)).status == "active"


@pytest.mark.parametrize("approval", ["approve-all", "prompt"])
def test_what_a_teardown_left_because_it_goes_by_name_goes_by_the_next_one(approval: str) -> None:
    platform = _platform(approval=approval)
    deploy = platform.deploy(*FIRST, namespace("more"))
    _finished(platform, deploy)
    _finished(platform, platform.run(platform.ask(operation="teardown")))
    assert _part(platform).objects == 1, "the namespace"
    asked = platform.run(platform.ask(operation="teardown"))
    assert asked.status == "pending-approval"
    contents = platform.installs.contents(asked)
    assert contents
    assert [each["needs"] for each in contents["objects"]] == ["Namespace/more"]
    unnamed = platform.run(_answer(platform, asked))
    assert (unnamed.status, _part(platform).objects) == ("inactive", 1)
    again = platform.run(platform.ask(operation="teardown"))
    done = platform.run(_answer(platform, again, "approve", "Namespace/more"))
    assert (done.status, _part(platform).objects, _get(platform, NAMESPACES, "more")) == ("inactive", 0, None)
    install = platform.installs.install(INSTALL)
    assert install
    assert platform.installs.remove(install)


def _finished(platform: Platform, deploy: Deploy) -> None:
    done = platform.run(_answer(platform, deploy)) if deploy.status == "pending-approval" else deploy
    assert done.status in {"active", "inactive"}, done


def test_a_plan_alone_applies_nothing(platform: Platform) -> None:
    found = platform.deploy(*FIRST, plan_only=True)
    assert (found.status, found.counts["create"]) == ("auto-skipped", 4)
    assert platform.installs.contents(found)
    assert _get(platform, CONFIG_MAPS, "conf") is None
    assert _part(platform).build_id is None


# ---- drift -------------------------------------------------------------------------------------------------------


def test_drift_is_found_shown_and_mended(platform: Platform) -> None:
    platform.deploy(*FIRST)
    assert platform.run(platform.ask(operation="drift")).status == "no-drift"
    platform.cluster.edit(Place(CONFIG_MAPS, "corner", "conf"), {"data": {"colour": "red"}}, "kubectl-edit")
    found = platform.run(platform.ask(operation="drift"))
    assert (found.status, found.counts["change"]) == ("drift-detected", 1)
    shown = platform.installs.contents(found)
    assert shown
    assert [(each["object"], each["action"]) for each in shown["objects"]] == [("ConfigMap/corner/conf", "change")]
    part = _part(platform)
    assert (part.drift, part.health) == ("drift-detected", "healthy")
    mended = platform.run(platform.ask(build_id=part.build_id, operation="apply"))
    assert (mended.status, mended.counts["change"]) == ("active", 1)
    assert _part(platform).drift == "no-drift"


def test_a_component_is_applied_as_its_install_was_then(platform: Platform) -> None:
    platform.deploy(*FIRST)
    install = platform.installs.install(INSTALL)
    assert install
    assert _part(platform).install_version == install.version
    assert platform.installs.change(install, install.model_copy(update={"follow": ["web"]}))
    platform.run(platform.ask(operation="drift"))
    assert _part(platform).install_version == install.version, "nobody has deployed since"
    assert platform.deploy(*FIRST).status == "noop"
    assert _part(platform).install_version == install.version + 1


def test_drift_is_looked_for_by_the_component_s_own_schedule(platform: Platform) -> None:
    build = platform.build(*FIRST, extra='drift_schedule = "0 2 * * *"\n')
    platform.run(platform.ask(build))
    due = _part(platform).next_drift_ts
    assert due == 1767232800_000, "2026-01-01T02:00Z"


# ---- health ------------------------------------------------------------------------------------------------------


def test_what_fails_is_told_with_its_reason_and_stays_tracked(platform: Platform) -> None:
    bad = deployment("web")
    bad["spec"]["template"]["spec"]["containers"][0]["image"] = "bad"
    found = platform.deploy(config_map("conf"), bad)
    assert (found.status, found.failure and found.failure.code) == ("error", "InstallUnhealthy")
    assert [each.object for each in found.health] == ["Deployment/corner/web"]
    part = _part(platform)
    assert (part.status, part.health, part.objects) == ("error", "unhealthy", 2)
    assert part.build_id == found.build_id, "what is there is of this build"
    assert platform.deploy(config_map("conf"), deployment("web")).status == "active"


def test_how_objects_are_is_not_known_where_a_deploy_ended_while_it_wrote(platform: Platform) -> None:
    platform.deploy(config_map("conf"))
    assert _part(platform).health == "healthy"
    cluster = platform.cluster

    class Refusing:
        def __getattr__(self, name: str) -> Any:
            return getattr(cluster, name)

        def apply(self, place: Place, wanted: Any, **how: Any) -> Any:
            if not how.get("dry_run"):
                raise ObjectInvalid("An admission rule of the cluster refuses it.")
            return cluster.apply(place, wanted, **how)

    platform.cluster = Refusing()
    found = platform.deploy(config_map("conf", colour="green"))
    assert (found.status, found.failure and found.failure.code) == ("error", "ObjectInvalid")
    assert _part(platform).health == "unknown", "nothing is on its way to anything"


# ---- out of time, overtaken, stopped -----------------------------------------------------------------------------


def test_what_one_call_has_no_time_for_the_next_ones_do(platform: Platform) -> None:
    looks = iter(range(10_000))
    platform.left = lambda: -1.0 if next(looks) % 3 == 0 else 300.0
    objects = [config_map(f"conf-{number}") for number in range(600)]
    found = platform.deploy(*objects)
    assert (found.status, _part(platform).objects) == ("active", 600)
    assert platform.states.count("ApplyInstall") > 1
    platform.run(platform.ask(operation="teardown"))
    assert _part(platform).objects == 0


def test_an_older_deploy_that_was_overtaken_writes_nothing(platform: Platform) -> None:
    first = platform.ask(platform.build(*FIRST))
    second = platform.ask(platform.build(*SECOND))
    assert platform.run(first).status == "cancelled"
    assert "PlanInstall" not in platform.states
    assert platform.run(second).status == "active"


def test_a_deploy_that_is_stopped_while_it_applies_writes_no_more(platform: Platform) -> None:
    deploy = platform.ask(platform.build(*FIRST))
    counted, cluster = Counted(), platform.cluster

    class Stopping:
        def __getattr__(self, name: str) -> Any:
            if name == "apply" and platform.installs.deploy(deploy.id).status == "executing":  # type: ignore[union-attr]
                platform.installs.cancel(deploy, "It isn't wanted.", "tok_1")
            return getattr(cluster, name)

    platform.cluster = Stopping()
    found = platform.run(deploy)
    assert (found.status, found.failure and found.failure.cause) == ("cancelled", "It isn't wanted.")
    assert not counted.calls
    assert platform.store.holders == {}, "whoever ran it has let go"
    platform.cluster = cluster
    assert platform.deploy(*SECOND).status == "active"


def test_nor_does_one_that_is_stopped_while_it_prunes(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("byoa.installs.prune.SIDE_BY_SIDE", 1)
    olds = [config_map(f"old-{number}") for number in range(4)]
    keeps = [config_map(f"new-{number}") for number in range(5)]
    platform.deploy(*keeps, *olds)
    deploy = platform.ask(platform.build(*keeps))
    cluster = platform.cluster

    class Stopping:
        def __getattr__(self, name: str) -> Any:
            if name == "delete":
                platform.installs.cancel(deploy, "It isn't wanted.", "tok_1")
            return getattr(cluster, name)

    platform.cluster = Stopping()
    assert platform.run(deploy).status == "cancelled"
    assert [bool(_get(platform, CONFIG_MAPS, f"old-{number}")) for number in range(4)].count(False) == 1


def test_the_same_event_twice_is_one_execution_s(platform: Platform) -> None:
    deploy = platform.ask(platform.build(*FIRST))
    begun = platform.deploys.begin(deploy.key, "another")
    assert platform.run(deploy) == begun


def test_secrets_live_where_only_those_read_them_that_need_to(platform: Platform) -> None:
    platform.deploy(*FIRST)
    holding = {
        kind for kind, lists in platform.lists.items() if any(b"aHVudGVyMg==" in each for each in lists.kept.values())
    }
    assert holding == {"plans"}, "rendered objects have stringData yet"
    assert _get(platform, SECRETS, "keys")
    assert _get(platform, DEPLOYMENTS, "web")
