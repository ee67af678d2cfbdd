"""Repositories of the desk's registry: blobs, uploads, manifests and tags, in memory or on disk.

On disk every repository is an OCI image layout (image-spec, image-layout.md) in a folder of its own, ``+`` standing for
the slashes of its name. So a folder of layouts made elsewhere can be served as it is, and other tools read what was
pushed.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from local.registry.layout import read_index, write_index
from local.registry.messages import BLOCK, Disconnected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from local.registry.manifests import Manifest


class Blob(Protocol):
    """Bytes at rest."""

    @property
    def size(self) -> int:
        """How many they are."""
        ...

    def blocks(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from ``start`` up to ``stop``, in blocks of at most 1 MiB."""
        ...


@dataclass(frozen=True)
class MemoryBlob:
    """A blob in memory."""

    content: bytes | bytearray

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return len(self.content)

    def blocks(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from ``start`` up to ``stop``, in blocks of at most 1 MiB."""
        view = memoryview(self.content)
        for at in range(start, stop, BLOCK):
            yield bytes(view[at : min(at + BLOCK, stop)])


@dataclass(frozen=True)
class DiskBlob:
    """A blob in a file."""

    path: Path
    size: int

    def blocks(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from ``start`` up to ``stop``, in blocks of at most 1 MiB."""
        with self.path.open("rb") as file:
            file.seek(start)
            while start < stop and (block := file.read(min(BLOCK, stop - start))):
                start += len(block)
                yield block


class Upload:
    """An upload session: the bytes so far, hashed as they came. ``lock`` is held by whoever adds to them."""

    def __init__(self, repository: str, algorithm: str, path: Path | None) -> None:
        """``path`` is where the bytes go; ``None`` keeps them in memory."""
        self.session = str(uuid.uuid4())
        self.repository = repository
        self.lock = threading.Lock()
        self.size = 0
        self.parts: list[int] = []
        """The sizes of the chunks so far, where they matter."""
        self.open = True
        self._algorithm = algorithm
        self._hash = hashlib.new(algorithm)
        self._content = bytearray()
        self.path = path / self.session if path else None
        self._file: BinaryIO | None = self.path.open("xb") if self.path else None

    def append(self, block: bytes) -> None:
        """Add ``block``. Raises ``Disconnected`` when the session has ended meanwhile."""
        if not self.open:
            raise Disconnected
        self._hash.update(block)
        if self._file:
            self._file.write(block)
        else:
            self._content += block
        self.size += len(block)

    def matches(self, digest: str) -> bool:
        """Whether the bytes so far have ``digest``. One of another algorithm than expected costs a second look."""
        algorithm, _, encoded = digest.partition(":")
        if algorithm == self._algorithm:
            return self._hash.hexdigest() == encoded
        hashed = hashlib.new(algorithm)
        for block in self.blob().blocks(0, self.size):
            hashed.update(block)
        return hashed.hexdigest() == encoded

    def blob(self) -> MemoryBlob | DiskBlob:
        """The bytes so far."""
        if self._file and self.path:
            self._file.flush()
            return DiskBlob(self.path, self.size)
        return MemoryBlob(self._content)

    def close(self) -> None:
        """End the session. What nobody has taken is dropped."""
        self.open = False
        if self._file and self.path:
            self._file.close()
            self.path.unlink(missing_ok=True)
        self._content = bytearray()


class Repository:
    """One repository. ``lock`` is held around every look at more than one of its parts."""

    def __init__(self, name: str, folder: Path | None = None) -> None:
        self.name = name
        self.lock = threading.RLock()
        self.manifests: dict[str, Manifest] = {}
        self.tags: dict[str, str] = {}
        self._blobs: dict[str, Blob] = {}
        self._folder = folder
        if folder and (folder / "index.json").is_file():
            read_index(folder, self.manifests, self.tags)

    def blob(self, digest: str) -> Blob | None:
        """The blob, or the manifest as a blob, of this ``digest``."""
        if not self._folder:
            return self._blobs.get(digest)
        path = self._path(digest)
        try:
            return DiskBlob(path, path.stat().st_size)
        except FileNotFoundError:
            return None

    def add_upload(self, digest: str, upload: Upload) -> None:
        """Take what an upload brought."""
        if self._folder and upload.path:
            upload.blob()  # writes out what is still buffered
            self._path(digest, make=True)
            upload.path.replace(self._path(digest))
        else:
            self._blobs[digest] = upload.blob()

    def add_blob(self, digest: str, blob: Blob) -> None:
        """Take a blob of another repository, or one that was made here."""
        if not self._folder:
            self._blobs[digest] = blob
            return
        path = self._path(digest, make=True)
        coming = path.with_name(f"{path.name}.{uuid.uuid4()}")
        with coming.open("xb") as file:
            file.writelines(blob.blocks(0, blob.size))
        coming.replace(path)

    def remove_blob(self, digest: str) -> bool:
        """Forget a blob. Returns whether it was there."""
        with self.lock:
            known = self.blob(digest) is not None
            if known and self._folder:
                self._path(digest).unlink(missing_ok=True)
            self._blobs.pop(digest, None)
            return known

    def add_manifest(self, manifest: Manifest, tags: list[str]) -> None:
        """Store a manifest, and point ``tags`` to it."""
        with self.lock:
            self.add_blob(manifest.digest, MemoryBlob(manifest.content))
            self.manifests[manifest.digest] = manifest
            self.tags.update(dict.fromkeys(tags, manifest.digest))
            self._save()

    def tags_of(self, digest: str) -> list[str]:
        """The tags that point to ``digest``."""
        with self.lock:
            return [tag for tag, target in self.tags.items() if target == digest]

    def remove_manifest(self, digest: str) -> bool:
        """Forget a manifest and the tags that point to it. Returns whether it was there."""
        with self.lock:
            if self.manifests.pop(digest, None) is None:
                return False
            self.tags = {tag: target for tag, target in self.tags.items() if target != digest}
            self.remove_blob(digest)
            self._save()
            return True

    def remove_tag(self, tag: str) -> bool:
        """Forget a tag. Returns whether it was there."""
        with self.lock:
            known = self.tags.pop(tag, None) is not None
            if known:
                self._save()
            return known

    def _save(self) -> None:
        if self._folder:
            write_index(self._folder, self.manifests, self.tags)

    def _path(self, digest: str, *, make: bool = False) -> Path:
        algorithm, _, encoded = digest.partition(":")
        folder = (self._folder or Path()) / "blobs" / algorithm
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        return folder / encoded


class Store:
    """All repositories, and the uploads under way."""

    def __init__(self, directory: Path | None = None) -> None:
        """``directory`` is where repositories are kept, and is made if need be; ``None`` keeps all in memory."""
        self._directory = directory
        self._lock = threading.Lock()
        self._repositories: dict[str, Repository] = {}
        self._uploads: dict[str, Upload] = {}
        self._coming = directory / ".uploads" if directory else None
        if self._coming:
            shutil.rmtree(self._coming, ignore_errors=True)  # uploads end with the registry that took them
            self._coming.mkdir(parents=True)

    def repository(self, name: str) -> Repository | None:
        """The repository ``name``, or ``None`` when nothing was ever pushed to it."""
        with self._lock:
            folder = self._folder(name)
            if name not in self._repositories and folder and folder.is_dir():
                self._repositories[name] = Repository(name, folder)
            return self._repositories.get(name)

    def repositories(self) -> list[Repository]:
        """The repositories in use since the start."""
        with self._lock:
            return list(self._repositories.values())

    def make(self, name: str) -> Repository:
        """The repository ``name``, which comes to be with the first push."""
        known = self.repository(name)
        with self._lock:
            return known or self._repositories.setdefault(name, Repository(name, self._folder(name)))

    def start(self, repository: str, algorithm: str = "sha256") -> Upload:
        """A new upload to ``repository``, hashed by ``algorithm``."""
        upload = Upload(repository, algorithm, self._coming)
        with self._lock:
            self._uploads[upload.session] = upload
        return upload

    def upload(self, repository: str, session: str) -> Upload | None:
        """The upload ``session`` to ``repository`` if it is under way."""
        with self._lock:
            upload = self._uploads.get(session)
        return upload if upload and upload.repository == repository else None

    def end(self, upload: Upload) -> None:
        """End an upload; what was not added to its repository is dropped."""
        with self._lock:
            self._uploads.pop(upload.session, None)
        upload.close()

    def close(self) -> None:
        """Drop the uploads under way."""
        for upload in list(self._uploads.values()):
            self.end(upload)

    def _folder(self, name: str) -> Path | None:
        return self._directory / name.replace("/", "+") if self._directory else None
