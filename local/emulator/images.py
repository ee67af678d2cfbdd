"""ECR: images and their tags are in the desk's registry, so DescribeImages and BatchDeleteImage are answered there.

``EMULATOR_ECR_REGISTRY`` is where each account's is, ``ACCOUNT=ADDRESS`` with commas between; for any other MiniStack
answers from its own, empty store.
"""
# ruff: noqa: SLF001, ANN401 - a correction reaches inside, and JSON is what it is

import functools
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import ministack.services.ecr as registry
from ministack.core.responses import get_account_id

from local.emulator.anchors import anchored

TARGET = "AmazonEC2ContainerRegistry_V20150921"
_SECONDS = 10


def correct() -> None:
    """Make the correction. Raises MiniStackChanged."""
    given = os.environ.get("EMULATOR_ECR_REGISTRY")
    addresses = dict(one.split("=", 1) for one in given.split(",")) if given else {}
    describe = anchored(registry, "_describe_images", "_find_image(name, iid)")
    delete = anchored(registry, "_batch_delete_image", "_images[name].remove(match)")
    registry._describe_images = _forwarded(describe, addresses, "DescribeImages")
    registry._batch_delete_image = _forwarded(delete, addresses, "BatchDeleteImage")


def _forwarded(answer: Callable[..., Any], addresses: dict[str, str], action: str) -> Callable[..., Any]:
    @functools.wraps(answer)
    def forward(request: dict[str, Any]) -> Any:
        address = addresses.get(get_account_id())
        if address is None or request.get("repositoryName") not in registry._repositories:
            return answer(request)  # it says that there is none
        headers = {"X-Amz-Target": f"{TARGET}.{action}", "Content-Type": "application/x-amz-json-1.1"}
        asked = urllib.request.Request(address, json.dumps(request).encode(), headers)
        try:
            with urllib.request.urlopen(asked, timeout=_SECONDS) as answered:
                return registry.json_response(json.load(answered))
        except urllib.error.HTTPError as refused:
            with refused:
                problem = json.load(refused)
            return registry.error_response_json(problem["__type"], problem["message"], refused.code)
        except OSError as error:
            # Not 500, as which AWS has it: SDKs would ask again for many seconds.
            return registry.error_response_json("ServerException", f"ECR's data plane does not answer: {error}", 400)

    return forward
