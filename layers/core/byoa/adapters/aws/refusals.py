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
    exceptions.ConfigNotFound, exceptions.ConfigParseError, exceptions.ProfileNotFound, exceptions.InvalidRegionError,
    exceptions.InvalidConfigError, exceptions.CredentialRetrievalError, exceptions.SSOError,
    ValueError,  # what botocore raises for an endpoint that is no address
)  # fmt: skip
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
    except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
        raise StoreThrottled(f"{service} can't be reached.") from error
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.NoRegionError) as error:
        raise PlatformForbidden("There are no AWS credentials, or no region.") from error
    except _SETTINGS as error:
        raise PlatformForbidden(
            f"The settings for AWS can't be used: {error}",
            remedy="Look at AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL and ~/.aws/config.",
        ) from error
    except BotoCoreError as error:
        raise InternalFault(f"The platform can't use {service}.") from error


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
