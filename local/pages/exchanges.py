"""What the API answers to each of its examples: asked in this process, over the memory adapters."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from byoa.adapters.identity.verifying import PyJwtVerifier
from byoa.adapters.memory.applied import MemoryShelf
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.installs import DeployStore, MemoryDeploys, MemoryInstalls
from byoa.adapters.memory.inventory import MemoryAnswers, MemoryInventory, MemoryJournal, MemoryTokens
from byoa.adapters.memory.issuers import MemoryIssuers
from byoa.adapters.memory.leases import MemoryLeases
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.adapters.memory.lookups import MemoryLookups
from byoa.adapters.memory.tracking import MemoryHooks
from byoa.adapters.memory.vault import MemoryClientSecrets, MemoryClusterTokens, MemoryVault
from byoa.api.agents import held_as
from byoa.api.app import OPERATIONS, make
from byoa.api.ports import World
from byoa.api.routes.artifacts import ARTIFACT
from byoa.api.routes.jobs import LEASE, LEASE_MS
from byoa.api.tokens import DAY_MS, issue
from byoa.builds import record
from byoa.builds.lookups import LookUp, Sought
from byoa.builds.messages import BuildEnded
from byoa.builds.ports import Signature
from byoa.builds.records import entry, milliseconds
from byoa.installs.ports import Request
from byoa.trust.issuers import KeysFound
from local.pages.installed import INSTALL, OTHER, Installed
from local.pages.lookups import Samples, tried

_EVENTS: Final = Path(__file__).parents[2] / "events"
ORGANISATION: Final = "org_demo00000000"
NAMES: Final = {
    "app_id": "demo",
    "component_id": "vendor-app",
    "component_name_or_id": "vendor-app",
    "config_id": "1",
    "ref": "ghcr",
    "lookup_id": "lkpexample2222222222222222",
    "build_id": "bldexample2222222222222222",
    "token_id": "tokexample2222222222222222",
    "hook_id": "hokexample2222222222222222",
    "issuer_id": "issexample2222222222222222",
    "install_id": INSTALL,
    "deploy_id": "dplexample2222222222222222",
    "workflow_id": "dplexample2222222222222222",
    "step_id": "vendor-app",
    "approval_id": "dplexample2222222222222222",
}
QUERIES: Final = {
    "get_job_inventory": f"lease_id={LEASE['lease_id']}",
    "get_config_schema": "type=kubernetes-manifest",
    "list_app_builds": "app_id=demo",
}
_ORDERS: Final = {"list_tokens": "issued_at", "list_installs": "name"}
"""Lists that are by ids which chance makes."""

_OF_AGENTS: Final = ("lease_job", "renew_lease", "get_job_inventory", "put_job_inventory", "report_job")
_TOKENS: Final = re.compile(r"byoa_org_demo00000000_tok[a-z2-7]{23}_[A-Za-z0-9_-]{43}")
_IDS: Final = re.compile(r"(?<![a-z0-9])(tok|adt|hok|iss|inl|dpl|lea)[a-z2-7]{23}\b")
_SECRETS: Final = re.compile(r'(?<=[/"])[A-Za-z0-9_-]{43}(?=")')


def exchanges() -> dict[str, Any]:
    """Each operation's answer, as JSON data, or as text for a page; ids that chance makes are samples."""
    desk = _Desk()
    last = [each for each in OPERATIONS if each.method == "DELETE" or each.name == "cancel_build"]
    first = [each for each in OPERATIONS if each.method in ("POST", "PUT", "PATCH") and each not in last]
    first.sort(key=lambda each: each.name != "create_config")
    last.sort(key=lambda each: each.name == "revoke_token")  # it is the one that all are asked with
    found = {}
    for each in [*first, *(one for one in OPERATIONS if one not in first and one not in last), *last]:
        found[each.name] = desk.ask(each)
        if each.name == "create_config":
            desk.build()
    return found


class _Signer:
    """Signs with nothing: what is shown is an example."""

    def sign(self, payload: bytes) -> Signature:
        """See ``builds.ports.Signer``."""
        del payload
        return Signature("arn:aws:kms:us-east-1:111122223333:key/EXAMPLE", b"an example, and no signature")


