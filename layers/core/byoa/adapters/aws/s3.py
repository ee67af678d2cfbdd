"""The quarantine: content by digest in a bucket, under one prefix per organisation. A Source and a Target.

Manifests are kept apart from blobs: what somebody had fetched as a blob is no manifest, whatever its digest is.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from byoa.adapters.aws.objects import Nothing, ObjectReader, PartsReader
from byoa.adapters.aws.refusals import error_code, translated
from byoa.errors import ReferenceInvalid, ReferenceNotFound, TargetIncomplete, UploadLost
from byoa.oci.digest import Digest
from byoa.oci.graph import blobs_of, children_of
from byoa.oci.manifest import MANIFEST_LIMIT, Manifest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

    from byoa.engine.ports import BlobReader, Fate, Offer, Upload
    from byoa.oci.manifest import Descriptor

_PART: Final = 8 * 1024 * 1024
"""Bytes of a part, which is held in memory: S3 wants 5 MiB at least. What is smaller goes in one piece."""

FRESH: Final = timedelta(days=3)
"""How old content may be to be relied on again. The bucket keeps it for seven days, so what a manifest that is this
young refers to, itself this young when that was written, is there for another day.
"""

_CHANGED: Final = frozenset({"412", "PreconditionFailed"})
_ABSENT: Final = frozenset({"404", "NoSuchKey", "NotFound"})


class _Slot:
    """An upload into the quarantine: small blobs in one piece, others in parts that stay when the process goes.

    Parts are objects of their own, because those of a multipart upload can't be read again, and a later process has to:
    the digest is the whole blob's.
    """

    session: str | None = None

    def __init__(self, quarantine: Quarantine, descriptor: Descriptor, parts: list[str]) -> None:
        """``parts`` are the ETags of those that an earlier try left, in order."""
        self._quarantine = quarantine
        self._descriptor = descriptor
        self._parts = parts

    @property
    def held(self) -> int:
        """See ``engine.ports.Upload``."""
        return min(len(self._parts) * _PART, self._descriptor.size)

    @contextmanager
    def reread(self) -> Iterator[BlobReader]:
        """See ``engine.ports.Upload``."""
        digest = self._descriptor.digest
        opened = partial(self._quarantine.open_part, digest)
        with closing(PartsReader(lambda part: opened(part, self._parts[part]), len(self._parts))) as reader:
            yield reader

    def write(self, content: BlobReader) -> None:
        """See ``engine.ports.Upload``. The last part is stored when all are verified, and then they become one object.

        Another copy of the same blob writes to the same places; an ETag holds each part to the bytes that were hashed.
        """
        digest, size = self._descriptor.digest, self._descriptor.size
        if size <= _PART:
            self._quarantine.put(digest, _read(content, size))
            return
        parts = list(self._parts)
        for start in range(len(parts) * _PART, size, _PART):
            part = _read(content, min(_PART, size - start))
            parts.append(self._quarantine.put_part(digest, start // _PART, part))
        self._quarantine.assemble(digest, parts)


def _read(content: BlobReader, size: int) -> bytes:
    """Exactly ``size`` bytes; ``content`` raises where there are fewer."""
    found = bytearray(size)
    view, count = memoryview(found), 0
    while count < size or size == 0:
        more = content.readinto(view[count:])
        count += more
        if more == 0:
            break
    return bytes(found)


@contextmanager
def _parts_there() -> Iterator[None]:
    """Raise ``UploadLost`` where a part is gone or changed: they expire, and other copies of the blob write there."""
    try:
        yield
    except ClientError as error:
        if error_code(error) in _ABSENT | _CHANGED:
            raise UploadLost("The quarantine doesn't hold a part of the blob any more.") from error
        raise


class Quarantine:
    """What one organisation has in quarantine. What was seen or stored there is not asked for again."""

    def __init__(self, client: S3Client, bucket: str, organisation: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = organisation
        self._seen: dict[str, int] = {}

    def fetch_manifest(self, name: str | Digest) -> Manifest:
        """See ``engine.ports.Source``. The quarantine has no tags: everything in it is pinned."""
        if not isinstance(name, Digest):
            raise ReferenceInvalid("The quarantine knows digests alone.")
        with self._get(self._manifest_key(name)) as (body, media_type):
            content = ObjectReader(body).read(MANIFEST_LIMIT)
        return read_manifest(content, media_type, expected=name)

    @contextmanager
    def open_blob(self, descriptor: Descriptor, start: int = 0) -> Iterator[BlobReader]:
        """See ``engine.ports.Source``."""
        if start and start >= descriptor.size:
            yield Nothing()
            return
        with self._get(self._key(descriptor.digest), start) as (body, _):
            yield ObjectReader(body)

    def referrers(self, subject: Digest) -> tuple[Descriptor, ...]:
        """See ``engine.ports.Source``: none. What is attached was found at the source and travels in the messages."""
        del subject
        return ()

    def find_manifest(self, name: str | Digest) -> Digest | None:
        """See ``engine.ports.Target``."""
        return name if isinstance(name, Digest) and self._size(self._manifest_key(name)) is not None else None

    def has_blob(self, descriptor: Descriptor) -> bool:
        """See ``engine.ports.Target``."""
        return self._size(self._key(descriptor.digest)) == descriptor.size

    def offer_blob(self, descriptor: Descriptor, offer: Offer) -> Fate | Upload:
        """See ``engine.ports.Target``."""
        if not offer.unasked and self.has_blob(descriptor):
            return "skipped"
        large = descriptor.size > _PART and not offer.anew
        return _Slot(self, descriptor, self._parts_of(descriptor) if large else [])

    def push_manifest(self, manifest: Manifest, tag: str | None = None) -> None:
        """See ``engine.ports.Target``. A tag is not kept."""
        del tag
        complete = all(self.has_blob(blob) for blob in blobs_of(manifest)) and all(
            self.find_manifest(child.digest) for child in children_of(manifest)
        )
        if not complete:
            raise TargetIncomplete("The quarantine misses a part of the manifest.")
        with translated("S3"):
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._manifest_key(manifest.digest),
                Body=manifest.content,
                ContentType=manifest.descriptor.media_type,
            )

    def _size(self, key: str) -> int | None:
        """The object's size; ``None`` also for one that may expire before what now relies on it."""
        if key in self._seen:
            return self._seen[key]
        with translated("S3"):
            try:
                found = self._client.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error_code(error) in _ABSENT:
                    return None
                raise
        if datetime.now(UTC) - found["LastModified"] >= FRESH:
            return None
        self._seen[key] = found["ContentLength"]
        return self._seen[key]

    def put(self, digest: Digest, content: bytes) -> None:
        """Store a blob in one piece."""
        with translated("S3"):
            self._client.put_object(Bucket=self._bucket, Key=self._key(digest), Body=content)
        self._seen[self._key(digest)] = len(content)

    def put_part(self, digest: Digest, part: int, content: bytes) -> str:
        """Store one part of a blob, by its number from 0 on; its ETag."""
        with translated("S3"):
            return self._client.put_object(Bucket=self._bucket, Key=self._part_key(digest, part), Body=content)["ETag"]

    def open_part(self, digest: Digest, part: int, etag: str) -> StreamingBody:
        """One part that was left; the caller closes it. Raises ``UploadLost`` where it isn't the one any more."""
        key = self._part_key(digest, part)
        with translated("S3"), _parts_there():
            return self._client.get_object(Bucket=self._bucket, Key=key, IfMatch=etag)["Body"]

    def assemble(self, digest: Digest, etags: list[str]) -> None:
        """Make one object of the parts that have these ETags, inside S3. It is seen when all of it is there."""
        key = self._key(digest)
        sources = [(self._part_key(digest, part), etag) for part, etag in enumerate(etags)]
        with translated("S3"), _parts_there():
            upload = self._client.create_multipart_upload(Bucket=self._bucket, Key=key)["UploadId"]
            parts: list[CompletedPartTypeDef] = []
            for number, (source, etag) in enumerate(sources, 1):
                made = self._client.upload_part_copy(
                    Bucket=self._bucket,
                    Key=key,
                    UploadId=upload,
                    PartNumber=number,
                    CopySource={"Bucket": self._bucket, "Key": source},
                    CopySourceIfMatch=etag,
                )
                parts.append({"PartNumber": number, "ETag": made["CopyPartResult"].get("ETag", "")})
            self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
            )

    def _parts_of(self, descriptor: Descriptor) -> list[str]:
        """The ETags of the whole parts, from the first on, that an earlier try left."""
        left: dict[str, tuple[int, str]] = {}
        with translated("S3"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._part_key(descriptor.digest, None)
            )
            for page in pages:
                left.update((each["Key"], (each["Size"], each["ETag"])) for each in page.get("Contents", []))
        found: list[str] = []
        while (due := min(_PART, descriptor.size - len(found) * _PART)) > 0:
            size, etag = left.get(self._part_key(descriptor.digest, len(found)), (0, ""))
            if size != due:
                break
            found.append(etag)
        return found

    @contextmanager
    def _get(self, key: str, start: int = 0) -> Iterator[tuple[StreamingBody, str]]:
        ranged: dict[str, Any] = {"Range": f"bytes={start}-"} if start else {}
        with translated("S3"):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=key, **ranged)
            except ClientError as error:
                if error_code(error) in _ABSENT:
                    raise ReferenceNotFound("The quarantine doesn't hold this content any more.") from error
                raise
        with closing(found["Body"]) as body:  # which as a context manager of its own is something else
            yield body, found["ContentType"]

    def _key(self, digest: Digest) -> str:
        return f"{self._prefix}/blobs/{digest.algorithm}/{digest.hex}"

    def _manifest_key(self, digest: Digest) -> str:
        return f"{self._prefix}/manifests/{digest.algorithm}/{digest.hex}"

    def _part_key(self, digest: Digest, part: int | None) -> str:
        """Under a prefix of its own; ``None`` is what the keys of all parts of a blob begin with."""
        number = "" if part is None else f"{part:06d}"
        return f"{self._prefix}/parts/{digest.algorithm}/{digest.hex}/{number}"
