"""The deployed dashboard in a browser, with the functions' roles enforced."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.request
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.error import HTTPError

import pytest

from byoa.installs.access import Access
from byoa.installs.objects import Kind, Place
from local.desk import APP, ORGANISATION, POOLS
from tests.browser.chromium import chromium, needs_chromium, window
from tests.kubernetes import reached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from byoa.builds.messages import Build
    from tests.e2e.conftest import Pipeline

pytestmark = [pytest.mark.emulator, needs_chromium]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def make_token(pipeline: Pipeline, days: int = 1) -> str:
    environment = {**os.environ, **pipeline.desk.environment(), "BYOA_ORG": ORGANISATION}
    program = Path(sys.executable).with_name("byoa")
    command = [str(program), "admin", "bootstrap", "--days", str(days), "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return str(json.loads(done.stdout)["token"])


@pytest.fixture(scope="module")
def token(enforced: Pipeline) -> str:
    return make_token(enforced)


@pytest.fixture(scope="module")
def failed(enforced: Pipeline) -> Build:
    return enforced.wait(enforced.submit_artifact("failed", "flux", "none").build)


def sign_in(page: Page, pipeline: Pipeline, token: str) -> None:
    page.goto(pipeline.desk.dashboard)
    page.get_by_label("API token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Overview").wait_for()


def place(pipeline: Pipeline, path: str) -> str:
    return f"{pipeline.desk.dashboard.removesuffix('/')}{path}"


def test_somebody_writes_a_component_has_it_fail_mends_it_and_checks_its_receipt(
    enforced: Pipeline, browser: Browser, token: str
) -> None:
    enforced.push("flux", "v2.3.1")
    with window(browser) as page:
        sign_in(page, enforced, token)
        page.goto(place(enforced, "/apps/shop/new"))
        page.get_by_label("Name", exact=True).fill("written")
        page.get_by_label("Namespace").fill("vendor")
        page.get_by_label("URL", exact=True).fill(f"oci://{enforced.desk.vendor}/vendor/flux")
        page.get_by_label("Tag", exact=True).fill("v0")
        page.get_by_text("oci_artifact.tag becomes v0").wait_for()
        page.get_by_role("button", name="Save").click()
        page.get_by_role("heading", name="What stopped it").wait_for()  # the page asks again by itself
        page.get_by_role("link", name="ReferenceNotFound").wait_for()
        page.get_by_role("link", name="written", exact=True).click()
        page.get_by_role("link", name="Edit").click()
        page.get_by_label("Tag", exact=True).fill("v2.3.1")
        page.get_by_text("v0 → v2.3.1").wait_for()
        page.get_by_role("button", name="Resolve").click()
        page.get_by_text("3: ConfigMap web, Service web, Deployment web").wait_for()
        page.get_by_role("button", name="Pin this digest").click()
        page.get_by_text("oci_artifact.tag goes: v0").wait_for()
        page.get_by_role("button", name="Save").click()
        page.locator(".status.is-active").wait_for()
        page.get_by_role("button", name="Check the signature").click()
        page.get_by_text("The signature is the platform's key's").wait_for()
        page.get_by_role("link", name="written", exact=True).click()
        page.get_by_role("button", name="Build component").click()
        page.get_by_text("version 3").wait_for()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("API token").wait_for()
        page.goto(place(enforced, "/apps/shop/components/written"))
        page.get_by_label("API token").wait_for()


def test_an_install_is_made_and_what_is_deployed_to_it_is_looked_at(
    enforced: Pipeline, browser: Browser, token: str
) -> None:
    enforced.push("flux", "v2.3.1")
    enforced.wait(enforced.submit_artifact("installed", "flux", "v2.3.1").build)
    with window(browser) as page:
        sign_in(page, enforced, token)
        page.goto(place(enforced, "/installs"))
        page.get_by_label("App", exact=True).select_option(APP)
        page.get_by_role("button", name="New install").click()
        page.get_by_label("Name", exact=True).fill("looked-at")
        page.get_by_role("radio", name="An agent").check()
        page.get_by_role("button", name="Create install").click()
        page.get_by_role("button", name="Deploy installed").click()
        page.get_by_text("waiting for the install's agent").wait_for()
        page.get_by_role("button", name="Cancel").click()
        page.get_by_text("Somebody cancelled the deploy.").first.wait_for()
        for name in ("installed", "looked-at", "Installs"):
            page.get_by_label("Breadcrumbs").get_by_role("link", name=name, exact=True).click()
            page.get_by_role("heading", level=1).filter(has_text=name).wait_for()
        page.get_by_text("1 cancelled").wait_for()


def test_an_install_is_deployed_changed_watched_and_gone_back_from(
    enforced: Pipeline, browser: Browser, token: str
) -> None:
    desk = enforced.desk
    enforced.wait(enforced.submit("walked", config_maps(a="1", b="1", c="1")).build)
    with window(browser) as page:
        sign_in(page, enforced, token)
        page.goto(place(enforced, f"/apps/{APP}/installs/create"))
        page.get_by_label("Name", exact=True).fill("walked-through")
        page.get_by_role("radio", name="Another cluster").check()
        page.get_by_label("Server", exact=True).fill(desk.cluster)
        page.get_by_label("Authority").fill(desk.cluster_ca.read_text())
        page.get_by_label("It is in a private network").check()
        page.get_by_role("textbox", name="Token").fill(desk.ports.cluster_token)
        page.get_by_role("button", name="Create install").click()
        page.get_by_role("button", name="Deploy walked").click()
        approve(page, "3 create")
        enforced.wait(enforced.submit("walked", config_maps(a="2", c="1")).build)
        page.get_by_label("Breadcrumbs").get_by_role("link", name="walked-through").click()
        page.get_by_role("button", name="Deploy walked").click()
        approve(page, "1 change", "1 delete", "1 unchanged")
        edit(enforced, "walked-a")
        page.get_by_label("Breadcrumbs").get_by_role("link", name="walked", exact=True).click()
        page.get_by_role("button", name="Look for drift").click()
        page.locator(".acts .is-drift-detected").wait_for()
        page.get_by_text('"by hand" → "2"').wait_for()
        page.get_by_role("button", name="Put it back").click()
        approve(page, "1 change")
        page.get_by_role("button", name="Roll back to version 1").first.click()
        approve(page, "1 create", "1 change", "1 unchanged")
        page.get_by_text("back to an older build").first.wait_for()
        assert desk.ports.cluster_token not in page.content()


def config_maps(**values: str) -> str:
    """A component's manifests: ConfigMaps of the namespace vendor, each with one value."""
    text = "".join(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: walked-{name}}}\ndata: {{value: '{value}'}}\n---\n"
        for name, value in values.items()
    )
    return f'manifest = """\n{text}"""\n'


