"""What a registry's refusal means (distribution-spec, "Error Codes").

Nothing of an answer's body is kept but a code from the spec's list: a body may hold anything that the other side can
read, our own credentials among it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Literal

from byoa.errors import (
    AuthFailed,
    ByoaError,
    DigestMismatch,
    ManifestTooLarge,
    ReferenceNotFound,
    RegistryProtocolError,
    RegistryThrottled,
    RegistryUnavailable,
    TargetForbidden,
    TargetIncomplete,
    TargetThrottled,
    UploadLost,
)

if TYPE_CHECKING:
    from byoa.adapters.registries.transport import Login, Response

type Role = Literal["source", "target"]

_CODES: Final = frozenset(
    {
        "BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN",
        "MANIFEST_INVALID", "MANIFEST_UNKNOWN", "NAME_INVALID", "NAME_UNKNOWN", "SIZE_INVALID", "TAG_INVALID",
        "UNAUTHORIZED", "DENIED", "UNSUPPORTED", "TOOMANYREQUESTS",
    }
)  # fmt: skip
_INCOMPLETE: Final = frozenset({"BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN"})
_UPLOAD_LOST: Final = frozenset({"BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID"})
_BODY_LIMIT: Final = 64 * 1024
NOT_SEEN: Final = (
    "Check the repository and the tag, that the artifact was pushed, and that the login, which was not refused, may"
    " read this repository."
)
"""What to do about a 404 where a login was given."""

_RETRY_AFTER_LIMIT: Final = 60.0
"""Seconds; a registry may ask for more, and a build's deadline says no."""


def error_code(response: Response) -> str | None:
    """The first code of the error body, if it is one of the spec's."""
    try:
        errors = json.loads(response.read(_BODY_LIMIT))["errors"]
        code = errors[0]["code"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError, ByoaError):
        return None
    return code if isinstance(code, str) and code in _CODES else None


def refusal(  # noqa: PLR0911 - a table, read from the top
    response: Response, role: Role, what: str, *, pushed_manifest: bool = False
) -> ByoaError:
    """The error that an unwelcome answer is, its body read. ``what`` names the thing asked for: "The manifest".

    With ``pushed_manifest`` an unknown blob or manifest is a part that the target misses.
    """
    status, code = response.status, error_code(response)
    shown = f"status {status}, {code}" if code else f"status {status}"
    if status == 429 or code == "TOOMANYREQUESTS":  # noqa: PLR2004 - RFC 6585
        throttled = RegistryThrottled if role == "source" else TargetThrottled
        return throttled(f"The registry asks us to slow down ({shown}).", retry_after=_retry_after(response))
    if status >= 500 or status == 408:  # noqa: PLR2004 - RFC 9110, 15.5 and 15.6
        return RegistryUnavailable(f"The registry failed ({shown}).", retry_after=_retry_after(response))
    if status in (401, 403):
        return _forbidden(role, response.login, shown)
    if role == "target" and (code in _UPLOAD_LOST or status == 416):  # noqa: PLR2004 - "Pushing a blob in chunks"
        return UploadLost(f"The target has forgotten an upload, or takes it for another ({shown}).")
    if role == "target" and code == "DIGEST_INVALID":
        return DigestMismatch(f"The target received other bytes than were sent ({shown}).")
    if pushed_manifest and code in _INCOMPLETE:
        return TargetIncomplete(f"The target misses a part of the manifest ({shown}).")
    if status == 404:  # noqa: PLR2004 - RFC 9110, 15.5.5
        remedy = NOT_SEEN if role == "source" and response.login == "given" else ""
        return ReferenceNotFound(f"{what} is not in the registry, or not for us to see ({shown}).", remedy=remedy)
    if status == 413:  # noqa: PLR2004 - RFC 9110, 15.5.14
        return ManifestTooLarge(f"{what} is larger than the registry takes ({shown}).")
    return RegistryProtocolError(f"The registry answers {shown} where the spec knows no such answer.")


def _forbidden(role: Role, login: Login, shown: str) -> ByoaError:
    if role == "target":
        return TargetForbidden(f"The target refuses the credentials it was given ({shown}).")
    if login == "given":
        return AuthFailed(f"The registry refuses the credentials it was given ({shown}).")
    if login == "kept":
        return AuthFailed(f"The registry refuses us without asking for the credentials ({shown}).")
    return AuthFailed(f"The registry wants credentials, and was given none ({shown}).")


def _retry_after(response: Response) -> float | None:
    """Seconds from Retry-After, a number or a date (RFC 9110, 10.2.3), within bounds."""
    value = (response.header("Retry-After") or "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), _RETRY_AFTER_LIMIT)
    from datetime import UTC, datetime  # noqa: PLC0415 - hardly any registry sends a date
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - the same

    try:
        seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), _RETRY_AFTER_LIMIT)
