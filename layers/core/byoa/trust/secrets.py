"""Where an organisation's credentials, clusters' tokens and clients' secrets are: their names are made here alone."""

from __future__ import annotations

import re
from typing import Final

from byoa.errors import ReferenceInvalid, TenantForbidden

_ORGANISATION: Final = re.compile(r"org_[a-z0-9]{12,40}", re.ASCII)
_NAME: Final = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_INSTALL: Final = re.compile(r"inl[a-z2-7]{23}", re.ASCII)
_RULE: Final = re.compile(r"iss[a-z2-7]{23}", re.ASCII)
_PATH: Final = re.compile(r"[/:\\%]")
"""What would make a way to somewhere else of a name: a path, an ARN, an escape."""


def is_name(text: str) -> bool:
    """Whether ``secret_name`` takes it as the name of credentials."""
    return _NAME.fullmatch(text) is not None


def secrets_prefix(organisation: str) -> str:
    """What the names of all of an organisation's secrets begin with. Raises ``TenantForbidden`` for no sound id.

    None of its characters means more than itself in a policy of IAM or in a filter.
    """
    _check_organisation(organisation)
    return f"byoa/{organisation}/"


def cluster_secret_name(organisation: str, install_id: str) -> str:
    """``byoa-clusters/<organisation>/<install id>``: beside the credentials of sources, and below none of their names.

    Who reads sources reads nothing of clusters, and the other way round. Raises ``TenantForbidden`` for no sound id.
    """
    _check_organisation(organisation)
    if not _INSTALL.fullmatch(install_id):
        raise TenantForbidden("The install's id is none.", remedy="An id is inl and 23 of a-z and 2-7.")
    return f"byoa-clusters/{organisation}/{install_id}"


def client_secret_name(organisation: str, rule_id: str) -> str:
    """``byoa-issuers/<organisation>/<rule id>``: below none of the names of the others.

    Raises ``TenantForbidden`` for no sound id.
    """
    _check_organisation(organisation)
    if not _RULE.fullmatch(rule_id):
        raise TenantForbidden("The rule's id is none.", remedy="An id is iss and 23 of a-z and 2-7.")
    return f"byoa-issuers/{organisation}/{rule_id}"


def _check_organisation(organisation: str) -> None:
    if not _ORGANISATION.fullmatch(organisation):
        raise TenantForbidden("The organisation's id is none.", remedy="An id is org_ and 12 to 40 of a-z and 0-9.")


def check_name(name: str) -> None:
    """Raise ``TenantForbidden`` for a name that leads elsewhere, ``ReferenceInvalid`` for any other that is none."""
    if _PATH.search(name) or ".." in name:
        raise TenantForbidden(
            "The name of the credentials is a path or an ARN, which may lead to another organisation's.",
            remedy="Name them by their last part alone, as `byoa credentials list` shows it.",
        )
    if not is_name(name):
        raise ReferenceInvalid(
            "The name of the credentials isn't 1 to 64 lower-case letters, digits and dashes.",
            remedy="Take a name that `byoa credentials list` shows, or one of this form for new ones.",
        )


def secret_name(organisation: str, name: str) -> str:
    """``byoa/<organisation>/<name>``. The name is a single label, as ``credentials_ref`` has it.

    Raises what ``check_name`` raises.
    """
    prefix = secrets_prefix(organisation)
    check_name(name)
    return prefix + name
