"""Who is asking."""

from byoa.api.documents import moment
from byoa.api.models import AccountOut, OrganisationOut
from byoa.api.operations import Operations
from byoa.api.visits import visit
from byoa.trust.external_id import external_id

operations = Operations()


@operations.add("GET", "/v1/account", "read")
def get_account() -> AccountOut:
    """The token that the request came with. Its scopes say what it may do."""
    caller = visit().caller
    return AccountOut(
        id=caller.id,
        name=caller.name,
        org_ids=[caller.organisation],
        scopes=list(caller.scopes),
        expires_at=moment(caller.expires_at_ts),
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
