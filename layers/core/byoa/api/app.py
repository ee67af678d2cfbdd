"""The API, put together: all routes, what happens around each, and how failures are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
    ResponseValidationError,
)

from byoa.api.around import gate, keep_answers, note_deeds, tag_answers
from byoa.api.face import Face, logger, read_json
from byoa.api.problems import CODES, Problem, body_of, faults_of, of_error, rendered
from byoa.api.routes import (
    account,
    approvals,
    apps,
    artifacts,
    audit,
    builds,
    components,
    configs,
    credentials,
    deploys,
    general,
    hooks,
    installs,
    issuers,
    jobs,
    policies,
    sessions,
    tokens,
)
from byoa.errors import ByoaError, InternalFault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_lambda_powertools.event_handler import Response

    from byoa.api.around import Middleware
    from byoa.api.operations import Operation
    from byoa.api.ports import World

OPERATIONS: list[Operation] = [
    *general.operations, *account.operations, *apps.operations, *components.operations, *configs.operations,
    *builds.operations, *artifacts.operations, *credentials.operations, *policies.operations, *hooks.operations,
    *installs.operations, *deploys.operations, *approvals.operations, *jobs.operations,
    *sessions.operations, *tokens.operations, *issuers.operations, *audit.operations,
]  # fmt: skip
"""All routes."""


def make(world: World) -> Face:
    """The handler of the API over ``world``."""
    app = resolver()
    return Face(world, app, OPERATIONS)


def resolver() -> APIGatewayHttpResolver:
    """Powertools' resolver with all routes."""
    app = APIGatewayHttpResolver(
        enable_validation=True, response_validation_error_http_code=500, json_body_deserializer=read_json
    )
    for each in OPERATIONS:
        app.route(
            each.path,
            each.method,
            summary=each.description.partition(". ")[0].rstrip("."),
            description=each.description,
            operation_id=each.name,
            tags=[each.tag],
            status_code=each.status,
            middlewares=_around(each),
        )(each.function)
    _tell_failures(app)
    return app


def _around(each: Operation) -> list[Middleware]:
    if each.idle:
        return [gate(each)]
    if each.method == "GET":
        return [gate(each), tag_answers(each)]
    return [gate(each), note_deeds(each), *([] if each.lookup else [keep_answers(each)])]


def _tell_failures(app: APIGatewayHttpResolver) -> None:  # noqa: C901 - one function a kind
    """Every failure has the one body; what nobody expected tells nothing of itself."""

    def told(  # noqa: PLR0913, PLR0917 - the members of one object
        status: int, code: str, cause: str, remedy: str,
        faults: Sequence[Mapping[str, Any]] = (), headers: Mapping[str, str] | None = None,
    ) -> Response[str]:  # fmt: skip
        event = app.current_event
        body = body_of(status, code, cause, remedy, event.path, faults)
        return rendered(body, event.headers.get("accept") or "", headers)

    def problem(error: Problem) -> Response[str]:
        return told(error.status, error.code, error.cause, error.remedy, error.faults, error.headers)

    def ours(error: ByoaError) -> Response[str]:
        status, headers = of_error(error)
        logger.warning("refused", error=error.as_dict())
        faults = [{"pointer": f"/{error.where}", "code": error.code, "message": error.cause}] if error.where else []
        return told(status, error.code, error.cause, error.remedy, faults, headers)

    def invalid(error: RequestValidationError) -> Response[str]:
        faults = faults_of(error.errors())
        status, cause, remedy = CODES["invalid"]
        return told(status, "invalid", cause, remedy, faults)

    def unread(_: RequestUnsupportedContentType) -> Response[str]:
        return problem(Problem("media_type"))

    def unknown(_: NotFoundError) -> Response[str]:
        event = app.current_event
        methods = sorted({each.method for each in OPERATIONS if each.matches(event.path)})
        if not methods or event.http_method in methods:  # a name with characters that no name has
            return problem(Problem("route_unknown"))
        if "GET" in methods:
            methods = sorted({*methods, "HEAD"})
        return problem(Problem("method_unknown", headers={"Allow": ", ".join(methods)}))

    def failed(error: Exception) -> Response[str]:
        logger.exception("failed", exc_info=error)
        return ours(InternalFault("The platform failed in a way it doesn't know."))

    for kind, tell in (
        (Problem, problem), (ByoaError, ours), (RequestValidationError, invalid), (NotFoundError, unknown),
        (RequestUnsupportedContentType, unread), (ResponseValidationError, failed), (Exception, failed),
    ):  # fmt: skip
        app.exception_handler(kind)(tell)
