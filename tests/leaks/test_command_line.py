"""What the command line prints when it stores secrets, lists them, and logs in with what Docker's files hold."""

from __future__ import annotations

import io
import json
import logging
import sys
from contextlib import redirect_stderr, redirect_stdout
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import pytest

from byoa.bootstrap import terminal
from byoa.builds.messages import Tried
from byoa.engine.patience import Patience
from byoa.errors import (
    ReferrersUnknown,
    RegistryProtocolError,
    TargetForbidden,
    TargetThrottled,
)
from byoa_cli import output, places
from byoa_cli.main import run
from tests.leaks.kinds import ECR_HOST, FORMS, ROLE, USER
from tests.leaks.scenes import SCENES, TARGET_SCENES, Echo, Scene, script
from tests.leaks.searching import canary
from tests.leaks.world import ORG, Ran

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.registry import Request, Response
    from tests.leaks.world import World

WANTED: Final = (ReferrersUnknown, TargetForbidden)
"""Errors that only a command has with a login in its hands."""

ENTRIES: Final = {
    name: form for name, form in FORMS.items() if form.kind == "dockerconfigjson" and name != "docker text"
}


class Done:
    def __init__(self, code: int, printed: str) -> None:
        self.code = code
        self.printed = printed


type Byoa = Callable[..., Done]


