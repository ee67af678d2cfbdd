"""The desk's registry, spoken to over loopback by hand, and by the specification's own conformance suite."""

from __future__ import annotations

import base64
import contextlib
import gzip
import http.client
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.registry import (
    EcrSettings,
    Hangup,
    MemoryControlPlane,
    Registry,
    RepositoryFacts,
    Request,
    Response,
    Settings,
)
from tests.local.pushing import (
    DOCKER_IMAGE,
    DOCKER_LIST,
    IMAGE,
    INDEX,
    Answer,
    Client,
    as_bytes,
    descriptor,
    digest,
    image,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clients() -> Iterator[list[Client]]:
    made: list[Client] = []
    yield made
    for client in made:
        client.connection.close()


@pytest.fixture(params=["memory", "disk"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    return Settings(directory=tmp_path / "store" if request.param == "disk" else None)


@pytest.fixture
def registry(settings: Settings) -> Iterator[Registry]:
    with Registry(settings) as made:
        yield made


@pytest.fixture
def client(registry: Registry, clients: list[Client]) -> Client:
    clients.append(Client(registry))
    return clients[-1]


def uploads_left(registry: Registry) -> list[Path]:
    directory = registry.settings.directory
    return list((directory / ".uploads").iterdir()) if directory else []


# The specification's own suite


@pytest.mark.parametrize("auth", ["anonymous", "bearer"])
def test_the_conformance_suite_passes_with_nothing_skipped(settings: Settings, auth: Any, tmp_path: Path) -> None:
    suite = shutil.which("conformance")
    if suite is None:
        pytest.skip("conformance is not on PATH")
    with Registry(replace(settings, auth=auth)) as registry:
        environment = {
            "OCI_REGISTRY": registry.address,
            "OCI_TLS": "disabled",
            "OCI_VERSION": "dev",  # the released specification's tests, and those of what is coming
            "OCI_USERNAME": registry.settings.username,
            "OCI_PASSWORD": registry.settings.password,
        }
        ran = subprocess.run([suite], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    # It also ends with 0 when it cannot start, so its report has to be there and to be full.
    report = ET.parse(tmp_path / "results" / "junit.xml").getroot().attrib
    assert int(report["tests"]) > 900
    assert {report.get(kind, "0") for kind in ("failures", "errors", "skipped", "disabled")} == {"0"}


# Blobs


def test_a_blob_sent_in_chunks_of_unknown_length_arrives_whole(client: Client) -> None:
    content = os.urandom(3 * 1024 * 1024 + 17)
    session = client.ask("POST", "/v2/vendor/app/blobs/uploads/").headers["Location"]
    halves = (content[:1000], content[1000:])
    assert client.ask("PATCH", session, iter(halves)).status == 202
    assert client.ask("PUT", f"{session}?digest={digest(content)}").status == 201
    assert client.ask("GET", f"/v2/vendor/app/blobs/{digest(content)}").body == content


def test_a_blob_is_found_by_a_sha512_digest_that_came_last(client: Client) -> None:
    session = client.ask("POST", "/v2/vendor/app/blobs/uploads/").headers["Location"]
    wanted = digest(b"content", "sha512")
    assert client.ask("PUT", f"{session}?digest={wanted}", b"content").status == 201
    assert client.ask("GET", f"/v2/vendor/app/blobs/{wanted}").headers["Docker-Content-Digest"] == wanted


def test_a_chunk_out_of_order_is_refused_and_the_session_goes_on(client: Client) -> None:
    session = client.ask("POST", "/v2/vendor/app/blobs/uploads/").headers["Location"]
    client.ask("PATCH", session, b"abc", {"Content-Range": "0-2"})
    refused = client.ask("PATCH", session, b"xyz", {"Content-Range": "5-7"})
    assert (refused.status, refused.headers["Range"]) == (416, "0-2")
    status = client.ask("GET", session)
    assert (status.status, status.headers["Range"], status.body) == (204, "0-2", b"")
    assert client.ask("PUT", f"{session}?digest={digest(b'abcd')}", b"d", {"Content-Range": "3-3"}).status == 201


def test_a_chunk_whose_range_and_length_differ_is_refused(client: Client) -> None:
    session = client.ask("POST", "/v2/vendor/app/blobs/uploads/").headers["Location"]
    assert client.ask("PATCH", session, b"abc", {"Content-Range": "0-9"}).code == "SIZE_INVALID"
    assert client.ask("PATCH", session, b"abc", {"Content-Range": "bytes 0-2"}).code == "BLOB_UPLOAD_INVALID"


@pytest.mark.parametrize("wrong", ["sha256:" + "0" * 64, "sha256:abc", "md5:" + "0" * 32, ""])
def test_a_blob_with_a_wrong_digest_is_refused(client: Client, registry: Registry, wrong: str) -> None:
    assert client.ask("POST", f"/v2/vendor/app/blobs/uploads/?digest={wrong}", b"content").code == "DIGEST_INVALID"
    session = client.ask("POST", "/v2/vendor/app/blobs/uploads/").headers["Location"]
    assert client.ask("PUT", f"{session}?digest={wrong}", b"content").code == "DIGEST_INVALID"
    client.ask("DELETE", session)
    assert client.ask("GET", f"/v2/vendor/app/blobs/{digest(b'content')}").status == 404
    assert uploads_left(registry) == []


def test_a_client_that_disconnects_while_uploading_leaves_no_blob(client: Client, registry: Registry) -> None:
    host, port = registry.address.split(":")
    with socket.create_connection((host, int(port))) as connection:
        target = f"/v2/vendor/app/blobs/uploads/?digest={digest(b'content')}"
        connection.sendall(f"POST {target} HTTP/1.1\r\nHost: desk\r\nContent-Length: 7\r\n\r\nconte".encode())
    deadline = time.monotonic() + 5
    while not registry.requests and time.monotonic() < deadline:
        time.sleep(0.01)
    assert registry.requests == [("POST", "/v2/vendor/app/blobs/uploads/", 0)]
    assert client.ask("HEAD", f"/v2/vendor/app/blobs/{digest(b'content')}").status == 404
    assert uploads_left(registry) == []


def test_a_cancelled_upload_is_gone(client: Client, registry: Registry) -> None:
    session = client.ask("POST", "/v2/vendor/app/blobs/uploads/").headers["Location"]
    assert client.ask("DELETE", session).status == 204
    assert client.ask("PATCH", session, b"abc").code == "BLOB_UPLOAD_UNKNOWN"
    assert uploads_left(registry) == []


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-30", 200, b"0123456789"),
        ("bytes=0-9,20-29", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
        ("bytes=10-", 416, None),
        ("bytes=5-4", 416, None),
    ],
)
def test_a_range_of_a_blob_is_served(client: Client, asked: str, status: int, part: bytes | None) -> None:
    wanted = client.push("vendor/app", b"0123456789")
    answer = client.ask("GET", f"/v2/vendor/app/blobs/{wanted}", headers={"Range": asked})
    assert answer.status == status
    if part is None:
        assert answer.headers["Content-Range"] == "bytes */10"
    else:
        assert answer.body == part


def test_compressed_content_is_served_as_it_was_pushed(client: Client) -> None:
    content = gzip.compress(b"layer" * 1000)
    wanted = client.push("vendor/app", content)
    answer = client.ask("GET", f"/v2/vendor/app/blobs/{wanted}", headers={"Accept-Encoding": "identity"})
    assert answer.body == content
    assert answer.headers["Content-Encoding"] is None


def test_a_blob_is_mounted_only_from_where_it_is(client: Client) -> None:
    wanted = client.push("vendor/app", b"content")
    assert client.ask("POST", f"/v2/copy/blobs/uploads/?mount={wanted}&from=elsewhere").status == 202
    assert client.ask("HEAD", f"/v2/copy/blobs/{wanted}").status == 404
    assert client.ask("POST", f"/v2/copy/blobs/uploads/?mount={wanted}&from=vendor/app").status == 201
    assert client.ask("GET", f"/v2/copy/blobs/{wanted}").body == b"content"
    assert client.ask("POST", f"/v2/other/blobs/uploads/?mount={wanted}").status == 201


# Manifests


@pytest.mark.parametrize("media_type", [IMAGE, DOCKER_IMAGE, f"{IMAGE}; charset=utf-8"])
def test_a_manifest_is_served_with_its_bytes_and_type_untouched(client: Client, media_type: str) -> None:
    client.push("vendor/app", b"{}")
    document = image() | {"mediaType": media_type.partition(";")[0]}
    content = b"  " + json.dumps(document, indent=3).encode() + b"\n"
    put = client.put("vendor/app", "v1", content, media_type)
    assert (put.status, put.headers["Docker-Content-Digest"]) == (201, digest(content))
    got = client.ask("GET", "/v2/vendor/app/manifests/v1")
    assert (got.body, got.headers["Content-Type"]) == (content, media_type)
    head = client.ask("HEAD", f"/v2/vendor/app/manifests/{digest(content)}")
    assert (head.body, head.headers["Content-Length"]) == (b"", str(len(content)))


def test_a_manifest_whose_blobs_are_missing_is_refused(client: Client) -> None:
    client.push("vendor/app", b"{}")
    refused = client.put("vendor/app", "v1", image(b"not there"))
    assert (refused.status, refused.code) == (404, "MANIFEST_BLOB_UNKNOWN")
    assert refused.json()["errors"][0]["detail"] == [{"digest": digest(b"not there")}]
    assert client.ask("HEAD", "/v2/vendor/app/manifests/v1").status == 404


@pytest.mark.parametrize("media_type", [INDEX, DOCKER_LIST])
def test_an_index_is_taken_once_its_children_are_there(client: Client, media_type: str) -> None:
    child = as_bytes(image())
    index: dict[str, object] = {"schemaVersion": 2, "manifests": [descriptor(child, IMAGE)]}
    assert client.put("vendor/app", "v1", index, media_type).code == "MANIFEST_BLOB_UNKNOWN"
    client.push("vendor/app", b"{}")
    assert client.put("vendor/app", digest(child), child).status == 201
    assert client.put("vendor/app", "v1", index, media_type).status == 201


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"no JSON", IMAGE),
        (b"[" * 100_000, IMAGE),
        (b"[]", IMAGE),
        (as_bytes(image()), "application/json"),
        (as_bytes(image()), ""),
        (as_bytes(image()), INDEX),
        (as_bytes(image(manifests=[])), IMAGE),
        (as_bytes(image(config={"mediaType": "x", "digest": "sha256:../../secret", "size": 1})), IMAGE),
        (as_bytes(image(annotations=["a"])), IMAGE),
        (as_bytes({"schemaVersion": 1, "layers": []}), IMAGE),
    ],
)
def test_what_is_no_manifest_is_refused(client: Client, content: bytes, media_type: str) -> None:
    client.push("vendor/app", b"{}")
    refused = client.put("vendor/app", "v1", content, media_type)
    assert (refused.status, refused.code) == (400, "MANIFEST_INVALID")


