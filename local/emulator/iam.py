"""IAM, where roles are enforced: variables in policies, tags of resources, and the keys that a request names.

MiniStack takes ``${aws:PrincipalTag/org_id}`` for the text that it is, knows no ``secretsmanager:ResourceTag``, no
``aws:ResourceTag`` of ECR's repositories, no ``dynamodb:LeadingKeys``, no attributes of writes, no encryption contexts,
no external ids and no sources of events. So a role that is written for one organisation at a time allows nothing there,
or, where it leans on ForAllValues, everything. Nothing of this is looked at unless roles are enforced.

Variables: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html, keys of DynamoDB:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html.
"""
# ruff: noqa: SLF001, ANN401 - a correction reaches inside, and JSON is what it is

import dataclasses
import functools
import json
import re
from collections.abc import Iterator
from typing import Any

import ministack.core.iam_actions as actions
import ministack.core.iam_evaluator as evaluator
import ministack.services.dynamodb as tables
import ministack.services.ecr as registries
from ministack.services import tagging

from local.emulator.anchors import anchored

type Fields = dict[str, Any]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LITERAL = {"*": "\ue000", "?": "\ue001", "$": "$"}
"""What ``${*}`` and ``${?}`` become in a pattern, where the plain characters stand for others."""

_PLAIN = str.maketrans({mark: character for character, mark in _LITERAL.items()})
_TAGGED = ("aws:resourcetag/", "secretsmanager:resourcetag/", "ecr:resourcetag/")
_WORDS = frozenset(
    {"set", "remove", "add", "delete", "and", "or", "not", "in", "between", "attribute_exists", "attribute_type"}
    | {"attribute_not_exists", "if_not_exists", "list_append", "size", "begins_with", "contains"}
)
_EXPRESSIONS = ("UpdateExpression", "ConditionExpression", "KeyConditionExpression", "FilterExpression")


class Unresolved(Exception):
    """A policy names a variable that the request has no value for."""


def correct() -> None:
    """Make all corrections of IAM. Raises MiniStackChanged."""
    _fill_variables()
    _know_tags_of_resources()
    _know_keys_and_contexts()


def _fill_variables() -> None:
    """Fill a statement's variables before it is compared; without a value it doesn't match, as on AWS."""
    anchored(evaluator, "_first_match", "_resource_matches(ctx.resource_arn, stmt.resources, stmt.not_resources)")
    first_match = evaluator._first_match
    conditions_met = anchored(evaluator, "_conditions_met", "actual = _resolve_condition_key(key, ctx)")
    anchored(evaluator, "evaluate_trust_policy", '_conditions_met(stmt.get("Condition", {}), ctx)')
    compiled = anchored(evaluator, "_fnmatch_compile", "regex += re.escape(ch)")

    def first_filled_match(ctx: Any, statements: list[Any], effect: str) -> Any:
        for statement in statements:
            try:
                filled = dataclasses.replace(
                    statement,
                    resources=[_filled(each, ctx) for each in statement.resources],
                    not_resources=[_filled(each, ctx) for each in statement.not_resources],
                )
            except Unresolved:
                continue
            if first_match(ctx, [filled], effect):
                return statement
        return None

    @functools.wraps(conditions_met)
    def filled_conditions_met(conditions: Fields, ctx: Any) -> bool:
        try:
            filled = {name: _filled_block(name, block, ctx) for name, block in (conditions or {}).items()}
        except Unresolved:
            return False
        return bool(conditions_met(filled, ctx))

    @functools.wraps(compiled)
    def literal_too(pattern: str, ignore_case: bool) -> re.Pattern[str]:  # noqa: FBT001 - its own
        found: re.Pattern[str] = compiled(pattern, ignore_case)
        if not any(mark in pattern for mark in (_LITERAL["*"], _LITERAL["?"])):
            return found
        return re.compile(found.pattern.replace(_LITERAL["*"], r"\*").replace(_LITERAL["?"], r"\?"), found.flags)

    evaluator._first_match = first_filled_match
    evaluator._conditions_met = filled_conditions_met
    evaluator._fnmatch_compile = literal_too


def _filled_block(operator: str, block: Any, ctx: Any) -> Any:
    if not isinstance(block, dict):
        return block
    patterns = "like" in operator.lower() or "arn" in operator.lower()

    def fill(value: Any) -> Any:
        if isinstance(value, list):
            return [fill(each) for each in value]
        filled = _filled(value, ctx) if isinstance(value, str) else value
        return filled.translate(_PLAIN) if isinstance(filled, str) and not patterns else filled

    return {key: fill(value) for key, value in block.items()}


def _filled(text: str, ctx: Any) -> str:
    """``text`` with its variables' values. Raises Unresolved."""

    def value(found: re.Match[str]) -> str:
        name, _, default = found[1].partition(",")
        if name in _LITERAL:
            return _LITERAL[name]
        known = evaluator._resolve_condition_key(name.strip(), ctx)
        if known is None and default:
            known = default.strip().strip("'")
        if known is None or isinstance(known, list):
            raise Unresolved(name)
        return str(known)

    return _VARIABLE.sub(value, text)


