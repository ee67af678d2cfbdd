"""FetchKeys: what an issuer of JWTs signs with now."""

from byoa.bootstrap import issuers
from byoa.step import step
from byoa.trust.issuers import KeysFound, KeysWanted


@step
def handler(wanted: KeysWanted) -> KeysFound:
    """Ask the issuer; this function touches nothing else."""
    return issuers.asking(wanted.organisation).fetch(wanted.issuer)
