"""What is peculiar to the registries that vendors and platforms use: one row each, and nowhere else.

A row says what a registry does otherwise than the distribution spec lets expect; the default is a registry that keeps
to the spec. Where a value comes from is said beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from byoa.oci.ecr import ecr_account

if TYPE_CHECKING:
    from byoa.oci.reference import Registry

_MEBIBYTE: Final = 1024 * 1024


class Traits(NamedTuple):
    """How to speak to a registry.

    ``address``: the host that answers, where it isn't the one in references. ``namespace``: what stands before a
    repository's name of one part. ``token_hosts``: other hosts (``HOST`` or ``HOST:PORT``) that may see its
    credentials, as its operator documents them. ``scope``: what tokens are asked for where it isn't the repository.
    ``upload``: a blob goes in one PUT, in one PATCH and an empty PUT, or in PATCHes of ``chunk`` bytes.
    ``chunk``: bytes of a part where an upload is to outlast the process; ``None`` where parts don't work.
    ``mounts_itself``: asking to mount a blob from the very repository tells whether it is there, so that the question
    and the start of an upload are one request. ``free_heads``: a HEAD doesn't count against the pull limit, a GET does.
    ``concurrency``: requests at once. ``manifests_per_second``: how many manifests it takes.
    ``basic_at_once``: credentials are sent without being asked for.
    """

    address: str | None = None
    namespace: str = ""
    token_hosts: frozenset[str] = frozenset()
    scope: str | None = None
    upload: Literal["put", "patch", "chunks"] = "put"
    chunk: int | None = 16 * _MEBIBYTE
    mounts_itself: bool = True
    free_heads: bool = False
    concurrency: int = 16
    manifests_per_second: float | None = None
    basic_at_once: bool = False


PLAIN: Final = Traits()
"""A registry that keeps to the spec."""

DOCKER_HUB: Final = Traits(
    address="registry-1.docker.io",
    namespace="library/",
    token_hosts=frozenset({"auth.docker.io"}),  # distribution, "Token Authentication Specification"
    free_heads=True,  # docs.docker.com, "Docker Hub pull usage and limits"
)
GITLAB: Final = Traits(token_hosts=frozenset({"gitlab.com"}))  # docs.gitlab.com, "Container registry API": /jwt/auth
DIGITALOCEAN: Final = Traits(token_hosts=frozenset({"api.digitalocean.com"}))  # its challenge: /v2/registry/auth
PUBLIC_ECR: Final = Traits(scope="aws")  # its challenge: one scope for all repositories
GHCR: Final = Traits(upload="patch", chunk=None)  # several PATCHes corrupt the upload; measured by ocync's author
GAR: Final = Traits(chunk=None)  # knows no chunks
ACR: Final = Traits(upload="chunks")  # streams of about 20 MB and more are cut off
ECR: Final = Traits(
    chunk=None,  # several PATCHes get 201 and a Range that stays (aws/containers-roadmap#2831): whole, in one PUT
    mounts_itself=False,  # mounting is an account's setting, off by default, and then answered 202 whatever is there
    manifests_per_second=10,  # PutImage (service quotas); the other rates are a hundred times that
    basic_at_once=True,
)

_BY_HOST: Final = {
    "docker.io": DOCKER_HUB, "registry.gitlab.com": GITLAB, "registry.digitalocean.com": DIGITALOCEAN, "ghcr.io": GHCR,
    "gcr.io": GAR, "public.ecr.aws": PUBLIC_ECR,
}  # fmt: skip
_BY_SUFFIX: Final = (
    (".pkg.dev", GAR), (".gcr.io", GAR), (".azurecr.io", ACR), (".azurecr.cn", ACR), (".azurecr.us", ACR),
)  # fmt: skip
_ALIBABA: Final = ".aliyuncs.com"


def traits_of(registry: Registry) -> Traits:
    """The row of ``registry``, by its host."""
    if registry.host in _BY_HOST:
        return _BY_HOST[registry.host]
    if ecr_account(registry.host) is not None:
        return ECR
    if registry.host.endswith(_ALIBABA):
        return _alibaba(registry.host)
    return next((traits for suffix, traits in _BY_SUFFIX if registry.host.endswith(suffix)), PLAIN)


def _alibaba(host: str) -> Traits:
    """Token services of the region, or of the oldest one, which most challenges name: ``dockerauth.*.aliyuncs.com``.

    Hosts are ``registry.REGION.aliyuncs.com`` and ``NAME.REGION[.personal].cr.aliyuncs.com``.
    """
    labels = host.removesuffix(_ALIBABA).removesuffix(".cr").removesuffix(".personal").split(".")
    return Traits(token_hosts=frozenset(f"dockerauth.{each}{_ALIBABA}" for each in ("cn-hangzhou", labels[-1])))
