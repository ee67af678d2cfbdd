"""An OCI image layout in a folder: a Source and a Target (image-spec, image-layout.md).

The folder may be a stranger's: nothing in it is opened but regular files, and none is read beyond what it may have.
Links are followed, because tools make layouts of them; digests say whether they lead to what was meant.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from byoa.adapters.registries.files import open_file, read_file
from byoa.engine.ports import Tags
from byoa.engine.verifying import block
from byoa.errors import GraphLimit, ManifestInvalid, ReferenceInvalid, ReferenceNotFound, TargetIncomplete
from byoa.oci.digest import Digest
from byoa.oci.graph import blobs_of, children_of, described
from byoa.oci.manifest import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    MANIFEST_LIMIT,
    OCI_INDEX,
    OCI_MANIFEST,
    Manifest,
    read_manifest,
)
from byoa.oci.reference import is_tag
from byoa.oci.tagschema import is_attachment_tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.engine.ports import BlobReader, Fate, Offer, Upload
    from byoa.oci.manifest import Descriptor

_VERSION: Final = {"imageLayoutVersion": "1.0.0"}
_NAME: Final = "org.opencontainers.image.ref.name"


@dataclass(frozen=True, slots=True)
class _FileReader:
    file: int

    def readinto(self, buffer: memoryview, /) -> int:
        try:
            return os.readv(self.file, [buffer])
        except OSError as error:
            raise ManifestInvalid("A file of the layout can't be read.") from error


@dataclass(frozen=True, slots=True)
class _Slot:
    """A blob's file, written under a name of its own first, so that a broken copy leaves nothing behind."""

    place: Path
    held: int = 0
    session: str | None = None

    def reread(self) -> None:
        """Nothing is held."""

    def write(self, content: BlobReader) -> None:
        """See ``engine.ports.Upload``."""
        self.place.parent.mkdir(parents=True, exist_ok=True)
        buffer = block()
        with tempfile.NamedTemporaryFile(dir=self.place.parent, prefix=".part-", delete_on_close=False) as file:
            while count := content.readinto(buffer):
                file.write(buffer[:count])
            file.close()
            Path(file.name).rename(self.place)


