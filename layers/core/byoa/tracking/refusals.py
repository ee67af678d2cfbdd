"""Why a delivery to a hook is refused, each with its status; the body is the API's."""

from __future__ import annotations

from typing import Any, Final

CODES: Final[dict[str, tuple[int, str, str, str]]] = {
    "hook_unknown": (
        404, "Not found", "There is no such hook.",
        "Take the URL that `byoa hooks add` printed, or add the hook again.",
    ),
    "signature_missing": (
        401, "Not authenticated", "The delivery has no proof of who sent it.",
        "Set the secret that `byoa hooks add` printed where the registry's page of hooks says.",
    ),
    "signature_wrong": (
        401, "Not authenticated", "The delivery's proof is none of this hook's, or not of these bytes.",
        "Set the hook's own secret, and let nothing on the way change the body.",
    ),
    "delivery_late": (
        401, "Not authenticated", "The delivery's time is more than five minutes from now.",
        "Send it anew, and mind the sender's clock.",
    ),
    "token_missing": (
        401, "Not authenticated", "The delivery has no token of Google's.",
        "Give the push subscription the hook's service account and audience; `byoa hooks list --json` shows them.",
    ),
    "token_wrong": (
        401, "Not authenticated", "The delivery's token is not Google's for this hook, or has expired.",
        "Compare the push subscription's service account and audience with the hook's (`byoa hooks list --json`).",
    ),
    "too_large": (413, "Too large", "The body is over 256 KiB.", "Name fewer tags in one delivery."),
    "media_type": (
        415, "Unsupported media type", "The body is of a type that isn't read.", "Have it sent as application/json.",
    ),
    "payload_unreadable": (
        422, "Not valid", "The body is not what a registry of the hook's kind sends.",
        "Compare the hook's kind with the registry; the pages of hooks have a sample of each.",
    ),
    "throttled": (429, "Too many requests", "There are too many deliveries.", "Send fewer, or wait a minute."),
}  # fmt: skip
"""Every code of a hook: its status and title, what happened, what to do."""


class Refused(Exception):
    """A delivery that isn't taken. ``retry_after`` is in seconds."""

    def __init__(self, code: str, retry_after: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.status = CODES[code][0]
        self.retry_after = retry_after

    def body(self) -> dict[str, Any]:
        """What it is told with: the API's members for an error, without the path, which has a secret in it."""
        status, title, cause, remedy = CODES[self.code]
        return {
            "error": cause,
            "user_error": True,
            "description": remedy,
            "type": f"urn:byoa:problem:{self.code}",
            "title": title,
            "status": status,
            "detail": cause,
            "instance": "/hooks",
            "code": self.code,
            "remedy": remedy,
            "errors": [],
        }