def test_a_manifest_of_four_mebibytes_is_taken_and_a_larger_one_is_not(client: Client) -> None:
    client.push("vendor/app", b"{}")
    content = as_bytes(image()).ljust(4 * 1024 * 1024)
    assert client.put("vendor/app", "v1", content).status == 201
    assert client.put("vendor/app", "v1", content + b" ").status == 413
    of_unknown_length = iter([content, b" " * 5000])
    typed = {"Content-Type": IMAGE}
    assert client.ask("PUT", "/v2/vendor/app/manifests/v1", of_unknown_length, typed).status == 413
    assert client.ask("GET", "/v2/vendor/app/manifests/v1").body == content


def test_a_manifest_is_pushed_by_digest_with_tags_as_parameters(client: Client) -> None:
    client.push("vendor/app", b"{}")
    content = as_bytes(image())
    put = client.put("vendor/app", f"{digest(content)}?tag=v1&tag=latest", content)
    assert put.headers.get_all("OCI-Tag") == ["v1", "latest"]
    assert client.ask("GET", "/v2/vendor/app/tags/list").json()["tags"] == ["latest", "v1"]
    assert client.put("vendor/app", f"{digest(content)}?tag=-v1", content).code == "TAG_INVALID"


def test_deleting_a_tag_keeps_the_manifest_and_deleting_the_manifest_takes_its_tags(client: Client) -> None:
    wanted = client.tag("vendor/app", "v1").headers["Docker-Content-Digest"]
    client.tag("vendor/app", "v2")
    assert client.ask("DELETE", "/v2/vendor/app/manifests/v1").status == 202
    assert client.ask("GET", f"/v2/vendor/app/manifests/{wanted}").status == 200
    assert client.ask("DELETE", f"/v2/vendor/app/manifests/{wanted}").status == 202
    assert client.ask("GET", "/v2/vendor/app/manifests/v2").code == "MANIFEST_UNKNOWN"
    assert client.ask("GET", "/v2/vendor/app/tags/list").json() == {"name": "vendor/app", "tags": []}


