"""Files as a layer: the same files make the same bytes, and what is packed is read again."""

from __future__ import annotations

import io
import tarfile
import unicodedata

import pytest

from byoa.content.archive import File, read_archive
from byoa.content.archiving import FOR_THE_OWNER, tar
from byoa.content.packing import gzip_stored
from byoa.errors import ArchiveEntryForbidden
from byoa.oci.digest import Digest

WEB, APP = File("web.yaml", b"a: 1\r\n"), File("sub/app.yaml", b"b: 2\n")


def test_the_digest_of_known_files_never_changes() -> None:
    layer = Digest.of(gzip_stored(tar([WEB, APP])))
    assert str(layer) == "sha256:919c8bb2d9bb1cc326041de60a17c54da9117a6615fe700ef7d5478e34022980"


def test_the_order_of_the_files_makes_no_difference() -> None:
    assert tar([WEB, APP]) == tar([APP, WEB])


def test_what_is_packed_is_read_again_byte_for_byte() -> None:
    assert list(read_archive([gzip_stored(tar([WEB, APP]))])) == [APP, WEB]


def test_nothing_of_the_machine_is_in_an_entry() -> None:
    with tarfile.open(fileobj=io.BytesIO(tar([WEB, APP]))) as archive:
        entries = [(each.name, each.mode, each.uid, each.gid, each.mtime, each.uname, each.gname) for each in archive]
    assert entries == [
        ("sub", 0o755, 0, 0, 0, "", ""),
        ("sub/app.yaml", 0o644, 0, 0, 0, "", ""),
        ("web.yaml", 0o644, 0, 0, 0, "", ""),
    ]


def test_a_layer_for_its_owner_alone_has_that_mode() -> None:
    with tarfile.open(fileobj=io.BytesIO(tar([WEB], FOR_THE_OWNER))) as archive:
        assert [each.mode for each in archive] == [0o600]


@pytest.mark.parametrize("name", ["Zoë.yaml", f"{'a' * 60}/{'b' * 60}/{'c' * 60}.yaml"], ids=["accent", "long"])
def test_a_name_that_ustar_cannot_say_is_read_again(name: str) -> None:
    assert [file.path for file in read_archive([tar([File(name, b"a: 1\n")])])] == [name]


def test_an_accent_has_one_form_whatever_the_file_system_makes_of_it() -> None:
    one, two = (File(unicodedata.normalize(form, "Zoë.yaml"), b"a: 1\n") for form in ("NFC", "NFD"))
    assert one != two
    assert tar([one]) == tar([two])
    with pytest.raises(ArchiveEntryForbidden):
        list(read_archive([tar([one, two])]))
