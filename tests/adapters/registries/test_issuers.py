"""Issuers are asked by guarded connections: who answers what, and where nobody is led."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from byoa.adapters.registries.dialing import Dialer
from byoa.adapters.registries.issuers import IssuerKeys
from byoa.adapters.registries.transport import Transport
from byoa.errors import IssuerUnusable
from byoa.trust.addresses import Reachable
from byoa.trust.issuers import DOCUMENT_LIMIT
from tests.issuer import DISCOVERY, GITHUB, JWKS, Issuer, issuing
from tests.tls import issued, terminated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as found:
        yield found


def refusal(issuer: Issuer, name: str = GITHUB) -> str:
    with pytest.raises(IssuerUnusable) as refused:
        issuer.fetch("org_0123456789ab", name)
    return refused.value.cause


def test_two_documents_are_asked_for(issuer: Issuer) -> None:
    assert {key["kid"] for key in issuer.fetch("org_0123456789ab", GITHUB).keys} == {"rsa", "ec", "ec384", "ed"}
    assert issuer.asked == [DISCOVERY, JWKS]


def test_over_tls_the_certificate_is_verified(issuer: Issuer, tmp_path: Path) -> None:
    context, authority = issued(tmp_path)
    with terminated(issuer.address, context) as (port, _):
        issuer.name = f"https://127.0.0.1:{port}"
        reachable = Reachable.parse(f"127.0.0.1/32:{port}")
        for trusted, found in ((authority.read_text(), 4), (None, 0)):
            transport = Transport(dialer=Dialer(reachable), ca=trusted)
            if found:
                assert len(IssuerKeys(transport, {}).fetch(issuer.name).keys) == found
            else:
                with pytest.raises(IssuerUnusable, match="can't be reached"):
                    IssuerKeys(transport, {}).fetch(issuer.name)
            transport.close()


@pytest.mark.parametrize("path", [DISCOVERY, JWKS])
@pytest.mark.parametrize(("status", "headers", "body"), [
    (302, {"Location": "http://169.254.169.254/"}, b""), (301, {"Location": JWKS}, b""), (404, {}, b"{}"),
    (500, {}, b"{}"), (204, {}, b""), (200, {}, b"[]"), (200, {}, b""), (200, {"Content-Encoding": "gzip"}, b"{}"),
    (200, {}, b" " * (DOCUMENT_LIMIT + 1)),
], ids=str)  # fmt: skip
def test_an_answer_that_is_none_is_refused(
    issuer: Issuer, path: str, status: int, headers: dict[str, str], body: bytes
) -> None:
    issuer.script = lambda asked: (status, headers, body) if asked == path else None
    refusal(issuer)
    assert issuer.asked == ([DISCOVERY] if path == DISCOVERY else [DISCOVERY, JWKS]), "no redirect is followed"


@pytest.mark.parametrize("place", [
    "https://169.254.169.254/latest/meta-data", "https://127.0.0.1:1/keys", "https://localhost/keys",
    "https://[::1]/keys", "https://10.0.0.1/keys",
])  # fmt: skip
def test_a_document_leads_to_no_address_inside(issuer: Issuer, place: str) -> None:
    told = json.dumps({"issuer": GITHUB, "jwks_uri": place}).encode()
    issuer.script = lambda _: (200, {}, told)
    cause = refusal(issuer)
    assert cause == "The host of the issuer's keys is at no address that this platform connects to."


@pytest.mark.parametrize("name", ["https://169.254.169.254", "https://127.0.0.1", "https://localhost", "https://[::1]"])
def test_an_issuer_inside_is_not_asked(issuer: Issuer, name: str) -> None:
    assert "no address that this platform connects to" in refusal(issuer, name)
    assert issuer.asked == []


def test_an_issuer_that_is_out_is_told_so(issuer: Issuer) -> None:
    issuer.script = lambda _: (200, {"Transfer-Encoding": "nonsense"}, b"{}")
    assert refusal(issuer) == "The issuer can't be reached, or doesn't answer as HTTP over TLS."
