"""Files as a layer: the same files make the same tar, whoever packs them, in whatever order, on whatever machine.

Left out is all that machines differ in: owners, times, modes, the order of folders, the form of accents in names.
"""

from __future__ import annotations

import io
import tarfile
import unicodedata
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from byoa.content.archive import File

FOR_ALL: Final = 0o644
FOR_THE_OWNER: Final = 0o600
_FOLDER: Final = 0o755
_END: Final = 2 * tarfile.BLOCKSIZE
"""Bytes of zeros. oras reads no more of them, and takes the padding that tarfile adds for a wrong digest."""


def tar(files: Iterable[File], mode: int = FOR_ALL) -> bytes:
    """The files by their names, each folder before what is in it: oras makes none that has no entry.

    The format is POSIX pax: what a name can't say in ustar stands in an extension before its header.
    """
    named = [(unicodedata.normalize("NFC", file.path), file.content) for file in files]
    folders = {str(folder) for name, _ in named for folder in PurePosixPath(name).parents} - {"."}
    entries: list[tuple[str, bytes | None]] = [*named, *((folder, None) for folder in folders)]
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8") as archive:
        for name, text in sorted(entries, key=lambda entry: entry[0]):
            header = tarfile.TarInfo(name)
            if text is None:
                header.type, header.mode = tarfile.DIRTYPE, _FOLDER
            else:
                header.size, header.mode = len(text), mode
            archive.addfile(header, io.BytesIO(text) if text else None)
        end = archive.offset + _END
    return content.getvalue()[:end]
