"""Signing in with an issuer of the organisation's: there by a link, back with a code, in by the ID token.

The dashboard sees to it that what comes back belongs to what this browser began (state, nonce, issuer, client). Whether
the token is the issuer's, and what its rules let do, the API decides, which makes a session of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from byoa.errors import ByoaError
from byoa.trust.jwts import claims_of
from byoa.trust.signing_in import CodeGiven, place_to_sign_in, scopes_for
from byoa.web import beginnings
from byoa.web.pages.signing import LOGIN, form, inside
from byoa.web.routes import Here, Moved, Page, Routes
from byoa.web.sessions import kept

if TYPE_CHECKING:
    from byoa.api.doorkeeping import IssuerRule
    from byoa.web.beginnings import Begun

routes = Routes()
CALLBACK: Final = "/auth/callback"
_OTHERS: Final = ("cross-site", "same-site")
NOT_BEGUN: Final = "This signing in was not begun in this browser, or took longer than ten minutes. Begin again."
NOT_SAID: Final = "Your provider let nobody in. Begin again, or use an API token."
NOT_FITTING: Final = (
    "What your provider answered lets nobody in here. Ask an admin about the organisation's rules on issuers."
)
NOT_THERE: Final = "The organisation has no such way to sign in any more."
NOT_NOW: Final = "Too many sign in to this organisation at once. Try again in a minute."


@routes.add("GET", "/auth/with/<organisation>/<rule>", open=True)
def leave(here: Here, organisation: str, rule: str) -> Page | Moved:
    """Send somebody to the issuer, where they say who they are.

    Who was sent here by another site is shown the button first: an organisation's issuer can let in whom it likes as
    whom it likes, and nobody is to get into a stranger's organisation without a word (RFC 9700, 4.7: login CSRF).
    """
    found = _rule(here, organisation, rule)
    if found is None:
        return _refused(here, NOT_THERE, 404)
    following = inside(here.request.query.get("next", ""))
    if here.request.header("sec-fetch-site") in _OTHERS:
        return Moved(f"{LOGIN}?{urlencode({'org': organisation, 'next': following})}")
    begun = beginnings.begin(organisation, rule, following)
    place = place_to_sign_in(
        found.authorization_endpoint, found.audience, here.request.origin + CALLBACK, scopes_for(found.claims),
        begun.state, begun.nonce, begun.verifier,
    )  # fmt: skip
    return Moved(place, (beginnings.kept(begun),))


@routes.add("GET", CALLBACK, open=True)
def come_back(here: Here) -> Page | Moved:
    """Let somebody in who comes from the issuer, if it is what was begun here and the organisation's rules say so."""
    said, begun = here.request.query, beginnings.begun_in(here.request)
    if begun is None or not begun.is_of(said.get("state", "")):
        return _refused(here, NOT_BEGUN)
    rule = _rule(here, begun.organisation, begun.rule)
    if rule is None:
        return _refused(here, NOT_THERE, 404)
    if "error" in said or not said.get("code") or said.get("iss", rule.issuer) != rule.issuer:  # RFC 9207, 2.4
        return _refused(here, NOT_SAID)
    if not here.door.may_ask(begun.organisation):
        return _refused(here, NOT_NOW, 429)
    try:
        token = _exchanged(here, rule, begun, said["code"])
    except ByoaError as error:
        return _refused(here, f"{error.cause} {error.remedy}", 502)
    return _let_in(here, begun, token) if token else _refused(here, NOT_FITTING)


def _exchanged(here: Here, rule: IssuerRule, begun: Begun, code: str) -> str:
    """The ID token, if it is for this browser and this client; an empty text for every other."""
    given = CodeGiven(
        organisation=begun.organisation,
        issuer=rule.issuer,
        client_id=rule.audience,
        code=code[:4096],
        verifier=begun.verifier,
        redirect_uri=here.request.origin + CALLBACK,
        rule=rule.id if rule.confidential else "",
    )
    token = here.door.exchange(given).id_token
    claims = claims_of(token)
    fitting = (
        claims.get("iss") == rule.issuer
        and claims.get("aud") in (rule.audience, [rule.audience])
        and claims.get("azp", rule.audience) == rule.audience  # OpenID Connect Core 1.0, 3.1.3.7
        and beginnings.same(begun.nonce, str(claims.get("nonce")))
    )
    return token if fitting else ""


def _let_in(here: Here, begun: Begun, token: str) -> Page | Moved:
    here.api.token = token
    made = here.api.write("POST", "/v1/sessions", x_nuon_org_id=begun.organisation)
    if not made.good:
        return _refused(here, NOT_FITTING)
    session = kept(made.document["token"])
    return Moved(begun.following or "/", (session, beginnings.GONE, beginnings.known(begun.organisation)))


def _rule(here: Here, organisation: str, rule: str) -> IssuerRule | None:
    rules = here.door.rules(organisation)
    return next((each for each in rules if each.id == rule and each.signs_in), None)


def _refused(here: Here, fault: str, status: int = 401) -> Page:
    """One more try from the beginning: what came back is of no further use."""
    return form(here, "", fault, status)._replace(cookies=(beginnings.GONE,))
