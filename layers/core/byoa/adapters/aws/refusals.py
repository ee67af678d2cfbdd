"""What AWS's own errors mean to us."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from byoa.errors import ByoaError, InternalFault, PlatformForbidden, PlatformMissing, StoreThrottled

if TYPE_CHECKING:
    from collections.abc import Iterator

_THROTTLES: Final = frozenset(
    {
        "LimitExceededException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "SlowDown",
        "Throttling", "ThrottlingException", "TooManyRequestsException", "TransactionConflictException",
        "TransactionInProgressException", "InternalServerError", "InternalError", "ServerException",
        "ServiceUnavailable",
    }
)  # fmt: skip

_FORBIDDEN: Final = frozenset(
    {
        "AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId",
        "InvalidSignatureException", "UnrecognizedClientException",
    }
)  # fmt: skip
_SETTINGS: Final = (
    (
        (exceptions.NoCredentialsError, exceptions.PartialCredentialsError),
        "There are no AWS credentials.",
        PlatformForbidden.default_remedy,
    ),
    (
        (exceptions.NoRegionError, exceptions.InvalidRegionError),
        "There is no AWS region, or its name is none.",
        "Set AWS_REGION, or the region of your profile with `aws configure`.",
    ),
    (
        exceptions.ProfileNotFound,
        "AWS's config has no profile of the name that was asked for.",
        "Set AWS_PROFILE to one that `aws configure list-profiles` prints.",
    ),
    (
        (exceptions.SSOError, exceptions.TokenRetrievalError),
        "The login at AWS's single sign-on has run out, or there was none.",
        "Run `aws sso login`.",
    ),
    (
        exceptions.CredentialRetrievalError,
        "The program that AWS's config names for credentials failed.",
        "Run its credential_process by hand and see what it says.",
    ),
    (
        (exceptions.ConfigParseError, exceptions.ConfigNotFound),
        "AWS's config can't be read.",
        "Mend ~/.aws/config, or the file that AWS_CONFIG_FILE names.",
    ),
    (
        exceptions.InvalidConfigError,
        "AWS's config has a profile that can't be used.",
        "Mend the profile in ~/.aws/config.",
    ),
)
"""What whoever runs a command can mend: botocore's errors, their cause and remedy."""

_MISSING: Final = frozenset({"NoSuchBucket", "ResourceNotFoundException"})


def error_code(error: ClientError) -> str:
    """AWS's name for the error."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(service: str) -> Iterator[None]:
    """Raise ``StoreThrottled`` for what passes by itself and, for the rest of AWS's errors, what is to be mended.

    That is ``PlatformForbidden``, ``PlatformMissing`` or ``InternalFault``.
    """
    try:
        yield
    except ClientError as error:
        raise _meaning(service, error) from error
    except exceptions.EndpointConnectionError as error:
        place = error.kwargs.get("endpoint_url")
        remedy = f"See whether {place} is meant (AWS_ENDPOINT_URL, AWS_REGION) and up, and try again."
        raise StoreThrottled(f"{service} doesn't answer at {place}.", remedy=remedy) from error
    except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
        raise StoreThrottled(f"{service} can't be reached.") from error
    except BotoCoreError as error:
        for kinds, cause, remedy in _SETTINGS:
            if isinstance(error, kinds):
                raise PlatformForbidden(cause, remedy=remedy) from error
        raise InternalFault(f"The platform can't use {service}.") from error
    except ValueError as error:  # what botocore raises for an endpoint that is no address
        raise PlatformForbidden(
            "The address of AWS's endpoint is none.", remedy="Mend or unset AWS_ENDPOINT_URL."
        ) from error


def _meaning(service: str, error: ClientError) -> ByoaError:
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _THROTTLES or status >= 500:  # noqa: PLR2004 - RFC 9110, 15.6
        return StoreThrottled(f"{service} is busy or briefly out ({code}).")
    if code in _FORBIDDEN:
        return PlatformForbidden(f"{service} refuses these credentials ({code}).")
    if code in _MISSING:
        return PlatformMissing(f"{service} has no such table or bucket ({code}).")
    return InternalFault(f"{service} refuses the platform's own request ({code}).")