class LayoutRepository:
    """A folder with ``oci-layout``, ``index.json`` and ``blobs/``; made on the first write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    @property
    def requests(self) -> int:
        """None: a folder is no registry."""
        return 0

    def fetch_manifest(self, name: str | Digest) -> Manifest:
        """See ``engine.ports.Source``."""
        entry = self._entry(name)
        digest = name if isinstance(name, Digest) else _digest_of(entry)
        content = read_file(self._blob(digest), MANIFEST_LIMIT)
        if content is None:
            raise ReferenceNotFound("The layout has no such manifest.")
        return read_manifest(content, str(entry.get("mediaType") or _media_type(content)), expected=digest)

    @property
    def place(self) -> None:
        """Nowhere that a registry could mount from."""

    @property
    def heads_are_free(self) -> bool:
        """No: both read the same."""
        return False

    def check_push(self) -> None:
        """Whoever may write to it may."""

    def all_tags(self) -> Tags:
        """See ``engine.ports.Repository``."""
        named = {name for entry in self._entries() if (name := _tag_of(entry))}
        tags = tuple(sorted(filter(is_tag, named)))
        return Tags(tags, len(named) - len(tags))

    def referrers(self, subject: Digest) -> tuple[Descriptor, ...]:
        """See ``engine.ports.Source``: the manifests in index.json that name ``subject``."""
        found: dict[Digest, Descriptor] = {}
        for digest in dict.fromkeys(map(_digest_of, self._entries())):
            manifest = self.fetch_manifest(digest)
            if manifest.subject and manifest.subject.digest == subject:
                found[manifest.digest] = described(manifest)
        return tuple(found.values())

    @contextmanager
    def open_blob(self, descriptor: Descriptor, start: int = 0) -> Iterator[BlobReader]:
        """See ``engine.ports.Source``."""
        file = open_file(self._blob(descriptor.digest))
        if file is None:
            raise ReferenceNotFound("The layout has no such blob.")
        try:
            os.lseek(file, start, os.SEEK_SET)
            yield _FileReader(file)
        finally:
            os.close(file)

    def find_manifest(self, name: str | Digest) -> Digest | None:
        """See ``engine.ports.Target``."""
        try:
            return self.fetch_manifest(name).digest
        except ReferenceNotFound:
            return None

    def has_blob(self, descriptor: Descriptor) -> bool:
        """See ``engine.ports.Target``."""
        return self._blob(descriptor.digest).is_file()

    def offer_blob(self, descriptor: Descriptor, offer: Offer) -> Fate | Upload:
        """See ``engine.ports.Target``."""
        if not offer.unasked and self.has_blob(descriptor):
            return "skipped"
        return _Slot(self._blob(descriptor.digest))

    def push_manifest(self, manifest: Manifest, tag: str | None = None) -> None:
        """See ``engine.ports.Target``."""
        parts = (*blobs_of(manifest), *children_of(manifest))
        if not all(self._blob(part.digest).is_file() for part in parts):
            raise TargetIncomplete("The layout misses a part of the manifest.")
        place = self._blob(manifest.digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        _replace(place, manifest.content)
        if tag or manifest.subject:
            self._list(manifest, tag)

    def only_tag(self) -> str:
        """The one tag of the layout, those of signatures apart.

        Raises ``ReferenceInvalid`` where there are several or none.
        """
        tags = [tag for tag in self.all_tags().names if not is_attachment_tag(tag)]
        if len(tags) != 1:
            raise ReferenceInvalid(
                f"The layout holds {len(tags)} tags, so one must be named.", remedy="Write oci-layout:FOLDER:TAG."
            )
        return tags[0]

    def _list(self, manifest: Manifest, tag: str | None) -> None:
        """Name the manifest in index.json, by ``tag`` or just as being there: referrers are found so."""
        entry: dict[str, object] = {
            "mediaType": manifest.descriptor.media_type,
            "digest": str(manifest.digest),
            "size": manifest.descriptor.size,
            **({"annotations": {_NAME: tag}} if tag else {}),
        }
        with self._lock:
            entries = self._entries()
            if not tag and any(each.get("digest") == entry["digest"] for each in entries):
                return
            kept = [each for each in entries if tag is None or _tag_of(each) != tag]
            index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [*kept, entry]}
            content = json.dumps(index).encode()
            if len(content) > MANIFEST_LIMIT:
                raise GraphLimit("The layout's index.json is full.", remedy="Mirror into several layouts.")
            _replace(self._folder / "oci-layout", json.dumps(_VERSION).encode())
            _replace(self._folder / "index.json", content)

    def _entries(self) -> list[dict[str, object]]:
        content = read_file(self._folder / "index.json", MANIFEST_LIMIT)
        if content is None:
            return []
        if len(content) > MANIFEST_LIMIT:
            raise ManifestInvalid("The layout's index.json is larger than 4 MiB.")
        try:
            return [dict(entry) for entry in json.loads(content)["manifests"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ManifestInvalid("The layout's index.json is not an index.") from None

    def _entry(self, name: str | Digest) -> dict[str, object]:
        """What index.json says under a tag; of a digest it need not know anything."""
        for entry in self._entries():
            if name == _tag_of(entry) or str(name) == entry.get("digest"):
                return entry
        if isinstance(name, Digest):
            return {}
        raise ReferenceNotFound("The layout has no such tag.")

    def _blob(self, digest: Digest) -> Path:
        return self._folder / "blobs" / digest.algorithm / digest.hex


def _digest_of(entry: dict[str, object]) -> Digest:
    return Digest.parse(str(entry.get("digest")), malformed=ManifestInvalid)


def _tag_of(entry: dict[str, object]) -> str | None:
    annotations = entry.get("annotations")
    value = annotations.get(_NAME) if isinstance(annotations, dict) else None
    return value if isinstance(value, str) else None


def _media_type(content: bytes) -> str:
    """What a manifest is where nothing beside it says so: what it calls itself, else an OCI type by its shape."""
    try:
        document = json.loads(content)
        stated = document.get("mediaType")
    except (ValueError, AttributeError, RecursionError):
        return OCI_MANIFEST
    if stated in (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST):
        return str(stated)
    return OCI_INDEX if "manifests" in document else OCI_MANIFEST


def _replace(place: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".part-", delete_on_close=False) as file:
        file.write(content)
        file.close()
        Path(file.name).rename(place)
