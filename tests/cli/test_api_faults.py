"""The command line at an API that isn't there, and at one that means harm; and what no start loads."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.cli.homes import FAULT, FINE, USAGE, WATCHED, Home

# ---- what goes wrong ---------------------------------------------------------------------------------------------


def test_an_api_that_isn_t_there_is_nobody_s_fault_here(home: Home) -> None:
    home.file.write_text(f'[profiles.default]\napi = "http://127.0.0.1:9"\ntoken = "{home.token}"\n')
    done = home.byoa("whoami", "--json")
    error = done.json()["error"]
    assert (done.code, error["code"], error["where"]) == (FAULT, "ApiUnavailable", "http://127.0.0.1:9")
    assert error["cause"] == "Nothing takes a connection at the API's address."
    assert "BYOA_API" in error["remedy"]


def test_what_is_no_token_is_told_with_where_it_is_from(home: Home) -> None:
    done = home.here("whoami", BYOA_TOKEN="garbage")
    assert (done.code, "what BYOA_TOKEN has is no token: one of BYOA's is byoa_org_…" in done.err) == (USAGE, True)


EVIL = "\x1b]0;x\x07\x1b[2J\u202e\x9b[31m[red]\n::error::"


COMMANDS = (
    "whoami", "components list", "components get web", "configs list web", "configs get web", "builds list",
    "builds get bld", "builds create web", "builds logs bld", "tokens list", "tokens create a -s read", "audit list",
    "hooks list", "hooks add a -k quay",
    "credentials list", "credentials get a", "receipt get bld", "receipt key",
)  # fmt: skip
NAMES = (
    "id", "name", "status", "token", "toml", "version", "ref", "type", "host", "operation", "path", "public_key",
    "source_address", "created_at", "updated_at", "expires_at", "token_name", "status_description", "build_id",
)  # fmt: skip
STYLE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize("how", ["problem", "list", "object"])
def test_no_text_of_an_api_steers_the_terminal(words: str, how: str, home: Home) -> None:
    said: dict[str, Any] = dict.fromkeys(NAMES, EVIL) | {"scopes": [EVIL], "org_ids": [EVIL]}
    body = {"problem": {"code": "not_found", "detail": EVIL, "remedy": EVIL}, "list": [said], "object": said}[how]
    home.api.script = lambda *_: (404 if how == "problem" else 200, {}, json.dumps(body).encode())
    for colours in ({}, {"FORCE_COLOR": "1"}):
        done = home.here(*words.split(), **colours)
        shown = done.out + done.err
        if colours:
            shown = STYLE.sub("", shown)
        assert not [each for each in shown.replace("\n", "") if not each.isprintable()], ascii(shown)
        assert "\n::error" not in shown


@pytest.mark.parametrize("command", ["validate app", "schema", "--help", "--version", "login --help", "mirror --help"])
def test_commands_that_need_no_api_load_nothing_of_it(command: str, home: Home) -> None:
    home.write("web")
    run = [sys.executable, "-c", WATCHED, *command.split()]
    done = subprocess.run(run, capture_output=True, text=True, env=home.environment, cwd=home.folder, check=False)
    loaded = set(done.stderr.split())
    assert done.returncode == FINE
    assert not {"urllib3", "boto3", "byoa.adapters.remote", "byoa_cli.profiles"} & loaded


def test_a_command_that_asks_for_no_builds_waits_for_none_of_their_models(home: Home) -> None:
    """They are half of such a command's time."""
    run = [sys.executable, "-c", WATCHED, "installs", "list", "--json"]
    done = subprocess.run(run, capture_output=True, text=True, env=home.environment, cwd=home.folder, check=False)
    assert (done.returncode, json.loads(done.stdout)["installs"]) == (FINE, [])
    assert not {"pydantic", "rich", "yaml", "byoa.builds.messages"} & set(done.stderr.split())


def test_a_command_at_an_api_loads_nothing_of_aws_s(synced: Home) -> None:
    run = [sys.executable, "-c", WATCHED, "sync", "app", "--no-wait"]
    done = subprocess.run(run, capture_output=True, text=True, env=synced.environment, cwd=synced.folder, check=False)
    assert done.returncode == FINE
    assert not {"boto3", "botocore", "aws_lambda_powertools"} & set(done.stderr.split())