# Tags and referrers


def test_tags_are_listed_page_by_page(client: Client) -> None:
    for tag in ("b", "A", "c", "a"):
        client.tag("vendor/app", tag)
    pages, path = [], "/v2/vendor/app/tags/list?n=3"
    while path:
        answer = client.ask("GET", path)
        pages.append(answer.json()["tags"])
        link = re.fullmatch(r'<(.+)>; rel="next"', answer.headers.get("Link", ""))
        path = link[1] if link else ""
    assert pages == [["A", "a", "b"], ["c"]]
    none = client.ask("GET", "/v2/vendor/app/tags/list?n=0")
    assert (none.json()["tags"], none.headers["Link"]) == ([], None)
    assert client.ask("GET", "/v2/vendor/app/tags/list?n=-1").status == 400


def test_referrers_are_listed_by_type_even_before_their_subject_comes(client: Client) -> None:
    client.push("vendor/app", b"{}")
    subject = as_bytes(image())
    signature = image(artifactType="text/signature", subject=descriptor(subject, IMAGE))
    put = client.put("vendor/app", digest(as_bytes(signature)), signature)
    assert put.headers["OCI-Subject"] == digest(subject)
    client.put("vendor/app", "sbom", image(artifactType="text/sbom", subject=descriptor(subject, IMAGE)))
    path = f"/v2/vendor/app/referrers/{digest(subject)}"
    assert len(client.ask("GET", path).json()["manifests"]) == 2
    filtered = client.ask("GET", f"{path}?artifactType=text/signature")
    assert filtered.headers["OCI-Filters-Applied"] == "artifactType"
    entry = descriptor(as_bytes(signature), IMAGE) | {"artifactType": "text/signature", "annotations": {"note": ""}}
    assert filtered.json() == {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
    assert client.ask("GET", f"/v2/nobody/referrers/{digest(b'')}").json()["manifests"] == []


def test_referrers_can_be_switched_off(settings: Settings, clients: list[Client]) -> None:
    with Registry(replace(settings, referrers=False)) as registry:
        clients.append(client := Client(registry))
        client.push("vendor/app", b"{}")
        put = client.put("vendor/app", "v1", image(subject=descriptor(b"subject", IMAGE)))
        assert (put.status, put.headers["OCI-Subject"]) == (201, None)
        assert client.ask("GET", f"/v2/vendor/app/referrers/{digest(b'subject')}").status == 404


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v2/UPPER/manifests/v1", 400, "NAME_INVALID"),
        ("GET", f"/v2/{'a' * 256}/manifests/v1", 400, "NAME_INVALID"),
        ("GET", "/v2/..%2f..%2fetc/blobs/passwd", 400, "NAME_INVALID"),
        ("GET", "/v2/nobody/manifests/v1", 404, "NAME_UNKNOWN"),
        ("GET", "/v2/nobody/tags/list", 404, "NAME_UNKNOWN"),
        ("GET", "/v2/nobody/blobs/sha256:..%2f..%2findex.json", 404, "UNSUPPORTED"),
        ("GET", "/v2/nobody/blobs/sha256:..", 404, "BLOB_UNKNOWN"),
        ("GET", "/v2/nobody/referrers/sha256:short", 400, "DIGEST_INVALID"),
        ("PUT", "/v2/vendor/app/manifests/sha256:short", 400, "DIGEST_INVALID"),
        ("PUT", "/v2/vendor/app/manifests/-", 400, "TAG_INVALID"),
        ("PATCH", "/v2/vendor/app/blobs/uploads/unknown", 404, "BLOB_UPLOAD_UNKNOWN"),
        ("POST", "/v2/vendor/app/manifests/v1", 405, "UNSUPPORTED"),
        ("GET", "/elsewhere", 404, "UNSUPPORTED"),
    ],
)
def test_what_cannot_be_served_is_refused_with_its_code(
    client: Client, method: str, path: str, status: int, code: str
) -> None:
    refused = client.ask(method, path)
    assert (refused.status, refused.code) == (status, code)


