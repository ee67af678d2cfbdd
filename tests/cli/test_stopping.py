"""How a command ends before its end: Ctrl-C, streams that take nothing, places that can't be written to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.demo import ARTIFACTS
from tests.scripted import Scripted
from tests.terminal import BYOA, byoa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.registry import Request, Response

FLUX = f"oci-layout:{ARTIFACTS / 'flux'}"
ROOT = Path(__file__).parents[2]


class Silent(Scripted):
    """A registry that has what it is asked for, and doesn't get to send its blobs until it is let."""

    def __init__(self) -> None:
        self.asked, self.let = threading.Event(), threading.Event()
        super().__init__()

        def script(request: Request) -> Response | None:
            if "/blobs/" in request.path and request.method == "GET":
                self.asked.set()
                self.let.wait(60)
            return None

        self.script = script


@pytest.fixture
def silent() -> Iterator[Silent]:
    with Silent() as made:
        byoa("mirror", FLUX, f"oci://{made.address}/app:v1", "--plain-http", made.address)
        yield made
        made.let.set()


def interrupted(child: subprocess.Popen[str]) -> tuple[int, str]:
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=10)
    return child.returncode, said


def start(*command: str, **variables: str) -> subprocess.Popen[str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **variables}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )


@pytest.mark.parametrize("many", [False, True], ids=["one", "many"])
def test_ctrl_c_ends_a_mirror_at_once_with_a_line(silent: Silent, tmp_path: Path, *, many: bool) -> None:
    pair = (f"oci://{silent.address}/app:v1", f"oci-layout:{tmp_path / 'copy'}:v1")
    (tmp_path / "list.txt").write_text(" ".join(pair))
    what = ("--from", str(tmp_path / "list.txt")) if many else pair
    child = start(BYOA, "mirror", *what, "--plain-http", silent.address, "--json")
    assert silent.asked.wait(30)
    code, said = interrupted(child)
    assert (code, said) == (130, "interrupted: what was copied stays; run it again to go on\n")
    assert not silent.let.is_set(), "nobody waited for the answer"


def test_ctrl_c_ends_any_command_with_a_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        child = start(BYOA, "resolve", f"oci://{address}/app:v1", "--plain-http", address)
        peer, _ = listening.accept()
        with peer:
            assert interrupted(child) == (130, "interrupted\n")


FOLLOWING = """
import sys
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.components.reading import check_config
from byoa_cli import main
from byoa_cli.commands import Group, command
from byoa_cli.following import follow

ledger = MemoryLedger(SteppingClock())
text = 'name = "web"\\ntype = "kubernetes_manifest"\\nnamespace = "vendor"\\nmanifest = "a: 1"\\n'
config = check_config(text).config

@command()
def sync() -> int:
    \"\"\"Follow a build that never begins.\"\"\"
    follow([ledger.submit("org_demo00000000", "shop", config).build], ledger, 60, shown=True)

main.root = lambda: Group("", {"sync": sync})
sys.argv = ["byoa", "sync"]
main.run()
"""


def test_ctrl_c_while_builds_are_followed_says_that_they_go_on() -> None:
    child = start(sys.executable, "-c", FOLLOWING, PYTHONPATH=str(ROOT))
    assert child.stderr
    assert child.stderr.readline().startswith("building component")
    code, said = interrupted(child)
    shown = "`byoa builds list --org org_demo00000000 --app shop`"
    assert (code, said) == (130, f"interrupted: the builds go on; see them with {shown}\n")


@pytest.mark.parametrize(
    "arguments",
    [("schema",), ("--help",), ("mirror", "--help"), ("--version",), ("resolve", FLUX), ("inspect", FLUX, "--json")],
    ids=" ".join,
)
def test_a_stream_that_is_full_is_a_sentence(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([BYOA, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "ignored" not in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("what", [f"resolve {FLUX}", "resolve oci-layout:nope", "mirror --from -"])
def test_a_stream_that_is_closed_is_no_matter(closed: str, what: str) -> None:
    done = subprocess.run(["sh", "-c", f"{BYOA} {what} {closed}"], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr


def test_who_reads_no_more_ends_it_quietly() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([BYOA, "schema"], stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (3, "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-16", "utf-8"])
def test_an_encoding_that_lacks_letters_stops_nothing(encoding: str) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONIOENCODING": encoding}
    for arguments in (("inspect", FLUX), ("mirror", "--help"), ("resolve", "oci-layout:nöpe")):
        done = subprocess.run([BYOA, *arguments], capture_output=True, env=environment, check=False)
        assert done.returncode in (0, 1)
        assert b"Traceback" not in done.stderr


def test_a_defect_is_a_sentence_and_a_traceback_for_who_asks() -> None:
    script = "import sys\nfrom byoa_cli import main\nmain.root = None\nsys.argv = ['byoa']\nmain.run()"
    for variables, word in (({}, "InternalFault"), ({"BYOA_TRACEBACK": "1"}, "Traceback")):
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, env={**os.environ, **variables}, check=False
        )
        assert done.returncode != 0
        assert word in done.stderr
        assert ("Traceback" in done.stderr) == (word == "Traceback")
