"""Who is asking."""

from byoa.api.callers import AccountOut, AgentsInstallOut, OrganisationOut
from byoa.api.documents import moment
from byoa.api.operations import Operations
from byoa.api.visits import visit
from byoa.trust.external_id import external_id

operations = Operations()


@operations.add("GET", "/v1/account", "any")
def get_account() -> AccountOut:
    """The token that the request came with. Its scopes say what it may do; an agent's is for installs."""
    here = visit()
    caller = here.caller
    installs = [found for each in caller.installs if (found := here.installs.install(each))]
    return AccountOut(
        id=caller.id,
        name=caller.name,
        org_ids=[caller.organisation],
        scopes=list(caller.scopes),
        expires_at=moment(caller.expires_at_ts),
        installs=[AgentsInstallOut(id=each.id, app_id=each.app, name=each.name) for each in installs],
    )


@operations.add("GET", "/v1/orgs/current", "read")
def get_organisation() -> OrganisationOut:
    """The organisation that the token is of, and what a vendor's role for ECR has to trust."""
    here = visit()
    return OrganisationOut(
        id=here.organisation,
        name=here.organisation,
        external_id=external_id(here.world.table, here.organisation),
        source_role_arn=here.world.source_role,
        cluster_role_arn=here.world.cluster_role,
    )
