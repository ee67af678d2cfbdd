"""One suite over both stores of clusters' tokens, as the API writes them."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from byoa.adapters.aws.cluster_vault import ClusterVault
from byoa.adapters.aws.clusters import SecretsClusterTokens
from byoa.adapters.memory.vault import MemoryClusterTokens
from byoa.errors import ClusterAccessInvalid, TenantForbidden

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.trust.ports import ClusterTokens

ORG = "org_0123456789ab"
INSTALL = "inl" + "a" * 23
CANARY = "canary-5f1c"


class Bed(NamedTuple):
    """The tokens of one organisation, and what is really kept, by whole names."""

    tokens: ClusterTokens
    kept: Callable[[], dict[str, str]]


def on_aws(client: Any) -> Bed:
    def kept() -> dict[str, str]:
        found = [each["Name"] for each in client.list_secrets()["SecretList"]]
        return {name: client.get_secret_value(SecretId=name)["SecretString"] for name in found}

    return Bed(SecretsClusterTokens(client, ORG), kept)


@pytest.fixture(params=["memory", "moto", pytest.param("emulator", marks=pytest.mark.emulator)])
def bed(request: pytest.FixtureRequest) -> Iterator[Bed]:
    if request.param == "emulator":
        found = on_aws(request.getfixturevalue("cloud").client("secretsmanager"))
        yield found
        found.tokens.delete(INSTALL)
    elif request.param == "moto":
        with mock_aws(), closing(boto3.client("secretsmanager", "us-east-1")) as client:
            yield on_aws(client)
    else:
        held: dict[str, str] = {}
        yield Bed(MemoryClusterTokens(ORG, held), lambda: dict(held))


def test_what_is_stored_last_is_what_there_is(bed: Bed) -> None:
    bed.tokens.store(INSTALL, "first")
    bed.tokens.store(INSTALL, f"{CANARY} ü$%")
    assert bed.kept() == {f"byoa-clusters/{ORG}/{INSTALL}": f"{CANARY} ü$%"}
    assert CANARY not in repr(bed.tokens)


def test_what_is_deleted_is_gone_for_good_and_once_is_enough(bed: Bed) -> None:
    bed.tokens.store(INSTALL, CANARY)
    bed.tokens.delete(INSTALL)
    bed.tokens.delete(INSTALL)
    assert bed.kept() == {}
    bed.tokens.store(INSTALL, "another")
    assert [*bed.kept().values()] == ["another"]


@pytest.mark.parametrize(
    "name", ["", "inl", "inl/../x", f"../org_other0000000/{INSTALL}", INSTALL.upper(), INSTALL + "a"]
)
def test_a_name_that_leads_elsewhere_is_refused_before_anybody_is_asked(bed: Bed, name: str) -> None:
    with pytest.raises(TenantForbidden):
        bed.tokens.store(name, "x")
    with pytest.raises(TenantForbidden):
        bed.tokens.delete(name)
    assert bed.kept() == {}


def test_a_token_is_tagged_with_whose_it_is() -> None:
    with mock_aws(), closing(boto3.client("secretsmanager", "us-east-1")) as client:
        SecretsClusterTokens(client, ORG).store(INSTALL, "x")
        described = client.describe_secret(SecretId=f"byoa-clusters/{ORG}/{INSTALL}")
        assert described["Tags"] == [{"Key": "org_id", "Value": ORG}]
        with pytest.raises(ClientError):
            client.describe_secret(SecretId=f"byoa/{ORG}/{INSTALL}")


def test_whoever_reaches_the_cluster_gets_the_token_for_the_server_that_it_was_stored_for_alone() -> None:
    with mock_aws(), closing(boto3.client("secretsmanager", "us-east-1")) as client:
        vault = ClusterVault(client, ORG)
        with pytest.raises(ClusterAccessInvalid, match="No token is kept"):
            vault.read(INSTALL, "https://one.example")
        kept = json.dumps({"server": "https://one.example", "token": CANARY})
        SecretsClusterTokens(client, ORG).store(INSTALL, kept)
        assert vault.read(INSTALL, "https://one.example") == CANARY
        for server in ("https://two.example", ""):
            with pytest.raises(ClusterAccessInvalid, match="for another server") as raised:
                vault.read(INSTALL, server)
            assert CANARY not in str(raised.value.as_dict())
        SecretsClusterTokens(client, ORG).store(INSTALL, CANARY)
        with pytest.raises(ClusterAccessInvalid, match="for another server"):
            vault.read(INSTALL, "https://one.example")
