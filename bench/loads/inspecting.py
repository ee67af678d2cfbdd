"""The load "inspect": a bundle from its packed layer to its report, beside PyYAML's C loader on the bare text."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.bundles import bundle
from bench.figures import OURS, Load, Run
from bench.measuring import compare
from bench.null_content import CONFIG, LAYER, MANIFEST, digest_of

if TYPE_CHECKING:
    from bench.stand import Stand

NAMES = ("inspect, 2 MB and 60 objects", "inspect, 20 MB and 1,000 objects")
_PEER = "PyYAML's C loader"
_CEILING_MIB = 256
_PROGRAM = Path(__file__).parent / "first_look.py"


def inspecting(stand: Stand) -> list[Load]:
    """Seconds without the imports, and the peak with them."""
    return [_measure(stand, name, *sizes) for name, sizes in zip(NAMES, stand.sizes.bundles, strict=True)]


def _measure(stand: Stand, name: str, size: int, objects: int) -> Load:
    text = bundle(size, objects).encode()
    folder = stand.folder / f"bundle-{objects}"
    _write(folder, text)

    def run(tool: str) -> Run:
        what = str(folder) if tool == OURS else str(folder / "bundle.yaml")
        done = subprocess.run([sys.executable, _PROGRAM, what], capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
        if found["objects"] != objects:
            raise AssertionError(f"{tool} found {found['objects']} objects of {objects}")
        return Run(found["seconds"], found["rss_mib"], None)

    figures = compare((OURS, _PEER), stand.times(5), run)
    for figure in figures:
        if figure.seconds:
            figure.more["mb_per_second"] = round(len(text) / figure.seconds / 1e6, 2)
    peak = figures[0].rss_mib
    more = {f"MB/s of {figure.tool}": figure.more.get("mb_per_second") for figure in figures}
    return Load(name, figures, 1.0, more=more, further=(peak is not None and peak <= _CEILING_MIB,))


def _write(folder: Path, text: bytes) -> None:
    """An image layout with one tar+gzip layer, and the text beside it."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    (folder / "bundle.yaml").write_bytes(text)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("bundle.yaml")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))

    def blob(content: bytes, media_type: str) -> dict[str, object]:
        (blobs / digest_of(content).removeprefix("sha256:")).write_bytes(content)
        return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}

    layers = [blob(gzip.compress(packed.getvalue(), compresslevel=6, mtime=0), LAYER)]
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": blob(b"{}", CONFIG), "layers": layers}
    manifest = blob(json.dumps(document).encode(), MANIFEST)
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "v1"}
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
