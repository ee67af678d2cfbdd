"""What is the same for all: the schema of component files, the key of receipts, the API's own description."""

import base64
import textwrap
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from byoa.api.models import PublicKey
from byoa.api.operations import Operations
from byoa.api.published import DOCUMENT, PAGE, SCRIPT, STYLE, published
from byoa.api.visits import visit
from byoa.components.reading import render_schema

operations = Operations()


@operations.add("GET", "/v1/general/config-schema", "open")
def get_config_schema(
    kind: Annotated[Literal["kubernetes-manifest", "kubernetes_manifest"], Query(alias="type")],  # noqa: ARG001 - there is one
) -> dict[str, Any]:
    """The JSON Schema of a component's file, for editors. Everybody may have it."""
    return render_schema()


@operations.add("GET", "/v1/general/receipt-key", "read")
def get_receipt_key() -> PublicKey:
    """The public key that receipts of builds are checked with, as PEM."""
    text = base64.b64encode(visit().world.receipt_key()).decode()
    lines = "\n".join(textwrap.wrap(text, 64))
    return PublicKey(public_key=f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n")


@operations.add("GET", "/v1/openapi.json", "open")
def get_openapi() -> Response[str]:
    """This description, as OpenAPI 3.1. Everybody may have it."""
    return Response(200, "application/json", published(DOCUMENT))


@operations.add("GET", "/v1/docs", "open")
def get_docs() -> Response[str]:
    """A page to read and to try the API with. It loads nothing from elsewhere."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    return Response(200, "text/html; charset=utf-8", published(PAGE), {"Content-Security-Policy": policy})


@operations.add("GET", "/v1/docs/docs.js", "open")
def get_docs_script() -> Response[str]:
    """The page's script."""
    return Response(200, "text/javascript; charset=utf-8", published(SCRIPT))


@operations.add("GET", "/v1/docs/docs.css", "open")
def get_docs_style() -> Response[str]:
    """The page's style."""
    return Response(200, "text/css; charset=utf-8", published(STYLE))


@operations.add("GET", "/healthz", "open")
def get_health() -> dict[str, str]:
    """Whether the API answers. Everybody may ask."""
    return {"status": "ok"}
