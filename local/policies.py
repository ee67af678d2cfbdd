"""All of our IAM policies as plain documents, for a linter of policies that knows nothing of CloudFormation.

    .venv/bin/python -m local.policies FOLDER

One file for each role of the template; intrinsics become the ARNs of an account that there isn't. And the deployer's.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

import yaml
from samtranslator.yaml_helper import intrinsics_multi_constructor

ROOT: Final = Path(__file__).resolve().parent.parent
ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
KNOWN: Final = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::Region": REGION,
    "AWS::StackName": "byoa",
    "RepositoryPrefix": "byoa",
    "EcrKmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555",
}
_SAMPLES: Final = {
    "AWS::DynamoDB::Table": "dynamodb:{where}:table/{name}",
    "AWS::Events::EventBus": "events:{where}:event-bus/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::KMS::Key": "kms:{where}:key/11111111-2222-3333-4444-555555555555",
    "AWS::Logs::LogGroup": "logs:{where}:log-group:{name}:*",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SQS::Queue": "sqs:{where}:{name}",
    "AWS::Serverless::Function": "lambda:{where}:function:{name}",
    "AWS::Serverless::StateMachine": "states:{where}:stateMachine:{name}",
}


UNKNOWN: Final = frozenset({"JoinNetwork", "NotByOurCode", "TagApi"})
"""Statements as AWS documents them, of which the linter's tables lack a part; tests/contract holds them."""


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms (``!Ref``)."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


def policies() -> dict[str, dict[str, Any]]:
    """For each role of the template, all statements of its policies in one document."""
    resources = yaml.load((ROOT / "template.yaml").read_text(), _Loader)["Resources"]
    return {
        name: {"Version": "2012-10-17", "Statement": _statements(name, resources)}
        for name, body in resources.items()
        if body["Type"] == "AWS::IAM::Role"
    }


def _statements(role: str, resources: dict[str, Any]) -> list[Any]:
    documents = [policy["PolicyDocument"] for policy in resources[role]["Properties"]["Policies"]]
    documents += [
        body["Properties"]["PolicyDocument"]
        for body in resources.values()
        if body["Type"] == "AWS::IAM::Policy" and {"Ref": role} in body["Properties"]["Roles"]
    ]
    return [_resolved(statement, resources) for document in documents for statement in document["Statement"]]


def _resolved(value: Any, resources: dict[str, Any]) -> Any:  # noqa: ANN401, PLR0911 - a table of a template's parts
    match value:
        case {"Ref": name}:
            return KNOWN.get(name) or _arn(name, resources)
        case {"Fn::GetAtt": [name, "StreamArn"]}:
            return f"{_arn(name, resources)}/stream/2026-01-01"
        case {"Fn::GetAtt": [name, "Arn"]}:
            return _arn(name, resources)
        case {"Fn::Sub": text}:
            filled = re.sub(r"\$\{([\w:]+)(?:\.Arn)?\}", lambda found: _named(found[1], resources), text)
            return filled.replace("${!", "${")
        case {"Fn::If": [_, given, _]}:
            return _resolved(given, resources)
        case dict():
            return {key: _resolved(each, resources) for key, each in value.items()}
        case list():
            return [_resolved(each, resources) for each in value]
    return value


def _named(name: str, resources: dict[str, Any]) -> str:
    return KNOWN.get(name) or _arn(name, resources)


def _arn(name: str, resources: dict[str, Any]) -> str:
    sample = _SAMPLES[resources[name]["Type"]]
    return "arn:aws:" + sample.format(where=f"{REGION}:{ACCOUNT}", account=ACCOUNT, name=f"byoa-{name.lower()}")


def main() -> None:
    """Write them."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in policies().items():
        document["Statement"] = [each for each in document["Statement"] if each.get("Sid") not in UNKNOWN]
        (folder / f"{name}.json").write_text(json.dumps(document, indent=2))
    for path in (ROOT / "docs").glob("deployer-*.json"):
        document = json.loads(path.read_bytes())
        document["Statement"] = [each for each in document["Statement"] if each["Sid"] not in UNKNOWN]
        (folder / path.name).write_text(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
