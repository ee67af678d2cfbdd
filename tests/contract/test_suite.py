"""How the suite runs with workers: a file's tests stay together, and so do those of folders that share a desk."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import group_of

ROOT = Path(__file__).parents[2]
FILES = ("tests/oci/test_platforms.py", "tests/oci/test_graph.py", "tests/content/test_packing.py")


def test_all_tests_of_a_file_are_one_worker_s() -> None:
    command = [sys.executable, "-m", "pytest", "-n", "2", "-v", "-v", "-p", "no:cacheprovider", *FILES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    found = re.findall(r"^\[(gw\d)\] .*PASSED ([^:]+)::", done.stdout, re.MULTILINE)
    assert {file for _, file in found} == set(FILES)
    assert len(set(found)) == len(FILES)


def test_what_shares_a_desk_is_one_worker_s_but_for_what_has_the_standard_ports() -> None:
    assert group_of("tests/e2e/test_api.py::test_it[a/b::c]") == group_of("tests/e2e/test_demo.py::test_it")
    assert group_of("tests/e2e/test_local_invoke.py::test_it") == "tests/e2e/test_local_invoke.py"
    assert group_of("tests/api/test_documented.py::test_it[line 1]") == "tests/api/test_documented.py"