def approve(page: Page, *counts: str) -> None:
    """The plan that waits, which counts so many, and wait until it is done."""
    page.locator(".acts .is-pending-approval").wait_for()
    told = page.locator(".counts").inner_text()
    assert [each for each in counts if each not in told] == [], told
    page.get_by_role("button", name="Approve").click()
    page.locator(".acts .is-active").wait_for()


def edit(pipeline: Pipeline, name: str) -> None:
    """As somebody does by hand, in the desk's cluster."""
    ports = pipeline.desk.ports
    config_map = Place(Kind("", "v1", "ConfigMap", "configmaps", namespaced=True), "vendor", name)
    with reached(
        Access("127.0.0.1", ports.cluster, pipeline.desk.cluster_ca.read_text(), ports.cluster_token)
    ) as found:
        live = found.get(config_map)
        assert live
        found.replace(config_map, {**live, "data": {"value": "by hand"}})


def test_a_session_ends_when_its_token_is_revoked_and_the_open_page_says_so(
    enforced: Pipeline, browser: Browser, token: str, failed: Build
) -> None:
    made = _api(enforced, token, "POST", "/v1/tokens", {"name": "short", "scopes": ["read"]})
    with window(browser) as page:
        sign_in(page, enforced, made["token"])
        page.goto(place(enforced, f"/apps/{failed.app}/components/failed"))
        page.get_by_role("heading", name="The newest build failed").wait_for()
        _api(enforced, token, "DELETE", f"/v1/tokens/{made['id']}")
        page.evaluate("document.getElementById('main').dataset.live = '1'")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.get_by_role("alert").filter(has_text="Your session has ended").wait_for()