# Storage and connections


def test_what_is_on_disk_outlives_the_registry(tmp_path: Path, clients: list[Client]) -> None:
    settings = Settings(directory=tmp_path)
    with Registry(settings) as registry:
        clients.append(client := Client(registry))
        pushed = client.tag("vendor/app", "v1").headers["Docker-Content-Digest"]
        client.ask("PATCH", client.ask("POST", "/v2/vendor/app/blobs/uploads/").headers["Location"], b"unfinished")
    assert list((tmp_path / ".uploads").iterdir()) == []
    with Registry(settings) as registry:
        clients.append(client := Client(registry))
        assert client.ask("GET", "/v2/vendor/app/manifests/v1").headers["Docker-Content-Digest"] == pushed
        assert client.ask("GET", f"/v2/vendor/app/blobs/{digest(b'{}')}").body == b"{}"


def test_a_damaged_blob_is_served_with_as_many_other_bytes(tmp_path: Path, clients: list[Client]) -> None:
    listed = tmp_path / "damaged"
    with Registry(Settings(damaged=listed)) as registry:
        clients.append(client := Client(registry))
        client.tag("vendor/app", "v1")
        whole = f"/v2/vendor/app/blobs/{digest(b'{}')}"
        assert client.ask("GET", whole).body == b"{}"
        listed.write_text(f"{digest(b'another')}\n{digest(b'{}')}\n")
        answer = client.ask("GET", whole)
        assert (answer.status, len(answer.body), answer.body == b"{}") == (200, 2, False)
        listed.unlink()
        assert client.ask("GET", whole).body == b"{}"


