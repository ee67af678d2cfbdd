"""Installs for pictures: one that waits for an approval, one whose deploy failed, drift, and a history."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from byoa.installs.objects import Place
from tests.api.served import APP
from tests.installs.beds import CONFIG_MAPS, config_map, deployment, job, role, secret, service
from tests.web.installing import Runner

if TYPE_CHECKING:
    from tests.web.browsing import Browser

BROKEN = "registry.example.com/worker:2"


def furnish_installs(browser: Browser) -> dict[str, str]:
    """Pages of installs by the names of their pictures."""
    runner = Runner(browser)
    token = browser.served.ask("POST", "/v1/tokens", {"name": "release-bot", "scopes": ["deploy"]}).json["token"]
    done = partial(_done, runner, token)
    runner.cluster._broken = frozenset({BROKEN})
    install = runner.install("acme-prod", cluster={"kind": "eks", "cluster": "acme", "region": "us-west-2",
                             "role_arn": "arn:aws:iam::222222222222:role/byoa"}, inputs={"greeting": "hello"},
                             follow=["cache"])  # fmt: skip
    runner.install("acme-staging")
    runner.install("globex", install_config={"approval_option": "approve-all"})
    first = runner.build(deployment("web"), config_map("settings", colour="blue", size="3"), service("web"),
                         secret("keys", token="one"), config_map("old", a="1"), role("web"))  # fmt: skip
    runner.build(deployment("cache"), service("cache"), name="cache")
    runner.build(deployment("worker", image=BROKEN), name="worker")
    done(f"{install}/components/web", {"build_id": first, "approve_all": True})
    done(f"{install}/components/cache", {"approve_all": True})
    failed = done(f"{install}/components/worker", {"approve_all": True})
    runner.cluster.edit(Place(CONFIG_MAPS, "vendor", "settings"), {"data": {"size": "5"}}, "kubectl-edit")
    drift = done(f"{install}/components/web", {}, "drift")
    second = runner.build(deployment("web", image="registry.example.com/web:2", replicas=3), service("web", 8080),
                          config_map("settings", colour="green", size="3"), secret("keys", token="two"), role("web"),
                          job("migrate", suspend=True))  # fmt: skip
    waits = done(f"{install}/components/web", {"build_id": second})
    for place in [place for place, each in browser.served.tokens.items() if each.name == "test"]:
        del browser.served.tokens[place]  # those that all this was made ready with
    return {
        "installs": "/installs", "install": f"/installs/{install}", "install-new": f"/apps/{APP}/installs/create",
        "install-settings": f"/installs/{install}/settings", "install-component": f"/installs/{install}/components/web",
        "deploy": waits, "deploy-failed": failed, "deploy-drift": drift,
    }  # fmt: skip


def _done(runner: Runner, token: str, part: str, body: dict[str, object], what: str = "deploys") -> str:
    """Where the page of a deploy is that went as far as it goes by itself."""
    made = runner.browser.served.ask("POST", f"/v1/installs/{part}/{what}", body, token=token).json["id"]
    runner.run(made)
    return f"/installs/{part}/deploys/{made}"
