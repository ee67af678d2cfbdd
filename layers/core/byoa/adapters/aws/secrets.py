"""Stored credentials in AWS Secrets Manager: ``byoa/<organisation>/<name>``, tagged with whose and what they are.

Listing reads tags and no value. Secrets Manager's own encryption (a data key for each secret) is the only one.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from byoa.adapters.aws.refusals import error_code, translated
from byoa.errors import CredentialForbidden, CredentialMalformed, SecretUnavailable, StoreThrottled
from byoa.trust.ports import Entry, Kept, Secret
from byoa.trust.secrets import is_name, secret_name, secrets_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_secretsmanager.type_defs import TagTypeDef

RECOVERY_DAYS: Final = 7
"""How long deleted credentials can be brought back: the shortest that Secrets Manager has."""

_CURRENT: Final = "AWSCURRENT"
_NEXT: Final = "BYOANEXT"
_SERVICE: Final = "Secrets Manager"
_PAGE: Final = 100

# Brackets of an IPv6 address are none of the characters that tags of all services may have (Tagging AWS resources).
_TO_TAG: Final = str.maketrans("[]", "+@")
_FROM_TAG: Final = str.maketrans("+@", "[]")

_MISSING: Final = "ResourceNotFoundException"
_DELETED: Final = "InvalidRequestException"
"""What Secrets Manager answers about a secret that is to be deleted (API reference, DeleteSecret)."""

_MOVED: Final = frozenset({"InvalidParameterException", _MISSING, _DELETED})
"""The same of a version that isn't the current one, and of a secret that is gone (UpdateSecretVersionStage)."""

_TAKEN: Final = frozenset({"ResourceExistsException", _DELETED})
_REFUSED: Final = frozenset({_MISSING, _DELETED, "AccessDeniedException", "AccessDenied"})
_BRING_BACK: Final = "`byoa credentials set` with the same name brings them back, with a new value."


@dataclass(frozen=True, slots=True)
class SecretsVault:
    """The secrets of one organisation, read with a session of its own. Implements Vault."""

    client: SecretsManagerClient
    organisation: str

    def read(self, name: str) -> Secret:
        """See ``trust.ports.Vault``. Nothing is kept: the next call asks again."""
        path = secret_name(self.organisation, name)
        with _reading():
            found = self.client.get_secret_value(SecretId=path, VersionStage=_CURRENT)
        text = found.get("SecretString")
        if text is None:
            raise CredentialMalformed(
                "The stored credentials are bytes and no text.", remedy="Store them with `byoa credentials set`."
            )
        return Secret(text, found["VersionId"])


@contextmanager
def _reading() -> Iterator[None]:
    """What a step of a build is told: the organisation's own matter, or something to try again."""
    try:
        with translated(_SERVICE):
            try:
                yield
            except ClientError as error:
                if error_code(error) in _REFUSED:
                    raise CredentialForbidden(
                        "The organisation has no credentials of that name that may be read, or they were deleted."
                    ) from error
                raise
    except StoreThrottled as error:
        raise SecretUnavailable(error.cause) from error


