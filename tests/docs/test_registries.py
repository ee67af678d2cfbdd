"""The pages on private registries: their commands are read by the real parser, and they agree with each other."""

from __future__ import annotations

import ast
import inspect
import json
import re
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Final

import pytest

from byoa.adapters.aws.secrets import SecretsSafe
from byoa.components.reading import check_config
from byoa.errors import leaves
from byoa.oci.reference import Reference, Registry
from byoa.trust.invitations import pull_policy, trust_policy
from byoa_cli.secrets import Given
from local.pages.commands import all_commands, parser_of
from tests.docs.blocks import PAGES, ROOT, blocks
from tests.docs.calls import programs
from tests.docs.sessions import steps

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

FOLDER: Final = ROOT / "docs" / "registries"
GUIDES: Final = [page for page in PAGES if page.parent == FOLDER and page.name != "kinds.md"]
INDEX: Final = FOLDER / "index.md"
COMMANDS: Final = dict(all_commands())
STACK: Final = {
    "BYOA_ORG": "org_000000000000",
    "BYOA_TABLE": "table",
    "BYOA_SOURCE_ROLE": "arn:aws:iam::111111111111:role/byoa-SourceRole-EXAMPLE",
    "BYOA_TRY_CREDENTIALS": "byoa-try-credentials",
}
SECRETS: Final = {
    "basic": "a-token",
    "azure_acr": "a-secret",
    "gcp_gar": json.dumps({"type": "service_account", "private_key": "a-key", "client_email": "a@b.example"}),
    "aws_ecr": None,
}
AUTHORITY: Final = f"-----BEGIN CERTIFICATE-----\n{'MDAw' * 16}\n-----END CERTIFICATE-----\n"
CODES: Final = {leaf.__name__ for leaf in leaves()}
MISTAKES: Final = re.compile(r"^\| `(?P<code>[A-Z][a-z]\w+)`(?:: (?P<text>[^|]+\.))?[^|]*\|", re.MULTILINE)
LITERAL: Final = 15
"""Characters that a text has of its own, at least, to be told from others."""


def written(page: Path) -> list[list[str]]:
    """The words of each ``byoa credentials`` on the page."""
    sessions = [steps(block.text) for block in blocks(page) if block.language == "console"]
    calls = [words for shown in sessions for step in shown for words in programs(step.command)]
    return [words for words in calls if words[:2] == ["byoa", "credentials"]]


def read(words: list[str]) -> Namespace:
    """The call as the command reads it. Ends as the command would where it makes no sense."""
    name = " ".join(words[:3])
    return parser_of(name, COMMANDS[name]).parse_intermixed_args(words[3:])


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where somebody has set the stack's variables and has the files that the pages speak of."""
    for name, value in STACK.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "ca.pem").write_text(AUTHORITY)
    monkeypatch.chdir(tmp_path)


def stored() -> dict[str, Namespace]:
    """What the pages store, by its name."""
    calls = [read(words) for page in GUIDES for words in written(page) if words[2] == "set"]
    return {call.name: call for call in calls}


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_every_command_is_read_by_its_own_parser(page: Path) -> None:
    calls = [read(words) for words in written(page)]
    assert len(calls) > 1


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_what_a_command_stores_is_of_its_kind(page: Path) -> None:
    for call in (vars(read(words)) for words in written(page) if words[2] == "set"):
        given = Given(**{option.name: call[option.name] for option in fields(Given)})
        given.check()
        kept, _ = given.stored(SECRETS[given.kind])
        assert kept.host == str(Registry.parse(given.host))


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_a_component_names_what_is_stored_for_its_registry(page: Path) -> None:
    configs = [check_config(block.text).config for block in blocks(page) if block.language == "toml"]
    assert configs
    for artifact in (config.oci_artifact for config in configs if config):
        assert artifact
        assert artifact.credentials_ref
        host = stored()[artifact.credentials_ref].host
        assert Registry.parse(str(host)) == Reference.parse(artifact.url).registry


