"""An organisation's rules on JWTs: which tokens fit one, and which rules would let in strangers.

A rule names an issuer and an audience to the letter, and what claims must say. In a pattern ``*`` stands for any
characters, ``/`` among them, as in IAM's StringLike; there are no others.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from byoa.api.doorkeeping import IssuerRule

RULES_LIMIT: Final = 20
"""Rules of one organisation: they are read together, by every token that knocks."""

STARS_LIMIT: Final = 4


RULE_LIMIT: Final = 16 * 1024
"""Bytes of a rule as it is kept: an item of the table has 400 KB for all of them."""


class _Shared(NamedTuple):
    """An issuer that anybody gets tokens of: which claims say whose, to the letter or from a beginning on.

    An address says it where the issuer has ``verified`` it, and the rule asks for that: anybody can write one down.
    """

    exact: frozenset[str]
    beginnings: Mapping[str, str] = {}
    verified: Mapping[str, str] = {}


_EMAIL: Final = {"email": "email_verified"}
_PEOPLE: Final = _Shared(frozenset({"sub"}), verified=_EMAIL)
_NOBODY: Final = _Shared(frozenset())
"""An address that stands for all tenants of an issuer, each of which has one of its own."""

_MICROSOFT: Final = "https://login.microsoftonline.com"


_SHARED: Final[dict[str, _Shared]] = {
    "https://token.actions.githubusercontent.com": _Shared(
        frozenset({"repository_owner", "repository_owner_id", "repository_id", "enterprise", "enterprise_id"}),
        {"repository": r"[^/*]+/", "sub": r"repo:[^/*:]+/"},
    ),
    "https://gitlab.com": _Shared(
        frozenset({"project_id", "namespace_id", "namespace_path", "project_path"}),
        {"project_path": r"[^/*]+/", "namespace_path": r"[^/*]+/", "sub": r"project_path:[^/*:]+/"},
    ),
    "https://accounts.google.com": _Shared(frozenset({"sub", "hd"}), verified=_EMAIL),
    "https://oauth2.sigstore.dev/auth": _PEOPLE,
    "https://sigstore.verify.ibm.com/oauth2": _PEOPLE,
    "https://issuer.hello.coop": _PEOPLE,
    "https://www.kaggle.com/api/v1/models/signing": _PEOPLE,
    "https://appleid.apple.com": _PEOPLE,
    f"{_MICROSOFT}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0": _Shared(frozenset({"sub", "oid"})),
    **{
        f"{_MICROSOFT}/{tenants}{version}": _NOBODY
        for tenants in ("common", "organizations", "consumers", "{tenantid}")
        for version in ("", "/v2.0")
    },
    "https://oidc.circleci.com": _Shared(frozenset({"oidc.circleci.com/project-id"}), {"sub": r"org/[^/*]+/"}),
    "https://oidc.codefresh.io": _Shared(frozenset({"account_id", "pipeline_id"}), {"sub": r"account:[^:*]+:"}),
    "https://oidc.vercel.com": _Shared(frozenset({"owner_id", "project_id"}), {"sub": r"owner:[^:*]+:"}),
    "https://agent.buildkite.com": _Shared(
        frozenset({"organization_slug", "organization_id", "pipeline_id"}), {"sub": r"organization:[^:*]+:"}
    ),
    "https://app.terraform.io": _Shared(
        frozenset({"terraform_organization_name", "terraform_organization_id", "terraform_workspace_id"}),
        {"sub": r"organization:[^:*]+:"},
    ),
}
"""Sources: GitHub, "OpenID Connect reference"; GitLab, "OpenID Connect (OIDC) authentication using ID tokens"; Google,
"OpenID Connect"; Buildkite, "OIDC"; HCP Terraform, "Workload identity tokens"; Sigstore, fulcio's configuration of its
issuers (people's, CircleCI's, Codefresh's); Microsoft, "ID token claims reference" (the tenant of personal accounts);
Vercel, "OIDC federation reference". A claim about a reusable workflow is missing: everybody may call those of others.

Not here, because the address is one customer's own: Bitbucket (``…/workspaces/NAME/…``), CircleCI's ``/org/ID``,
Vercel's ``/TEAM``, a tenant of Microsoft's or of Auth0's, a cluster's, a GitLab or GitHub of one's own. Whom such a
tenant lets sign up is its owner's to know.
"""


def default_audience(organisation: str) -> str:
    """Whom tokens are for where a rule doesn't say: a token for one organisation opens no other's door."""
    return f"byoa:{organisation}"


def fits(rule: IssuerRule, claims: Mapping[str, Any]) -> bool:
    """Whether verified claims meet a rule.

    A token for several audiences fits none: each of them could show it here.
    """
    audience = claims.get("aud")
    wanted = audience in (rule.audience, [rule.audience])
    return wanted and all(_says(claims.get(name), patterns) for name, patterns in rule.claims.items())


def is_too_wide(issuer: str, claims: Mapping[str, Sequence[str]]) -> bool:
    """Whether people who have nothing to do with each other could meet a rule."""
    shared = _SHARED.get(issuer.rstrip("/"))
    if shared is None:
        return not any(_narrow(patterns) for patterns in claims.values())
    return not any(
        _owned(shared, name, patterns) or _verified(shared, name, patterns, claims) for name, patterns in claims.items()
    )


def _verified(shared: _Shared, name: str, patterns: Sequence[str], claims: Mapping[str, Sequence[str]]) -> bool:
    """Whether a rule names whole addresses, and wants them to be verified."""
    proof = shared.verified.get(name)
    return proof is not None and tuple(claims.get(proof, ())) == ("true",) and not any("*" in each for each in patterns)


def _narrow(patterns: Iterable[str]) -> bool:
    return all(each.replace("*", "") for each in patterns)


def _owned(shared: _Shared, name: str, patterns: Iterable[str]) -> bool:
    beginning = shared.beginnings.get(name)
    return all(
        (name in shared.exact and "*" not in each)
        or (beginning is not None and re.match(beginning, each.partition("*")[0]) is not None)
        for each in patterns
    )


def _says(value: object, patterns: Sequence[str]) -> bool:
    """Whether a claim, or one entry of a claim that is a list, meets one of the patterns."""
    if isinstance(value, list):
        return any(_says(each, patterns) for each in value if not isinstance(each, list))
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int | str):
        text = str(value)
    else:
        return False
    return any(matches(pattern, text) for pattern in patterns)


def matches(pattern: str, text: str) -> bool:
    """Whether ``text`` is what a pattern says, in time that grows with the text alone."""
    first, *others = pattern.split("*")
    if not others:
        return pattern == text
    *between, last = others
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    text = text[len(first) : len(text) - len(last)]
    for part in between:
        _, found, text = text.partition(part) if part else ("", "*", text)
        if not found:
            return False
    return True


def subject_of(claims: Mapping[str, Any]) -> str:
    """Who the token is about, in printable ASCII of at most 256 characters; empty where it doesn't say."""
    subject = claims.get("sub")
    return re.sub(r"[^ -~]", "?", subject)[:256] if isinstance(subject, str) else ""


def person_of(claims: Mapping[str, Any]) -> str:
    """Who signed in: the subject, behind the address of mail that the issuer says it has seen to be theirs."""
    subject, address = subject_of(claims), claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(address, str) or not subject:
        return subject
    return f"{re.sub(r'[^ -~]', '?', address)[:128]} ({subject})"[:256]
