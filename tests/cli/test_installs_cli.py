"""`byoa installs` at an API: what it asks, what people and machines are told, and how it ends."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.memory.installs import MemoryInstalls
from byoa.builds.messages import BuildKey, Failure, Outcome
from byoa.builds.records import entry
from byoa.errors import InstallUnhealthy
from byoa.installs.plans import COUNTED
from byoa.installs.runs import go_on
from local.pages.installed import FINGERPRINT, OBJECT, Installed
from tests.api.served import APP, ORG
from tests.cli.homes import FINE, MEND, USAGE, Home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from byoa.installs.messages import Deploy
    from tests.api.loopback import Answer, Request

CANARY = "canary-of-a-cluster-5f1c"
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: one
contexts: [{name: one, context: {cluster: one, user: one}}]
clusters: [{name: one, cluster: {server: "https://k8s.example.com:6443", tls-server-name: kubernetes}}]
users: [{name: one, user: {token: canary-of-a-cluster-5f1c}}]
"""


class Bed:
    """A home with an app, whose component's first build went well; deploys go on when somebody looks."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.served = home.api.served
        self.installed = Installed(self.served.installing, ORG, APP)
        self.steps: list[Callable[[Deploy], Any]] = []
        self.went_well("web")
        home.api.script = self._go_on

    def went_well(self, component: str) -> None:
        key = BuildKey(organisation=ORG, app=APP, component=component, version=1)
        self.served.ledger.begin(key, "one", entry("planning", "begun", self.served.clock.now()))
        went_well = [entry("active", "ready to install", self.served.clock.now())]
        self.served.ledger.finish(key, "one", Outcome(status="active", digest="sha256:0", tag="v1"), went_well)

    def _go_on(self, request: Request, answer: Callable[[], Answer]) -> Answer:
        found = re.search(r"/deploys/(dpl\w+)$", request.path)
        if request.method == "GET" and found and self.steps:
            deploy = next(each for each in self.served.installing.deploys.values() if each.id == found[1])
            self.steps.pop(0)(deploy)
        return answer()

    def byoa(self, *arguments: str | Path, **more: Any) -> Any:
        done = self.home.here("installs", *arguments, **more)
        assert CANARY not in done.out + done.err
        return done

    def deploy(self) -> Deploy:
        return [*self.served.installing.deploys.values()][-1]


@pytest.fixture
def bed(synced: Home) -> Bed:
    return Bed(synced)


@pytest.fixture
def acme(bed: Bed) -> Bed:
    settings = {
        "install_config": {"approval_option": "prompt"},
        "inputs": {},
        "follow": [],
        "deploy_dependents": False,
        "mend": False,
    }
    body = {"name": "acme", "cluster": {"kind": "agent"}, **settings}
    assert bed.served.ask("POST", f"/v1/apps/{APP}/installs", body, token=bed.home.token).status == 201
    return bed


def active(bed: Bed) -> Callable[[Deploy], Any]:
    return lambda deploy: bed.installed.end(deploy, "active", "healthy")


# ---- installs ----------------------------------------------------------------------------------------------------


def test_an_install_is_made_by_server_authority_and_token(bed: Bed) -> None:
    (bed.home.folder / "ca.pem").write_text(PEM)
    (bed.home.folder / "inputs.toml").write_text('[inputs]\ngreeting = "hello"\n')
    done = bed.byoa(
        "create", "acme", "--server", "https://k8s.example.com", "--ca", "ca.pem", "--token-stdin", "--approve-all",
        "--inputs", "inputs.toml", "--follow", "web", "--json", stdin=f"{CANARY}\n",
    )  # fmt: skip
    assert done.code == FINE, done.err
    made = done.json()
    assert made["id"].startswith("inl")
    assert (made["cluster"]["server"], made["cluster"]["ca"]) == ("https://k8s.example.com", PEM)
    assert (made["inputs"], made["follow"]) == ({"greeting": "hello"}, ["web"])
    assert made["install_config"] == {"approval_option": "approve-all"}
    (text,) = bed.served.cluster_tokens.values()
    assert json.loads(text)["token"] == CANARY


def test_a_kubeconfig_eks_and_an_agent_are_other_ways(bed: Bed) -> None:
    (bed.home.folder / "kubeconfig").write_text(KUBECONFIG)
    one = bed.byoa("create", "one", "--kubeconfig", "kubeconfig", "--json").json()["cluster"]
    assert (one["server"], one["server_name"]) == ("https://k8s.example.com:6443", "kubernetes")
    role = "arn:aws:iam::222222222222:role/byoa"
    two = bed.byoa("create", "two", "--eks", "acme", "--region", "us-west-2", "--role-arn", role, "--json").json()
    named = {"kind": "eks", "cluster": "acme", "region": "us-west-2", "role_arn": role, "private": False}
    assert two["cluster"] == named
    assert "made three: inl" in bed.byoa("create", "three", "--agent").out
    listed = bed.byoa("list").out
    for told in ("https://k8s.example.com:6443", "eks acme in us-west-2", "agent", "prompt"):
        assert told in listed


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "which cluster?"),
        (("--server", "https://a.example"), "--token-stdin"),
        (("--agent", "--eks", "a"), "two ways"),
        (("--eks", "a"), "--region"),
        (("--agent", "--ca", "ca.pem"), "belong to --server"),
        (("--agent", "--role-arn", "x"), "belong to --eks"),
        (("--agent", "--context", "x"), "belongs to --kubeconfig"),
        (("--kubeconfig", "none"), "can't be read"),
        (("--agent", "--inputs", "none.toml"), "can't be read"),
    ],
)
def test_a_call_that_makes_no_sense_says_why(bed: Bed, arguments: tuple[str, ...], word: str) -> None:
    done = bed.byoa("create", "acme", *arguments)
    assert (done.code, word in done.err) == (USAGE, True), done.err
    assert bed.served.installing.installs == {}


@pytest.mark.parametrize("number", ["inf", "1e999", "2026-01-01"])
def test_an_input_that_json_has_no_word_for_is_told_before_anything_is_asked(bed: Bed, number: str) -> None:
    (bed.home.folder / "inputs.toml").write_text(f"[inputs]\nsize = {number}\n")
    done = bed.byoa("create", "acme", "--agent", "--inputs", "inputs.toml")
    assert (done.code, "put it in quotes" in done.err) == (USAGE, True), done.err
    assert bed.served.installing.installs == {}


def test_a_token_as_an_argument_is_not_repeated(bed: Bed) -> None:
    done = bed.home.byoa("installs", "create", "acme", "--server", "https://a.example", "--token", CANARY)
    assert (done.code, CANARY in done.err) == (USAGE, False)


def test_an_install_is_changed_by_name_and_deleted(acme: Bed) -> None:
    (acme.home.folder / "inputs.json").write_text('{"inputs": {"a": 1}}')
    done = acme.byoa(
        "change", "acme", "--inputs", "inputs.json", "--approval", "approve-all", "--drift", "mend",
        "--dependents", "deploy", "--follow", "web", "--follow", "db", "--json",
    )  # fmt: skip
    assert done.code == FINE, done.err
    found = done.json()
    assert (found["inputs"], found["follow"], found["mend"]) == ({"a": 1}, ["web", "db"], True)
    assert found["deploy_dependents"] is True
    assert acme.byoa("change", found["id"], "--unfollow", "web", "--json").json()["follow"] == ["db"]
    assert (acme.byoa("change", "acme", "--follow", "web").err, acme.byoa("change", "acme").code) == ("", USAGE)
    slip = acme.byoa("change", "acme", "--follow", "wep")
    assert (slip.code, f"note {APP} has no component wep; it is followed once there is one" in slip.err) == (FINE, True)
    assert acme.byoa("change", "acme", "--same-cluster").code == USAGE
    missing = acme.byoa("change", "none", "--drift", "tell")
    assert (missing.code, "no install of that name" in missing.err) == (MEND, True)
    assert acme.byoa("delete", "acme", "--yes").out == "deleted acme\n"
    assert acme.byoa("list", "--json").json() == {"installs": [], "more": False}


# ---- deploys -----------------------------------------------------------------------------------------------------


def test_a_deploy_is_followed_to_its_end(acme: Bed) -> None:
    acme.steps = [active(acme)]
    done = acme.byoa("deploy", "acme", "web", "--approve", "--wait", "--json")
    assert done.code == FINE, done.err
    told = done.json()
    assert told["id"].startswith("dpl")
    assert (told["status"], told["error"]) == ("active", None)
    assert told["counts"] == {"create": 0, "change": 1, "recreate": 0, "delete": 0, "unchanged": 2}
    assert told["objects"] == [OBJECT]
    assert acme.deploy().approve_all is True


def test_a_deploy_without_a_plan_yet_counts_nothing_of_each(acme: Bed) -> None:
    told = acme.byoa("deploy", "acme", "web", "--no-wait", "--json").json()
    assert (told["counts"], told["objects"], told["error"]) == (dict.fromkeys(COUNTED, 0), [], None)


@pytest.mark.parametrize("build", ["bldwywpw7udf3ut6ucicpsl", f"bld{'a' * 23}"], ids=["malformed", "of none"])
@pytest.mark.parametrize("verb", ["deploy", "plan", "recover"])
def test_a_build_that_there_isnt_is_told_alike_whatever_its_id_is_like(acme: Bed, verb: str, build: str) -> None:
    done = acme.byoa(verb, "acme", "web", "--build", build)
    assert (done.code, "The component has no build of that id." in done.err) == (MEND, True)
    assert "`byoa builds list` shows all" in done.err


def test_parts_are_named_before_there_is_a_plan(acme: Bed) -> None:
    acme.byoa("deploy", "acme", "web", "--part", "Namespace/old", "--part", "deletions:3", "--no-wait")
    assert acme.deploy().names == ["Namespace/old", "deletions:3"]
    acme.byoa("teardown", "acme", "web", "--part", "Namespace/old", "--yes", "--no-wait")
    assert acme.deploy().names == ["Namespace/old"]


@pytest.mark.parametrize(
    ("server", "private"),
    [("https://10.0.0.1:6443", True), ("https://[::1]:6443", True), ("https://k8s.example.com", False),
     ("https://8.8.8.8", False)],
)  # fmt: skip
def test_an_address_of_a_private_network_says_that_it_is_one(bed: Bed, server: str, private: Any) -> None:
    done = bed.byoa("create", "acme", "--server", server, "--token-stdin", "--json", stdin=CANARY)
    assert (done.code, done.json()["cluster"]["private"]) == (FINE, private)


def test_people_are_told_how_far_it_is_and_how_it_went(acme: Bed) -> None:
    acme.steps = [active(acme)]
    done = acme.byoa("deploy", "acme", "web")
    assert done.code == FINE, done.err
    assert "web queued: waiting for the install's agent" in done.err
    assert "web active: healthy" in done.err
    assert re.search(r"active +1 to change, 2 unchanged +dpl", done.out)


def test_who_does_not_wait_is_told_its_id(acme: Bed) -> None:
    assert acme.byoa("deploy", "acme", "web", "--no-wait").out.startswith("queued dpl")
    assert acme.byoa("deploy", "acme", "web", "--no-wait", "--json").json()["status"] == "queued"


@pytest.fixture
def shop(acme: Bed) -> Bed:
    """Where ``api`` depends on ``web``, and ``jobs`` on that."""
    for name, dependencies in (("api", ["web"]), ("jobs", ["api"])):
        place = f"/v1/apps/{APP}/components/{name}/configs/kubernetes-manifest"
        body = {"namespace": "a", "manifest": "a: 1", "dependencies": dependencies}
        assert acme.served.ask("POST", place, body).status == 201
        acme.went_well(name)
    return acme


def released(bed: Bed, deploy: Deploy) -> Deploy:
    found = MemoryInstalls(ORG, bed.served.installing).release(deploy.key, None)
    assert found
    return found


def test_what_depends_on_a_component_is_followed_behind_it(shop: Bed) -> None:
    def goes_well(deploy: Deploy) -> None:
        shop.installed.end(released(shop, deploy), "active", "healthy")

    shop.steps = [active(shop), goes_well, goes_well]
    done = shop.byoa("deploy", "acme", "web", "--dependents", "--json")
    assert done.code == FINE, done.err
    told = [done.json(), *done.json()["dependents"]]
    assert [(each["component_id"], each["status"]) for each in told] == [
        ("web", "active"), ("api", "active"), ("jobs", "active"),
    ]  # fmt: skip


def test_what_is_skipped_behind_a_failure_has_its_reason_and_ends_the_command_with_1(shop: Bed) -> None:
    def fails(deploy: Deploy) -> None:
        shop.installed.end(deploy, "error", "it failed")
        installs = MemoryInstalls(ORG, shop.served.installing)
        install = installs.install(deploy.install_id)
        assert install
        go_on(installs.waiting(install), installs)

    shop.steps = [fails]
    done = shop.byoa("deploy", "acme", "web", "--dependents")
    assert done.code == MEND
    assert "DependencyFailed: It waited for deploy 1 of web, which is error." in done.err
    assert "DependencyFailed: It waited for deploy 1 of api, which is auto-skipped." in done.err
    assert [line.split()[0] for line in done.out.splitlines()] == ["error", "auto-skipped", "auto-skipped"]


def test_what_waits_behind_a_plan_that_waits_is_not_waited_for(shop: Bed) -> None:
    shop.steps = [active(shop), lambda deploy: shop.installed.plan(released(shop, deploy))]
    done = shop.byoa("deploy", "acme", "web", "--dependents", "--json")
    assert (done.code, [each["status"] for each in done.json()["dependents"]]) == (
        MEND,
        ["pending-approval", "pending"],
    )


def test_a_plan_that_waits_is_shown_and_answered_by_another_command(acme: Bed) -> None:
    needs = "Job/vendor/migrate"
    acme.steps = [lambda deploy: acme.installed.plan(deploy, (needs,))]
    waits = acme.byoa("deploy", "acme", "web")
    assert waits.code == MEND
    assert "~ Deployment/vendor/web" in waits.out
    assert f"needs approval  --part {needs}" in waits.out
    assert f"--part {needs}`" in waits.err
    refused = acme.byoa("approve", "acme", "web", "--no-wait")
    assert (refused.code, f"approve with --part {needs}.\n" in refused.err) == (MEND, True)
    assert "/body" not in refused.err
    other = acme.byoa("approve", "acme", "web", "--fingerprint", "plan-other", "--part", needs, "--no-wait")
    assert (other.code, "isn't the one" in other.err) == (MEND, True)
    acme.steps = [lambda _: None, lambda deploy: acme.installed.end(deploy, "active", "healthy")]
    done = acme.byoa("approve", "acme", "web", "--part", needs, "--note", "seen", "--json")
    assert (done.code, done.json()["status"]) == (FINE, "active")
    answered = acme.deploy().answered
    assert answered
    assert (answered.names, answered.note, answered.fingerprint) == ([needs], "seen", FINGERPRINT)


def test_many_parts_of_a_kind_are_named_together_with_the_plan_that_was_shown(acme: Bed) -> None:
    needs = tuple(f"Job/vendor/job-{number:04}" for number in range(1200))
    acme.steps = [lambda deploy: acme.installed.plan(deploy, needs)]
    waits = acme.byoa("deploy", "acme", "web")
    assert "needs approval  --part Job:1200" in waits.out
    assert f"approve {acme.deploy().install_id} web --fingerprint {FINGERPRINT} --part Job:1200`" in waits.err
    assert acme.byoa("approve", "acme", "web", "--part", "Job:1200", "--no-wait").code == USAGE
    refused = acme.byoa("approve", "acme", "web", "--no-wait").err
    assert (
        "--part Job/vendor/job-0009 and more, or many of one kind as --part KIND:COUNT with --fingerprint." in refused
    )
    acme.steps = [lambda _: None, lambda deploy: acme.installed.end(deploy, "active", "healthy")]
    done = acme.byoa("approve", "acme", "web", "--part", "Job:1200", "--fingerprint", FINGERPRINT, "--json")
    assert (done.code, done.json()["status"]) == (FINE, "active")


def test_a_plan_is_denied(acme: Bed) -> None:
    acme.steps = [acme.installed.plan]
    assert acme.byoa("deploy", "acme", "web", "--json").json()["status"] == "pending-approval"
    assert acme.byoa("deny", "acme", "web", "--note", "not now").code == FINE
    assert acme.deploy().status == "approval-denied"
    again = acme.byoa("deny", "acme", "web")
    assert (again.code, "The deploy is approval-denied, and waits for no approval." in again.err) == (MEND, True)
    assert f"next: See it with `byoa installs get {acme.deploy().install_id} web`." in again.err


def test_a_plan_alone_writes_nothing(acme: Bed) -> None:
    acme.steps = [lambda deploy: acme.installed.end(deploy, "auto-skipped", "planned alone")]
    done = acme.byoa("plan", "acme", "web", "--take-over", "helm")
    assert (done.code, "~ Deployment/vendor/web" in done.out) == (FINE, True)
    assert (acme.deploy().plan_only, acme.deploy().take_over) == (True, ["helm"])
    assert "web        plan of apply  bld" in acme.byoa("deploys", "acme", "web").out


@pytest.mark.parametrize(("status", "code"), [("no-drift", FINE), ("drift-detected", MEND)])
def test_drift_ends_as_a_look_by_hand_does(acme: Bed, status: Any, code: int) -> None:
    acme.steps = [active(acme), lambda deploy: acme.installed.end(deploy, status, "looked")]
    acme.byoa("deploy", "acme", "web")
    done = acme.byoa("drift", "acme", "web", "--json")
    assert (done.code, done.json()["status"]) == (code, status)
    assert done.json()["objects"] == [OBJECT]
    mends = f"`byoa installs deploy {acme.deploy().install_id} web --build {acme.deploy().build_id}` mends it"
    assert (mends in acme.byoa("get", "acme", "web").err) is (code == MEND)


def test_a_failure_says_what_to_do(acme: Bed) -> None:
    def fails(deploy: Deploy) -> None:
        ended = acme.installed.end(deploy, "error", "Deployment/vendor/web failed.")
        told = InstallUnhealthy("Deployment/vendor/web failed.")
        failure = Failure(code=told.code, cause=told.cause, remedy=told.remedy, where="Deployment/vendor/web")
        acme.served.installing.deploys[deploy.key] = ended.model_copy(update={"failure": failure})

    acme.steps = [fails]
    done = acme.byoa("deploy", "acme", "web")
    assert (done.code, "next:" in done.err) == (MEND, True)
    assert "InstallUnhealthy (Deployment/vendor/web): Deployment/vendor/web failed." in done.err
    assert acme.byoa("get", "acme", "web", "--json").json()["error"]["code"] == "InstallUnhealthy"


def test_a_lost_record_is_looked_for_by_a_deploy_of_the_installed_build(acme: Bed) -> None:
    acme.steps = [active(acme), active(acme)]
    build = acme.byoa("deploy", "acme", "web", "--json").json()["build_id"]
    assert acme.byoa("recover", "acme", "web", "--approve").code == FINE
    assert (acme.deploy().recover, acme.deploy().build_id, acme.deploy().approve_all) == (True, build, True)


def test_an_install_is_torn_down_and_a_deploy_cancelled(acme: Bed) -> None:
    acme.steps = [active(acme)]
    acme.byoa("deploy", "acme", "web")
    unsure = acme.byoa("teardown", "acme", "web")
    assert (unsure.code, len(acme.served.installing.deploys)) == (USAGE, 1)
    assert acme.byoa("teardown", "acme", "web", "--yes", "--no-wait", "--json").json()["operation"] == "teardown"
    assert acme.byoa("cancel", "acme", "web").out.startswith("cancelled dpl")
    again = acme.byoa("cancel", "acme", "web")
    assert (again.code, "has ended" in again.err) == (MEND, True)


def test_a_refusal_is_told_once(bed: Bed) -> None:
    refused = bed.byoa("create", "acme", "--server", "https://k8s.example.com/path", "--token-stdin", stdin=CANARY)
    assert (refused.code, refused.err.count("isn't https://HOST[:PORT]")) == (MEND, 1)


def test_history_says_what_and_who_and_the_way_back_is_a_deploy(acme: Bed) -> None:
    acme.steps = [active(acme)]
    build = acme.byoa("deploy", "acme", "web", "--json").json()["build_id"]
    acme.byoa("deploy", "acme", "web", "--build", build, "--no-wait")
    listed = acme.byoa("deploys", "acme", "web").out
    assert [line.split()[1] for line in listed.splitlines()] == ["STATUS", "queued", "active"]
    assert len(acme.byoa("deploys", "acme", "--json").json()["deploys"]) == 2
    shown = acme.byoa("get", "acme").out
    assert re.search(r"web +queued +healthy +no-drift +3 +bld", shown)


def test_each_deploy_of_the_history_is_shown_with_who_wanted_and_answered_it(acme: Bed) -> None:
    acme.steps = [acme.installed.plan]
    asked = acme.byoa("deploy", "acme", "web", "--json").json()["id"]
    acme.byoa("deny", "acme", "web", "--note", "not before Monday")
    acme.byoa("deploy", "acme", "web", "--no-wait")
    assert "not before Monday" not in acme.byoa("get", "acme", "web").out
    shown = acme.byoa("get", "acme", "web", "--deploy", asked)
    assert shown.out.startswith(f"web  {asked}\n  what        apply\n  build       bld")
    assert re.search(r"\n  by +test\n  answer +deny by test: not before Monday\n", shown.out)
    assert all(line.split()[-2] == "test" for line in acme.byoa("deploys", "acme", "web").out.splitlines()[1:])
    acme.home.token = acme.served.token("read")
    reader = acme.byoa("get", "acme", "web", "--deploy", asked, BYOA_TOKEN=acme.home.token)
    assert re.search(r"\n  by +tok\w+\n  answer +deny by tok\w+: not before Monday\n", reader.out), reader.err
    told = acme.byoa("get", "acme", "web", "--deploy", asked, "--json").json()
    assert (told["id"], told["approval"]["note"], told["plan_only"]) == (asked, "not before Monday", False)
    assert acme.byoa("get", "acme", "--deploy", asked).code == USAGE


def test_texts_of_the_api_steer_no_terminal(acme: Bed) -> None:
    def evil(deploy: Deploy) -> None:
        acme.installed.end(deploy, "active", "fine \x1b[2J\u202egnp")

    acme.steps = [evil]
    done = acme.byoa("deploy", "acme", "web")
    assert "\x1b" not in done.err + done.out
    assert "\\x1b[2J\\u202egnp" in done.err


def test_an_agent_gets_a_token_of_its_own_and_people_are_told_how(bed: Bed) -> None:
    done = bed.byoa("create", "acme", "--agent")
    assert f"byoa tokens create agent-acme --scope agent --install acme --app {APP}" in done.err
    made = bed.home.byoa("tokens", "create", "agent-acme", "--scope", "agent", "--install", "acme", "--app", APP)
    assert made.code == FINE, made.err
    token = made.out.strip()
    assert "never asked" in bed.byoa("get", "acme", "--app", APP).out
    account = bed.served.ask("GET", "/v1/account", token=token).json
    bed.served.ask("POST", f"/v1/installs/{account['installs'][0]['id']}/jobs/lease", token=token)
    assert re.search(r"agent +asked last 20\S+Z \(agent-acme\)", bed.byoa("get", "acme", "--app", APP).out)
    assert bed.byoa("get", "acme", "--app", APP, "--json").json()["agent"]["token_name"] == "agent-acme"
    assert ([each["name"] for each in account["installs"]], account["scopes"]) == (["acme"], ["agent"])
    listed = bed.home.byoa("tokens", "list", "--json").json()["tokens"]
    assert [each["install_ids"] for each in listed if each["name"] == "agent-acme"] == [[account["installs"][0]["id"]]]


@pytest.mark.parametrize("words", [
    ("--scope", "agent"), ("--scope", "deploy", "--install", "acme"),
    ("--scope", "agent", "--scope", "read", "--install", "acme"),
])  # fmt: skip
def test_a_token_of_an_agent_is_for_installs_and_nothing_else(acme: Bed, words: tuple[str, ...]) -> None:
    done = acme.home.byoa("tokens", "create", "a", *words, "--app", APP)
    assert (done.code, "--scope agent" in done.err) == (USAGE, True)
