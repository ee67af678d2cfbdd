from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local import desk
from local.processes import DeskError

if TYPE_CHECKING:
    from collections.abc import Callable

    type Build = Callable[[Path, list[str]], None]


@pytest.fixture
def sam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Build], None]:
    """Lets `sam build` be what the test says, given the folder of the build and what the cache is known to hold."""
    monkeypatch.setattr(desk, "STATE", tmp_path / "state")

    def be(build: Build) -> None:
        def run(arguments: list[str], _endpoint: str) -> str:
            folder = Path(arguments[arguments.index("--build-dir") + 1])
            note = folder.parent / "build.toml"
            known = note.read_text().split() if note.exists() else []
            build(folder, known)
            note.write_text(" ".join([*known, folder.parent.name]))
            return ""

        monkeypatch.setattr(desk, "sam", run)

    return be


def folders(tmp_path: Path, *names: str) -> list[Path]:
    made = [tmp_path / name for name in names]
    for each in made:
        each.mkdir()
    return made


def test_a_desk_knows_what_the_builds_before_it_left_in_the_cache(sam: Callable[[Build], None], tmp_path: Path) -> None:
    known: list[list[str]] = []
    sam(lambda _folder, found: known.append(found))
    one, two, three = folders(tmp_path, "one", "two", "three")
    assert desk.build(one, "") == one / "build" / "template.yaml"
    desk.build(two, "")
    desk.build(three, "")
    assert known == [[], ["one"], ["one", "two"]]


def test_what_failed_to_build_is_not_known(sam: Callable[[Build], None], tmp_path: Path) -> None:
    known: list[list[str]] = []

    def build(folder: Path, found: list[str]) -> None:
        known.append(found)
        if folder.parent.name == "broken":
            raise DeskError("`sam build` failed.", "Look.")

    sam(build)
    one, broken, three = folders(tmp_path, "one", "broken", "three")
    desk.build(one, "")
    with pytest.raises(DeskError):
        desk.build(broken, "")
    desk.build(three, "")
    assert known == [[], ["one"], ["one"]]


def test_one_desk_builds_at_a_time(sam: Callable[[Build], None], tmp_path: Path) -> None:
    begun, go_on, order = threading.Event(), threading.Event(), list[str]()

    def build(folder: Path, _found: list[str]) -> None:
        order.append(f"{folder.parent.name} begins")
        if folder.parent.name == "one":
            begun.set()
            assert go_on.wait(10)
        order.append(f"{folder.parent.name} ends")

    sam(build)
    one, two = folders(tmp_path, "one", "two")
    threads = [threading.Thread(target=desk.build, args=(folder, "")) for folder in (one, two)]
    threads[0].start()
    assert begun.wait(10)
    threads[1].start()
    threads[1].join(0.2)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert order == ["one begins", "one ends", "two begins", "two ends"]
