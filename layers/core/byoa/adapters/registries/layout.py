"""An OCI image layout in a folder: a Source and a Target (image-spec, image-layout.md).

The folder may be a stranger's: nothing in it is opened but regular files, and none is read beyond what it may have.
Links are followed, because tools make layouts of them; digests say whether they lead to what was meant.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.adapters.registries.files import open_file, read_file, replacing, unreadable
from byoa.engine.ports import Tags, every
from byoa.engine.verifying import block
from byoa.errors import (
    GraphLimit,
    ManifestInvalid,
    ReferenceInvalid,
    ReferenceNotFound,
    ReferenceUnsupported,
    TargetIncomplete,
)
from byoa.oci.digest import Digest
from byoa.oci.graph import blobs_of, children_of, described
from byoa.oci.manifest import MANIFEST_LIMIT, OCI_INDEX, Manifest, read_manifest, served_type
from byoa.oci.reference import is_tag
from byoa.oci.tagschema import is_attachment_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.engine.ports import BlobReader, Fate, Offer, Upload
    from byoa.oci.manifest import Descriptor

_VERSION: Final = {"imageLayoutVersion": "1.0.0"}
_NAME: Final = "org.opencontainers.image.ref.name"
_SHOWN: Final = 10
"""Names that an error lists."""


class _FileReader(NamedTuple):
    file: int
    place: str

    def readinto(self, buffer: memoryview, /) -> int:
        try:
            return os.readv(self.file, [buffer])
        except OSError as error:
            raise unreadable(self.place, error) from error


class _Slot(NamedTuple):
    """A blob's file, written under a name of its own first, so that a broken copy leaves nothing behind."""

    place: str
    held: int = 0
    session: str | None = None

    def reread(self) -> None:
        """Nothing is held."""

    def write(self, content: BlobReader) -> None:
        """See ``engine.ports.Upload``."""
        buffer = block()
        with replacing(self.place) as file:
            while count := content.readinto(buffer):
                file.write(buffer[:count])


