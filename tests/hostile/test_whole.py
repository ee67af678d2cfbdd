"""The data has every row of the threats' groups A, B and C, and what it names as a test is one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from byoa.components.reading import check_config
from tests.hostile.rows import FOLDER, named, rows

ROOT: Final = Path(__file__).parents[2]
IDS: Final = {
    "A": (1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19, 21, 22, 23, 25, 26, 27, 29, 30, 31),
    "B": (
        *(1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19, 21, 22, 23, 25, 26, 27, 29, 30, 31, 33, 34, 35, 37),
        *(38, 39),
    ),
    "C": (1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19, 21, 22, 23, 25, 26, 27),
}
"""As they are numbered; the numbers have gaps."""

ALL: Final = [row for path in sorted(FOLDER.glob("*.toml")) for row in rows(path.name)]


def test_every_row_is_in_the_data() -> None:
    assert {row["id"] for row in ALL} == {f"{group}{number}" for group, numbers in IDS.items() for number in numbers}


PLAYED: Final = {"addresses", "at", "challenge", "components", "refs", "same", "url", "urls"}
"""What a row of the data is played with."""


def test_every_row_is_played_or_tested_elsewhere_or_about_nothing_that_there_is() -> None:
    assert [named(row) for row in ALL if not row.keys() & {*PLAYED, "tested", "none"}] == []


@pytest.mark.parametrize("row", [row for row in ALL if "tested" in row], ids=named)
def test_what_a_row_names_as_its_test_is_one(row: dict[str, str]) -> None:
    file, _, name = row["tested"].partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.MULTILINE)


@pytest.mark.parametrize("field", ["target", "targets", "mirror", "destination", "registry"])
def test_no_config_names_a_target(field: str) -> None:
    head = 'name = "web"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\n'
    artifact = '[oci_artifact]\nurl = "oci://reg.example.com/a"\ntag = "v1"\n'
    assert check_config(head + artifact).config
    assert check_config(f'{head}{field} = "oci://10.0.0.5/x"\n{artifact}').config is None
    assert check_config(f'{head}{artifact}{field} = "oci://10.0.0.5/x"\n').config is None
