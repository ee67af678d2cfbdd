"""EKS: a cluster's API server may be one that runs here already, and not a container of MiniStack's own.

``EMULATOR_EKS_CA`` names a file with the authority that DescribeCluster tells of clusters without one of their own;
it is read when it is asked for. ``EMULATOR_EKS_SECRET`` is the secret in the path that an API server asks about tokens
(``/_ministack/eks-auth/ACCOUNT/REGION/CLUSTER/SECRET``), which nobody else could learn otherwise.
"""
# ruff: noqa: SLF001, ANN401 - a correction reaches inside, and JSON is what it is

import base64
import copy
import functools
import os
from pathlib import Path
from typing import Any

import ministack.services.eks as clusters

from local.emulator.anchors import anchored


def correct() -> None:
    """Make the correction. Raises MiniStackChanged."""
    create = anchored(clusters, "_create_cluster", '"_auth_token": secrets.token_urlsafe(32)')
    show = anchored(clusters, "_sanitize", 'if not k.startswith("_")')
    secret, authority = os.environ.get("EMULATOR_EKS_SECRET"), os.environ.get("EMULATOR_EKS_CA")

    @functools.wraps(create)
    def create_known(body: dict[str, Any], creator_arn: str | None = None) -> Any:
        answer = create(body, creator_arn)
        made = clusters._clusters.get(body.get("name", ""))
        if secret and made:
            made["_auth_token"] = secret
        return answer

    @functools.wraps(show)
    def show_authority(cluster: dict[str, Any]) -> Any:
        shown = copy.deepcopy(show(cluster))
        if authority and not shown["certificateAuthority"]["data"]:
            shown["certificateAuthority"]["data"] = base64.b64encode(Path(authority).read_bytes()).decode()
        return shown

    clusters._create_cluster = create_known
    clusters._sanitize = show_authority
