"""What no linter of templates flags: each rule finds what is bad, and finds nothing in ours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from local.emulator import asl
from tests.template import ROOT, TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

type Resources = dict[str, dict[str, Any]]
type Rule = Callable[[Resources], Iterator[str]]


def of_type(resources: Resources, *kinds: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, body in resources.items():
        if body["Type"] in kinds:
            yield name, body["Properties"]


def open_buses(resources: Resources) -> Iterator[str]:
    """A policy of a bus that lets everybody put events."""
    for name, properties in of_type(resources, "AWS::Events::EventBusPolicy"):
        statement = properties.get("Statement", {"Effect": "Allow", "Principal": properties.get("Principal")})
        principal = statement.get("Principal")
        everybody = principal == "*" or (isinstance(principal, dict) and "*" in json.dumps(principal))
        if statement["Effect"] == "Allow" and everybody:
            yield name


def written_secrets(resources: Resources) -> Iterator[str]:
    """A secret's value that stands in the template."""
    for name, properties in of_type(resources, "AWS::SecretsManager::Secret"):
        if isinstance(properties.get("SecretString"), str):
            yield name


ASKING = ("functions.api.handler", "functions.dashboard.handler", "functions.hooks.handler")
"""They ask by themselves who it is: tests/api/test_callers.py, tests/web/test_pages.py, tests/tracking/test_door.py."""


def open_routes(resources: Resources) -> Iterator[str]:
    """A route that nobody has to be somebody for: of an API, or of a function's own address."""
    apis = dict(of_type(resources, "AWS::Serverless::HttpApi", "AWS::Serverless::Api"))
    held = any(properties.get("Auth", {}).get("DefaultAuthorizer") for properties in apis.values())
    for name, properties in of_type(resources, "AWS::Serverless::Function"):
        if properties.get("Handler") in ASKING:
            continue
        for event in properties.get("Events", {}).values():
            auth = event.get("Properties", {}).get("Auth", {})
            if event["Type"] in ("HttpApi", "Api") and (
                auth.get("Authorizer") == "NONE" or not (held or auth.get("Authorizer"))
            ):
                yield name
        if properties.get("FunctionUrlConfig", {}).get("AuthType") == "NONE":
            yield name


def credulous_rules(resources: Resources) -> Iterator[str]:
    """A rule that takes events from anybody."""
    for name, properties in of_type(resources, "AWS::Events::Rule"):
        pattern = properties.get("EventPattern")
        if pattern is not None and not {"source", "account"} <= pattern.keys():
            yield name
        if pattern is None and "ScheduleExpression" not in properties:
            yield name


def faulty_machines(resources: Resources) -> Iterator[str]:
    """A state machine that leads nowhere."""
    for name, properties in of_type(resources, "AWS::Serverless::StateMachine"):
        definition = properties.get("Definition")
        if definition is None:
            definition = yaml.safe_load((ROOT / properties["DefinitionUri"]).read_text())
        if list(asl.faults(definition)):
            yield name


BAD: dict[Rule, list[dict[str, Any]]] = {
    open_buses: [
        {"Type": "AWS::Events::EventBusPolicy", "Properties": {"Action": "events:PutEvents", "Principal": "*"}},
        {
            "Type": "AWS::Events::EventBusPolicy",
            "Properties": {"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "events:PutEvents"}},
        },
    ],
    written_secrets: [{"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "hunter2"}}],
    open_routes: [
        {"Type": "AWS::Serverless::Function", "Properties": {"Events": {"Get": {"Type": "HttpApi"}}}},
        {"Type": "AWS::Serverless::Function", "Properties": {"FunctionUrlConfig": {"AuthType": "NONE"}}},
    ],
    credulous_rules: [
        {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": ["io.byoa"]}}},
        {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"account": ["1"]}}},
        {"Type": "AWS::Events::Rule", "Properties": {}},
    ],
    faulty_machines: [
        {
            "Type": "AWS::Serverless::StateMachine",
            "Properties": {"Definition": {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Gone"}}}},
        }
    ],
}


@pytest.mark.parametrize("rule", BAD, ids=lambda rule: rule.__name__)
def test_the_template_is_as_no_linter_asks(rule: Rule) -> None:
    assert list(rule(TEMPLATE["Resources"])) == []


@pytest.mark.parametrize(
    ("rule", "bad"), [(rule, bad) for rule, all_bad in BAD.items() for bad in all_bad], ids=lambda each: ""
)
def test_what_is_bad_would_be_found(rule: Rule, bad: dict[str, Any]) -> None:
    assert list(rule({"Bad": bad})) == ["Bad"]
