"""One suite over both stores of clients' secrets, as the API writes them; and who exchanges codes reads them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws.client_secrets import ClientVault, SecretsClientSecrets
from byoa.adapters.memory.vault import MemoryClientSecrets
from byoa.errors import IssuerUnusable, TenantForbidden
from byoa.trust.client_secrets import kept_client_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.trust.ports import ClientSecrets

ORG = "org_0123456789ab"
RULE = "iss" + "a" * 23
ISSUER, CLIENT = "https://login.vendor.example", "client"
CANARY = "canary-5f1c"


class Bed(NamedTuple):
    """The secrets of one organisation, and what is really kept, by whole names."""

    secrets: ClientSecrets
    kept: Callable[[], dict[str, str]]


def on_aws(client: Any) -> Bed:
    def kept() -> dict[str, str]:
        found = [each["Name"] for each in client.list_secrets()["SecretList"]]
        return {name: client.get_secret_value(SecretId=name)["SecretString"] for name in found}

    return Bed(SecretsClientSecrets(client, ORG), kept)


@pytest.fixture(params=["memory", "moto", pytest.param("emulator", marks=pytest.mark.emulator)])
def bed(request: pytest.FixtureRequest) -> Iterator[Bed]:
    if request.param == "emulator":
        found = on_aws(request.getfixturevalue("cloud").client("secretsmanager"))
        yield found
        found.secrets.delete(RULE)
    elif request.param == "moto":
        with mock_aws(), closing(boto3.client("secretsmanager", "us-east-1")) as client:
            yield on_aws(client)
    else:
        held: dict[str, str] = {}
        yield Bed(MemoryClientSecrets(ORG, held), lambda: dict(held))


def test_what_is_stored_last_is_what_there_is_till_it_is_deleted(bed: Bed) -> None:
    for text in ("first", CANARY):
        bed.secrets.store(RULE, text)
    assert bed.kept() == {f"byoa-issuers/{ORG}/{RULE}": CANARY}
    assert CANARY not in repr(bed.secrets)
    for _ in range(2):
        bed.secrets.delete(RULE)
        assert bed.kept() == {}


@pytest.mark.parametrize("name", ["", "iss", "iss/../x", f"../org_other0000000/{RULE}", RULE.upper(), f"{RULE}a"])
def test_a_name_that_leads_elsewhere_is_refused_before_anybody_is_asked(bed: Bed, name: str) -> None:
    for use in (bed.secrets.delete, lambda each: bed.secrets.store(each, "x")):
        with pytest.raises(TenantForbidden):
            use(name)
    assert bed.kept() == {}


def test_who_exchanges_codes_reads_it_for_the_issuer_and_the_client_that_it_was_stored_for() -> None:
    with mock_aws(), closing(boto3.client("secretsmanager", "us-east-1")) as client:
        vault = ClientVault(client, ORG)
        with pytest.raises(IssuerUnusable, match="No secret is kept"):
            vault.read(RULE, ISSUER, CLIENT)
        SecretsClientSecrets(client, ORG).store(RULE, kept_client_secret(ISSUER, CLIENT, CANARY))
        described = client.describe_secret(SecretId=f"byoa-issuers/{ORG}/{RULE}")
        assert described["Tags"] == [{"Key": "org_id", "Value": ORG}]
        assert vault.read(RULE, ISSUER, CLIENT) == CANARY
        for issuer, who in (("https://other.example", CLIENT), (ISSUER, "another")):
            with pytest.raises(IssuerUnusable, match="of another client") as raised:
                vault.read(RULE, issuer, who)
            assert CANARY not in str(raised.value.as_dict())
        with pytest.raises(IssuerUnusable, match="No secret is kept"):
            ClientVault(client, "org_another00000").read(RULE, ISSUER, CLIENT)
