"""Pushes that are looked into: whose components name them, what their registry says, and what is noted of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.identity.verifying import PyJwtVerifier
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.inventory import MemoryInventory
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.memory.tracking import MemoryMentions, MemoryTracked, MemoryWorkshop
from byoa.adapters.memory.vault import MemoryEcrLogin, MemoryVault
from byoa.builds.lending import Lender
from byoa.builds.messages import Outcome
from byoa.builds.records import entry
from byoa.components.reading import check_config
from byoa.content.packing import pack
from byoa.errors import AuthFailed, RegistryThrottled
from byoa.tracking.build_again import build_again
from byoa.tracking.follow import Means, follow
from byoa.tracking.google import GoogleTokens
from byoa.tracking.messages import Followed, Notice, TagMoved
from byoa.tracking.records import EVERY, Place, issue, watch
from byoa.trust.allowed import Allowed
from byoa.trust.external_id import external_id
from byoa.trust.policy import Policy
from tests.builds.test_trying import Purse

if TYPE_CHECKING:
    from byoa.builds.lending import Lent
    from byoa.builds.messages import Build
    from byoa.oci.reference import Reference
    from byoa.tracking.records import HookRecord

ORG, OTHER, APP = "org_0123456789ab", "org_other0000000", "shop"
HOST, REPOSITORY = "ghcr.io", "vendor/app"
HOOK, OTHER_HOOK = "hok" + "a" * 23, "hok" + "b" * 23
ECR = "222222222222.dkr.ecr.eu-west-1.amazonaws.com"
ROLE = "arn:aws:iam::222222222222:role/pull"
TEXT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"


class Bench:
    """Two organisations' components, and registries that say what tags mean."""

    def __init__(self) -> None:
        self.clock = SteppingClock()
        self.ledger = MemoryLedger(self.clock, "table")
        self.held: dict[Any, Any] = {}
        self.claims: dict[Any, Any] = {}
        self.told: list[TagMoved] = []
        self.hooks: dict[tuple[str, str], HookRecord] = {
            (org, hook_id): issue(org, hook_id, "a", "github", "note", 0, "tok").record
            for org in (ORG, OTHER)
            for hook_id in (HOOK, OTHER_HOOK)
        }
        self.google = GoogleTokens(lambda _: [], PyJwtVerifier())
        self.repository = MemoryRepository()
        self.asked: list[tuple[str, str, str | None]] = []
        self.says: dict[str, Exception] = {}
        self.purse = Purse()
        self.vaults = {org: MemoryVault(org, self.clock) for org in (ORG, OTHER)}

    def push(self, text: str, tag: str = "v1") -> str:
        packed = pack(TEXT % text)
        self.repository.blobs.update(packed.blobs)
        self.repository.push_manifest(packed.manifest, tag)
        return str(packed.manifest.digest)

    def submit(
        self, name: str = "web", org: str = ORG, source: str = f'url = "oci://{HOST}/{REPOSITORY}"\ntag = "v1"'
    ) -> Build:
        body = f'name = "{name}"\ntype = "kubernetes_manifest"\nnamespace = "a"\n[oci_artifact]\n{source}\n'
        checked = check_config(body)
        assert checked.config, checked.faults
        return MemoryInventory(org, self.ledger, self.held).submit(APP, checked.config).build

    def build(self, build: Build, digest: str, *, ends: bool = True) -> None:
        """The pipeline pins a digest, and perhaps is done with it."""
        now = self.clock.now()
        self.ledger.begin(build.key, "one", entry("planning", "begun", now))
        self.ledger.progress(build.key, "one", [entry("planning", f"pinned {digest}", now, digest=digest)])
        if ends:
            outcome = Outcome(status="active", digest=digest, tag="v1")
            self.ledger.finish(build.key, "one", outcome, [entry("active", "done", now)])

    def open_source(self, organisation: str, reference: Reference, lent: Lent | None) -> Any:
        self.asked.append((organisation, str(reference), lent.version if lent else None))
        if organisation in self.says:
            raise self.says[organisation]
        return self.repository

    @property
    def means(self) -> Means:
        return Means(
            mentions=MemoryMentions(self.ledger),
            tracked=lambda org: MemoryTracked(org, self.ledger, self.held, self.claims, self.told, self.hooks),
            google=self.google,
            lender=lambda org: Lender(
                org, self.vaults[org], MemoryEcrLogin({ROLE: external_id("table", org)}), "111111111111", "table"
            ),
            policy=Policy("111111111111", "byoa"),
            budget=self.purse,
            clock=self.clock,
            open_source=self.open_source,
        )

    def heed(
        self, *tags: str, org: str = ORG, event: str = "one", delivery: str | None = None, hook_id: str = HOOK,
        token: str | None = None, kind: str = "github",
    ) -> Followed:  # fmt: skip
        detail = {
            "organisation": org, "hook_id": hook_id, "kind": kind, "registry": HOST, "repository": REPOSITORY,
            "tags": list(tags or ("v1",)), "delivery": delivery, "token": token,
        }  # fmt: skip
        return follow(Notice.model_validate({"id": event, "source": "io.byoa.hooks", "detail": detail}), self.means)

    def component(self, name: str = "web", org: str = ORG) -> Any:
        return MemoryInventory(org, self.ledger, self.held).component(APP, name)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def built(bench: Bench) -> Bench:
    """A component whose build is done."""
    bench.build(bench.submit(), bench.push("old"))
    return bench


