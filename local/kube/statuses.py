"""What an API server says when it doesn't do what it was asked for, as a real one says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from byoa.errors import ByoaError, FieldConflict, KindUnknown, NamespaceMissing, ObjectBusy
from local.registry.messages import Response, as_json

if TYPE_CHECKING:
    from byoa.installs.objects import Place

_REASONS = {
    400: "BadRequest", 401: "Unauthorized", 404: "NotFound", 405: "MethodNotAllowed", 406: "NotAcceptable",
    409: "Conflict", 413: "RequestEntityTooLarge", 415: "UnsupportedMediaType", 422: "Invalid",
}  # fmt: skip


class Unable(Exception):
    """Raised with the answer that says why."""

    def __init__(self, status: int, message: str, reason: str = "", causes: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        self.response = failure(status, message, reason, causes)


def failure(status: int, message: str, reason: str = "", causes: list[dict[str, str]] | None = None) -> Response:
    """A Status that tells of a failure."""
    document: dict[str, Any] = {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
        "reason": reason or _REASONS.get(status, "InternalError"), "code": status,
    }  # fmt: skip
    if causes:
        document["details"] = {"causes": causes}
    return as_json(status, document)


def no_such_path() -> Response:
    """What is said of an API that isn't served: no Status."""
    return Response(404, [("Content-Type", "text/plain; charset=utf-8")], b"404 page not found\n")


def no_such_object(place: Place) -> Response:
    """What is said of an object that isn't there."""
    group = f".{place.kind.group}" if place.kind.group else ""
    return failure(404, f'{place.kind.plural}{group} "{place.name}" not found')


def told(error: ByoaError, place: Place, *, going: bool) -> Response:
    """A refusal of the cluster in memory; ``going`` is whether the namespace goes away."""
    name = f'{place.kind.plural} "{place.name}"'
    match error:
        case KindUnknown():
            return no_such_path()
        case NamespaceMissing():
            return failure(404, f'namespaces "{place.namespace}" not found')
        case FieldConflict():
            causes = [
                {"reason": "FieldManagerConflict", "message": f'conflict with "{owner}" using v1', "field": field}
                for owner, field in error.conflicts
            ]
            return failure(409, f"Apply failed with {len(causes)} conflicts", causes=causes)
        case ObjectBusy() if going:
            why = {"reason": "NamespaceTerminating", "message": f"namespace {place.namespace} is being terminated"}
            return failure(403, f"{name} is forbidden", "Forbidden", [{**why, "field": "metadata.namespace"}])
        case ObjectBusy():
            return failure(409, f"Operation cannot be fulfilled on {name}: the object has been modified")
        case _:
            return failure(422, f"{name} is invalid: {error.cause}")
