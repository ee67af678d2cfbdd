"""Repositories of our own ECR, made on first use, and what lets a registry's client in.

Tags are immutable but for ``sha256-*``, the tags that signatures go by. The lifecycle policy removes nothing but
untagged manifests, which here are leftovers of copies that broke off: whatever an install may pull has the tag of the
build that made it, and ECR keeps the children and referrers of a tagged manifest.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from byoa.adapters.aws.refusals import error_code, translated
from byoa.errors import InternalFault, PlatformMissing
from byoa.oci.reference import Registry
from byoa.trust.credentials import Credential

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from types_boto3_ecr import ECRClient
    from types_boto3_ecr.type_defs import EncryptionConfigurationTypeDef, GetAuthorizationTokenResponseTypeDef


SIGNATURE_TAGS: Final = "sha256-*"
UNTAGGED_DAYS: Final = 30
_AT_ONCE: Final = 100
"""Images that one BatchDeleteImage names (ECR API)."""

LIFECYCLE: Final = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "description": "Leftovers of copies that broke off; what a build made is tagged with its id",
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": UNTAGGED_DAYS,
                },
                "action": {"type": "expire"},
            }
        ]
    }
)


@dataclass(slots=True)
class EcrRegistry:
    """The account's private registry in one region. A token of ECR's serves until the registry refuses it.

    ``kms_key`` encrypts new repositories; without one ECR's own keys (AES256) do.
    """

    client: ECRClient
    kms_key: str = ""
    _held: Credential | None = field(default=None, repr=False)

    def provide(self, name: str, tags: Mapping[str, str]) -> Registry:
        """The registry that the repository ``name`` is pulled from, made with ``tags`` where it doesn't exist.

        Raises ``StoreThrottled`` when ECR is busy, ``InternalFault`` when it refuses.
        """
        with translated("ECR"):
            uri = self._find(name) or self._create(name, tags)
        return Registry.parse(uri.partition("/")[0])

    def registry(self, name: str) -> Registry:
        """The registry that the repository ``name`` is pulled from. Raises ``PlatformMissing`` where there is none."""
        with translated("ECR"):
            uri = self._find(name)
        if uri is None:
            raise PlatformMissing("The mirror's repository isn't there any more.", remedy="Build the component again.")
        return Registry.parse(uri.partition("/")[0])

    def credential(self) -> Credential:
        """What the registry was last let in with, or else a new one; raises what ``renew`` raises."""
        return self._held or self.renew()

    def renew(self) -> Credential:
        """Twelve hours' worth of ECR, for whatever this function's role may do.

        Raises ``StoreThrottled`` when ECR is busy, ``InternalFault`` when it refuses or can't be understood.
        """
        with translated("ECR"):
            answer = self.client.get_authorization_token()
        self._held = read_token(answer)
        return self._held

    def _find(self, name: str) -> str | None:
        try:
            return self.client.describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryUri"]
        except ClientError as error:
            if error_code(error) == "RepositoryNotFoundException":
                return None
            raise

    def _create(self, name: str, tags: Mapping[str, str]) -> str:
        encryption: EncryptionConfigurationTypeDef = (
            {"encryptionType": "KMS", "kmsKey": self.kms_key} if self.kms_key else {"encryptionType": "AES256"}
        )
        try:
            made = self.client.create_repository(
                repositoryName=name,
                imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
                imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": SIGNATURE_TAGS}],
                imageScanningConfiguration={"scanOnPush": True},
                encryptionConfiguration=encryption,
                tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            )
            uri = made["repository"]["repositoryUri"]
        except ClientError as error:
            uri = self._find(name) or "" if error_code(error) == "RepositoryAlreadyExistsException" else ""
            if not uri:
                raise
        self.client.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=LIFECYCLE)
        return uri


def read_token(answer: GetAuthorizationTokenResponseTypeDef) -> Credential:
    """The login in ECR's answer. Raises ``InternalFault`` for one that can't be understood."""
    token = answer["authorizationData"][0]["authorizationToken"]
    try:
        username, colon, password = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):  # which quote what they can't read
        username = colon = password = ""
    if not colon:
        raise InternalFault("ECR's authorization token can't be read.")
    return Credential(username, password)


@dataclass(frozen=True, slots=True)
class EcrTags:
    """The tags of one repository."""

    client: ECRClient
    repository: str

    def tags_of(self, digest: str) -> list[str]:
        """See ``builds.ports.Tags``. Raises ``StoreThrottled`` when ECR is busy, ``InternalFault`` when it refuses."""
        with translated("ECR"):
            found = self.client.describe_images(repositoryName=self.repository, imageIds=[{"imageDigest": digest}])
        return [tag for image in found["imageDetails"] for tag in image.get("imageTags", [])]

    def remove_tags(self, tags: Sequence[str]) -> None:
        """See ``builds.ports.Tags``; raises the same. A tag that is gone already is no failure."""
        for start in range(0, len(tags), _AT_ONCE):
            some = tags[start : start + _AT_ONCE]
            with translated("ECR"):
                answer = self.client.batch_delete_image(
                    repositoryName=self.repository, imageIds=[{"imageTag": tag} for tag in some]
                )
            codes = {failure["failureCode"] for failure in answer.get("failures", [])} - {"ImageNotFound"}
            if codes:
                raise InternalFault(f"ECR keeps tags that were to go ({', '.join(sorted(codes))}).")
