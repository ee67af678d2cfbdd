"""Pictures of all pages in both themes and widths, for docs/: python -m tests.browser.shots docs/images."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from byoa.adapters.memory.clocks import SystemClock
from byoa.builds.records import milliseconds
from tests.api.served import APP, ORG, Served
from tests.browser.chromium import THEMES, WIDTHS, chromium, window
from tests.browser.conftest import sign_in, way_to_sign_in
from tests.browser.installed import furnish_installs
from tests.browser.loopback import Site, listening

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from byoa.adapters.memory.clocks import SteppingClock

COMPONENTS = f"/apps/{APP}/components"
RELEASES = {
    "name": "releases", "issuer": "https://token.actions.githubusercontent.com", "scopes": ["sync"],
    "claims": {"repository": "vendor/app", "ref": ["refs/heads/main", "refs/tags/v*"]},
}  # fmt: skip
SOURCE = {"url": "oci://ghcr.io/vendor/app-manifests", "tag": "v2.3.1", "credentials_ref": "ghcr"}


NAME = "storefront"
FILE = """\
# kubernetes-manifest
name = "storefront"
type = "kubernetes_manifest"
namespace = "vendor"             # theirs; ours would be shop
dependencies = ["database", "cache"]

# whoever moves this tag tells #releases first
[oci_artifact]
url = "oci://ghcr.io/vendor/storefront"
tag = "v2.3.1"
credentials_ref = "ghcr"

[labels]
team = "web"
"""


def itself(name: str, tag: str, build_id: str) -> dict[str, str]:
    """What of the sample of a build is another's, and what it is of this one."""
    digest = hashlib.sha256(f"{name} {tag}".encode()).hexdigest()
    return {
        "fac2bf4015b35638ed9d43cff4f53e09743639903d7b6f839127b6589d27b581": digest,
        "bld7q362lqznuy44m52dmsrxgu": build_id,
        "org_demo00000000/demo/flux": f"{ORG}/{APP}/{name}",
        "oci://127.0.0.1:5101/vendor/flux": f"oci://ghcr.io/vendor/{name}",
        "vendor/web:v2.3.1": f"vendor/{name}-server:{tag}",
        '"v2.3.1"': f'"{tag}"',
    }


def attached(tag: str) -> list[dict[str, str]]:
    """A signature of the artifact, a bill of materials, and that one's signature."""
    root, *others = (
        hashlib.sha256(f"{name}{NAME} {tag}".encode()).hexdigest() for name in ("", "sig ", "sbom ", "own ")
    )
    signature, sbom, of_sbom = (f"sha256:{each}" for each in others)
    return [
        {"digest": signature, "subject": f"sha256:{root}", "kind": "signature", "tag": f"sha256-{root}.sig"},
        {"digest": sbom, "subject": f"sha256:{root}", "kind": "sbom"},
        {"digest": of_sbom, "subject": sbom, "kind": "signature"},
    ]


