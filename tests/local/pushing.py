"""A client of the desk's registry that speaks HTTP by hand, and the small images that it pushes."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from email.message import Message

    from local.registry import Registry

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
EMPTY = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": "", "size": 2}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json()["errors"][0]["code"])


class Client:
    """One connection, with the verbs that tests need."""

    def __init__(self, registry: Registry, user: str = "", password: str = "") -> None:
        self.connection = http.client.HTTPConnection(registry.address, timeout=10)
        self.authorization = f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}" if user else ""

    def ask(
        self, method: str, path: str, body: bytes | Iterable[bytes] = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        sent = {"Authorization": self.authorization} if self.authorization else {}
        self.connection.request(method, path, body, sent | (headers or {}))
        response = self.connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def push(self, name: str, content: bytes) -> str:
        answer = self.ask("POST", f"/v2/{name}/blobs/uploads/?digest={digest(content)}", content)
        assert answer.status == 201
        return digest(content)

    def put(self, name: str, reference: str, document: dict[str, object] | bytes, media_type: str = IMAGE) -> Answer:
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.ask("PUT", f"/v2/{name}/manifests/{reference}", content, {"Content-Type": media_type})

    def tag(self, name: str, tag: str, text: str = "") -> Answer:
        """Push an image of one small blob under ``tag``."""
        self.push(name, b"{}")
        return self.put(name, tag, image(b"{}", note=text))


def digest(content: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def descriptor(content: bytes, media_type: str = "application/octet-stream") -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)}


def image(*layers: bytes, note: str = "", **fields: object) -> dict[str, object]:
    config = descriptor(b"{}", "application/vnd.oci.empty.v1+json")
    document = {
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": config,
        "layers": [descriptor(each) for each in layers],
    }
    return document | {"annotations": {"note": note}} | fields


def as_bytes(document: dict[str, object]) -> bytes:
    return json.dumps(document).encode()