def test_layouts_made_by_other_tools_are_served(tmp_path: Path, clients: list[Client]) -> None:
    shutil.copytree(ROOT / "tests/data/artifacts/signed-v3", tmp_path / "vendor+app")
    layout = json.loads((tmp_path / "vendor+app/index.json").read_bytes())
    with Registry(Settings(directory=tmp_path)) as registry:
        clients.append(client := Client(registry))
        manifest = client.ask("GET", "/v2/vendor/app/manifests/v2.3.1")
        assert digest(manifest.body) == layout["manifests"][0]["digest"]
        layer = manifest.json()["layers"][0]["digest"]
        assert digest(client.ask("GET", f"/v2/vendor/app/blobs/{layer}").body) == layer
        referrers = client.ask("GET", f"/v2/vendor/app/referrers/{digest(manifest.body)}").json()["manifests"]
        assert [each["digest"] for each in referrers] == [layout["manifests"][1]["digest"]]


def test_two_registries_share_nothing(client: Client, clients: list[Client]) -> None:
    client.tag("vendor/app", "v1")
    with Registry() as other:
        clients.append(stranger := Client(other))
        assert stranger.ask("GET", "/v2/vendor/app/manifests/v1").status == 404
        assert other.requests == [("GET", "/v2/vendor/app/manifests/v1", 404)]


def test_pushes_from_many_threads_all_arrive(registry: Registry, client: Client, clients: list[Client]) -> None:
    clients += (many := [Client(registry) for _ in range(8)])

    def push(number: int) -> None:
        many[number].tag("vendor/app", f"t{number}", str(number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(push, range(8)))
    assert client.ask("GET", "/v2/vendor/app/tags/list").json()["tags"] == [f"t{number}" for number in range(8)]


def test_a_kept_connection_answers_without_pauses(client: Client) -> None:
    wanted = client.push("vendor/app", b"content")
    connected = client.connection.sock
    started = time.monotonic()
    for _ in range(100):
        client.ask("GET", f"/v2/vendor/app/blobs/{wanted}")
    assert client.connection.sock is connected
    assert time.monotonic() - started < 3  # 40 ms each, were answers held back for an acknowledgement


def test_a_refused_upload_leaves_the_connection_usable(client: Client) -> None:
    connected = client.ask("GET", "/v2/").status == 200 and client.connection.sock
    assert client.ask("PUT", "/v2/vendor/app/manifests/v1", bytes(5_000_000), {"Content-Type": IMAGE}).status == 413
    assert client.ask("GET", "/v2/").status == 200
    assert client.connection.sock is connected


def test_a_client_that_waits_to_continue_is_told_to(registry: Registry) -> None:
    host, port = registry.address.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection, connection.makefile("rb") as answers:
        target = f"/v2/a/blobs/uploads/?digest={digest(b'content')}"
        head = f"POST {target} HTTP/1.1\r\nHost: desk\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(head.encode())
        assert answers.readline() == b"HTTP/1.1 100 Continue\r\n"
        connection.sendall(b"content")
        assert answers.readline() == b"\r\n"
        assert answers.readline().startswith(b"HTTP/1.1 201")


def test_a_client_that_waits_to_continue_is_refused_before_it_sends(clients: list[Client]) -> None:
    with (
        Registry(Settings(auth="basic")) as registry,
        socket.create_connection(("127.0.0.1", int(registry.address.partition(":")[2])), timeout=5) as connection,
    ):
        head = "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: desk\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(head.encode())
        answered = connection.makefile("rb").read()
    assert answered.startswith(b"HTTP/1.1 401")


def test_a_closed_registry_ends_the_connections_its_clients_keep(clients: list[Client]) -> None:
    with Registry() as registry:
        clients.append(client := Client(registry))
        client.ask("GET", "/v2/")
        assert client.connection.sock is not None
    assert client.connection.sock.recv(1) == b""
    registry.close()


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Content-Length: -3",
        "Content-Length: 3\r\nContent-Length: 4",
    ],
)
def test_a_body_of_unclear_length_is_refused_and_the_connection_ends(registry: Registry, head: str) -> None:
    host, port = registry.address.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(f"POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: desk\r\n{head}\r\n\r\n".encode())
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 400")


