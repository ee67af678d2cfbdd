"""Requests that schemathesis makes of the description, answered in this process: all answers are described."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from byoa.api.published import DOCUMENT, published
from tests.api.served import Context, Served, event_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Shim:
    """The API as WSGI."""

    def __init__(self) -> None:
        self.served = Served()
        served = self.served
        self.token = served.token(days=300)
        for name in ("vendor-app", "web"):
            served.ask("POST", f"/v1/apps/demo/components/{name}/configs/kubernetes-manifest",
                       {"namespace": "a", "manifest": "a: 1"})  # fmt: skip

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else None
        headers = {key[5:].replace("_", "-"): value for key, value in environ.items() if key.startswith("HTTP_")}
        if environ.get("CONTENT_TYPE"):
            headers["content-type"] = environ["CONTENT_TYPE"]
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        event = event_of(environ["REQUEST_METHOD"], "/", headers, body)
        made = event_of(environ["REQUEST_METHOD"], "/?" + environ.get("QUERY_STRING", ""), headers, body)
        event |= {name: made[name] for name in ("rawQueryString", "queryStringParameters") if name in made}
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        answer = self.served.face(event, Context())  # type: ignore[arg-type]
        start(f"{answer['statusCode']} OK", [*(answer.get("headers") or {}).items()])
        return [(answer.get("body") or "").encode()]


TOO_LARGE = 413
SHIM = Shim()
schema = schemathesis.openapi.from_wsgi("/v1/openapi.json", SHIM)
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance, negative_data_rejection, ignored_auth, unsupported_method, allow_header_conformance,
]  # fmt: skip


@schema.parametrize()
@settings(
    max_examples=25, deadline=None, derandomize=True, database=None,
    phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_every_answer_is_one_that_is_described(case: Any) -> None:
    checks = CHECKS
    if case.operation.path.endswith("-all"):  # Nuon's paths; a component may have such a name, and more is allowed
        checks = [check for check in CHECKS if check is not allow_header_conformance]
    if not _has_bad_body(case):  # a missing header is put in here; unknown parts of a query are no matter
        checks = [check for check in checks if check is not negative_data_rejection]
    headers = {"Authorization": f"Bearer {SHIM.token}"}
    answer = case.call(headers=headers)
    if answer.status_code == TOO_LARGE:  # a refusal that the check doesn't know for one
        checks = [check for check in checks if check is not negative_data_rejection]
    case.validate_response(answer, checks, headers=headers, transport_kwargs={"headers": headers})


def _has_bad_body(case: Any) -> bool:
    body = case.meta.components.get(ParameterLocation.BODY) if case.meta else None
    return body is not None and body.mode is GenerationMode.NEGATIVE


def test_the_description_that_is_read_is_the_published_one() -> None:
    assert schema.raw_schema["paths"].keys() == json.loads(published(DOCUMENT))["paths"].keys()
