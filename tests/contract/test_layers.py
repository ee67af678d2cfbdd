"""Who knows whom: the contracts of ``.importlinter`` hold, and leave nothing out."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
EDGES = {"adapters", "api", "bootstrap", "step", "settings", "web"}
"""What may touch the world, the environment, or Lambda; of two a contract of their own lets in Powertools alone."""


@pytest.fixture(scope="module")
def contracts() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read_string((ROOT / ".importlinter").read_text())
    return parser


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("byoa", "byoa_cli", "functions", include_external_packages=True, cache_dir=None)


def test_every_contract_is_kept() -> None:
    done = subprocess.run([LINT_IMPORTS, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_new_wing_has_to_be_given_its_layer(contracts: configparser.ConfigParser) -> None:
    assert contracts.getboolean("importlinter:contract:wings", "exhaustive")


def test_every_wing_but_the_edges_is_held_to_do_no_io(contracts: configparser.ConfigParser) -> None:
    named = contracts["importlinter:contract:pure"]["source_modules"].split()
    pure = {name.removeprefix("byoa.").removesuffix(".**") for name in named}
    package = ROOT / "layers" / "core" / "byoa"
    here = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert pure == here - EDGES - {"__init__"}
    assert {name for name in named if not name.endswith(".**")} == {"byoa.errors"}, "a wing is pure with all it holds"


@pytest.mark.parametrize("library", ["boto3", "botocore", "http", "os", "requests", "socket", "aws_lambda_powertools"])
def test_pure_modules_may_not_import(library: str, contracts: configparser.ConfigParser) -> None:
    assert library in contracts["importlinter:contract:pure"]["forbidden_modules"].split()


@pytest.mark.parametrize("library", ["boto3", "botocore", "http", "os", "requests", "socket", "urllib3"])
def test_the_api_and_the_dashboard_may_not_import(library: str, contracts: configparser.ConfigParser) -> None:
    contract = contracts["importlinter:contract:web"]
    assert contract["source_modules"].split() == ["byoa.api.**", "byoa.web.**"]
    assert library in contract["forbidden_modules"].split()


def test_only_bootstrap_makes_adapters(imports: grimp.ImportGraph) -> None:
    adapters = imports.find_descendants("byoa.adapters") | {"byoa.adapters"}
    importers = {importer for adapter in adapters for importer in imports.find_modules_that_directly_import(adapter)}
    assert {importer.rpartition(".")[0] for importer in importers - adapters} == {"byoa.bootstrap"}


def test_the_layer_describes_the_services_that_functions_use_and_the_one_that_gives_credentials() -> None:
    clients = (ROOT / "layers" / "core" / "byoa" / "bootstrap" / "clients.py").read_text()
    makefile = (ROOT / "layers" / "dependencies" / "Makefile").read_text()
    (kept,) = re.findall(r"^services = (.*)$", makefile, re.MULTILINE)
    used = {*re.findall(r'(?:own|client)\(\s*"([a-z0-9]+)"', clients)}
    assert set(kept.split()) == used


def test_only_bootstrap_and_aws_s_adapters_know_its_library(imports: grimp.ImportGraph) -> None:
    users = {user for name in ("boto3", "botocore") for user in imports.find_modules_that_directly_import(name)}
    assert {user for user in users if not user.startswith("byoa.adapters.aws.")} == {"byoa.bootstrap.clients"}
