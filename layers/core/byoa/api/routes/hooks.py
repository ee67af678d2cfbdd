"""Hooks of the organisation: where registries tell that something was pushed."""

from typing import Final

from aws_lambda_powertools.event_handler import Response

from byoa.api.documents import hook_fields, hook_out
from byoa.api.operations import Operations
from byoa.api.paging import Cursor, Limit, Number, Offset, paged, span_of
from byoa.api.problems import Problem
from byoa.api.registries import HookIn, HookOut, NewHook
from byoa.api.shapes import Id
from byoa.api.tokens import random_id
from byoa.api.visits import visit
from byoa.tracking.records import EVERY, Place, issue, watch

operations = Operations()
_OF_KIND: Final = {
    "gar": (("service_account",), ("audience",)),
    "ecr": (("account", "region"), ("repository",)),
}
"""What one kind alone has: what it wants, and what it may have."""


@operations.add("GET", "/v1/hooks", "read", paged=True)
def list_hooks(
    offset: Offset = 0, limit: Limit = 10, page: Number = None, cursor: Cursor = None
) -> Response[list[HookOut]]:
    """The organisation's hooks. Their addresses and secrets are told when they are made and never again."""
    here, span = visit(), span_of(offset, limit, page, cursor)
    found = here.world.hooks(here.organisation).page(span)
    return paged([hook_out(record) for record in found.items], found, span, page)


@operations.add(
    "POST",
    "/v1/hooks",
    "admin",
    status=201,
    faults=(409,),
    once=True,
    example={"name": "ghcr", "kind": "github", "action": "note"},
)
def create_hook(body: HookIn) -> NewHook:
    """Make a hook. The answer shows its address and its secret once.

    A delivery has the components that name the pushed tag looked at again, and chooses nothing that is built. Of one
    place in ECR there is one hook.
    """
    _check_kind(body)
    here = visit()
    if body.account and body.region:
        place = Place(body.account, body.region, body.repository or EVERY)
        record = watch(here.organisation, place, body.name, body.action, here.now_ts, here.caller.id)
        if not here.world.hooks(here.organisation).add(record):
            raise Problem("exists")
        return NewHook(**hook_fields(record), url=None, path=None, secret=None)
    made = issue(
        here.organisation, random_id("hok"), body.name, body.kind, body.action, here.now_ts, here.caller.id,
        service_account=body.service_account, audience=body.audience,
    )  # fmt: skip
    here.world.hooks(here.organisation).add(made.record)
    domain = str(here.event["requestContext"].get("domainName", ""))
    return NewHook(
        **hook_fields(made.record), url=f"https://{domain}{made.path}", path=made.path, secret=made.signing_secret
    )


def _check_kind(body: HookIn) -> None:
    """Raise ``Problem`` for what the kind wants and hasn't got, and for what is another kind's."""
    wanted, further = _OF_KIND.get(body.kind, ((), ()))
    given = {name for names in _OF_KIND.values() for name in (*names[0], *names[1]) if getattr(body, name) is not None}
    faults = [(name, "missing", f"A hook of the kind {body.kind} wants it.") for name in wanted if name not in given]
    foreign = sorted(given - {*wanted, *further})
    faults += [(name, "extra_forbidden", f"A hook of the kind {body.kind} has none.") for name in foreign]
    if faults:
        told = [{"pointer": f"/body/{name}", "code": code, "message": message} for name, code, message in faults]
        raise Problem("invalid", faults=told)


@operations.add("DELETE", "/v1/hooks/<hook_id>", "admin", faults=(404,), status=204)
def delete_hook(hook_id: Id) -> Response[None]:
    """Delete a hook: from now on nothing is taken at its address."""
    here = visit()
    if not here.world.hooks(here.organisation).remove(hook_id):
        raise Problem("not_found")
    return Response(204, None)