def test_a_scripted_registry_can_withhold_and_cut_answers(clients: list[Client]) -> None:
    def cut() -> Iterator[bytes]:
        yield b"short"
        raise Hangup

    class Scripted(Registry):
        def answer(self, request: Request) -> Response:
            if request.path.endswith("/hangup"):
                raise Hangup
            response = super().answer(request)
            if request.path.endswith("/short"):
                return Response(200, [("Content-Length", "10")], cut())
            if request.path.endswith("/trickle"):
                return Response(200, [], iter([b"a", b"b", b"c"]))
            response.headers.append(("Warning", '299 - "scripted"'))
            return response

    with Scripted() as registry:
        clients.append(client := Client(registry))
        assert client.ask("GET", "/v2/").headers["Warning"]
        assert client.ask("GET", "/v2/a/manifests/trickle").body == b"abc"
        with pytest.raises(http.client.IncompleteRead):
            client.ask("GET", "/v2/a/manifests/short")
        client.connection.close()
        with pytest.raises(http.client.RemoteDisconnected):
            client.ask("GET", "/v2/a/manifests/hangup")


# Who is let in


def test_basic_authentication_wants_the_right_password(clients: list[Client]) -> None:
    with Registry(Settings(auth="basic", username="u", password="p:w")) as registry:
        clients += [Client(registry), Client(registry, "u", "wrong"), Client(registry, "u", "p:w")]
        nobody, wrong, right = clients
        refused = nobody.ask("GET", "/v2/")
        assert (refused.status, refused.code) == (401, "UNAUTHORIZED")
        assert refused.headers["WWW-Authenticate"].startswith("Basic realm=")
        assert wrong.ask("GET", "/v2/").status == 401
        assert right.tag("vendor/app", "v1").status == 201
        assert nobody.ask("GET", "/v2/vendor/app/manifests/v1").status == 401


def test_basic_authentication_can_let_everybody_pull(clients: list[Client]) -> None:
    with Registry(Settings(auth="basic", anonymous_pull=True)) as registry:
        clients += [Client(registry), Client(registry, "byoa", "desk"), Client(registry, "byoa", "wrong")]
        nobody, user, wrong = clients
        user.tag("vendor/app", "v1")
        assert nobody.ask("GET", "/v2/vendor/app/manifests/v1").status == 200
        assert nobody.ask("POST", "/v2/vendor/app/blobs/uploads/").status == 401
        assert nobody.ask("GET", "/v2/").status == 401  # or clients would never send their credentials
        assert wrong.ask("GET", "/v2/vendor/app/manifests/v1").status == 401


def challenge(answer: Answer) -> dict[str, str]:
    scheme, _, parts = answer.headers["WWW-Authenticate"].partition(" ")
    assert scheme == "Bearer"
    return dict(re.findall(r'(\w+)="([^"]*)"', parts))


def token(client: Client, scope: str) -> str:
    answer = client.ask("GET", f"/token?service=byoa-desk&scope={scope}")
    assert answer.status == 200
    return str(answer.json()["token"])


def test_a_token_opens_the_repository_and_actions_it_was_made_for(clients: list[Client]) -> None:
    with Registry(Settings(auth="bearer")) as registry:
        clients += [Client(registry), Client(registry, "byoa", "desk")]
        bearer, user = clients
        asked = challenge(bearer.ask("GET", "/v2/vendor/app/manifests/v1"))
        assert asked["scope"] == "repository:vendor/app:pull"
        assert asked["realm"] == f"http://{registry.address}/token"
        assert challenge(bearer.ask("POST", "/v2/vendor/app/blobs/uploads/"))["scope"].endswith(":pull,push")
        assert challenge(bearer.ask("GET", "/v2/")).keys() == {"realm", "service"}
        bearer.authorization = f"Bearer {token(user, 'repository:vendor/app:pull')}"
        assert bearer.ask("GET", "/v2/").status == 200
        assert bearer.ask("GET", "/v2/vendor/app/manifests/v1").status == 404
        assert challenge(bearer.ask("GET", "/v2/other/manifests/v1"))["error"] == "insufficient_scope"
        assert challenge(bearer.ask("POST", "/v2/vendor/app/blobs/uploads/"))["error"] == "insufficient_scope"
        bearer.authorization = f"Bearer {token(user, 'repository:vendor/app:pull,push')}"
        assert bearer.tag("vendor/app", "v1").status == 201
        bearer.authorization = "Bearer made-up"
        assert challenge(bearer.ask("GET", "/v2/"))["error"] == "invalid_token"


