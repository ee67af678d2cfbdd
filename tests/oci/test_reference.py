"""What a reference may be, what it may not be, and that every refusal says why without repeating the text."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from byoa.errors import ByoaError, DigestUnsupported, ReferenceInvalid, ReferenceUnsupported
from byoa.oci.digest import Digest
from byoa.oci.reference import Reference, Registry, parse_repository, parse_tag

SHA256 = "sha256:" + "0123456789abcdef" * 4
SHA512 = "sha512:" + "0123456789abcdef" * 8
HOST_OF_250 = ".".join(["a" * 62] * 3 + ["b" * 61])

ACCEPTED = [
    # (text, canonical registry, repository, tag, digest)
    ("oci://ghcr.io/vendor/app-manifests:v2.3.1", "ghcr.io", "vendor/app-manifests", "v2.3.1", None),
    (f"oci://ghcr.io/vendor/app@{SHA256}", "ghcr.io", "vendor/app", None, SHA256),
    (f"oci://ghcr.io/vendor/app:v1@{SHA256}", "ghcr.io", "vendor/app", "v1", SHA256),
    (f"oci://ghcr.io/vendor/app@{SHA512}", "ghcr.io", "vendor/app", None, SHA512),
    ("oci://ghcr.io/a", "ghcr.io", "a", None, None),
    ("oci://localhost:5000/a", "localhost:5000", "a", None, None),
    ("oci://REG.Example.COM/a", "reg.example.com", "a", None, None),
    ("oci://reg.example.com:443/a", "reg.example.com", "a", None, None),
    ("oci://reg.example.com:1/a", "reg.example.com:1", "a", None, None),
    ("oci://reg.example.com:65535/a", "reg.example.com:65535", "a", None, None),
    ("oci://xn--bcher-kva.example/a", "xn--bcher-kva.example", "a", None, None),
    ("oci://1-2.3com/a", "1-2.3com", "a", None, None),
    (f"oci://{'a' * 63}.example/a", f"{'a' * 63}.example", "a", None, None),
    (f"oci://{HOST_OF_250}/abcd", HOST_OF_250, "abcd", None, None),
    ("oci://93.184.216.34/a", "93.184.216.34", "a", None, None),
    ("oci://93.184.216.34:8443/a", "93.184.216.34:8443", "a", None, None),
    ("oci://[2606:2800:220:1::1]/a", "[2606:2800:220:1::1]", "a", None, None),
    ("oci://[2606:2800:0220:0001:0:0:0:000A]:5000/a", "[2606:2800:220:1::a]:5000", "a", None, None),
    ("oci://[::1]:443/a", "[::1]", "a", None, None),
    ("oci://docker.io/library/alpine", "docker.io", "library/alpine", None, None),
    ("oci://index.docker.io/library/alpine", "docker.io", "library/alpine", None, None),
    ("oci://registry-1.docker.io:443/library/alpine", "docker.io", "library/alpine", None, None),
    ("oci://Index.Docker.IO/library/alpine", "docker.io", "library/alpine", None, None),
    ("oci://index.docker.io:5000/a", "index.docker.io:5000", "a", None, None),
    (
        "oci://reg.example.com/a_b/c__d/e-f/g---h/i.j/0/1.2",
        "reg.example.com",
        "a_b/c__d/e-f/g---h/i.j/0/1.2",
        None,
        None,
    ),
    ("oci://reg.example.com/a:_", "reg.example.com", "a", "_", None),
    ("oci://reg.example.com/a:A.b-C_9", "reg.example.com", "a", "A.b-C_9", None),
    (f"oci://reg.example.com/a:{'t' * 128}", "reg.example.com", "a", "t" * 128, None),
    ("oci://reg.example.com/" + "a" * 239, "reg.example.com", "a" * 239, None, None),
    ("oci://reg.example.com:443/" + "a" * 239, "reg.example.com", "a" * 239, None, None),
]

REFUSED = [
    # A1-A3: who is the host?
    ("A1", "oci://user:hunter2@reg.example.com/a", ReferenceInvalid, "password"),
    ("A1 name only", "oci://user@reg.example.com/a", ReferenceInvalid, "password"),
    ("A1 empty", "oci://@reg.example.com/a", ReferenceInvalid, "password"),
    ("A2", "oci://reg.example.com@169.254.169.254/a", ReferenceInvalid, "password"),
    ("A3", "oci://reg.example.com\\@evil.io/a", ReferenceInvalid, "backslash"),
    ("A3 in the path", "oci://reg.example.com/a\\b", ReferenceInvalid, "backslash"),
    # A5, A6: only oci://, and nothing is assumed
    ("A5 https", "https://reg.example.com/a", ReferenceUnsupported, "scheme"),
    ("A5 http", "http://reg.example.com/a:v1", ReferenceUnsupported, "scheme"),
    ("A5 docker", "docker://reg.example.com/a", ReferenceUnsupported, "scheme"),
    ("A5 file", "file:///etc/passwd", ReferenceUnsupported, "scheme"),
    ("A5 ocidir", "ocidir://x", ReferenceUnsupported, "scheme"),
    ("A5 upper case", "OCI://reg.example.com/a", ReferenceUnsupported, "scheme"),
    ("A5 s3", "s3://bucket/a", ReferenceUnsupported, "scheme"),
    ("A5 oci+http", "oci+http://reg.example.com/a", ReferenceUnsupported, "scheme"),
    ("A6 image", "alpine", ReferenceInvalid, "oci://"),
    ("A6 path", "team/app", ReferenceInvalid, "oci://"),
    ("A6 host and path", "ghcr.io/vendor/app:v1", ReferenceInvalid, "oci://"),
    ("A6 host and port", "localhost:5000", ReferenceInvalid, "oci://"),
    ("A6 empty", "", ReferenceInvalid, "oci://"),
    ("A6 one slash", "oci:/reg.example.com/a", ReferenceInvalid, "oci://"),
    ("A6 no scheme name", "://reg.example.com/a", ReferenceInvalid, "oci://"),
    ("A6 scheme later", "team/oci://reg.example.com/a", ReferenceInvalid, "oci://"),
    # A7: parts missing
    ("A7 no host", "oci:///app", ReferenceInvalid, "host"),
    ("A7 only a port", "oci://:443/app", ReferenceInvalid, "host"),
    ("A7 no repository", "oci://reg.example.com", ReferenceInvalid, "repository"),
    ("A7 empty repository", "oci://reg.example.com/", ReferenceInvalid, "repository"),
    ("A7 tag without repository", "oci://reg.example.com/:v1", ReferenceInvalid, "repository"),
    ("A7 digest without repository", f"oci://reg.example.com/@{SHA256}", ReferenceInvalid, "repository"),
    ("A7 nothing", "oci://", ReferenceInvalid, "host"),
    # ports
    ("port empty", "oci://reg.example.com:/a", ReferenceInvalid, "port"),
    ("port 0", "oci://reg.example.com:0/a", ReferenceInvalid, "port"),
    ("port 65536", "oci://reg.example.com:65536/a", ReferenceInvalid, "port"),
    ("port of many digits", f"oci://reg.example.com:{'9' * 50}/a", ReferenceInvalid, "port"),
    ("port with leading zero", "oci://reg.example.com:0443/a", ReferenceInvalid, "port"),
    ("port with sign", "oci://reg.example.com:+443/a", ReferenceInvalid, "port"),
    ("port with underscore", "oci://reg.example.com:4_43/a", ReferenceInvalid, "port"),
    ("port in hex", "oci://reg.example.com:0x1bb/a", ReferenceInvalid, "port"),
    ("port by name", "oci://reg.example.com:https/a", ReferenceInvalid, "port"),
    ("two ports", "oci://reg.example.com:443:80/a", ReferenceInvalid, "':'"),
    # A10, A11, A13, A14: repositories
    ("A10", "oci://reg.example.com/a/../../v2/_catalog", ReferenceInvalid, "repository"),
    ("A10 one dot", "oci://reg.example.com/a/./b", ReferenceInvalid, "repository"),
    ("A10 leading dots", "oci://reg.example.com/../a", ReferenceInvalid, "repository"),
    ("A11 dots", "oci://reg.example.com/a/%2e%2e/b", ReferenceInvalid, "percent"),
    ("A11 slash", "oci://reg.example.com/a%2fb", ReferenceInvalid, "percent"),
    ("A11 nul", "oci://reg.example.com/a%00b", ReferenceInvalid, "percent"),
    ("A11 line end", "oci://reg.example.com/a%0d%0aX:y", ReferenceInvalid, "percent"),
    ("A11 in the host", "oci://reg%2eexample.com/a", ReferenceInvalid, "percent"),
    ("query", "oci://reg.example.com/a?x=1", ReferenceInvalid, "query"),
    ("fragment", "oci://reg.example.com/a#x", ReferenceInvalid, "fragment"),
    ("fragment before a host", "oci://#@reg.example.com/a", ReferenceInvalid, "fragment"),
    ("A13", "oci://reg.example.com/Team/App", ReferenceInvalid, "lower case"),
    ("A14 host and name of 256", "oci://reg.example.com/" + "a" * 240, ReferenceInvalid, "255"),
    ("A14 name of 256", "oci://r.io/" + "a" * 256, ReferenceInvalid, "255"),
    ("A14 long host", f"oci://{HOST_OF_250}/abcde", ReferenceInvalid, "255"),
    ("A14 name of 10 000", "oci://r.io/" + "a" * 10_000, ReferenceInvalid, "exceeds"),
    ("A14 backtracking", "oci://r.io/" + "a-" * 120 + "!", ReferenceInvalid, "repository"),
    ("empty part", "oci://reg.example.com/a//b", ReferenceInvalid, "repository"),
    ("leading slash", "oci://reg.example.com//a", ReferenceInvalid, "repository"),
    ("trailing slash", "oci://reg.example.com/a/", ReferenceInvalid, "repository"),
    ("two dots", "oci://reg.example.com/a..b", ReferenceInvalid, "repository"),
    ("three underscores", "oci://reg.example.com/a___b", ReferenceInvalid, "repository"),
    ("mixed separators", "oci://reg.example.com/a_-b", ReferenceInvalid, "repository"),
    ("leading separator", "oci://reg.example.com/-a", ReferenceInvalid, "repository"),
    ("trailing separator", "oci://reg.example.com/a-/b", ReferenceInvalid, "repository"),
    ("sub-path", "oci://reg.example.com/a//b:v1", ReferenceInvalid, "repository"),
    ("star", "oci://reg.example.com/a*", ReferenceInvalid, "repository"),
    ("template", "oci://reg.example.com/{{.nuon.x}}", ReferenceInvalid, "repository"),
    # A15, tags
    ("A15 129", f"oci://reg.example.com/a:{'t' * 129}", ReferenceInvalid, "tag"),
    ("A15 dot", "oci://reg.example.com/a:.x", ReferenceInvalid, "tag"),
    ("A15 dash", "oci://reg.example.com/a:-x", ReferenceInvalid, "tag"),
    ("A15 blank", "oci://reg.example.com/a:a b", ReferenceInvalid, "white space"),
    ("A15 newline", "oci://reg.example.com/a:a\n", ReferenceInvalid, "white space"),
    ("A15 header", "oci://reg.example.com/a:latest\r\nHost: e", ReferenceInvalid, "white space"),
    ("A15 caret", "oci://reg.example.com/a:x^1", ReferenceInvalid, "tag"),
    ("A15 empty", "oci://reg.example.com/a:", ReferenceInvalid, "tag"),
    ("A15 empty before a digest", f"oci://reg.example.com/a:@{SHA256}", ReferenceInvalid, "tag"),
    ("A15 plus", "oci://reg.example.com/a:1.0+build", ReferenceInvalid, "tag"),
    ("A15 slash after tag", "oci://reg.example.com/a:v1/b", ReferenceInvalid, "tag"),
    ("A15 two tags", "oci://reg.example.com/a:v1:v2", ReferenceInvalid, "tag"),
    # A17-A19: digests
    ("A17", "oci://reg.example.com/a@sha256:" + "0" * 63, ReferenceInvalid, "64"),
    ("A18", "oci://reg.example.com/a@sha256:../../../../etc/passwd", ReferenceInvalid, "64"),
    ("A19", "oci://reg.example.com/a@md5:" + "0" * 32, DigestUnsupported, "algorithm"),
    ("empty digest", "oci://reg.example.com/a@", ReferenceInvalid, "digest"),
    ("A21 two digests", f"oci://reg.example.com/a@{SHA256}@{SHA256}", ReferenceInvalid, "'@'"),
    ("A21 tag after digest", f"oci://reg.example.com/a@{SHA256}:v1", ReferenceInvalid, "64"),
    # A22, addresses of IPv6
    ("A22 zone", "oci://[fe80::1%25eth0]/a", ReferenceInvalid, "percent"),
    ("A22 IPvFuture", "oci://[v1.evil]/a", ReferenceInvalid, "IPv6"),
    ("A22 open", "oci://[::1/a", ReferenceInvalid, "bracket"),
    ("A22 bare", "oci://::1/a", ReferenceInvalid, "IPv6"),
    ("A22 two gaps", "oci://[1::2::3]/a", ReferenceInvalid, "IPv6"),
    ("A22 empty", "oci://[]/a", ReferenceInvalid, "IPv6"),
    ("A22 IPv4 in brackets", "oci://[127.0.0.1]/a", ReferenceInvalid, "IPv6"),
    ("A22 text after", "oci://[::1]x:443/a", ReferenceInvalid, "bracket"),
    ("A22 text before", "oci://x[::1]/a", ReferenceInvalid, "IPv6"),
    ("A22 two brackets", "oci://[[::1]]/a", ReferenceInvalid, "bracket"),
    ("A22 empty port", "oci://[::1]:/a", ReferenceInvalid, "port"),
    ("A22 two ports", "oci://[::1]:443:443/a", ReferenceInvalid, "':'"),
    ("A22 too long", "oci://[1:2:3:4:5:6:7:8:9]/a", ReferenceInvalid, "IPv6"),
    ("A22 long group", "oci://[00001::1]/a", ReferenceInvalid, "IPv6"),
    # A23: other spellings of an IPv4 address
    ("A23 one number", "oci://2852039166/a", ReferenceInvalid, "IPv4"),
    ("A23 hex", "oci://0xA9FEA9FE/a", ReferenceInvalid, "IPv4"),
    ("A23 octal", "oci://0251.0376.0251.0376/a", ReferenceInvalid, "IPv4"),
    ("A23 short", "oci://127.1/a", ReferenceInvalid, "IPv4"),
    ("A23 zero", "oci://0/a", ReferenceInvalid, "IPv4"),
    ("A23 three parts", "oci://169.254.43518/a", ReferenceInvalid, "IPv4"),
    ("A23 hex parts", "oci://0xa9.0xfe.0xa9.0xfe/a", ReferenceInvalid, "IPv4"),
    ("A23 name then number", "oci://reg.example.1/a", ReferenceInvalid, "IPv4"),
    ("A23 name then hex", "oci://reg.example.0x7f/a", ReferenceInvalid, "IPv4"),
    ("A23 lone 0x", "oci://127.0.0.0x/a", ReferenceInvalid, "IPv4"),
    ("A23 256", "oci://1.2.3.256/a", ReferenceInvalid, "IPv4"),
    ("A23 five parts", "oci://1.2.3.4.5/a", ReferenceInvalid, "IPv4"),
    ("A23 leading zero", "oci://127.0.0.01/a", ReferenceInvalid, "IPv4"),
    # A25: names that are almost the same
    ("A25 trailing dot", "oci://reg.example.com./a", ReferenceInvalid, "labels"),
    ("A25 IPv4 trailing dot", "oci://127.0.0.1./a", ReferenceInvalid, "labels"),
    ("A25 empty label", "oci://reg..example.com/a", ReferenceInvalid, "labels"),
    ("A25 leading dot", "oci://.example.com/a", ReferenceInvalid, "labels"),
    ("A25 leading dash", "oci://-reg.example.com/a", ReferenceInvalid, "labels"),
    ("A25 trailing dash", "oci://reg-.example.com/a", ReferenceInvalid, "labels"),
    ("A25 label of 64", f"oci://{'a' * 64}.example.com/a", ReferenceInvalid, "labels"),
    ("A25 underscore", "oci://_reg.example.com/a", ReferenceInvalid, "labels"),
    ("A25 wildcard", "oci://*.example.com/a", ReferenceInvalid, "labels"),
    ("A25 host of 254", f"oci://{HOST_OF_250}.abc/a", ReferenceInvalid, "253"),
    ("A25 lone dot", "oci://./a", ReferenceInvalid, "labels"),
    ("A25 sign", "oci://reg.example.com,evil.io/a", ReferenceInvalid, "labels"),
    ("A25 semicolon", "oci://reg.example.com;evil.io/a", ReferenceInvalid, "labels"),
    # A26: what splitters drop and resolvers translate
    ("A26 header", "oci://reg.example.com/a\r\nX-Evil: 1", ReferenceInvalid, "white space"),
    ("A26 tab", "oci://reg.exa\tmple.com/a", ReferenceInvalid, "white space"),
    ("A26 nul", "oci://127.0.0.1\x00.evil.com/a", ReferenceInvalid, "white space"),
    ("A26 U+2028", "oci://reg.example.com/a\u2028", ReferenceInvalid, "ASCII"),
    ("A26 U+202E", "oci://reg.example.com/\u202ea", ReferenceInvalid, "ASCII"),
    ("A26 BOM", "\ufeffoci://reg.example.com/a", ReferenceInvalid, "ASCII"),
    ("A26 leading space", " oci://reg.example.com/a", ReferenceInvalid, "white space"),
    ("A26 trailing space", "oci://reg.example.com/a ", ReferenceInvalid, "white space"),
    ("A26 delete", "oci://reg.example.com/a\x7f", ReferenceInvalid, "control"),
    ("A26 circled digits", "oci://①⑥⑨.②⑤④.①⑥⑨.②⑤④/a", ReferenceInvalid, "ASCII"),
    ("A26 full-width digits", "oci://１６９.２５４.１６９.２５４/a", ReferenceInvalid, "ASCII"),  # noqa: RUF001
    ("A26 full-width dot", "oci://reg．example．com/a", ReferenceInvalid, "ASCII"),  # noqa: RUF001
    ("A26 ideographic stop", "oci://reg。example。com/a", ReferenceInvalid, "ASCII"),
    ("A26 Cyrillic", "oci://reg.ex\u0430mple.com/a", ReferenceInvalid, "ASCII"),
    ("A26 lone surrogate", "oci://reg.example.com/\ud800", ReferenceInvalid, "ASCII"),
    ("A26 Arabic port", "oci://reg.example.com:\u0664\u0664\u0663/a", ReferenceInvalid, "ASCII"),
]


@pytest.mark.parametrize(("text", "registry", "repository", "tag", "digest"), ACCEPTED)
def test_what_the_grammar_allows_is_accepted_in_its_parts(
    text: str, registry: str, repository: str, tag: str | None, digest: str | None
) -> None:
    reference = Reference.parse(text)
    assert str(reference.registry) == registry
    assert reference.repository == repository
    assert reference.tag == tag
    assert reference.digest == (None if digest is None else Digest.parse(digest))
    assert reference.name == f"{registry}/{repository}"


@pytest.mark.parametrize("text", [row[0] for row in ACCEPTED])
def test_the_canonical_text_is_read_back_as_the_same_reference(text: str) -> None:
    reference = Reference.parse(text)
    assert Reference.parse(str(reference)) == reference
    assert str(Reference.parse(str(reference))) == str(reference)


@pytest.mark.parametrize(("text", "kind", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_the_grammar_forbids_is_refused_with_the_reason(text: str, kind: type[ByoaError], reason: str) -> None:
    with pytest.raises(kind) as refusal:
        Reference.parse(text)
    assert type(refusal.value) is kind
    assert reason in refusal.value.cause


@pytest.mark.parametrize("text", [row[1] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_refusal_is_one_printable_sentence_with_a_remedy(text: str) -> None:
    with pytest.raises(ByoaError) as refusal:
        Reference.parse(text)
    for sentence in (refusal.value.cause, refusal.value.remedy):
        assert 0 < len(sentence) <= 512
        assert sentence.isascii()
        assert sentence.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "oci://user:hunter2@reg.example.com/a",
        "oci://hunter2/a/b@sha256:hunter2",
        "oci://[hunter2]/a",
        "oci://hunter2.1/a",
        "oci://reg.example.com:hunter2/a",
        "oci://reg.example.com/Hunter2",
        "oci://reg.example.com/a:-hunter2",
        "hunter2://reg.example.com/a",
        "hunter2",
    ],
)
def test_a_refusal_and_all_that_led_to_it_repeat_nothing_of_the_text(text: str) -> None:
    with pytest.raises(ByoaError) as refusal:
        Reference.parse(text)
    error: BaseException | None = refusal.value
    while error is not None:
        assert "hunter2" not in repr(error).lower()
        error = error.__context__
    assert "hunter2" not in json.dumps(refusal.value.as_dict()).lower()


def test_the_remedy_for_a_missing_scheme_shows_the_form() -> None:
    with pytest.raises(ReferenceInvalid) as refusal:
        Reference.parse("ghcr.io/vendor/app:v1")
    assert "oci://HOST[:PORT]/REPOSITORY" in refusal.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        "oci://r.io/" + "a" * 10_000,
        "oci://r.io/" + "a-" * 500,
        "oci://r.io/" + "a" * 244 + "!",
        "oci://r.io/" + "a_" * 122 + "!",
        "oci://" + "a-" * 400 + "/a",
        "oci://r.io/a@" + "a+" * 400,
        "oci://r.io/a@" + "a" * 900 + "!:",
    ],
)
def test_refusing_takes_no_time_that_grows_faster_than_the_text(text: str) -> None:
    begin = time.perf_counter()
    for _ in range(20):
        with pytest.raises(ByoaError):
            Reference.parse(text)
    assert time.perf_counter() - begin < 0.2


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("reg.example.com", "reg.example.com:443"),
        ("reg.example.com", "REG.example.com"),
        ("docker.io", "index.docker.io"),
        ("docker.io", "registry-1.docker.io:443"),
        ("[::1]", "[0:0:0:0:0:0:0:1]:443"),
        ("[2001:DB8::A]:5000", "[2001:db8::a]:5000"),
    ],
)
def test_one_endpoint_has_one_name(left: str, right: str) -> None:
    assert Registry.parse(left) == Registry.parse(right)
    assert str(Registry.parse(left)) == str(Registry.parse(right))


@pytest.mark.parametrize(
    "other",
    [
        "reg.example.com.evil.io",
        "evil-reg.example.com",
        "reg.example.com:8443",
        "example.com",
        "reg.example.co",
        "sub.reg.example.com",
    ],
)
def test_look_alikes_are_other_endpoints(other: str) -> None:  # A27
    assert Registry.parse(other) != Registry.parse("reg.example.com")


@pytest.mark.parametrize("text", ["", ":443", "*", ".example.com", "reg.example.com/", "a b", "[fe80::1%eth0]", "a@b"])
def test_a_registry_alone_follows_the_same_rules(text: str) -> None:
    with pytest.raises(ReferenceInvalid):
        Registry.parse(text)


@pytest.mark.parametrize(
    ("url", "tag", "digest", "result"),
    [
        ("oci://r.io/a", "v1", None, "oci://r.io/a:v1"),
        ("oci://r.io/a", None, SHA256, f"oci://r.io/a@{SHA256}"),
        ("oci://r.io/a", "v1", SHA256, f"oci://r.io/a:v1@{SHA256}"),
        ("oci://r.io/a:v1", None, None, "oci://r.io/a:v1"),
        ("oci://r.io/a:v1", None, SHA256, f"oci://r.io/a:v1@{SHA256}"),
        (f"oci://r.io/a@{SHA256}", "v1", None, f"oci://r.io/a:v1@{SHA256}"),
        (f"oci://r.io/a:v1@{SHA256}", None, None, f"oci://r.io/a:v1@{SHA256}"),
    ],
)
def test_three_fields_make_one_reference(url: str, tag: str | None, digest: str | None, result: str) -> None:
    assert str(Reference.of(url, tag=tag, digest=digest)) == result


@pytest.mark.parametrize(
    ("url", "tag", "digest", "kind", "reason"),
    [
        ("oci://r.io/a", None, None, ReferenceInvalid, "neither"),
        ("oci://r.io/a:v2", "v1", None, ReferenceInvalid, "tag stands twice"),
        ("oci://r.io/a:v1", "v1", None, ReferenceInvalid, "tag stands twice"),
        (f"oci://r.io/a@{SHA256}", None, SHA256, ReferenceInvalid, "digest stands twice"),
        (f"oci://r.io/a@{SHA256}", None, SHA512, ReferenceInvalid, "digest stands twice"),
        ("oci://r.io/a", "", None, ReferenceInvalid, "tag is empty"),
        ("oci://r.io/a", "v1\n", None, ReferenceInvalid, "tag"),
        ("oci://r.io/a", f"v1@{SHA256}", None, ReferenceInvalid, "tag"),
        ("oci://r.io/a", None, "", ReferenceInvalid, "digest"),
        ("oci://r.io/a", None, "latest", ReferenceInvalid, "digest"),
        ("oci://r.io/a", None, "sha1:" + "0" * 40, DigestUnsupported, "algorithm"),
        ("r.io/a", "v1", None, ReferenceInvalid, "oci://"),
    ],
)
def test_fields_that_conflict_or_say_too_little_are_refused(
    url: str, tag: str | None, digest: str | None, kind: type[ByoaError], reason: str
) -> None:
    with pytest.raises(kind, match=reason):
        Reference.of(url, tag=tag, digest=digest)


def test_pinning_keeps_the_tag_as_a_label() -> None:
    digest = Digest.parse(SHA256)
    assert str(Reference.parse("oci://r.io/a:v1").pinned(digest)) == f"oci://r.io/a:v1@{SHA256}"
    assert Reference.parse(f"oci://r.io/a@{SHA512}").pinned(digest).digest == digest


def test_a_tag_and_a_repository_are_also_read_by_themselves() -> None:
    assert parse_tag("v1") == "v1"
    assert parse_repository("byoa/org_1/app") == "byoa/org_1/app"
    with pytest.raises(ReferenceInvalid):
        parse_tag("v1\n")
    with pytest.raises(ReferenceInvalid):
        parse_repository("a\n")
    with pytest.raises(ReferenceInvalid):
        parse_repository("\u0131")


def test_references_can_be_keys_and_cannot_change() -> None:
    reference = Reference.parse("oci://r.io/a:v1")
    assert {reference: 1}[Reference.parse("oci://r.io/a:v1")] == 1
    with pytest.raises(AttributeError):
        reference.tag = "v2"  # type: ignore[misc]


labels = st.from_regex(r"[a-zA-Z]([a-zA-Z0-9-]{0,8}[a-zA-Z0-9])?", fullmatch=True)
names = st.lists(labels, min_size=1, max_size=4).map(".".join)
hosts = names | st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(lambda address: f"[{address.exploded}]")
ports = st.just("") | st.integers(1, 65535).map(lambda port: f":{port}")
repositories = st.from_regex(r"[a-z0-9]{1,5}((\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}(/[a-z0-9]{1,5}){0,3}", fullmatch=True)
tags = st.just("") | st.from_regex(r":[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}", fullmatch=True)
digests = st.just("") | st.binary().map(lambda content: f"@{Digest.of(content)}")
sound = st.tuples(hosts, ports, repositories, tags, digests).map(lambda p: f"oci://{p[0]}{p[1]}/{p[2]}{p[3]}{p[4]}")


@given(sound)
def test_every_sound_reference_survives_the_round_trip(text: str) -> None:
    reference = Reference.parse(text)
    assert Reference.parse(str(reference)) == reference


@given(st.text() | st.text().map("oci://".__add__) | st.text(alphabet="oci:/@[]%.-_0xaA1").map("oci://".__add__))
@example("oci://[::ffff:169.254.169.254]/a")
def test_any_text_is_read_whole_or_refused_by_name(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except (ReferenceInvalid, ReferenceUnsupported, DigestUnsupported):
        return
    assert Reference.parse(str(reference)) == reference


@given(sound, st.sampled_from("\t\n\r\x00 \x7f\x1b\u2028\u202e\ufeff%\\?#"), st.data())
def test_a_forbidden_character_anywhere_spoils_a_sound_reference(
    text: str, character: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(text)))
    with pytest.raises(ReferenceInvalid):
        Reference.parse(text[:at] + character + text[at:])
