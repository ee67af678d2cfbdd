"""boto3's sessions of a role for one organisation each, and clients of AWS's services in them.

A function's own role reaches nothing of any organisation's: it may open these sessions. Clients of one organisation are
made for it and serve no other, so that what is warm in a process never mixes two.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

import boto3.session
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials
from botocore.loaders import Loader
from botocore.session import Session

from byoa.adapters.aws.refusals import translated
from byoa.trust.tenancy import TAG

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_sts import STSClient

AT_ONCE: Final = 8
"""Organisations that a process keeps sessions of: those that it worked for last."""

SECONDS: Final = 3600
"""How long a session lasts: as long as one may that another session opened (IAM, "role chaining")."""


class Descriptions(Loader):
    """Descriptions of services, read once for all sessions; boto3 would have each add its folder to where they are."""

    @property
    def search_paths(self) -> list[str]:
        """Where they are, as a list of the caller's own."""
        return list(super().search_paths)


def beside(parent: Session, provider: object = None) -> Any:  # noqa: ANN401 - boto3's, whose overloads want literals
    """A session of boto3's that behaves as ``parent`` does, with handlers of its own and credentials of ``provider``.

    boto3 adds handlers to the session that it is given, and those of S3 fail where they stand twice: so ``parent`` is
    a session that boto3 has never had.
    """
    handlers = copy.copy(parent.get_component("event_emitter"))
    session = Session(event_hooks=handlers, include_builtin_handlers=False)
    for shared in ("data_loader", "response_parser_factory"):
        session.register_component(shared, parent.get_component(shared))
    if provider:
        session.register_component("credential_provider", provider)
    return boto3.session.Session(botocore_session=session)


def settled(service: str, config: Config) -> Config:
    """What a client of a service is made with: DynamoDB looks at what it is asked by itself, all of which is its body.

    botocore's own look at it first is a tenth of what a transaction costs. Of a service whose requests are addresses
    too, S3's above all, an empty name would be another request.
    """
    return config.merge(Config(parameter_validation=False)) if service == "dynamodb" else config


class Vending:
    """Sessions of ``role``, opened with ``sts`` when a client of them first asks for something.

    ``policy`` writes an organisation's session policy. Sessions behave as ``parent`` does, whose handlers and loaded
    descriptions of services they share.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - whose sessions, and what their clients are made with
        self,
        role: str,
        policy: Callable[[str], str],
        sts: Callable[[], STSClient],
        parent: Session,
        region: str,
        config: Config,
    ) -> None:
        self._role = role
        self._policy = policy
        self._sts = sts
        self._parent = parent
        self._region = region
        self._config = config
        self._clients: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._sessions: dict[str, Any] = {}

    def client(self, service: str, organisation: str) -> Any:  # noqa: ANN401 - any of AWS's clients
        """A client of ``service`` in the organisation's session, made once; those of the least recent ones are let go.

        What it first asks for may raise what opening the session does: ``StoreThrottled``, ``PlatformForbidden`` or
        ``InternalFault``. Raises ``InternalFault`` for what is no organisation.
        """
        if organisation not in self._clients:
            self._open(organisation)
        self._clients.move_to_end(organisation)
        clients = self._clients[organisation]
        if service not in clients:
            clients[service] = self._sessions[organisation].client(
                service, region_name=self._region, config=settled(service, self._config)
            )
        return clients[service]

    def _open(self, organisation: str) -> None:
        policy = self._policy(organisation)
        given = _Given(lambda: self._assume(organisation, policy))
        self._sessions[organisation] = beside(self._parent, given)
        self._clients[organisation] = {}
        if len(self._clients) > AT_ONCE:
            least, clients = self._clients.popitem(last=False)
            del self._sessions[least]
            for client in clients.values():
                client.close()

    def _assume(self, organisation: str, policy: str) -> dict[str, str]:
        """New credentials, as botocore wants them refreshed."""
        with translated("STS"):
            answer = self._sts().assume_role(
                RoleArn=self._role,
                RoleSessionName=organisation,
                DurationSeconds=SECONDS,
                Policy=policy,
                Tags=[{"Key": TAG, "Value": organisation}],
            )
        found = answer["Credentials"]
        return {
            "access_key": found["AccessKeyId"],
            "secret_key": found["SecretAccessKey"],
            "token": found["SessionToken"],
            "expiry_time": found["Expiration"].isoformat(),
        }


class _Given:
    """What a session of botocore's asks for credentials."""

    def __init__(self, assume: Callable[[], dict[str, str]]) -> None:
        self._credentials = DeferredRefreshableCredentials(assume, method="assume-role")

    def load_credentials(self) -> DeferredRefreshableCredentials:
        """Credentials that are asked for when they are needed, and again before they expire."""
        return self._credentials
