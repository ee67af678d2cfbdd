"""Bundles of the sizes and shapes that public projects install: read whole, in bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from bench.bundles import bundle, definition
from byoa.content.documents import DocumentLimits, read_resources
from byoa.errors import DocumentLimit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MIB = 1024 * 1024
CEILING_MIB = 256
PROGRAM = """
import re, sys
from pathlib import Path
from byoa.content.documents import read_resources
found = len(read_resources(Path(sys.argv[1]).read_bytes()))
print(found, int(re.search(r"VmHWM:\\s+([0-9]+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


def as_list(text: str) -> str:
    """The same objects as the items of one List."""
    items = [f"- {part.strip().replace('\n', '\n  ')}\n" for part in text.split("---\n")]
    return "apiVersion: v1\nkind: List\nitems:\n" + "".join(items)


def as_json(text: str) -> str:
    """Objects with their texts in one text, and each document as JSON, one after the other."""
    documents = (
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"a{number}"}, "data": {"text": part}}
        for number, part in enumerate(text.split("---\n"))
    )
    return "\n".join(json.dumps(document) for document in documents)


def templated(text: str) -> str:
    return text.replace("vendor.example\n", "{{ .nuon.install.id }}.example\n")


def with_line_ends(text: str) -> str:
    return text.replace("\n", "\r\n")


def read_apart(path: Path) -> tuple[int, int]:
    """How many objects a process of its own finds, and its peak in MiB."""
    command = [sys.executable, "-c", PROGRAM, str(path)]
    objects, peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return int(objects), int(peak)


@pytest.mark.parametrize("form", [str, as_list, as_json, templated, with_line_ends])
def test_20_mb_with_1000_objects_are_read_in_bounded_memory(form: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "bundle").write_text(form(bundle(20_000_000, 1000)), newline="")
    objects, peak = read_apart(tmp_path / "bundle")
    assert objects == 1000
    assert peak <= CEILING_MIB


def test_tens_of_megabytes_are_read_in_bounded_memory(tmp_path: Path) -> None:
    (tmp_path / "bundle").write_text(bundle(40_000_000, 2000))
    objects, peak = read_apart(tmp_path / "bundle")
    assert objects == 2000
    assert peak <= CEILING_MIB


def test_a_definition_of_many_mebibytes_leaves_little_behind() -> None:
    text = definition(1, 5 * MIB).encode()
    tracemalloc.start()
    (found,) = read_resources(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.kind == "CustomResourceDefinition"
    assert peak < len(text) + 2 * MIB


def test_thousands_of_small_documents_are_read() -> None:
    text = "".join(f"---\napiVersion: v1\nkind: A\nmetadata: {{name: a{number}}}\n" for number in range(15_000))
    assert len(read_resources(text.encode())) == 15_000


@pytest.mark.parametrize(
    "bomb",
    [
        "".join(f"a{level}: &a{level} {{<<: [*a{level - 1}, *a{level - 1}]}}\n" for level in range(1, 23)),
        "".join(f"a{level}: &a{level} [*a{level - 1}, *a{level - 1}]\n" for level in range(1, 60)),
        "".join(f"a{level}: &a{level} {{a: *a{level - 1}, b: *a{level - 1}}}\n" for level in range(1, 60)),
        "b: [" + "*a0, " * 500_000 + "]\n",
        "".join(f"a{level}: &a{level} {{<<: *a{level - 1}, b{level}: c}}\n" for level in range(1, 2_000)),
    ],
)
def test_a_bomb_is_stopped_by_what_it_would_expand_to_before_it_does(bomb: str) -> None:
    text = ("apiVersion: v1\nkind: A\nmetadata: {name: a}\na0: &a0 {x: y}\n" + bomb).encode()
    tracemalloc.start()
    with pytest.raises(DocumentLimit):
        read_resources(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * MIB


def test_aliases_that_lie_below_the_bounds_are_no_bomb() -> None:
    text = "apiVersion: v1\nkind: A\nmetadata: {name: a}\nx: &x {containers: [{image: web}]}\n"
    text += "".join(f"a{number}: {{<<: *x}}\n" for number in range(5_000))
    assert read_resources(text.encode())[0].images == ("web",)
    with pytest.raises(DocumentLimit):
        read_resources(text.encode(), DocumentLimits(expanded=20_000))
