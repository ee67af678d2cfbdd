"""What `byoa push` notes of where manifests come from."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.cli.pushes import CONFIG, POD, manifest_of, push, write

if TYPE_CHECKING:
    from pathlib import Path

OUT = "oci-layout:out:v1"


def git(folder: Path, *arguments: str) -> str:
    if shutil.which("git") is None:
        pytest.skip("git is not on the PATH")
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    when = {"GIT_AUTHOR_DATE": "1700000000 +0900", "GIT_COMMITTER_DATE": "1700000000 +0900", "HOME": str(folder)}
    command = ["git", "-c", "init.defaultBranch=main", *arguments]
    return subprocess.check_output(command, cwd=folder, env={**os.environ, **who, **when}, text=True).strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    here = write(tmp_path, {"app/web.yaml": CONFIG})
    git(here, "init", "-q")
    git(here, "remote", "add", "origin", "git@github.com:vendor/app.git")
    git(here, "add", "app")
    git(here, "commit", "-q", "-m", "one")
    return here


def noted(here: Path, *arguments: str, stdin: bytes = b"") -> dict[str, str]:
    done = push(OUT, *arguments, folder=here, stdin=stdin)
    assert done.code == 0, done.err
    prefix = "org.opencontainers.image."
    return {key.removeprefix(prefix): text for key, text in manifest_of(here / "out", "v1")["annotations"].items()}


def test_a_checkout_tells_source_revision_and_time(checkout: Path) -> None:
    known = {
        "source": "https://github.com/vendor/app",
        "revision": f"sha1:{git(checkout, 'rev-parse', 'HEAD')}",
        "created": "2023-11-14T22:13:20Z",
    }
    assert noted(checkout, "app") == noted(checkout, "-", stdin=CONFIG.encode()) == known
    assert noted(checkout, "app", "--source", "a", "--revision", "b") == known | {"source": "a", "revision": "b"}
    assert noted(checkout, "app", "--reproducible")["created"] == "1970-01-01T00:00:00Z"


def test_a_changed_checkout_says_so_and_has_no_commit_s_time(checkout: Path) -> None:
    write(checkout, {"app/web.yaml": POD})
    found = noted(checkout, "app")
    assert found["revision"].endswith("-dirty")
    assert not found["created"].startswith("2023")


@pytest.mark.parametrize("name", ["theirs", "the=irs.clean"])
@pytest.mark.parametrize("kind", ["clean", "process"])
def test_no_program_of_the_checkout_s_own_config_is_started(kind: str, name: str, checkout: Path) -> None:
    write(checkout, {".gitattributes": f"*.yaml filter={name}\n"})
    git(checkout, "config", f"filter.{name}.{kind}", f"touch {checkout}/started; cat")
    git(checkout, "config", f"filter.{name}.required", "true")
    git(checkout, "config", "core.fsmonitor", f"touch {checkout}/started; false")
    (checkout / "app" / "web.yaml").touch()  # so that git compares it by its content
    noted(checkout, "app")
    assert not (checkout / "started").exists()
    with suppress(subprocess.CalledProcessError):
        git(checkout, "-c", "core.fsmonitor=", "status")
    assert (checkout / "started").exists(), "what git does by itself"


def test_a_login_in_a_remote_is_not_told(checkout: Path) -> None:
    git(checkout, "remote", "set-url", "origin", "https://user:secret@example.com:8443/vendor/app")
    assert noted(checkout, "app")["source"] == "https://example.com/vendor/app"


@pytest.mark.parametrize("remote", ["/srv/git/app.git", "../app", "file:///srv/git/app.git"])
def test_a_remote_on_this_machine_is_no_source(checkout: Path, remote: str) -> None:
    git(checkout, "remote", "set-url", "origin", remote)
    assert "source" not in noted(checkout, "app")
