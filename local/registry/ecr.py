"""What Amazon ECR does otherwise: repositories are made in the control plane, and tags can be immutable."""

from __future__ import annotations

import base64
import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

from local.registry.messages import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

_PASSWORD_AGE: Final = 5.0
_FACTS_AGE: Final = 2.0
_TAGS_LIMIT: Final = 1_000  # of one image (ECR's quotas)


@dataclass(frozen=True)
class RepositoryFacts:
    """What the control plane knows of a repository: its mutability, and the filters that except tags from it."""

    mutability: str = "MUTABLE"
    exclusions: tuple[str, ...] | None = None
    account: str = "000000000000"

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

    def password(self) -> str:
        """The password that goes with the user ``AWS`` now."""
        ...


@dataclass
class MemoryControlPlane:
    """A control plane that knows what it was told."""

    repositories: dict[str, RepositoryFacts] = field(default_factory=dict)
    current_password: str = "desk"

    def repository(self, name: str) -> RepositoryFacts | None:
        """The facts of the repository ``name``, or ``None`` when there is none."""
        return self.repositories.get(name)

    def password(self) -> str:
        """The current password."""
        return self.current_password


class AwsControlPlane:
    """The control plane of an AWS emulator at ``endpoint_url``, asked at most every few seconds."""

    def __init__(self, endpoint_url: str, region: str) -> None:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        self._client: Any = boto3.client(
            "ecr",
            endpoint_url=endpoint_url,
            region_name=region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2}, proxies={}),
        )
        self._failures = (BotoCoreError, ClientError)
        self._lock = threading.Lock()
        self._facts: dict[str, tuple[float, RepositoryFacts]] = {}
        self._password: tuple[float, str] | None = None

    def repository(self, name: str) -> RepositoryFacts | None:
        """The facts of the repository ``name``, up to 2 seconds old, or ``None`` when there is none."""
        now = time.monotonic()
        with self._lock:
            if name in self._facts and now - self._facts[name][0] < _FACTS_AGE:
                return self._facts[name][1]
        try:
            described = self._client.describe_repositories(repositoryNames=[name])["repositories"][0]
        except (self._client.exceptions.RepositoryNotFoundException, self._client.exceptions.InvalidParameterException):
            return None
        except self._failures as error:
            _unavailable(error)
        facts = _facts(described)
        with self._lock:
            self._facts[name] = (now, facts)
        return facts

    def password(self) -> str:
        """The password in GetAuthorizationToken's answer, up to 5 seconds old."""
        now = time.monotonic()
        with self._lock:
            if self._password and now - self._password[0] < _PASSWORD_AGE:
                return self._password[1]
        try:
            token = self._client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        except self._failures as error:
            _unavailable(error)
        password = base64.b64decode(token).decode().partition(":")[2]
        with self._lock:
            self._password = (now, password)
        return password


def _unavailable(error: Exception) -> NoReturn:
    refuse(503, "UNKNOWN", f"the control plane does not answer: {error}")


def _facts(described: Mapping[str, Any]) -> RepositoryFacts:
    filters = described.get("imageTagMutabilityExclusionFilters")
    return RepositoryFacts(
        mutability=described.get("imageTagMutability", "MUTABLE"),
        exclusions=tuple(each["filter"] for each in filters) if filters else None,
        account=described.get("registryId", "000000000000"),
    )


@dataclass(frozen=True)
class EcrSettings:
    """ECR's manners, with the control plane at ``endpoint_url`` or the one given.

    ``exclusions`` are the filters of repositories whose control plane stores them without telling them.
    """

    endpoint_url: str = ""
    region: str = "us-east-1"
    exclusions: tuple[str, ...] = ("sha256-*",)
    control: ControlPlane | None = None


class Ecr:
    """The rules of one account's registry."""

    def __init__(self, settings: EcrSettings) -> None:
        """Raises ``ValueError`` without a control plane: the AWS SDK would then turn to Amazon's own."""
        if not settings.control and not settings.endpoint_url:
            raise ValueError("ECR's manners need the endpoint_url of a control plane, or one in memory")
        self.control = settings.control or AwsControlPlane(settings.endpoint_url, settings.region)
        self._exclusions = settings.exclusions

    def facts(self, name: str) -> RepositoryFacts:
        """The facts of the repository ``name``. Raises ``Refused``: ECR makes no repository by itself."""
        facts = self.control.repository(name)
        if facts is None:
            account = RepositoryFacts().account
            message = f"The repository with name '{name}' does not exist in the registry with id '{account}'"
            refuse(404, "NAME_UNKNOWN", message)
        return facts

    def check_tag(self, name: str, tag: str, digest: str, taken: Mapping[str, str]) -> None:
        """Raise ``Refused`` when ``digest`` may not get ``tag``.

        Which is so when the tag is among the ``taken`` ones and immutable, even for the digest it has, and when the
        image has as many tags as it may (the message and code as in medic/cht-core#11099, the status as in
        aws/containers-roadmap#2159).
        """
        if tag in taken and self.facts(name).is_immutable(tag, self._exclusions):
            message = (
                f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because "
                "the tag is immutable."
            )
            refuse(400, "TAG_INVALID", message)
        if taken.get(tag) != digest and list(taken.values()).count(digest) >= _TAGS_LIMIT:
            message = (
                f"Adding tag '{tag}' to an image in the repository with name '{name}' in registry with id "
                f"'{RepositoryFacts().account}' exceeds the maximum allowed number of tags per image which is "
                f"'{_TAGS_LIMIT}'."
            )
            refuse(403, "DENIED", message)
