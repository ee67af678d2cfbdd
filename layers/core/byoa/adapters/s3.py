"""The quarantine: content by digest in a bucket, under one prefix per organisation. A Source and a Target."""

from __future__ import annotations

from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final, cast

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from botocore.exceptions import HTTPClientError as StreamError

from byoa.adapters.aws import error_code, translated
from byoa.digest import Digest
from byoa.errors import ReferenceInvalid, ReferenceNotFound, ShortRead, TargetIncomplete
from byoa.graph import blobs_of, children_of
from byoa.manifest import MANIFEST_LIMIT, Manifest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client

    from byoa.manifest import Descriptor
    from byoa.ports import BlobReader

_PART: Final = 8 * 1024 * 1024
"""Bytes per part: the least that S3 takes is 5 MiB, and one part is held in memory."""

_TRANSFER: Final = TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART, use_threads=False)
_ABSENT: Final = frozenset({"404", "NoSuchKey", "NotFound"})


class _ObjectReader:
    def __init__(self, body: StreamingBody) -> None:
        self._body = body

    def readinto(self, buffer: memoryview, /) -> int:
        try:
            return self._body.readinto(cast("IO[bytes]", buffer))  # a stub's mistake: it takes a buffer
        except (StreamError, OSError) as error:
            raise ShortRead("The connection broke while the quarantine was sending.") from error


class _Upload:
    """A BlobReader as the file-like object that boto3's transfer reads."""

    def __init__(self, content: BlobReader) -> None:
        self._content = content
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """Exactly ``size`` bytes unless the blob ends: the transfer takes less for the end."""
        wanted = size if size >= 0 else _PART
        found = bytearray(wanted)
        view, count = memoryview(found), 0
        while not self._ended and count < wanted:
            more = self._content.readinto(view[count:])
            self._ended = more == 0
            count += more
        return bytes(view[:count])


class Quarantine:
    """What one organisation has in quarantine."""

    def __init__(self, client: S3Client, bucket: str, organisation: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = organisation

    def fetch_manifest(self, name: str | Digest) -> Manifest:
        """See ``ports.Source``. The quarantine has no tags: everything in it is pinned."""
        if not isinstance(name, Digest):
            raise ReferenceInvalid("The quarantine knows digests alone.")
        with self._get(name) as (body, media_type):
            content = body.read(MANIFEST_LIMIT + 1)
        return read_manifest(content, media_type, expected=name)

    @contextmanager
    def open_blob(self, descriptor: Descriptor) -> Iterator[BlobReader]:
        """See ``ports.Source``."""
        with self._get(descriptor.digest) as (body, _):
            yield _ObjectReader(body)

    def find_manifest(self, name: str | Digest) -> Digest | None:
        """See ``ports.Target``."""
        return name if isinstance(name, Digest) and self._size(name) is not None else None

    def has_blob(self, descriptor: Descriptor) -> bool:
        """See ``ports.Target``."""
        return self._size(descriptor.digest) == descriptor.size

    def push_blob(self, descriptor: Descriptor, content: BlobReader) -> None:
        """See ``ports.Target``. An upload that breaks off leaves no object: S3 shows whole objects only."""
        with translated("S3"):
            upload = cast("IO[bytes]", _Upload(content))
            self._client.upload_fileobj(upload, self._bucket, self._key(descriptor.digest), Config=_TRANSFER)

    def push_manifest(self, manifest: Manifest, tag: str | None = None) -> None:
        """See ``ports.Target``. A tag is not kept."""
        del tag
        complete = all(self.has_blob(blob) for blob in blobs_of(manifest)) and all(
            self.find_manifest(child.digest) for child in children_of(manifest)
        )
        if not complete:
            raise TargetIncomplete("The quarantine misses a part of the manifest.")
        with translated("S3"):
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._key(manifest.digest),
                Body=manifest.content,
                ContentType=manifest.descriptor.media_type,
            )

    def _size(self, digest: Digest) -> int | None:
        with translated("S3"):
            try:
                return self._client.head_object(Bucket=self._bucket, Key=self._key(digest))["ContentLength"]
            except ClientError as error:
                if error_code(error) in _ABSENT:
                    return None
                raise

    @contextmanager
    def _get(self, digest: Digest) -> Iterator[tuple[StreamingBody, str]]:
        with translated("S3"):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=self._key(digest))
            except ClientError as error:
                if error_code(error) in _ABSENT:
                    raise ReferenceNotFound("The quarantine doesn't hold this content any more.") from error
                raise
        with found["Body"] as body:
            yield body, found["ContentType"]

    def _key(self, digest: Digest) -> str:
        return f"{self._prefix}/{digest.algorithm}/{digest.hex}"
