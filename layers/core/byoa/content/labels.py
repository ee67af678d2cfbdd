"""Names of archive entries: labels to tell files apart, never paths to write to.

Refused is every name that some system would take for another place or for another entry's name, so that whoever
unpacks the artifact later finds the same files as we did.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import accumulate
from typing import Final

from byoa.errors import ArchiveEntryForbidden

_HERE: Final = re.compile(r"(?:\./)+")
_DRIVE: Final = re.compile(r"[A-Za-z]:")


class Labels:
    """The names seen so far in one archive: at most ``longest`` bytes each, within at most ``folders`` folders.

    Both methods take the name's bytes and the number that errors give the entry, and raise ``ArchiveEntryForbidden``
    for names that lead elsewhere, cannot be shown, or clash with an earlier one in any case or Unicode form.
    """

    def __init__(self, longest: int, folders: int) -> None:
        self._longest = longest
        self._most_folders = folders
        self._files: set[str] = set()
        self._folders: dict[str, str] = {}

    def add_file(self, raw: bytes, entry: int) -> str:
        """The normalised name of a file: without a leading ``./``."""
        name = self._normal(raw, entry)
        if not name:
            raise ArchiveEntryForbidden(f"Entry {entry} is a file without a name.")
        *parents, (key, _) = _prefixes(name)
        if key in self._files or key in self._folders:
            raise _clash(entry)
        self._enter(parents, entry)
        self._files.add(key)
        return name

    def add_folder(self, raw: bytes, entry: int) -> None:
        """Note a folder, which may be listed twice; the archive's own root may come as ``.`` or ``./``."""
        if raw.startswith(b"/"):
            raise ArchiveEntryForbidden(f"The name of entry {entry} is absolute.")
        name = self._normal(raw.rstrip(b"/"), entry)
        if not name:
            return
        self._enter(_prefixes(name), entry)

    def _enter(self, folders: list[tuple[str, str]], entry: int) -> None:
        for key, spelling in folders:
            if key in self._files or self._folders.setdefault(key, spelling) != spelling:
                raise _clash(entry)
        if len(self._folders) > self._most_folders:
            raise ArchiveEntryForbidden(f"The archive names more than {self._most_folders} folders.")

    def _normal(self, raw: bytes, entry: int) -> str:
        if len(raw) > self._longest:
            raise ArchiveEntryForbidden(f"The name of entry {entry} is longer than {self._longest} bytes.")
        try:
            name = raw.decode()
        except UnicodeDecodeError:
            raise ArchiveEntryForbidden(f"The name of entry {entry} is not UTF-8.") from None
        here = _HERE.match(name)
        name = name[here.end() :] if here else name
        if name in ("", "."):
            return ""
        fault = _fault(name)
        if fault:
            raise ArchiveEntryForbidden(f"The name of entry {entry} {fault}.")
        return name


def _fault(name: str) -> str:
    """What forbids ``name``, to follow "The name of entry 3"; empty for a good one."""
    if not name.isprintable():
        return "has characters that cannot be printed"
    if "\\" in name or _DRIVE.match(name):
        return "has a backslash or a drive letter"
    if name.startswith("/"):
        return "is absolute"
    segments = name.split("/")
    if ".." in segments:
        return "leads out of its folder"
    # Some systems drop spaces and dots at the end, so these would be twins of other names.
    if any(not part or part != part.strip() or part.endswith(".") for part in segments):
        return "has an empty part, or a part that begins or ends with a space or ends with a dot"
    return ""


def _prefixes(name: str) -> list[tuple[str, str]]:
    """Each leading part of ``name`` and last the whole of it, as (folded, spelled) pairs.

    Folded by Unicode's canonical caseless matching (The Unicode Standard, section 3.13, D145).
    """
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
    spelled = accumulate(name.split("/"), "{}/{}".format)
    return list(zip(accumulate(folded.split("/"), "{}/{}".format), spelled, strict=True))


def _clash(entry: int) -> ArchiveEntryForbidden:
    return ArchiveEntryForbidden(f"The name of entry {entry} clashes with that of an earlier entry.")
