"""HTTP/1.1 as it is written and read: what a head says, where a body ends, and what is taken for neither."""

from __future__ import annotations

import pytest

from byoa.adapters.registries.http1 import read_chunk_size, read_head, write_head
from byoa.errors import InternalFault, RegistryProtocolError

# ---- requests ----------------------------------------------------------------------------------------------------


def test_a_request_s_head_is_written_as_one_piece() -> None:
    assert write_head("GET", "/v2/", "a.example:5000", {"Accept": "x/y"}, None) == (
        b"GET /v2/ HTTP/1.1\r\nHost: a.example:5000\r\nUser-Agent: byoa\r\nAccept-Encoding: identity\r\n"
        b"Accept: x/y\r\n\r\n"
    )


def test_a_body_s_length_is_told_though_it_be_empty() -> None:
    assert write_head("POST", "/", "a", {}, 0).endswith(b"\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("target", ["", "v2", "/a b", "/a\r\nX: y", "/a\n", "/ä", "/a\x00", "/a\x7f"])
def test_a_target_that_would_end_the_line_is_never_sent(target: str) -> None:
    with pytest.raises(InternalFault):
        write_head("GET", target, "a", {}, None)


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\n", "ä", "\x00"])
def test_a_value_that_would_end_the_line_is_never_sent(value: str) -> None:
    with pytest.raises(InternalFault) as caught:
        write_head("GET", "/", "a", {"Authorization": value}, None)
    assert value not in caught.value.cause


# ---- answers -----------------------------------------------------------------------------------------------------


def answer(*fields: str, line: str = "HTTP/1.1 200 OK") -> bytes:
    return "\r\n".join([line, *fields, "", ""]).encode("latin-1")


def test_fields_are_found_by_name_in_any_case() -> None:
    head = read_head(answer("Content-Type:  a/b \t", "x-a: 1", "X-A: 2", "Empty:"), "GET")
    assert head.status == 200
    assert head.first("content-TYPE") == "a/b"
    assert head.first("X-a") == "1"
    assert head.all("x-A") == ["1", "2"]
    assert head.first("empty") == ""
    assert (head.first("none"), head.all("none")) == (None, [])


@pytest.mark.parametrize("line", ["HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1 200 All is well", "HTTP/1.0 200 OK"])
def test_a_phrase_is_nobody_s_business(line: str) -> None:
    assert read_head(answer(line=line), "GET").status == 200


@pytest.mark.parametrize(
    ("fields", "method", "ends"),
    [
        (["Content-Length: 5"], "GET", (5, False, False)),
        (["Content-Length: 5", "Content-Length: 5"], "GET", (5, False, False)),
        (["Content-Length: 5", "Connection: keep-alive, Close"], "GET", (5, False, True)),
        (["Transfer-Encoding: Chunked"], "GET", (None, True, False)),
        ([], "GET", (None, False, True)),
        (["Content-Length: 5"], "HEAD", (0, False, False)),
        (["Transfer-Encoding: chunked"], "HEAD", (0, False, False)),
        ([], "HEAD", (0, False, False)),
    ],
)
def test_a_head_says_where_the_body_ends(fields: list[str], method: str, ends: tuple[int | None, bool, bool]) -> None:
    head = read_head(answer(*fields), method)
    assert (head.length, head.chunked, head.final) == ends


@pytest.mark.parametrize("status", [204, 304])
def test_some_answers_have_no_body_whatever_they_say(status: int) -> None:
    head = read_head(answer("Content-Length: 5", line=f"HTTP/1.1 {status} x"), "GET")
    assert (head.length, head.final) == (0, False)


def test_an_older_peer_keeps_no_connection() -> None:
    assert read_head(answer("Content-Length: 0", line="HTTP/1.0 200 OK"), "GET").final


@pytest.mark.parametrize(
    "fields",
    [
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: identity"],
        ["Transfer-Encoding: xchunked"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: 5, 5"],
        ["Content-Length: +5"],
        ["Content-Length: -5"],
        ["Content-Length: 0x5"],
        ["Content-Length: \u0665"],
        ["Content-Length: 99999999999999999999"],
        ["Content-Length:"],
    ],
    ids=str,
)
def test_a_body_whose_end_is_in_doubt_is_refused(fields: list[str]) -> None:
    with pytest.raises(RegistryProtocolError):
        read_head("\r\n".join(["HTTP/1.1 200 OK", *fields, "", ""]).encode(), "GET")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n\r\n",
        b"HTTP/1.1 200 OK\n\n",
        b"HTTP/1.1 200 OK\r\nA: b\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\x00\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\xc4: b\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"HTTP/1.1 600 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1  200 OK\r\n\r\n",
        b"http/1.1 200 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n",
    ],
)
def test_what_is_no_answer_is_refused(content: bytes) -> None:
    with pytest.raises(RegistryProtocolError):
        read_head(content, "GET")


@pytest.mark.parametrize(
    ("line", "size"),
    [
        (b"0\r\n", 0),
        (b"1f\r\n", 31),
        (b"1F ; name=value\r\n", 31),
        (b"\r\n", None),
        (b"-1\r\n", None),
        (b"0x1\r\n", None),
        (b" 1\r\n", None),
        (b"1\n", None),
        (b"1_0\r\n", None),
        (b"1" * 17 + b"\r\n", None),
        (b"1;a\nb\r\n", None),
    ],
)
def test_a_chunk_begins_with_its_size(line: bytes, size: int | None) -> None:
    assert read_chunk_size(line) == size