@pytest.fixture
def byoa(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Byoa:
    """The command in a home of its own, over the world's AWS."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("BYOA_ORG", ORG)
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "BYOA_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(terminal, "ON_A_TERMINAL", Patience(attempts=2, first=0.0, longest=0.0))

    def call(*arguments: str, stdin: str = "") -> Done:
        printed = io.StringIO()
        content = io.BytesIO(stdin.encode())
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=content, isatty=lambda: False))
        monkeypatch.setattr(sys, "argv", ["byoa", *arguments])
        caches: Any = (output.out, output.err, terminal.transport, terminal.wallet, places._credential)
        terminal.transport().close()  # whose connections may be an earlier test's
        for cache in caches:
            cache.cache_clear()
        with redirect_stdout(printed), redirect_stderr(printed), pytest.raises(SystemExit) as ended:
            run()
        terminal.transport().close()
        for cache in caches:
            cache.cache_clear()
        code = ended.value.code
        return Done(code if isinstance(code, int) else 0, printed.getvalue())

    return call


# ---- storing, listing, trying ------------------------------------------------------------------------------------

STORED: Final[dict[str, tuple[tuple[str, ...], Callable[[str], str]]]] = {
    "basic": (("--kind", "basic", "--host", "ghcr.io", "--username", USER), str),
    "token": (("--kind", "token", "--host", "r.example"), str),
    "registry token": (("--kind", "token", "--host", "r.example", "--registry-token"), str),
    "docker": (
        ("--kind", "dockerconfigjson", "--host", "r.example"),
        lambda secret: json.dumps(ENTRIES["docker auth"].fields("r.example", secret)["dockerconfigjson"]),
    ),
    "key": (
        ("--kind", "gcp_gar", "--host", "europe-docker.pkg.dev"),
        lambda secret: json.dumps(FORMS["Google's key"].fields("", secret)["key"]),
    ),
    "application": (("--kind", "azure_acr", "--host", "v.azurecr.io", "--client-id", "id"), str),
    "refresh token": (("--kind", "azure_acr", "--host", "v.azurecr.io"), str),
    "role": (("--kind", "aws_ecr", "--host", ECR_HOST, "--role-arn", ROLE), str),
}


@pytest.mark.parametrize("form", STORED)
def test_storing_and_showing_credentials_prints_no_secret(stack: World, byoa: Byoa, form: str) -> None:
    options, told = STORED[form]
    secret = stack.searcher.add(canary())
    role = ("--source-role", "arn:aws:iam::123456789012:role/source", "--table", "table")
    for json_too in ((), ("--json",)):
        name = f"{form.replace(' ', '-')}{'-json' * len(json_too)}"
        # Twice: the second is another version.
        calls = [byoa("credentials", "set", name, *options, *role, *json_too, stdin=told(secret)) for _ in range(2)]
        calls += [byoa("credentials", each, *json_too) for each in ("list",)]
        calls += [byoa("credentials", "get", name, *role, *json_too)]
        calls += [byoa("credentials", "delete", name, "--yes", *json_too)]
        assert [done.code for done in calls] == [0] * len(calls), calls[0].printed
        assert all(done.printed for done in calls)
        assert stack.leaks(Ran(), printed="".join(done.printed for done in calls)) == []


REFUSED: Final[dict[str, Callable[[str], tuple[tuple[str, ...], str]]]] = {
    "an option that isn't there": lambda secret: (("x", *STORED["basic"][0], "--password", secret), ""),
    "its value behind a sign": lambda secret: (("x", *STORED["basic"][0], f"--password={secret}"), ""),
    "a short option": lambda secret: (("x", *STORED["basic"][0], f"-p{secret}"), ""),
    "one argument too many": lambda secret: (("x", *STORED["basic"][0], secret), ""),
    "a key that is none": lambda secret: (("x", *STORED["key"][0]), f'{{"private_key": "{secret}"'),
    "a config that is none": lambda secret: (("x", *STORED["docker"][0]), f'{{"auths": "{secret}"}}'),
    "a password of two lines": lambda secret: (("x", *STORED["basic"][0]), f"{secret}\nmore"),
    "a token that is none": lambda secret: (("x", *STORED["registry token"][0]), f"{secret} {secret}"),
    "a secret of 65 KiB": lambda secret: (("x", *STORED["basic"][0]), secret * 3000),
    "a name that may not be": lambda secret: (("X", *STORED["basic"][0]), secret),
}


@pytest.mark.parametrize("call", REFUSED)
def test_a_wrong_call_with_a_secret_in_it_repeats_none(stack: World, byoa: Byoa, call: str) -> None:
    secret = stack.searcher.add(canary())
    arguments, stdin = REFUSED[call](secret)
    for more in ((), ("--json",)):
        done = byoa("credentials", "set", *arguments, *more, stdin=stdin)
        assert done.code in (1, 2)
        assert done.printed
        assert stack.leaks(Ran(), printed=done.printed) == []


def test_a_store_that_refuses_what_it_is_given_is_not_quoted(stack: World, byoa: Byoa) -> None:
    secret = stack.searcher.add(canary())
    for operation in ("CreateSecret", "ListSecrets"):
        for code in ("AccessDeniedException", "ThrottlingException", "InvalidParameterException"):
            stack.refuses = {operation: code}
            for done in (
                byoa("credentials", "set", "refused", *STORED["basic"][0], stdin=secret),
                byoa("credentials", "list"),
            ):
                assert stack.leaks(Ran(), printed=done.printed) == []
    assert logging.getLogger("botocore").level > logging.DEBUG


def test_a_trial_prints_what_the_function_tells(stack: World, byoa: Byoa, monkeypatch: pytest.MonkeyPatch) -> None:
    form = FORMS["basic"]
    secret, name, host = stack.lend(form)

    def invoke(function: str, trial: Any) -> Tried:
        ran = Ran()
        answer = stack.invoke("try_credentials", trial.model_dump(mode="json"), ran)
        if ran.error:
            raise ran.error
        return Tried.model_validate(answer)

    monkeypatch.setattr(terminal, "try_credentials", invoke)
    for scene in (None, SCENES["forbidden"], SCENES["a challenge of another scheme"], SCENES["not found"]):
        stack.registry.script = script(form, scene, secret, stack.registry.address)
        for more in ((), (f"oci://{host}/team/app:v1",), ("--json",)):
            done = byoa("credentials", "test", name, *more, "--function", "try")
            assert done.printed
            assert stack.leaks(Ran(), printed=done.printed) == []


# ---- Docker's logins ---------------------------------------------------------------------------------------------


def log_in(folder: Path, *entries: tuple[str, dict[str, Any]]) -> None:
    """Docker's file with entries of the kind that stored ones have."""
    auths: dict[str, Any] = {}
    for _, fields in entries:
        auths |= fields["dockerconfigjson"]["auths"]
    (folder / ".docker").mkdir(exist_ok=True)
    (folder / ".docker" / "config.json").write_text(json.dumps({"auths": auths}))


@pytest.mark.parametrize("name", list(SCENES))
def test_resolving_and_mirroring_quote_no_login(stack: World, byoa: Byoa, tmp_path: Path, name: str) -> None:
    scene, host = SCENES[name], stack.registry.address
    label = "docker auth" if scene.asks != "Bearer" else "docker identity token"
    form, secret = ENTRIES[label], stack.searcher.add(canary())
    log_in(tmp_path, (host, form.fields(host, secret)))
    stack.registry.script = script(form, scene, lambda: secret, host)
    to = (f"oci-layout:{tmp_path / 'copy'}:v1",) if scene.at != "nothing" else ()
    plain = ("--plain-http", host)
    calls = [
        byoa("resolve", f"oci://{host}/team/app:v1", *plain),
        byoa("mirror", f"oci://{host}/team/app:v1", *to, *plain),
    ]
    assert all(done.printed for done in calls)
    if scene.wanted:
        assert calls[-1].code, calls[-1].printed
        assert calls[-1].printed.startswith("error ")
    assert stack.leaks(Ran(), printed="".join(done.printed for done in calls)) == []


@pytest.mark.parametrize("label", ENTRIES)
def test_every_form_of_a_login_is_used_and_not_shown(stack: World, byoa: Byoa, tmp_path: Path, label: str) -> None:
    form, host, secret = ENTRIES[label], stack.registry.address, stack.searcher.add(canary())
    log_in(tmp_path, (host, form.fields(host, secret)))
    stack.registry.script = script(form, None, lambda: secret, host)
    for more in ((), ("--json",)):
        done = byoa("resolve", f"oci://{host}/team/app:v1", "--plain-http", host, *more)
        assert (done.code, stack.leaks(Ran(), printed=done.printed)) == (0, [])


TARGETS: Final[dict[str, Scene]] = {
    **{name: scene for name, scene in TARGET_SCENES.items() if scene.at in ("PUT ", "/blobs/uploads/")},
    "forbids": Scene("POST ", lambda echo: echo.answer(403), TargetForbidden),
    "asks to slow down": Scene("POST ", lambda echo: echo.answer(429), TargetThrottled),
    "a status that nobody knows": Scene("PUT ", lambda echo: echo.answer(418), RegistryProtocolError),
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_that_tells_its_login_back_is_not_quoted(stack: World, byoa: Byoa, tmp_path: Path, name: str) -> None:
    scene, source, target = TARGETS[name], stack.registry.address, stack.ecr.address
    form, secret = ENTRIES["docker pair"], stack.searcher.add(canary())
    log_in(tmp_path, (source, form.fields(source, secret)), (target, form.fields(target, secret)))
    stack.registry.script = script(form, None, lambda: secret, source)
    stack.ecr.script = script(form, scene, lambda: secret, target)
    plain = ("--plain-http", source, "--plain-http", target)
    done = byoa(
        "mirror", f"oci://{source}/team/app:v1", f"oci://{target}/{'copy-' + name.replace(' ', '-')}:v1", *plain
    )
    assert scene.wanted
    assert scene.wanted.__name__ in done.printed
    assert stack.leaks(Ran(), printed=done.printed) == []


def test_a_list_of_what_is_attached_that_is_refused_is_not_quoted(stack: World, byoa: Byoa, tmp_path: Path) -> None:
    form, host, secret = ENTRIES["docker pair"], stack.registry.address, stack.searcher.add(canary())
    log_in(tmp_path, (host, form.fields(host, secret)))

    def played(request: Request) -> Response | None:
        if request.headers["Authorization"] is None or "sha256" not in request.path:
            return script(form, None, lambda: secret, host)(request)
        return Echo(secret, request.headers["Authorization"]).answer(403) if "/referrers/" in request.path else None

    stack.registry.script = played
    done = byoa("mirror", f"oci://{host}/team/app:v1", f"oci-layout:{tmp_path / 'copy'}:v1", "--plain-http", host)
    assert "doesn't tell what is attached" in done.printed  # the cause of ReferrersUnknown, which ends nothing
    assert stack.leaks(Ran(), printed=done.printed) == []


BROKEN: Final[dict[str, Callable[[str, str], str]]] = {
    "no JSON": lambda host, secret: f'{{"auths": {{"{host}": "{secret}"',
    "no object": lambda _, secret: json.dumps([secret]),
    "auths that are none": lambda _, secret: json.dumps({"auths": secret}),
    "a pair without a colon": lambda host, secret: json.dumps({"auths": {host: {"auth": secret[:32]}}}),
    "no base64": lambda host, secret: json.dumps({"auths": {host: {"auth": f"{secret}:"}}}),
    "a name with a colon": lambda host, secret: json.dumps(
        {"auths": {host: {"username": f"{secret}:", "password": secret}}}
    ),
    "half a character": lambda host, secret: json.dumps(
        {"auths": {host: {"username": "a", "password": f"{secret}\ud800"}}}
    ),
    "a token that is none": lambda host, secret: json.dumps({"auths": {host: {"registrytoken": f"{secret} x"}}}),
    "a helper that isn't there": lambda _, secret: json.dumps({"credsStore": "none", "auths": {"x": {"auth": secret}}}),
}


@pytest.mark.parametrize("written", BROKEN)
def test_a_file_of_logins_that_can_t_be_read_is_not_quoted(
    stack: World, byoa: Byoa, tmp_path: Path, written: str
) -> None:
    host, secret = stack.registry.address, stack.searcher.add(canary())
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(BROKEN[written](host, secret))
    stack.registry.script = script(ENTRIES["docker pair"], None, lambda: secret, host)
    for more in ((), ("--json",)):
        done = byoa("resolve", f"oci://{host}/team/app:v1", "--plain-http", host, *more)
        assert done.code == 1, done.printed
        assert stack.leaks(Ran(), printed=done.printed) == []


def test_a_reference_with_a_login_is_not_quoted(stack: World, byoa: Byoa) -> None:
    secret = stack.searcher.add(canary()).replace("/", "_")
    stack.searcher.add(secret)
    for reference in (
        f"oci://user:{secret}@r.example/a:v1",
        f"https://user:{secret}@r.example/a:v1",
        f"oci://r.example/a:{secret}",
    ):
        for command in (("resolve", reference), ("inspect", reference), ("mirror", reference, "oci-layout:x:v1")):
            done = byoa(*command)
            assert done.code in (1, 2)
            assert stack.leaks(Ran(), printed=done.printed) == []
