"""Header fields in the forms that RFC 9110 and RFC 8288 allow, as registries and what stands before them write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byoa.adapters.registries.endpoints import Endpoint, Location
from byoa.adapters.registries.fields import read_challenges, read_links
from byoa.adapters.registries.locations import parse_location

NEXT = "/v2/app/tags/list?last=b"


@pytest.mark.parametrize(
    "form",
    [
        '<{}>; rel="next"',
        "<{}>; rel=next",
        "<{}>;rel=next",
        '<{}> ; rel = "next"',
        '<{}>; REL="Next"',
        '<{}>; rel="next"; title="more; of, <them>"',
        '<{}>; title="a \\" b"; rel="next"',
        "<{}>; rel=\"next\"; title*=UTF-8''m%C3%A4hr",
        '<{}>; rel="prev next"',
        '<{}>;; rel="next";',
        '</v2/app/tags/list>; rel="first", <{}>; rel="next"',
        '<{}>; rel="next", </z>; rel="last"',
        ', <{}>; rel="next" ,',
        '<{}>; crossorigin; rel="next"',
    ],
)
def test_the_next_page_is_found_in_every_form(form: str) -> None:
    links = read_links(form.format(NEXT))
    assert links is not None
    assert [link.address for link in links if "next" in link.relations] == [NEXT]


@pytest.mark.parametrize(
    "value", ["", " , ", '<{}>; rel="last"', "<{}>", '<{}>; rel="first"; rel="next"', "<{}>; rev=next"]
)
def test_what_names_no_next_page_names_none(value: str) -> None:
    links = read_links(value.format(NEXT))
    assert links is not None
    assert not any("next" in link.relations for link in links)


@pytest.mark.parametrize(
    "value",
    ["{}; rel=next", '"{}"; rel=next', "<{}", '<{}>; rel="next', "<{}>; rel=next more", "<{}> rel=next", "<<{}>>"],
)
def test_what_cant_be_read_is_told_apart_from_the_end(value: str) -> None:
    assert read_links(value.format(NEXT)) is None


BEARER = {"realm": "https://auth.example.com/token", "service": "registry"}


@pytest.mark.parametrize(
    "value",
    [
        'Bearer realm="https://auth.example.com/token",service="registry"',
        'bearer Realm="https://auth.example.com/token" , SERVICE="registry"',
        'BEARER  realm = "https://auth.example.com/token", service = registry',
        "Bearer realm=https://auth.example.com/token,service=registry",
        'Negotiate, Bearer realm="https://auth.example.com/token",service="registry"',
        'Negotiate YII/a+b==, Bearer realm="https://auth.example.com/token",service="registry"',
        'Basic realm="a, b", Bearer realm="https://auth.example.com/token",service="registry"',
        'Bearer realm="https://auth.example.com/token",service="regi\\stry"',
        'Bearer realm="https://auth.example.com/token",service="registry", Bearer realm="https://other.example/"',
        'Bearer realm="https://auth.example.com/token",realm="https://other.example/",service="registry"',
        'AWS4-HMAC-SHA256 a-b="c", Bearer realm="https://auth.example.com/token",service="registry"',
    ],
)
def test_a_challenge_is_found_in_every_form(value: str) -> None:
    assert read_challenges(value)["bearer"] == BEARER


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200))
def test_any_field_is_read_to_an_end(value: str) -> None:
    read_challenges(value)
    read_links(value)


HERE = Endpoint("https", "registry.example.com", 443)
PAGE = "/v2/app/tags/list?n=2"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/v2/b", "/v2/b"),
        ("list?last=b", "/v2/app/tags/list?last=b"),
        ("?last=b", "/v2/app/tags/list?last=b"),
        ("./more", "/v2/app/tags/more"),
        ("../x", "/v2/app/x"),
        ("../../../../../x", "/x"),
        ("/a/./b/../c", "/a/c"),
        ("//registry.example.com/y", "/y"),
        ("https://registry.example.com", "/"),
        ("HTTPS://Registry.Example.COM:443/y?z=%2F#part", "/y?z=%2F"),
        ("https://registry.example.com?z", "/?z"),
        ("list?at=a:b//c", "/v2/app/tags/list?at=a:b//c"),
    ],
)
def test_an_address_is_resolved_against_what_it_answers(text: str, path: str) -> None:
    assert parse_location(text, HERE, PAGE) == Location(HERE, path)


@pytest.mark.parametrize(
    "text", ["//elsewhere.example/x", "https://elsewhere.example/x", "http://registry.example.com/x"]
)
def test_an_address_elsewhere_is_one_and_never_ours(text: str) -> None:
    found = parse_location(text, HERE, PAGE)
    assert found is not None
    assert found.endpoint != HERE


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
def test_no_text_leads_to_another_host_unless_it_names_it(text: str) -> None:
    found = parse_location(text, HERE, PAGE)
    if found and found.endpoint != HERE:
        assert "//" in text
        assert found.endpoint.host.partition(":")[0] in text.lower()
    assert found is None or found.path.startswith("/")
