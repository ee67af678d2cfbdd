"""What a vendor writes into its AWS account so that builds may pull from its ECR, to be copied from the terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from byoa_cli.commands import UsageError
from byoa_cli.output import out
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from byoa.trust.kinds import Stored


class Invitation:
    """What a vendor writes into its account, for one organisation."""

    def __init__(self, external_id: str, trust: dict[str, Any], permissions: dict[str, Any]) -> None:
        self._external_id = external_id
        self._trust = trust
        self._permissions = permissions

    @classmethod
    def of(cls, host: str, identity: str, source_role: str) -> Self:
        """For a role that may pull from ``host``, and that trusts ``source_role`` with the external id ``identity``.

        That is one role: whom else a vendor lets in, we can't answer for. Raises ``UsageError`` where it is none.
        """
        from byoa.oci.ecr import ecr_account, ecr_region
        from byoa.oci.reference import Registry
        from byoa.trust.fields import is_role
        from byoa.trust.invitations import pull_policy, trust_policy

        if not is_role(source_role):
            raise UsageError("--source-role is no ARN of a role: the stack's output SourceRoleArn has it")
        registry = Registry.parse(host).host
        partition = source_role.split(":")[1]
        repositories = f"arn:{partition}:ecr:{ecr_region(registry) or '*'}:{ecr_account(registry) or '*'}:repository/*"
        return cls(identity, trust_policy(source_role, identity), pull_policy(repositories))

    def check(self, stored: Stored) -> None:
        """Raise ``CredentialForbidden`` for what is of the account that the builds are in."""
        from byoa.trust.invitations import check_foreign

        check_foreign(stored, self._trust["Statement"][0]["Principal"]["AWS"].split(":")[4])

    def as_dict(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "external_id": self._external_id,
            "trust_policy": self._trust,
            "permissions_policy": self._permissions,
        }

    def show(self) -> None:
        """To copy."""
        out().print(styled(f"external id {self._external_id}"))
        for title, policy in (
            ("the trust policy of the vendor's role:", self._trust),
            ("what that role may; name single repositories where not all are meant:", self._permissions),
        ):
            out().print(styled(title))
            for line in json.dumps(policy, indent=2).splitlines():
                out().print(styled(line))
