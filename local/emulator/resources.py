"""ECR and CloudFormation: what MiniStack takes and drops, or takes and can't read."""
# ruff: noqa: SLF001, ANN401 - a correction reaches inside, and JSON is what it is

import functools
import json
from collections.abc import Callable
from typing import Any

import ministack.core.iam_actions as actions
import ministack.services.dynamodb as tables
import ministack.services.ecr as registry
import ministack.services.lambda_svc as lambdas
from ministack.services.cloudformation import provisioners

from local.emulator.anchors import anchored

type Properties = dict[str, Any]
FILTERS = "imageTagMutabilityExclusionFilters"


def correct() -> None:
    """Make all corrections of resources. Raises MiniStackChanged."""
    _keep_exclusion_filters()
    _name_described_repositories()
    _translate_exclusion_filters()
    _after("AWS::Lambda::Function", _set_concurrency_and_dead_letters)
    _after("AWS::DynamoDB::Table", _set_time_to_live)
    _after("AWS::ECR::Repository", _set_exclusion_filters)


def _keep_exclusion_filters() -> None:
    """Keep and return the filters of a repository whose tags are immutable with exclusions."""
    shape = anchored(registry, "_repo_shape", '"imageTagMutability"')
    registry._repo_shape = lambda repository: shape(repository) | _filters(repository)
    for action, line in (("_create_repository", '"imageTagMutability"'), ("_put_image_tag_mutability", "mutability")):
        setattr(registry, action, _keeping_filters(anchored(registry, action, line)))


def _name_described_repositories() -> None:
    """With IAM enforced, DescribeRepositories of one repository is about that repository, as on AWS, not about all."""
    extract = anchored(actions, "extract_resource_arn", '_safe_json_field(body, "repositoryName")')

    @functools.wraps(extract)
    def extract_named(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> Any:
        names = json.loads(body).get("repositoryNames") if service == "ecr" and body else None
        if names and len(names) == 1:
            body = json.dumps({"repositoryName": names[0]}).encode()
        return extract(service, method, path, headers, body, *rest)

    actions.extract_resource_arn = extract_named


def _filters(holder: Properties) -> Properties:
    return {FILTERS: holder[FILTERS]} if holder.get(FILTERS) else {}


def _keeping_filters(action: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(action)
    def act_and_keep(request: Properties) -> Any:
        status, headers, body = action(request)
        if status >= 400:  # noqa: PLR2004 - the line between answers and errors
            return status, headers, body
        registry._repositories[request["repositoryName"]][FILTERS] = request.get(FILTERS)
        answer = json.loads(body)
        answer.get("repository", answer).update(_filters(request))
        return registry.json_response(answer)

    return act_and_keep


def _translate_exclusion_filters() -> None:
    """Take the filters of an AWS::ECR::Repository over."""
    translate = anchored(provisioners, "_ecr_cfn_to_api", '"imageTagMutability": props.get("ImageTagMutability"')
    provisioners._ecr_cfn_to_api = lambda properties: translate(properties) | {FILTERS: _translated(properties)}


def _translated(properties: Properties) -> list[dict[str, str]]:
    name = "ImageTagMutabilityExclusionFilter"
    return [{"filterType": one[f"{name}Type"], "filter": one[f"{name}Value"]} for one in properties.get(f"{name}s", [])]


def _set_exclusion_filters(name: str, properties: Properties) -> None:
    registry._repositories[name][FILTERS] = _translated(properties)


def _set_concurrency_and_dead_letters(name: str, properties: Properties) -> None:
    reserved = properties.get("ReservedConcurrentExecutions")
    function = lambdas._functions[name]
    function["concurrency"] = None if reserved is None else int(reserved)
    function["config"].pop("DeadLetterConfig", None)
    if "DeadLetterConfig" in properties:
        function["config"]["DeadLetterConfig"] = properties["DeadLetterConfig"]


def _set_time_to_live(name: str, properties: Properties) -> None:
    wanted = properties.get("TimeToLiveSpecification")
    if wanted:
        enabled = str(wanted.get("Enabled")).lower() == "true"
        request = {"AttributeName": wanted["AttributeName"], "Enabled": enabled}
        tables._update_ttl({"TableName": name, "TimeToLiveSpecification": request})


def _after(kind: str, finish: Callable[[str, Properties], None]) -> None:
    """Call ``finish`` with a resource's physical name and its properties after it was created or updated."""
    handlers = provisioners._RESOURCE_HANDLERS[kind]
    create = anchored(provisioners, handlers["create"].__name__, "(logical_id, props, stack_name)")
    update = anchored(provisioners, handlers["update"].__name__, "(physical_id, old_props, new_props, stack_name")

    @functools.wraps(create)
    def create_and_finish(logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        name, attributes = create(logical_id, properties, stack)
        finish(name, properties)
        return name, attributes

    @functools.wraps(update)
    def update_and_finish(physical_id: str, old: Properties, new: Properties, *rest: Any) -> tuple[str, Properties]:
        name, attributes = update(physical_id, old, new, *rest)
        finish(name, new)
        return name, attributes

    handlers.update(create=create_and_finish, update=update_and_finish)