# ---- what is noted -----------------------------------------------------------------------------------------------


def test_a_tag_that_moved_is_noted_with_both_digests_and_told_once(built: Bench) -> None:
    before, after = built.ledger.records[built.submit().key].outcome, built.push("new")
    assert before
    assert built.heed() == Followed(components=1, moved=1)
    moved = built.component().moved
    assert (moved.tag, moved.before, moved.after, moved.version) == ("v1", before.digest, after, 1)
    assert moved.hook_id == HOOK
    assert built.heed() == Followed(components=1, moved=0)
    (told,) = built.told
    assert (told.component, told.version, told.before, told.after) == ("web", 1, before.digest, after)


def test_what_one_hook_noted_another_one_tells_of_as_well(built: Bench) -> None:
    """The one may be there to note, the other to build."""
    built.push("new")
    for hook_id in (HOOK, OTHER_HOOK, OTHER_HOOK):
        built.heed(hook_id=hook_id)
    assert [told.hook_id for told in built.told] == [HOOK, OTHER_HOOK]


def test_a_tag_that_stayed_is_nothing(built: Bench) -> None:
    assert built.heed() == Followed(components=1, moved=0)
    assert built.component().moved is None
    assert built.told == []


def test_a_tag_that_moves_on_is_told_of_again_and_one_that_moves_back_is_as_before(built: Bench) -> None:
    digests = [built.push(text) for text in ("new", "newer")]
    assert built.heed().moved == 1
    assert built.component().moved.after == digests[1]
    built.push("newest")
    assert built.heed().moved == 1
    built.push("old")
    assert built.heed().moved == 0
    assert built.component().moved is None
    assert len(built.told) == 2


def test_a_running_build_is_compared_by_what_it_pinned_and_one_that_has_not_asked_is_left_alone(bench: Bench) -> None:
    build = bench.submit()
    digest = bench.push("old")
    bench.push("new")
    assert bench.heed() == Followed(components=1, moved=0)
    bench.build(build, digest, ends=False)
    assert bench.heed().moved == 1


def test_what_was_noted_of_an_older_config_is_of_no_matter(built: Bench) -> None:
    built.push("new")
    built.heed()
    again = MemoryInventory(ORG, built.ledger, built.held).submit(
        APP, built.ledger.configs[built.submit().key].config, anew=True
    )
    built.build(again.build, built.told[0].after)
    assert built.heed() == Followed(components=1, moved=0)
    built.push("newer")
    assert built.heed().moved == 1
    assert built.component().moved.version == 2


# ---- whose components ----------------------------------------------------------------------------------------------


def test_only_components_of_the_hook_s_organisation_that_name_the_tag_are_looked_at(built: Bench) -> None:
    digest = built.ledger.records[built.submit().key].outcome
    assert digest
    for name, source in (
        ("other-tag", f'url = "oci://{HOST}/{REPOSITORY}"\ntag = "v2"'),
        ("other-repository", f'url = "oci://{HOST}/{REPOSITORY}2"\ntag = "v1"'),
        ("other-host", f'url = "oci://quay.io/{REPOSITORY}"\ntag = "v1"'),
        ("pinned", f'url = "oci://{HOST}/{REPOSITORY}"\ntag = "v1"\ndigest = "{digest.digest}"'),
    ):
        built.build(built.submit(name, source=source), str(digest.digest))
    built.build(built.submit(org=OTHER), str(digest.digest))
    built.push("new")
    assert built.heed() == Followed(components=1, moved=1)
    assert [each[0] for each in built.asked] == [ORG]
    assert built.component(org=OTHER).moved is None


def test_nobody_is_asked_where_no_component_names_it(built: Bench) -> None:
    assert built.heed("v7", "v8") == Followed()
    assert built.asked == []