def furnish(site: Site) -> dict[str, str]:
    """Something on every page; pages by the names of their pictures."""
    for name in ("database", "cache", "worker", "metrics", "gateway", "mailer", "search", "reports", "login", "admin"):
        made = site.hand_in(name, oci_artifact={**SOURCE, "url": f"oci://ghcr.io/vendor/{name}"})
        site.go_well(made["build_id"], itself(name, "v2.3.1", made["build_id"]))
    for tag in ("v2.3.1", "v2.4.0"):
        path = f"/v1{COMPONENTS}/{NAME}/configs/kubernetes-manifest"
        second = site.served.ask("POST", path, {"toml": FILE.replace("v2.3.1", tag)}).json
        named = {kind: [f"vendor/{name}" for name in ("cart", NAME)] for kind in ("ConfigMap", "Deployment", "Service")}
        kinds = {kind: len(names) for kind, names in named.items()}
        texts = itself(NAME, tag, second["build_id"])
        site.go_well(
            second["build_id"], texts, objects={"by_kind": named, "left_out": 0}, attachments=attached(tag),
            resources=6, kinds=kinds,
        )  # fmt: skip
    failed = site.hand_in("api", oci_artifact={**SOURCE, "url": "oci://ghcr.io/vendor/api", "tag": "v9"})["build_id"]
    cause = "The registry ghcr.io has no such repository, tag or digest, or doesn't show it to us."
    remedy = "Check the repository and the tag, and that the artifact was pushed; a private one needs credentials."
    site.fail(failed, cause=cause, remedy=remedy)
    waiting = site.hand_in("search", oci_artifact={**SOURCE, "url": "oci://ghcr.io/vendor/search", "tag": "v3"})
    kept = {"ref": "ghcr", "kind": "basic", "host": "ghcr.io", "value": {"username": "u", "password": "p"}}
    site.served.ask("POST", "/v1/credentials", kept)
    site.served.ask("POST", "/v1/hooks", {"name": "ghcr", "kind": "github"})
    okta = replace(way_to_sign_in("Okta"), confidential=True, created_at_ts=milliseconds(site.served.clock.now()))
    site.served.rules[ORG] = [okta]
    site.served.ask("POST", "/v1/issuers", RELEASES)
    site.served.tokens.clear()  # those that all this was done with
    site.served.ask("POST", "/v1/tokens", {"name": "github-actions", "scopes": ["sync"]})
    installs = furnish_installs(site)
    return {
        "overview": "/", "components": f"/apps/{APP}", "component": f"{COMPONENTS}/{NAME}",
        "build": f"{COMPONENTS}/{NAME}/builds/{second['build_id']}", "failed": f"{COMPONENTS}/api/builds/{failed}",
        "resources": f"{COMPONENTS}/{NAME}/builds/{second['build_id']}",
        "running": f"{COMPONENTS}/search/builds/{waiting['build_id']}", "editor": f"{COMPONENTS}/{NAME}/edit",
        "resolved": f"{COMPONENTS}/{NAME}/edit", "compare": f"{COMPONENTS}/{NAME}/compare",
        "credentials": "/credentials", "tokens": "/tokens", "issuers": "/issuers",
        "policies": "/policies", "hooks": "/hooks-in", "audit": "/audit", "errors": "/errors", **installs,
        "install-teardown": installs["install"],
    }  # fmt: skip


def take(page: Page, site: Site, places: dict[str, str], folder: Path) -> None:
    """One picture of each page, theme and width: as much as a window shows."""
    for name, place in places.items():
        page.goto(site.address + place)
        if name == "compare":
            page.get_by_role("button", name="Compare").click()
        if name == "resolved":
            page.get_by_role("button", name="List the repository's tags").click()
            page.get_by_label("Tags, the newest first").wait_for()
            page.get_by_label("Tag", exact=True).fill("v2.3.0")
            page.get_by_role("button", name="Resolve").click()
            page.get_by_text("Nobody has checked it").wait_for()
            page.get_by_role("button", name="List the repository's tags").evaluate("each => each.scrollIntoView()")
        if name == "resources":
            page.get_by_role("heading", name="Resources").evaluate("each => each.scrollIntoView()")
        if name == "install-teardown":
            page.get_by_role("heading", name="Tear all down").evaluate("each => each.scrollIntoView()")
        for theme in THEMES:
            for width in WIDTHS:
                page.emulate_media(color_scheme=theme)
                page.set_viewport_size({"width": width, "height": 1000 if width == max(WIDTHS) else 800})
                page.screenshot(path=folder / f"{name}-{theme}-{width}.png")


def main(folder: Path) -> None:
    """All pictures into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    served = Served(clock=cast("SteppingClock", SystemClock()))
    with listening(Site(served)) as site, chromium() as browser, window(browser) as page:
        places = furnish(site)
        take(page, site, {"sign-in": f"/auth/login?org={ORG}"}, folder)
        sign_in(page, site)
        take(page, site, places, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
