"""Lists that no message could hold, in the quarantine's bucket, under a prefix of their own.

Who reads nothing but these, RecordBuild, is given nothing else of the bucket. What travels between the states of a
deploy lies beside them, each kind under a prefix of its own.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from byoa.adapters.aws.objects import ObjectReader
from byoa.adapters.aws.refusals import error_code, translated
from byoa.errors import ReferenceNotFound
from byoa.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_s3 import S3Client

_LIMIT: Final = 1024 * 1024
_ABSENT: Final = "NoSuchKey"


class QuarantineLists:
    """Those of one organisation. ``client`` is asked for when a list is: most builds have none."""

    def __init__(
        self,
        client: Callable[[], S3Client],
        bucket: str,
        organisation: str,
        kind: str = "lists",
        limit: int = _LIMIT,
    ) -> None:
        """``kind`` is the last part of their prefix; what is larger than ``limit`` bytes is not read to its end."""
        self._client = client
        self._bucket = bucket
        self._prefix = f"{organisation}/{kind}"
        self._limit = limit

    def put(self, content: bytes) -> Digest:
        """See ``builds.ports.Lists``."""
        digest = Digest.of(content)
        with translated("S3"):
            self._client().put_object(Bucket=self._bucket, Key=self._key(digest), Body=content)
        return digest

    def fetch(self, digest: Digest) -> bytes:
        """See ``builds.ports.Lists``."""
        with translated("S3"):
            try:
                found = self._client().get_object(Bucket=self._bucket, Key=self._key(digest))
            except ClientError as error:
                if error_code(error) == _ABSENT:
                    raise ReferenceNotFound("The quarantine doesn't hold this list any more.") from error
                raise
        with closing(found["Body"]) as body:
            return ObjectReader(body).read(self._limit)

    def _key(self, digest: Digest) -> str:
        return f"{self._prefix}/{digest.algorithm}/{digest.hex}"
