"""What people send to the API stays there: secrets of credentials, and tokens, in no answer, log line or record."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from byoa.api.face import logger
from byoa.trust.issuers import KeysFound
from tests.api.served import Served
from tests.leaks.kinds import FORMS, HOSTS
from tests.leaks.searching import Searcher, canary

if TYPE_CHECKING:
    from collections.abc import Iterator


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(json.dumps(record.__dict__, default=repr))


@pytest.fixture
def lines() -> Iterator[list[str]]:
    handler = Lines()
    logger.addHandler(handler)
    yield handler.said
    logger._logger.removeHandler(handler)


def places(served: Served, lines: list[str], *answers: Any) -> dict[str, str]:
    """All that is kept or told beside the store of credentials itself."""
    kept = (served.deeds, served.answers, served.components, served.told, served.tokens)
    return {
        "answers": " ".join(f"{each.text} {each.headers}" for each in answers),
        "log": "\n".join(lines),
        "records": " ".join(map(repr, kept)) + repr(served.ledger),
    }


def check(searcher: Searcher, where: dict[str, str]) -> None:
    assert [each for name, text in where.items() for each in searcher.find(name, text)] == []


@pytest.mark.parametrize("name", FORMS)
def test_credentials_that_are_stored_are_told_nowhere(name: str, lines: list[str]) -> None:
    served, searcher, form = Served(), Searcher(), FORMS[name]
    secret, host = searcher.add(canary()), HOSTS.get(form.kind, "registry.example.com")
    sent = {"kind": form.kind, "host": host, "value": form.fields(host, secret)}
    made = served.ask("POST", "/v1/credentials", {"ref": "creds", **sent}, idempotency_key="once")
    again = served.ask("PUT", "/v1/credentials/creds", sent, if_match="*")
    assert (made.status, again.status) == (201, 200), (made.text, again.text)
    read = [served.ask("GET", path) for path in ("/v1/credentials", "/v1/credentials/creds", "/v1/audit")]
    assert "created_at" in read[2].text or "create_credentials" in read[2].text
    if secret in json.dumps(sent):
        assert secret in repr([each.secret.text for each in served.secrets.values()])
    check(searcher, places(served, lines, made, again, *read))


def broken(secret: str) -> list[Any]:
    whole = {"kind": "basic", "host": "registry.example.com", "value": {"username": "a", "password": secret}}
    return [
        {**whole, "value": secret},
        {**whole, "value": [secret]},
        {**whole, "value": {secret: secret}},
        {**whole, "value": {"username": f"{secret}:", "password": secret}},
        {**whole, "value": {"username": secret}},
        {**whole, "value": {"username": "a", "password": f"{secret}\n"}},
        {**whole, "kind": secret},
        {**whole, "host": secret},
        {**whole, "passwort": secret},
        {**whole, "kind": "gcp_gar", "value": {"key": secret}},
        {**whole, "kind": "dockerconfigjson", "value": {"dockerconfigjson": f'{{"auths": {secret}'}},
        {**whole, "kind": "aws_ecr", "value": {"role_arn": secret}},
        {**whole, "kind": "token", "value": {"registry_token": f"{secret} {secret}"}},
        [secret],
        secret,
    ]


@pytest.mark.parametrize("number", range(15))
def test_credentials_that_are_refused_are_told_nowhere_either(number: int, lines: list[str]) -> None:
    served, searcher = Served(), Searcher()
    body = broken(searcher.add(canary()))[number]
    content = {"ref": "creds", **body} if isinstance(body, dict) else body
    made = served.ask("POST", "/v1/credentials", content)
    torn = served.ask("POST", "/v1/credentials", raw=json.dumps(content)[:-1])
    assert 400 <= made.status < 500
    assert torn.status in (400, 422)
    check(searcher, places(served, lines, made, torn))


def test_a_token_is_in_the_answer_that_made_it_and_nowhere_else(lines: list[str]) -> None:
    served, searcher = Served(), Searcher()
    body = {"name": "ci", "scopes": ["sync"]}
    made = served.ask("POST", "/v1/tokens", body, idempotency_key="once")
    token = made.json["token"]
    searcher.add(token[-43:])
    assert searcher.find("answer", made.text)
    used = [served.ask("GET", "/v1/account", token=token), served.ask("GET", "/v1/account", token=f"{token}x")]
    again = served.ask("POST", "/v1/tokens", body, idempotency_key="once")
    read = [served.ask("GET", path) for path in ("/v1/tokens", "/v1/audit")]
    check(searcher, places(served, lines, *used, again, *read))


def test_the_secret_of_a_client_at_an_issuer_is_told_nowhere(lines: list[str]) -> None:
    served, searcher = Served(), Searcher()
    first, second = searcher.add(canary()), searcher.add(canary())
    served.fetch_keys = lambda *_: KeysFound(keys=[], authorization_endpoint="https://login.vendor.example/authorize")
    rule = {"name": "Vendor", "issuer": "https://login.vendor.example", "audience": "client", "sign_in": True}
    body = {**rule, "claims": {"groups": "platform"}, "scopes": ["sync"], "client_secret": first}
    made = served.ask("POST", "/v1/issuers", body, idempotency_key="once")
    assert made.status == 201, made.text
    again = served.ask("PUT", f"/v1/issuers/{made.json['id']}/client-secret", {"client_secret": second})
    assert second in repr(served.client_secrets)
    wrong = [
        served.ask("POST", "/v1/issuers", {**body, "sign_in": False}),
        served.ask("POST", "/v1/issuers", {**body, "client_secret": f"{first}\n"}),
        served.ask("POST", "/v1/issuers", {**body, "client_secret": [first]}),
        served.ask("POST", "/v1/issuers", {**body, "secret": second}),
        served.ask("PUT", f"/v1/issuers/{made.json['id']}/client-secret", {"client_secret": {first: second}}),
    ]
    assert {each.status for each in wrong} == {422}
    read = [served.ask("GET", path) for path in ("/v1/issuers", "/v1/audit")]
    where = places(served, lines, made, again, *wrong, *read)
    check(searcher, {**where, "rules": repr(served.rules)})
    assert served.ask("DELETE", f"/v1/issuers/{made.json['id']}").status == 204
    assert served.client_secrets == {}
