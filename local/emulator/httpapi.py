"""API Gateway: the OpenAPI body that AWS::Serverless::HttpApi becomes.

MiniStack stores the API and ignores its body, so that every URL answers 404; it also keeps the CORS settings under
the template's key names, which it doesn't read, and hands cookies over as a header, where API Gateway has a list.
A line's end in a path (``%0A``) fits none of its routes. ``EMULATOR_API_ID`` replaces the id that a template's tag
gives an API: browsers keep cookies by a host's name, whatever its port, and two desks have two names by it.
"""
# ruff: noqa: SLF001 - a correction reaches inside

import functools
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import ministack.services.apigateway as gateway
from ministack.services.cloudformation import provisioners

from local.emulator.anchors import anchored

type Properties = dict[str, Any]

_ID = "ms-custom-id"
_LINE_END = "\N{SYMBOL FOR NEWLINE}"
"""For patterns in which a dot stands for all but the real one."""


def correct() -> None:
    """Make the correction. Raises MiniStackChanged."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    create = anchored(provisioners, handlers["create"].__name__, 'props["CorsConfiguration"]')
    update = anchored(provisioners, handlers["update"].__name__, 'new_props.get("CorsConfiguration")')

    @functools.wraps(create)
    def create_whole(logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        tagged = {**properties, "Tags": _named(_body_tags(properties) | (properties.get("Tags") or {}))}
        api, attributes = create(logical_id, tagged, stack)
        _import_body(api, properties)
        return api, attributes

    @functools.wraps(update)
    def update_whole(physical_id: str, old: Properties, new: Properties, *rest: str) -> tuple[str, Properties]:
        api, attributes = update(physical_id, old, new, *rest)
        _import_body(api, new)
        return api, attributes

    handlers.update(create=create_whole, update=update_whole)
    _match_line_ends()
    _tell_cookies()


def _match_line_ends() -> None:
    match = anchored(gateway, "_extract_path_params", 'pattern_parts.append("(.+)")')

    @functools.wraps(match)
    def match_whole(route: str, path: str) -> dict[str, str] | None:
        found = match(route, path.replace("\n", _LINE_END))
        return found and {name: value.replace(_LINE_END, "\n") for name, value in found.items()}

    gateway._extract_path_params = match_whole


def _tell_cookies() -> None:
    """Source: "Create AWS Lambda proxy integrations for HTTP APIs", payload format version 2.0, ``cookies``."""
    anchored(gateway, "_invoke_lambda_proxy", "await run_reentrant(lambda_svc._execute_function_with_config_scope")
    run = gateway.run_reentrant

    @functools.wraps(run)
    def run_with_cookies(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - its own
        for event in arguments:
            headers = event.get("headers") if isinstance(event, dict) and event.get("version") == "2.0" else None
            if headers and "cookie" in headers:
                event["cookies"] = [each.strip() for each in headers.pop("cookie").split(";") if each.strip()]
        return run(function, *arguments, **options)

    gateway.run_reentrant = run_with_cookies


def _body_tags(properties: Properties) -> dict[str, str]:
    tags = (properties.get("Body") or {}).get("tags", [])
    return {tag["name"]: tag.get("x-amazon-apigateway-tag-value", "") for tag in tags}


def _named(tags: dict[str, str]) -> dict[str, str]:
    wanted = os.environ.get("EMULATOR_API_ID")
    return {**tags, _ID: wanted} if wanted and _ID in tags else tags


def _import_body(api: str, properties: Properties) -> None:
    body = properties.get("Body") or {}
    cors = properties.get("CorsConfiguration") or body.get("x-amazon-apigateway-cors")
    if cors:
        gateway._apis[api]["corsConfiguration"] = {key[0].lower() + key[1:]: value for key, value in cors.items()}
    if not body:
        return
    for store in (gateway._routes, gateway._integrations, gateway._authorizers):
        store[api] = {}
    authorizers = _create_authorizers(api, body)
    integrations: dict[str, str] = {}
    for route, operation in _operations(body):
        integration = operation["x-amazon-apigateway-integration"]
        if integration["uri"] not in integrations:
            integrations[integration["uri"]] = _create_integration(api, integration)
        target = {"routeKey": route, "target": f"integrations/{integrations[integration['uri']]}"}
        gateway._create_route(api, target | _protection(operation, authorizers))


def _operations(body: Properties) -> Iterator[tuple[str, Properties]]:
    """The route key and the definition of every operation that leads somewhere."""
    for path, methods in body.get("paths", {}).items():
        for name, operation in methods.items():
            method = "ANY" if name == "x-amazon-apigateway-any-method" else name.upper()
            if "x-amazon-apigateway-integration" in operation:
                yield ("$default" if path == "/$default" else f"{method} {path}"), operation


def _create_authorizers(api: str, body: Properties) -> dict[str, Properties]:
    """Create all authorizers; what a route says to use one, by the authorizer's name."""
    created = {}
    for name, scheme in body.get("components", {}).get("securitySchemes", {}).items():
        wanted = dict(scheme.get("x-amazon-apigateway-authorizer") or {})
        if not wanted:
            continue
        is_jwt = wanted.pop("type") == "jwt"
        source = wanted.pop("identitySource", [])
        wanted |= {"name": name, "authorizerType": "JWT" if is_jwt else "REQUEST"}
        wanted["identitySource"] = [source] if isinstance(source, str) else source
        identity = _created(gateway._create_authorizer, api, wanted)["authorizerId"]
        created[name] = {"authorizationType": "JWT" if is_jwt else "CUSTOM", "authorizerId": identity}
    return created


def _create_integration(api: str, integration: Properties) -> str:
    wanted = {
        "integrationType": integration["type"].upper(),
        "integrationUri": integration["uri"],
        "payloadFormatVersion": integration.get("payloadFormatVersion", "2.0"),
        "timeoutInMillis": integration.get("timeoutInMillis", 30000),
    }
    return str(_created(gateway._create_integration, api, wanted)["integrationId"])


def _protection(operation: Properties, authorizers: dict[str, Properties]) -> Properties:
    for requirement in operation.get("security") or []:
        for name, scopes in requirement.items():
            if name in authorizers:
                return authorizers[name] | {"authorizationScopes": scopes}
            if name == "AWS_IAM":
                return {"authorizationType": "AWS_IAM"}
    return {}


def _created(create: Callable[[str, Properties], tuple[Any, Any, bytes]], api: str, wanted: Properties) -> Properties:
    answer: Properties = json.loads(create(api, wanted)[2])
    return answer
