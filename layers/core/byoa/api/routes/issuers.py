"""Issuers of JWTs that the organisation trusts beside its tokens."""

import json
import re

from aws_lambda_powertools.event_handler import Response

from byoa.api.agents import installs_for
from byoa.api.callers import ClientSecretIn, IssuerIn, IssuerOut
from byoa.api.documents import issuer_out
from byoa.api.doorkeeping import IssuerRule, KeptKeys
from byoa.api.issuers import RULE_LIMIT, RULES_LIMIT, default_audience, is_too_wide
from byoa.api.knocks import NEW_QUESTIONS
from byoa.api.operations import Operations
from byoa.api.paging import Cursor, Limit, Number, Offset, paged, span_of
from byoa.api.ports import Page
from byoa.api.problems import Problem
from byoa.api.shapes import Id
from byoa.api.tokens import SCOPES, random_id
from byoa.api.visits import visit
from byoa.errors import ByoaError, IssuerUnusable
from byoa.trust.client_secrets import kept_client_secret
from byoa.trust.issuers import parse_issuer

operations = Operations()

_ID = re.compile(r"iss[a-z2-7]{23}")


@operations.add("GET", "/v1/issuers", "admin", paged=True)
def list_issuers(
    offset: Offset = 0, limit: Limit = 10, page: Number = None, cursor: Cursor = None
) -> Response[list[IssuerOut]]:
    """The organisation's rules on issuers of JWTs, by id."""
    here, span = visit(), span_of(offset, limit, page, cursor)
    every = sorted(here.world.issuers(here.organisation).rules(), key=lambda rule: rule.id)
    behind = [rule for rule in every if span.after is None or rule.id > span.after]
    later = behind[span.offset :]
    shown = later[: span.limit]
    found = Page(shown, shown[-1].id if len(later) > len(shown) else None)
    return paged([issuer_out(rule) for rule in shown], found, span, page)


@operations.add(
    "POST",
    "/v1/issuers",
    "admin",
    status=201,
    faults=(409, 429),
    example={
        "name": "github-main",
        "issuer": "https://token.actions.githubusercontent.com",
        "claims": {"repository": "vendor/app", "ref": ["refs/heads/main", "refs/tags/v*"]},
        "scopes": ["sync"],
    },
)
def create_issuer(body: IssuerIn) -> IssuerOut:
    """Let in whoever has a token of an issuer that meets a rule. The issuer is asked for its keys first.

    A rule that strangers could meet is refused: of an issuer that serves everybody a claim has to say whose a token is.
    With sign_in people sign in at the dashboard with it; the audience is then the id of its client there.
    """
    here = visit()
    parse_issuer(body.issuer)
    claims = {name: tuple([said] if isinstance(said, str) else said) for name, said in body.claims.items()}
    if is_too_wide(body.issuer, claims):
        told = "Strangers could have tokens that say this; name a claim of your own, as repository = OWNER/NAME, or "
        told += "whole addresses as email, with email_verified = true."
        raise Problem("invalid", faults=[{"pointer": "/body/claims", "code": "too_wide", "message": told}])
    if len(json.dumps({name: list(said) for name, said in claims.items()})) > RULE_LIMIT:
        told = f"What claims are to say has over {RULE_LIMIT} bytes; use patterns, or several rules."
        raise Problem("invalid", faults=[{"pointer": "/body/claims", "code": "too_long", "message": told}])
    issuers = here.world.issuers(here.organisation)
    if body.sign_in and not body.audience:
        told = "Name the id of the client that the issuer knows the dashboard as."
        raise Problem("invalid", faults=[{"pointer": "/body/audience", "code": "missing", "message": told}])
    if body.client_secret and not body.sign_in:
        told = "A client shows a secret where people sign in (sign_in); tokens of jobs come without."
        raise Problem("invalid", faults=[{"pointer": "/body/client_secret", "code": "combination", "message": told}])
    installs = installs_for(body.scopes, body.install_ids)
    if len(issuers.rules()) >= RULES_LIMIT:
        raise Problem("rules_full")
    if not issuers.may_ask("new", NEW_QUESTIONS, here.now_ts):
        raise Problem("asked_enough", headers={"Retry-After": "60"})
    found = here.world.fetch_keys(here.organisation, body.issuer)
    if body.sign_in and not found.authorization_endpoint:
        raise IssuerUnusable("Nobody signs in with this issuer: its document names no place for it.")
    rule = IssuerRule(
        organisation=here.organisation,
        id=random_id("iss"),
        name=body.name,
        issuer=body.issuer,
        audience=body.audience or default_audience(here.organisation),
        claims=claims,
        scopes=tuple(scope for scope in SCOPES if scope in body.scopes),
        installs=installs,
        created_at_ts=here.now_ts,
        created_by=here.caller.id,
        authorization_endpoint=found.authorization_endpoint if body.sign_in else "",
        confidential=bool(body.client_secret),
    )
    issuers.keep(rule.issuer, KeptKeys(found.keys, rule.created_at_ts))
    if body.client_secret:
        _store(rule, body.client_secret)
    try:
        issuers.add(rule)
    except ByoaError:  # a secret without a rule would be nobody's
        _forget(rule.id)
        raise
    return issuer_out(rule)


@operations.add(
    "PUT", "/v1/issuers/<issuer_id>/client-secret", "admin", faults=(404,), example={"client_secret": "the new one"}
)
def store_client_secret(issuer_id: Id, body: ClientSecretIn) -> IssuerOut:
    """Store another secret for the client of a rule that was made with one: the next code is exchanged with it."""
    rule = _found(issuer_id)
    if not rule.confidential:
        told = "The rule's client has no secret. Add a rule with one, and delete this one."
        raise Problem("invalid", faults=[{"pointer": "/body/client_secret", "code": "combination", "message": told}])
    _store(rule, body.client_secret)
    return issuer_out(rule)


@operations.add("DELETE", "/v1/issuers/<issuer_id>", "admin", faults=(404,), status=204)
def delete_issuer(issuer_id: Id) -> Response[None]:
    """Delete a rule: from now on nobody is let in by it, whatever tokens are still good."""
    here = visit()
    rule = next((each for each in here.world.issuers(here.organisation).rules() if each.id == issuer_id), None)
    if rule is None:
        _forget(issuer_id)  # who deletes once more, because the first time was cut short, leaves no secret behind
        raise Problem("not_found")
    removed = here.world.issuers(here.organisation).remove(issuer_id)  # first: nobody is let in, whatever fails then
    if rule.confidential:
        _forget(issuer_id)
    if not removed:
        raise Problem("not_found")
    return Response(204, None)


def _found(issuer_id: str) -> IssuerRule:
    """A rule of the caller's organisation. Raises ``Problem`` with 404."""
    here = visit()
    rules = here.world.issuers(here.organisation).rules()
    rule = next((each for each in rules if each.id == issuer_id), None)
    if rule is None:
        raise Problem("not_found")
    return rule


def _store(rule: IssuerRule, secret: str) -> None:
    kept = kept_client_secret(rule.issuer, rule.audience, secret)
    visit().world.client_secrets(rule.organisation).store(rule.id, kept)


def _forget(rule_id: str) -> None:
    if _ID.fullmatch(rule_id):
        visit().world.client_secrets(visit().organisation).delete(rule_id)