@dataclass(frozen=True, slots=True)
class SecretsSafe:
    """The same secrets, with the rights of whoever looks after them. Implements Safe."""

    client: SecretsManagerClient
    organisation: str

    def store(self, name: str, kind: str, host: str, text: str, options: tuple[str, ...] = ()) -> Kept:
        """See ``trust.ports.Safe``. What was to be deleted is restored first: its name is taken until it is gone."""
        path, tags = secret_name(self.organisation, name), self._tags(kind, host, options)
        with translated(_SERVICE):
            try:
                made = self.client.create_secret(Name=path, SecretString=text, Tags=tags)
                return Kept(made["VersionId"], "nothing")
            except ClientError as error:
                if error_code(error) not in _TAKEN:
                    raise
            earlier = self.client.describe_secret(SecretId=path)
            deleted = "DeletedDate" in earlier
            with self._brought_back(path) if deleted else nullcontext():
                # The tags first: who may read it goes by them, and the value is what builds go by.
                self.client.tag_resource(SecretId=path, Tags=tags)
                put = self.client.put_secret_value(SecretId=path, SecretString=text)
        return Kept(put["VersionId"], "deleted" if deleted else "another", _labels(earlier)[:2])

    def swap(  # noqa: PLR0913, PLR0917 - see the port
        self, name: str, kind: str, host: str, text: str, options: tuple[str, ...], was: str
    ) -> Kept | None:
        """See ``trust.ports.SharedSafe``. A label is moved from the version that it is on, or not at all."""
        path, tags = secret_name(self.organisation, name), self._tags(kind, host, options)
        with translated(_SERVICE):
            if was:
                return self._swapped(path, text, tags, was)
            try:
                made = self.client.create_secret(Name=path, SecretString=text, Tags=tags)
                return Kept(made["VersionId"], "nothing")
            except ClientError as error:
                if error_code(error) not in _TAKEN:
                    raise
            earlier = self.client.describe_secret(SecretId=path)
            if "DeletedDate" not in earlier:
                return None
            with self._brought_back(path):
                kept = self._swapped(path, text, tags, _current(earlier.get("VersionIdsToStages")))
            return kept and kept._replace(before="deleted", was=_labels(earlier)[:2])

    def _swapped(self, path: str, text: str, tags: list[TagTypeDef], was: str) -> Kept | None:
        """Put a version under a label that nobody reads, and make it the current one in place of ``was``."""
        try:
            put = self.client.put_secret_value(SecretId=path, SecretString=text, VersionStages=[_NEXT])
            self.client.update_secret_version_stage(
                SecretId=path, VersionStage=_CURRENT, MoveToVersionId=put["VersionId"], RemoveFromVersionId=was
            )
        except ClientError as error:
            if error_code(error) in _MOVED:
                return None
            raise
        self.client.tag_resource(SecretId=path, Tags=tags)
        return Kept(put["VersionId"], "another")

    def _tags(self, kind: str, host: str, options: tuple[str, ...]) -> list[TagTypeDef]:
        return [
            {"Key": "org_id", "Value": self.organisation},
            {"Key": "byoa_kind", "Value": kind},
            {"Key": "byoa_host", "Value": host.translate(_TO_TAG)},
            {"Key": "byoa_options", "Value": " ".join(options)},
        ]

    @contextmanager
    def _brought_back(self, path: str) -> Iterator[None]:
        """What was deleted, to be given a new value: without one it is deleted again, as the old one is not wanted."""
        self.client.restore_secret(SecretId=path)
        try:
            yield
        except BaseException:
            with suppress(ClientError, BotoCoreError):
                self.client.delete_secret(SecretId=path, RecoveryWindowInDays=RECOVERY_DAYS)
            raise

    def entries(self) -> list[Entry]:
        """See ``trust.ports.Safe``. The filter is for beginnings; what it lets through is looked at again."""
        prefix = secrets_prefix(self.organisation)
        found: list[Entry] = []
        with translated(_SERVICE):
            pages = self.client.get_paginator("list_secrets").paginate(
                Filters=[{"Key": "name", "Values": [prefix]}], PaginationConfig={"PageSize": _PAGE}
            )
            for page in pages:
                found += [entry for secret in page["SecretList"] if (entry := _entry(prefix, secret))]
        return sorted(found)

    def entry(self, name: str) -> Entry:
        """See ``trust.ports.Safe``."""
        path = secret_name(self.organisation, name)
        with _known():
            found = self.client.describe_secret(SecretId=path)
        if "DeletedDate" in found:
            raise CredentialForbidden("The credentials of that name were deleted.", remedy=_BRING_BACK)
        entry = _entry(
            secrets_prefix(self.organisation), {**found, "SecretVersionsToStages": found.get("VersionIdsToStages")}
        )
        if entry is None:
            raise CredentialForbidden("The organisation has no credentials of that name.")
        return entry

    def delete(self, name: str) -> datetime:
        """See ``trust.ports.Safe``."""
        with _known():
            deleted = self.client.delete_secret(
                SecretId=secret_name(self.organisation, name), RecoveryWindowInDays=RECOVERY_DAYS
            )
        return deleted["DeletionDate"].astimezone(UTC)


@contextmanager
def _known() -> Iterator[None]:
    """Tell what isn't there apart from what the caller may not."""
    with translated(_SERVICE):
        try:
            yield
        except ClientError as error:
            code = error_code(error)
            if code == _MISSING:
                raise CredentialForbidden("The organisation has no credentials of that name.") from error
            if code == _DELETED:
                raise CredentialForbidden("The credentials of that name were deleted.", remedy=_BRING_BACK) from error
            raise


def _entry(prefix: str, secret: Mapping[str, Any]) -> Entry | None:
    """What a description tells, ``None`` for one that isn't the organisation's: a value is needed for none of it."""
    path = str(secret["Name"])
    name = path.removeprefix(prefix)
    if not path.startswith(prefix) or not is_name(name) or secret.get("DeletedDate"):
        return None
    kind, host, options = _labels(secret)
    changed: datetime | None = secret.get("LastChangedDate")
    used: datetime | None = secret.get("LastAccessedDate")
    return Entry(
        name=name,
        kind=kind,
        host=host,
        version=_current(secret.get("SecretVersionsToStages")),
        changed=changed and changed.astimezone(UTC),  # botocore tells times in the machine's own zone
        used=used and used.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0),
        options=options,
    )


def _current(stages: Mapping[str, list[str]] | None) -> str:
    """The id of the current version, of all versions with their labels."""
    return next((version for version, names in (stages or {}).items() if _CURRENT in names), "")


def _labels(secret: Mapping[str, Any]) -> tuple[str, str, tuple[str, ...]]:
    """Kind, host and options, as the tags have them; whoever stored it by another tool may have set none."""
    tags = {tag["Key"]: tag["Value"] for tag in secret.get("Tags", [])}
    host = tags.get("byoa_host", "").translate(_FROM_TAG)
    return tags.get("byoa_kind", ""), host, tuple(tags.get("byoa_options", "").split())
