"""Step Functions: definitions are read as CloudFormation reads them, and refused as CreateStateMachine refuses them."""
# ruff: noqa: SLF001 - a correction reaches inside

import json
from typing import Any

import ministack.services.stepfunctions as workflows
from ministack.services.cloudformation import provisioners

from local.emulator import asl
from local.emulator.anchors import anchored


def correct() -> None:
    """Make both corrections. Raises MiniStackChanged."""
    _refuse_what_aws_refuses()
    _read_definitions_in_yaml()


def _refuse_what_aws_refuses() -> None:
    """Hold a definition to the States Language, in API calls and in templates; MiniStack checks JSONata alone."""
    check_jsonata = anchored(workflows, "_validate_definition_jsonata", "INVALID_JSONATA_EXPRESSION")
    anchored(workflows, "_create_state_machine", '_validate_definition_jsonata(data.get("definition"))')
    anchored(workflows, "_update_state_machine", '_validate_definition_jsonata(data["definition"])')

    def check(text: str | None) -> str | None:
        try:
            definition = json.loads(text or "")
        except ValueError as error:
            return f"INVALID_JSON_DESCRIPTION: {error}"
        found: str | None = next(asl.faults(definition), None) or check_jsonata(text)
        return found

    workflows._validate_definition_jsonata = check


def _read_definitions_in_yaml() -> None:
    """Turn a definition from YAML into JSON, and refuse a wrong one.

    MiniStack keeps YAML as it is and fails every execution.
    """
    read = anchored(provisioners, "_sfn_definition", 'definition = blob.decode("utf-8", errors="replace")')

    def read_as_json(properties: dict[str, Any]) -> str:
        definition = json.dumps(asl.parse(read(properties)), default=str)
        problem = workflows._validate_definition_jsonata(definition)
        if problem:
            raise asl.DefinitionInvalid(problem)
        return definition

    provisioners._sfn_definition = read_as_json
