"""ExchangeCode: the ID token that a code of somebody who signs in stands for."""

from byoa.bootstrap import issuers
from byoa.step import step
from byoa.trust.signing_in import CodeExchanged, CodeGiven


@step
def handler(given: CodeGiven) -> CodeExchanged:
    """Ask the issuer, with the client's secret where it has one; this function touches nothing else."""
    return issuers.asking(given.organisation).exchange(given, issuers.secret_of(given))
