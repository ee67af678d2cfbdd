"""Artifacts made for the loads, and a way to put them into a registry that owes nothing to what is measured."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import json
import random
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from bench.null_content import CONFIG, LAYER, MANIFEST, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

TAG = "v1"
_BLOCK = 1024 * 1024
_YAML = """apiVersion: v1
kind: ConfigMap
metadata:
  name: settings-{number}
data:
  filler: "{filler}"
---
apiVersion: v1
kind: Service
metadata:
  name: app-{number}
spec:
  selector: {{app: app-{number}}}
  ports: [{{port: 80}}]
"""


@dataclass(frozen=True, slots=True)
class Noise:
    """``size`` bytes that look like a gzip file to those who look, the same for the same ``seed``."""

    size: int
    seed: int

    def blocks(self) -> Iterator[bytes]:
        """All of it, a block at a time."""
        block = random.Random(self.seed).randbytes(min(_BLOCK, self.size))
        for start in range(0, self.size, _BLOCK):
            yield (b"\x1f\x8b\x08" + start.to_bytes(8) + block[11:])[: self.size - start]

    def digest(self) -> str:
        """Its sha256 digest."""
        found = hashlib.sha256()
        for block in self.blocks():
            found.update(block)
        return f"sha256:{found.hexdigest()}"


def manifests_layer(number: int, size: int = 20_000) -> bytes:
    """A typical layer: Kubernetes manifests in a tar of about ``size`` bytes, compressed; another for each number."""
    filler = random.Random(number).randbytes(size // 2).hex()
    text = _YAML.format(number=number, filler=filler).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("manifests.yaml")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    return gzip.compress(packed.getvalue(), compresslevel=0, mtime=0)


class Pusher:
    """Puts artifacts into one registry, over one connection."""

    def __init__(self, host: str) -> None:
        self._connection = http.client.HTTPConnection(host, timeout=60)

    def push(self, repository: str, layers: list[bytes | Noise], tag: str = TAG) -> str:
        """Push an artifact and return its digest. Raises ``OSError`` when the registry refuses a part."""
        config = json.dumps({"created": "2026-01-01T00:00:00Z", "name": f"{repository}:{tag}"}).encode()
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._blob(repository, config, CONFIG),
            "layers": [self._blob(repository, layer, LAYER) for layer in layers],
        }
        manifest = json.dumps(document).encode()
        self._request("PUT", f"/v2/{repository}/manifests/{tag}", manifest, MANIFEST)
        return digest_of(manifest)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _blob(self, repository: str, content: bytes | Noise, media_type: str) -> dict[str, object]:
        digest = content.digest() if isinstance(content, Noise) else digest_of(content)
        size = content.size if isinstance(content, Noise) else len(content)
        place = self._request("POST", f"/v2/{repository}/blobs/uploads/", b"")
        path = place[place.index("/v2/") :]
        joint = "&" if "?" in path else "?"
        self._request("PUT", f"{path}{joint}digest={quote(digest, safe='')}", content)
        return {"mediaType": media_type, "digest": digest, "size": size}

    def _request(
        self, method: str, path: str, body: bytes | Noise, media_type: str = "application/octet-stream"
    ) -> str:
        size = body.size if isinstance(body, Noise) else len(body)
        headers = {"Content-Type": media_type, "Content-Length": str(size)}
        self._connection.request(method, path, body.blocks() if isinstance(body, Noise) else body, headers)
        response = self._connection.getresponse()
        response.read()
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            raise OSError(f"the registry answers {response.status} to {method} {path}")
        return response.headers.get("Location") or ""