@pytest.mark.parametrize("page", [page for page in GUIDES if page != INDEX], ids=lambda page: page.stem)
def test_the_check_tries_what_the_component_names(page: Path) -> None:
    (config,) = (check_config(block.text).config for block in blocks(page) if block.language == "toml")
    assert config
    artifact = config.oci_artifact
    assert artifact
    (tried,) = (words[3:] for words in written(page) if words[2] == "test")
    assert tried == [artifact.credentials_ref, str(Reference.of(artifact.url, tag=artifact.tag))]


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_a_mistake_ends_in_an_error_that_there_is(page: Path) -> None:
    found = MISTAKES.findall(page.read_text())
    assert found
    assert {code for code, _ in found} <= CODES
    for _, text in found:
        assert not text or any(pattern.fullmatch(text) for pattern in texts()), f"no error says: {text}"


def test_the_index_has_a_row_for_each_page_with_its_kinds() -> None:
    rows = re.findall(r"^\| \[[^\]]+\]\((\S+)\) \| [^|]* \| ([^|]*) \|", INDEX.read_text(), re.MULTILINE)
    listed = {page: set(re.findall(r"`(\w+)`", kinds)) for page, kinds in rows}
    shown = {
        page.name: {read(words).kind for words in written(page) if words[2] == "set"}
        for page in GUIDES
        if page != INDEX
    }
    assert listed == shown


def allowed(page: str, service: str) -> set[str]:
    """The actions of a service that the policy on a page allows."""
    policies = [json.loads(block.text) for block in blocks(FOLDER / page) if block.language == "json"]
    statements = [statement for policy in policies for statement in policy["Statement"]]
    actions = [[each] if isinstance(each, str) else each for each in (found["Action"] for found in statements)]
    return {action for each in actions for action in each if action.startswith(f"{service}:")}


def test_the_page_on_ecr_shows_the_policies_that_are_printed() -> None:
    trust, pull = (json.loads(block.text) for block in blocks(FOLDER / "ecr.md") if block.language == "json")
    identity = trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"]
    assert trust == trust_policy(STACK["BYOA_SOURCE_ROLE"], identity)
    assert pull == pull_policy("arn:aws:ecr:us-west-2:222222222222:repository/manifests")


OTHERS = {"GetPaginator", "UpdateSecretVersionStage"}
"""No request, and the API's alone: it replaces the version that its caller saw."""


def test_who_looks_after_credentials_may_do_what_the_command_does_and_not_read() -> None:
    asked = re.findall(r"self\.client\.(?:get_paginator\(\")?(\w+)", inspect.getsource(SecretsSafe))
    wanted = {"".join(map(str.capitalize, name.split("_"))) for name in asked}
    assert allowed("index.md", "secretsmanager") == {f"secretsmanager:{action}" for action in wanted - OTHERS}


def test_the_index_names_every_kind() -> None:
    name = "byoa credentials set"
    (kinds,) = (action.choices for action in parser_of(name, COMMANDS[name])._actions if action.dest == "kind")
    assert kinds
    assert {kind for kind in kinds if f"`{kind}`" not in INDEX.read_text()} == set()


@cache
def texts() -> list[re.Pattern[str]]:
    """Every text in the code, whatever is filled into it."""
    trees = [ast.parse(file.read_text()) for file in (ROOT / "layers" / "core" / "byoa").rglob("*.py")]
    found = [_parts(node) for tree in trees for node in ast.walk(tree)]
    return [re.compile(".+".join(map(re.escape, parts))) for parts in found if len("".join(parts)) >= LITERAL]


def _parts(node: ast.AST) -> list[str]:
    """What stands around the places that are filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if not isinstance(node, ast.JoinedStr):
        return []
    parts = [""]
    for value in node.values:
        if isinstance(value, ast.Constant):
            parts[-1] += str(value.value)
        else:
            parts.append("")
    return parts
