"""docs/deploy.md names every parameter and every type of resource that the template has, and none besides."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.template import ROOT, TEMPLATE

MADE_OF = {
    "AWS::Serverless::Function": {"AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping"},
    "AWS::Serverless::LayerVersion": {"AWS::Lambda::LayerVersion"},
    "AWS::Serverless::StateMachine": {"AWS::StepFunctions::StateMachine"},
}
"""What SAM makes of its own types here."""


@pytest.fixture(scope="module")
def template() -> Any:
    return TEMPLATE


def _first_cells() -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs" / "deploy.md").read_text(), re.MULTILINE)


def test_every_parameter_is_explained_in_the_template_s_order(template: Any) -> None:
    assert [name for name in _first_cells() if "::" not in name] == list(template["Parameters"])


def test_what_a_deployer_must_be_allowed_is_listed_for_every_type_of_resource(template: Any) -> None:
    types = {resource["Type"] for resource in template["Resources"].values()}
    wanted: set[str] = set().union(*(MADE_OF.get(name, {name}) for name in types))
    listed = [name for name in _first_cells() if "::" in name]
    assert listed == sorted(wanted)