def test_a_mount_wants_a_token_for_both_repositories(clients: list[Client]) -> None:
    with Registry(Settings(auth="bearer")) as registry:
        clients += [Client(registry), Client(registry, "byoa", "desk")]
        bearer, user = clients
        bearer.authorization = f"Bearer {token(user, 'repository:a:pull,push')}"
        wanted = bearer.push("a", b"content")
        bearer.authorization = f"Bearer {token(user, 'repository:b:pull,push')}"
        mount = f"/v2/b/blobs/uploads/?mount={wanted}"
        assert bearer.ask("POST", mount).status == 202  # there is one, but not for this token
        asked = challenge(bearer.ask("POST", f"{mount}&from=a"))["scope"]
        assert asked == "repository:b:pull,push repository:a:pull"
        bearer.authorization = f"Bearer {token(user, asked.replace(' ', '&scope='))}"
        assert bearer.ask("POST", f"{mount}&from=a").status == 201


def test_a_token_expires(clients: list[Client]) -> None:
    with Registry(Settings(auth="bearer", expires_in=0)) as registry:
        clients += [Client(registry), Client(registry, "byoa", "desk")]
        bearer, user = clients
        bearer.authorization = f"Bearer {token(user, 'repository:a:pull')}"
        assert challenge(bearer.ask("GET", "/v2/a/tags/list"))["error"] == "invalid_token"


@pytest.mark.parametrize("allowed", [True, False])
def test_nobody_in_particular_gets_a_token_only_to_pull_and_only_if_allowed(
    clients: list[Client], *, allowed: bool
) -> None:
    with Registry(Settings(auth="bearer", anonymous_pull=allowed)) as registry:
        clients += [Client(registry), Client(registry, "byoa", "wrong")]
        nobody, wrong = clients
        assert wrong.ask("GET", "/token?scope=repository:a:pull").status == 401
        answer = nobody.ask("GET", "/token?scope=repository:a:pull,push")
        assert answer.status == (200 if allowed else 401)
        if allowed:
            nobody.authorization = f"Bearer {answer.json()['access_token']}"
            assert nobody.ask("GET", "/v2/a/tags/list").status == 404
            assert nobody.ask("POST", "/v2/a/blobs/uploads/").status == 401


# ECR's manners


@pytest.fixture
def control() -> MemoryControlPlane:
    return MemoryControlPlane({"app": RepositoryFacts()}, "password")


@pytest.fixture
def ecr(control: MemoryControlPlane, settings: Settings) -> Iterator[Registry]:
    with Registry(replace(settings, ecr=EcrSettings(control=control))) as made:
        yield made


@pytest.fixture
def aws(ecr: Registry, clients: list[Client]) -> Client:
    clients.append(Client(ecr, "AWS", "password"))
    return clients[-1]


def test_ecr_wants_the_control_planes_password(ecr: Registry, aws: Client, control: MemoryControlPlane) -> None:
    assert aws.ask("GET", "/v2/").status == 200
    control.current_password = "rotated"
    stale = aws.ask("GET", "/v2/")
    assert (stale.status, stale.code, stale.headers["WWW-Authenticate"]) == (403, "DENIED", None)
    aws.authorization = ""
    assert aws.ask("GET", "/v2/").headers["WWW-Authenticate"].endswith('service="ecr.amazonaws.com"')


def test_ecr_knows_only_the_control_planes_repositories(aws: Client) -> None:
    refused = aws.ask("POST", "/v2/unknown/blobs/uploads/")
    assert (refused.status, refused.code) == (404, "NAME_UNKNOWN")
    text = "The repository with name 'unknown' does not exist in the registry with id '000000000000'"
    assert refused.json()["errors"][0]["message"] == text
    assert aws.ask("GET", "/v2/app/tags/list").json()["tags"] == []
    assert aws.ask("GET", "/v2/app/manifests/v1").code == "MANIFEST_UNKNOWN"