@pytest.mark.parametrize("has_secret", [False, True], ids=["a public client", "a client with a secret"])
def test_somebody_signs_in_with_cognito_s_own_page(
    enforced: Pipeline, browser: Browser, token: str, *, has_secret: bool
) -> None:
    """A secret is written by the API's sessions and read by ExchangeCode's, and by no other."""
    callback = place(enforced, "/auth/callback")
    with (
        relayed(enforced.desk.ports.issuer, enforced.desk.ports.emulator),
        signing_people_in(enforced, callback, has_secret=has_secret) as pool,
    ):
        rule = {
            "issuer": pool.issuer,
            "audience": pool.client,
            "claims": {"cognito:groups": "platform"},
            "sign_in": True,
            **({"client_secret": pool.secret} if has_secret else {}),
        }
        made = _api(enforced, token, "POST", "/v1/issuers", {"name": "Cognito", "scopes": ["sync"], **rule})
        with window(browser) as page:
            page.goto(place(enforced, "/apps/shop"))
            page.get_by_role("link", name="Sign in with Cognito").click()
            page.locator("[name=username]").fill("member")
            page.locator("[name=password]").fill(pool.password)
            page.locator("[type=submit]").click()
            page.get_by_role("heading", name="shop").wait_for()
            assert page.get_by_text(ORGANISATION).get_attribute("title") == "Scopes: sync"
            _api(enforced, token, "DELETE", f"/v1/issuers/{made['id']}")
            page.goto(place(enforced, "/apps/shop"))
            page.get_by_label("API token").wait_for()


class Pool(NamedTuple):
    """A user pool of Cognito's with one member of the group ``platform``."""

    issuer: str
    client: str
    password: str
    secret: str = ""


@contextmanager
def signing_people_in(pipeline: Pipeline, callback: str, *, has_secret: bool) -> Iterator[Pool]:
    with closing(pipeline.desk.client("cognito-idp")) as cognito:
        pool = cognito.create_user_pool(PoolName="people")["UserPool"]["Id"]
        made = cognito.create_user_pool_client(
            UserPoolId=pool, ClientName="dashboard", CallbackURLs=[callback], AllowedOAuthFlows=["code"],
            AllowedOAuthScopes=["openid"], AllowedOAuthFlowsUserPoolClient=True, SupportedIdentityProviders=["COGNITO"],
            GenerateSecret=has_secret,
        )["UserPoolClient"]  # fmt: skip
        password = "A password, 1 of none."
        cognito.admin_create_user(UserPoolId=pool, Username="member", MessageAction="SUPPRESS")
        cognito.admin_set_user_password(UserPoolId=pool, Username="member", Password=password, Permanent=True)
        cognito.create_group(UserPoolId=pool, GroupName="platform")
        cognito.admin_add_user_to_group(UserPoolId=pool, Username="member", GroupName="platform")
        try:
            yield Pool(f"https://{POOLS}/{pool}", made["ClientId"], password, made.get("ClientSecret", ""))
        finally:
            cognito.delete_user_pool(UserPoolId=pool)


@contextmanager
def relayed(port: int, target: int) -> Iterator[None]:
    """The emulator at the desk's port of issuers: functions may ask that one, and not the emulator's own."""

    class Relay(BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
            connection = HTTPConnection("127.0.0.1", target, timeout=30)
            with closing(connection):
                connection.request(self.command, self.path, body, {**self.headers, "Connection": "close"})
                answer = connection.getresponse()
                content = answer.read()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self.pass_on()

        def do_POST(self) -> None:
            self.pass_on()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Relay) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


def _api(pipeline: Pipeline, token: str, method: str, path: str, body: object = None) -> dict[str, str]:
    content = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    asked = urllib.request.Request(pipeline.desk.api + path, content, headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            found: dict[str, str] = json.loads(answer.read() or b"{}")
            return found
    except HTTPError as error:
        raise AssertionError(error.read().decode()) from error
