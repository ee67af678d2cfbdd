"""What tests of `byoa push` share: a vendor's files, and calls as a shell would make them."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from byoa.bootstrap import terminal
from byoa.builds.inspect import look_into
from byoa.content.archive import read_archive
from byoa.engine.contents import VerifiedContents
from tests.terminal import BYOA

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from byoa.content.inspection import Report

CONFIG: Final = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {greeting: hello}\n"
POD: Final = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: 'web:1'}]}\n"


class Ended(NamedTuple):
    """How a call ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document on stdout."""
        return dict(json.loads(self.out))


def push(*arguments: str | Path, folder: Path, stdin: bytes = b"", **variables: str) -> Ended:
    """Run `byoa push` in ``folder`` as a user whose machine knows no registry and no identity."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "COLUMNS": "200", **variables}
    command = [BYOA, "push", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, cwd=folder, env=environment, check=False)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Put ``files`` below ``folder``, and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def seen_by_the_pipeline(layout: Path, tag: str) -> Report:
    """What InspectArtifact finds in what was pushed into a layout."""
    repository = terminal.layout(layout)
    return look_into(repository, repository.fetch_manifest(tag))


def manifest_of(layout: Path, tag: str) -> dict[str, Any]:
    """The manifest under a tag of a layout."""
    return dict(json.loads(terminal.layout(layout).fetch_manifest(tag).content))


def layer_of(layout: Path, tag: str) -> bytes:
    """The bytes of the one layer of an artifact."""
    repository = terminal.layout(layout)
    (layer,) = repository.fetch_manifest(tag).layers
    return b"".join(VerifiedContents(repository).read_blob(layer))


def names_in(layout: Path, tag: str) -> list[str]:
    """The names of the files in the artifact."""
    return [file.path for file in read_archive([layer_of(layout, tag)])]
