"""Every kind of stored credentials in all its forms, each with a canary for its secret."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

ECR_HOST: Final = "222222222222.dkr.ecr.us-west-2.amazonaws.com"
ROLE: Final = "arn:aws:iam::222222222222:role/pull"
USER: Final = "robot$byoa"
HOSTS: Final = {"aws_ecr": ECR_HOST, "gcp_gar": "europe-west1-docker.pkg.dev", "azure_acr": "vendor.azurecr.io"}
"""Where kinds belong that are good for their own registries alone."""


class Form(NamedTuple):
    """How credentials are stored, as a function of their host and secret, and how a registry asks for them."""

    kind: str
    fields: Callable[[str, str], dict[str, Any]]
    asks: Literal["Basic", "Bearer"] = "Basic"


def _entry(entry: Callable[[str], dict[str, str]], asks: Literal["Basic", "Bearer"] = "Basic") -> Form:
    def fields(host: str, secret: str) -> dict[str, Any]:
        return {"dockerconfigjson": {"auths": {host: entry(secret)}}}

    return Form("dockerconfigjson", fields, asks)


def _key(secret: str) -> dict[str, str]:
    return {"type": "service_account", "private_key": f"-----BEGIN\n{secret}\n", "client_email": "a@b.example"}


def _auth(secret: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{USER}:{secret}".encode()).decode()}


FORMS: Final[dict[str, Form]] = {
    "basic": Form("basic", lambda _, secret: {"username": USER, "password": secret}),
    "basic for tokens": Form("basic", lambda _, secret: {"username": USER, "password": secret}, "Bearer"),
    "identity token": Form("token", lambda _, secret: {"identity_token": secret}, "Bearer"),
    "registry token": Form("token", lambda _, secret: {"registry_token": secret}, "Bearer"),
    "docker auth": _entry(_auth),
    "docker pair": _entry(lambda secret: {"username": USER, "password": secret}),
    "docker identity token": _entry(lambda secret: {"identitytoken": secret, **_auth("")}, "Bearer"),
    "docker token user": _entry(lambda secret: {"username": "<token>", "password": secret}, "Bearer"),
    "docker registry token": _entry(lambda secret: {"registrytoken": secret}, "Bearer"),
    "docker text": Form(
        "dockerconfigjson",
        lambda host, secret: {"dockerconfigjson": json.dumps({"auths": {f"https://{host}/v2/": _auth(secret)}})},
    ),
    "ECR of another account": Form("aws_ecr", lambda *_: {"role_arn": ROLE}),
    "Google's key": Form("gcp_gar", lambda _, secret: {"key": _key(secret)}),
    "Google's key as text": Form("gcp_gar", lambda _, secret: {"key": json.dumps(_key(secret))}, "Bearer"),
    "Azure's application": Form("azure_acr", lambda _, secret: {"client_id": "id", "client_secret": secret}),
    "Azure's refresh token": Form("azure_acr", lambda _, secret: {"refresh_token": secret}, "Bearer"),
}
