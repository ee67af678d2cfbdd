"""Whose a registry's host is, by its name: what is meant for one operator goes to no host written alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from byoa.oci.reference import Registry

GOOGLE: Final = ("gcr.io", ".gcr.io", ".pkg.dev")  # Google Cloud, "Artifact Registry: repository and image names"
AZURE: Final = (".azurecr.io", ".azurecr.cn", ".azurecr.us")  # of Azure's clouds (azure-cli, "cloud": acr_login_server)

REGISTRY_OF: Final = {
    "github.com": "ghcr.io", "www.github.com": "ghcr.io", "docker.pkg.github.com": "ghcr.io",
    "docker.com": "docker.io", "www.docker.com": "docker.io", "hub.docker.com": "docker.io",
    "app.docker.com": "docker.io", "gitlab.com": "registry.gitlab.com",
}  # fmt: skip
"""Pages for people that are taken for a registry, and which one is meant."""


def is_of(registry: Registry, domains: tuple[str, ...]) -> bool:
    """Whether it is at https' own port of one of the ``domains``, each a host, or, after a dot, all that are below."""
    return registry.port is None and any(
        registry.host.endswith(domain) if domain.startswith(".") else registry.host == domain for domain in domains
    )
