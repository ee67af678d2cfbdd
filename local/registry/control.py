"""ECR's control plane, as its data plane knows it: what repositories there are, and who may do what in them."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

from local.registry.messages import refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HOME: Final = "000000000000"
STALE: Final = "Your authorization token has expired. Reauthenticate and try again."
_TARGET: Final = "AmazonEC2ContainerRegistry_V20150921"
_ABSENT: Final = ("RepositoryNotFoundException", "InvalidParameterException")
_AGE: Final = 2.0
_REMEMBERED: Final = 1_000
_OK: Final = 200
_SECONDS: Final = 10


@dataclass(frozen=True)
class RepositoryFacts:
    """What the control plane knows of a repository: its mutability, and the filters that except tags from it."""

    mutability: str = "MUTABLE"
    exclusions: tuple[str, ...] | None = None
    account: str = HOME

    def is_immutable(self, tag: str, default_exclusions: tuple[str, ...]) -> bool:
        """Whether ``tag`` may not be moved (ECR API, PutImageTagMutability).

        ``default_exclusions`` stand in for filters that the control plane does not tell.
        """
        filters = default_exclusions if self.exclusions is None else self.exclusions
        excluded = self.mutability.endswith("_WITH_EXCLUSION") and any(_matches(each, tag) for each in filters)
        return self.mutability.startswith("IMMUTABLE") != excluded


def _matches(pattern: str, tag: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), tag) is not None


class ControlPlane(Protocol):
    """The part of ECR's API that its data plane looks at."""

    def repository(self, name: str) -> RepositoryFacts | None:
        """The facts of the repository ``name``, or ``None`` when there is none."""
        ...

    def refusal(self, password: str, action: str | None, repository: str) -> str | None:
        """Why the holder of ``password`` may not do IAM's ``action`` in ``repository``; ``None`` when it may.

        Without an action: whether it is a password at all.
        """
        ...


@dataclass
class MemoryControlPlane:
    """A control plane that knows what it was told: one password, which opens all."""

    repositories: dict[str, RepositoryFacts] = field(default_factory=dict)
    current_password: str = "desk"

    def repository(self, name: str) -> RepositoryFacts | None:
        """The facts of the repository ``name``, or ``None`` when there is none."""
        return self.repositories.get(name)

    def refusal(self, password: str, action: str | None, repository: str) -> str | None:  # noqa: ARG002 it opens all
        """``None`` for the current password, and that it has expired for any other."""
        return None if password == self.current_password else STALE


class AwsControlPlane:
    """The control plane of an AWS emulator at ``endpoint_url``, an ``account``'s in a ``region``; answers age 2 s."""

    def __init__(self, endpoint_url: str, region: str, account: str = HOME) -> None:
        from botocore.auth import SigV4Auth
        from botocore.credentials import Credentials
        from botocore.httpsession import URLLib3Session

        self._url = endpoint_url
        # The emulator knows an account by a key of its twelve digits, which is the account's root.
        self._auth = SigV4Auth(Credentials(account, "test"), "ecr", region)
        self._session = URLLib3Session(timeout=_SECONDS)
        self._lock = threading.Lock()
        self._known: dict[tuple[str | None, ...], tuple[float, Any]] = {}

    def repository(self, name: str) -> RepositoryFacts | None:
        """The facts of the repository ``name``, or ``None`` when there is none, which isn't remembered."""

        def ask() -> RepositoryFacts | None:
            answer = self._ask("DescribeRepositories", {"repositoryNames": [name]})
            return _facts(answer["repositories"][0]) if "repositories" in answer else None

        found: RepositoryFacts | None = self._remembered(("repository", name), ask)
        return found

    def refusal(self, password: str, action: str | None, repository: str) -> str | None:
        """What IAM says of it (``local/emulator/authorization.py``)."""

        def ask() -> tuple[str | None]:
            asked = {"password": password, "action": action, "repositoryName": repository}
            return (self._ask("AdmitOnDesk", asked)["refusal"],)

        (refusal,) = self._remembered(("refusal", password, action, repository), ask)
        return str(refusal) if refusal else None

    def _remembered(self, key: tuple[str | None, ...], ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - what was asked
        now = time.monotonic()
        with self._lock:
            if key in self._known and now - self._known[key][0] < _AGE:
                return self._known[key][1]
        answer = ask()
        with self._lock:
            if answer is not None:
                self._known = self._known if len(self._known) < _REMEMBERED else {}
                self._known[key] = (now, answer)
        return answer

    def _ask(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Its answer, also that there is no such repository. Raises ``Refused`` (503) for any other failure."""
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import HTTPClientError

        headers = {"X-Amz-Target": f"{_TARGET}.{operation}", "Content-Type": "application/x-amz-json-1.1"}
        request = AWSRequest("POST", self._url, headers, json.dumps(asked).encode())
        self._auth.add_auth(request)
        try:
            response = self._session.send(request.prepare())
            answer: dict[str, Any] = json.loads(response.content)
        except (HTTPClientError, ValueError) as error:
            _unavailable(error)
        if response.status_code != _OK and answer.get("__type") not in _ABSENT:
            _unavailable(answer)
        return answer


def _unavailable(why: object) -> NoReturn:
    refuse(503, "UNKNOWN", f"the control plane does not answer: {why}")


def _facts(described: Mapping[str, Any]) -> RepositoryFacts:
    filters = described.get("imageTagMutabilityExclusionFilters")
    return RepositoryFacts(
        mutability=described.get("imageTagMutability", "MUTABLE"),
        exclusions=tuple(each["filter"] for each in filters) if filters else None,
        account=described.get("registryId", HOME),
    )
