"""Logins to clusters of EKS: where a cluster is, and tokens that its API server takes for an AWS identity.

A token is a presigned GetCallerIdentity that names the cluster; the API server sends it to STS and sees who signed it
(kubernetes-sigs/aws-iam-authenticator, "API Authorization from Outside a Cluster").
"""

from __future__ import annotations

import base64
import binascii
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from byoa.adapters.aws.refusals import error_code, translated
from byoa.adapters.aws.roles import DENIED
from byoa.errors import ClusterAccessInvalid, ClusterForbidden, ClusterThrottled, ClusterUnavailable, StoreThrottled
from byoa.installs.access import Access, access_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIFE: Final = 14 * 60
"""Seconds that a token is used: API servers take it for 15 minutes from its date."""

_EXPIRES: Final = 60
"""What the URL says of itself: as long as anybody but an API server would take it."""

_HEADER: Final = "x-k8s-aws-id"
_PREFIX: Final = "k8s-aws-v1."
_DOMAINS: Final = {"cn-": "amazonaws.com.cn", "us-iso-": "c2s.ic.gov", "us-isob-": "sc2s.sgov.gov"}
_READY: Final = frozenset({"ACTIVE", "UPDATING"})
_MISSING: Final = "ResourceNotFoundException"


class Keys(NamedTuple):
    """An AWS identity; of a session it has a token."""

    access_key: str
    secret_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        """Without any of it."""
        return "Keys(…)"


def token_for(cluster: str, region: str, keys: Keys) -> str:
    """What ``cluster``'s API server knows whoever has ``keys`` by.

    It is signed for STS itself, whatever AWS_ENDPOINT_URL says: the API server asks nobody else.
    """
    host = f"sts.{region}.{_domain(region)}"
    request: Any = AWSRequest(
        "GET", f"https://{host}/?Action=GetCallerIdentity&Version=2011-06-15", headers={_HEADER: cluster}
    )
    SigV4QueryAuth(Credentials(*keys), "sts", region, expires=_EXPIRES).add_auth(request)
    return _PREFIX + base64.urlsafe_b64encode(request.url.encode()).decode().rstrip("=")


def _domain(region: str) -> str:
    return next((name for begin, name in _DOMAINS.items() if region.startswith(begin)), "amazonaws.com")


class EksLogin:
    """Who is let in to one cluster of EKS. Safe to share between threads.

    ``lend`` gives the identity's keys, good for 15 minutes at least, and is asked anew for each token; ``client`` makes
    a client of EKS in the cluster's region with them; ``now`` tells the time in seconds.
    """

    def __init__(
        self,
        cluster: str,
        region: str,
        lend: Callable[[], Keys],
        client: Callable[[str, Keys], Any],
        now: Callable[[], float],
    ) -> None:
        self._cluster = cluster
        self._region = region
        self._lend = lend
        self._client = client
        self._now = now
        self._lock = threading.Lock()
        self._keys: Keys | None = None
        self._token = ""
        self._until = 0.0

    def access(self) -> Access:
        """The way to the cluster, as EKS describes it, with a first token.

        Raises ``ClusterAccessInvalid`` where there is none of the name, ``ClusterForbidden`` where the identity may not
        ask, ``ClusterUnavailable`` and ``ClusterThrottled``.
        """
        token = self.token()
        with _translated():
            found = self._described(self._keys or self._lend())
        if found.get("status") not in _READY:
            raise ClusterUnavailable("The EKS cluster is not active.", remedy="Wait until EKS says that it is ACTIVE.")
        data = str((found.get("certificateAuthority") or {}).get("data") or "")
        try:
            ca = base64.b64decode(data, validate=True).decode("ascii")
        except (binascii.Error, ValueError):
            raise ClusterUnavailable("EKS tells no authority of the cluster that can be read.") from None
        return access_of(str(found.get("endpoint")), ca or None, token)

    def token(self) -> str:
        """A token that is good for a minute at least. Raises what ``lend`` raises."""
        with self._lock:
            if self._now() >= self._until:
                begun = self._now()
                with _translated():
                    self._keys = self._lend()
                self._token = token_for(self._cluster, self._region, self._keys)
                self._until = begun + LIFE
            return self._token

    def renew(self) -> bool:
        """Have the next token be a new one."""
        with self._lock:
            self._until = 0.0
        return True

    def _described(self, keys: Keys) -> dict[str, Any]:
        client = self._client(self._region, keys)
        try:
            found: dict[str, Any] = client.describe_cluster(name=self._cluster)["cluster"]
        except ClientError as error:
            if error_code(error) == _MISSING:
                cause = f"The account has no EKS cluster of that name in {self._region}."
                raise ClusterAccessInvalid(cause, remedy="Mend its name, its region or the role's account.") from error
            if error_code(error) in DENIED:
                raise ClusterForbidden(
                    "The role may not ask EKS where the cluster is.",
                    remedy="Allow it eks:DescribeCluster on the cluster.",
                ) from error
            raise
        finally:
            client.close()
        return found


@contextmanager
def _translated() -> Iterator[None]:
    try:
        with translated("AWS"):
            yield
    except StoreThrottled as error:
        raise ClusterThrottled(error.cause) from error
