"""Small artifacts and lists that mean harm: what a registry sends that wants its clients' memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from byoa.oci.digest import Digest
from byoa.oci.manifest import OCI_INDEX, OCI_MANIFEST
from local.registry import Registry, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    type Script = Callable[[Request], Response | None]

FULL: Final = 4 * 1024 * 1024
"""Bytes: a manifest may have as many, and a page of a list."""


class Hostile(Registry):
    """A registry that answers as its script says, and where that says nothing as every other."""

    def __init__(self, script: Script) -> None:
        self._script = script
        super().__init__()

    def answer(self, request: Request) -> Response:
        """The script's answer, or the registry's own."""
        return self._script(request) or super().answer(request)


def entry(content: bytes, media_type: str = OCI_MANIFEST) -> dict[str, object]:
    """A descriptor."""
    return {"mediaType": media_type, "digest": str(Digest.of(content)), "size": len(content)}


def manifest(number: int, **more: object) -> bytes:
    """A manifest of nearly 4 MiB, of which each character takes four bytes in memory."""
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": entry(b"{}", "a/b"), "layers": [], **more}
    text = "\U0001f600" + "a" * (FULL - len(json.dumps(document)) - 100) + str(number)
    return json.dumps({**document, "annotations": {"k": text}}, ensure_ascii=False).encode()


def layered(number: int) -> bytes:
    """A manifest of as many layers as fit into it."""
    layers = [entry(f"{number} {each}".encode(), "a/b") for each in range(34_000)]
    return json.dumps(
        {"schemaVersion": 2, "config": entry(b"{}", "a/b"), "layers": layers}, separators=(",", ":")
    ).encode()


def dense(filling: str) -> Callable[[int], bytes]:
    """A manifest of nothing but small values, each of which is an object."""
    head = f'{{"schemaVersion": 2, "config": {json.dumps(entry(b"{}", "a/b"))}, "layers": [], "x": ['

    def made(number: int) -> bytes:
        count = (FULL - len(head) - 100) // (len(filling) + 1)
        return (head + f"{filling}," * count + f"{number}]}}").encode()

    return made


def serving(count: int, made: Callable[[int], bytes]) -> Script:
    """An index ``v1`` of ``count`` manifests, each made when it is asked for."""
    numbers = {str(Digest.of(made(number))): number for number in range(count)}
    listed = [{"mediaType": OCI_MANIFEST, "digest": digest, "size": len(made(n))} for digest, n in numbers.items()]
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}).encode()

    def script(request: Request) -> Response | None:
        name = request.path.rpartition("/")[2]
        if request.method != "GET" or "/source/" not in request.path:
            return None
        if name == "v1":
            return Response(200, [("Content-Type", OCI_INDEX)], index)
        if name in numbers:
            return Response(200, [("Content-Type", OCI_MANIFEST)], made(numbers[name]))
        return Response(200, [], b"{}") if "/blobs/" in request.path else None

    return script


def pages(page: Callable[[int], bytes], what: str) -> Script:
    """A list without end."""

    def script(request: Request) -> Response | None:
        if what not in request.path:
            return None
        number = int(request.first("last") or 0) + 1
        link = ("Link", f'<{request.path}?last={number}>; rel="next"')
        return Response(200, [("Content-Type", OCI_INDEX), link], page(number))

    return script


def tags(number: int) -> bytes:
    """A page of one tag that is none."""
    return json.dumps({"tags": [str(number) + "\U0001f600" + "a" * (FULL - 200)]}, ensure_ascii=False).encode()


def referrers(number: int) -> bytes:
    """A page of as many referrers as fit."""
    listed = [entry(f"{number} {each}".encode()) for each in range(24_000)]
    return json.dumps({"schemaVersion": 2, "manifests": listed}, separators=(",", ":")).encode()


def noted(number: int) -> bytes:
    """A page of one referrer with much to say."""
    text = "\U0001f600" + "a" * (FULL - 500)
    listed = [{**entry(str(number).encode()), "annotations": {"k": text}}]
    return json.dumps({"schemaVersion": 2, "manifests": listed}, ensure_ascii=False).encode()


def root(request: Request) -> Response | None:
    """An artifact ``v1`` of one small manifest, for lists to be about."""
    content = json.dumps({"schemaVersion": 2, "config": entry(b"{}", "a/b"), "layers": []}).encode()
    named = request.method == "GET" and request.path.endswith("/source/app/manifests/v1")
    if named:
        return Response(200, [("Content-Type", OCI_MANIFEST)], content)
    return Response(200, [], b"{}") if request.method == "GET" and "/source/app/blobs/" in request.path else None


def listing(page: Callable[[int], bytes], what: str) -> Script:
    """An artifact with a list of ``what`` without end."""
    endless = pages(page, what)
    return lambda request: endless(request) or root(request)


ROWS: Final[dict[str, tuple[Callable[[], Script], str]]] = {
    "annotations": (lambda: serving(48, manifest), "--no-referrers"),
    "layers": (lambda: serving(12, layered), "--no-referrers"),
    "small values": (lambda: serving(12, dense('{"":0}')), "--no-referrers"),
    "tags": (lambda: listing(tags, "/tags/"), "--all-tags"),
    "referrers": (lambda: listing(referrers, "/referrers/"), "--referrers"),
    "referrers' annotations": (lambda: listing(noted, "/referrers/"), "--referrers"),
}
"""What is sent, made when it is asked for, and the option of ``byoa mirror`` that meets it."""
