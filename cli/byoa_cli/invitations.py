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
    def of(cls, host: str, organisation: str, table: str | None, source_role: str | None) -> Self:
        """For a role that may pull from ``host``. Raises ``UsageError`` where it isn't said whom it is to trust.

        That is one role: whom else a vendor lets in, we can't answer for.
        """
        from byoa.oci.ecr import ecr_account, ecr_region
        from byoa.oci.reference import Registry
        from byoa.trust.external_id import external_id
        from byoa.trust.fields import is_role
        from byoa.trust.invitations import pull_policy, trust_policy

        if not table or not source_role:
            raise UsageError(
                "for aws_ecr, --table (or BYOA_TABLE) and --source-role (or BYOA_SOURCE_ROLE) are wanted: "
                "the stack's outputs have them"
            )
        if not is_role(source_role):
            raise UsageError("--source-role is no ARN of a role: the stack's output SourceRoleArn has it")
        registry = Registry.parse(host).host
        identity = external_id(table, organisation)
        partition = source_role.split(":")[1]
        repositories = f"arn:{partition}:ecr:{ecr_region(registry) or '*'}:{ecr_account(registry) or '*'}:repository/*"
        return cls(identity, trust_policy(source_role, identity), pull_policy(repositories))

    def check(self, stored: Stored) -> None:
        """Raise ``CredentialForbidden`` for what is of the account that the builds are in.

        None of its roles is lent, and its registry, which holds the mirrors, is no source.
        """
        from byoa.errors import CredentialForbidden
        from byoa.oci.ecr import ecr_account
        from byoa.oci.reference import Registry
        from byoa.trust.kinds import AwsEcr

        own = self._trust["Statement"][0]["Principal"]["AWS"].split(":")[4]
        if isinstance(stored, AwsEcr) and stored.role_account == own:
            raise CredentialForbidden(
                "The role is of the platform's own account, whose roles are lent to nobody.",
                remedy="Name a role of the vendor's account.",
            )
        if ecr_account(Registry.parse(stored.host).host) == own:
            raise CredentialForbidden(
                "The host is the registry that this platform mirrors to, which is no source of builds.",
                remedy="Name a registry of the vendor's account.",
            )

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
