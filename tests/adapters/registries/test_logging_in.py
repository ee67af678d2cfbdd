"""A login is asked about alone: good, refused, or not asked for, and nobody's repository is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.traits import DOCKER_HUB, ECR, PLAIN, Traits
from byoa.errors import AuthFailed
from byoa.trust.credentials import Credential
from local.registry import Registry, Request, Response, Settings
from tests.scripted import Scripted

if TYPE_CHECKING:
    from byoa.adapters.registries.transport import Transport

GOOD, WRONG = Credential("byoa", "desk"), Credential("byoa", "other")


def visit(
    transport: Transport, registry: Registry, credential: Credential | None, traits: Traits = PLAIN
) -> DistributionRepository:
    host, _, port = registry.address.partition(":")
    endpoint = Endpoint("http", host, int(port))
    return DistributionRepository(transport, endpoint, "", role="source", credential=credential, traits=traits)


@pytest.mark.parametrize("auth", ["basic", "bearer"])
def test_a_good_login_is_accepted(transport: Transport, auth: Any) -> None:
    with Registry(Settings(auth=auth)) as registry:
        assert visit(transport, registry, GOOD).check_login()


@pytest.mark.parametrize("auth", ["basic", "bearer"])
@pytest.mark.parametrize("credential", [WRONG, None], ids=["a wrong one", "none"])
def test_any_other_is_refused(transport: Transport, auth: Any, credential: Credential | None) -> None:
    with Registry(Settings(auth=auth)) as registry, pytest.raises(AuthFailed):
        visit(transport, registry, credential).check_login()


def test_a_registry_that_lets_everybody_in_says_nothing_of_it(transport: Transport) -> None:
    with Registry(Settings()) as registry:
        assert not visit(transport, registry, WRONG).check_login()


def test_a_registry_that_is_shown_the_login_at_once_has_seen_it(transport: Transport) -> None:
    with Registry(Settings(auth="basic")) as registry:
        assert visit(transport, registry, GOOD, ECR).check_login()
        assert [seen.path for seen in registry.requests] == ["/v2/"]


@pytest.mark.parametrize("traits", [PLAIN, DOCKER_HUB._replace(address=None)])
def test_a_token_for_nothing_is_asked_for(transport: Transport, traits: Traits) -> None:
    """No scope: a token service refuses one for a repository that there isn't."""
    asked: list[Request] = []

    def script(request: Request) -> Response | None:
        asked.append(request)
        return None

    with Scripted(Settings(auth="bearer")) as registry:
        registry.script = script
        assert visit(transport, registry, GOOD, traits).check_login()
    assert not [request for request in asked if "scope" in str(request.query)]
    assert {request.path for request in asked} >= {"/v2/"}