def _know_tags_of_resources() -> None:
    resolve = anchored(evaluator, "_resolve_condition_key", 'if k == "aws:principalorgid":')
    anchored(tagging, "resource_tags", "_RESOURCE_TAG_COLLECTORS.get(parts[2])")

    @functools.wraps(resolve)
    def resolve_tags_too(key: str, ctx: Any) -> Any:
        prefix = next((each for each in _TAGGED if key.lower().startswith(each)), None)
        if prefix is None:
            return resolve(key, ctx)
        return _tags(ctx.resource_arn).get(key[len(prefix) :].lower())

    evaluator._resolve_condition_key = resolve_tags_too


def _tags(arn: str) -> dict[str, str]:
    """The tags of a resource, their names in lower case: IAM compares those of keys so."""
    service, _, name = arn.partition(":repository/")
    if name and ":ecr:" in service:
        repository = registries._repositories.get(name) or {}
        found = {tag["Key"]: tag["Value"] for tag in repository.get("tags", [])}
    else:
        found = tagging.resource_tags(arn) or {}
    return {key.lower(): value for key, value in found.items()}


def _know_keys_and_contexts() -> None:
    of_dynamodb = anchored(actions, "dynamodb_service_context", 'context["dynamodb:Select"] = select')
    of_tags = anchored(actions, "request_tag_context", "_tag_operations(service)")

    @functools.wraps(of_dynamodb)
    def with_keys(body: bytes) -> Fields:
        context: Fields = of_dynamodb(body)
        try:
            request = json.loads(body or b"{}")
        except ValueError:
            return context
        if isinstance(request, dict):
            asked = list(_asked(request))
            context |= _named("dynamodb:LeadingKeys", [key for each in asked for key in _leading(each)])
            named = {name for each in asked for name in _attributes(each)} | set(context.get("dynamodb:Attributes", ()))
            context |= _named("dynamodb:Attributes", sorted(named))
        return context

    @functools.wraps(of_tags)
    def with_contexts(service: str, action: str, body: bytes, params: Fields) -> Fields:
        context: Fields = of_tags(service, action, body, params)
        if service == "kms" and body[:1] == b"{":
            given = json.loads(body).get("EncryptionContext") or {}
            context |= {f"kms:EncryptionContext:{name}": value for name, value in given.items()}
        if action == "events:PutEvents":
            entries = json.loads(body or b"{}").get("Entries") or []
            context |= _named("events:source", [str(each.get("Source", "")) for each in entries])
        external = params.get("ExternalId") if service == "sts" else None
        if external:
            context["sts:ExternalId"] = external[0] if isinstance(external, list) else external
        return context

    actions.dynamodb_service_context = with_keys
    actions.request_tag_context = with_contexts


def _named(key: str, values: list[str]) -> Fields:
    """A key that a request has no value for is absent, not empty."""
    return {key: values} if values else {}


def _asked(request: Fields) -> Iterator[Fields]:
    """The single requests in one of DynamoDB's, each with its table's name and its ``Key`` or ``Item``, if any."""
    if "TableName" in request:
        yield request
    for each in request.get("TransactItems") or []:
        yield from (inner for inner in each.values() if isinstance(inner, dict))
    for table, given in (request.get("RequestItems") or {}).items():
        if isinstance(given, dict):  # BatchGetItem
            yield from ({**given, "TableName": table, "Key": key} for key in given.get("Keys") or [])
        else:  # BatchWriteItem
            yield from ({**inner, "TableName": table} for each in given for inner in each.values())


def _leading(asked: Fields) -> Iterator[str]:
    """The values that ``asked`` gives for the partition key of its table or index."""
    name = str(asked.get("TableName", "")).rpartition("/")[2]
    table = tables._tables.get(name) or {}
    indexes = [*(table.get("GlobalSecondaryIndexes") or []), *(table.get("LocalSecondaryIndexes") or [])]
    schema = next((each["KeySchema"] for each in indexes if each["IndexName"] == asked.get("IndexName")), None)
    for part in schema or table.get("KeySchema") or []:
        if part["KeyType"] == "HASH":
            given = asked.get("Key") or asked.get("Item") or _equals(asked)
            yield from map(str, (given.get(part["AttributeName"]) or {}).values())


def _equals(asked: Fields) -> Fields:
    """What the key condition of a Query says that attributes equal."""
    names, values = asked.get("ExpressionAttributeNames") or {}, asked.get("ExpressionAttributeValues") or {}
    found = re.findall(r"(#?\w+)\s*=\s*(:\w+)", str(asked.get("KeyConditionExpression", "")))
    return {names.get(name, name): values.get(value) or {} for name, value in found}


def _attributes(asked: Fields) -> Iterator[str]:
    """The top-level attributes that ``asked`` names, those of its key included."""
    names = asked.get("ExpressionAttributeNames") or {}
    yield from asked.get("Key") or {}
    yield from asked.get("Item") or {}
    for text in (str(asked.get(each, "")) for each in _EXPRESSIONS):
        for word in re.findall(r"(?<![:#\w.])#?[A-Za-z_]\w*", text):
            if word.lower() not in _WORDS:
                yield names.get(word, word)