def test_a_registry_is_asked_once_for_all_components_with_the_same_credentials(built: Bench) -> None:
    login = {"kind": "basic", "host": HOST, "username": "u", "password": "p"}
    built.vaults[ORG].store("creds", "basic", HOST, json.dumps(login))
    named = f'url = "oci://{HOST}/{REPOSITORY}"\ntag = "v1"\ncredentials_ref = "creds"'
    for name in ("a", "b"):
        built.build(built.submit(name), "sha256:" + "0" * 64)
        built.build(built.submit(f"{name}-private", source=named), "sha256:" + "0" * 64)
    assert built.heed().components == 5
    assert len(built.asked) == 2
    assert sum(lent is not None for *_, lent in built.asked) == 1


@pytest.fixture
def in_ecr(bench: Bench) -> Bench:
    """A component of each organisation whose tag in ECR moved."""
    source = f'url = "oci://{ECR}/manifests"\ntag = "v1"\ncredentials_ref = "creds"'
    for org in (ORG, OTHER):
        role = {"kind": "aws_ecr", "host": ECR, "role_arn": ROLE}
        bench.vaults[org].store("creds", "aws_ecr", ECR, json.dumps(role))
        bench.build(bench.submit(org=org, source=source), "sha256:" + "0" * 64)
    bench.push("new")
    return bench


def ecr_event(**more: Any) -> dict[str, Any]:
    detail = {
        "result": "SUCCESS", "repository-name": "manifests", "image-digest": "sha256:1", "action-type": "PUSH",
        "image-tag": "v1", "manifest-media-type": "application/vnd.oci.image.manifest.v1+json",
    }  # fmt: skip
    found = {"id": "one", "source": "aws.ecr", "account": "222222222222", "region": "eu-west-1", "detail": detail}
    return {**found, **more}


def watched(bench: Bench, action: str, *place: str, org: str = ORG) -> str:
    """A hook of the organisation's for a place in ECR."""
    record = watch(org, Place(*place), "a", action, 0, "tok")  # type: ignore[arg-type]
    bench.hooks[org, record.id] = record
    return record.id


@pytest.mark.parametrize("repository", ["manifests", EVERY])
def test_a_push_to_ecr_is_noticed_by_the_hook_that_the_organisation_has_for_it(in_ecr: Bench, repository: str) -> None:
    mine = watched(in_ecr, "build", "222222222222", "eu-west-1", repository)
    for elsewhere in (("333333333333", "eu-west-1"), ("222222222222", "eu-west-2"), ("222222222222", "eu-west-1", "x")):
        watched(in_ecr, "build", *elsewhere, org=OTHER)
    assert follow(Notice.model_validate(ecr_event()), in_ecr.means).moved == 2
    assert {(told.organisation, told.hook_id) for told in in_ecr.told} == {(ORG, mine), (OTHER, None)}
    of_ours = next(told for told in in_ecr.told if told.organisation == ORG)
    assert again(in_ecr, of_ours).build_id
    assert in_ecr.component().version == 2


def test_of_two_hooks_for_a_push_to_ecr_the_one_of_the_repository_counts(in_ecr: Bench) -> None:
    watched(in_ecr, "build", "222222222222", "eu-west-1")
    mine = watched(in_ecr, "note", "222222222222", "eu-west-1", "manifests")
    follow(Notice.model_validate(ecr_event()), in_ecr.means)
    told = next(told for told in in_ecr.told if told.organisation == ORG)
    assert (told.hook_id, again(in_ecr, told).build_id) == (mine, None)


def test_ecr_s_own_event_is_heeded_for_all_organisations_that_name_the_registry(in_ecr: Bench) -> None:
    bench, event = in_ecr, ecr_event()
    detail = event["detail"]
    assert follow(Notice.model_validate(event), bench.means) == Followed(components=2, moved=2)
    assert [told.hook_id for told in bench.told] == [None, None]
    untagged = {**event, "detail": {**detail, "image-tag": ""}}
    assert follow(Notice.model_validate(untagged), bench.means) == Followed()
    elsewhere = {**event, "account": "333333333333"}
    assert follow(Notice.model_validate(elsewhere), bench.means) == Followed()


def test_nobody_is_asked_what_the_organisation_s_policies_forbid(built: Bench) -> None:
    built.push("new")
    built.build(built.submit(org=OTHER), "sha256:" + "0" * 64)
    built.ledger.policies[ORG] = Allowed(("ghcr.io/other/*",), 1, 0, "tok")
    assert built.heed() == Followed(components=1, failed=1)
    assert (built.asked, built.purse.spent, built.component().moved) == ([], [], None)
    assert built.heed(org=OTHER).moved == 1
    built.ledger.policies[ORG] = Allowed(("ghcr.io/vendor/*",), 2, 0, "tok")
    assert built.heed().moved == 1


