"""Which registries a build may read from, and where its mirror goes."""

from __future__ import annotations

import pytest

from byoa.builds.messages import BuildKey
from byoa.errors import CredentialForbidden, InternalFault, ReferenceInvalid, TenantForbidden
from byoa.oci.reference import Reference
from byoa.trust.addresses import Reachable
from byoa.trust.policy import Policy, name_hosts

OURS, OTHERS = "123456789012", "210987654321"
OPENED = Reachable.parse("127.0.0.1/32:5101, *:5000, *:8443")
POLICY = Policy(OURS, "byoa", own_hosts=frozenset({"127.0.0.1:5102", "registry.byoa.example"}), reachable=OPENED)

ECR_HOSTS = [
    "{}.dkr.ecr.us-east-1.amazonaws.com",
    "{}.dkr.ecr.eu-west-1.amazonaws.com",
    "{}.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
    "{}.dkr.ecr-fips.us-east-1.amazonaws.com",
    "{}.dkr.ecr.cn-north-1.amazonaws.com.cn",
    "{}.dkr-ecr.us-east-1.on.aws",
    "{}.dkr-ecr-fips.us-east-1.on.aws",
    "{}.dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn",
    "{}.DKR.ECR.US-EAST-1.AMAZONAWS.COM",
    "{}.Dkr-Ecr.us-east-1.On.Aws",
    "{}.dkr.ecr.us-east-1.amazonaws.com:443",
    "{}.dkr.ecr.us-east-1.amazonaws.com:8443",
    "{}.dkr.ecr.eusc-de-east-1.amazonaws.eu",
    "{}.dkr.ecr.us-iso-east-1.c2s.ic.gov",
    "{}.dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
    "{}.dkr.ecr.a-partition.that-comes.example",
]
"""Every spelling of a private ECR host (A30, A31)."""


def _check(host: str, credentials_ref: str | None = None, repository: str = "vendor/app") -> None:
    POLICY.check_source(Reference.parse(f"oci://{host}/{repository}:v1"), credentials_ref)


def _key(app: str = "demo", component: str = "web") -> BuildKey:
    return BuildKey(organisation="org_demo00000000", app=app, component=component, version=1)


@pytest.mark.parametrize("credentials_ref", [None, "mine"])
@pytest.mark.parametrize("host", ECR_HOSTS)
def test_our_own_ecr_is_no_source_however_it_is_spelled(host: str, credentials_ref: str | None) -> None:
    with pytest.raises(TenantForbidden):
        _check(host.format(OURS), credentials_ref, "byoa/org_other0000000/demo/web")


@pytest.mark.parametrize("credentials_ref", [None, "mine"])
@pytest.mark.parametrize("domain", ["us-east-1.vpce.amazonaws.com", "cn-north-1.vpce.amazonaws.com.cn"])
def test_an_endpoint_that_may_lead_to_our_own_ecr_is_no_source(domain: str, credentials_ref: str | None) -> None:
    with pytest.raises(TenantForbidden):
        _check(f"vpce-0abc-1def.dkr.ecr.{domain}", credentials_ref)


@pytest.mark.parametrize("host", ECR_HOSTS)
def test_another_account_s_ecr_is_not_read_without_credentials_of_its_own(host: str) -> None:
    with pytest.raises(CredentialForbidden) as caught:
        _check(host.format(OTHERS))
    assert "credentials_ref" in caught.value.remedy


@pytest.mark.parametrize("host", ECR_HOSTS)
def test_another_account_s_ecr_may_be_read_with_credentials_of_its_own(host: str) -> None:
    _check(host.format(OTHERS), "vendor-ecr")


@pytest.mark.parametrize("credentials_ref", [None, "mine"])
@pytest.mark.parametrize("host", ["127.0.0.1:5102", "registry.byoa.example", "REGISTRY.byoa.example:443"])
def test_further_hosts_of_ours_are_no_source(host: str, credentials_ref: str | None) -> None:
    with pytest.raises(TenantForbidden):
        _check(host, credentials_ref)


@pytest.mark.parametrize("written", ["Mirror.Example.com:443", "mirror.example.com", "MIRROR.EXAMPLE.COM"])
def test_a_host_of_ours_is_one_however_it_is_written(written: str) -> None:
    policy = Policy(OURS, "byoa", own_hosts=name_hosts([written, "index.docker.io"]))
    for host in ("mirror.example.com", "registry-1.docker.io"):
        with pytest.raises(TenantForbidden):
            policy.check_source(Reference.parse(f"oci://{host}/vendor/app:v1"), None)


@pytest.mark.parametrize("written", ["https://mirror.example.com", "mirror.example.com/", "*.example.com", "::1"])
def test_what_is_no_host_doesn_t_pass_for_one_of_ours(written: str) -> None:
    with pytest.raises(InternalFault, match="OwnHosts"):
        name_hosts([written])


@pytest.mark.parametrize(
    "host",
    [
        "ghcr.io",
        "docker.io",
        "127.0.0.1:5101",
        "registry.byoa.example:5000",
        "public.ecr.aws",
        "registry.example.com",
        f"x{OURS}.dkr.ecr.us-east-1.amazonaws.com",
        f"a.{OURS}.dkr.ecr.us-east-1.amazonaws.com",
        f"{OURS}.dkr.ecrxus-east-1.amazonaws.com",
    ],
)
def test_other_registries_are_read_as_anybody(host: str) -> None:
    _check(host)


@pytest.mark.parametrize(
    "host", [f"{OURS}.dkr.ecr.us-east-1.amazonaws.com.", f"{OURS}.dkr.ecr.us-east-1..amazonaws.com"]
)
def test_a_spelling_with_stray_dots_is_no_reference_at_all(host: str) -> None:
    with pytest.raises(ReferenceInvalid):
        _check(host)


def test_a_refusal_quotes_nothing_of_the_reference() -> None:
    with pytest.raises(TenantForbidden) as caught:
        _check(f"{OURS}.dkr.ecr.us-east-1.amazonaws.com", repository="byoa/org_other0000000/secret-app")
    assert "secret-app" not in caught.value.as_json()


def test_a_mirror_s_repository_is_below_its_organisation() -> None:
    assert POLICY.repository_for(_key()) == "byoa/org_demo00000000/demo/web"


def test_two_builds_share_a_repository_only_when_they_share_all_names() -> None:
    keys = [_key("a", "b"), _key("a-b", "b"), _key("a", "b-b"), _key("b", "a")]
    assert len({POLICY.repository_for(key) for key in keys}) == len(keys)


def test_a_repository_s_name_is_as_long_as_ecr_takes_it_and_no_longer() -> None:
    fixed = len("/org_demo00000000//") + 63 + 63
    longest = Policy(OURS, "p" * (256 - fixed))
    assert len(longest.repository_for(_key("a" * 63, "c" * 63))) == 256
    with pytest.raises(ReferenceInvalid, match="too long"):
        Policy(OURS, "p" * (257 - fixed)).repository_for(_key("a" * 63, "c" * 63))
