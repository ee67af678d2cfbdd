"""The dashboard's adapters: the API's, with a role that reads, and the API's own function for all else."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from byoa.bootstrap import api, clients
from byoa.bootstrap.process import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from byoa.api.face import Face
    from byoa.api.ports import World
    from byoa.trust.signing_in import CodeExchanged, CodeGiven
    from byoa.web.app import Dashboard, Exchange
    from byoa.web.asking import Send

    type Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]
    type Make = Callable[[World, Face, Send, Exchange, frozenset[str]], Dashboard]


@cache
def face(make_api: Callable[[World], Face], make: Make) -> Handler:
    """The dashboard, as ``make`` puts it together over an API that reads: each item once for a page."""
    from byoa.adapters.aws import reads
    from byoa.settings import hosts

    world = api.world()
    made = make(world, make_api(world), _ask_the_api, _exchange, hosts(settings().sign_in))

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        with reads.once():
            return made(event, context)

    return handler


def _exchange(given: CodeGiven) -> CodeExchanged:
    """By a function that has a way out, and nothing else: this one has none to addresses that somebody types."""
    from byoa.adapters.aws import functions
    from byoa.trust.signing_in import CodeExchanged

    answer = functions.invoke(clients.soon_functions(), settings().exchange_code, given.model_dump())
    return CodeExchanged.model_validate(answer)


def _ask_the_api(event: dict[str, Any]) -> dict[str, Any]:
    from byoa.adapters.aws import functions, reads
    from byoa.adapters.aws.refusals import translated

    with translated("AWS"):
        client = clients.functions()
    answer: dict[str, Any] = functions.invoke(client, settings().api_function, event)
    reads.forget()
    return answer