class LayoutRepository:
    """A folder with ``oci-layout``, ``index.json`` and ``blobs/``; made on the first write."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = os.fspath(folder)
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
        return read_manifest(content, served_type(content, str(entry.get("mediaType") or "")), expected=digest)

    @property
    def place(self) -> None:
        """Nowhere that a registry could mount from."""

    @property
    def heads_are_free(self) -> bool:
        """No: both read the same."""
        return False

    def check_push(self) -> None:
        """Whoever may write to it may."""

    def all_tags(self, wanted: Callable[[str], bool] = every, most: int | None = None) -> Tags:
        """See ``engine.ports.Repository``."""
        named = {name for entry in self._entries() if (name := _tag_of(entry))}
        tags = sorted(filter(is_tag, named))
        found = tuple(filter(wanted, tags))
        return Tags(found[:most], len(named) - len(tags), truncated=most is not None and len(found) > most)

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
            yield _FileReader(file, self._blob(descriptor.digest))
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
        return os.path.isfile(self._blob(descriptor.digest))

    def offer_blob(self, descriptor: Descriptor, offer: Offer) -> Fate | Upload:
        """See ``engine.ports.Target``."""
        if not offer.unasked and self.has_blob(descriptor):
            return "skipped"
        return _Slot(self._blob(descriptor.digest))

    def push_manifest(self, manifest: Manifest, tag: str | None = None) -> None:
        """See ``engine.ports.Target``."""
        parts = (*blobs_of(manifest), *children_of(manifest))
        if not all(os.path.isfile(self._blob(part.digest)) for part in parts):
            raise TargetIncomplete("The layout misses a part of the manifest.")
        _replace(self._blob(manifest.digest), manifest.content)
        if tag or manifest.subject:
            self._list(manifest, tag)

    def check_readable(self) -> None:
        """Raise ``ReferenceNotFound`` or ``ReferenceUnsupported`` where there is no layout to read."""
        if not os.path.exists(self._folder):
            raise ReferenceNotFound(f"There is no folder {self._folder}.", remedy="Name a folder that is there.")
        self.check_folder()
        if not os.path.exists(self._at("index.json")):
            raise ReferenceNotFound(
                f"The folder {self._folder} is no OCI layout: it has no index.json.",
                remedy="Name the folder that holds oci-layout, index.json and blobs/.",
            )

    def check_folder(self) -> None:
        """Raise ``ReferenceUnsupported`` where something else than a folder is in its place."""
        if os.path.exists(self._folder) and not os.path.isdir(self._folder):
            raise ReferenceUnsupported(
                f"{self._folder} is a file, and a layout is a folder.",
                remedy="Name a folder; an archive is unpacked first: mkdir layout && tar -xf FILE -C layout.",
            )

    def digest_of(self, name: str) -> Digest:
        """What is called ``name`` here, whatever that looks like. Raises ``ReferenceNotFound``."""
        return _digest_of(self._entry(name))

    def only(self) -> str | Digest:
        """The one artifact of the layout, by its name if it has one; signatures and what else is attached apart.

        Raises ``ReferenceInvalid`` where there are several or none.
        """
        own = [entry for entry in self._entries() if not is_attachment_tag(_tag_of(entry) or "")]
        names = list(dict.fromkeys(name for entry in own if (name := _tag_of(entry))))
        if len(names) == 1:
            return names[0]
        digests = [] if names else list(dict.fromkeys(map(_digest_of, own)))
        if len(digests) > 1:
            digests = [digest for digest in digests if self.fetch_manifest(digest).subject is None]
        if len(digests) == 1:
            return digests[0]
        raise _which(names or [str(digest) for digest in digests])

    def keep(self, digest: Digest) -> None:
        """Have index.json list a manifest that is here and has no name."""
        self._list(self.fetch_manifest(digest), None)

    def _list(self, manifest: Manifest, tag: str | None) -> None:
        """Name the manifest in index.json, by ``tag`` or just as being there: referrers are found so."""
        entry: dict[str, object] = {
            "mediaType": manifest.descriptor.media_type,
            "digest": str(manifest.digest),
            "size": manifest.descriptor.size,
            **({"annotations": {_NAME: tag}} if tag else {}),
        }
        with self._lock:
            document = self._index()
            entries = _listed(document)
            if not tag and any(each.get("digest") == entry["digest"] for each in entries):
                return
            kept = [each for each in entries if tag is None or _tag_of(each) != tag]
            index = {"schemaVersion": 2, "mediaType": OCI_INDEX, **document, "manifests": [*kept, entry]}
            content = json.dumps(index).encode()
            if len(content) > MANIFEST_LIMIT:
                raise GraphLimit("The layout's index.json is full.", remedy="Mirror into several layouts.")
            if not os.path.exists(self._at("oci-layout")):
                _replace(self._at("oci-layout"), json.dumps(_VERSION).encode())
            _replace(self._at("index.json"), content)

    def _index(self) -> dict[str, object]:
        """index.json as it stands; empty where there is none."""
        content = read_file(self._at("index.json"), MANIFEST_LIMIT)
        if content is None:
            return {}
        if len(content) > MANIFEST_LIMIT:
            raise ManifestInvalid("The layout's index.json is larger than 4 MiB.")
        try:
            document = json.loads(content)
            return {**document, "manifests": document["manifests"]}
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ManifestInvalid("The layout's index.json is not an index.") from None

    def _entries(self) -> list[dict[str, object]]:
        return _listed(self._index())

    def _entry(self, name: str | Digest) -> dict[str, object]:
        """What index.json says under a tag; of a digest it need not know anything."""
        for entry in self._entries():
            if name == _tag_of(entry) or str(name) == entry.get("digest"):
                return entry
        if isinstance(name, Digest):
            return {}
        raise ReferenceNotFound("The layout has nothing of that name.", remedy=f"It has {_some(self._names())}.")

    def _names(self) -> list[str]:
        return [_tag_of(entry) or str(entry.get("digest")) for entry in self._entries()]

    def _blob(self, digest: Digest) -> str:
        return self._at("blobs", digest.algorithm, digest.hex)

    def _at(self, *names: str) -> str:
        return os.path.join(self._folder, *names)


def _digest_of(entry: dict[str, object]) -> Digest:
    return Digest.parse(str(entry.get("digest")), malformed=ManifestInvalid)


def _tag_of(entry: dict[str, object]) -> str | None:
    annotations = entry.get("annotations")
    value = annotations.get(_NAME) if isinstance(annotations, dict) else None
    return value if isinstance(value, str) else None


def _listed(document: dict[str, object]) -> list[dict[str, object]]:
    """The entries of an index; writers in Go have ``null`` for none."""
    entries = document.get("manifests") or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ManifestInvalid("The layout's index.json is not an index.")
    return entries


def _which(names: list[str]) -> ReferenceInvalid:
    if not names:
        return ReferenceInvalid("The layout holds no artifact.", remedy="Mirror one into it, or name another layout.")
    return ReferenceInvalid(
        f"The layout holds {len(names)} artifacts, so one must be named: {_some(names)}.",
        remedy="Write oci-layout:FOLDER:NAME or oci-layout:FOLDER@DIGEST.",
    )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(name[:128] for name in names[:_SHOWN]) or "nothing") + more


def _replace(place: str, content: bytes) -> None:
    with replacing(place) as file:
        file.write(content)
