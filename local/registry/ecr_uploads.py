"""How Amazon ECR takes a blob in chunks, which is not quite as the specification has it.

PATCH answers 201, and ``Range`` stays at the end of the first chunk (aws/containers-roadmap#2831, jdx/mise#11376,
openai/tart#273); there is no status of an upload to ask for (dotnet/sdk#33019). Behind it are layer parts, of 5 to
10 MiB (ECR's quotas; ECR API, LayerPartTooSmallException), the last one as small as it likes. What v2 answers to a part
of a wrong size is not written down: the codes are the specification's nearest. A blob in one request has any size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from local.registry.blobs import BlobEndpoints, receive, underway
from local.registry.messages import Request, Response, refuse

if TYPE_CHECKING:
    from local.registry.store import Upload

SMALLEST_PART: Final = 5 * 1024 * 1024
LARGEST_PART: Final = 10 * 1024 * 1024


class EcrBlobEndpoints(BlobEndpoints):
    """The endpoints of blobs, as ECR has them."""

    def status(self, _request: Request, name: str, session: str) -> Response:
        """Not served."""
        self._upload(name, session)
        refuse(404, "UNSUPPORTED", "there is nothing at this address")

    def patch(self, request: Request, name: str, session: str) -> Response:
        """A chunk, or all of a blob."""
        upload = self._upload(name, session)
        with upload.lock:
            before = upload.size
            receive(upload, request)
            upload.parts.append(upload.size - before)
            _check_parts(upload.parts)
            response = underway(201, upload)
        response.headers = [header for header in response.headers if header[0] != "Range"]
        response.headers.append(("Range", f"0-{max(upload.parts[0] - 1, 0)}"))
        return response

    def _close(self, upload: Upload, request: Request) -> None:
        before = upload.size
        receive(upload, request)
        if last := upload.size - before:
            upload.parts.append(last)
        _check_parts(upload.parts)


def _check_parts(parts: list[int]) -> None:
    """Raise ``Refused`` for parts of a wrong size; the only part, and the last one's smallness, are free."""
    if len(parts) > 1 and min(parts[:-1]) < SMALLEST_PART:
        refuse(400, "BLOB_UPLOAD_INVALID", "Layer parts must be at least 5 MiB in size")
    if len(parts) > 1 and max(parts) > LARGEST_PART:
        refuse(400, "SIZE_INVALID", "Layer parts must be at most 10 MiB in size")
