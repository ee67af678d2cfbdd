"""The adapters of hooks and of who heeds them, each in the surroundings that ``template.yaml`` gives it."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from byoa.bootstrap import clients
from byoa.bootstrap.process import clock, settings

if TYPE_CHECKING:
    from byoa.adapters.aws.rows import Rows
    from byoa.adapters.aws.tracking import DynamoTracked, DynamoWorkshop
    from byoa.tracking.door import Door
    from byoa.tracking.follow import Means
    from byoa.tracking.google import GoogleTokens


@cache
def door() -> Door:
    """What takes deliveries: it reads hooks by their names and rings one bell."""
    from byoa.adapters.aws.eventbridge import EventBus
    from byoa.adapters.aws.hooks import BusBell, DynamoPorter
    from byoa.tracking.door import Door
    from byoa.tracking.messages import HOOKS_SOURCE

    bus = EventBus(clients.events(), settings().bus, HOOKS_SOURCE)
    return Door(DynamoPorter(_rows()), BusBell(bus), clock())


def means() -> Means:
    """What following tags may use: who names a tag, for all; what is an organisation's, in its sessions alone."""
    from byoa.adapters.aws.tracking import DynamoMentions
    from byoa.bootstrap import pipeline, sources
    from byoa.tracking.follow import Means

    return Means(
        mentions=DynamoMentions(_rows()),
        tracked=_tracked,
        google=_google(),
        lender=partial(sources.lender, session="byoa-follow"),
        policy=pipeline.policy(),
        budget=pipeline.budget(),
        clock=clock(),
        open_source=sources.registry,
    )


@cache
def _google() -> GoogleTokens:
    """What verifies Google's tokens: it asks Google for its keys as registries are asked, and keeps them."""
    from byoa.adapters.identity.verifying import PyJwtVerifier
    from byoa.bootstrap import issuers
    from byoa.tracking.google import GoogleTokens

    return GoogleTokens(lambda issuer: issuers.asking("").fetch(issuer).keys, PyJwtVerifier())


def workshop(organisation: str) -> DynamoWorkshop:
    """Where the organisation's components are built anew."""
    from byoa.adapters.aws.dynamodb import DynamoLedger
    from byoa.adapters.aws.tracking import DynamoWorkshop

    rows = _rows(organisation)
    return DynamoWorkshop(organisation, DynamoLedger(rows.client, rows.table, clock()), rows)


def _tracked(organisation: str) -> DynamoTracked:
    from byoa.adapters.aws.tracking import DynamoTracked

    return DynamoTracked(organisation, _rows(organisation))


def _rows(organisation: str | None = None) -> Rows:
    from byoa.adapters.aws.rows import Rows

    return Rows(clients.dynamodb(organisation), settings().table)