def test_a_hook_that_is_gone_is_not_heeded(built: Bench) -> None:
    built.push("new")
    del built.hooks[ORG, HOOK]
    assert built.heed(delivery="a" * 64) == Followed(refused=True)
    assert (built.asked, built.claims) == ([], {})


# ---- again, and refused --------------------------------------------------------------------------------------------


def test_a_delivery_is_heeded_once_but_by_the_event_that_took_it_up(built: Bench) -> None:
    delivery = "a" * 64
    built.push("new")
    assert built.heed(delivery=delivery, event="one").moved == 1
    assert built.heed(delivery=delivery, event="two") == Followed(repeated=True)
    assert built.heed(delivery=delivery, event="one") == Followed(components=1)
    assert built.heed(delivery="b" * 64, event="two").repeated is False
    assert built.heed(delivery=delivery, event="two", org=OTHER).repeated is False


def test_a_registry_that_refuses_is_counted_and_ends_no_other_s(bench: Bench) -> None:
    build = bench.submit(source=f'url = "oci://{HOST}/{REPOSITORY}"\ntag = "v1"\ncredentials_ref = "none"')
    bench.build(build, bench.push("old"))
    bench.build(bench.submit("public"), bench.push("old"))
    bench.push("new")
    assert bench.heed() == Followed(components=2, moved=1, failed=1)
    bench.says[ORG] = AuthFailed("The registry refuses the credentials.")
    assert bench.heed().failed == 2


def test_what_passes_by_itself_is_tried_again_and_finds_what_was_noted(built: Bench) -> None:
    built.push("new")
    built.says[ORG] = RegistryThrottled("Slow down.", retry_after=3)
    with pytest.raises(RegistryThrottled):
        built.heed(delivery="a" * 64)
    built.says.clear()
    assert built.heed(delivery="a" * 64).moved == 1


def test_a_tag_that_is_gone_moved_nowhere(built: Bench) -> None:
    built.repository.tags.clear()
    assert built.heed() == Followed(components=1, failed=1)
    assert built.component().moved is None


# ---- building again --------------------------------------------------------------------------------------------------


def moved(hook_id: str | None = HOOK, version: int = 1) -> TagMoved:
    found = {"organisation": ORG, "app": APP, "component": "web", "version": version, "tag": "v1", "before": "a"}
    return TagMoved.model_validate({**found, "after": "b", "moved_at_ts": 1, "hook_id": hook_id})


def hook(bench: Bench, action: str, org: str = ORG) -> None:
    bench.hooks[org, HOOK] = issue(org, HOOK, "a", "github", action, 0, "tok").record  # type: ignore[arg-type]


def again(bench: Bench, told: TagMoved) -> Any:
    return build_again(told, MemoryWorkshop(ORG, bench.ledger, bench.hooks, bench.held))


def test_a_hook_that_is_for_it_has_the_newest_config_built_anew(built: Bench) -> None:
    hook(built, "build")
    done = again(built, moved())
    build = built.ledger.build(ORG, done.build_id)
    assert build
    assert (build.version, build.created_by, build.status) == (2, HOOK, "queued")
    assert built.ledger.configs[build.key].config == built.ledger.configs[built.ledger.records[build.key].key].config
    assert again(built, moved()).build_id is None, "the same event again"
    assert built.component().version == 2


@pytest.mark.parametrize("action", ["note", None, "another organisation's"])
def test_any_other_hook_has_nothing_built(built: Bench, action: str | None) -> None:
    if action == "note":
        hook(built, "note")
    elif action:
        hook(built, "build", OTHER)
    assert again(built, moved()).build_id is None
    assert again(built, moved(hook_id=None)).build_id is None
    assert built.component().version == 1


def test_what_is_not_the_newest_any_more_is_not_built(built: Bench) -> None:
    hook(built, "build")
    assert again(built, moved(version=7)).build_id is None
    MemoryInventory(ORG, built.ledger, built.held).remove(built.component())
    assert again(built, moved()).build_id is None


def test_the_samples_are_what_the_functions_take() -> None:
    events = Path(__file__).parents[2] / "events"
    notice = Notice.model_validate_json((events / "follow_tags.json").read_bytes())
    told = TagMoved.model_validate_json((events / "build_again.json").read_bytes())
    assert (notice.detail.repository, told.component) == ("vendor/flux", "flux")