class _Desk:
    def __init__(self) -> None:
        clock = SteppingClock()
        self.clock, self.ledger = clock, MemoryLedger(clock, "table")
        self.hooks: dict[Any, Any] = {}
        self.store = DeployStore(clock, "table")
        self.leased: dict[Any, Any] = {}
        held: tuple[dict[Any, Any], ...] = ({}, {}, {}, {}, {}, {}, {})
        self.face = make(
            World(
                clock=clock,
                doorkeeper=MemoryTokens("", held[0], MemoryIssuers),
                inventory=lambda org: MemoryInventory(org, self.ledger, held[1]),
                tokens=lambda org: MemoryTokens(org, held[0]),
                hooks=lambda org: MemoryHooks(org, self.hooks),
                journal=lambda org: MemoryJournal(org, held[2]),
                answers=lambda org: MemoryAnswers(org, held[3]),
                safe=lambda org: MemoryVault(org, clock, held[4]),
                lookups=lambda org: MemoryLookups(org, clock, Samples(clock), held[6]),
                issuers=lambda org: MemoryIssuers(org, held[5]),
                try_credentials=tried,
                fetch_keys=lambda *_: KeysFound(keys=[]),
                verifier=PyJwtVerifier(),
                installs=lambda org: MemoryInstalls(org, self.store),
                clusters=MemoryClusterTokens,
                client_secrets=MemoryClientSecrets,
                deploying=lambda _: MemoryDeploys(self.store),
                leases=lambda org: MemoryLeases(org, self.leased, self.store),
                shelf=lambda key, execution: MemoryShelf(self.store, key, execution),
                receipt_check=lambda *_: True,
                receipt_key=lambda: b"0Y an example and no key",
                table="table",
                source_role="arn:aws:iam::111122223333:role/byoa-SourceRole-EXAMPLE",
                cluster_role="arn:aws:iam::111122223333:role/byoa-ClusterRole-EXAMPLE",
            )
        )
        now_ts = milliseconds(clock.now())
        caller, self.token = issue(ORGANISATION, "first", ["admin"], now_ts, now_ts + DAY_MS, "bootstrap")
        self.caller = caller
        ends_ts, mine = now_ts + DAY_MS, (INSTALL, OTHER)
        self.agent, self.agents = issue(ORGANISATION, "agent-demo", ["agent"], now_ts + 1, ends_ts, caller.id, mine)
        self.rules = MemoryIssuers(ORGANISATION, held[5])
        for each in (caller, self.agent):
            MemoryTokens(ORGANISATION, held[0]).add(each)
        self.built = self.deployed = ""
        self.installed = Installed(self.store, ORGANISATION, NAMES["app_id"])
        self._look_up(MemoryLookups(ORGANISATION, clock, Samples(clock), held[6]), now_ts)

    def _look_up(self, lookups: MemoryLookups, now_ts: int) -> None:
        """A lookup that took long has its answer."""
        asked = LookUp(organisation=ORGANISATION, action="resolve", artifacts=[Sought(**ARTIFACT)])
        lookups.begin(NAMES["lookup_id"], asked, now_ts)
        lookups.go_on()

    def build(self) -> None:
        """The component's first build goes well."""
        key = next(key for key in self.ledger.records if key.component == "vendor-app")
        self.ledger.begin(
            key, "example", entry("planning", "checking the config and resolving its reference", self.clock.now())
        )
        sample = json.loads((_EVENTS / "record_build.json").read_text())
        sample["artifact"] |= {
            **key.model_dump(),
            "execution": "example",
            "build_id": self.ledger.records[key].build_id,
        }
        for mirror in sample["mirrors"]:
            mirror["tag"] = self.ledger.records[key].build_id
            mirror["reference"] = mirror["reference"].replace("/demo/flux", "/demo/vendor-app")
        ended = BuildEnded.model_validate({**sample, **key.model_dump(), "execution": "example"})
        record.record(ended, self.ledger, self.clock, _Signer(), series="table")
        self.built = self.ledger.records[key].build_id
        install = self.installed.add(INSTALL, "demo")
        self.deployed = self.installed.deployed(install, self.ledger.records[key], drifted=True).id

    def _lease(self, name: str) -> str:
        """A deploy that waits for an agent, or that one has."""
        installs, deploys = MemoryInstalls(ORGANISATION, self.store), MemoryDeploys(self.store)
        install, build = installs.install(INSTALL), self.ledger.build(ORGANISATION, self.built)
        assert install, "it was made with the build"
        assert build, "it was made first"
        self.store.holders.clear()  # what the operation before left running
        asked = installs.ask(install, build.component, Request("apply", build.build_id, build.version))
        if name != "lease_job":
            now_ts = milliseconds(self.clock.now())
            leases = MemoryLeases(ORGANISATION, self.leased, self.store)
            leases.take(asked.id, held_as(str(LEASE["lease_id"]), self.agent.id), now_ts, now_ts + LEASE_MS)
            deploys.begin(asked, f"agent-{INSTALL}")
        if name == "put_job_inventory":
            deploys.change(asked, f"agent-{INSTALL}", lambda deploy, part: (deploy, part))
        return asked.id

    def _install(self, name: str) -> dict[str, str]:
        """Which install and which deploy an operation is asked of: what it wants has to be there."""
        install_id, deploy_id = INSTALL, self.deployed
        if name == "delete_install":
            install_id = self.installed.add(OTHER, "other").id
        elif name in _OF_AGENTS:
            deploy_id = self._lease(name)
        elif name in ("answer_plan", "respond_to_approval", "cancel_deploy", "cancel_workflow", "look_for_drift"):
            install = MemoryInstalls(ORGANISATION, self.store).install(INSTALL)
            build = self.ledger.build(ORGANISATION, self.built)
            assert install, "it was made with the build"
            assert build, "it was made first"
            looked = name == "look_for_drift"
            asked = partial(self.installed.deployed, drifted=True) if looked else self.installed.waiting
            deploy_id = asked(install, build).id
        return {
            "install_id": install_id, "deploy_id": deploy_id, "workflow_id": deploy_id, "approval_id": deploy_id,
        }  # fmt: skip

    def _rule(self, name: str) -> str:
        rules = self.rules.rules()
        if name == "store_client_secret":  # of a rule whose client has one
            self.rules.remove(rules[0].id)
            self.rules.add(replace(rules[0], confidential=True))
        return rules[0].id if rules else ""

    def ask(self, each: Any) -> Any:  # noqa: ANN401 - an operation; JSON data
        names = {**NAMES, "build_id": self._build_id(each.name), "token_id": self.caller.id}
        names |= self._install(each.name)
        names |= {"issuer_id": self._rule(each.name), "hook_id": self._hook_id()}
        path = re.sub(r"<(\w+)>", lambda found: names[found[1]], each.path)
        body = {"name": "other-app"} if each.name == "create_component" else each.example
        token = self.agents if each.scope == "agent" else self.token
        event = {
            "rawPath": path,
            "rawQueryString": QUERIES.get(each.name, ""),
            "queryStringParameters": dict([QUERIES[each.name].split("=")]) if each.name in QUERIES else None,
            "headers": {"authorization": f"Bearer {token}", "content-type": "application/json", "if-match": "*"},
            "requestContext": {
                "stage": "$default",
                "domainName": "api.example.com",
                "http": {"method": each.method, "path": path, "sourceIp": "192.0.2.1"},
            },
            "body": None if body is None else json.dumps(body),
        }
        answer = self.face(event, _Context())  # type: ignore[arg-type]
        if answer["statusCode"] not in (200, 201, 204):
            raise AssertionError(f"{each.name}: {answer['body']}")
        is_json = answer["headers"].get("Content-Type") == "application/json" and each.name != "get_openapi"
        text = _TOKENS.sub("byoa_org_demo00000000_tokexample00000000000000000_EXAMPLE", answer["body"])
        text = _SECRETS.sub("EXAMPLE", text)
        text = _IDS.sub(lambda found: found[1] + "example" + "2" * 16, text)
        found = json.loads(text) if is_json else text
        order = _ORDERS.get(each.name)
        return sorted(found, key=lambda one: one[order]) if order else found

    def _hook_id(self) -> str:
        return next((hook_id for _, hook_id in self.hooks), "none")

    def _build_id(self, name: str) -> str:
        running = [build.build_id for build in self.ledger.records.values() if not build.ended]
        return running[-1] if name == "cancel_build" else self.built


class _Context:
    function_name = "api"
    aws_request_id = "example"