def test_ecr_mounts_nothing_and_takes_no_tags_as_parameters(aws: Client, control: MemoryControlPlane) -> None:
    control.repositories["copy"] = RepositoryFacts()
    wanted = aws.push("app", b"{}")
    assert aws.ask("POST", f"/v2/copy/blobs/uploads/?mount={wanted}&from=app").status == 202
    content = as_bytes(image())
    assert aws.put("app", f"{digest(content)}?tag=v1", content).headers["OCI-Tag"] is None
    assert aws.ask("GET", "/v2/app/manifests/v1").status == 404


def test_ecr_refuses_to_set_an_immutable_tag_twice_even_to_the_same_digest(
    aws: Client, control: MemoryControlPlane
) -> None:
    control.repositories["app"] = RepositoryFacts("IMMUTABLE")
    assert aws.tag("app", "v1", "first").status == 201
    for text in ("first", "second"):
        refused = aws.tag("app", "v1", text)
        assert (refused.status, refused.code) == (400, "TAG_INVALID")
        assert refused.json()["errors"][0]["message"] == (
            "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the tag is "
            "immutable."
        )
    assert aws.tag("app", "v2", "first").status == 201


@pytest.mark.parametrize(
    ("facts", "tag", "movable"),
    [
        (RepositoryFacts("MUTABLE"), "v1", True),
        (RepositoryFacts("IMMUTABLE"), "sha256-abc", False),
        (RepositoryFacts("IMMUTABLE_WITH_EXCLUSION"), "v1", False),
        (RepositoryFacts("IMMUTABLE_WITH_EXCLUSION"), "sha256-abc", True),  # the default filter
        (RepositoryFacts("IMMUTABLE_WITH_EXCLUSION", ("dev-*-x",)), "sha256-abc", False),
        (RepositoryFacts("IMMUTABLE_WITH_EXCLUSION", ("a", "dev-*-x")), "dev-1-x", True),
        (RepositoryFacts("IMMUTABLE_WITH_EXCLUSION", ("v.",)), "v1", False),
        (RepositoryFacts("MUTABLE_WITH_EXCLUSION", ("v*",)), "v1", False),
        (RepositoryFacts("MUTABLE_WITH_EXCLUSION", ("v*",)), "latest", True),
    ],
)
def test_ecr_excepts_tags_by_the_repositorys_filters(
    aws: Client, control: MemoryControlPlane, facts: RepositoryFacts, tag: str, *, movable: bool
) -> None:
    control.repositories["app"] = facts
    assert aws.tag("app", tag, "first").status == 201
    assert aws.tag("app", tag, "second").status == (201 if movable else 400)


# On its own


def serve(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "local.registry", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_stop_and_says_little(tmp_path: Path, stop: signal.Signals) -> None:
    with serve("--port", "0", "--auth", "basic", "--dir", str(tmp_path)) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = line.removeprefix("registry listening on http://").strip()
        connection = http.client.HTTPConnection(address, timeout=10)
        connection.request("GET", "/v2/")
        assert connection.getresponse().status == 401
        process.send_signal(stop)
        assert process.wait(10) == 0
        connection.close()
        assert process.communicate() == ("", "")


def test_one_command_serves_several_registries_each_with_its_own_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "of the second")
    with serve(
        *("--port", "0", "--", "--port", "0", "--auth", "basic", "--username", "me", "--password-variable", "SECRET")
    ) as process:
        assert process.stdout is not None
        addresses = [process.stdout.readline().removeprefix("registry listening on http://").strip() for _ in "ab"]
        me = base64.b64encode(b"me:of the second").decode()
        statuses = []
        for address, headers in itertools.product(addresses, ({}, {"Authorization": f"Basic {me}"})):
            with contextlib.closing(http.client.HTTPConnection(address, timeout=10)) as connection:
                connection.request("GET", "/v2/", headers=headers)
                statuses.append(connection.getresponse().status)
        process.terminate()
        assert process.wait(10) == 0
        process.communicate()
    assert statuses == [200, 200, 401, 200]


def test_the_command_says_when_its_port_is_taken(registry: Registry) -> None:
    port = registry.address.partition(":")[2]
    with serve("--port", port) as process:
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (1, "")
    assert "in use" in err
    assert "Traceback" not in err


def test_the_commands_help_shows_examples() -> None:
    with serve("--help") as process:
        out, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "python -m local.registry --port 5000 --ecr http://127.0.0.1:4566" in out
